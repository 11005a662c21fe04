//go:build !soak

package sign_test

import (
	"fmt"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
)

// TestInterop: every format at every level with a key of each algorithm, all keys in turn, judged by all. The whole product is
// TestSoakInterop's, which takes this one's place where it is built: a process has one token of SoftHSM.
func TestInterop(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.nssdir(t)
	by := map[pki.Algorithm][]heldKey{}
	for _, key := range w.everyKey(t) {
		by[key.alg] = append(by[key.alg], key)
	}
	for i := range packagings {
		k := &packagings[i]
		for j, level := range levels {
			for _, keys := range by {
				key := keys[(i+j)%len(keys)]
				t.Run(fmt.Sprintf("%s/%v/%s", k.name, level, key.name), func(t *testing.T) {
					t.Parallel()
					cell(t, w, k, level, key.alg, key.key)
				})
			}
		}
	}
}
