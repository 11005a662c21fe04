package weblogin_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

const (
	origin = "https://ziekenhuis.example"
	nonce  = "bm9uY2Ugb2YgdGhlIHRlc3RzLCAzMiBieXRlcyBsb25nIQ=="
)

var (
	now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	eva = pki.Subject{NationalNumber: "85073003328", Surname: "Voorbeeld", GivenNames: "Eva Maria"}
)

// answer is a Revocation that always says the same.
type answer struct {
	status weblogin.Status
	err    error
	asked  int
}

func (a *answer) Status(_ context.Context, path verify.Path, _ time.Time) (weblogin.Status, error) {
	a.asked += len(path) - 1
	return a.status, a.err
}

// answerGood is answer for the example.
type answerGood struct{}

func (answerGood) Status(context.Context, verify.Path, time.Time) (weblogin.Status, error) {
	return weblogin.Good, nil
}

func newPKI(t testing.TB, o pki.Options) *pki.PKI {
	t.Helper()
	p, err := pki.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func issue(t testing.TB, p *pki.PKI, r pki.Request) *pki.Issued {
	t.Helper()
	i, err := p.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// options accept the test PKI.
func options(p *pki.PKI) weblogin.Options {
	a := &verify.Anchors{}
	a.Add(p.Root.Certificate)
	return weblogin.Options{
		Origin: origin, Anchors: a, Intermediates: []*x509.Certificate{p.CitizenCA.Certificate, p.ForeignerCA.Certificate},
		Revocation: &answer{status: weblogin.Good}, Now: func() time.Time { return now },
	}
}

func sign(t testing.TB, key crypto.Signer, algorithm, origin, nonce string) []byte {
	t.Helper()
	return signToken(key, algorithm, origin, nonce)
}

// signToken makes the signature of a token as a card and its driver do: over
// H(H(origin) || H(nonce)), ECDSA as r and s one after the other.
func signToken(key crypto.Signer, algorithm, origin, nonce string) []byte {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[algorithm[2:]]
	h := func(b []byte) []byte {
		w := hash.New()
		w.Write(b)
		return w.Sum(nil)
	}
	digest := h(append(h([]byte(origin)), h([]byte(nonce))...))
	var opts crypto.SignerOpts = hash
	if strings.HasPrefix(algorithm, "PS") {
		opts = &rsa.PSSOptions{SaltLength: hash.Size(), Hash: hash}
	}
	der, err := key.Sign(rand.Reader, digest, opts)
	if err != nil {
		panic(err)
	}
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return der
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		panic(err)
	}
	n := (pub.Curve.Params().BitSize + 7) / 8
	return append(pair.R.FillBytes(make([]byte, n)), pair.S.FillBytes(make([]byte, n))...)
}

// fields is a token to be changed before it is written.
type fields map[string]any

func (f fields) with(name string, value any) fields {
	c := maps.Clone(f)
	if value == nil {
		delete(c, name)
	} else {
		c[name] = value
	}
	return c
}

func (f fields) json(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func newToken(t testing.TB, i *pki.Issued, algorithm string) fields {
	t.Helper()
	return fields{
		"unverifiedCertificate": b64(i.Certificate.Raw), "algorithm": algorithm, "signature": b64(sign(t, i.Key, algorithm, origin, nonce)),
		"format": "web-eid:1.0", "appVersion": "https://example.be/app/2.8.0",
	}
}

func validate(f fields, t testing.TB, o weblogin.Options) (*weblogin.Person, error) {
	t.Helper()
	return weblogin.Validate(t.Context(), f.json(t), nonce, o)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pki        pki.Algorithm
		algorithms []string
	}{
		{pki.EC, []string{"ES384"}},
		{pki.RSA, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
	} {
		p := newPKI(t, pki.Options{Algorithm: test.pki})
		card := issue(t, p, pki.Request{Subject: eva})
		for _, algorithm := range test.algorithms {
			o := options(p)
			who, err := validate(newToken(t, card, algorithm), t, o)
			if err != nil {
				t.Errorf("%s: %v", algorithm, err)
				continue
			}
			want := verify.Signer{NISS: "85073003328", Surname: "Voorbeeld", GivenNames: "Eva Maria", CommonName: "Eva Voorbeeld (Authentication)", Country: "BE", Kind: "citizen"}
			if who.Signer != want || who.SerialNumber != "85073003328" || who.Algorithm != algorithm || who.Format != "web-eid:1.0" || who.AppVersion != "https://example.be/app/2.8.0" {
				t.Errorf("%s: %+v", algorithm, who)
			}
			if !who.Certificate.Equal(card.Certificate) || len(who.Path) != 3 || !who.Path[2].Equal(p.Root.Certificate) {
				t.Errorf("%s: path of %d", algorithm, len(who.Path))
			}
			if asked := o.Revocation.(*answer).asked; asked != 2 {
				t.Errorf("%s: %d questions about revocation", algorithm, asked)
			}
		}
	}
}

// otherCurves are certificates as no Belgian card has them.
func TestCurves(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	for algorithm, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		card := issue(t, p, pki.Request{Subject: eva, Key: key})
		for _, a := range []string{"ES256", "ES384", "ES512", "RS256", "PS256", "ES256K", "none", "HS256", "EdDSA", "es256"} {
			token := newToken(t, card, algorithm).with("algorithm", a)
			switch _, err := validate(token, t, options(p)); {
			case a == algorithm && err != nil:
				t.Errorf("%s: %v", a, err)
			case a != algorithm && !errors.Is(err, weblogin.ErrAlgorithm):
				t.Errorf("%s with a key on %s: %v", a, curve.Params().Name, err)
			}
		}
		// DER as crypto/ecdsa writes it, and values of another length.
		raw := sign(t, key, algorithm, origin, nonce)
		for _, bad := range [][]byte{raw[1:], append([]byte{0}, raw...), make([]byte, len(raw)), raw[:len(raw)/2]} {
			if _, err := validate(newToken(t, card, algorithm).with("signature", b64(bad)), t, options(p)); !errors.Is(err, weblogin.ErrSignature) {
				t.Errorf("%s: value of %d bytes: %v", algorithm, len(bad), err)
			}
		}
	}
}

func TestKeysRefused(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	weak := issue(t, p, pki.Request{Subject: eva, Key: p.LeafKeyOf(pki.RSA1024, pki.Authentication, "weak")})
	if _, err := validate(newToken(t, weak, "RS256"), t, options(p)); !errors.Is(err, weblogin.ErrAlgorithm) {
		t.Errorf("RSA 1024: %v", err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	odd := issue(t, p, pki.Request{Subject: eva, Key: ed})
	token := newToken(t, weak, "RS256").with("unverifiedCertificate", b64(odd.Certificate.Raw))
	for _, a := range []string{"RS256", "ES256"} {
		if _, err := validate(token.with("algorithm", a), t, options(p)); !errors.Is(err, weblogin.ErrAlgorithm) {
			t.Errorf("Ed25519 with %s: %v", a, err)
		}
	}
	old := newPKI(t, pki.Options{Algorithm: pki.RSA1024})
	card := issue(t, old, pki.Request{Subject: eva, Key: p.LeafKeyOf(pki.RSA, pki.Authentication, "strong")})
	if _, err := validate(newToken(t, card, "RS256"), t, options(old)); !errors.Is(err, weblogin.ErrUntrusted) {
		t.Errorf("SHA-1 in the path: %v", err)
	}
}

// TestSignature: a token is for one origin, one nonce, one certificate.
func TestSignature(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	card := issue(t, p, pki.Request{Subject: eva})
	other := issue(t, p, pki.Request{Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Ander"}})
	good := newToken(t, card, "ES384")
	refused := func(name string, token fields, nonce string, o weblogin.Options) {
		t.Helper()
		o.Revocation = &answer{status: weblogin.Good}
		o.Issuers = func(context.Context, *x509.Certificate) []*x509.Certificate {
			t.Errorf("%s: certificates were fetched for a bad signature", name)
			return nil
		}
		_, err := weblogin.Validate(t.Context(), token.json(t), nonce, o)
		if !errors.Is(err, weblogin.ErrSignature) || !errors.Is(err, weblogin.ErrLogin) {
			t.Errorf("%s: %v", name, err)
		}
		if o.Revocation.(*answer).asked > 0 {
			t.Errorf("%s: revocation was asked for a bad signature", name)
		}
	}
	refused("other nonce", good, strings.Replace(nonce, "b", "c", 1), options(p))
	for _, site := range []string{"https://ziekenhuis.example:8443", "https://ziekenhuis.example.evil.be", "https://xn--ziekenhuis.example"} {
		o := options(p)
		o.Origin = site
		refused(site, good, nonce, o)
	}
	refused("other certificate", good.with("unverifiedCertificate", b64(other.Certificate.Raw)), nonce, options(p))
	raw := sign(t, card.Key, "ES384", origin, nonce)
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 0x10
		refused("changed value", good.with("signature", b64(bad)), nonce, options(p))
	}
	// The hash is over the two hashes, not over the texts.
	refused("shifted", good.with("signature", b64(sign(t, card.Key, "ES384", origin+nonce[:1], nonce[1:]))), nonce, options(p))
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	card := issue(t, p, pki.Request{Subject: eva})
	good := newToken(t, card, "ES384")
	plain := string(good.json(t))
	spaced := func(n int) string { return strings.Repeat(" ", n) }
	for name, raw := range map[string]string{
		"empty":                 "",
		"null":                  "null" + spaced(200),
		"list":                  "[" + plain + "]",
		"string":                `"` + strings.Repeat("x", 200) + `"`,
		"cut off":               plain[:len(plain)-1],
		"more behind":           plain + "{}",
		"99 characters":         "{}" + spaced(97),
		"10,001 characters":     plain + spaced(10_001-len(plain)),
		"byte order mark":       "\ufeff" + plain,
		"not UTF-8":             strings.Replace(plain, "https://example.be", "https://\xff", 1),
		"comment":               "/* */" + plain,
		"single quotes":         strings.ReplaceAll(plain, `"`, "'"),
		"format twice":          strings.Replace(plain, "{", `{"format":"web-eid:1.0",`, 1),
		"format twice, escaped": strings.Replace(plain, "{", `{"\u0066ormat":"web-eid:1.1",`, 1),
		"unknown twice":         strings.Replace(plain, "{", `{"x":1,"x":2,`, 1),
		"unknown twice, within": strings.Replace(plain, "{", `{"x":[{"y":1,"y":2}],`, 1),
		"nested deep":           strings.Replace(plain, "{", `{"x":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+",", 1),
		"trailing comma":        strings.Replace(plain, "}", ",}", 1),
	} {
		if _, err := weblogin.Validate(t.Context(), []byte(raw), nonce, options(p)); !errors.Is(err, weblogin.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, raw := range []string{plain + spaced(10_000-len(plain)), strings.Replace(plain, "{", `{"x":{"y":[1,null,true,"é"]},"Format":"x",`, 1)} {
		if _, err := weblogin.Validate(t.Context(), []byte(raw), nonce, options(p)); err != nil {
			t.Errorf("%.60s: %v", raw, err)
		}
	}
	signature, certificate := good["signature"].(string), good["unverifiedCertificate"].(string)
	for name, test := range map[string]struct {
		token fields
		want  error
	}{
		"no certificate":            {good.with("unverifiedCertificate", nil), weblogin.ErrToken},
		"empty certificate":         {good.with("unverifiedCertificate", ""), weblogin.ErrToken},
		"certificate of no DER":     {good.with("unverifiedCertificate", b64([]byte("no DER"))), weblogin.ErrCertificate},
		"bytes behind certificate":  {good.with("unverifiedCertificate", b64(append(bytes.Clone(card.Certificate.Raw), 0))), weblogin.ErrCertificate},
		"certificate in PEM":        {good.with("unverifiedCertificate", "-----BEGIN CERTIFICATE-----\n"+certificate), weblogin.ErrToken},
		"certificate in lines":      {good.with("unverifiedCertificate", certificate[:64]+"\n"+certificate[64:]), weblogin.ErrToken},
		"certificate in base64url":  {good.with("unverifiedCertificate", strings.NewReplacer("+", "-", "/", "_").Replace(certificate)), weblogin.ErrToken},
		"certificate a number":      {good.with("unverifiedCertificate", 7), weblogin.ErrToken},
		"other spelling":            {good.with("unverifiedCertificate", nil).with("UnverifiedCertificate", certificate), weblogin.ErrToken},
		"no algorithm":              {good.with("algorithm", nil), weblogin.ErrToken},
		"algorithm a list":          {good.with("algorithm", []string{"ES384"}), weblogin.ErrToken},
		"no signature":              {good.with("signature", nil), weblogin.ErrToken},
		"signature without padding": {good.with("signature", strings.TrimRight(b64([]byte("x")), "=")), weblogin.ErrToken},
		"signature with blanks":     {good.with("signature", signature[:8]+" "+signature[8:]), weblogin.ErrToken},
		"no format":                 {good.with("format", nil), weblogin.ErrToken},
		"format 1":                  {good.with("format", "web-eid:1"), weblogin.ErrFormat},
		"format 1.0.1":              {good.with("format", "web-eid:1.0.1"), weblogin.ErrFormat},
		"format 1.2":                {good.with("format", "web-eid:1.2"), weblogin.ErrFormat},
		"format 2.0":                {good.with("format", "web-eid:2.0"), weblogin.ErrFormat},
		"format in capitals":        {good.with("format", "WEB-EID:1.0"), weblogin.ErrFormat},
		"appVersion a number":       {good.with("appVersion", 2), weblogin.ErrToken},
		"appVersion long":           {good.with("appVersion", strings.Repeat("x", 257)), weblogin.ErrToken},
		"1.0 with 1.1's field":      {good.with("unverifiedSigningCertificates", []any{}), weblogin.ErrFormat},
	} {
		if _, err := validate(test.token, t, options(p)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := validate(good.with("appVersion", nil), t, options(p)); err != nil {
		t.Errorf("no appVersion: %v", err)
	}
}
