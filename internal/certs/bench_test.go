package certs_test

import (
	"crypto/x509"
	"testing"

	"github.com/eidkit/eidkit/internal/certs"
)

// BenchmarkParse is beside crypto/x509, for what it takes; what it refuses is read by our own parser alone.
func BenchmarkParse(b *testing.B) {
	key := signKey(b)
	plain := ordinary(b, key)
	p := take(b, plain)
	p.serial = []byte{2, 1, 0xff}
	odd := p.sign(b, key)
	for name, parse := range map[string]func() error{
		"eidkit":              func() error { _, _, err := certs.Parse(plain.Raw); return err },
		"eidkit, odd one":     func() error { _, _, err := certs.Parse(odd); return err },
		"crypto/x509":         func() error { _, err := x509.ParseCertificate(plain.Raw); return err },
		"key of a name":       func() error { certs.NameKey(plain.RawSubject); return nil },
		"names compared":      func() error { certs.EqualName(plain.RawSubject, plain.RawIssuer); return nil },
		"extensions for path": func() error { _, err := certs.Policies(plain); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := parse(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
