//go:build cgo

package pkcs11

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	p11 "github.com/miekg/pkcs11"
)

// strict is a token with a key that wants the PIN each time.
func strict(t *testing.T) *hsm {
	t.Helper()
	h := newHSM(t)
	h.token(t, "Kluis")
	h.put(t, "Kluis", "07", "telkens", persons()["p256"], "--always-auth")
	return h
}

// pinFile is a pin-source with that in it.
func pinFile(t *testing.T, pin string) (source, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pin")
	write(t, path, pin)
	return "file://" + path, path
}

func refusals(t *testing.T, n int, k *Key) {
	t.Helper()
	for range n {
		if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrPINWrong) {
			t.Fatal(err)
		}
	}
}

// A server that opens the key anew for each request has no more tries than one that keeps it open.
func TestWrongPINInFileReopened(t *testing.T) {
	h := full(t)
	source, path := pinFile(t, "verkeerd")
	w := &meter{tries: 3}
	if err := openMetered(t, h, Options{}, w).Close(); err != nil {
		t.Fatal(err)
	}
	uri := URI{Token: new("Kluis"), ID: []byte{1}, ModulePath: h.module, PINSource: source}
	request := func() error {
		k, err := OpenKey(context.Background(), uri, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		_, err = k.Sign(nil, someDigest, crypto.SHA256)
		return err
	}
	for range 4 {
		if err := request(); !errors.Is(err, ErrPINWrong) {
			t.Fatal(err)
		}
	}
	if w.count() != 1 {
		t.Fatalf("%d calls of C_Login", w.count())
	}
	write(t, path, rightPIN)
	if err := request(); err != nil || w.count() != 2 {
		t.Errorf("with the file mended: %v, %d calls", err, w.count())
	}
}

// gate holds the first signature that is begun until another is begun, too, or for a while.
type gate struct {
	*meter
	mu    sync.Mutex
	begun int
	two   chan struct{}
}

func (g *gate) signInit(s uint, m mechanism, key uint) error {
	g.mu.Lock()
	if g.begun++; g.begun == 2 {
		close(g.two)
	}
	first := g.begun == 1
	g.mu.Unlock()
	if first {
		select {
		case <-g.two:
		case <-time.After(100 * time.Millisecond):
		}
	}
	return g.cryptoki.signInit(s, m, key)
}

// Several signers at once spend one try together on the wrong PIN of a file.
func TestWrongPINInFileManySigners(t *testing.T) {
	h := strict(t)
	source, _ := pinFile(t, "verkeerd")
	a := &asker{pins: []string{rightPIN}}
	w := &meter{tries: 3}
	g := &gate{meter: w, begun: 10, two: make(chan struct{})}
	m := h.open(t, Options{PIN: a.pin}, func(c cryptoki) cryptoki { w.cryptoki = c; return g })
	key := func(source string) *Key {
		k, err := m.key(context.Background(), URI{ID: []byte{7}, PINSource: source})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if _, err := key("").Sign(nil, someDigest, crypto.SHA256); err != nil { // logged in from now on
		t.Fatal(err)
	}
	k, before := key(source), w.count()
	g.begun = 0
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrPINWrong) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.count() - before; n != 1 {
		t.Errorf("%d calls of C_Login with one wrong PIN", n)
	}
}

// What a person types does not make the PIN of a file right that was wrong.
func TestWrongPINInFileAndTyped(t *testing.T) {
	h := full(t)
	source, _ := pinFile(t, "verkeerd")
	a := &asker{pins: []string{"vergist", rightPIN}}
	w := &meter{}
	m := openMetered(t, h, Options{PIN: a.pin}, w)
	typed, err := m.key(context.Background(), URI{ID: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	filed, err := m.key(context.Background(), URI{ID: []byte{1}, PINSource: source})
	if err != nil {
		t.Fatal(err)
	}
	refusals(t, 1, filed)
	refusals(t, 1, typed)
	refusals(t, 2, filed)
	if w.count() != 2 {
		t.Errorf("%d calls of C_Login", w.count())
	}
	if _, err := typed.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Error(err)
	}
}

// apart is a token whose PIN for signatures is not the user's.
type apart struct {
	*meter
	pin string
}

func (p *apart) login(session, user uint, given []byte) error {
	if user == p11.CKU_CONTEXT_SPECIFIC {
		switch string(given) {
		case rightPIN:
			given = []byte("verkeerd")
		case p.pin:
			given = []byte(rightPIN)
		}
	}
	return p.meter.login(session, user, given)
}

// The user's PIN is presented for a signature once; when it is refused, the other is asked for.
func TestPINForSignatures(t *testing.T) {
	h := strict(t)
	const other = "handteken-7"
	for _, fromFile := range []bool{false, true} {
		t.Run(fmt.Sprintf("file %t", fromFile), func(t *testing.T) {
			h.forget()
			a := &asker{pins: []string{rightPIN, rightPIN, other, other}}
			w := &meter{}
			uri := URI{ID: []byte{7}}
			if fromFile {
				uri.PINSource, _ = pinFile(t, rightPIN)
			}
			m := h.open(t, Options{PIN: a.pin, Sessions: 1}, func(c cryptoki) cryptoki { w.cryptoki = c; return &apart{w, other} })
			k, err := m.key(context.Background(), uri)
			if err != nil {
				t.Fatal(err)
			}
			forSignatures := func() (n int) {
				for _, user := range w.logins {
					if user == p11.CKU_CONTEXT_SPECIFIC {
						n++
					}
				}
				return n
			}
			refusals(t, 1, k)
			if fromFile {
				refusals(t, 3, k)
				if n := forSignatures(); n != 1 {
					t.Errorf("the PIN of the file was tried %d times for a signature", n)
				}
				return
			}
			for range 2 {
				if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
					t.Fatal(err)
				}
			}
			if n := forSignatures(); n != 3 || a.count() != 4 || !a.asked[2].EachTime || a.asked[1].Wrong {
				t.Errorf("%d PINs for signatures, asked %+v", n, a.asked)
			}
			a.wiped(t)
		})
	}
}

// A blocked PIN is not asked for on the token's own keys either.
func TestPinpadBlocked(t *testing.T) {
	h := strict(t)
	w := &meter{flags: p11.CKF_PROTECTED_AUTHENTICATION_PATH, pinpad: []byte(rightPIN)}
	k := metered(t, h, Options{}, w, URI{ID: []byte{7}})
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	before := w.count()
	w.flags |= p11.CKF_USER_PIN_LOCKED
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrPINBlocked) || w.count() != before {
		t.Errorf("%v, %d calls more", err, w.count()-before)
	}
}
