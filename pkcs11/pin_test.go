//go:build cgo

package pkcs11

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	p11 "github.com/miekg/pkcs11"
)

// meter counts calls of C_Login, and can make a token one with a keypad, or with few tries.
type meter struct {
	cryptoki
	mu      sync.Mutex
	logins  []uint // user types
	flags   uint   // set in the token's flags
	tries   int    // if not 0: that many wrong PINs block
	pinpad  []byte // what is typed on the keypad
	whileIn func() // called while the PIN is typed
}

func (m *meter) tokenInfo(slot uint) (tokenInfo, error) {
	i, err := m.cryptoki.tokenInfo(slot)
	m.mu.Lock()
	defer m.mu.Unlock()
	i.flags |= m.flags
	return i, err
}

func (m *meter) login(session, user uint, given []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logins = append(m.logins, user)
	if m.flags&p11.CKF_USER_PIN_LOCKED != 0 {
		return &Error{"C_Login", p11.CKR_PIN_LOCKED}
	}
	if m.pinpad != nil {
		if given != nil {
			return &Error{"C_Login", p11.CKR_ARGUMENTS_BAD}
		}
		if given = m.pinpad; m.whileIn != nil {
			m.whileIn()
		}
	}
	err := m.cryptoki.login(session, user, given)
	if is(err, p11.CKR_PIN_INCORRECT) && m.tries > 0 {
		switch m.tries--; m.tries {
		case 0:
			m.flags |= p11.CKF_USER_PIN_LOCKED
		case 1:
			m.flags |= p11.CKF_USER_PIN_FINAL_TRY
		}
		m.flags |= p11.CKF_USER_PIN_COUNT_LOW
	}
	return err
}

func (m *meter) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.logins)
}

func openMetered(t *testing.T, h *hsm, o Options, w *meter) *Module {
	t.Helper()
	return h.open(t, o, func(c cryptoki) cryptoki { w.cryptoki = c; return w })
}

func metered(t *testing.T, h *hsm, o Options, w *meter, uri URI) *Key {
	t.Helper()
	k, err := openMetered(t, h, o, w).key(context.Background(), uri)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var someDigest = make([]byte, 32)

// A wrong PIN costs one try a signature asked for, never two, and the next request tells of it.
func TestWrongPIN(t *testing.T) {
	h := full(t)
	a := &asker{pins: []string{"verkeerd1", "verkeerd2", rightPIN}}
	w := &meter{tries: 3}
	k := metered(t, h, Options{PIN: a.pin}, w, URI{ID: []byte{1}})
	for i := range 2 {
		_, err := k.Sign(nil, someDigest, crypto.SHA256)
		var refused *PINError
		if !errors.Is(err, ErrPINWrong) || errors.Is(err, ErrPINBlocked) || !errors.As(err, &refused) || !refused.Tries.Low || refused.Tries.Final != (i == 1) {
			t.Fatalf("%d: %v", i, err)
		}
		if w.count() != i+1 || a.count() != i+1 {
			t.Fatalf("%d calls of C_Login, %d questions", w.count(), a.count())
		}
	}
	if r := a.asked[1]; !r.Wrong || !r.Tries.Low || r.Tries.Final {
		t.Errorf("asked again with %+v", r)
	}
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	if r := a.asked[2]; !r.Wrong || !r.Tries.Final {
		t.Errorf("asked the third time with %+v", r)
	}
	a.wiped(t)
}

func TestBlockedPIN(t *testing.T) {
	h := full(t)
	a := &asker{pins: []string{"verkeerd1"}}
	w := &meter{tries: 1}
	k := metered(t, h, Options{PIN: a.pin}, w, URI{ID: []byte{2}})
	_, err := k.Sign(nil, someDigest, crypto.SHA256)
	if !errors.Is(err, ErrPINWrong) || !errors.Is(err, ErrPINBlocked) {
		t.Fatal(err)
	}
	if _, err = k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrPINBlocked) || errors.Is(err, ErrPINWrong) {
		t.Fatal(err)
	}
	if w.count() != 1 || a.count() != 1 {
		t.Errorf("%d calls of C_Login, %d questions: nobody is asked for a blocked PIN", w.count(), a.count())
	}
}

// What cannot be a PIN of the token costs no try: the binding would take an empty one for a keypad.
func TestUnusablePIN(t *testing.T) {
	h := full(t)
	for _, pin := range []string{"", "123", string(make([]byte, 300))} {
		a := &asker{pins: []string{pin}}
		w := &meter{}
		k := metered(t, h, Options{PIN: a.pin}, w, URI{ID: []byte{2}})
		if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrPINFormat) || w.count() != 0 {
			t.Errorf("%d bytes: %v, %d calls", len(pin), err, w.count())
		}
		a.wiped(t)
	}
	mine := errors.New("the user closed the window")
	w := &meter{}
	k := metered(t, h, Options{PIN: func(context.Context, PINRequest) (Secret, error) { return nil, mine }}, w, URI{ID: []byte{2}})
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, mine) || w.count() != 0 {
		t.Errorf("%v, %d calls", err, w.count())
	}
	w = &meter{}
	k = metered(t, h, Options{PIN: func(context.Context, PINRequest) (Secret, error) { return nil, nil }}, w, URI{ID: []byte{2}})
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrNoPIN) || w.count() != 0 {
		t.Errorf("%v, %d calls", err, w.count())
	}
}

// A key that wants the PIN each time gets it each time, the first time with one question.
func TestAlwaysAuthenticate(t *testing.T) {
	h := newHSM(t)
	h.token(t, "Kluis")
	h.put(t, "Kluis", "07", "telkens", persons()["rsa"], "--always-auth")
	a := &asker{pins: []string{rightPIN, rightPIN, "verkeerd", rightPIN}}
	w := &meter{}
	k := metered(t, h, Options{PIN: a.pin}, w, URI{ID: []byte{7}})
	for i, want := range []struct {
		err    error
		logins []uint
	}{
		{nil, []uint{p11.CKU_USER, p11.CKU_CONTEXT_SPECIFIC}},
		{nil, []uint{p11.CKU_CONTEXT_SPECIFIC}},
		{ErrPINWrong, []uint{p11.CKU_CONTEXT_SPECIFIC}},
		{nil, []uint{p11.CKU_CONTEXT_SPECIFIC}},
	} {
		w.logins = nil
		sig, err := k.Sign(nil, someDigest, crypto.SHA256)
		if !errors.Is(err, want.err) || (err == nil) != (sig != nil) {
			t.Fatalf("%d: %v", i, err)
		}
		if i == 3 { // the session of the wrong PIN was the only one: with it went the login
			want.logins = []uint{p11.CKU_USER, p11.CKU_CONTEXT_SPECIFIC}
		}
		if fmt.Sprint(w.logins) != fmt.Sprint(want.logins) || a.count() != i+1 {
			t.Fatalf("%d: C_Login as %v, %d questions", i, w.logins, a.count())
		}
	}
	if a.asked[0].EachTime || !a.asked[1].EachTime || !a.asked[2].EachTime {
		t.Errorf("%+v", a.asked)
	}
	a.wiped(t)
}

// On a token with a keypad nobody is asked for the PIN, but told to type it.
func TestPinpad(t *testing.T) {
	h := newHSM(t)
	h.token(t, "Kluis")
	h.put(t, "Kluis", "07", "telkens", persons()["p384"], "--always-auth")
	told := make(chan PINRequest)
	a := &asker{pins: []string{"geen"}}
	o := Options{PIN: a.pin, Pinpad: func(ctx context.Context, r PINRequest) { told <- r; <-ctx.Done() }}
	w := &meter{flags: p11.CKF_PROTECTED_AUTHENTICATION_PATH, pinpad: []byte(rightPIN)}
	w.whileIn = func() {
		if r := <-told; !r.Token.Pinpad || r.Certificate == nil {
			t.Errorf("told %+v", r)
		}
	}
	k := metered(t, h, o, w, URI{ID: []byte{7}})
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(w.logins) != fmt.Sprint([]uint{p11.CKU_USER, p11.CKU_CONTEXT_SPECIFIC}) || a.count() != 0 {
		t.Errorf("C_Login as %v, %d questions", w.logins, a.count())
	}
	w.pinpad = []byte("vergist")
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrPINWrong) {
		t.Error(err)
	}
}

func TestPINSource(t *testing.T) {
	h := full(t)
	file := filepath.Join(t.TempDir(), "pin of the token")
	write(t, file, rightPIN+"\n")
	a := &asker{pins: []string{"niet deze"}}
	w := &meter{}
	uri := parseURI(t, "pkcs11:token=Kluis;id=%01?pin-source="+encode("file:"+file, queryChar))
	if uri.PINSource != "file:"+file {
		t.Fatal(uri.PINSource)
	}
	k := metered(t, h, Options{PIN: a.pin}, w, uri)
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	if w.count() != 1 || a.count() != 0 {
		t.Errorf("%d calls of C_Login, %d questions", w.count(), a.count())
	}
	if k.URI().PINSource != "" {
		t.Error("the key's own URI tells where the PIN is")
	}
}

// The PIN of a file that turned out wrong is not tried again: three requests to a server must not block its token.
func TestWrongPINInFile(t *testing.T) {
	h := full(t)
	file := filepath.Join(t.TempDir(), "pin")
	write(t, file, "verkeerd")
	w := &meter{tries: 3}
	m := openMetered(t, h, Options{}, w)
	uri := URI{ID: []byte{1}, PINSource: "file://" + file}
	k, err := m.key(context.Background(), uri)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrPINWrong) {
			t.Fatal(err)
		}
	}
	if w.count() != 1 {
		t.Fatalf("%d calls of C_Login", w.count())
	}
	write(t, file, rightPIN+"\r\n")
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil || w.count() != 2 {
		t.Errorf("with the file mended: %v, %d calls", err, w.count())
	}
}

func TestPINFilesRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := at("good", "1234\n", 0o640)
	for _, source := range []string{"file:" + good, "file://" + good, "file://localhost" + good, "FILE:" + good} {
		s, err := readPINSource(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		_ = s.Reveal(func(b []byte) error {
			if string(b) != "1234" {
				t.Errorf("%s: %d bytes", source, len(b))
			}
			return nil
		})
	}
	for _, source := range []string{
		"", good, "|cat " + good, "http://example.be/pin", "file:pin", "file:", "file://example.be" + good, "file:" + dir, "file:/dev/null",
		"file:" + filepath.Join(dir, "absent"), "file:/%zz",
		"file:" + at("everybody", "1234", 0o604), "file:" + at("all write", "1234", 0o602),
		"file:" + at("empty", "", 0o600), "file:" + at("newline", "\n", 0o600), "file:" + at("two lines", "1234\n5678\n", 0o600),
		"file:" + at("long", string(make([]byte, 1000)), 0o600), "file:" + at("nul", "12\x0034", 0o600),
	} {
		if _, err := readPINSource(source); !errors.Is(err, ErrPINSource) {
			t.Errorf("%q: %v", source, err)
		}
	}
}
