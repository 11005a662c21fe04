package audit

import (
	"os"

	"golang.org/x/sys/unix"
)

// flush puts a file's bytes on the disk, and of what is known about it only what is needed to find them again.
func flush(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}
