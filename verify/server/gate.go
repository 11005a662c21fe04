package server

import (
	"context"
	"errors"
	"time"
)

// errBusy: no place was free in time.
var errBusy = errors.New("too many requests at once")

// gate lets a number of requests through at a time, and lets some more wait
// for a while. What comes on top is turned away at once, so that an overload
// costs nothing but the answer that says so.
type gate struct {
	places   chan struct{} // taken by those inside
	waiting  chan struct{} // taken by those inside and those who wait
	patience time.Duration
}

func newGate(places, queue int, patience time.Duration) *gate {
	return &gate{places: make(chan struct{}, places), waiting: make(chan struct{}, places+queue), patience: patience}
}

// enter returns when there is a place, and errBusy if there is none to wait
// for. The caller calls leave after it.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.waiting <- struct{}{}:
	default:
		return errBusy
	}
	select {
	case g.places <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	select {
	case g.places <- struct{}{}:
		return nil
	case <-timer.C:
		<-g.waiting
		return errBusy
	case <-ctx.Done():
		<-g.waiting
		return ctx.Err()
	}
}

func (g *gate) leave() {
	<-g.places
	<-g.waiting
}

// inside and queued count who is where.
func (g *gate) inside() int { return len(g.places) }
func (g *gate) queued() int { return max(len(g.waiting)-len(g.places), 0) }
