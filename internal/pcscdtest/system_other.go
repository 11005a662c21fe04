//go:build !linux

package pcscdtest

import (
	"errors"
	"os/exec"
	"testing"
)

// There is no vpcd in Debian's form elsewhere, so need ends a test before these are called.
func lock(string) (unlock func(), err error) { return nil, errors.New("only on Linux") }

func dieWithParent(*exec.Cmd) {}

// Freeze stops the service in its tracks: it keeps its connections and answers nothing, until thaw is called or the test ends.
func (d *Daemon) Freeze(t testing.TB) (thaw func()) {
	d.mustOwn(t)
	return func() {}
}
