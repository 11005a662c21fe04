package dial

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

// absent tells whether nobody listens there.
func absent(err error) bool {
	return errors.Is(err, windows.WSAECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
