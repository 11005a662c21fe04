package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/agent/access"
)

// Bounds on questions that are open or wait, so that nobody is buried in them.
const (
	maxPerClient = 5
	maxInAll     = 32
)

// line is what one client has at the desk: one question open, the others in a line behind it.
type line struct {
	turn   chan struct{} // held by the open question
	inside int           // questions open or waiting
	denied chan struct{} // closed when the person says no: the waiting ones have their answer
}

// clientKey tells clients apart: a site is its origin, over however many connections; a program what was paired, or the file that
// runs, as the name is only what it says.
func clientKey(c access.Client) string {
	switch {
	case c.Kind == access.Site || c.Kind == access.Extension:
		return "origin " + c.Origin.String()
	case c.PairingID != "":
		return "pairing " + c.PairingID
	}
	return fmt.Sprintf("%s %s of %s", c.Kind, c.Executable, c.User)
}

// enter waits until it is the client's turn. A no to the question before, where obey is set, is answered with said.
func (d *Desk) enter(ctx context.Context, c access.Client, obey bool) (leave func(), said bool, err error) {
	key := clientKey(c)
	d.mu.Lock()
	l := d.lines[key]
	if l == nil {
		l = &line{turn: make(chan struct{}, 1), denied: make(chan struct{})}
		d.lines[key] = l
	}
	if l.inside >= maxPerClient || d.inside >= maxInAll {
		d.mu.Unlock()
		return nil, false, ErrBusy
	}
	l.inside++
	d.inside++
	denied := l.denied
	d.mu.Unlock()
	out := func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.inside--
		if l.inside--; l.inside == 0 {
			delete(d.lines, key)
		}
	}
	if !obey {
		denied = nil
	}
	said, err = l.wait(ctx, denied, d.o.Timeout)
	if said || err != nil {
		out()
		return nil, said, err
	}
	return func() { <-l.turn; out() }, false, nil
}

// wait takes the turn, at once if it is free; a no to the question before is answered with said, and the turn is not taken.
func (l *line) wait(ctx context.Context, denied <-chan struct{}, limit time.Duration) (said bool, err error) {
	select {
	case l.turn <- struct{}{}:
	default:
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-denied:
			return true, nil
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-timer.C:
			return false, ErrBusy
		case l.turn <- struct{}{}:
		}
	}
	select {
	case <-denied: // at the same moment
		<-l.turn
		return true, nil
	default:
		return false, nil
	}
}

// deny gives those that wait behind a client's question the same no.
func (d *Desk) deny(c access.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lines[clientKey(c)]; l != nil {
		close(l.denied)
		l.denied = make(chan struct{})
	}
}

// show waits for the screen, on which one dialog at a time is shown, whoever asks: two that grab the keyboard are none.
func (d *Desk) show(ctx context.Context) (done func(), err error) {
	select {
	case d.screen <- struct{}{}:
		return func() { <-d.screen }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
