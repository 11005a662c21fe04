package pcscdtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// lock waits for the file's lock, which the system lets go when the process ends in whatever way.
func lock(path string) (unlock func(), err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) { // in /tmp, Linux lets nobody create what another user has already created
		file, err = os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	}
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}

func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// Freeze stops the service in its tracks: it keeps its connections and answers nothing, until thaw is called or the test ends.
func (d *Daemon) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	d.mustOwn(t)
	frozen := d.process.cmd.Process
	if err := frozen.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw = func() { _ = frozen.Signal(syscall.SIGCONT) }
	t.Cleanup(thaw)
	return thaw
}
