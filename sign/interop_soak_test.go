//go:build soak

package sign_test

import (
	"fmt"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
)

// TestSoakInterop is the whole table: every format at every level with every key.
func TestSoakInterop(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.nssdir(t)
	keys := w.everyKey(t)
	for i := range packagings {
		k := &packagings[i]
		for _, level := range levels {
			for _, key := range keys {
				t.Run(fmt.Sprintf("%s/%v/%s", k.name, level, key.name), func(t *testing.T) {
					t.Parallel()
					cell(t, w, k, level, key.alg, key.key)
				})
			}
		}
	}
}

// TestSoakAugmented is TestInteropAugmented with keys of both algorithms.
func TestSoakAugmented(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.nssdir(t)
	for i := range packagings {
		for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
			for _, foreign := range []bool{false, true} {
				augmented(t, w, &packagings[i], alg, foreign)
			}
		}
	}
}
