package verify

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// The certificate of Root CA2 is not among the test data, so a test root is
// pinned for the length of this test.
func TestWithdrawnRoot(t *testing.T) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	old := pinnedRoots
	defer func() { pinnedRoots = old }()
	pinnedRoots = []PinnedRoot{{Name: "Root", SHA256: sha256.Sum256(p.Root.Certificate.Raw), Withdrawn: day("2026-05-19")}}
	others := []*x509.Certificate{p.Root.Certificate}

	if _, err := BuildPath(p.RRN.Certificate, others, nil, day("2026-05-18")); err != nil {
		t.Errorf("before its withdrawal: %v", err)
	}
	if _, err := BuildPath(p.RRN.Certificate, others, nil, day("2026-05-19")); !errors.Is(err, ErrUntrusted) {
		t.Errorf("after its withdrawal: %v", err)
	}
	own := &Anchors{}
	own.Add(p.Root.Certificate)
	if _, err := BuildPath(p.RRN.Certificate, nil, own, day("2026-05-19")); err != nil {
		t.Errorf("added by the caller: %v", err)
	}
	if _, err := BuildPath(p.RRN.Certificate, others, nil, time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, ErrExpired) {
		t.Errorf("before all validity: %v", err)
	}
}

func FuzzParseCertificates(f *testing.F) {
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA1024} {
		p, err := pki.New(pki.Options{Algorithm: alg})
		if err != nil {
			f.Fatal(err)
		}
		der := p.Root.Certificate.Raw
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		for _, seed := range [][]byte{der, text, append(bytes.Clone(text), text...), append(bytes.Clone(der), der...), der[:100], text[:100]} {
			f.Add(seed)
		}
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := parseCertificates(data)
		if err == nil && len(certs) == 0 {
			t.Fatal("no certificate and no error")
		}
		if err != nil && certs != nil {
			t.Fatal("certificates and an error")
		}
		var a Anchors
		for _, c := range certs {
			a.Add(c)
			if !a.Contains(c) {
				t.Fatal("added, but not an anchor")
			}
			// Whatever was read may be walked through without harm.
			_, _ = BuildPath(c, certs, nil, time.Unix(1735689600, 0))
		}
		// What was read can be written and read again.
		var buf bytes.Buffer
		for _, c := range certs {
			if err := pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
				t.Fatal(err)
			}
		}
		if len(certs) > 0 {
			again, err := parseCertificates(buf.Bytes())
			if err != nil || len(again) != len(certs) {
				t.Fatalf("read back %d of %d: %v", len(again), len(certs), err)
			}
		}
	})
}
