package weblogin_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	card := issue(t, p, pki.Request{Subject: eva})
	try := func(site string, http bool) error {
		o := options(p)
		o.Origin, o.LoopbackHTTP = site, http
		token := newToken(t, card, "ES384").with("signature", b64(sign(t, card.Key, "ES384", site, nonce)))
		_, err := validate(token, t, o)
		return err
	}
	for _, site := range []string{"https://a.be", "https://a.be:8443", "https://a", "https://sub-1.a_b.be", "https://xn--bcher-kva.example",
		"https://192.0.2.7", "https://192.0.2.7:1", "https://[2001:db8::1]", "https://[2001:db8::1]:65535", "https://localhost"} {
		if err := try(site, false); err != nil {
			t.Errorf("%s: %v", site, err)
		}
	}
	for _, site := range []string{"", "a.be", "https://", "https:a.be", "HTTPS://a.be", "https://A.be", "https://a.be/", "https://a.be/x", "https://a.be?x", "https://a.be#",
		"https://a.be:443", "https://a.be:", "https://a.be:0", "https://a.be:08443", "https://a.be:65536", "https://a.be:x", "https://u@a.be", "https://u:p@a.be",
		"https://bücher.example", "https://a..be", "https://a.be.", "https://-a.be", "https://a-.be", "https://a b.be", "https://*.be", "https://" + strings.Repeat("a", 64) + ".be",
		"https://192.0.2.07", "https://1.2.3", "https://0x7f.1", "https://[2001:DB8::1]", "https://[2001:db8:0::1]", "https://2001:db8::1", "https://[::ffff:192.0.2.7]", "https://[fe80::1%25eth0]",
		"https://[a.be]", "wss://a.be", "null", "http://a.be", "http://localhost", "http://localhost:8080", "ftp://localhost", " https://a.be", "https://a.be\n"} {
		if err := try(site, false); !errors.Is(err, weblogin.ErrOptions) {
			t.Errorf("%q: %v", site, err)
		}
	}
	for _, site := range []string{"http://localhost:8080", "http://localhost", "http://127.0.0.1:3000", "http://[::1]:3000", "https://a.be"} {
		if err := try(site, true); err != nil {
			t.Errorf("%s: %v", site, err)
		}
	}
	for _, site := range []string{"http://a.be", "http://localhost:80", "http://127.0.0.2", "http://localhost.evil.be"} {
		if err := try(site, true); !errors.Is(err, weblogin.ErrOptions) {
			t.Errorf("%q: %v", site, err)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	token := newToken(t, issue(t, p, pki.Request{Subject: eva}), "ES384")
	for name, change := range map[string]func(*weblogin.Options){
		"no revocation":  func(o *weblogin.Options) { o.Revocation = nil },
		"mode":           func(o *weblogin.Options) { o.Mode = 7 },
		"skew":           func(o *weblogin.Options) { o.ClockSkew = time.Hour },
		"negative skew":  func(o *weblogin.Options) { o.ClockSkew = -1 },
		"required":       func(o *weblogin.Options) { o.RequiredPolicies = []string{"2.16.56."} },
		"disallowed":     func(o *weblogin.Options) { o.DisallowedPolicies = []string{"citizen"} },
		"the zero value": func(o *weblogin.Options) { *o = weblogin.Options{} },
	} {
		o := options(p)
		change(&o)
		_, err := validate(token, t, o)
		if code, status := weblogin.Code(err); !errors.Is(err, weblogin.ErrOptions) || code != "MISCONFIGURED" || status != 500 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// custom makes a certificate of the citizen CA by hand.
func custom(t *testing.T, p *pki.PKI, change func(*x509.Certificate)) *pki.Issued {
	t.Helper()
	key := p.LeafKey(pki.Authentication, "custom")
	like := issue(t, p, pki.Request{Subject: eva, Key: key}).Certificate
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(7), RawSubject: like.RawSubject, NotBefore: like.NotBefore, NotAfter: like.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, Policies: like.Policies}
	change(tmpl)
	der, err := x509.CreateCertificate(rand.Reader, tmpl, p.CitizenCA.Certificate, key.Public(), p.CitizenCA.Key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pki.Issued{Certificate: c, Key: key, Issuer: p.CitizenCA}
}

func TestPurpose(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	for name, test := range map[string]struct {
		change func(*x509.Certificate)
		want   error
	}{
		"as cards have it": {func(*x509.Certificate) {}, nil},
		"clientAuth": {func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageClientAuth}
		}, nil},
		"no key usage":          {func(c *x509.Certificate) { c.KeyUsage = 0 }, weblogin.ErrPurpose},
		"signature certificate": {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment }, weblogin.ErrPurpose},
		"serverAuth":            {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, weblogin.ErrPurpose},
		"any":                   {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, weblogin.ErrPurpose},
		"an unknown one":        {func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{2, 999, 1}} }, weblogin.ErrPurpose},
		"CA":                    {func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }, weblogin.ErrPurpose},
		"unknown critical extension": {func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999, 1}, Critical: true, Value: []byte{5, 0}}}
		}, weblogin.ErrUntrusted},
	} {
		_, err := validate(newToken(t, custom(t, p, test.change), "ES384"), t, options(p))
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	card := issue(t, p, pki.Request{Subject: eva})
	none := custom(t, p, func(c *x509.Certificate) { c.Policies = nil })
	const policy = "2.999.56.13.6.2.1000"
	for name, test := range map[string]struct {
		card                 *pki.Issued
		required, disallowed []string
		want                 error
	}{
		"no rules, no policies":   {none, nil, nil, nil},
		"required":                {card, []string{"2.999.1", policy}, nil, nil},
		"another required":        {card, []string{"2.999.1", "2.999.56.13.6.1.1000"}, nil, weblogin.ErrPolicy},
		"required of one without": {none, []string{policy}, nil, weblogin.ErrPolicy},
		"disallowed":              {card, nil, []string{"2.999.1", policy}, weblogin.ErrPolicy},
		"another disallowed":      {card, nil, []string{"2.999.1"}, nil},
		"disallowed of none":      {none, nil, []string{policy}, nil},
		"both":                    {card, []string{policy}, []string{policy}, weblogin.ErrPolicy},
	} {
		o := options(p)
		o.RequiredPolicies, o.DisallowedPolicies = test.required, test.disallowed
		if _, err := validate(newToken(t, test.card, "ES384"), t, o); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	p, stranger := newPKI(t, pki.Options{}), newPKI(t, pki.Options{Seed: 7})
	token := newToken(t, issue(t, p, pki.Request{Subject: eva}), "ES384")
	fetched := 0
	for name, test := range map[string]struct {
		change func(*weblogin.Options)
		want   error
	}{
		"pinned roots only":    {func(o *weblogin.Options) { o.Anchors = nil }, weblogin.ErrUntrusted},
		"another PKI's root":   {func(o *weblogin.Options) { o.Anchors = options(stranger).Anchors }, weblogin.ErrUntrusted},
		"intermediate missing": {func(o *weblogin.Options) { o.Intermediates = nil }, weblogin.ErrUntrusted},
		"another intermediate": {func(o *weblogin.Options) { o.Intermediates = []*x509.Certificate{stranger.CitizenCA.Certificate} }, weblogin.ErrUntrusted},
		"intermediate an anchor": {func(o *weblogin.Options) {
			a := &verify.Anchors{}
			a.Add(p.CitizenCA.Certificate)
			o.Anchors, o.Intermediates = a, nil
		}, nil},
		"intermediate fetched": {func(o *weblogin.Options) {
			o.Intermediates = nil
			o.Issuers = func(context.Context, *x509.Certificate) []*x509.Certificate {
				fetched++
				return []*x509.Certificate{stranger.CitizenCA.Certificate, p.CitizenCA.Certificate}
			}
		}, nil},
		"before": {func(o *weblogin.Options) {
			o.Now = func() time.Time { return time.Date(2022, 12, 31, 23, 59, 0, 0, time.UTC) }
		}, weblogin.ErrExpired},
		"after": {func(o *weblogin.Options) {
			o.Now = func() time.Time { return time.Date(2033, 1, 1, 0, 1, 0, 0, time.UTC) }
		}, weblogin.ErrExpired},
		"before, but the clock": {func(o *weblogin.Options) {
			o.Now, o.ClockSkew = func() time.Time { return time.Date(2022, 12, 31, 23, 59, 0, 0, time.UTC) }, 2*time.Minute
		}, nil},
		"after, but the clock": {func(o *weblogin.Options) {
			o.Now, o.ClockSkew = func() time.Time { return time.Date(2033, 1, 1, 0, 1, 0, 0, time.UTC) }, 2*time.Minute
		}, nil},
		"long after": {func(o *weblogin.Options) {
			o.Now, o.ClockSkew = func() time.Time { return time.Date(2033, 1, 1, 0, 3, 0, 0, time.UTC) }, 2*time.Minute
		}, weblogin.ErrExpired},
	} {
		o := options(p)
		test.change(&o)
		if _, err := validate(token, t, o); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if fetched != 1 {
		t.Errorf("asked %d times for certificates", fetched)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := weblogin.Validate(ctx, token.json(t), nonce, options(p)); !errors.Is(err, context.Canceled) || errors.Is(err, weblogin.ErrLogin) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	token := newToken(t, issue(t, p, pki.Request{Subject: eva}), "ES384")
	down := errors.New("the service is down")
	for name, test := range map[string]struct {
		answer   answer
		mode     weblogin.RevocationMode
		want     error
		warnings int
	}{
		"good":                   {answer{status: weblogin.Good}, weblogin.RequireGood, nil, 0},
		"revoked":                {answer{status: weblogin.Revoked}, weblogin.RequireGood, weblogin.ErrRevoked, 0},
		"revoked, with an error": {answer{status: weblogin.Revoked, err: down}, weblogin.AllowUnknown, weblogin.ErrRevoked, 0},
		"unknown":                {answer{}, weblogin.RequireGood, weblogin.ErrRevocationUnknown, 0},
		"down":                   {answer{err: down}, weblogin.RequireGood, weblogin.ErrRevocationUnknown, 0},
		"good, with an error":    {answer{status: weblogin.Good, err: down}, weblogin.RequireGood, weblogin.ErrRevocationUnknown, 0},
		"no such status":         {answer{status: 9}, weblogin.RequireGood, weblogin.ErrRevocationUnknown, 0},
		"revoked though soft":    {answer{status: weblogin.Revoked}, weblogin.AllowUnknown, weblogin.ErrRevoked, 0},
		"down, soft":             {answer{err: down}, weblogin.AllowUnknown, nil, 1},
		"not asked":              {answer{status: weblogin.Revoked}, weblogin.SkipRevocation, nil, 0},
	} {
		o := options(p)
		o.Revocation, o.Mode = &test.answer, test.mode
		who, err := validate(token, t, o)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && len(who.Warnings) != test.warnings {
			t.Errorf("%s: warnings %q", name, who.Warnings)
		}
		if test.mode == weblogin.SkipRevocation && test.answer.asked > 0 {
			t.Errorf("%s: asked", name)
		}
		if errors.Is(test.answer.err, down) && err != nil && test.answer.status != weblogin.Revoked && !errors.Is(err, down) {
			t.Errorf("%s: the reason is lost: %v", name, err)
		}
	}
	o := options(p)
	o.Mode, o.Revocation = weblogin.SkipRevocation, nil
	if _, err := validate(token, t, o); err != nil {
		t.Errorf("no checker, not asked: %v", err)
	}
}

// TestFormat11: the mobile format brings signing certificates, which the
// signature does not cover.
func TestFormat11(t *testing.T) {
	t.Parallel()
	p, stranger := newPKI(t, pki.Options{}), newPKI(t, pki.Options{Seed: 7})
	sameName := func(c *x509.Certificate, p *pki.PKI, usage x509.KeyUsage, key crypto.Signer, from, until time.Time) []byte {
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(8), RawSubject: c.RawSubject, NotBefore: from, NotAfter: until, KeyUsage: usage}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, p.CitizenCA.Certificate, key.Public(), p.CitizenCA.Key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	card := issue(t, p, pki.Request{Subject: eva})
	key := p.LeafKey(pki.Signature, "eva")
	from, until := card.Certificate.NotBefore, card.Certificate.NotAfter
	good := sameName(card.Certificate, p, x509.KeyUsageContentCommitment, key, from, until)
	algorithms := []any{map[string]any{"cryptoAlgorithm": "ECC", "hashFunction": "SHA-384", "paddingScheme": "NONE"}}
	item := func(der []byte, algorithms any) map[string]any {
		return map[string]any{"certificate": b64(der), "supportedSignatureAlgorithms": algorithms}
	}
	token := newToken(t, card, "ES384").with("format", "web-eid:1.1")
	with := func(list ...any) fields { return token.with("unverifiedSigningCertificates", list) }

	who, err := validate(with(item(good, algorithms)), t, options(p))
	if err != nil {
		t.Fatal(err)
	}
	if who.Format != "web-eid:1.1" || len(who.SigningCertificates) != 1 || !bytes.Equal(who.SigningCertificates[0].Certificate.Raw, good) ||
		who.SigningCertificates[0].Algorithms[0] != (weblogin.SignatureAlgorithm{CryptoAlgorithm: "ECC", HashFunction: "SHA-384", PaddingScheme: "NONE"}) {
		t.Errorf("%+v", who)
	}
	o := options(p)
	o.OnlyV10 = true
	if _, err := validate(with(item(good, algorithms)), t, o); !errors.Is(err, weblogin.ErrFormat) {
		t.Errorf("only 1.0: %v", err)
	}
	change := func(name, value string) []any {
		a := map[string]any{"cryptoAlgorithm": "ECC", "hashFunction": "SHA-384", "paddingScheme": "NONE"}
		a[name] = value
		return []any{a}
	}
	other := issue(t, p, pki.Request{Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Ander"}, Kind: pki.Signature})
	many := func(n int) (list []any) {
		for range n {
			list = append(list, item([]byte{0x30, 0}, algorithms))
		}
		return list
	}
	for name, test := range map[string]struct {
		token fields
		want  error
	}{
		"no list":            {token, weblogin.ErrToken},
		"empty list":         {with(), weblogin.ErrToken},
		"no list but object": {token.with("unverifiedSigningCertificates", item(good, algorithms)), weblogin.ErrToken},
		"too many":           {with(many(6)...), weblogin.ErrToken},
		"strings":            {with(b64(good)), weblogin.ErrToken},
		"no certificate":     {with(map[string]any{"supportedSignatureAlgorithms": algorithms}), weblogin.ErrToken},
		"broken certificate": {with(item(good[1:], algorithms)), weblogin.ErrCertificate},
		"no algorithms":      {with(item(good, nil)), weblogin.ErrToken},
		"empty algorithms":   {with(item(good, []any{})), weblogin.ErrToken},
		"algorithm strings":  {with(item(good, []any{"ES384"})), weblogin.ErrToken},
		"crypto algorithm":   {with(item(good, change("cryptoAlgorithm", "EC"))), weblogin.ErrToken},
		"hash function":      {with(item(good, change("hashFunction", "SHA-1"))), weblogin.ErrToken},
		"padding":            {with(item(good, change("paddingScheme", ""))), weblogin.ErrToken},
		"other person":       {with(item(good, algorithms), item(other.Certificate.Raw, algorithms)), weblogin.ErrSigningCertificate},
		"other issuer":       {with(item(sameName(card.Certificate, stranger, x509.KeyUsageContentCommitment, key, from, until), algorithms)), weblogin.ErrSigningCertificate},
		"for logging in":     {with(item(card.Certificate.Raw, algorithms)), weblogin.ErrSigningCertificate},
		"expired":            {with(item(sameName(card.Certificate, p, x509.KeyUsageContentCommitment, key, from, now.Add(-time.Hour)), algorithms)), weblogin.ErrSigningCertificate},
	} {
		if _, err := validate(test.token, t, options(p)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, status := weblogin.Code(errors.Join(weblogin.ErrSigningCertificate)); status != 403 {
		t.Errorf("status %d", status)
	}
}

var allErrors = []error{weblogin.ErrToken, weblogin.ErrFormat, weblogin.ErrCertificate, weblogin.ErrAlgorithm, weblogin.ErrNonce, weblogin.ErrSignature,
	weblogin.ErrPurpose, weblogin.ErrPolicy, weblogin.ErrExpired, weblogin.ErrUntrusted, weblogin.ErrRevoked, weblogin.ErrRevocationUnknown,
	weblogin.ErrSigningCertificate, weblogin.ErrOptions}

func TestCode(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, err := range allErrors {
		code, status := weblogin.Code(err)
		if seen[code] || code == "" || status < 400 || status > 599 || !errors.Is(err, weblogin.ErrLogin) {
			t.Errorf("%v: %s %d", err, code, status)
		}
		seen[code] = true
	}
	if code, status := weblogin.Code(errors.New("disk")); code != "INTERNAL" || status != 500 {
		t.Errorf("%s %d", code, status)
	}
	if code, status := weblogin.Code(nil); code != "" || status != 200 {
		t.Errorf("%q %d", code, status)
	}
}

// TestDocs: docs/weblogin.md has every code with its status.
func TestDocs(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "weblogin.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range allErrors {
		code, status := weblogin.Code(err)
		if row := fmt.Sprintf("| `%s` | %d |", code, status); !strings.Contains(string(doc), row) {
			t.Errorf("no row %s", row)
		}
	}
}
