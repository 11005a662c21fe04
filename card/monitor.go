package card

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ReaderState is a reader and what is in it, at one moment.
type ReaderState struct {
	Name  string
	Card  Presence
	ATR   []byte // of the card, if Present
	Count uint32 // moves with every insertion and removal, where the system counts them
}

// Presence says what is in a reader.
type Presence int

// What a reader can hold.
const (
	Absent  Presence = iota // no card
	Present                 // a card that answered to reset
	Mute                    // a card that did not
)

// System is a set of readers that can be watched: the machine's PC/SC service or a simulation.
type System interface {
	// Wait returns the readers there are, in the system's order, as soon as they differ from known; at once if known is nil. It
	// returns an error that wraps ErrNoService when the service is not there, and ctx's when ctx ends.
	Wait(ctx context.Context, known []ReaderState) ([]ReaderState, error)
}

// Event is a change that Watch saw.
type Event struct {
	Kind   EventKind
	Reader string
	ATR    []byte // of the card inserted
}

// EventKind is the kind of an Event.
type EventKind int

// The events of Watch. After ServiceLost every reader counts as gone; ServiceFound is followed by what is there.
const (
	ReaderAdded EventKind = iota
	ReaderRemoved
	CardInserted
	CardRemoved
	CardMute
	ServiceLost
	ServiceFound
)

var eventNames = [...]string{"reader added", "reader removed", "card inserted", "card removed", "card mute", "service lost", "service found"}

func (k EventKind) String() string {
	if k < 0 || int(k) >= len(eventNames) {
		return fmt.Sprintf("event %d", int(k))
	}
	return eventNames[k]
}

// How long Watch waits before it asks again for a service that is gone: doubling, between these. Variables for the tests.
var (
	serviceRetryMin = 100 * time.Millisecond
	serviceRetryMax = 2 * time.Second
)

// Watch calls f for everything that happens in s, beginning with what is there, until ctx ends or f fails; it returns that error.
// A service that stops is waited for: f hears ServiceLost once, then ServiceFound.
func Watch(ctx context.Context, s System, f func(Event) error) error {
	var known []ReaderState
	lost, retry := false, serviceRetryMin
	for {
		now, err := s.Wait(ctx, known)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, ErrNoService):
			return fmt.Errorf("watching readers: %w", err)
		case err != nil:
			if !lost {
				lost = true
				if err := report(f, known, nil); err != nil {
					return err
				}
				known = nil
				if err := f(Event{Kind: ServiceLost}); err != nil {
					return err
				}
			}
			timer := time.NewTimer(retry)
			select {
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			case <-timer.C:
			}
			retry = min(2*retry, serviceRetryMax)
			continue
		}
		if lost {
			lost, retry = false, serviceRetryMin
			if err := f(Event{Kind: ServiceFound}); err != nil {
				return err
			}
		}
		if err := report(f, known, now); err != nil {
			return err
		}
		if now == nil {
			now = []ReaderState{}
		}
		known = now
	}
}

// report tells f what leads from one set of readers to the next: removals first.
func report(f func(Event) error, from, to []ReaderState) error {
	var events []Event
	before := map[string]ReaderState{}
	for _, r := range from {
		before[r.Name] = r
	}
	after := map[string]ReaderState{}
	for _, r := range to {
		after[r.Name] = r
	}
	for _, old := range from {
		r, still := after[old.Name]
		if old.Card != Absent && (!still || r.Card != old.Card || r.Count != old.Count) {
			events = append(events, Event{Kind: CardRemoved, Reader: old.Name})
		}
		if !still {
			events = append(events, Event{Kind: ReaderRemoved, Reader: old.Name})
		}
	}
	for _, r := range to {
		old, was := before[r.Name]
		if !was {
			events = append(events, Event{Kind: ReaderAdded, Reader: r.Name})
		}
		if was && r.Card == old.Card && r.Count == old.Count {
			continue
		}
		switch r.Card {
		case Present:
			events = append(events, Event{Kind: CardInserted, Reader: r.Name, ATR: r.ATR})
		case Mute:
			events = append(events, Event{Kind: CardMute, Reader: r.Name})
		}
	}
	for _, e := range events {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}
