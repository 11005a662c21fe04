//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestUnlockOfCopies: a copy of the descriptor, as a program has that is being started, keeps no lock.
func TestUnlockOfCopies(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := tryLock(f); err != nil || !ok {
		t.Fatal(ok, err)
	}
	copied, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(copied)
	unlock(f)
	other, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := tryLock(other); err != nil || !ok {
		t.Errorf("still locked: %v", err)
	}
	unlock(other)
}
