package pkcs12

import (
	"crypto/x509"
	"errors"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"

	maker "software.sslmate.com/src/go-pkcs12"
)

func FuzzOpen(f *testing.F) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		f.Fatal(err)
	}
	ec, err := p.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{Surname: "Maes", GivenNames: "Nore", NationalNumber: "85073003328"}})
	if err != nil {
		f.Fatal(err)
	}
	chain := []*x509.Certificate{p.CitizenCA.Certificate}
	for _, e := range []*maker.Encoder{maker.LegacyRC2, maker.LegacyDES, maker.Modern2023, maker.Modern2026} {
		data, err := e.WithIterations(1).Encode(ec.Key, ec.Certificate, chain, "x")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	plain, err := maker.Passwordless.Encode(ec.Key, ec.Certificate, chain, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add([]byte("0\x80\x02\x01\x030\x80\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x01\xa0\x80$\x80\x04\x000\x80\x00\x00\x00\x00"))
	known := []error{ErrFormat, ErrPassword, ErrUnsupported, ErrTooLarge, ErrNoKey, ErrSeveralKeys, ErrNoCertificate}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		for _, password := range [][]byte{nil, []byte("x")} {
			k, err := open(data, password, 100)
			if err != nil && !slices.ContainsFunc(known, func(e error) bool { return errors.Is(err, e) }) {
				t.Fatal(err)
			}
			if err == nil && k.Certificate() == nil {
				t.Fatal("a key without a certificate")
			}
		}
	})
}
