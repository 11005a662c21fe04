package answers_test

import (
	"crypto"
	"testing"

	"golang.org/x/crypto/ocsp"

	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/internal/der"
	"github.com/eidkit/eidkit/testcards/pki"
)

// FuzzRequests: what clients send is read or refused. What was read can be
// answered.
func FuzzRequests(f *testing.F) {
	p, leaf := newPKI(f, pki.EC)
	raw, err := ocsp.CreateRequest(leaf, p.CitizenCA.Certificate, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	imprint := der.Seq(der.Seq(der.OID("2.16.840.1.101.3.4.2.1")), der.Octets(make([]byte, 32)))
	f.Add(der.Seq(der.Int(1), imprint))
	f.Add(der.Seq(der.Int(1), imprint, der.OID("2.999.4"), der.Int(77), der.Bool(true)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		asked, _, err := answers.ParseOCSPRequest(raw)
		for _, a := range asked {
			if err != nil || a.Serial == nil || len(a.ID) == 0 {
				t.Fatalf("%+v, %v", a, err)
			}
			a.Is(p.CitizenCA.Certificate)
		}
		r, err := answers.ParseRequest(raw)
		if err != nil || r.Hash == 0 || r.Hash == crypto.SHA1 || len(r.Imprint) == 0 {
			return
		}
		if _, err := (answers.Timestamp{TSA: p.TSA, Hash: r.Hash, Imprint: r.Imprint, Policy: r.Policy, Nonce: r.Nonce, Time: now}).Response(); err != nil {
			t.Fatal(err)
		}
	})
}
