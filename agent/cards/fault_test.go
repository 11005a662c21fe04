package cards

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/login"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/testcards"
)

// TestFault: every row of the table, what is said with it, and what stays unsaid.
func TestFault(t *testing.T) {
	t.Parallel()
	if Fault(nil) != nil {
		t.Error("nil is a fault")
	}
	for _, f := range faults {
		got := Fault(fmt.Errorf("opening the card in ACS ACR39U: %w", f.err))
		if got.Code != f.code || got.Detail != f.detail {
			t.Errorf("%v: %+v, want %s", f.err, got, f.code)
		}
		if known := protocol.FaultOf(got.Code); known.Code != got.Code {
			t.Errorf("%s is in no table", got.Code)
		}
	}
	for _, tt := range []struct {
		err  error
		want protocol.Error
	}{
		{&card.PINError{TriesLeft: 2}, protocol.Error{Code: protocol.PINWrong, TriesLeft: 2}},
		{&card.PINError{TriesLeft: 0}, protocol.Error{Code: protocol.PINBlocked}},
		{&card.StatusError{INS: 0x20, SW: 0x63C1}, protocol.Error{Code: protocol.PINWrong, TriesLeft: 1}},
		{&card.StatusError{INS: 0x20, SW: 0x6983}, protocol.Error{Code: protocol.PINBlocked}},
		{&card.StatusError{INS: 0xB0, SW: 0x6F00}, protocol.Error{Code: protocol.ReaderError, Detail: "the card gave an answer that is not known"}},
		{&protocol.Error{Code: protocol.CardBusy, Holder: "x"}, protocol.Error{Code: protocol.CardBusy, Holder: "x"}},
		{fmt.Errorf("%w: install one", pinentry.ErrNoProgram), protocol.Error{Code: protocol.PINCancelled, Detail: "no PIN dialog: install a pinentry program, or name one in the policy"}},
		{errors.New("Jan Janssen, 71050120431"), protocol.Error{Code: protocol.Internal}},
	} {
		if got := Fault(fmt.Errorf("reader ACS: %w", tt.err)); *got != tt.want {
			t.Errorf("%v: %+v, want %+v", tt.err, *got, tt.want)
		}
		if text := Fault(fmt.Errorf("reader ACS: %w", tt.err)).Error(); strings.Contains(text, "ACS") || strings.Contains(text, "Jan") {
			t.Errorf("the fault tells %q", text)
		}
	}
}

// operation is one thing that the service does with a card.
type operation struct {
	name string
	run  func(ctx context.Context, w *world, id string) (any, error)
}

var site, nonce = func() (access.Origin, login.Nonce) {
	o, err := access.ParseOrigin("https://example.be")
	if err != nil {
		panic(err)
	}
	n, err := login.ParseNonce(strings.Repeat("n", 44))
	if err != nil {
		panic(err)
	}
	return o, n
}()

// on is an operation on an eID.
func on(f func(ctx context.Context, c *beid.Card) (any, error)) func(context.Context, *world, string) (any, error) {
	return func(ctx context.Context, w *world, id string) (result any, err error) {
		err = w.hub.use(ctx, passFor(id), id, func(ctx context.Context, c *beid.Card) error {
			result, err = f(ctx, c)
			return err
		})
		return result, err
	}
}

// operations give a result that is the same each time.
var operations = []operation{
	{"identity", on(func(ctx context.Context, c *beid.Card) (any, error) {
		r, err := reading.Read(ctx, c, reading.Options{Challenge: true})
		if err != nil {
			return nil, err
		}
		return []any{r.Identity, r.Authenticated(), r.Failed()}, nil
	})},
	{"login", on(func(ctx context.Context, c *beid.Card) (any, error) {
		_, err := login.Token(ctx, c, site, nonce, rightPIN)
		return nil, err
	})},
	{"sign", on(func(ctx context.Context, c *beid.Card) (any, error) {
		key, err := c.SigningKey(ctx, rightPIN)
		if err != nil {
			return nil, err
		}
		_, err = key.Sign(nil, make([]byte, 48), crypto.SHA384)
		return nil, err
	})},
	{"tries", on(func(ctx context.Context, c *beid.Card) (any, error) { return c.PINTries(ctx) })},
	{"PIN change", on(func(ctx context.Context, c *beid.Card) (any, error) { return nil, c.ChangePIN(ctx, rightPIN) })},
}

// codes are what a fault may come to, beside the right result: the work may be done already, or be repeated.
var codes = []struct {
	kind testcards.FaultKind
	code protocol.Code
}{
	{testcards.TakeOutAfter, protocol.CardRemoved},
	{testcards.BreakReader, protocol.ReaderError},
	{testcards.TakeOut, protocol.CardRemoved},
	{testcards.ResetCard, protocol.CardBusy},
}

// TestFaults lets every step of every operation fail in turn: there is the right result or an error with its code, nothing stays
// open, no PIN try is spent, and the next operation works.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			faultsOf(t, op, "citizen-1.8", 2)
		})
	}
}

// faultsOf is TestFaults for an operation, a profile and so many of the kinds of faults.
func faultsOf(t *testing.T, op operation, profile string, kinds int) {
	sim := simulated(t, profile, 0)
	r := loaded("reader", sim)
	w := start(t, Options{}, r)
	want, err := op.run(t.Context(), w, w.cardID(t, "reader"))
	if err != nil {
		t.Fatal(err)
	}
	commands := sim.Stats().Commands
	for _, at := range []testcards.Step{testcards.AtConnect, testcards.AtBegin, testcards.AtCommand, testcards.AtEnd} {
		for _, c := range codes[:kinds] {
			failed := 0
			for n := 1; n <= commands; n++ {
				fault := testcards.Fault{Kind: c.kind, On: at, At: n}
				w.restore(t, r, sim)
				id := w.cardID(t, "reader")
				r.SetFaults(fault)
				got, err := op.run(t.Context(), w, id)
				r.SetFaults()
				switch {
				case err == nil && !reflect.DeepEqual(got, want):
					t.Errorf("%+v: %v", fault, got)
				case err != nil && Fault(err).Code != c.code:
					t.Errorf("%+v: %v (%s)", fault, err, Fault(err).Code)
				case err != nil:
					failed++
				}
				if r.Connections() != 0 || sim.PINTries() != 3 {
					t.Errorf("%+v: %d connections, %d tries", fault, r.Connections(), sim.PINTries())
				}
				if err == nil && at != testcards.AtCommand && n > 1 {
					break // the steps are over, or such a fault does nothing
				}
			}
			if failed == 0 && at == testcards.AtCommand && c.kind != testcards.ResetCard {
				t.Errorf("fault %d changed nothing at any command", c.kind)
			}
		}
	}
	for _, n := range []int{1, commands / 2, commands} { // each costs the time until the hub asks for the service again
		w.restore(t, r, sim)
		w.strike(n, w.Stop)
		got, err := op.run(t.Context(), w, w.cardID(t, "reader"))
		if code := Fault(err); err == nil && !reflect.DeepEqual(got, want) || err != nil && code.Code != protocol.NoReader && code.Code != protocol.CardRemoved {
			t.Errorf("service stopped at command %d: %v, %v", n, got, err)
		}
		if r.Connections() != 0 || sim.PINTries() != 3 {
			t.Errorf("service stopped at command %d: %d connections, %d tries", n, r.Connections(), sim.PINTries())
		}
	}
	w.restore(t, r, sim)
	if got, err := op.run(t.Context(), w, w.cardID(t, "reader")); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("afterwards: %v, %v", got, err)
	}
}

// restore puts everything back as it was and waits until the hub knows.
func (w *world) restore(t *testing.T, r *testcards.Reader, sim *testcards.Card) {
	t.Helper()
	w.strike(0, nil)
	w.Start()
	states, err := w.Wait(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if states[0].Card != card.Present {
		r.Insert(sim)
		states, err = w.Wait(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	for !w.knows(states[0]) {
		wait(t, w.events, "the hub to know the card")
	}
}

// knows tells whether the hub has heard of the card that is in the reader now.
func (w *world) knows(s card.ReaderState) bool {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	return w.hub.available && len(w.hub.slots) == 1 && w.hub.slots[0].card != nil && w.hub.slots[0].card.count == s.Count
}

// TestSISOfAnotherCard: a card with a processor gets no command of those for memory cards.
func TestSISOfAnotherCard(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", 0)
	w := start(t, Options{}, loaded("reader", sim))
	id := w.cardID(t, "reader")
	err := w.hub.useSIS(t.Context(), passFor(id), id, func(ctx context.Context, r, _ card.Reader) error {
		_, err := sis.Read(ctx, r)
		return err
	})
	if Fault(err).Code != protocol.CardUnsupported || sim.Stats().Commands != 0 {
		t.Errorf("%v; %d commands", err, sim.Stats().Commands)
	}
}
