//go:build soak

package cades_test

import "testing"

// flips is how many bytes of each region are changed: all.
const flips = 1 << 20

// stride is how far apart the places are at which files are cut or changed.
const stride = 1

// Content beyond 4 GiB, where lengths need more than 32 bits.
func TestSoakLargeContent(t *testing.T) {
	for _, chunk := range []int{0, 4096} {
		if n := readLarge(t, newLargeFile(t, 5<<30, chunk)); n > 4<<20 {
			t.Errorf("chunks of %d: %d bytes allocated", chunk, n)
		}
	}
}
