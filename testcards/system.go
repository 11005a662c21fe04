package testcards

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/eidkit/eidkit/card"
)

// System is a set of simulated readers as a PC/SC service shows them: a card.System. Readers come and go, the service stops and
// starts; whoever waits hears of it at once. The zero System runs and has no readers.
type System struct {
	mu      sync.Mutex
	changed chan struct{}
	readers []*Reader
	stopped bool
}

// AddReader plugs r in. A reader belongs to one System at most.
func (s *System) AddReader(r *Reader) {
	s.mu.Lock()
	s.readers = append(s.readers, r)
	stopped := s.stopped
	s.mu.Unlock()
	r.mu.Lock()
	r.system = s
	r.mu.Unlock()
	if stopped {
		r.disable(card.ErrNoService, card.ErrNoService)
	} else {
		r.enable()
	}
}

// RemoveReader unplugs r, the card in it included: connections fail with ErrRemoved, new ones with ErrNoReader.
func (s *System) RemoveReader(r *Reader) {
	s.mu.Lock()
	s.readers = slices.DeleteFunc(s.readers, func(have *Reader) bool { return have == r })
	s.mu.Unlock()
	r.disable(card.ErrNoReader, card.ErrRemoved)
}

// Stop stops the service: Wait and every connection fail with ErrNoService, those connections for ever.
func (s *System) Stop() {
	for _, r := range s.switched(true) {
		r.disable(card.ErrNoService, card.ErrNoService)
	}
	s.broadcast()
}

// Start starts it again, with the same readers and what is in them.
func (s *System) Start() {
	for _, r := range s.switched(false) {
		r.enable()
	}
	s.broadcast()
}

func (s *System) switched(stopped bool) []*Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = stopped
	return slices.Clone(s.readers)
}

func (s *System) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// snapshot gives the readers, and a channel that closes at the next change.
func (s *System) snapshot() ([]*Reader, <-chan struct{}, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return slices.Clone(s.readers), s.changed, s.stopped
}

// Reader finds a reader by its name; the error wraps ErrNoService or ErrNoReader.
func (s *System) Reader(name string) (*Reader, error) {
	readers, _, stopped := s.snapshot()
	if stopped {
		return nil, card.ErrNoService
	}
	for _, r := range readers {
		if r.name == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("reader %s: %w", name, card.ErrNoReader)
}

// Wait is card.System's.
func (s *System) Wait(ctx context.Context, known []card.ReaderState) ([]card.ReaderState, error) {
	for {
		readers, changed, stopped := s.snapshot()
		if stopped {
			return nil, fmt.Errorf("simulated readers: %w", card.ErrNoService)
		}
		now := make([]card.ReaderState, 0, len(readers))
		for _, r := range readers {
			now = append(now, r.state())
		}
		if known == nil || !slices.EqualFunc(known, now, sameState) {
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func sameState(a, b card.ReaderState) bool {
	return a.Name == b.Name && a.Card == b.Card && a.Count == b.Count && bytes.Equal(a.ATR, b.ATR)
}
