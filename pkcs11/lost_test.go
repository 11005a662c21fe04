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
	"time"

	p11 "github.com/miekg/pkcs11"
)

// Sessions that another part of the process closes are opened anew, and the PIN asked again.
func TestSessionsClosedFromOutside(t *testing.T) {
	h := full(t)
	a := &asker{pins: []string{rightPIN}}
	m := h.open(t, Options{PIN: a.pin})
	k, err := m.key(context.Background(), URI{ID: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	other := p11.New(h.module)
	for i := range 3 {
		if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if a.count() != i+1 {
			t.Errorf("%d: %d questions", i, a.count())
		}
		if err := other.CloseAllSessions(k.slot.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// fault makes the call of one name fail, a number of times.
type fault struct {
	cryptoki
	mu    sync.Mutex
	call  string
	code  uint
	times int
	calls map[string]int
}

func (f *fault) hit(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[call]++
	if f.call == call && f.times > 0 {
		f.times--
		return &Error{call, f.code}
	}
	return nil
}

func (f *fault) sessionState(s uint) (uint, error) {
	if err := f.hit("C_GetSessionInfo"); err != nil {
		return 0, err
	}
	return f.cryptoki.sessionState(s)
}

func (f *fault) openSession(slot uint) (uint, error) {
	if err := f.hit("C_OpenSession"); err != nil {
		return 0, err
	}
	return f.cryptoki.openSession(slot)
}

func (f *fault) login(s, user uint, b []byte) error {
	if err := f.hit("C_Login"); err != nil {
		return err
	}
	return f.cryptoki.login(s, user, b)
}

func (f *fault) find(s uint, t []attribute, n int) ([]uint, error) {
	if err := f.hit("C_FindObjects"); err != nil {
		return nil, err
	}
	return f.cryptoki.find(s, t, n)
}

func (f *fault) attribute(s, o, kind uint) ([]byte, error) {
	if err := f.hit("C_GetAttributeValue"); err != nil {
		return nil, err
	}
	return f.cryptoki.attribute(s, o, kind)
}

func (f *fault) signInit(s uint, m mechanism, key uint) error {
	if err := f.hit("C_SignInit"); err != nil {
		return err
	}
	return f.cryptoki.signInit(s, m, key)
}

func (f *fault) sign(s uint, data []byte) ([]byte, error) {
	if err := f.hit("C_Sign"); err != nil {
		return nil, err
	}
	return f.cryptoki.sign(s, data)
}

// Each call of a signature fails in turn, in each way: once, and the work is done all the same if the token was only gone and back;
// for good, and it ends with the meaning of the code, without a second C_Login for the same PIN.
func TestFaultAtEachCall(t *testing.T) {
	h := full(t)
	calls := []string{"C_GetSessionInfo", "C_OpenSession", "C_Login", "C_FindObjects", "C_GetAttributeValue", "C_SignInit", "C_Sign"}
	for _, code := range []uint{p11.CKR_DEVICE_REMOVED, p11.CKR_SESSION_HANDLE_INVALID, p11.CKR_TOKEN_NOT_PRESENT, p11.CKR_DEVICE_ERROR, p11.CKR_FUNCTION_CANCELED} {
		for _, call := range calls {
			for _, times := range []int{1, 1000} {
				t.Run(fmt.Sprintf("%s %#x %d", call, code, times), func(t *testing.T) {
					a := &asker{pins: []string{rightPIN}}
					f := &fault{calls: map[string]int{}}
					m := h.open(t, Options{PIN: a.pin, Sessions: 2}, func(c cryptoki) cryptoki { f.cryptoki = c; return f })
					k, err := m.key(context.Background(), URI{ID: []byte{1}})
					if err != nil {
						t.Fatal(err)
					}
					if call == "C_OpenSession" { // there is an idle one else
						k.pool.closeIdle()
					}
					f.call, f.code, f.times = call, code, times
					_, err = k.Sign(nil, someDigest, crypto.SHA256)
					back := times == 1 && gone(&Error{Code: code}) && call != "C_Login" && call != "C_OpenSession"
					if back != (err == nil) || err != nil && !errors.Is(err, codes[code].err) {
						t.Errorf("%v", err)
					}
					if n := f.calls["C_Login"]; n > a.count() || n > 2 {
						t.Errorf("%d calls of C_Login for %d PINs", n, a.count())
					}
					f.times = 0
					if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
						t.Errorf("afterwards: %v", err)
					}
					if len(k.pool.free) != 0 {
						t.Errorf("%d sessions are still taken", len(k.pool.free))
					}
					a.wiped(t)
				})
			}
		}
	}
}

// shelf takes a token out of SoftHSM, by its folder, and puts it back.
func (h *hsm) shelf(t *testing.T) (out, in func()) {
	t.Helper()
	found, err := os.ReadDir(h.tokens())
	if err != nil || len(found) != 1 {
		t.Fatalf("%d tokens, %v", len(found), err)
	}
	place, shelf := filepath.Join(h.tokens(), found[0].Name()), filepath.Join(h.dir, "shelf")
	move := func(from, to string) func() {
		return func() {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	return move(place, shelf), move(shelf, place)
}

// A token that is not there when the module is opened again, and is later, in another slot.
func TestTokenInAnotherSlot(t *testing.T) {
	h := full(t)
	a := &asker{pins: []string{rightPIN}}
	moved := &mover{}
	m := h.open(t, Options{PIN: a.pin}, func(c cryptoki) cryptoki { moved.cryptoki = c; return moved })
	k, err := m.key(context.Background(), URI{ID: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	moved.set(true, 0)
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrRemoved) {
		t.Fatalf("taken out: %v", err)
	}
	if _, err := m.Keys(context.Background(), URI{}); !errors.Is(err, ErrNoToken) {
		t.Fatalf("taken out: %v", err)
	}
	moved.set(false, 1000)
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Fatalf("put elsewhere: %v", err)
	}
	if a.count() != 2 {
		t.Errorf("%d questions", a.count())
	}
}

// mover has slots whose numbers are moved on, or whose tokens are out: sessions are gone then, as PKCS #11 has it.
type mover struct {
	cryptoki
	mu    sync.Mutex
	out   bool
	by    uint
	valid map[uint]bool
}

func (m *mover) set(out bool, by uint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := range m.valid {
		_ = m.cryptoki.closeSession(s)
	}
	m.out, m.by, m.valid = out, by, nil
}

func (m *mover) get() (bool, uint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out, m.by
}

func (m *mover) slots() ([]uint, error) {
	ids, err := m.cryptoki.slots()
	_, by := m.get()
	for i := range ids {
		ids[i] += by
	}
	return ids, err
}

func (m *mover) slotInfo(slot uint) (slotInfo, error) {
	out, by := m.get()
	i, err := m.cryptoki.slotInfo(slot - by)
	if out {
		i.flags &^= p11.CKF_TOKEN_PRESENT
	}
	return i, err
}

func (m *mover) tokenInfo(slot uint) (tokenInfo, error) {
	out, by := m.get()
	if out {
		return tokenInfo{}, &Error{"C_GetTokenInfo", p11.CKR_TOKEN_NOT_PRESENT}
	}
	return m.cryptoki.tokenInfo(slot - by)
}

func (m *mover) openSession(slot uint) (uint, error) {
	_, by := m.get()
	s, err := m.cryptoki.openSession(slot - by)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.valid == nil {
		m.valid = map[uint]bool{}
	}
	m.valid[s] = err == nil
	return s, err
}

// Tokens that come and go, in a module that must be asked, and in one that wakes us.
func TestEvents(t *testing.T) {
	h := full(t)
	moved := &mover{}
	m := h.open(t, Options{}, func(c cryptoki) cryptoki { moved.cryptoki = c; return moved })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var seen []string
	for e, err := range m.Events(ctx, EventOptions{Interval: time.Millisecond, Block: true}) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		if e.Slot.Token.Label != "Kluis" {
			continue // the free slot of SoftHSM
		}
		seen = append(seen, map[bool]string{true: "in", false: "out"}[e.Inserted])
		switch len(seen) {
		case 1:
			moved.set(true, 0)
		case 2:
			moved.set(false, 1000)
		case 3:
			moved.set(false, 2000)
		case 5:
			cancel()
		}
	}
	if fmt.Sprint(seen) != "[in out in out in]" {
		t.Error(seen)
	}
}

// The module itself notices that a token's folder is gone only when it starts again: then the key cannot be found.
func TestTokenDeleted(t *testing.T) {
	h := full(t)
	out, in := h.shelf(t)
	uri := URI{Token: new("Kluis"), ID: []byte{1}, ModulePath: h.module}
	a := &asker{pins: []string{rightPIN}}
	for range 2 {
		k, err := OpenKey(context.Background(), uri, Options{PIN: a.pin})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
			t.Error(err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if _, err := k.Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		out()
		if _, err := OpenKey(context.Background(), uri, Options{}); !errors.Is(err, ErrNoToken) {
			t.Errorf("without the token: %v", err)
		}
		in()
	}
}

// Close ends what waits, and two Modules over one library do not close each other.
func TestClose(t *testing.T) {
	h := full(t)
	asked := make(chan struct{})
	first := h.open(t, Options{PIN: func(ctx context.Context, _ PINRequest) (Secret, error) {
		close(asked)
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}})
	a := &asker{pins: []string{rightPIN}}
	second := h.open(t, Options{PIN: a.pin})
	if first.lib != second.lib {
		t.Fatal("the module is loaded twice")
	}
	k, err := first.key(context.Background(), URI{ID: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := k.Sign(nil, someDigest, crypto.SHA256)
		ended <- err
	}()
	<-asked
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("a PIN dialog when the module is closed: %v", err)
	}
	for _, err := range first.Events(context.Background(), EventOptions{}) {
		if !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	if k, err = second.key(context.Background(), URI{ID: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Sign(nil, someDigest, crypto.SHA256); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := k.WithContext(ctx).Sign(nil, someDigest, crypto.SHA256); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
