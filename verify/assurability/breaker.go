package assurability

import (
	"sync"
	"time"
)

// A service that has failed so often in a row is left alone for so long; then one question tries it.
const (
	breakerFailures = 5
	breakerPause    = 20 * time.Second
)

// outcome is what a call says about the service.
type outcome int

const (
	abandoned outcome = iota // nothing: the caller went away
	worked
	failed
)

// breaker keeps a till from waiting for a service that is not there.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // no calls before that; zero: closed
	probing  bool
	era      int // counts openings: calls from before one say nothing afterwards
}

// enter asks whether a call may be made. done must be called with what came of it. Errors: ErrPaused.
func (b *breaker) enter(now time.Time) (done func(outcome, time.Time), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.until.IsZero() {
		early := now.Before(b.until) && b.until.Sub(now) <= breakerPause // else the clock was set back
		if b.probing || early {
			return nil, ErrPaused
		}
		b.probing = true
	}
	era := b.era
	return func(o outcome, now time.Time) { b.leave(o, now, era) }, nil
}

func (b *breaker) leave(o outcome, now time.Time, era int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if era != b.era {
		return
	}
	probe := b.probing
	b.probing = false
	switch o {
	case worked:
		b.failures, b.until = 0, time.Time{}
		if probe {
			b.era++
		}
	case failed:
		b.failures++
		if probe || b.failures >= breakerFailures {
			b.until = now.Add(breakerPause)
			b.era++
		}
	}
}
