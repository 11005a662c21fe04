package cards

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/sis"
)

// Run watches the readers until ctx ends, whose error it returns. A service that
// stops, or is not there yet, is waited for. When Run returns, every card counts
// as gone: operations end. It is called once.
func (h *Hub) Run(ctx context.Context) error {
	err := card.Watch(ctx, source{h}, func(e card.Event) error {
		h.handle(e)
		return nil
	})
	h.mu.Lock()
	h.available = false
	for _, s := range h.slots {
		h.removeLocked(s, card.ErrClosed)
	}
	h.slots = nil
	h.notifyLocked()
	h.mu.Unlock()
	h.setReady()
	return err
}

// source is the system as Run watches it: it notes the number that the system
// gives each insertion, which the events do not have, and takes whatever goes
// wrong for a service to be waited for.
type source struct{ h *Hub }

func (s source) Wait(ctx context.Context, known []card.ReaderState) ([]card.ReaderState, error) {
	if known != nil { // the first list has been reported
		s.h.setReady()
	}
	now, err := s.h.o.System.Wait(ctx, known)
	s.h.found(now, err)
	switch {
	case err != nil && ctx.Err() == nil && !errors.Is(err, card.ErrNoService):
		s.h.log.Warn("watching the readers failed: trying again", "error", err)
		return nil, fmt.Errorf("%w: %w", card.ErrNoService, err)
	case err != nil:
		return nil, err
	}
	if s.h.o.Ignore != nil {
		now = slices.DeleteFunc(slices.Clone(now), func(r card.ReaderState) bool { return s.h.o.Ignore(r.Name) })
	}
	return now, nil
}

// found notes what the system told.
func (h *Hub) found(now []card.ReaderState, err error) {
	h.states = map[string]card.ReaderState{}
	for _, r := range now {
		h.states[r.Name] = r
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.available = err == nil
}

func (h *Hub) setReady() { h.readyOnce.Do(func() { close(h.ready) }) }

// handle is one event of card.Watch.
func (h *Hub) handle(e card.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.slots, func(s *slot) bool { return s.name == e.Reader })
	switch e.Kind {
	case card.ServiceLost:
		h.log.Warn("the smart card service does not answer: is it running?")
		h.setReady()
		return
	case card.ServiceFound:
		h.log.Info("the smart card service answers")
	case card.ReaderAdded:
		h.slots = append(h.slots, &slot{name: e.Reader})
		h.log.Info("reader added", "reader", e.Reader)
	case card.ReaderRemoved:
		if i >= 0 {
			h.removeLocked(h.slots[i], card.ErrRemoved)
			h.slots = slices.Delete(h.slots, i, i+1)
		}
		h.log.Info("reader removed", "reader", e.Reader)
	case card.CardRemoved:
		if i >= 0 && !h.staysLocked(h.slots[i]) {
			h.removeLocked(h.slots[i], card.ErrRemoved)
		}
	case card.CardInserted:
		if i >= 0 {
			h.insertLocked(h.slots[i], kindOf(e.ATR))
		}
	case card.CardMute:
		if i >= 0 {
			h.insertLocked(h.slots[i], Mute)
		}
	}
	h.notifyLocked()
}

// staysLocked tells of a removal whether it was none: some readers show a memory
// card as mute or present as they are told to take it, and the system's number
// says that it is the same.
func (h *Hub) staysLocked(s *slot) bool {
	now, there := h.states[s.name]
	return s.card != nil && there && now.Card != card.Absent && now.Count != 0 && now.Count == s.card.count
}

func (h *Hub) insertLocked(s *slot, kind Kind) {
	if s.card != nil && h.staysLocked(s) {
		if kind != Mute { // which it is again when the reader is told nothing more
			s.card.kind = kind
		}
		return
	}
	h.removeLocked(s, card.ErrRemoved)
	c := &insertion{id: newID(), reader: s.name, kind: kind, count: h.states[s.name].Count, memory: reading.NewMemory()}
	c.gone, c.leave = context.WithCancelCause(context.Background())
	s.card = c
	h.log.Info("card inserted", "reader", s.name, "kind", kind)
}

// removeLocked ends whatever goes on with the card of s, and forgets it.
func (h *Hub) removeLocked(s *slot, why error) {
	if s.card == nil {
		return
	}
	s.card.leave(why)
	s.card = nil
	h.log.Info("card removed", "reader", s.name)
}

// kindOf is what an answer to reset tells.
func kindOf(atr []byte) Kind {
	switch {
	case beid.KnownATR(atr):
		return EID
	case sis.MemoryCard(atr):
		return SIS
	}
	return Unknown
}
