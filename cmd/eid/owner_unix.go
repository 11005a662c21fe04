//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

var errNotRoots = errors.New("others than root can change it")

// onlyRoots wants a program that root alone can change: the file, its folder, and what a link leads to.
func onlyRoots(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, p := range []string{real, filepath.Dir(real), filepath.Dir(path)} {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		s, ok := info.Sys().(*syscall.Stat_t)
		if !ok || s.Uid != 0 || info.Mode().Perm()&0o022 != 0 {
			return errNotRoots
		}
	}
	return nil
}
