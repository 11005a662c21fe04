package cards

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
)

// closedChannel is what Gone gives for a card that is not there.
var closedChannel = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Gone is closed when the card leaves; it is for gate.Request.
func (h *Hub) Gone(cardID string) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.insertionLocked(cardID); c != nil {
		return c.gone.Done()
	}
	return closedChannel
}

// pass is what a *gate.Pass is here.
type pass interface {
	Check() error
	Cancel(why error)
	Insertion() string
	Client() access.Client
}

// Use lets f work with the eID of that ID, connected for as long as f runs: nobody
// else of this program has it meanwhile. Other operations with the card are
// waited for, Options.Queue at most. f's context ends when the card leaves; f must
// not keep the card.
//
// Errors are f's own, and those for which Fault has a code: card.ErrRemoved when
// the card left before or meanwhile, or another one came in its place (the pass is
// then cancelled), a *protocol.Error with CARD_BUSY and the holder, NOT_AUTHORISED
// for a pass that is not for this card. Without a pass that holds, the card gets
// no command.
func (h *Hub) Use(ctx context.Context, p *gate.Pass, cardID string, f func(ctx context.Context, c *beid.Card) error) error {
	if p == nil {
		return errNoPass
	}
	return h.use(ctx, p, cardID, f)
}

var errNoPass = protocol.Errorf(protocol.NotAuthorised, "no pass for this card")

func (h *Hub) use(ctx context.Context, p pass, cardID string, f func(context.Context, *beid.Card) error) error {
	return h.own(ctx, p, cardID, func(ctx context.Context, ins *insertion) error {
		c, err := h.open(ctx, ins)
		if err != nil {
			return err
		}
		defer c.Close()
		return f(ctx, c)
	})
}

// UseSIS lets f read the SIS card of that ID through r, which f must not keep, as
// Use does for an eID. module is the reader with the care provider's security
// module, nil if none has the role RoleModule and a card.
func (h *Hub) UseSIS(ctx context.Context, p *gate.Pass, cardID string, f func(ctx context.Context, r, module card.Reader) error) error {
	if p == nil {
		return errNoPass
	}
	return h.useSIS(ctx, p, cardID, f)
}

func (h *Hub) useSIS(ctx context.Context, p pass, cardID string, f func(ctx context.Context, r, module card.Reader) error) error {
	return h.own(ctx, p, cardID, func(ctx context.Context, ins *insertion) error {
		var module card.Reader
		if sam := h.module(); sam != nil && sam != ins {
			if err := sam.turn.take(ctx, p.Client().String(), h.o.Queue); err != nil {
				return err
			}
			defer sam.turn.give()
			module = h.reader(sam)
		}
		return f(ctx, h.reader(ins), module)
	})
}

// own runs f as the one owner of the card, for as long as it stays.
func (h *Hub) own(ctx context.Context, p pass, cardID string, f func(context.Context, *insertion) error) error {
	if p.Insertion() != cardID || cardID == "" {
		return errNoPass
	}
	h.mu.Lock()
	ins := h.insertionLocked(cardID)
	h.mu.Unlock()
	if ins == nil {
		return removed(p, card.ErrRemoved)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ins.gone, func() { cancel(removed(p, context.Cause(ins.gone))) })()
	if err := ins.turn.take(ctx, p.Client().String(), h.o.Queue); err != nil {
		return err
	}
	defer ins.turn.give()
	if err := p.Check(); err != nil { // it may have ended in the queue
		return err
	}
	switch {
	case ins.gone.Err() != nil:
		return removed(p, context.Cause(ins.gone))
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	err := f(ctx, ins)
	switch cause := context.Cause(ctx); {
	case errors.Is(err, context.Canceled) && cause != nil: // the removal ended the work, if it was that
		return cause
	case errors.Is(err, card.ErrRemoved):
		return removed(p, err)
	}
	return err
}

// removed ends a pass with its card.
func removed(p pass, why error) error {
	err := fmt.Errorf("the card that this was about is gone: %w", why)
	p.Cancel(err)
	return err
}

// reader is the card's reader as operations get it: no connection through it is
// to another card, and none waits for ever.
func (h *Hub) reader(ins *insertion) card.Reader {
	return ownReader{card.Limited(h.o.Open(ins.reader), h.o.Stall), h, ins}
}

// ownReader connects to one insertion alone. A card that was put in its place a
// moment ago may not have been noticed yet; so the system is asked once there is
// a connection, which is then one to the card that the answer is about.
type ownReader struct {
	card.Reader
	hub *Hub
	ins *insertion
}

func (r ownReader) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	t, err := r.Reader.Connect(ctx, mode)
	if err != nil {
		return nil, err
	}
	if err := r.hub.same(ctx, r.ins); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// same asks the system whether the card in the reader is still that of this
// insertion.
func (h *Hub) same(ctx context.Context, ins *insertion) error {
	ctx, cancel := context.WithTimeoutCause(ctx, h.o.Stall, card.ErrNoService)
	defer cancel()
	states, err := h.o.System.Wait(ctx, nil)
	if errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("looking whether the card is still there: %w", err)
	}
	for _, s := range states {
		if s.Name == ins.reader && s.Card != card.Absent && s.Count == ins.count {
			return nil
		}
	}
	return card.ErrRemoved
}

// open connects to the card. The chip's number is compared too, for systems that
// do not number insertions.
func (h *Hub) open(ctx context.Context, ins *insertion) (*beid.Card, error) {
	c, err := beid.OpenWith(ctx, h.reader(ins), beid.Options{Cache: ins.memory.Cache(), Language: h.o.Language})
	switch {
	case errors.Is(err, beid.ErrNotEID):
		h.learn(ins, Unknown)
		return nil, err
	case errors.Is(err, card.ErrNoCard) || errors.Is(err, card.ErrNoReader):
		return nil, fmt.Errorf("%w: %w", card.ErrRemoved, err)
	case err != nil:
		return nil, err
	}
	serial := c.CardData().Serial
	h.mu.Lock()
	other := ins.serial != nil && !bytes.Equal(ins.serial, serial[:])
	ins.serial = bytes.Clone(serial[:])
	h.mu.Unlock()
	if other {
		c.Close()
		ins.leave(card.ErrRemoved)
		return nil, card.ErrRemoved
	}
	h.learn(ins, EID)
	return c, nil
}

// learn notes what a card turned out to be.
func (h *Hub) learn(ins *insertion, kind Kind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ins.kind != kind {
		ins.kind = kind
		h.notifyLocked()
	}
}

// module is the card in the first reader for security modules that has one.
func (h *Hub) module() *insertion {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.slots {
		if s.card != nil && h.roleLocked(s.name) == RoleModule {
			return s.card
		}
	}
	return nil
}
