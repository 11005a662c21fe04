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
	timer := time.NewTimer(d.o.Timeout)
	defer timer.Stop()
	select {
	case <-denied:
		out()
		return nil, true, nil
	case <-ctx.Done():
		out()
		return nil, false, context.Cause(ctx)
	case <-timer.C:
		out()
		return nil, false, ErrBusy
	case l.turn <- struct{}{}:
	}
	select {
	case <-denied: // at the same moment
		<-l.turn
		out()
		return nil, true, nil
	default:
	}
	return func() { <-l.turn; out() }, false, nil
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
