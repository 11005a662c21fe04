//go:build cgo || windows

package pcsc

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/ebfe/scard"

	"github.com/eidkit/eidkit/card"
)

// pnpReader is the name that stands for the list of readers itself in SCardGetStatusChange.
const pnpReader = `\\?PnP?\Notification`

// hasPnP is whether the service knows pnpReader. Apple's does not.
var hasPnP = runtime.GOOS != "darwin"

// How long one wait lasts before the list of readers is looked at again. Not for the events, which end a wait at once: before
// version 2.3, pcsc-lite does not notice a reader that is added between listing and waiting. The short wait follows upon changes,
// which come in bunches when readers are plugged in or the service starts.
const (
	shortWait = time.Second
	longWait  = time.Minute
)

// changes is the machine's PC/SC service as a card.System.
type changes struct{}

// Wait is card.System's. Each call has a context of its own with the service, so a service that was started anew is met afresh.
func (changes) Wait(ctx context.Context, known []card.ReaderState) ([]card.ReaderState, error) {
	s := &watch{}
	s.w = startWorker(s.free, s.cancel)
	now, err := call(ctx, s.w, func() ([]card.ReaderState, error) { return s.wait(known) })
	s.w.close()
	return now, err
}

// watch is one Wait.
type watch struct {
	w *worker

	mu      sync.Mutex // guards context against its release during a cancel
	context *scard.Context
}

func (s *watch) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.context != nil {
		_ = s.context.Release()
		s.context = nil
	}
}

func (s *watch) cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.context != nil {
		_ = s.context.Cancel()
	}
}

func (s *watch) wait(known []card.ReaderState) ([]card.ReaderState, error) {
	context, err := scard.EstablishContext()
	if err != nil {
		return nil, before(err)
	}
	s.mu.Lock()
	s.context = context
	s.mu.Unlock()

	patience := shortWait
	for !s.stopped() {
		states, now, err := look(context)
		if errors.Is(err, scard.ErrUnknownReader) { // one went between listing and looking
			continue
		}
		if err != nil {
			return nil, before(err)
		}
		if known == nil || !slices.EqualFunc(now, known, sameState) {
			return now, nil
		}
		err = s.sleep(states, patience)
		switch {
		case errors.Is(err, scard.ErrTimeout):
			patience = longWait
		case err != nil && !errors.Is(err, scard.ErrUnknownReader):
			return nil, before(err)
		default:
			patience = shortWait
		}
	}
	return nil, card.ErrClosed // nobody waits for this any more
}

func (s *watch) stopped() bool {
	select {
	case <-s.w.stop:
		return true
	default:
		return false
	}
}

// sleep returns when something may have changed: nil after an event, scard.ErrTimeout after the given time.
func (s *watch) sleep(states []scard.ReaderState, patience time.Duration) error {
	for i := range states {
		states[i].CurrentState = states[i].EventState &^ scard.StateChanged
	}
	if hasPnP {
		return statusChange(s.context, states, patience)
	}
	if len(states) > 0 {
		return statusChange(s.context, states, shortWait)
	}
	timer := time.NewTimer(shortWait)
	defer timer.Stop()
	select {
	case <-s.w.stop:
	case <-timer.C:
	}
	return scard.ErrTimeout
}

// look returns the readers and what is in them, twice: as PC/SC says it, ready to be waited upon, and as this project does.
func look(context *scard.Context) ([]scard.ReaderState, []card.ReaderState, error) {
	names, err := list(context)
	if err != nil {
		return nil, nil, err
	}
	states := make([]scard.ReaderState, 0, len(names)+1)
	for _, n := range names {
		states = append(states, scard.ReaderState{Reader: n})
	}
	if hasPnP {
		states = append(states, scard.ReaderState{Reader: pnpReader})
	}
	if len(names) > 0 {
		if err := statusChange(context, states, 0); err != nil {
			return nil, nil, err
		}
		// Newer services count changes of the list in the state of pnpReader. It was taken just now, so the list must be of now.
		again, err := list(context)
		if err != nil {
			return nil, nil, err
		}
		if !slices.Equal(names, again) {
			return nil, nil, scard.ErrUnknownReader
		}
	}
	now := make([]card.ReaderState, len(names))
	for i := range names {
		now[i] = readerState(states[i]).ReaderState
	}
	return states, now, nil
}

// list returns the names of the readers.
func list(context *scard.Context) ([]string, error) {
	for {
		names, err := context.ListReaders()
		switch {
		case errors.Is(err, scard.ErrInsufficientBuffer): // one came between asking for the length and for the names
			continue
		case errors.Is(err, scard.ErrNoReadersAvailable):
			return nil, nil
		}
		return names, err
	}
}

// state is a reader's state with PC/SC's own flags, as they are given back to wait for the next change.
type state struct {
	card.ReaderState
	flags scard.StateFlag
}

// stateOf returns the state of one reader.
func stateOf(context *scard.Context, reader string) (state, error) {
	states := []scard.ReaderState{{Reader: reader}}
	if err := statusChange(context, states, 0); err != nil {
		return state{}, err
	}
	return readerState(states[0]), nil
}

// readerState translates the flags. A card in use, in a transaction or taken exclusively is a card present.
func readerState(s scard.ReaderState) state {
	out := state{
		ReaderState: card.ReaderState{Name: s.Reader, Count: uint32(s.EventState) >> 16},
		flags:       s.EventState &^ scard.StateChanged,
	}
	switch {
	case s.EventState&scard.StatePresent == 0:
		out.Card = card.Absent
	case s.EventState&scard.StateMute != 0:
		out.Card = card.Mute
	default:
		out.Card = card.Present
		out.ATR = s.Atr
	}
	return out
}

func sameState(a, b card.ReaderState) bool {
	return a.Name == b.Name && a.Card == b.Card && a.Count == b.Count && slices.Equal(a.ATR, b.ATR)
}
