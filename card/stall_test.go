package card_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
)

// TestLimited: a card from which nothing comes is given up at every step, with what it was; a caller's own end stays his own. The
// clock is a bubble's: on the real one a busy machine could use up the limit by itself.
func TestLimited(t *testing.T) {
	t.Parallel()
	inBubble := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, f)
		})
	}
	silent := func(on testcards.Step) (*testcards.Reader, testcards.Fault) {
		r := testcards.New(testcards.Citizen18).Reader()
		return r, testcards.Fault{Kind: testcards.Silence, On: on}
	}
	for _, tt := range []struct {
		name string
		on   testcards.Step
		want error
		do   func(ctx context.Context, tr card.Transport) error
	}{
		{"command", testcards.AtCommand, card.ErrMute, func(ctx context.Context, tr card.Transport) error {
			_, err := tr.Transmit(ctx, []byte{0x80, 0xE4, 0, 0, 0x1C})
			return err
		}},
		{"begin", testcards.AtBegin, card.ErrBusy, func(ctx context.Context, tr card.Transport) error { return tr.Begin(ctx) }},
		{"end", testcards.AtEnd, card.ErrMute, func(ctx context.Context, tr card.Transport) error {
			if err := tr.Begin(ctx); err != nil {
				return err
			}
			return tr.End(ctx, card.Leave)
		}},
	} {
		inBubble(tt.name, func(t *testing.T) {
			r, fault := silent(tt.on)
			tr, err := card.Limited(r, 20*time.Millisecond).Connect(t.Context(), card.Shared)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			r.SetFaults(fault)
			if err := tt.do(t.Context(), tr); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}

			own, cancel := context.WithCancelCause(t.Context())
			cancel(errors.New("enough"))
			tr, err = card.Limited(r, 0).Connect(t.Context(), card.Shared)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			r.SetFaults(fault)
			if err := tt.do(own, tr); !errors.Is(err, context.Canceled) {
				t.Errorf("with its caller gone: %v", err)
			}
		})
	}
	inBubble("connect", func(t *testing.T) {
		r, fault := silent(testcards.AtConnect)
		r.SetFaults(fault)
		if _, err := card.Limited(r, 20*time.Millisecond).Connect(t.Context(), card.Shared); !errors.Is(err, card.ErrMute) {
			t.Error(err)
		}
		if r.Connections() != 0 {
			t.Error("a connection stays open")
		}
	})
	inBubble("other program", func(t *testing.T) {
		r := testcards.New(testcards.Citizen18).Reader()
		other, err := r.Connect(t.Context(), card.Shared)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if err := other.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, err := card.Open(t.Context(), card.Limited(r, 20*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Do(t.Context(), func(*card.Tx) error { return nil }); !errors.Is(err, card.ErrBusy) {
			t.Error(err)
		}
		if err := other.End(t.Context(), card.Leave); err != nil {
			t.Error(err)
		}
	})
}
