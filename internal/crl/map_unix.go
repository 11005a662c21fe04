//go:build unix

package crl

import (
	"os"
	"syscall"
)

// mapFile makes a file readable like memory, so that a look-up needs no system call.
func mapFile(f *os.File, size int64) ([]byte, error) {
	if size <= 0 || int64(int(size)) != size {
		return nil, syscall.EFBIG
	}
	return syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
}

func unmapFile(data []byte) { _ = syscall.Munmap(data) }
