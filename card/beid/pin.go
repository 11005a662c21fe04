package beid

import (
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pinpad"
)

// PINFunc asks the holder for a PIN, in a dialog of its own. It is called before the card is held, as often as a PIN is needed
// and never by itself again after a wrong one. It returns the PIN, which is wiped after use, or its own error (wrapping
// card.ErrPINCancelled or card.ErrPINTimeout where that is what happened), or ErrOnPinpad if req.Pinpad is set and the holder is
// to type on the reader; ctx then ends when he has.
type PINFunc func(ctx context.Context, req PINRequest) (card.PIN, error)

// ErrOnPinpad is what a PINFunc returns to have the PIN typed on the reader's own keys.
var ErrOnPinpad = errors.New("the PIN is typed on the reader")

// PINRequest says what the PIN is wanted for.
type PINRequest struct {
	Purpose Purpose
	Reader  string
	Pinpad  bool // the reader has keys of its own

	// TriesLeft asks the card how many tries are left, where that costs none (applets 1.7 and 1.8; one command); else -1.
	TriesLeft func(context.Context) (int, error)
}

// Purpose is what a PIN is used for.
type Purpose int

// The purposes of a PINRequest. For PurposeChange the PIN function is asked twice: for the old PIN, then, as PurposeNewPIN, for the
// new one. PurposeUnblock wants the PUK.
const (
	PurposeVerify Purpose = iota
	PurposeAuthenticate
	PurposeSign
	PurposeChange
	PurposeNewPIN
	PurposeUnblock
)

// PIN commands (facts sheet 5).
const (
	insVerify  = 0x20
	insChange  = 0x24
	insUnblock = 0x2C
	refPIN     = 0x01
)

var logOff = card.Command{CLA: 0x80, INS: 0xE6}

// PINTries is the number of PIN tries left, 3 at most, or -1 where the card cannot be asked for free: applets before 1.7, whose
// empty VERIFY would cost a try. No try is spent.
func (c *Card) PINTries(ctx context.Context) (int, error) {
	tries := -1
	err := c.card.Do(ctx, func(tx *card.Tx) error {
		var err error
		tries, err = c.pinTries(tx)
		return err
	})
	if err != nil {
		return -1, fmt.Errorf("asking for the PIN tries left: %w", err)
	}
	return tries, nil
}

func (c *Card) pinTries(tx *card.Tx) (int, error) {
	switch {
	case c.applet18():
		raw, err := tx.Send(getCardDataPIN)
		if err != nil {
			return -1, err
		}
		if len(raw) < 29 || raw[28] > 3 { // FF: the card does not say
			return -1, nil
		}
		return int(raw[28]), nil
	case c.data.AppletVersion == 0x17:
		if err := c.ready(tx); err != nil {
			return -1, err
		}
		_, err := tx.Send(card.Command{INS: insVerify, P2: refPIN})
		var wrong *card.PINError
		switch {
		case err == nil: // verified, so the counter is full
			return 3, nil
		case errors.As(err, &wrong):
			return wrong.TriesLeft, nil
		case errors.Is(err, card.ErrPINBlocked):
			return 0, nil
		}
		return -1, err
	}
	return -1, nil
}

// VerifyPIN has the card compare the PIN once and drops the right it gives again. Errors: *card.PINError (the try is spent),
// card.ErrPINBlocked, what ask returned, or a transport error; one that comes after the PIN was sent says that the try may be spent.
func (c *Card) VerifyPIN(ctx context.Context, ask PINFunc) error {
	return c.withPIN(ctx, ask, PurposeVerify, func(tx *card.Tx, verify func() error) error { return verify() })
}

// withPIN asks for the PIN, then runs use in a transaction. use calls verify where the card wants the PIN; whatever happens from
// there on, the right is dropped before the transaction ends: by LOG OFF, or a reset if that fails. A reset by another program is
// repaired before verify, never after.
func (c *Card) withPIN(ctx context.Context, ask PINFunc, purpose Purpose, use func(tx *card.Tx, verify func() error) error) error {
	pin, pad, done, err := c.ask(ctx, ask, purpose)
	if err != nil {
		return err
	}
	defer done()
	defer pin.Wipe()
	return c.card.Do(ctx, func(tx *card.Tx) error {
		sent := false
		verify := func() error {
			tx.NoRepeat()
			sent = true
			if pad != nil {
				return pad.Verify(tx, c.padRequest())
			}
			return c.sendPIN(tx, insVerify, pin)
		}
		defer func() {
			if sent {
				c.dropRights(tx)
			}
		}()
		if err := c.ready(tx); err != nil {
			return err
		}
		err := use(tx, verify)
		return afterPIN(err, sent)
	})
}

// afterPIN says of an error that came after the PIN was sent, and that leaves open what the card made of it, that a try may be spent.
func afterPIN(err error, sent bool) error {
	if err == nil || !sent || isStatus(err) {
		return err
	}
	for _, unsent := range []error{card.ErrReset, card.ErrPINCancelled, card.ErrPINTimeout, card.ErrUnsupported, pinpad.ErrFormat, pinpad.ErrDiffer} {
		if errors.Is(err, unsent) {
			return err
		}
	}
	return fmt.Errorf("%w (the PIN had been sent: a try may be spent)", err)
}

// ask gets the PIN, or the pinpad it is to be typed on. done ends the context that ask's dialog or notice lives by.
func (c *Card) ask(ctx context.Context, ask PINFunc, purpose Purpose) (pin card.PIN, pad *pinpad.Pinpad, done func(), err error) {
	if ask == nil {
		return card.PIN{}, nil, nil, errors.New("no way to ask for the PIN was given")
	}
	if pad, err = c.pinpad(ctx); err != nil {
		return card.PIN{}, nil, nil, fmt.Errorf("looking for a pinpad: %w", err)
	}
	ctx, done = context.WithCancel(ctx)
	pin, err = ask(ctx, PINRequest{Purpose: purpose, Reader: c.ReaderName(), Pinpad: pad != nil, TriesLeft: c.PINTries})
	if errors.Is(err, ErrOnPinpad) && pad != nil {
		return card.PIN{}, pad, done, nil
	}
	if err != nil {
		done()
		return card.PIN{}, nil, nil, err
	}
	least := 4
	if purpose == PurposeUnblock {
		least = 12
	}
	if n := pin.Len(); n < least || n > 12 { // a malformed block could cost a try
		pin.Wipe()
		done()
		return card.PIN{}, nil, nil, fmt.Errorf("%d digits given, %d to 12 wanted", n, least)
	}
	return pin, nil, done, nil
}

func (c *Card) padRequest() pinpad.Request {
	return pinpad.Request{Reference: refPIN, Language: c.language}
}

// pinpad finds the reader's own keys, once; nil when it has none.
func (c *Card) pinpad(ctx context.Context) (*pinpad.Pinpad, error) {
	c.padMu.Lock()
	defer c.padMu.Unlock()
	if c.padDone {
		return c.pad, nil
	}
	err := c.card.Do(ctx, func(tx *card.Tx) error {
		var err error
		c.pad, err = pinpad.Find(tx, c.ReaderName())
		if errors.Is(err, card.ErrUnsupported) || errors.Is(err, card.ErrReader) { // drivers differ in how they say no
			c.pad, err = nil, nil
		}
		return err
	})
	c.padDone = err == nil
	return c.pad, err
}

// sendPIN sends one PIN block under the instruction and wipes it.
func (c *Card) sendPIN(tx *card.Tx, ins byte, pins ...card.PIN) error {
	var data []byte
	defer func() { clear(data) }()
	for _, p := range pins {
		block, err := p.Block()
		if err != nil {
			return err
		}
		data = append(data, block...)
		clear(block)
	}
	_, err := tx.Send(card.Command{INS: ins, P2: refPIN, Data: data})
	return err
}

// dropRights takes back what VERIFY gave, so that no other program finds it.
func (c *Card) dropRights(tx *card.Tx) {
	if _, err := tx.Send(logOff); err != nil {
		tx.ResetAtEnd(fmt.Errorf("logging off: %w", err))
	}
}

// LogOff drops the PIN rights the card may hold from any program. It needs no PIN.
func (c *Card) LogOff(ctx context.Context) error {
	return c.card.Do(ctx, func(tx *card.Tx) error {
		_, err := tx.Send(logOff)
		return err
	})
}

// ChangePIN replaces the PIN: ask is called for the old one, then for the new one of 4 to 12 digits. A wrong old PIN costs a try
// (*card.PINError). With ErrOnPinpad both are typed on the reader.
func (c *Card) ChangePIN(ctx context.Context, ask PINFunc) error {
	old, pad, done, err := c.ask(ctx, ask, PurposeChange)
	if err != nil {
		return err
	}
	defer done()
	defer old.Wipe()
	var fresh card.PIN
	if pad == nil {
		var end func()
		if fresh, _, end, err = c.ask(ctx, ask, PurposeNewPIN); err != nil {
			return err
		}
		defer end()
		defer fresh.Wipe()
	}
	err = c.card.Do(ctx, func(tx *card.Tx) error {
		if err := c.ready(tx); err != nil {
			return err
		}
		tx.NoRepeat()
		defer c.dropRights(tx)
		if pad != nil {
			return afterPIN(pad.Change(tx, c.padRequest()), true)
		}
		return afterPIN(c.sendPIN(tx, insChange, old, fresh), true)
	})
	if err != nil {
		return fmt.Errorf("changing the PIN: %w", err)
	}
	return nil
}

// UnblockPIN sets the PIN tries back to 3 with the holder's PUK of 12 digits: PUK 2, then PUK 1, as the municipality holds them.
// Only applets before 1.8 have one; on others the error wraps card.ErrUnsupported. A wrong PUK costs one of its own 12 tries.
func (c *Card) UnblockPIN(ctx context.Context, ask PINFunc) error {
	if c.applet18() {
		return fmt.Errorf("unblocking the PIN: %w: cards since 2021 have no PUK, the municipality unblocks them", card.ErrUnsupported)
	}
	puk, pad, done, err := c.ask(ctx, ask, PurposeUnblock)
	if err != nil {
		return err
	}
	defer done()
	defer puk.Wipe()
	err = c.card.Do(ctx, func(tx *card.Tx) error {
		if err := c.ready(tx); err != nil {
			return err
		}
		tx.NoRepeat()
		defer c.dropRights(tx)
		if pad != nil {
			return afterPIN(pad.Unblock(tx, c.padRequest()), true)
		}
		return afterPIN(c.sendPIN(tx, insUnblock, puk), true)
	})
	if err != nil {
		return fmt.Errorf("unblocking the PIN: %w", err)
	}
	return nil
}
