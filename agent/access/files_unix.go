//go:build !windows

package access

import (
	"fmt"
	"os"
	"syscall"
)

// PolicyPath is where the administrator's policy is.
func PolicyPath() string { return "/etc/eidkit/policy.toml" }

func fileID(info os.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(s.Dev, s.Ino, changed(s))
	}
	return ""
}

// private: it belongs to this user, and nobody else may read or write it.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || int(s.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: others could have read or written it: its mode has to be 0600", f.Name())
	}
	return nil
}
