package testcards

import (
	"context"
	"time"

	"github.com/eidkit/eidkit/card"
)

// Fault is something that goes wrong in a reader, once. Several may be due at the same moment: they happen in the order given.
type Fault struct {
	Kind FaultKind
	On   Step          // what it happens at; the zero Step is a command to the card
	At   int           // at the nth of those from now on, counted over all connections; 0 is the next, as 1
	Wait time.Duration // of Delay
}

// FaultKind is what goes wrong.
type FaultKind int

// The kinds of Fault.
const (
	TakeOut      FaultKind = iota // the card is removed before it gets the command
	TakeOutAfter                  // the card obeys the command and is removed before its answer arrives
	ResetCard                     // another program resets the card before the command
	Garble                        // a bit of the answer's first byte changes
	Truncate                      // the answer loses its last byte
	Silence                       // no answer comes until ctx ends, the card is removed or the connection closed
	Delay                         // the answer comes after Wait
	BreakReader                   // the reader reports a fault (ErrReader); the card gets nothing
	StopService                   // the PC/SC service stops
)

// Step is what a Fault happens at.
type Step int

// The steps. Faults of the answer (TakeOutAfter, Garble, Truncate) are of use at commands alone. A pinpad's command counts.
const (
	AtCommand Step = iota
	AtConnect
	AtBegin
	AtEnd
	AtReconnect
)

// armedFault waits for its moment.
type armedFault struct {
	Fault
	left int
}

// SetFaults arms faults in place of those armed before; without any it disarms.
func (r *Reader) SetFaults(faults ...Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = nil
	for _, f := range faults {
		r.armed = append(r.armed, &armedFault{f, max(f.At, 1)})
	}
}

// due counts one step and takes out the faults whose moment it is. r.mu is held.
func (r *Reader) due(s Step) []Fault {
	var now []Fault
	var later []*armedFault
	for _, f := range r.armed {
		if f.On == s {
			f.left--
		}
		if f.left == 0 {
			now = append(now, f.Fault)
		} else {
			later = append(later, f)
		}
	}
	r.armed = later
	return now
}

// strike has happen what is due at a step other than a command. r.mu is held.
func (r *Reader) strike(ctx context.Context, c *connection, s Step) error {
	return c.suffer(ctx, r.due(s))
}

// suffer is what faults do before the card gets its command. The reader's mutex is held.
func (c *connection) suffer(ctx context.Context, faults []Fault) error {
	r := c.r
	for _, f := range faults {
		switch f.Kind {
		case TakeOut:
			r.takeOut()
			if c.lost == nil { // a connection that is only being made
				return card.ErrRemoved
			}
		case ResetCard:
			r.reset(nil)
		case StopService:
			r.stopService()
			if c.lost == nil {
				return card.ErrNoService
			}
		case BreakReader:
			return card.ErrReader
		case Silence:
			return c.await(ctx, func() bool { return false })
		case Delay:
			if err := c.delay(ctx, f.Wait); err != nil {
				return err
			}
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

// sufferAfter is what faults do to an answer. The reader's mutex is held.
func (c *connection) sufferAfter(ctx context.Context, faults []Fault, resp []byte) ([]byte, error) {
	for _, f := range faults {
		switch f.Kind {
		case TakeOutAfter:
			c.r.takeOut()
			return nil, card.ErrRemoved
		case Garble:
			if len(resp) > 0 {
				resp[0] ^= 0x01
			}
		case Truncate:
			resp = resp[:max(0, len(resp)-1)]
		}
	}
	return resp, nil
}

// delay waits without holding others up more than the card itself is held. The reader's mutex is held, but for the waiting.
func (c *connection) delay(ctx context.Context, d time.Duration) error {
	over := false
	timer := time.AfterFunc(d, func() {
		c.r.mu.Lock()
		defer c.r.mu.Unlock()
		over = true
		c.r.broadcast()
	})
	defer timer.Stop()
	return c.await(ctx, func() bool { return over })
}

// stopService stops the system the reader belongs to; alone, the reader itself. r.mu is held.
func (r *Reader) stopService() {
	r.unusable = card.ErrNoService
	r.lose(card.ErrNoService, func(*connection) bool { return true })
	r.broadcast()
	if r.system != nil {
		r.system.switched(true)
		go r.system.Stop() // for the other readers: it locks every one, this one included
	}
}
