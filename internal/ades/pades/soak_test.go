//go:build soak

package pades_test

import "testing"

// TestSoakFlip flips every byte that a signature covers.
func TestSoakFlip(t *testing.T) { flip(t, 1<<40) }
