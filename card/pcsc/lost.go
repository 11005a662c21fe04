//go:build cgo || windows

package pcsc

import (
	"errors"
	"fmt"
	"time"

	"github.com/ebfe/scard"

	"github.com/eidkit/eidkit/card"
)

// goneWait is how long a failed command waits for the reader to say that the card is out: pcscd looks every 0.4 s where a reader
// cannot tell by itself, and later on a machine that is busy.
const goneWait = 3 * time.Second

var errDirect = fmt.Errorf("%w: commands over a direct connection to the reader", card.ErrUnsupported)

// failed gives an error on the connection its meaning. A card pulled out in the middle of a command looks like a faulty reader
// until the reader reports the removal, so that is waited for.
func (c *conn) failed(err error) error {
	err = connected(err)
	if errors.Is(err, card.ErrReader) && c.mode != card.Direct && c.seenRemoved() {
		err = fmt.Errorf("%w: %w", card.ErrRemoved, err)
	}
	c.removed = c.removed || errors.Is(err, card.ErrRemoved)
	return err
}

// seenRemoved reports whether the card is out, or out and in again, waiting a little for the news.
func (c *conn) seenRemoved() bool {
	state, err := stateOf(c.context, c.reader)
	if err != nil {
		return false
	}
	if c.isOther(state) {
		return true
	}
	states := []scard.ReaderState{{Reader: c.reader, CurrentState: state.flags}}
	deadline := time.Now().Add(goneWait)
	for left := goneWait; left > 0; left = time.Until(deadline) {
		select {
		case <-c.w.stop: // nobody waits for the answer any more
			return false
		default:
		}
		if err := statusChange(c.context, states, left); err != nil {
			return false
		}
		if c.isOther(readerState(states[0])) {
			return true
		}
		states[0].CurrentState = states[0].EventState &^ scard.StateChanged
	}
	return false
}

func (c *conn) isOther(s state) bool { return s.Card == card.Absent || s.Count != c.count }

// before and connected give an error of a call its meaning.
func before(err error) error    { return mean(err, false) }
func connected(err error) error { return mean(err, true) }

func mean(err error, connected bool) error {
	var code scard.Error
	switch {
	case errors.As(err, &code):
		return explain(uint32(code), err, connected)
	case errors.Is(err, errDirect):
		return err
	}
	return fmt.Errorf("%w: %w", card.ErrReader, err)
}
