package cards

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
)

// world is a system of simulated readers with a running Hub.
type world struct {
	*testcards.System
	hub    *Hub
	events chan Event

	mu   sync.Mutex
	left int    // commands until do is run
	do   func() // nil: nothing is to happen
}

// strike has do run just before the nth command from now on.
func (w *world) strike(n int, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.do = n, do
}

// command is before each command.
func (w *world) command() {
	w.mu.Lock()
	do := w.do
	if w.left--; w.left > 0 {
		do = nil
	}
	if do != nil {
		w.do = nil
	}
	w.mu.Unlock()
	if do != nil {
		do()
	}
}

const patience = 30 * time.Second // of a test, before it says that nothing came

// start runs a hub on a system; o may leave System and Open out.
func start(t *testing.T, o Options, readers ...*testcards.Reader) *world {
	t.Helper()
	w := &world{System: &testcards.System{}, events: make(chan Event, 100)}
	for _, r := range readers {
		w.AddReader(r)
	}
	if o.System == nil {
		o.System = w.System
	}
	if o.Open == nil {
		o.Open = func(name string) card.Reader { return named{w.System, name, w.command} }
	}
	w.hub = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	wait(t, w.hub.Ready(), "the hub to know its readers")
	_, stop := w.hub.Subscribe(func(e Event) { w.events <- e })
	t.Cleanup(stop)
	return w
}

// named is the reader of a name, looked for when it is connected to, as PC/SC's are.
type named struct {
	system  *testcards.System
	name    string
	command func() // before each; nil: nothing
}

func (r named) Name() string { return r.name }

func (r named) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	real, err := r.system.Reader(r.name)
	if err != nil {
		return nil, err
	}
	tr, err := real.Connect(ctx, mode)
	if err != nil || r.command == nil {
		return tr, err
	}
	return struckTransport{tr, r.command}, nil
}

type struckTransport struct {
	card.Transport
	command func()
}

func (t struckTransport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	t.command()
	return t.Transport.Transmit(ctx, command)
}

func wait[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	return v
}

// next is the next event, which must be of that kind.
func (w *world) next(t *testing.T, kind EventKind) Event {
	t.Helper()
	e := wait(t, w.events, string(kind))
	if e.Kind != kind {
		t.Fatalf("event %+v, want %s", e, kind)
	}
	return e
}

// cardID is that of the card in a reader, which must be there.
func (w *world) cardID(t *testing.T, reader string) string {
	t.Helper()
	for _, r := range w.hub.Readers() {
		if r.Name == reader && r.Card != nil {
			return r.Card.ID
		}
	}
	t.Fatalf("no card in %s: %+v", reader, w.hub.Readers())
	return ""
}

// fakePass is a pass for one insertion.
type fakePass struct {
	insertion, who string

	mu        sync.Mutex
	cancelled error
}

func passFor(id string) *fakePass { return &fakePass{insertion: id, who: "https://one.example"} }

func (p *fakePass) Insertion() string { return p.insertion }

func (p *fakePass) Client() access.Client {
	return access.Client{Kind: access.Program, PairingID: "1", Name: p.who}
}

func (p *fakePass) Check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cancelled
}

func (p *fakePass) Cancel(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancelled == nil {
		p.cancelled = why
	}
}

func loaded(name string, chip testcards.Chip) *testcards.Reader {
	r := testcards.NewReader(name, testcards.ReaderOptions{})
	if chip != nil {
		r.Insert(chip)
	}
	return r
}

func simulated(t testing.TB, profile string, seed uint64) *testcards.Card {
	t.Helper()
	sim, err := testcards.Open(profile, testcards.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

func rightPIN(context.Context, beid.PINRequest) (card.PIN, error) {
	return card.NewPIN([]byte(testcards.PIN))
}

// surname is an operation that reads the identity.
func surname() func(context.Context, *beid.Card) error {
	return func(ctx context.Context, c *beid.Card) error {
		_, err := c.Identity(ctx)
		return err
	}
}
