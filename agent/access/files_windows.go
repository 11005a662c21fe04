package access

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// PolicyPath is where the administrator's policy is. The folder is asked of the
// system: a user can change %ProgramData%.
func PolicyPath() string {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		dir = `C:\ProgramData`
	}
	return filepath.Join(dir, "eidkit", "policy.toml")
}

func fileID(os.FileInfo) string { return "" }

// private: the state folder is in the user's profile, whose access list keeps others out.
func private(*os.File) error { return nil }
