package xades_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/testcards/pki"
)

// BenchmarkSign signs XML enveloped at level B, with the key's work and, as Prepare, without.
func BenchmarkSign(b *testing.B) {
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		m := newMaker(b, alg, false)
		for _, lines := range []int{1, 20_000} {
			doc := []byte(`<invoice xmlns="urn:invoice">` + string(bytes.Repeat([]byte(`<line n="1">ten euro &amp; more</line>`), lines)) + `</invoice>`)
			b.Run(fmt.Sprintf("%v/%dKiB", alg, (len(doc)+1023)>>10), func(b *testing.B) {
				b.SetBytes(int64(len(doc)))
				for b.Loop() {
					m.sign(b, doc, nil, xades.MakeOptions{}, nil)
				}
			})
			b.Run(fmt.Sprintf("%v/%dKiB/prepare", alg, (len(doc)+1023)>>10), func(b *testing.B) {
				b.SetBytes(int64(len(doc)))
				for b.Loop() {
					if _, err := xades.Prepare(b.Context(), m.making, doc, nil, xades.MakeOptions{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
