//go:build soak && linux

package beid_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/vpcd"
)

// striking does something to the service, the card or the line just before the nth command.
type striking struct {
	card.Reader
	left   int
	strike func()
}

func (r *striking) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	t, err := r.Reader.Connect(ctx, mode)
	if err != nil {
		return nil, err
	}
	return &strikingTransport{t, r}, nil
}

type strikingTransport struct {
	card.Transport
	r *striking
}

func (t *strikingTransport) Transmit(ctx context.Context, b []byte) ([]byte, error) {
	if t.r.left--; t.r.left == 0 {
		t.r.strike()
	}
	return t.Transport.Transmit(ctx, b)
}

// strikes are what happens to a real service, and what may come out of it.
var strikes = []struct {
	name    string
	allowed []error
	do      func(t *testing.T, d *pcscdtest.Daemon, link *vpcd.Link)
	mend    func(t *testing.T, d *pcscdtest.Daemon, sim *testcards.Card)
}{
	{"card pulled", []error{card.ErrRemoved, card.ErrNoCard},
		func(_ *testing.T, _ *pcscdtest.Daemon, link *vpcd.Link) { link.Remove() },
		func(*testing.T, *pcscdtest.Daemon, *testcards.Card) {}},
	{"pcscd killed", []error{card.ErrNoService, card.ErrRemoved, card.ErrReader},
		func(t *testing.T, d *pcscdtest.Daemon, _ *vpcd.Link) { d.Kill(t) },
		func(t *testing.T, d *pcscdtest.Daemon, _ *testcards.Card) { d.StartAgain(t) }},
}

// TestSoakRealFaults pulls the card and kills pcscd at every command of reading and signing on a real PC/SC service: each time a
// typed error, within the context, no descriptor or goroutine left, no PIN try spent, and the next reading works.
func TestSoakRealFaults(t *testing.T) {
	daemon := pcscdtest.Start(t)
	if !daemon.Own() {
		t.Fatal("a pcscd is running that the test cannot kill: stop it")
	}
	const profile = "citizen-1.8"
	for _, op := range operations {
		sim, want, steps := undisturbed(t, profile, op)
		for _, s := range strikes {
			for n := 1; n <= steps[testcards.AtCommand]; n++ {
				link := daemon.Insert(t, 0, sim)
				check := pcscdtest.CheckLeaks(t)
				got, err := struck(t, op, &striking{pcsc.Named(pcscdtest.Readers[0]), n, func() { s.do(t, daemon, link) }})
				check()
				if err == nil && !reflect.DeepEqual(got, want) {
					t.Errorf("%s, %s at command %d: wrong result without an error", op.name, s.name, n)
				}
				if err != nil && !isAny(err, s.allowed) {
					t.Errorf("%s, %s at command %d: %v", op.name, s.name, n, err)
				}
				if sim.PINTries() != 3 {
					t.Errorf("%s, %s at command %d: %d PIN tries left", op.name, s.name, n, sim.PINTries())
				}
				link.Remove()
				s.mend(t, daemon, sim)
			}
		}
	}
}

// TestSoakResets has a second PC/SC client reset the card before every command, from inside a transaction of its own where ours
// leaves room: between the files. The work is repeated or fails with ErrReset; no PIN try is lost.
func TestSoakResets(t *testing.T) {
	daemon := pcscdtest.Start(t)
	const profile = "citizen-1.8"
	sim := insert(t, daemon, profile)
	ctx := context.Background()
	for _, op := range operations {
		_, want, _ := undisturbed(t, profile, op)
		stop := make(chan struct{})
		stopped := make(chan int)
		go func() {
			resets := 0
			defer func() { stopped <- resets }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if resetOnce(ctx) == nil {
					resets++
				}
			}
		}()
		for range 10 {
			got, err := struck(t, op, &striking{pcsc.Named(pcscdtest.Readers[0]), 0, func() {}})
			if err != nil && !errors.Is(err, card.ErrReset) {
				t.Errorf("%s: %v", op.name, err)
			}
			if err == nil && !reflect.DeepEqual(got, want) {
				t.Errorf("%s: wrong result without an error", op.name)
			}
			if sim.PINTries() != 3 {
				t.Errorf("%s: %d PIN tries left", op.name, sim.PINTries())
			}
		}
		close(stop)
		if resets := <-stopped; resets == 0 {
			t.Errorf("%s: the other client never got to reset the card", op.name)
		}
	}
}

// resetOnce is the other client: it takes the card and gives it back reset.
func resetOnce(ctx context.Context) error {
	tr, err := pcsc.Named(pcscdtest.Readers[0]).Connect(ctx, card.Shared)
	if err != nil {
		return err
	}
	defer tr.Close()
	if err := tr.Begin(ctx); err != nil {
		return err
	}
	return tr.End(ctx, card.Reset)
}

// struck runs op from Open to Close under a generous limit: reaching it is a hang.
func struck(t *testing.T, op operation, r card.Reader) (any, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := beid.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return op.run(ctx, c, typed(t, testcards.PIN, nil))
}

func isAny(err error, allowed []error) bool {
	for _, a := range allowed {
		if errors.Is(err, a) {
			return true
		}
	}
	return false
}
