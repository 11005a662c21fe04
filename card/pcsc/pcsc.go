// Package pcsc reaches the machine's smart-card readers through PC/SC: pcsc-lite on Linux and the BSDs, WinSCard on Windows,
// CryptoTokenKit's PCSC framework on macOS.
//
// Start with [Open] for the one reader that holds a card, [Readers] for a list, [System] with card.Watch for events:
//
//	reader, err := pcsc.Open(ctx, "")
//	c, err := card.Open(ctx, reader)
//
// Every call ends when its context does, whatever the service, the reader or the card are doing. What cannot be interrupted (a
// command that a mute card never answers, a transaction that another program never ends) goes on in the background, and frees
// its handle and context as soon as it comes back.
//
// A connection that is cut short inside a transaction, by the end of a context or by Close, has its card reset: nobody can tell
// whether it had verified a PIN, and both pcscd and Windows do the same when a program dies there.
//
// Waiting: while another program holds a transaction, pcsc-lite's client library asks again every 100 ms, in
// SCardBeginTransaction and in every other call on the card; a waiter therefore starts up to 100 ms late, and two waiters are not
// served in order. SCardConnect waits in the service in the same way. Windows wakes waiters at once.
//
// Without cgo, a Unix build holds stubs that say so; Windows needs no cgo. What is an eID is not this package's business: it
// never sends a command of its own to a card.
//
// References: PC/SC specification part 5; pcsc-lite's winscard.h (https://pcsclite.apdu.fr/api/); Microsoft's winscard.h.
package pcsc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/card"
)

// Options choose a reader. The zero value means the reader with a card, leaving out readers that take no eID.
type Options struct {
	// Name is a reader's name, or a part of it in any case of letters. A reader that is named so is never left out.
	Name string

	// Ignore lists readers to leave out: names or parts of them, in any case of letters.
	Ignore []string
}

// ChoiceError says that several readers would do and the caller must name one.
type ChoiceError struct {
	Readers []string // the names, in the system's order
}

func (e *ChoiceError) Error() string {
	return fmt.Sprintf("which reader: %s?", strings.Join(quoted(e.Readers), " or "))
}

// Open returns the reader that name means and that holds a card; "" means the only one that does. It connects to nothing.
// Errors wrap ErrNoService, ErrNoReader, ErrNoCard or ErrMute, or are a *ChoiceError.
func Open(ctx context.Context, name string) (card.Reader, error) {
	return OpenWith(ctx, Options{Name: name})
}

// OpenWith is Open with options.
func OpenWith(ctx context.Context, o Options) (card.Reader, error) {
	found, err := Candidates(ctx, o)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		choice := &ChoiceError{}
		for _, r := range found {
			choice.Readers = append(choice.Readers, r.Name())
		}
		return nil, choice
	}
	return found[0], nil
}

// Candidates returns all readers that Open would have to choose from, at least one, for a caller that can look at the cards to
// see which of them is meant. Errors are those of Open, without the choice.
func Candidates(ctx context.Context, o Options) ([]card.Reader, error) {
	states, err := Readers(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(states, o)
	if err != nil {
		return nil, err
	}
	readers := make([]card.Reader, 0, len(chosen))
	for _, s := range chosen {
		readers = append(readers, Named(s.Name))
	}
	return readers, nil
}

// Named returns the reader of exactly that name, present or not: Connect tells. It is what a connection in mode Direct, without
// a card, begins with.
func Named(name string) card.Reader { return reader{name} }

type reader struct{ name string }

func (r reader) Name() string { return r.name }

// System is the machine's PC/SC service, to be watched with card.Watch.
func System() card.System { return changes{} }

// Readers lists the readers there are, in the system's order, and what is in them. No readers is an empty list. Errors wrap
// ErrNoService; on Windows that is also how a machine without any reader looks, for its service runs only while there is one.
func Readers(ctx context.Context) ([]card.ReaderState, error) { return System().Wait(ctx, nil) }

// choose is the rule of Open, on a list of readers: at least one, or an error.
func choose(states []card.ReaderState, o Options) ([]card.ReaderState, error) {
	if len(states) == 0 {
		return nil, card.ErrNoReader
	}
	usable := states
	if o.Name != "" {
		usable = named(states, o.Name)
		if len(usable) == 0 {
			return nil, fmt.Errorf("%w by the name of %q; there is %s", card.ErrNoReader, o.Name, strings.Join(quoted(names(states)), ", "))
		}
	} else {
		usable = slices.DeleteFunc(slices.Clone(states), func(s card.ReaderState) bool { return o.Ignores(s.Name) })
		if len(usable) == 0 {
			return nil, fmt.Errorf("%w for an eID; ignored: %s", card.ErrNoReader, strings.Join(quoted(names(states)), ", "))
		}
	}
	if full := with(usable, card.Present); len(full) > 0 {
		return full, nil
	}
	if mute := with(usable, card.Mute); len(mute) > 0 {
		return nil, fmt.Errorf("%s: %w", strings.Join(names(mute), ", "), card.ErrMute)
	}
	return nil, fmt.Errorf("%s: %w", strings.Join(names(usable), ", "), card.ErrNoCard)
}

// named returns the reader of exactly that name, or else all that have it as a part.
func named(states []card.ReaderState, name string) []card.ReaderState {
	var partly []card.ReaderState
	for _, s := range states {
		if s.Name == name {
			return []card.ReaderState{s}
		}
		if hasPart(s.Name, name) {
			partly = append(partly, s)
		}
	}
	return partly
}

func with(states []card.ReaderState, p card.Presence) []card.ReaderState {
	var found []card.ReaderState
	for _, s := range states {
		if s.Card == p {
			found = append(found, s)
		}
	}
	return found
}

func names(states []card.ReaderState) []string {
	out := make([]string, len(states))
	for i, s := range states {
		out[i] = s.Name
	}
	return out
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return out
}
