//go:build !windows

package sysfile

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

// OpenPlain opens a regular file for reading; a link, a pipe or a device is refused.
func OpenPlain(path string) (*os.File, error) {
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

func opened(f *os.File, owner int) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return check(f.Name(), info, owner)
}

// check: root has it, or the owner that tests name, and nobody else may write it.
func check(path string, info os.FileInfo, owner int) error {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner is not known: %w", path, ErrOthers)
	}
	if s.Uid != 0 && (owner == 0 || int(s.Uid) != owner) {
		return fmt.Errorf("%s belongs to user %d and not to root: %w", path, s.Uid, ErrOthers)
	}
	sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0
	if info.Mode()&fs.ModeSymlink == 0 && writable(info) && !sticky {
		return fmt.Errorf("%s has mode %v: %w", path, info.Mode().Perm(), ErrOthers)
	}
	return nil
}

// writable: by the group or by everybody.
func writable(info os.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// File checks the path of a file and gives it without links. owner is as for Open.
// Errors: ErrOthers, those of the file system.
func File(path string, owner int) (string, error) {
	at, info, err := follow(path, owner)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no plain file", path)
	}
	return at, nil
}

// Folder checks the path of a folder in which root alone may make files. owner is
// as for Open. Errors: ErrOthers, those of the file system.
func Folder(path string, owner int) error {
	at, info, err := follow(path, owner)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", path)
	case writable(info): // sticky or not: what is not there yet, anybody could make
		return fmt.Errorf("%s has mode %v: %w", at, info.Mode().Perm(), ErrOthers)
	}
	return nil
}

const maxHops = 40 // symbolic links on one way, as Linux has it

// follow follows the path from the root, links included, and refuses it when
// somebody else could put something else at its end. It gives the path without
// links, and what is there.
func follow(path string, owner int) (string, os.FileInfo, error) {
	if !filepath.IsAbs(path) {
		return "", nil, fmt.Errorf("%s is not a whole path", path)
	}
	at := "/"
	rest := strings.Split(path, "/")
	for hops := 0; ; {
		info, err := os.Lstat(at)
		if err != nil {
			return "", nil, err
		}
		if err := check(at, info, owner); err != nil {
			return "", nil, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			if hops++; hops > maxHops {
				return "", nil, errors.New("too many links")
			}
			to, err := os.Readlink(at)
			if err != nil {
				return "", nil, err
			}
			rest = append(strings.Split(to, "/"), rest...)
			if at = filepath.Dir(at); filepath.IsAbs(to) {
				at = "/"
			}
		} else if rest = trim(rest); len(rest) == 0 {
			return at, info, nil
		}
		if rest = trim(rest); len(rest) > 0 {
			at = filepath.Join(at, rest[0]) // ".." too: at has no links
			rest = rest[1:]
		}
	}
}

// trim takes off what leads nowhere.
func trim(names []string) []string {
	for len(names) > 0 && (names[0] == "" || names[0] == ".") {
		names = names[1:]
	}
	return names
}
