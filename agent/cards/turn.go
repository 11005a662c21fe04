package cards

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/protocol"
)

// maxWaiting bounds how many operations wait for one card.
const maxWaiting = 16

// turn is the right to use a card: one has it, others wait in the order in which
// they came. The zero turn is nobody's.
type turn struct {
	mu     sync.Mutex
	taken  bool
	holder string
	queue  []*waiter
}

type waiter struct {
	who  string
	turn chan struct{} // closed when it is his
}

// take waits for the turn, no longer than patience. The error is ctx's cause, or
// CARD_BUSY with who has the card.
func (t *turn) take(ctx context.Context, who string, patience time.Duration) error {
	w := &waiter{who: who, turn: make(chan struct{})}
	t.mu.Lock()
	holder, full := t.holder, len(t.queue) >= maxWaiting
	switch {
	case !t.taken:
		t.taken, t.holder = true, who
		t.mu.Unlock()
		return nil
	case !full:
		t.queue = append(t.queue, w)
	}
	t.mu.Unlock()
	if full {
		return busy(holder)
	}
	if notice, ok := ctx.Value(noticeKey{}).(func(string)); ok {
		notice(holder)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case <-w.turn:
		return nil
	case <-timer.C:
		err = busy(t.who())
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if !t.left(w) { // it came in the same moment
		t.give()
	}
	return err
}

// give hands the turn to the next.
func (t *turn) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		t.taken, t.holder = false, ""
		return
	}
	next := t.queue[0]
	t.queue, t.holder = slices.Delete(t.queue, 0, 1), next.who
	close(next.turn)
}

// left takes a waiter out of the queue, unless the turn is his already.
func (t *turn) left(w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.queue, w)
	if i < 0 {
		return false
	}
	t.queue = slices.Delete(t.queue, i, i+1)
	return true
}

func (t *turn) who() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.holder
}

func busy(holder string) error {
	return &protocol.Error{Code: protocol.CardBusy, Detail: "another operation has the card", Holder: holder}
}

type noticeKey struct{}

// OnQueue gives ctx a function that Use and UseSIS call when they have to wait
// for another operation, with the name of whose it is. It must not block.
func OnQueue(ctx context.Context, notice func(holder string)) context.Context {
	return context.WithValue(ctx, noticeKey{}, notice)
}
