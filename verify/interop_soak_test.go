//go:build soak

package verify_test

import "testing"

// TestSoakMadeOutside changes all bytes of small files and 2,000 of large ones.
func TestSoakMadeOutside(t *testing.T) { madeOutside(t, 2000) }
