//go:build !windows

package dial

import (
	"errors"
	"io/fs"
	"syscall"
)

// absent tells whether nobody listens there.
func absent(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
