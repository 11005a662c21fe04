//go:build !windows

package pkcs11

import (
	"fmt"
	"io/fs"
)

// checkPermissions refuses a file that others than its owner and group may read or write.
func checkPermissions(path string, info fs.FileInfo) error {
	if perm := info.Mode().Perm(); perm&0o007 != 0 {
		return fmt.Errorf("%s may be used by everybody (mode %04o): chmod 600 it", path, perm)
	}
	return nil
}
