package agent

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Harden keeps what is in this process's memory in it: no core files, and no
// debugger of another process of the same user. Call it before there is a PIN or
// a key.
func Harden() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("closing the process to debuggers: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("switching core files off: %w", err)
	}
	return nil
}
