//go:build !unix

package crl

import "os/exec"

// maxRSS is not known on this system.
func maxRSS(*exec.Cmd) int64 { return 0 }
