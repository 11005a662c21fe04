package weblogin_test

import (
	"crypto/ecdsa"
	"crypto/sha512"
	"crypto/x509"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify/weblogin"
)

// BenchmarkValidate validates a token of a P-384 card. Its public-key work is
// three signatures: the token's and two of the path; they are beside it.
func BenchmarkValidate(b *testing.B) {
	p := newPKI(b, pki.Options{})
	card := issue(b, p, pki.Request{Subject: eva})
	token, o := newToken(b, card, "ES384").json(b), options(p)
	b.Run("token", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := weblogin.Validate(b.Context(), token, nonce, o); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("public-key operations", func(b *testing.B) {
		for b.Loop() {
			for _, pair := range [][2]*x509.Certificate{
				{card.Certificate, p.CitizenCA.Certificate}, {p.CitizenCA.Certificate, p.Root.Certificate}, {p.RRN.Certificate, p.Root.Certificate},
			} {
				digest := sha512.Sum384(pair[0].RawTBSCertificate)
				if !ecdsa.VerifyASN1(pair[1].PublicKey.(*ecdsa.PublicKey), digest[:], pair[0].Signature) {
					b.Fatal("signature")
				}
			}
		}
	})
}
