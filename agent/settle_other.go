//go:build !linux

package agent

import "runtime/debug"

// Settle gives memory back to the system that only starting needed.
func Settle() { debug.FreeOSMemory() }
