//go:build !linux

package audit

import "os"

// flush puts a file's bytes on the disk.
func flush(f *os.File) error { return f.Sync() }
