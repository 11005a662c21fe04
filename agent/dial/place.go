package dial

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// RuntimeDir is the folder where a user's agent has its socket and the file with
// its port: $XDG_RUNTIME_DIR/eidkit, without that variable a folder for this user
// in the system's temporary one, on Windows one below %LOCALAPPDATA%. It is not
// made.
func RuntimeDir() (string, error) {
	if runtime.GOOS == "windows" {
		dir := os.Getenv("LOCALAPPDATA")
		if dir == "" {
			return "", errors.New("LOCALAPPDATA is not set")
		}
		return filepath.Join(dir, "eidkit", "run"), nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "eidkit"), nil
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("eidkit-%d", os.Getuid())), nil
}

// SocketPath is the Unix socket in a runtime folder.
func SocketPath(dir string) string { return filepath.Join(dir, "agent.sock") }

// PortPath is the file in a runtime folder that has the port, in decimal.
func PortPath(dir string) string { return filepath.Join(dir, "agent.port") }
