//go:build cgo

package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	p11 "github.com/miekg/pkcs11"
)

// verify judges a signature with the standard library.
func verify(k *Key, message []byte, opts crypto.SignerOpts, sig []byte) error {
	h := opts.HashFunc().New()
	h.Write(message)
	digest := h.Sum(nil)
	switch pub := k.Certificate().PublicKey.(type) {
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(pub, opts.HashFunc(), digest, sig, pss)
		}
		return rsa.VerifyPKCS1v15(pub, opts.HashFunc(), digest, sig)
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(pub, digest, sig) {
			return errors.New("ECDSA signature is wrong")
		}
	}
	return nil
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

func TestSoftHSM(t *testing.T) {
	h := full(t)
	a := &asker{pins: []string{rightPIN}}
	m := h.open(t, Options{PIN: a.pin})
	ctx := context.Background()
	keys, err := m.Keys(ctx, URI{})
	if err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	if a.count() != 0 {
		t.Error("a PIN was asked for a list of certificates")
	}
	message := []byte("Verklaring op erewoord")
	for _, k := range keys {
		all := []crypto.SignerOpts{crypto.SHA256, crypto.SHA384, crypto.SHA512}
		if _, ok := k.Public().(*rsa.PublicKey); ok {
			for _, salt := range []int{rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, 20} {
				all = append(all, &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: salt}, &rsa.PSSOptions{Hash: crypto.SHA512, SaltLength: salt})
			}
			if c := k.Chain(); len(c) != 2 || c[0].Subject.CommonName != persons()["rsa ca"].Certificate.Subject.CommonName {
				t.Errorf("%s: chain of %d", k.Description(), len(c))
			}
		}
		for _, opts := range all {
			sig, err := k.Sign(nil, digest(opts.HashFunc(), message), opts)
			if err == nil {
				err = verify(k, message, opts, sig)
			}
			if err != nil {
				t.Errorf("%s, %v: %v", k.Description(), opts, err)
			}
			sig, err = k.SignMessage(nil, message, opts)
			if err == nil {
				err = verify(k, message, opts, sig)
			}
			if err != nil {
				t.Errorf("%s, %v, message: %v", k.Description(), opts, err)
			}
		}
		if again, err := m.key(ctx, k.URI()); err != nil || !again.Certificate().Equal(k.Certificate()) {
			t.Errorf("%v is not found again: %v", k.URI(), err)
		}
	}
	if a.count() != 1 {
		t.Errorf("the PIN was asked %d times", a.count())
	}
	a.wiped(t)
	if r := a.asked[0]; r.Token.Label != "Kluis" || r.Certificate == nil || r.EachTime || r.Wrong || r.MaxLen == 0 {
		t.Errorf("asked with %+v", r)
	}
}

func TestRefusedBeforeThePIN(t *testing.T) {
	h := full(t)
	a := &asker{pins: []string{rightPIN}}
	m := h.open(t, Options{PIN: a.pin})
	k, err := m.key(context.Background(), URI{Object: new("handtekening RSA")})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		digest []byte
		opts   crypto.SignerOpts
	}{
		{make([]byte, 20), crypto.SHA1},
		{make([]byte, 16), crypto.MD5},
		{make([]byte, 32), crypto.Hash(0)},
		{make([]byte, 31), crypto.SHA256},
		{make([]byte, 64), &rsa.PSSOptions{Hash: crypto.SHA512, SaltLength: 300}},
	} {
		if _, err := k.Sign(nil, test.digest, test.opts); err == nil {
			t.Errorf("%v over %d bytes was signed", test.opts, len(test.digest))
		}
	}
	if a.count() != 0 {
		t.Error("the PIN was asked for what cannot be signed")
	}
}

// Every way to name keys, and none that is not theirs.
func TestKeysByURI(t *testing.T) {
	h := full(t)
	h.token(t, "Andere")
	h.put(t, "Andere", "01", "nog een", persons()["p256"])
	m := h.open(t, Options{})
	var serial string
	slots, err := m.Slots(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var slot uint
	for _, s := range slots {
		if s.Token != nil && s.Token.Label == "Kluis" {
			serial, slot = s.Token.Serial, s.ID
			if !s.Token.WantsPIN || !s.Token.Initialised || s.Token.Pinpad || !s.Removable {
				t.Errorf("%+v %+v", s, s.Token)
			}
		}
	}
	for uri, want := range map[string]int{
		"pkcs11:":                                4,
		"pkcs11:token=Kluis":                     3,
		"pkcs11:token=Kluis;type=private;id=%02": 1,
		"pkcs11:token=Kluis;type=cert;object=handtekening%20RSA": 1,
		"pkcs11:id=%01":           2,
		"pkcs11:serial=" + serial: 3,
		"pkcs11:manufacturer=SoftHSM%20project;model=SoftHSM%20v2":                  4,
		"pkcs11:library-manufacturer=SoftHSM;library-version=2.6":                   4,
		fmt.Sprintf("pkcs11:slot-id=%d;slot-manufacturer=SoftHSM%%20project", slot): 3,
		"pkcs11:token=Kluis;vendor-thing=7":                                         3,
		"pkcs11:token=Kluis;object=handtekening":                                    0,
		"pkcs11:token=Kluis;id=%01%02":                                              0,
		"pkcs11:token=Kluis;id=":                                                    0,
		"pkcs11:token=Kluis;object=CA":                                              0,
	} {
		keys, err := m.Keys(context.Background(), parseURI(t, uri))
		if err != nil || len(keys) != want {
			t.Errorf("%s: %d keys, want %d; %v", uri, len(keys), want, err)
		}
	}
	for uri, want := range map[string]error{
		"pkcs11:token=Weg":           ErrNoToken,
		"pkcs11:token=":              ErrNoToken,
		"pkcs11:library-version=2.5": ErrNoToken,
		"pkcs11:type=data":           ErrNoKey,
		"pkcs11:token=Kluis":         ErrSeveral,
		"pkcs11:token=Kluis;id=%09":  ErrNoKey,
	} {
		if _, err := m.key(context.Background(), parseURI(t, uri)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", uri, err, want)
		}
	}
	k, err := m.key(context.Background(), parseURI(t, "pkcs11:token=Andere"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrNoPIN) {
		t.Errorf("without anybody to ask: %v", err)
	}
	if d := k.Description(); !strings.Contains(d, `"nog een"`) || !strings.Contains(d, `token "Andere"`) {
		t.Error(d)
	}
}

// Many goroutines share few sessions, and one login.
func TestManyGoroutines(t *testing.T) {
	h := full(t)
	a := &asker{pins: []string{rightPIN}}
	c := &sessionCounter{full: make(chan struct{})}
	m := h.open(t, Options{PIN: a.pin, Sessions: sessions}, func(plain cryptoki) cryptoki { c.cryptoki = plain; return c })
	keys, err := m.Keys(context.Background(), URI{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			k, message := keys[i%len(keys)], fmt.Appendf(nil, "declaration %d", i)
			sig, err := k.Sign(nil, digest(crypto.SHA256, message), crypto.SHA256)
			if err == nil {
				err = verify(k, message, crypto.SHA256, sig)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a.count() != 1 {
		t.Errorf("the PIN was asked %d times", a.count())
	}
	if c.most != sessions {
		t.Errorf("%d sessions at a time, want %d", c.most, sessions)
	}
}

const sessions = 3

// sessionCounter counts open sessions, and has the first signatures wait until all that may be open are signing.
type sessionCounter struct {
	cryptoki
	mu                 sync.Mutex
	now, most, signing int
	full               chan struct{}
}

func (c *sessionCounter) sign(s uint, data []byte) ([]byte, error) {
	c.mu.Lock()
	if c.signing++; c.signing == sessions {
		close(c.full)
	}
	c.mu.Unlock()
	<-c.full
	return c.cryptoki.sign(s, data)
}

func (c *sessionCounter) openSession(slot uint) (uint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.most = max(c.most, c.now)
	return c.cryptoki.openSession(slot)
}

func (c *sessionCounter) closeSession(s uint) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
	return c.cryptoki.closeSession(s)
}

// A token that offers fewer mechanisms.
type lesser struct {
	cryptoki
	only []uint
	size mechanismInfo // if not zero
}

func (l *lesser) mechanisms(uint) ([]uint, error) { return l.only, nil }

func (l *lesser) mechanismInfo(slot, id uint) (mechanismInfo, error) {
	if l.size != (mechanismInfo{}) {
		return l.size, nil
	}
	return l.cryptoki.mechanismInfo(slot, id)
}

func TestMechanisms(t *testing.T) {
	h := full(t)
	message := []byte("a message")
	for _, test := range []struct {
		name      string
		token     lesser
		id        byte
		opts      crypto.SignerOpts
		digestErr error // nil: it is signed
		msgErr    error
	}{
		{"hashing RSA", lesser{only: []uint{p11.CKM_SHA256_RSA_PKCS}}, 1, crypto.SHA256, ErrMechanism, nil},
		{"hashing RSA, other hash", lesser{only: []uint{p11.CKM_SHA256_RSA_PKCS}}, 1, crypto.SHA384, ErrMechanism, ErrMechanism},
		{"hashing PSS", lesser{only: []uint{p11.CKM_SHA256_RSA_PKCS_PSS, p11.CKM_RSA_PKCS}}, 1,
			&rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: rsa.PSSSaltLengthEqualsHash}, ErrMechanism, nil},
		{"no PSS", lesser{only: []uint{p11.CKM_RSA_PKCS}}, 1, &rsa.PSSOptions{Hash: crypto.SHA256}, ErrMechanism, ErrMechanism},
		{"no EC", lesser{only: []uint{p11.CKM_RSA_PKCS}}, 2, crypto.SHA384, ErrMechanism, ErrMechanism},
		{"verifies only", lesser{only: []uint{p11.CKM_RSA_PKCS}, size: mechanismInfo{512, 4096, p11.CKF_VERIFY}}, 1, crypto.SHA256, ErrMechanism, ErrMechanism},
		{"small keys only", lesser{only: []uint{p11.CKM_RSA_PKCS}, size: mechanismInfo{512, 1024, p11.CKF_SIGN}}, 1, crypto.SHA256, ErrMechanism, ErrMechanism},
		{"sizes in bytes", lesser{only: []uint{p11.CKM_RSA_PKCS}, size: mechanismInfo{64, 256, p11.CKF_SIGN}}, 1, crypto.SHA256, nil, nil},
		{"no sizes", lesser{only: []uint{p11.CKM_ECDSA}, size: mechanismInfo{0, 0, p11.CKF_SIGN}}, 2, crypto.SHA384, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &asker{pins: []string{rightPIN}}
			m := h.open(t, Options{PIN: a.pin}, func(c cryptoki) cryptoki {
				token := test.token
				token.cryptoki = c
				return &token
			})
			k, err := m.key(context.Background(), URI{ID: []byte{test.id}})
			if err != nil {
				t.Fatal(err)
			}
			sig, err := k.Sign(nil, digest(test.opts.HashFunc(), message), test.opts)
			if !errors.Is(err, test.digestErr) || err == nil && verify(k, message, test.opts, sig) != nil {
				t.Errorf("digest: %v, want %v", err, test.digestErr)
			}
			if test.digestErr != nil && a.count() != 0 {
				t.Error("the PIN was asked for what cannot be signed")
			}
			sig, err = k.SignMessage(nil, message, test.opts)
			if !errors.Is(err, test.msgErr) || err == nil && verify(k, message, test.opts, sig) != nil {
				t.Errorf("message: %v, want %v", err, test.msgErr)
			}
		})
	}
}

// A token whose signature is not by the certificate's key, or is cut short.
type liar struct {
	cryptoki
	change func([]byte) []byte
}

func (l *liar) sign(s uint, data []byte) ([]byte, error) {
	sig, err := l.cryptoki.sign(s, data)
	return l.change(sig), err
}

func TestWrongSignatures(t *testing.T) {
	h := full(t)
	for name, change := range map[string]func([]byte) []byte{
		"flipped":  func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":      func(b []byte) []byte { return b[:len(b)-1] },
		"nothing":  func([]byte) []byte { return nil },
		"zero":     func(b []byte) []byte { clear(b); return b },
		"too long": func(b []byte) []byte { return append(b, 0) },
	} {
		a := &asker{pins: []string{rightPIN}}
		t.Run(name, func(t *testing.T) {
			m := h.open(t, Options{PIN: a.pin}, func(c cryptoki) cryptoki { return &liar{c, change} })
			keys, err := m.Keys(context.Background(), URI{})
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				if _, err := k.Sign(nil, make([]byte, 48), crypto.SHA384); !errors.Is(err, ErrSignature) {
					t.Errorf("%s: %v", k.Description(), err)
				}
			}
		})
	}
}
