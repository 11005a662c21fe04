package weblogin_test

import (
	"context"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify/weblogin"
)

// FuzzValidate: no token that was not made by the card passes, and every refusal
// has a code.
func FuzzValidate(f *testing.F) {
	p := newPKI(f, pki.Options{})
	card := issue(f, p, pki.Request{Subject: eva})
	signer := issue(f, p, pki.Request{Subject: eva, Kind: pki.Signature})
	token := newToken(f, card, "ES384")
	mobile := token.with("format", "web-eid:1.1").with("unverifiedSigningCertificates", []any{map[string]any{
		"certificate":                  b64(signer.Certificate.Raw),
		"supportedSignatureAlgorithms": []any{map[string]any{"cryptoAlgorithm": "ECC", "hashFunction": "SHA-384", "paddingScheme": "NONE"}},
	}})
	other := newToken(f, issue(f, p, pki.Request{Subject: eva, Key: p.LeafKeyOf(pki.RSA, pki.Authentication, "f")}), "PS256")
	for _, seed := range []fields{token, mobile, other} {
		f.Add(seed.json(f))
	}
	o := options(p)
	const otherNonce = "YW5vdGhlciBub25jZSB0aGFuIHRoYXQgb2YgdGhlIHNlZWRz"
	f.Fuzz(func(t *testing.T, raw []byte) {
		who, err := weblogin.Validate(context.Background(), raw, otherNonce, o)
		if err == nil {
			t.Fatalf("accepted %+v", who)
		}
		if code, status := weblogin.Code(err); !errors.Is(err, weblogin.ErrLogin) || code == "INTERNAL" || status < 400 {
			t.Fatalf("%v: %s %d", err, code, status)
		}
		if len(err.Error()) > 1000 || !utf8.ValidString(err.Error()) {
			t.Fatalf("message of %d bytes", len(err.Error()))
		}
		if who, err := weblogin.Validate(context.Background(), raw, nonce, o); err == nil && who.NISS != eva.NationalNumber {
			t.Fatal("somebody else")
		}
	})
}
