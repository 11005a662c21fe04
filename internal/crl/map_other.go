//go:build !unix

package crl

import (
	"errors"
	"os"
)

// mapFile is not done on this system: look-ups read the file.
func mapFile(*os.File, int64) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapFile([]byte) {}
