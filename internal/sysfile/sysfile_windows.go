package sysfile

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// OpenPlain opens a regular file for reading; a link or a device is refused.
func OpenPlain(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file", path)
	}
	return os.Open(path)
}

func opened(f *os.File, _ int) error { return check(f.Name(), writeRights) }

// File checks the path of a file, and the folders above it up to the drive, in
// which nobody else may delete or rename. There are no links on the way. It gives
// the path cleaned. Errors: ErrOthers, those of the system.
func File(path string, _ int) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is not a whole path", path)
	}
	path = filepath.Clean(path)
	for at, rights := path, windows.ACCESS_MASK(writeRights); ; at, rights = filepath.Dir(at), folderRights {
		info, err := os.Lstat(at)
		if err != nil {
			return "", err
		}
		if filepath.Dir(at) == at {
			return path, nil // the drive itself cannot be renamed
		}
		if info.Mode()&(os.ModeSymlink|os.ModeIrregular) != 0 {
			return "", fmt.Errorf("%s is a link", at)
		}
		// What ProgramData lets users do, make files of their own, they may do above the folder eidkit.
		if err := check(at, rights); err != nil {
			return "", err
		}
	}
}

// Rights that change a file, and those that let somebody put another folder in the place of one.
const (
	deleteChild  = 0x40 // FILE_DELETE_CHILD
	writeRights  = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.FILE_WRITE_EA | folderRights
	folderRights = windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | deleteChild | windows.GENERIC_WRITE | windows.GENERIC_ALL
)

// check wants an owner that is the system or an administrator, and an
// access list that gives these rights to nobody else.
func check(path string, rights windows.ACCESS_MASK) error {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("reading the access list of %s: %w", path, err)
	}
	owner, _, err := sd.Owner()
	if err != nil || !administrative(owner) {
		return fmt.Errorf("%s does not belong to the administrators: %w", path, ErrOthers)
	}
	list, _, err := sd.DACL()
	if err != nil || list == nil {
		return fmt.Errorf("%s has no access list: %w", path, ErrOthers)
	}
	for i := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &ace); err != nil {
			return fmt.Errorf("reading the access list of %s: %w", path, err)
		}
		if ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || ace.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE {
			continue
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE {
			return fmt.Errorf("%s: its access list has entries of an unknown sort: %w", path, ErrOthers)
		}
		if sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); ace.Mask&rights != 0 && !administrative(sid) {
			return fmt.Errorf("%s can be written by %s: %w", path, sid, ErrOthers)
		}
	}
	return nil
}

// trustedInstaller owns what Windows itself installs.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

func administrative(sid *windows.SID) bool {
	return sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.String() == trustedInstaller
}
