package carddata_test

import (
	"bytes"
	"crypto"
	"crypto/x509/pkix"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
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
		{"register certificate followed by data", func(f *carddata.Files) { f.RRN = append(slices.Clone(f.RRN), 0, 1) }, "nnhhhhf", false},
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

// What is there without its proof is unproven and never trusted; what nobody
// asked for is neither.
func TestUnproven(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*carddata.Files, *carddata.Options)
		want    string // names of the unproven checks
		reason  string // of the last of them, a part
		trusted bool
	}{
		{"whole card, no challenge", func(*carddata.Files, *carddata.Options) {}, "", "", true},
		{"no photo, card data or address", func(f *carddata.Files, _ *carddata.Options) {
			f.Photo, f.CardData, f.Address, f.AddressSignature = nil, nil, nil, nil
		}, "", "", true},
		{"no card key", func(f *carddata.Files, _ *carddata.Options) { f.BasicKey = nil }, "basicKey", "names a card key", false},
		{"empty card key", func(f *carddata.Files, _ *carddata.Options) { f.BasicKey = []byte{} }, "basicKey", "names a card key", false},
		{"no identity signature", func(f *carddata.Files, _ *carddata.Options) { f.IdentitySignature = nil }, "identity address", "of the identity file", false},
		{"no address signature", func(f *carddata.Files, _ *carddata.Options) { f.AddressSignature = nil }, "address", "of the address file", false},
		{"no register certificate", func(f *carddata.Files, _ *carddata.Options) { f.RRN = nil }, "identity address chain", "of the national register", false},
		{"photo alone", func(f *carddata.Files, _ *carddata.Options) { *f = carddata.Files{Photo: f.Photo} }, "photo", "identity file", false},
		{"nothing", func(f *carddata.Files, _ *carddata.Options) { *f = carddata.Files{} }, "", "", false},
		{"no answer", func(_ *carddata.Files, o *carddata.Options) { o.Challenge = challenge }, "chipKey", "was not challenged, or did not answer", false},
		{"no challenge", func(_ *carddata.Files, o *carddata.Options) { o.Response = make([]byte, 96) }, "chipKey", "challenge that the chip answered", false},
		{"answer without card key", func(f *carddata.Files, o *carddata.Options) {
			f.BasicKey, o.Challenge, o.Response = []byte{}, challenge, make([]byte, 96)
		}, "basicKey chipKey", "public key was not given", false},
	}
	for _, tt := range tests {
		c := newTestCard(t, testCard{basicKey: true})
		o := carddata.Options{Anchors: c.anchors(), Time: year(2026)}
		tt.change(&c.files, &o)
		r := carddata.Verify(c.files, o)
		var names []string
		reason := ""
		for _, check := range r.Checks() {
			if check.Check.Unproven() {
				names, reason = append(names, check.Name), check.Check.Reason
			}
		}
		if got := strings.Join(names, " "); got != tt.want || !strings.Contains(reason, tt.reason) || r.Trusted() != tt.trusted || r.Failed() {
			t.Errorf("%s: unproven %q (%s), trusted %v: %+v", tt.name, got, reason, r.Trusted(), r)
		}
	}
	// A card whose identity names no key has none to miss.
	c := newTestCard(t, testCard{})
	c.files.BasicKey = []byte{}
	if r := carddata.Verify(c.files, carddata.Options{Anchors: c.anchors(), Time: year(2026)}); !r.Trusted() || r.BasicKey.Unproven() {
		t.Errorf("1.7: %+v", r.BasicKey)
	}
	if (carddata.Check{}).Unproven() || (carddata.Check{Status: carddata.Held}).Unproven() {
		t.Error("an empty check is not unproven")
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
