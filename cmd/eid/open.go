package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/testcards"
)

// testcardPrefix in --reader names a simulated card inside this program, for which no reader and no service is needed.
const testcardPrefix = "testcard:"

// session is an open card and what was noted about it.
type session struct {
	*beid.Card
	trace *card.Trace
	test  *testcards.Card // the simulated card behind it, if it is one
	begun time.Time       // when connecting to it began
}

// openCard opens the eID to work with: the one in the reader asked for, or the only one there is.
func (a *app) openCard(ctx context.Context) (*session, error) {
	if name, ok := strings.CutPrefix(a.reader, testcardPrefix); ok {
		return a.openTestcard(ctx, name)
	}
	if a.reader != "" {
		r, err := pcsc.OpenWith(ctx, pcsc.Options{Name: a.reader})
		if err != nil {
			return nil, err
		}
		return a.openIn(ctx, r)
	}
	states, err := pcsc.Readers(ctx)
	if err != nil {
		return nil, err
	}
	return a.openOnly(ctx, states)
}

func (a *app) openIn(ctx context.Context, r card.Reader) (*session, error) {
	s := &session{trace: &card.Trace{Out: a.traceTo}, begun: time.Now()}
	if a.traceTo == nil && a.trace {
		s.trace.Out = a.err
	}
	c, err := beid.OpenWith(ctx, s.trace.Reader(card.Limited(r, 0)), beid.Options{Language: a.lang})
	if err != nil {
		return nil, err
	}
	s.Card = c
	return s, nil
}

func (a *app) openTestcard(ctx context.Context, profile string) (*session, error) {
	sim, err := openSimulated(profile, 0)
	if err != nil {
		return nil, hinted{usageError{err}, "see the profiles with: eid testcard list"}
	}
	s, err := a.openIn(ctx, sim.Reader())
	if err != nil {
		return nil, err
	}
	s.test = sim
	return s, nil
}

// openOnly opens the one eID in the readers given, in their sensible order. With several it asks, on a terminal.
func (a *app) openOnly(ctx context.Context, states []card.ReaderState) (*session, error) {
	var found []*session
	closeAll := func(but *session) {
		for _, s := range found {
			if s != but {
				s.Close()
			}
		}
	}
	problem := card.ErrNoReader
	for _, state := range a.usable(states) {
		s, err := a.openState(ctx, state)
		if ctx.Err() != nil {
			closeAll(nil)
			return nil, ctx.Err()
		}
		if err == nil {
			found = append(found, s)
		} else {
			problem = worse(problem, err)
		}
	}
	switch len(found) {
	case 0:
		return nil, problem
	case 1:
		return found[0], nil
	}
	chosen, err := a.choose(ctx, found)
	closeAll(chosen)
	return chosen, err
}

func (a *app) openState(ctx context.Context, state card.ReaderState) (*session, error) {
	switch state.Card {
	case card.Absent:
		return nil, fmt.Errorf("%s: %w", state.Name, card.ErrNoCard)
	case card.Mute:
		return nil, fmt.Errorf("%s: %w", state.Name, card.ErrMute)
	}
	return a.openIn(ctx, pcsc.Named(state.Name))
}

// readLine reads a line that is typed, as long as ctx lasts.
func (a *app) readLine(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(a.in).ReadString('\n')
		typed <- answer{line, err}
	}()
	select {
	case t := <-typed:
		return t.line, t.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// usable leaves out the readers that are not meant: see wants.
func (a *app) usable(states []card.ReaderState) []card.ReaderState {
	return slices.DeleteFunc(slices.Clone(states), func(s card.ReaderState) bool { return !a.wants(s.Name) })
}

// wants tells whether cards in this reader are meant: by --reader, or else unless it is left out.
func (a *app) wants(reader string) bool {
	if a.reader != "" {
		return strings.Contains(strings.ToLower(reader), strings.ToLower(a.reader))
	}
	return !pcsc.Options{Ignore: a.config.Readers.Ignore}.Ignores(reader)
}

// worse keeps, of what hindered several readers, what says most: a card that is there but does not work before an empty reader.
func worse(old, new error) error {
	rank := func(err error) int {
		switch {
		case errors.Is(err, card.ErrNoReader):
			return 0
		case errors.Is(err, card.ErrNoCard):
			return 1
		case errors.Is(err, beid.ErrNotEID):
			return 2
		}
		return 3
	}
	if rank(new) > rank(old) {
		return new
	}
	return old
}

// choose asks which of several cards is meant. Off a terminal it is an error that names them.
func (a *app) choose(ctx context.Context, found []*session) (*session, error) {
	names := make([]string, len(found))
	for i, s := range found {
		names[i] = s.ReaderName()
	}
	if !isTerminal(a.in) || !isTerminal(a.err) {
		return nil, &pcsc.ChoiceError{Readers: names}
	}
	fmt.Fprintln(a.err, "There are several eID cards. Which one?")
	for i, s := range found {
		holder := "(cannot be read)"
		if id, err := s.Identity(ctx); err == nil {
			holder = id.GivenNames + " " + id.Surname
		}
		fmt.Fprintf(a.err, "  %d  %s, in %s\n", i+1, termview.Clean(holder), termview.Clean(names[i]))
	}
	fmt.Fprintf(a.err, "Number (1 to %d): ", len(found))
	line, err := a.readLine(ctx)
	if n, convErr := strconv.Atoi(strings.TrimSpace(line)); err == nil && convErr == nil && n >= 1 && n <= len(found) {
		return found[n-1], nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, usagef("no card chosen")
}
