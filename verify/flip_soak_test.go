//go:build soak

package verify_test

import "testing"

// TestSoakFlips is TestFlips with five times as many bytes.
func TestSoakFlips(t *testing.T) { testFlips(t, 2000) }
