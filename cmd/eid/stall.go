package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/card"
)

// stallLimit is how long a card may take over one file, or to say what it is: a photo takes about a second on the slowest line.
const stallLimit = 15 * time.Second

// stall ends the work with a card from which nothing comes any more: PC/SC itself would wait for ever.
type stall struct {
	ctx    context.Context
	cancel context.CancelFunc
	timer  *time.Timer
}

var errStall = fmt.Errorf("nothing came from the card for %v; another program holds it, or %w", stallLimit, card.ErrMute)

func watchStall(ctx context.Context) *stall {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stall{ctx: ctx, cancel: func() { cancel(nil) }}
	s.timer = time.AfterFunc(stallLimit, func() { cancel(errStall) })
	return s
}

// alive begins the time anew.
func (s *stall) alive() { s.timer.Reset(stallLimit) }

func (s *stall) end() {
	s.timer.Stop()
	s.cancel()
}

// explain says of an error that it was the stall, if it was.
func (s *stall) explain(err error) error {
	if cause := context.Cause(s.ctx); errors.Is(err, context.Canceled) && errors.Is(cause, card.ErrMute) {
		return cause
	}
	return err
}
