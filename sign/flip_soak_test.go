//go:build soak

package sign_test

import (
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
)

// TestSoakFlipped changes every signed byte of files at B-B, and a thousand bytes of those at B-LTA.
func TestSoakFlipped(t *testing.T) {
	t.Parallel()
	flipAll(t, 40_000, 800, func(i int) pki.Algorithm { return []pki.Algorithm{pki.EC, pki.RSA}[i%2] })
}
