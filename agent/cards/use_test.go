package cards

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
)

// TestUse: a card is there for an operation, and for other programs again afterwards; what was read and held is remembered until
// the card leaves.
func TestUse(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", 0)
	r := loaded("reader", sim)
	w := start(t, Options{}, r)
	read := func(id string) int {
		t.Helper()
		sim.ClearStats()
		err := w.hub.use(t.Context(), passFor(id), id, func(ctx context.Context, c *beid.Card) error {
			if r.Connections() != 1 {
				t.Errorf("%d connections", r.Connections())
			}
			got, err := reading.Read(ctx, c, reading.Options{Photo: true, Challenge: true, Memory: w.hub.Memory(id)})
			if err == nil && (got.Failed() || !got.Authenticated()) {
				t.Errorf("%+v", got.Checks)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Connections() != 0 {
			t.Errorf("%d connections stay", r.Connections())
		}
		return sim.Stats().Commands
	}
	id := w.cardID(t, "reader")
	first, second := read(id), read(id)
	if second >= first/2 {
		t.Errorf("%d commands, then %d", first, second)
	}
	other, err := r.Connect(t.Context(), card.Exclusive)
	if err != nil {
		t.Errorf("another program cannot have the card: %v", err)
	} else {
		other.Close()
	}
	r.Remove()
	w.next(t, CardRemoved)
	if w.hub.Memory(id) != nil {
		t.Error("the card is remembered")
	}
	r.Insert(sim)
	if again := read(w.next(t, CardInserted).CardID); again != first {
		t.Errorf("%d commands after the card came back, %d before", again, first)
	}
}

// TestRefused: without a pass that holds and is for this card, the card gets no command.
func TestRefused(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", 0)
	r := loaded("reader", sim)
	w := start(t, Options{}, r)
	id := w.cardID(t, "reader")
	ended := passFor(id)
	ended.Cancel(protocol.Errorf(protocol.NotAuthorised, "over"))
	never := func(context.Context, *beid.Card) error { t.Error("the card was given"); return nil }
	for name, tt := range map[string]struct {
		p    *fakePass
		id   string
		want protocol.Code
	}{
		"another card's":   {passFor("else"), id, protocol.NotAuthorised},
		"no card's":        {passFor(""), "", protocol.NotAuthorised},
		"ended":            {ended, id, protocol.NotAuthorised},
		"a card not there": {passFor("gone"), "gone", protocol.CardRemoved},
	} {
		if err := w.hub.use(t.Context(), tt.p, tt.id, never); Fault(err).Code != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
		err := w.hub.useSIS(t.Context(), tt.p, tt.id, func(context.Context, card.Reader, card.Reader) error { t.Error("given"); return nil })
		if Fault(err).Code != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if err := w.hub.Use(t.Context(), nil, id, never); Fault(err).Code != protocol.NotAuthorised {
		t.Error(err)
	}
	if err := w.hub.UseSIS(t.Context(), nil, id, nil); Fault(err).Code != protocol.NotAuthorised {
		t.Error(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.hub.use(over, passFor(id), id, never); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := sim.Stats().Commands; n != 0 || r.Connections() != 0 {
		t.Errorf("%d commands, %d connections", n, r.Connections())
	}
}

// holding keeps a card until it is told to let go.
func (w *world) holding(t *testing.T, id string) (release func()) {
	t.Helper()
	has, let, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	p := passFor(id)
	p.who = "Apotheek"
	go func() {
		done <- w.hub.use(context.Background(), p, id, func(context.Context, *beid.Card) error {
			close(has)
			<-let
			return nil
		})
	}()
	wait(t, has, "the card")
	return func() {
		close(let)
		if err := wait(t, done, "the holder to end"); err != nil {
			t.Error(err)
		}
	}
}

// TestQueue: one at a time; the next waits, hears for whom, and is told who has the card when it takes too long.
func TestQueue(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", 0)
	w := start(t, Options{Queue: time.Millisecond}, loaded("reader", sim))
	id := w.cardID(t, "reader")
	release := w.holding(t, id)
	before := sim.Stats().Commands
	var heard string
	ctx := OnQueue(t.Context(), func(holder string) { heard = holder })
	err := w.hub.use(ctx, passFor(id), id, func(context.Context, *beid.Card) error { t.Error("two have the card"); return nil })
	if f := Fault(err); f.Code != protocol.CardBusy || f.Holder != "Apotheek" || heard != "Apotheek" {
		t.Errorf("%+v, heard %q", f, heard)
	}
	if sim.Stats().Commands != before {
		t.Error("the card got a command of the one who had to wait")
	}
	release()
	if err := w.hub.use(t.Context(), passFor(id), id, surname()); err != nil {
		t.Error(err)
	}
}

// TestQueueOrder: who came first is served first.
func TestQueueOrder(t *testing.T) {
	t.Parallel()
	w := start(t, Options{Queue: time.Hour}, loaded("reader", simulated(t, "citizen-1.8", 0)))
	id := w.cardID(t, "reader")
	release := w.holding(t, id)
	order := make(chan int, maxWaiting)
	for n := range 4 {
		queued := make(chan struct{})
		ctx := OnQueue(t.Context(), func(string) { close(queued) })
		go func() {
			if err := w.hub.use(ctx, passFor(id), id, func(context.Context, *beid.Card) error { order <- n; return nil }); err != nil {
				t.Error(err)
			}
		}()
		wait(t, queued, "the queue")
	}
	stopped, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	queued := make(chan struct{})
	go func() {
		ended <- w.hub.use(OnQueue(stopped, func(string) { close(queued) }), passFor(id), id, surname())
	}()
	wait(t, queued, "the queue")
	stop()
	if err := wait(t, ended, "one who gave up"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	release()
	for want := range 4 {
		if got := wait(t, order, "the next"); got != want {
			t.Errorf("%d came before %d", got, want)
		}
	}
}

// TestQueueFull: a crowd is turned away at once.
func TestQueueFull(t *testing.T) {
	t.Parallel()
	w := start(t, Options{Queue: time.Hour}, loaded("reader", simulated(t, "citizen-1.8", 0)))
	id := w.cardID(t, "reader")
	release := w.holding(t, id)
	done := make(chan error, maxWaiting)
	for range maxWaiting {
		queued := make(chan struct{})
		ctx := OnQueue(t.Context(), func(string) { close(queued) })
		go func() { done <- w.hub.use(ctx, passFor(id), id, surname()) }()
		wait(t, queued, "the queue")
	}
	if err := w.hub.use(t.Context(), passFor(id), id, surname()); Fault(err).Code != protocol.CardBusy {
		t.Error(err)
	}
	release()
	for range maxWaiting {
		if err := wait(t, done, "the queue to empty"); err != nil {
			t.Error(err)
		}
	}
}

// TestLeaving: an operation ends with its card, whichever way that goes, the pass with it, and those who wait.
func TestLeaving(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(w *world, r *testcards.Reader){
		"pulled":    func(_ *world, r *testcards.Reader) { r.Remove() },
		"unplugged": func(w *world, r *testcards.Reader) { w.RemoveReader(r) },
		"stopped":   func(w *world, _ *testcards.Reader) { w.Stop() },
		"swapped":   func(_ *world, r *testcards.Reader) { r.Insert(testcards.New(testcards.Citizen17)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simulated(t, "citizen-1.8", 0)
			r := loaded("reader", sim)
			w := start(t, Options{Queue: time.Hour}, r)
			id := w.cardID(t, "reader")
			gone := w.hub.Gone(id)
			has, done := make(chan struct{}), make(chan error, 2)
			p, waiting := passFor(id), passFor(id)
			go func() {
				done <- w.hub.use(t.Context(), p, id, func(ctx context.Context, c *beid.Card) error {
					key, err := c.SigningKey(ctx, func(ctx context.Context, _ beid.PINRequest) (card.PIN, error) {
						close(has)
						<-ctx.Done() // a dialog that stays open
						return card.PIN{}, ctx.Err()
					})
					if err != nil {
						return err
					}
					_, err = key.Sign(nil, make([]byte, 48), beid.RawECDSA{Hash: 6})
					return err
				})
			}()
			wait(t, has, "the dialog")
			queued := make(chan struct{})
			go func() {
				done <- w.hub.use(OnQueue(t.Context(), func(string) { close(queued) }), waiting, id, func(context.Context, *beid.Card) error {
					t.Error("the card was given after it left")
					return nil
				})
			}()
			wait(t, queued, "the queue")
			leave(w, r)
			for range 2 {
				if err := wait(t, done, "the operations to end"); !errors.Is(err, card.ErrRemoved) || Fault(err).Code != protocol.CardRemoved {
					t.Error(err)
				}
			}
			wait(t, gone, "Gone")
			if p.Check() == nil || waiting.Check() == nil {
				t.Error("a pass outlived its card")
			}
			if sim.PINTries() != 3 || r.Connections() != 0 {
				t.Errorf("%d tries, %d connections", sim.PINTries(), r.Connections())
			}
		})
	}
}

// TestRunEnds: operations end with the hub.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	r := loaded("reader", simulated(t, "citizen-1.8", 0))
	system := &testcards.System{}
	system.AddReader(r)
	h := New(Options{System: system, Open: func(name string) card.Reader { return named{system, name, nil} }})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- h.Run(ctx) }()
	wait(t, h.Ready(), "the hub")
	id := h.Readers()[0].Card.ID
	has := make(chan struct{})
	go func() {
		ended <- h.use(context.Background(), passFor(id), id, func(ctx context.Context, _ *beid.Card) error {
			close(has)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	wait(t, has, "the card")
	cancel()
	for range 2 {
		if err := wait(t, ended, "the end"); !errors.Is(err, context.Canceled) && !errors.Is(err, card.ErrClosed) {
			t.Error(err)
		}
	}
	if len(h.Readers()) != 0 || r.Connections() != 0 {
		t.Error(h.Readers(), r.Connections())
	}
}

// deaf is a system that tells those who wait of no change, but says what is there when asked: the moment between a swap and its news.
type deaf struct {
	*testcards.System
	counts bool
}

func (d deaf) Wait(ctx context.Context, known []card.ReaderState) ([]card.ReaderState, error) {
	if known != nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	states, err := d.System.Wait(ctx, nil)
	for i := range states {
		if !d.counts {
			states[i].Count = 0
		}
	}
	return states, err
}

// TestSwapBeforeItsNews: what was agreed upon for one card is not done with the next, though nobody has heard of the swap; the new
// card gets no command.
func TestSwapBeforeItsNews(t *testing.T) {
	t.Parallel()
	r := loaded("reader", simulated(t, "citizen-1.8", 0))
	system := &testcards.System{}
	system.AddReader(r)
	w := start(t, Options{System: deaf{system, true}, Open: func(name string) card.Reader { return named{system, name, nil} }})
	id := w.cardID(t, "reader")
	other := simulated(t, "citizen-1.8", 1)
	r.Insert(other)
	p := passFor(id)
	err := w.hub.use(t.Context(), p, id, func(context.Context, *beid.Card) error { t.Error("the other card was given"); return nil })
	if Fault(err).Code != protocol.CardRemoved || p.Check() == nil {
		t.Errorf("%v, pass %v", err, p.Check())
	}
	if n := other.Stats().Commands; n != 0 || r.Connections() != 0 {
		t.Errorf("the other card got %d commands; %d connections", n, r.Connections())
	}
}

// TestSwapWithoutCount: where the system numbers no insertions, the chip's own number tells from the second operation on.
func TestSwapWithoutCount(t *testing.T) {
	t.Parallel()
	r := loaded("reader", simulated(t, "citizen-1.8", 0))
	system := &testcards.System{}
	system.AddReader(r)
	w := start(t, Options{System: deaf{system, false}, Open: func(name string) card.Reader { return named{system, name, nil} }})
	id := w.cardID(t, "reader")
	if err := w.hub.use(t.Context(), passFor(id), id, surname()); err != nil {
		t.Fatal(err)
	}
	r.Insert(simulated(t, "citizen-1.8", 1))
	p := passFor(id)
	err := w.hub.use(t.Context(), p, id, func(context.Context, *beid.Card) error { t.Error("the other card was given"); return nil })
	if Fault(err).Code != protocol.CardRemoved || p.Check() == nil || r.Connections() != 0 {
		t.Errorf("%v, pass %v, %d connections", err, p.Check(), r.Connections())
	}
}

// TestPanic: what is wrong in an operation does not keep the card.
func TestPanic(t *testing.T) {
	t.Parallel()
	r := loaded("reader", simulated(t, "citizen-1.8", 0))
	w := start(t, Options{Queue: time.Millisecond}, r)
	id := w.cardID(t, "reader")
	func() {
		defer func() { _ = recover() }()
		_ = w.hub.use(t.Context(), passFor(id), id, func(context.Context, *beid.Card) error { panic("wrong") })
	}()
	if r.Connections() != 0 {
		t.Error("the connection stays open")
	}
	if err := w.hub.use(t.Context(), passFor(id), id, surname()); err != nil {
		t.Error(err)
	}
}

// TestSIS: SIS cards are read in both kinds of readers, with the module's data where a reader has that role.
func TestSIS(t *testing.T) {
	t.Parallel()
	for name, access := range map[string]testsis.Access{"PC/SC part 3": testsis.PCSC, "ACR38": testsis.ACR38} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := testsis.Open("sis-ordinary", access)
			if err != nil {
				t.Fatal(err)
			}
			r, sam := loaded("memory card reader", c), loaded("SAM reader", testsis.NewModule(testsis.Providers[0]))
			w := start(t, Options{Roles: map[string]string{"sam": RoleModule}}, r, sam)
			choices, err := w.hub.Find("", []Kind{SIS}, nil)
			if err != nil || len(choices) != 1 {
				t.Fatal(choices, err)
			}
			id := choices[0].CardID
			for range 2 { // the card keeps its ID while the reader is told how to read it
				err = w.hub.useSIS(t.Context(), passFor(id), id, func(ctx context.Context, r, module card.Reader) error {
					im, err := sis.Read(ctx, r)
					if err != nil {
						return err
					}
					m, err := sis.OpenModule(ctx, module)
					if err != nil {
						return err
					}
					defer m.Close()
					insurance, err := m.Open(ctx, im)
					if err == nil && insurance.Mutuality == "" {
						t.Error("no mutuality")
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if r.Connections() != 0 || sam.Connections() != 0 {
				t.Error("connections stay open")
			}
			sam.Remove()
			for e := (Event{}); e.Kind != CardRemoved; {
				if e = wait(t, w.events, "the module to go"); e.Kind == CardRemoved && e.Reader != "SAM reader" || e.Kind == CardInserted && (e.CardID != id || e.Card != SIS) {
					t.Fatalf("%+v", e)
				}
			}
			err = w.hub.useSIS(t.Context(), passFor(id), id, func(_ context.Context, _, module card.Reader) error {
				if module != nil {
					t.Error("a module that is not there")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFrozen: a card from which nothing comes, and a program that never lets go of one, are given up.
func TestFrozen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		on   testcards.Step
		want protocol.Code
	}{"card": {testcards.AtCommand, protocol.ReaderError}, "connecting": {testcards.AtConnect, protocol.ReaderError}, "program": {testcards.AtBegin, protocol.CardBusy}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := loaded("reader", simulated(t, "citizen-1.8", 0))
			w := start(t, Options{Stall: 50 * time.Millisecond}, r)
			id := w.cardID(t, "reader")
			r.SetFaults(testcards.Fault{Kind: testcards.Silence, On: tt.on})
			if err := w.hub.use(t.Context(), passFor(id), id, surname()); Fault(err).Code != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
			if r.Connections() != 0 {
				t.Error("the connection stays open")
			}
		})
	}
}
