//go:build soak

package sign_test

import (
	"slices"
	"testing"

	"github.com/eidkit/eidkit/testcards/network"
)

// TestSoakEvidenceFaults is TestEvidenceFaults with all that services can do wrong.
func TestSoakEvidenceFaults(t *testing.T) {
	harmless := []network.Fault{network.Redirect, network.NoNonce, network.ByName, network.Direct, network.Endless, network.PEM, network.Delta, network.NoCertificate,
		network.Checked, network.Slow}
	var faults []network.Fault
	for _, f := range append(network.Faults(network.OCSP), network.Faults(network.CRL)...) {
		if !slices.Contains(faults, f) && !slices.Contains(harmless, f) {
			faults = append(faults, f)
		}
	}
	evidenceFaults(t, faults...)
}
