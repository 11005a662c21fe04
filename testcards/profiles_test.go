package testcards

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/eidkit/eidkit/testcards/pki"
)

// allFiles of a card, by identifier.
func allFiles(c *Card) map[uint16][]byte {
	files := map[uint16][]byte{}
	for _, d := range append([]*directory{c.mf}, c.mf.dirs...) {
		for _, f := range d.files {
			files[f.id] = f.data
		}
	}
	return files
}

func sameFiles(a, b *Card) bool { return maps.EqualFunc(allFiles(a), allFiles(b), bytes.Equal) }

// The names are part of the interface: other programs' tests use them.
func TestProfileNames(t *testing.T) {
	names := "citizen-1.1 citizen-1.7 citizen-1.8 citizen-1.8-nofiller kid-1.8 kid-1.7 foreigner-1.7 foreigner-1.8 no-signature-1.8 " +
		"no-signature-1.7 no-certificates-1.8 rekeyed-1.7 expired-1.8 revoked-1.8 one-try-left-1.8 one-try-left-1.7 blocked-1.8 blocked-1.7 " +
		"long-names-1.8 year-only-1.8 future-1.9"
	var have []string
	for _, p := range Profiles() {
		have = append(have, p.Name)
		if p.Description == "" || strings.Contains(p.Description, "\n") || !strings.Contains(p.Name, p.Applet) {
			t.Errorf("%+v", p)
		}
	}
	if strings.Join(have, " ") != names {
		t.Errorf("profiles %v", have)
	}
	for want, p := range map[string]Profile{"citizen-1.1": Citizen11, "citizen-1.7": Citizen17, "citizen-1.8": Citizen18, "kid-1.8": Kid18, "foreigner-1.8": Foreigner18} {
		if p.Name != want {
			t.Errorf("%s is called %s", want, p.Name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	other, err := pki.New(pki.Options{Algorithm: pki.RSA})
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"citizen-2.0":      {},
		"":                 {},
		"citizen-1.8:6":    {},
		"kid-1.8:":         {},
		"foreigner-1.8:99": {},
		"citizen-1.8":      {PKI: other},
		"citizen-1.7":      {Mutation: "no such fault"},
	} {
		if c, err := Open(name, o); err == nil || c != nil {
			t.Errorf("%q: no error", name)
		}
	}
}

// Every profile and document type makes a card; same seed, same card; other seed, other serial, person and photo.
func TestSeeds(t *testing.T) {
	serials := map[string]string{}
	for _, p := range Profiles() {
		a, b, other := open(t, p.Name, Options{Seed: 5}), open(t, p.Name, Options{Seed: 5}), open(t, p.Name, Options{Seed: 6})
		if !bytes.Equal(a.data, b.data) || !sameFiles(a, b) {
			t.Errorf("%s: the same seed gave two cards", p.Name)
		}
		if bytes.Equal(a.Serial(), other.Serial()) || bytes.Equal(a.File(0x4035), other.File(0x4035)) {
			t.Errorf("%s: two seeds gave the same serial or photo", p.Name)
		}
		for _, c := range []*Card{a, other} {
			if before := serials[string(c.Serial())]; before != "" {
				t.Errorf("%s and %s have one serial", p.Name, before)
			}
			serials[string(c.Serial())] = p.Name
		}
	}
	plain, bare := open(t, "citizen-1.8", Options{}), open(t, "citizen-1.8", Options{NoFiller: true})
	if bytes.Equal(plain.Serial(), bare.Serial()) {
		t.Error("cards with different files have one serial")
	}
	if !bytes.Equal(tlvValue(plain.File(0x4031), 7), tlvValue(bare.File(0x4031), 7)) {
		t.Error("without filler the card has another person")
	}
}

func TestDocumentTypes(t *testing.T) {
	for _, p := range []Profile{Citizen17, Citizen18, Kid18, Foreigner18} {
		for _, code := range p.DocumentTypes {
			c := open(t, p.Name+":"+code, Options{})
			id := c.File(0x4031)
			if got := string(tlvValue(id, 0x0F)); got != code {
				t.Errorf("%s:%s has document type %s", p.Name, code, got)
			}
			belgian := code == "1" || code == "6" || code == "7" || code == "8"
			issuer := certificate(t, c, 0x503A).Subject.CommonName
			if belgian == strings.Contains(issuer, "Foreigner") || belgian == (id[2] == 'B') {
				t.Errorf("%s:%s: issuer %s, card number %s", p.Name, code, issuer, tlvValue(id, 1))
			}
			if start := tlvValue(id, 0x1F); (start != nil) != slices.Contains([]string{"31", "32", "61", "62"}, code) {
				t.Errorf("%s:%s: start date %s", p.Name, code, start)
			}
		}
	}
}

var dayPattern = regexp.MustCompile(`^\d\d\.\d\d\.\d{4}$`)

// Numbers, dates and texts are what the sheet allows.
func TestIdentityTexts(t *testing.T) {
	most := map[byte]int{1: 12, 2: 16, 3: 10, 4: 10, 5: 47, 6: 11, 7: 90, 8: 75, 9: 3, 0x0A: 65, 0x0B: 60, 0x0C: 12, 0x0D: 1, 0x0E: 30,
		0x0F: 2, 0x10: 1, 0x11: 48, 0x12: 2, 0x13: 1, 0x14: 0, 0x15: 13, 0x16: 1, 0x17: 13, 0x18: 13, 0x19: 18, 0x1A: 48, 0x1B: 1, 0x1C: 1,
		0x1D: 1, 0x1E: 1, 0x1F: 10, 0x20: 300}
	for _, p := range Profiles() {
		for seed := range uint64(3) {
			c := open(t, p.Name, Options{Seed: seed})
			id := c.File(0x4031)
			last := byte(0)
			for at := 0; at < len(id); {
				total, head := nextTLV(id[at:])
				if total == 0 || id[at] <= last {
					t.Fatalf("%s: identity %X", p.Name, id)
				}
				last = id[at]
				value := id[at+head : at+total]
				if len(value) > most[last] {
					t.Errorf("%s: tag %02X has %d bytes, at most %d", p.Name, last, len(value), most[last])
				}
				if last != 2 && last != 0x11 && last != 0x1A && !utf8.Valid(value) {
					t.Errorf("%s: tag %02X is no UTF-8", p.Name, last)
				}
				at += total
			}
			text := func(tag byte) string { return string(tlvValue(id, tag)) }
			if !dayPattern.MatchString(text(3)) || !dayPattern.MatchString(text(4)) {
				t.Errorf("%s: valid from %s to %s", p.Name, text(3), text(4))
			}
			checkNumbers(t, p.Name, text(1), text(6), text(0x0C), text(0x0D))
			if !strings.Contains(text(7), "Specimen") {
				t.Errorf("%s: surname %s", p.Name, text(7))
			}
			street := string(tlvValue(c.File(0x4033), 1))
			if len(street) == 0 || len(street) > 60 || len(tlvValue(c.File(0x4033), 2)) != 4 || len(tlvValue(c.File(0x4033), 3)) > 47 {
				t.Errorf("%s: address %q", p.Name, c.File(0x4033))
			}
		}
	}
}

// checkNumbers does the sums of sheet 12 in another way than the code: on whole numbers.
func checkNumbers(t *testing.T, name, card, national, birth, sex string) {
	t.Helper()
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %q is no number", name, s)
		}
		return n
	}
	digits := strings.TrimPrefix(card, "B")
	want := number(digits[:len(digits)-2]) % 97
	if want == 0 {
		want = 97
	}
	if number(digits[len(digits)-2:]) != want || len(digits) != 12 && len(card) != 10 {
		t.Errorf("%s: card number %s", name, card)
	}
	nine := number(national[:9])
	year := birth[len(birth)-4:]
	if year >= "2000" {
		nine += 2_000_000_000
	}
	if len(national) != 11 || number(national[9:]) != 97-nine%97 || national[:2] != year[2:] {
		t.Errorf("%s: national number %s, born %s", name, national, birth)
	}
	if odd := number(national[6:9])%2 == 1; odd != (sex == "M") {
		t.Errorf("%s: national number %s, sex %s", name, national, sex)
	}
}

func TestCheckDigitOfZero(t *testing.T) {
	if got := checkDigits("0000000097"); got != "97" {
		t.Errorf("remainder 0 gives %s, want 97", got)
	}
}

// The longest names fill their fields to the byte and stay within the number of characters.
func TestLongNames(t *testing.T) {
	c := open(t, "long-names-1.8", Options{})
	id := c.File(0x4031)
	for tag, want := range map[byte][2]int{5: {47, 42}, 7: {90, 62}, 8: {75, 52}, 0x0A: {65, 50}, 0x0B: {60, 40}, 0x0E: {30, 21}} {
		value := tlvValue(id, tag)
		if len(value) != want[0] || utf8.RuneCount(value) > want[1] {
			t.Errorf("tag %02X: %d bytes, %d characters; want %d and at most %d: %s", tag, len(value), utf8.RuneCount(value), want[0], want[1], value)
		}
	}
	for _, letter := range "éèêëçàâäöüïîôûùÿñßœæ" {
		if !bytes.ContainsRune(id, letter) {
			t.Errorf("no %c on the card", letter)
		}
	}
	if address := c.File(0x4033); len(address) != 117 || address[116] == 0 {
		t.Errorf("the address does not fill its file: %q", address)
	}
	if len(id) <= 512 {
		t.Errorf("identity of %d bytes", len(id))
	}
}

// Birth dates have the forms of sheet 3.3.
func TestBirthText(t *testing.T) {
	for _, test := range []struct {
		p    person
		want string
	}{
		{person{language: "nl", year: 1971, month: 3, day: 1}, "01 MAAR 1971"},
		{person{language: "nl", year: 1971, month: 10, day: 11}, "11 OKT 1971"},
		{person{language: "fr", year: 1999, month: 9, day: 28}, "28 SEPT 1999"},
		{person{language: "fr", year: 2001, month: 2, day: 2}, "02 FEV 2001"},
		{person{language: "de", year: 1960, month: 8, day: 9}, "09.AUG. 1960"},
		{person{language: "de", year: 1960, month: 3, day: 9}, "09.MÄR.1960"},
		{person{language: "fr", year: 1948}, "1948"},
	} {
		if got := test.p.birthText(); got != test.want {
			t.Errorf("%+v: %q, want %q", test.p, got, test.want)
		}
	}
}

// What makes each special profile special.
func TestSpecialProfiles(t *testing.T) {
	for name, tries := range map[string]int{"citizen-1.8": 3, "one-try-left-1.8": 1, "one-try-left-1.7": 1, "blocked-1.8": 0, "blocked-1.7": 0} {
		if got := open(t, name, Options{}).PINTries(); got != tries {
			t.Errorf("%s: %d tries", name, got)
		}
	}
	if cert := certificate(t, open(t, "expired-1.8", Options{}), 0x5038); cert.NotAfter.After(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("expired card valid until %v", cert.NotAfter)
	}
	for _, id := range []uint16{0x5038, 0x5039} {
		if !Revoked(certificate(t, open(t, "revoked-1.8", Options{}), id)) || Revoked(certificate(t, open(t, "citizen-1.8", Options{}), id)) {
			t.Errorf("%04X: revoked by mistake, or not", id)
		}
	}
	rekeyed := open(t, "rekeyed-1.7", Options{})
	if _, ok := certificate(t, rekeyed, 0x5038).PublicKey.(*rsa.PublicKey); !ok {
		t.Error("re-keyed card: no RSA key")
	}
	for _, id := range []uint16{0x503A, 0x503B, 0x503C} {
		if _, ok := certificate(t, rekeyed, id).PublicKey.(*ecdsa.PublicKey); !ok {
			t.Errorf("re-keyed card: %04X is no EC certificate", id)
		}
	}
	if got := string(tlvValue(open(t, "year-only-1.8", Options{}).File(0x4031), 0x0C)); len(got) != 4 {
		t.Errorf("born %q", got)
	}
	if c := open(t, "future-1.9", Options{}); c.data[21] != 0x19 {
		t.Errorf("applet byte %02X", c.data[21])
	}
}

// A PKI of one's own is used for everything.
func TestOwnPKI(t *testing.T) {
	own, err := pki.New(pki.Options{Algorithm: pki.EC, Seed: 9, BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	c, shared := open(t, "citizen-1.8", Options{PKI: own}), open(t, "citizen-1.8", Options{})
	if !bytes.Equal(c.Root().Raw, own.Root.Certificate.Raw) || c.PKI() != own || !bytes.Equal(certificate(t, c, 0x503B).Raw, c.Root().Raw) {
		t.Error("another root")
	}
	if bytes.Equal(c.Serial(), shared.Serial()) {
		t.Error("cards under two roots have one serial")
	}
	if shared.PKI() != open(t, "kid-1.8", Options{Seed: 3}).PKI() {
		t.Error("two cards of one applet have two PKIs")
	}
}

// No private key stands for two things on one card.
func TestKeysDiffer(t *testing.T) {
	for _, p := range Profiles() {
		c := open(t, p.Name, Options{})
		type comparable interface{ Equal(crypto.PublicKey) bool }
		refs := slices.Sorted(maps.Keys(c.keys))
		for i, a := range refs {
			for _, b := range refs[i+1:] {
				if c.keys[a].signer.Public().(comparable).Equal(c.keys[b].signer.Public()) {
					t.Errorf("%s: keys %02X and %02X are one", p.Name, a, b)
				}
			}
		}
	}
}
