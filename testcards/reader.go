package testcards

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eidkit/eidkit/card"
)

// ReaderOptions vary a simulated reader. The zero options are a reader without a pinpad in a patient system.
type ReaderOptions struct {
	// Pinpad gives the reader the PC/SC part 10 features for verifying and changing a PIN on its own keys. The person at them
	// does what Reader.Type says.
	Pinpad bool

	// IdleReset resets a card that gets no command for so long inside a transaction, and ends the transaction, as Windows does
	// after five seconds. 0 is never.
	IdleReset time.Duration
}

// Reader is a simulated reader: a card.Reader to programs, and to a test the hand that puts cards in and takes them out. Several
// programs may be connected, as through PC/SC: transactions exclude each other, a reset by one of them is ErrReset to the others,
// a removal is ErrRemoved to all. Safe for concurrent use; nothing in it polls or sleeps.
type Reader struct {
	name string
	opts ReaderOptions

	mu          sync.Mutex
	changed     chan struct{} // closed, and replaced, at every change that a waiting call may wait for
	system      *System       // nil: none
	unusable    error         // ErrNoReader or ErrNoService: Connect fails so
	card        Chip
	mute        bool   // something is in the reader that does not answer
	count       uint32 // insertions and removals
	connections map[*connection]bool
	holder      *connection // has the transaction
	busy        *connection // has a command under way
	idle        *time.Timer
	armed       []*armedFault
	typed       []string // at the pinpad, not yet asked for
}

// NewReader makes an empty reader that belongs to no System.
func NewReader(name string, o ReaderOptions) *Reader {
	return &Reader{name: name, opts: o, changed: make(chan struct{}), connections: map[*connection]bool{}}
}

// Chip is what can be put into a Reader: a *Card, or a card of another kind, such as those of testcards/sis. One without an answer to
// reset does not answer until a control call changed that. Calls are made one at a time.
type Chip interface {
	ATR() []byte
	PowerOn()
	PowerOff()
	Reset()
	// Transmit answers one command, status word included.
	Transmit(command []byte) []byte
}

// Controlled is a Chip whose reader takes control calls on its behalf, as readers for memory cards do. ok is false for a code or data
// that the reader does not know.
type Controlled interface {
	Control(code uint32, data []byte) (answer []byte, ok bool)
}

// Reader puts the card into a new reader of its own.
func (c *Card) Reader() *Reader {
	r := NewReader("eidkit test reader", ReaderOptions{})
	r.Insert(c)
	return r
}

// Name is the name given to NewReader.
func (r *Reader) Name() string { return r.name }

// Connections is the number of connections not closed yet, for tests that nothing stays open.
func (r *Reader) Connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.connections)
}

// Insert puts c in and gives it power. What was in the reader is taken out first.
func (r *Reader) Insert(c Chip) { r.replace(c, false) }

// InsertMute puts something in that does not answer to reset: a card the wrong way round.
func (r *Reader) InsertMute() { r.replace(nil, true) }

// Remove takes the card out. Every connection to it fails with ErrRemoved from then on, whatever is put in afterwards.
func (r *Reader) Remove() { r.replace(nil, false) }

func (r *Reader) replace(c Chip, mute bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.takeOut()
	if c != nil || mute {
		r.card, r.mute = c, mute
		r.count++
		if c != nil {
			c.PowerOn()
		}
	}
	r.broadcast()
}

// takeOut empties the reader. r.mu is held.
func (r *Reader) takeOut() {
	if r.card == nil && !r.mute {
		return
	}
	if r.card != nil {
		r.card.PowerOff()
	}
	r.card, r.mute = nil, false
	r.count++
	r.lose(card.ErrRemoved, func(c *connection) bool { return c.atr != nil })
	r.broadcast()
}

// lose makes connections fail with err for ever. r.mu is held.
func (r *Reader) lose(err error, which func(*connection) bool) {
	for c := range r.connections {
		if which(c) {
			c.lost = err
			r.release(c)
		}
	}
}

// ResetByOther resets the card as another program would, not minding transactions: whoever has one loses it.
func (r *Reader) ResetByOther() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reset(nil)
}

// reset is a warm reset by one connection, or by nobody known. r.mu is held.
func (r *Reader) reset(by *connection) {
	if r.card == nil {
		return
	}
	r.card.Reset()
	for c := range r.connections {
		if c != by {
			c.reset = true
			r.release(c)
		}
	}
	r.broadcast()
}

// release ends c's transaction, if it has one. r.mu is held.
func (r *Reader) release(c *connection) {
	if r.holder == c {
		r.holder = nil
		r.stopIdle()
		r.broadcast()
	}
}

// broadcast wakes every waiting call, to look again. r.mu is held.
func (r *Reader) broadcast() {
	close(r.changed)
	r.changed = make(chan struct{})
	if r.system != nil {
		r.system.broadcast()
	}
}

// startIdle begins to count the time that a transaction is idle. r.mu is held.
func (r *Reader) startIdle(c *connection) {
	if r.opts.IdleReset <= 0 || r.holder != c {
		return
	}
	r.stopIdle()
	var timer *time.Timer
	timer = time.AfterFunc(r.opts.IdleReset, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.idle == timer {
			r.reset(nil)
		}
	})
	r.idle = timer
}

func (r *Reader) stopIdle() {
	if r.idle != nil {
		r.idle.Stop()
		r.idle = nil
	}
}

// Connect is card.Reader's.
func (r *Reader) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &connection{r: r, mode: mode, protocol: card.ProtocolNone}
	r.connections[c] = true
	if err := r.admit(ctx, c); err != nil {
		delete(r.connections, c)
		return nil, fmt.Errorf("reader %s: %w", r.name, err)
	}
	return c, nil
}

// admit lets a new connection in, or says why not. r.mu is held.
func (r *Reader) admit(ctx context.Context, c *connection) error {
	if r.unusable != nil {
		return r.unusable
	}
	switch err := r.strike(ctx, c, AtConnect); {
	case errors.Is(err, card.ErrRemoved):
		return card.ErrNoCard
	case err != nil && !errors.Is(err, card.ErrReset): // before a connection there is nothing to lose by a reset
		return err
	}
	for other := range r.connections {
		if other != c && (c.mode == card.Exclusive || other.mode == card.Exclusive) {
			return card.ErrBusy
		}
	}
	switch {
	case r.card != nil && (c.mode == card.Direct || len(r.card.ATR()) > 0):
		c.atr = r.card.ATR()
		if c.mode != card.Direct {
			c.protocol = card.ProtocolT0
		}
	case c.mode == card.Direct:
	case r.mute || r.card != nil:
		return card.ErrMute
	default:
		return card.ErrNoCard
	}
	c.reset = false
	return nil
}

// state is what a System tells about the reader.
func (r *Reader) state() card.ReaderState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := card.ReaderState{Name: r.name, Count: r.count}
	switch {
	case r.card != nil && len(r.card.ATR()) > 0:
		s.Card, s.ATR = card.Present, r.card.ATR()
	case r.mute || r.card != nil:
		s.Card = card.Mute
	}
	return s
}

// disable makes the reader fail with err, connections included, until enable.
func (r *Reader) disable(connect, connections error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unusable = connect
	r.lose(connections, func(*connection) bool { return true })
	r.broadcast()
}

func (r *Reader) enable() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unusable = nil
	r.broadcast()
}
