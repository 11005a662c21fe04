//go:build !linux

package agent

// Harden keeps what is in this process's memory in it, where the system can: not
// here.
func Harden() error { return nil }
