//go:build !windows && !linux

package access

import "syscall"

// changed: the other systems name the field differently; size, time and inode have to do.
func changed(*syscall.Stat_t) int { return 0 }
