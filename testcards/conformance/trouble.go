package conformance

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
)

// patience bounds a call that should have ended by itself; nothing waits so long unless a driver hangs.
const patience = 10 * time.Second

// CheckDriver checks a driver on a simulated card of every profile, and on readers that fail at each command in turn: the card is
// removed before or after it, another program resets it, no answer comes and the caller cancels or closes. The driver must say
// what happened by an error of package card or do the work all the same, never hang, and never lose a PIN try.
func CheckDriver(ctx context.Context, open Open) error {
	var found []error
	for _, p := range testcards.Profiles() {
		t := &trial{ctx: ctx, open: open, card: testcards.New(p), name: p.Name}
		if strings.HasPrefix(p.Name, "blocked") {
			t.blocked()
		} else if strings.HasPrefix(p.Name, "one-try") {
			t.oneTry()
		} else {
			t.plain(t.card.Reader())
		}
		found = append(found, t.found...)
	}
	for _, p := range []testcards.Profile{testcards.Citizen11, testcards.Citizen17, testcards.Citizen18} {
		for _, f := range []func(*trial){(*trial).readingInTrouble, (*trial).signingInTrouble, (*trial).silence, (*trial).together, (*trial).swapped} {
			t := &trial{ctx: ctx, open: open, card: testcards.New(p), name: p.Name}
			f(t)
			found = append(found, t.found...)
		}
	}
	return errors.Join(found...)
}

// blocked wants ErrPINBlocked, and everything readable.
func (t *trial) blocked() {
	t.with(t.ctx, t.card.Reader(), "blocked", func(d Driver) {
		t.reading(d)
		if err := d.VerifyPIN(t.ctx, testcards.PIN); !errors.Is(err, card.ErrPINBlocked) {
			t.wrong("blocked", "VerifyPIN: %v, want ErrPINBlocked", err)
		}
		if _, err := d.Sign(t.ctx, 0x82, testcards.PIN, crypto.SHA256, sample(32)); !errors.Is(err, card.ErrPINBlocked) {
			t.wrong("blocked", "Sign: %v, want ErrPINBlocked", err)
		}
	})
}

// oneTry wants the last try neither spent by reading nor by the right PIN.
func (t *trial) oneTry() {
	t.with(t.ctx, t.card.Reader(), "one try left", func(d Driver) {
		t.reading(d)
		if n := t.card.PINTries(); n != 1 {
			t.wrong("one try left", "%d after reading", n)
			return
		}
		if err := d.VerifyPIN(t.ctx, testcards.PIN); err != nil || t.card.PINTries() != 3 {
			t.wrong("one try left", "the right PIN: %v; %d tries afterwards", err, t.card.PINTries())
		}
	})
}

// commands counts those of a clean run of f on a fresh driver.
func (t *trial) commands(r card.Reader, f func(Driver) error) int {
	t.card.ClearStats()
	t.with(t.ctx, r, "clean run", func(d Driver) {
		if err := f(d); err != nil {
			t.wrong("clean run", "%v", err)
		}
	})
	return t.card.Stats().Commands
}

// struck runs f once on a fresh driver for each command, with a fault at that command, and has judge look at the result. The card
// is back in the reader each time.
func (t *trial) struck(kind testcards.FaultKind, f func(context.Context, Driver) error, judge func(what string, err error)) {
	r := t.card.Reader()
	n := t.commands(r, func(d Driver) error { return f(t.ctx, d) })
	for at := 1; at <= n; at++ {
		what := fmt.Sprintf("%s at command %d of %d", faultNames[kind], at, n)
		ctx, cancel := context.WithTimeout(t.ctx, patience)
		r.SetFaults(testcards.Fault{Kind: kind, At: at})
		t.card.ClearStats()
		d, err := t.open(ctx, r)
		if err == nil {
			err = f(ctx, d)
			if closing := d.Close(); closing != nil {
				t.wrong("trouble", "%s: closing: %v", what, closing)
			}
		}
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			t.wrong("trouble", "%s: hung", what)
		case err != nil || t.card.Stats().Commands >= at-1: // a driver that remembers may need fewer commands than the first time
			judge(what, err)
		}
		cancel()
		r.SetFaults()
		r.Insert(t.card)
	}
}

var faultNames = map[testcards.FaultKind]string{
	testcards.TakeOut: "card removed before its answer", testcards.TakeOutAfter: "card removed after its work",
	testcards.ResetCard: "card reset by another program", testcards.Silence: "no answer", testcards.BreakReader: "reader fault",
}

// readingInTrouble reads all files. A removal is told as such; a reset is repaired or told; what is read is right.
func (t *trial) readingInTrouble() {
	for kind, want := range map[testcards.FaultKind]error{
		testcards.TakeOut: card.ErrRemoved, testcards.TakeOutAfter: card.ErrRemoved,
		testcards.ResetCard: card.ErrReset, testcards.BreakReader: card.ErrReader,
	} {
		var files map[uint16][]byte
		read := func(ctx context.Context, d Driver) (err error) {
			files, err = d.Files(ctx)
			return err
		}
		t.struck(kind, read, func(what string, err error) {
			switch {
			case err == nil && kind == testcards.ResetCard:
				t.compare("trouble: "+what, files)
			case err == nil:
				t.wrong("trouble", "%s: no error from Files", what)
			case !errors.Is(err, want):
				t.wrong("trouble", "%s: Files: %v; want one that wraps %q", what, err, want)
			}
		})
	}
}

// signingInTrouble signs. Whatever happens, no try is lost, and the PIN is not sent twice.
func (t *trial) signingInTrouble() {
	digest := sample(32)
	for _, key := range []byte{0x82, 0x83} {
		for kind, want := range map[testcards.FaultKind]error{
			testcards.TakeOut: card.ErrRemoved, testcards.TakeOutAfter: card.ErrRemoved,
			testcards.ResetCard: card.ErrReset,
		} {
			var sig []byte
			sign := func(ctx context.Context, d Driver) (err error) {
				sig, err = d.Sign(ctx, key, testcards.PIN, crypto.SHA256, digest)
				return err
			}
			t.struck(kind, sign, func(what string, err error) {
				if n := t.card.PINTries(); n != 3 {
					t.wrong("trouble", "%s: Sign with key %02X left %d tries", what, key, n)
				}
				if n := t.verifies(); n > 1 {
					t.wrong("trouble", "%s: Sign with key %02X sent VERIFY %d times", what, key, n)
				}
				switch {
				case err != nil && !errors.Is(err, want):
					t.wrong("trouble", "%s: Sign with key %02X: %v; want one that wraps %q", what, key, err, want)
				case err == nil && !verified(t.publicKey(key), crypto.SHA256, digest, sig):
					t.wrong("trouble", "%s: Sign with key %02X: no error, and a signature that does not verify", what, key)
				}
			})
		}
	}
}

// verifies counts the PINs that the card got.
func (t *trial) verifies() int {
	n := 0
	for _, e := range t.card.Exchanges() {
		if e.Command[1] == 0x20 && len(e.Command) >= 5 && e.Command[4] == 8 {
			n++
		}
	}
	return n
}

// watched tells of every command before it goes to the card.
type watched struct {
	card.Reader
	before func()
}

func (w watched) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	t, err := w.Reader.Connect(ctx, mode)
	if err != nil {
		return nil, err
	}
	return watchedTransport{t, w.before}, nil
}

type watchedTransport struct {
	card.Transport
	before func()
}

func (w watchedTransport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	w.before()
	return w.Transport.Transmit(ctx, command)
}

// silence has the card answer no more; the caller cancels, or closes from another goroutine.
func (t *trial) silence() {
	r := t.card.Reader()
	n := t.commands(r, func(d Driver) error { _, err := d.Files(t.ctx); return err })
	for _, at := range []int{1, 2, n / 2, n} {
		for _, closes := range []bool{false, true} {
			t.silent(r, at, closes)
		}
	}
	t.with(t.ctx, r, "after silence", func(d Driver) { t.reading(d) })
}

func (t *trial) silent(r *testcards.Reader, at int, closes bool) {
	deadline, stop := context.WithTimeout(t.ctx, patience)
	defer stop()
	ctx, cancel := context.WithCancel(deadline)
	defer cancel()
	what, want := "cancelled while the card is silent", context.Canceled
	var opened atomic.Pointer[Driver]
	var closing sync.WaitGroup
	count := 0
	r.SetFaults(testcards.Fault{Kind: testcards.Silence, At: at})
	d, err := t.open(ctx, watched{r, func() {
		if count++; count != at {
			return
		}
		if d := opened.Load(); closes && d != nil {
			what, want = "closed while the card is silent", card.ErrClosed
			closing.Go(func() { (*d).Close() })
		} else {
			cancel()
		}
	}})
	if err == nil {
		opened.Store(&d)
		_, err = d.Files(ctx)
		d.Close()
	}
	closing.Wait()
	if !errors.Is(err, want) {
		t.wrong("silence", "%s at command %d: %v; want one that wraps %q", what, at, err, want)
	}
	r.SetFaults()
}

// together has two drivers read the same card at the same time.
func (t *trial) together() {
	r := t.card.Reader()
	var all sync.WaitGroup
	var mu sync.Mutex
	for range 2 {
		all.Go(func() {
			d, err := t.open(t.ctx, r)
			var files map[uint16][]byte
			if err == nil {
				files, err = d.Files(t.ctx)
				d.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.wrong("two programs", "%v", err)
				return
			}
			t.compare("two programs", files)
		})
	}
	all.Wait()
}

// swapped puts another card into the reader: the driver of the first must not go on with it.
func (t *trial) swapped() {
	r := t.card.Reader()
	t.with(t.ctx, r, "swapped card", func(d Driver) {
		if _, err := d.Files(t.ctx); err != nil {
			t.wrong("swapped card", "before: %v", err)
			return
		}
		other, err := testcards.Open(t.card.Profile().Name, testcards.Options{Seed: 77})
		if err != nil {
			t.wrong("swapped card", "%v", err)
			return
		}
		r.Insert(other)
		if _, err := d.Sign(t.ctx, 0x82, testcards.PIN, crypto.SHA256, sample(32)); !errors.Is(err, card.ErrRemoved) {
			t.wrong("swapped card", "Sign: %v, want ErrRemoved", err)
		}
		if n := other.Stats().Commands; n != 0 {
			t.wrong("swapped card", "%d commands reached the other card", n)
		}
	})
}
