package beid_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/beidfile"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// simulate returns a simulated card and an open driver on it, with what went over the line counted.
func simulate(t *testing.T, profile string, o testcards.Options) (*testcards.Card, *beid.Card, *card.Trace) {
	t.Helper()
	sim, err := testcards.Open(profile, o)
	if err != nil {
		t.Fatal(err)
	}
	c, trace := openSim(t, sim)
	return sim, c, trace
}

// openSim opens a driver on a simulated card, until the test ends.
func openSim(t *testing.T, sim *testcards.Card) (*beid.Card, *card.Trace) {
	t.Helper()
	trace := &card.Trace{}
	c, err := beid.Open(context.Background(), trace.Reader(sim.Reader()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, trace
}

// anchors trusts the test PKI of a card.
func anchors(sim *testcards.Card) *verify.Anchors {
	a := &verify.Anchors{}
	a.Add(sim.Root())
	return a
}

// cardFiles are the identifiers on the card of the files that have one.
var cardFiles = map[beid.FileID]uint16{
	beid.FileIdentity: 0x4031, beid.FileIdentitySignature: 0x4032, beid.FileAddress: 0x4033, beid.FileAddressSignature: 0x4034,
	beid.FilePhoto: 0x4035, beid.FileAuthentication: 0x5038, beid.FileSignature: 0x5039, beid.FileCA: 0x503A, beid.FileRoot: 0x503B,
	beid.FileRRN: 0x503C, beid.FileBasicKey: 0x4040, beid.FileTokenInfo: 0x5032,
}

func isDER(id beid.FileID) bool {
	switch id {
	case beid.FileAuthentication, beid.FileSignature, beid.FileCA, beid.FileRoot, beid.FileRRN, beid.FileBasicKey, beid.FileTokenInfo:
		return true
	}
	return false
}

// field returns the bytes that Files holds for a file.
func field(f beid.Files, id beid.FileID) []byte {
	return map[beid.FileID][]byte{
		beid.FileIdentity: f.Identity, beid.FileIdentitySignature: f.IdentitySignature, beid.FileAddress: f.Address,
		beid.FileAddressSignature: f.AddressSignature, beid.FilePhoto: f.Photo, beid.FileAuthentication: f.Authentication,
		beid.FileSignature: f.Signature, beid.FileCA: f.CA, beid.FileRoot: f.Root, beid.FileRRN: f.RRN,
		beid.FileBasicKey: f.BasicKey, beid.FileTokenInfo: f.TokenInfo,
	}[id]
}

// TestReadAll reads every profile, compares each file with the card's own, and holds the reading plan to its budget: 1 + bytes / 256
// for each file, 1 for the card data, 2 for unknown lengths.
func TestReadAll(t *testing.T) {
	for _, p := range testcards.Profiles() {
		for _, noFiller := range []bool{false, true} {
			name := p.Name
			if noFiller {
				name += " without filler"
			}
			t.Run(name, func(t *testing.T) {
				sim, c, trace := simulate(t, p.Name, testcards.Options{NoFiller: noFiller})
				f, err := c.ReadAll(context.Background(), nil)
				if err != nil {
					t.Fatal(err)
				}
				budget := 1 + 2
				for id, ef := range cardFiles {
					want := sim.File(ef)
					if want == nil {
						continue
					}
					if isDER(id) {
						n, ok := beidfile.DERLength(want)
						if !ok {
							n = 0
							budget++ // one look shows that there is no certificate
						}
						want = want[:n]
					}
					if got := field(f, id); !bytes.Equal(got, want) {
						t.Errorf("%v: read %d bytes, card has %d", id, len(got), len(want))
					}
					budget += 1 + (len(want)+255)/256
				}
				if got := trace.Stats().Commands; got > budget {
					t.Errorf("%d commands, budget %d", got, budget)
				}
				checks := carddata.Verify(f, carddata.Options{Anchors: anchors(sim)})
				if !checks.Trusted() {
					t.Errorf("not trusted: %+v", checks)
				}
			})
		}
	}
}

func TestNothingIsReadTwice(t *testing.T) {
	_, c, trace := simulate(t, "citizen-1.8", testcards.Options{})
	ctx := context.Background()
	if _, err := c.ReadAll(ctx, nil); err != nil {
		t.Fatal(err)
	}
	before := trace.Stats().Commands
	if _, err := c.ReadAll(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Identity(ctx); err != nil {
		t.Fatal(err)
	}
	if got := trace.Stats().Commands; got != before {
		t.Errorf("%d commands to read again what was read", got-before)
	}
}

func TestIdentityComesFirst(t *testing.T) {
	_, c, trace := simulate(t, "citizen-1.7", testcards.Options{})
	id, err := c.Identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if id.Surname == "" || id.NationalNumber == "" {
		t.Errorf("identity without name or number: %+v", id)
	}
	if got := trace.Stats().Commands; got > 4 { // card data, SELECT, READ, READ with the right length
		t.Errorf("%d commands before the name is known, want 4 at most", got)
	}
}

// TestReadTails: a signature file longer than assumed makes the address check fail until its filler is read too.
func TestReadTails(t *testing.T) {
	sim, err := testcards.Open("citizen-1.8", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	long := append(sim.File(0x4032), make([]byte, 200)...)
	sim.SetFile(0x4032, long)
	resign(t, sim, long)
	c, _ := openSim(t, sim)
	f, err := c.ReadAll(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	o := carddata.Options{Anchors: anchors(sim)}
	if carddata.Verify(f, o).Address.Status != carddata.Failed {
		t.Fatal("the short read should not verify")
	}
	if found, err := c.ReadTails(context.Background()); err != nil || !found {
		t.Fatalf("ReadTails = %v, %v", found, err)
	}
	f, _ = c.Files(context.Background())
	if !bytes.Equal(f.IdentitySignature, long) {
		t.Errorf("signature file of %d bytes, card has %d", len(f.IdentitySignature), len(long))
	}
	if r := carddata.Verify(f, o); !r.Trusted() {
		t.Errorf("not trusted after reading on: %+v", r)
	}
	if found, err := c.ReadTails(context.Background()); err != nil || found {
		t.Errorf("second ReadTails = %v, %v", found, err)
	}
}

// resign makes the address signature of a card fit what is on it, with this identity signature.
func resign(t *testing.T, sim *testcards.Card, identitySignature []byte) {
	t.Helper()
	sig, err := sim.PKI().SignFile(beidfile.SignedAddress(sim.File(0x4033), identitySignature))
	if err != nil {
		t.Fatal(err)
	}
	file := make([]byte, len(sim.File(0x4034)))
	copy(file, sig)
	sim.SetFile(0x4034, file)
}

func TestOtherCards(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         error
	}{
		{"bank card", "atr 3B6E000000318071A82E03F40000000083\n> 00A4040C0FA00000003029057000AD13100101FF\n< 6A82\n> 00A404000FA00000003029057000AD13100101FF\n< 6A82\n", beid.ErrNotEID},
		{"card data too short", "atr 3B9813400AA503010101AD1311\n> 80E400001C\n< 0102039000\n", beid.ErrNotEID},
	} {
		t.Run(test.name, func(t *testing.T) {
			script, err := card.ParseScript(strings.NewReader(test.script))
			if err != nil {
				t.Fatal(err)
			}
			_, err = beid.Open(context.Background(), script)
			if !errors.Is(err, test.want) {
				t.Errorf("Open = %v, want %v", err, test.want)
			}
		})
	}
}

func TestUnknownATRIsSelected(t *testing.T) {
	// The same applet behind another answer to reset: found by SELECT, then read.
	script, err := card.ParseScript(strings.NewReader("atr 3B6E000000318071A82E03F40000000083\n> 00A4040C0FA00000003029057000AD13100101FF\n< 9000\n" +
		"> 80E400001C\n< 534C494E0102030405060708090A0B0CA5030101011800010000020F9000\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := beid.Open(context.Background(), script)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if v := c.CardData().AppletVersion; v != 0x18 {
		t.Errorf("applet %X", v)
	}
}

func TestNewerAppletIsReadWithWarning(t *testing.T) {
	_, c, _ := simulate(t, "future-1.9", testcards.Options{})
	if _, err := c.ReadAll(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings()) == 0 {
		t.Error("no warning about an applet nobody knows")
	}
}

// TestLongAddress: an address that fills more than the 117 bytes of issued cards is read to its end.
func TestLongAddress(t *testing.T) {
	sim, err := testcards.Open("citizen-1.8", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	street, town := strings.Repeat("S", 60), strings.Repeat("T", 90)
	address := append(append([]byte{1, 60}, street...), append([]byte("\x02\x049000\x03\x5A"), town...)...)
	sim.SetFile(0x4033, address)
	resign(t, sim, sim.File(0x4032))
	c, _ := openSim(t, sim)
	f, err := c.ReadAll(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := c.Address(context.Background()); err != nil || a.Municipality != town {
		t.Errorf("%+v, %v", a, err)
	}
	if r := carddata.Verify(f, carddata.Options{Anchors: anchors(sim)}); !r.Trusted() {
		t.Errorf("not trusted: %+v", r)
	}
}

// TestDamagedCertificates: what is no certificate is handed on as it is, for who checks it to judge; the rest is read.
func TestDamagedCertificates(t *testing.T) {
	for _, content := range [][]byte{{0x31, 0x03, 1, 2, 3}, {0x30, 0x82, 0xFF, 0xFF, 1}, {0x30, 0x82}, {0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}, {}} {
		sim, err := testcards.Open("citizen-1.8", testcards.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sim.SetFile(0x5039, content)
		c, _ := openSim(t, sim)
		f, err := c.ReadAll(context.Background(), nil)
		if err != nil || !bytes.Equal(f.Signature, content) || len(f.TokenInfo) == 0 {
			t.Errorf("%X: read %X, %v", content, f.Signature, err)
		}
		if _, err := c.SigningKey(context.Background(), typed(t, testcards.PIN, nil)); err == nil {
			t.Errorf("%X: a key with this certificate", content)
		}
	}
}
