//go:build soak && unix

package service

import "testing"

// TestSoakMishaps is TestMishaps with all that can happen, before every command.
func TestSoakMishaps(t *testing.T) {
	mishapsAt(t, mishaps, func(int, int) bool { return true })
}
