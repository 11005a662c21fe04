//go:build !windows

package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// PolicyPath is where the administrator's policy is.
func PolicyPath() string { return "/etc/eidkit/policy.toml" }

func fileID(info os.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(s.Dev, s.Ino, changed(s))
	}
	return ""
}

// openPlain opens a regular file for reading; a link, a pipe or a device is refused.
func openPlain(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%s is no plain file", path)
	}
	return f, nil
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

func trustedFile(f *os.File, owner int) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return trustedInfo(f.Name(), info, owner)
}

// trustedInfo: root has it, or the owner that tests name, and nobody else may write it.
func trustedInfo(path string, info os.FileInfo, owner int) error {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner is not known", path)
	}
	if s.Uid != 0 && (owner == 0 || int(s.Uid) != owner) {
		return fmt.Errorf("%s belongs to user %d: it has to belong to root", path, s.Uid)
	}
	sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0 // there nobody renames what is not his
	if info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o022 != 0 && !sticky {
		return fmt.Errorf("%s can be written by others than root (mode %v)", path, info.Mode().Perm())
	}
	return nil
}

const maxHops = 40 // symbolic links on one way, as Linux has it

// trustedPath follows the path from the root, links included, and refuses it when
// somebody else could put another file at its end. It gives the path without links.
func trustedPath(path string, owner int) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is not a whole path", path)
	}
	at := "/"
	rest := strings.Split(path, "/")
	for hops := 0; ; {
		info, err := os.Lstat(at)
		if err != nil {
			return "", err
		}
		if err := trustedInfo(at, info, owner); err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			if hops++; hops > maxHops {
				return "", errors.New("too many links")
			}
			to, err := os.Readlink(at)
			if err != nil {
				return "", err
			}
			rest = append(strings.Split(to, "/"), rest...)
			if at = filepath.Dir(at); filepath.IsAbs(to) {
				at = "/"
			}
		}
		for len(rest) > 0 && (rest[0] == "" || rest[0] == ".") {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			break
		}
		at = filepath.Join(at, rest[0]) // ".." too: at has no links
		rest = rest[1:]
	}
	if info, err := os.Lstat(at); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no plain file", path)
	}
	return at, nil
}
