//go:build cgo

package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"

	p11 "github.com/miekg/pkcs11"
)

// openOpenSC is OpenSC's module over pcscd, with card files cached in a folder of the test's own.
func openOpenSC(t *testing.T) (*hsm, *pcscdtest.Daemon) {
	t.Helper()
	h := &hsm{}
	var err error
	if h.module, err = FindModule(URI{ModuleName: "opensc-pkcs11"}); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: apt-get install opensc-pkcs11", err)
		}
		t.Skipf("%v: apt-get install opensc-pkcs11", err)
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return h, pcscdtest.Start(t)
}

// The authentication key of an eID signs through OpenSC. Its signature key does not: OpenSC's driver for Belgian cards asks no PIN
// for it by itself, and without a reader with keys it ends with "No GUI for NonRep key present, signature cancelled". OpenSC 0.23
// knows no ECDSA for these cards.
func TestOpenSC(t *testing.T) {
	h, d := openOpenSC(t)
	message := []byte("Aanmelding")
	for _, profile := range openSCProfiles {
		t.Run(profile, func(t *testing.T) {
			c, err := testcards.Open(profile, testcards.Options{Seed: 23})
			if err != nil {
				t.Fatal(err)
			}
			link := d.Insert(t, 0, c)
			defer func() { d.Remove(t, 0, link) }()
			a := &asker{pins: []string{testcards.PIN}}
			w := &meter{}
			m := openMetered(t, h, Options{PIN: a.pin}, w)
			defer m.Close()
			keys, err := m.Keys(context.Background(), URI{Manufacturer: new("(unknown)"), Model: new("PKCS#15")})
			// OpenSC takes the certificates of a 1.7 card for private: it shows them after a login only.
			asked := map[string]int{"citizen-1.7": 1, "citizen-1.8": 0}[profile]
			if err != nil || len(keys) != 2 || a.count() != asked {
				t.Fatalf("%d keys, %d questions, %v", len(keys), a.count(), err)
			}
			for _, k := range keys {
				if len(k.Chain()) != 2 || k.Token().Label != "BELPIC (Basic PIN)" {
					t.Errorf("%s: %d certificates above", k.Description(), len(k.Chain()))
				}
			}
			authentication, signature := keys[0], keys[1]
			if authentication.label != "Authentication" {
				authentication, signature = keys[1], keys[0]
			}
			if _, ec := authentication.Public().(*ecdsa.PublicKey); ec {
				if _, ok, _ := authentication.pool.mechanism(p11.CKM_ECDSA); !ok {
					for _, k := range keys {
						if _, err := k.Sign(nil, digest(crypto.SHA384, message), crypto.SHA384); !errors.Is(err, ErrMechanism) || w.count() != 0 {
							t.Errorf("%s: %v, %d calls of C_Login", k.Description(), err, w.count())
						}
					}
					return
				}
			}
			hash := map[string]crypto.Hash{"citizen-1.7": crypto.SHA256, "citizen-1.8": crypto.SHA384}[profile]
			for range 2 {
				sig, err := authentication.Sign(nil, digest(hash, message), hash)
				if err == nil {
					err = verify(authentication, message, hash, sig)
				}
				if err != nil {
					t.Error(err)
				}
			}
			if w.count() != 1 {
				t.Errorf("%d calls of C_Login", w.count())
			}
			w.logins = nil
			sig, err := signature.Sign(nil, digest(hash, message), hash)
			if err == nil { // an OpenSC that does
				err = verify(signature, message, hash, sig)
			} else if is(err, p11.CKR_FUNCTION_NOT_SUPPORTED) {
				err = nil
			}
			if err != nil || fmt.Sprint(w.logins) != fmt.Sprint([]uint{p11.CKU_CONTEXT_SPECIFIC}) || c.PINTries() != 3 {
				t.Errorf("signature key: %v, C_Login as %v, %d tries left", err, w.logins, c.PINTries())
			}
			if last := a.asked[len(a.asked)-1]; !last.EachTime || last.Certificate != signature.Certificate() {
				t.Errorf("asked with %+v", last)
			}
		})
	}
}

// A wrong PIN costs the card one try. A card that is taken out and put back signs again, with the PIN asked again; another card in its
// place does not.
func TestOpenSCRemoval(t *testing.T) {
	h, d := openOpenSC(t)
	open := func(seed uint64) *testcards.Card {
		c, err := testcards.Open("citizen-1.7", testcards.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := open(24)
	link := d.Insert(t, 0, c)
	a := &asker{pins: []string{"9999", testcards.PIN}}
	m := h.open(t, Options{PIN: a.pin})
	if _, err := m.key(context.Background(), URI{ID: []byte{2}}); !errors.Is(err, ErrPINWrong) || c.PINTries() != 2 || a.count() != 1 {
		t.Fatalf("%v, %d tries left, %d questions", err, c.PINTries(), a.count())
	}
	k, err := m.key(context.Background(), URI{ID: []byte{2}})
	if err != nil || c.PINTries() != 3 {
		t.Fatalf("%v, %d tries left", err, c.PINTries())
	}
	sign := func() error {
		_, err := k.Sign(nil, someDigest, crypto.SHA256)
		return err
	}
	if err := sign(); err != nil || a.count() != 2 {
		t.Fatalf("%v, %d questions", err, a.count())
	}
	d.Remove(t, 0, link)
	if err := sign(); !errors.Is(err, ErrRemoved) {
		t.Fatalf("without the card: %v", err)
	}
	other := open(25)
	link = d.Insert(t, 0, other)
	if err := sign(); !errors.Is(err, ErrRemoved) || a.count() != 2 {
		t.Fatalf("with another card: %v, %d questions", err, a.count())
	}
	d.Remove(t, 0, link)
	link = d.Insert(t, 0, c)
	if err := sign(); err != nil || a.count() != 3 {
		t.Fatalf("put back: %v, %d questions", err, a.count())
	}
	d.Remove(t, 0, link)
}
