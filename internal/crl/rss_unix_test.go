//go:build unix

package crl

import (
	"os/exec"
	"runtime"
	"syscall"
)

// maxRSS is the most memory, in bytes, that a process that has ended had resident.
func maxRSS(cmd *exec.Cmd) int64 {
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10
}
