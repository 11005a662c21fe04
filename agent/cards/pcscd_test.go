//go:build linux

package cards

import (
	"context"
	"testing"

	"github.com/eidkit/eidkit/agent/login"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

// machine is a hub on the machine's PC/SC service.
func machine(t testing.TB) (*Hub, chan Event) {
	t.Helper()
	h := New(Options{System: pcsc.System(), Open: pcsc.Named})
	events := make(chan Event, 100)
	_, cancel := h.Subscribe(func(e Event) { events <- e })
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		end()
		<-ended
	})
	return h, events
}

// inserted waits for a card.
func inserted(t *testing.T, events chan Event) Event {
	t.Helper()
	for {
		if e := wait(t, events, "a card"); e.Kind == CardInserted {
			return e
		}
	}
}

// TestThroughPCSC: a card in the machine's service keeps its ID from operation to operation, whatever is done with it, and loses it
// when it leaves.
func TestThroughPCSC(t *testing.T) {
	daemon := pcscdtest.Start(t)
	sim := simulated(t, "citizen-1.8", 0)
	link := daemon.Insert(t, 0, sim)
	h, events := machine(t)
	first := inserted(t, events)
	if first.Card != EID {
		t.Errorf("%+v", first)
	}
	id := first.CardID
	for range 3 {
		err := h.use(t.Context(), passFor(id), id, func(ctx context.Context, c *beid.Card) error {
			r, err := reading.Read(ctx, c, reading.Options{Challenge: true, Memory: h.Memory(id)})
			if err == nil && (r.Failed() || !r.Authenticated()) {
				t.Errorf("%+v", r.Checks)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = h.use(t.Context(), passFor(id), id, func(ctx context.Context, c *beid.Card) error {
			_, err := login.Token(ctx, c, site, nonce, rightPIN)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		reset(t)
	}
	gone := h.Gone(id)
	daemon.Remove(t, 0, link)
	wait(t, gone, "the card to go")
	daemon.Insert(t, 0, simulated(t, "citizen-1.7", 0))
	if err := h.use(t.Context(), passFor(id), id, surname()); Fault(err).Code != protocol.CardRemoved {
		t.Error(err)
	}
	second := inserted(t, events)
	if second.CardID == id {
		t.Error("another card has the ID")
	}
	if err := h.use(t.Context(), passFor(second.CardID), second.CardID, surname()); err != nil {
		t.Error(err)
	}
}

// reset resets the card as another program does, which is no removal.
func reset(t *testing.T) {
	t.Helper()
	tr, err := pcsc.Named(pcscdtest.Readers[0]).Connect(t.Context(), card.Shared)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tr.End(t.Context(), card.Reset); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkUse is what the hub adds to a connection to the card: compare the two.
func BenchmarkUse(b *testing.B) {
	daemon := pcscdtest.Start(b)
	daemon.Insert(b, 0, simulated(b, "citizen-1.8", 0))
	h, events := machine(b)
	id := ""
	for id == "" {
		id = (<-events).CardID
	}
	b.Run("hub", func(b *testing.B) {
		for b.Loop() {
			if err := h.use(b.Context(), passFor(id), id, func(context.Context, *beid.Card) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			c, err := beid.Open(b.Context(), pcsc.Named(pcscdtest.Readers[0]))
			if err != nil {
				b.Fatal(err)
			}
			c.Close()
		}
	})
}
