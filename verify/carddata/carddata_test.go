package carddata_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

var challenge = bytes.Repeat([]byte{0x5A, 0xC3, 0x01}, 16)

func TestCards(t *testing.T) {
	tests := []struct {
		name string
		card testCard
		want string
		weak []string
	}{
		{"1.8", testCard{basicKey: true}, "hhhhhhh", nil},
		{"1.8 with filler", testCard{basicKey: true, fill: 7}, "hhhhhhh", nil},
		{"1.7", testCard{alg: pki.RSA, photo: crypto.SHA256}, "hhhhnnh", nil},
		{"1.7 with filler", testCard{alg: pki.RSA, photo: crypto.SHA1, fill: 20}, "hhhhnnh", []string{"photo hash: SHA-1"}},
		{"1.1", testCard{alg: pki.RSA1024, photo: crypto.SHA1}, "hhhhnnh", []string{
			"identity signature: SHA-1", "RRN key: RSA 1024", "address signature: SHA-1", "photo hash: SHA-1", "RRN certificate signature: SHA-1"}},
	}
	for _, tt := range tests {
		c := newTestCard(t, tt.card)
		o := carddata.Options{Anchors: c.anchors(), Time: year(2026)}
		if tt.card.basicKey {
			o.Challenge, o.Response = challenge, c.answer(t, "card", challenge)
		}
		r := carddata.Verify(c.files, o)
		if got := statuses(r); got != tt.want || !r.Trusted() || r.Failed() {
			t.Errorf("%s: %s, trusted %v: %+v", tt.name, got, r.Trusted(), r)
		}
		if !slices.Equal(r.Weak, tt.weak) || len(r.Notes) != 0 {
			t.Errorf("%s: weak %q, notes %q", tt.name, r.Weak, r.Notes)
		}
		for _, check := range r.Checks() {
			if (check.Check.Reason == "") != (check.Check.Status == carddata.Held) {
				t.Errorf("%s: %s: status %v, reason %q", tt.name, check.Name, check.Check.Status, check.Check.Reason)
			}
		}
		// Untrusted by default: no test root is pinned.
		o.Anchors = nil
		if r := carddata.Verify(c.files, o); r.Trusted() || r.Failed() || r.Chain.Status != carddata.Untrusted {
			t.Errorf("%s without anchors: %+v", tt.name, r)
		}
	}
}

func TestChanges(t *testing.T) {
	other := newTestCard(t, testCard{basicKey: true, seed: 1}).files
	tests := []struct {
		name    string
		change  func(*carddata.Files)
		want    string
		trusted bool
	}{
		{"nothing", func(f *carddata.Files) {}, "hhhhhhh", true},
		{"nothing read", func(f *carddata.Files) { *f = carddata.Files{} }, "nnnnnnn", false},
		{"no photo", func(f *carddata.Files) { f.Photo = nil }, "hhnhhhh", true},
		{"no address", func(f *carddata.Files) { f.Address, f.AddressSignature = nil, nil }, "hnhhhhh", true},
		{"no card data", func(f *carddata.Files) { f.CardData = nil }, "hhhnhhh", true},
		{"no address signature", func(f *carddata.Files) { f.AddressSignature = nil }, "hnhhhhh", false},
		{"no identity signature", func(f *carddata.Files) { f.IdentitySignature = nil }, "nnhhhhh", false},
		{"no identity", func(f *carddata.Files) { f.Identity = nil }, "nhnnnuh", false},
		{"no register certificate", func(f *carddata.Files) { f.RRN = nil }, "nnhhhhn", false},
		{"no root, but an anchor", func(f *carddata.Files) { f.Root, f.CA = nil, nil }, "hhhhhhh", true},
		{"broken root, but an anchor", func(f *carddata.Files) { f.Root = f.Root[:100] }, "hhhhhhh", true},
		{"empty address", func(f *carddata.Files) { f.Address, f.AddressSignature = make([]byte, 117), make([]byte, 104) }, "hnhhhhh", true},
		{"address emptied", func(f *carddata.Files) { f.Address = make([]byte, 117) }, "hfhhhhh", false},
		{"address of another card", func(f *carddata.Files) { f.Address, f.AddressSignature = other.Address, other.AddressSignature }, "hfhhhhh", false},
		{"photo of another", func(f *carddata.Files) { f.Photo = []byte("\xFF\xD8\xFFother") }, "hhfhhhh", false},
		{"another chip", func(f *carddata.Files) { f.CardData[15]++ }, "hhhfhhh", false},
		{"short card data", func(f *carddata.Files) { f.CardData = f.CardData[:15] }, "hhhfhhh", false},
		{"no basic key", func(f *carddata.Files) { f.BasicKey = nil }, "hhhhnnh", false},
		{"basic key of another", func(f *carddata.Files) { f.BasicKey = other.BasicKey }, "hhhhffh", false},
		{"basic key with filler", func(f *carddata.Files) { f.BasicKey = append(f.BasicKey, 0, 0) }, "hhhhhhh", true},
		{"basic key cut", func(f *carddata.Files) { f.BasicKey = f.BasicKey[:119] }, "hhhhffh", false},
		{"register of another", func(f *carddata.Files) { f.RRN = other.RRN }, "ffhhhhf", false},
		{"register certificate broken", func(f *carddata.Files) { f.RRN = f.RRN[:200] }, "nnhhhhf", false},
		{"register certificate with filler", func(f *carddata.Files) { f.RRN = append(slices.Clone(f.RRN), make([]byte, 1100)...) }, "hhhhhhh", true},
		{"register certificate zeroed", func(f *carddata.Files) { f.RRN = make([]byte, 2500) }, "nnhhhhf", false},
		{"all of another", func(f *carddata.Files) { *f = other }, "hhhhhfu", false},
		{"identity cut", func(f *carddata.Files) { f.Identity = f.Identity[:40] }, "fhfffuh", false},
		{"identity empty", func(f *carddata.Files) { f.Identity = []byte{} }, "fhfffuh", false},
		{"signature zeroed", func(f *carddata.Files) { f.IdentitySignature = make([]byte, 104) }, "ffhhhhh", false},
		{"signature cut", func(f *carddata.Files) { f.IdentitySignature = f.IdentitySignature[:20] }, "ffhhhhh", false},
		{"signature followed by data", func(f *carddata.Files) { f.AddressSignature = append(f.AddressSignature, 1) }, "hfhhhhh", false},
	}
	for _, tt := range tests {
		c := newTestCard(t, testCard{basicKey: true})
		o := carddata.Options{Anchors: c.anchors(), Time: year(2026), Challenge: challenge, Response: c.answer(t, "card", challenge)}
		tt.change(&c.files)
		r := carddata.Verify(c.files, o)
		if got := statuses(r); got != tt.want || r.Trusted() != tt.trusted || r.Failed() != strings.Contains(tt.want, "f") {
			t.Errorf("%s: %s, want %s, trusted %v: %+v", tt.name, got, tt.want, r.Trusted(), r)
		}
	}
}

func TestChipKey(t *testing.T) {
	c := newTestCard(t, testCard{basicKey: true})
	good := c.answer(t, "card", challenge)
	swapped := slices.Concat(good[48:], good[:48])
	tests := []struct {
		name                string
		challenge, response []byte
		want                carddata.Status
		trusted             bool
	}{
		{"not asked", nil, nil, carddata.NotChecked, true},
		{"good", challenge, good, carddata.Held, true},
		{"no answer", challenge, nil, carddata.NotChecked, false},
		{"no challenge", nil, good, carddata.NotChecked, false},
		{"other challenge", bytes.Repeat([]byte{1}, 48), good, carddata.Failed, false},
		{"other key", challenge, c.answer(t, "copy", challenge), carddata.Failed, false},
		{"r and s swapped", challenge, swapped, carddata.Failed, false},
		{"zero", challenge, make([]byte, 96), carddata.Failed, false},
		{"short", challenge, good[:95], carddata.Failed, false},
		{"long", challenge, append(slices.Clone(good), 0), carddata.Failed, false},
		{"short challenge", challenge[:32], c.answer(t, "card", challenge[:32]), carddata.Failed, false},
	}
	for _, tt := range tests {
		r := carddata.Verify(c.files, carddata.Options{Anchors: c.anchors(), Time: year(2026), Challenge: tt.challenge, Response: tt.response})
		if r.ChipKey.Status != tt.want || r.Trusted() != tt.trusted {
			t.Errorf("%s: %+v, trusted %v", tt.name, r.ChipKey, r.Trusted())
		}
	}
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 1
		if r := carddata.Verify(carddata.Files{BasicKey: c.files.BasicKey, Identity: c.files.Identity}, carddata.Options{Challenge: challenge, Response: bad}); r.ChipKey.Status != carddata.Failed {
			t.Fatalf("byte %d of the answer: %+v", i, r.ChipKey)
		}
	}
}

// A genuine old identity on a chip with a key of the forger's: the key is
// good, but nobody vouches for it.
func TestKeyWithoutHash(t *testing.T) {
	c := newTestCard(t, testCard{alg: pki.RSA, photo: crypto.SHA256})
	c.files.BasicKey = newTestCard(t, testCard{basicKey: true}).files.BasicKey
	answer := newTestCard(t, testCard{}).answer(t, "card", challenge)
	r := carddata.Verify(c.files, carddata.Options{Anchors: c.anchors(), Time: year(2026), Challenge: challenge, Response: answer})
	if r.BasicKey.Status != carddata.Failed || r.ChipKey.Status != carddata.Untrusted || r.Trusted() {
		t.Errorf("%+v", r)
	}
}

// A register with an RSA key under EC authorities: its certificate names
// SHA-384, its signatures are SHA-256 or SHA-1. Accepted, and told.
func TestHashNotNamed(t *testing.T) {
	p, err := pki.New(pki.Options{Algorithm: pki.EC})
	if err != nil {
		t.Fatal(err)
	}
	key := p.LeafKeyOf(pki.RSA, pki.Signature, "register")
	cert := certificate(t, p.Root, key.Public(), pkix.Name{CommonName: "TEST RRN"}, false)
	for hash, want := range map[crypto.Hash]string{
		crypto.SHA384: "", crypto.SHA256: "made with SHA-256", crypto.SHA1: "made with SHA-1", crypto.SHA512: "none",
	} {
		f := carddata.Files{Identity: identityFile([]byte("SLIN0123456789AB"), nil, nil), RRN: cert.Raw, Root: p.Root.Certificate.Raw}
		if f.IdentitySignature, err = key.Sign(nil, sum(hash, f.Identity), hash); err != nil {
			t.Fatal(err)
		}
		r := carddata.Verify(f, carddata.Options{Time: year(2026)})
		if (r.Identity.Status == carddata.Held) != (want != "none") {
			t.Errorf("%v: %+v", hash, r.Identity)
		}
		if notes := strings.Join(r.Notes, " "); want != "none" && !strings.Contains(notes, want) || want == "" && notes != "" {
			t.Errorf("%v: notes %q", hash, notes)
		}
		if weak := slices.Contains(r.Weak, "identity signature: SHA-1"); weak != (hash == crypto.SHA1) {
			t.Errorf("%v: weak %q", hash, r.Weak)
		}
	}
}

// certificate issues one that testcards/pki does not: any subject.
func certificate(t testing.TB, issuer *pki.Authority, pub crypto.PublicKey, subject pkix.Name, ca bool) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: subject,
		NotBefore: year(2024), NotAfter: year(2030),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: ca, MaxPathLen: -1,
	}
	if ca {
		tmpl.KeyUsage |= x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(nil, tmpl, issuer.Certificate, pub, issuer.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Who holds a certificate under the same root must not be able to sign
// identities with it.
func TestOnlyTheRegisterSigns(t *testing.T) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	holder, err := p.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{NationalNumber: "71715100070", Surname: "RRN"}})
	if err != nil {
		t.Fatal(err)
	}
	key := holder.Key
	name := func(cn string) pkix.Name { return pkix.Name{Country: []string{"BE"}, CommonName: cn} }
	tests := []struct {
		name   string
		cert   *x509.Certificate
		issuer *pki.Authority
		want   carddata.Status
	}{
		{"by the root", certificate(t, p.Root, key.Public(), name("Whatever"), false), nil, carddata.Held},
		{"by the government CA, called RRN", certificate(t, p.GovernmentCA, key.Public(), name("TEST RRN 3"), false), p.GovernmentCA, carddata.Held},
		{"by the government CA, called otherwise", certificate(t, p.GovernmentCA, key.Public(), name("www.RRN.example"), false), p.GovernmentCA, carddata.Failed},
		{"citizen", holder.Certificate, p.CitizenCA, carddata.Failed},
		{"person by the root", certificate(t, p.Root, key.Public(), pkix.Name{CommonName: "RRN", SerialNumber: "71715100070"}, false), nil, carddata.Failed},
		{"a CA", certificate(t, p.Root, key.Public(), name("RRN"), true), nil, carddata.Failed},
	}
	for _, tt := range tests {
		c := newTestCard(t, testCard{})
		c.files.RRN = tt.cert.Raw
		if tt.issuer != nil {
			c.files.CA = tt.issuer.Certificate.Raw
		}
		if c.files.IdentitySignature, err = key.Sign(nil, sum(crypto.SHA384, c.files.Identity), crypto.SHA384); err != nil {
			t.Fatal(err)
		}
		c.files.Address = nil
		r := carddata.Verify(c.files, carddata.Options{Anchors: c.anchors(), Time: year(2026)})
		if r.Identity.Status != carddata.Held || r.Chain.Status != tt.want || r.Trusted() != (tt.want == carddata.Held) {
			t.Errorf("%s: identity %v, chain %+v", tt.name, r.Identity.Status, r.Chain)
		}
		// The holder's own CA made an anchor by an administrator.
		if tt.issuer == p.CitizenCA {
			a := &verify.Anchors{}
			a.Add(p.CitizenCA.Certificate)
			if r := carddata.Verify(c.files, carddata.Options{Anchors: a, Time: year(2026)}); r.Chain.Status != carddata.Failed {
				t.Errorf("%s under its own CA: %+v", tt.name, r.Chain)
			}
		}
	}
}

func TestExpiredChain(t *testing.T) {
	c := newTestCard(t, testCard{})
	for _, at := range []time.Time{year(2019), year(2051)} {
		r := carddata.Verify(c.files, carddata.Options{Anchors: c.anchors(), Time: at})
		if r.Chain.Status != carddata.Untrusted || !strings.Contains(r.Chain.Reason, "not valid at that time") || r.Failed() {
			t.Errorf("%v: %+v", at, r.Chain)
		}
	}
}

func TestJSON(t *testing.T) {
	c := newTestCard(t, testCard{})
	b, err := json.Marshal(carddata.Verify(c.files, carddata.Options{Time: year(2026)}).Checks()[:3:3])
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"name":"identity","check":{"status":"held"}},{"name":"address","check":{"status":"held"}},{"name":"photo","check":{"status":"held"}}]`
	if string(b) != want {
		t.Errorf("%s", b)
	}
	var names []string
	for _, c := range (&carddata.Result{}).Checks() {
		names = append(names, c.Name)
		if c.Check.Status.String() != "notChecked" {
			t.Errorf("%s of an empty result: %v", c.Name, c.Check.Status)
		}
	}
	if got := strings.Join(names, " "); got != "identity address photo chipNumber basicKey chipKey chain" {
		t.Errorf("names: %s", got)
	}
	for s, want := range map[carddata.Status]string{carddata.Failed: "failed", carddata.Untrusted: "untrusted", 9: "Status(9)", -1: "Status(-1)"} {
		if s.String() != want {
			t.Errorf("%d: %s", int(s), s)
		}
	}
	if (&carddata.Result{}).Trusted() || (&carddata.Result{}).Failed() {
		t.Error("an empty result is neither trusted nor failed")
	}
}

func FuzzVerify(f *testing.F) {
	genuine := map[string]bool{}
	add := func(c *builtCard, response []byte) {
		x := c.files
		genuine[string(x.Identity)] = true
		f.Add(x.Identity, x.IdentitySignature, x.Address, x.AddressSignature, x.Photo, x.RRN, x.Root, x.BasicKey, x.CardData, response)
	}
	ec := newTestCard(f, testCard{basicKey: true})
	rsa := newTestCard(f, testCard{alg: pki.RSA, photo: crypto.SHA256, fill: 3})
	old := newTestCard(f, testCard{alg: pki.RSA1024, photo: crypto.SHA1})
	set := ec.anchors()
	set.Add(rsa.pki.Root.Certificate)
	set.Add(old.pki.Root.Certificate)
	add(ec, ec.answer(f, "card", challenge))
	add(rsa, nil)
	add(old, []byte{0})
	f.Add([]byte{1}, []byte{0x30, 0x84}, []byte{0}, []byte{0x30, 0x00}, []byte{}, []byte{0x30, 0x82, 0xFF, 0xFF}, []byte{0x30}, []byte{0x30, 0x01}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, identity, identitySignature, address, addressSignature, photo, rrn, root, basicKey, cardData, response []byte) {
		files := carddata.Files{
			Identity: identity, IdentitySignature: identitySignature, Address: address, AddressSignature: addressSignature,
			Photo: photo, RRN: rrn, Root: root, CA: root, BasicKey: basicKey, CardData: cardData,
		}
		r := carddata.Verify(files, carddata.Options{Anchors: set, Time: year(2026), Challenge: challenge, Response: response})
		if r.Trusted() && (r.Failed() || !genuine[string(identity)]) {
			t.Fatalf("trusted: %+v", r)
		}
		for _, c := range r.Checks() {
			if (c.Check.Reason == "") != (c.Check.Status == carddata.Held) {
				t.Fatalf("%s: %+v", c.Name, c.Check)
			}
		}
	})
}
