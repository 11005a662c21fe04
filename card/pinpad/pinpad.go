// Package pinpad has a PIN typed on the keypad of the card reader, so that no program ever holds it.
//
// Start with [Find] inside a transaction, then [Pinpad.Verify], [Pinpad.Change] or [Pinpad.Unblock]:
//
//	err := c.Do(ctx, func(tx *card.Tx) error {
//		pad, err := pinpad.Find(tx, c.Reader().Name())
//		if err != nil {
//			return err // wraps card.ErrUnsupported: ask for the PIN another way
//		}
//		return pad.Verify(tx, pinpad.Request{Reference: 1, Language: "nl"})
//	})
//
// Only the reader's own secure PIN entry is used (FEATURE_VERIFY_PIN_DIRECT, FEATURE_MODIFY_PIN_DIRECT). There is no fallback to
// commands that a reader might take for a PIN entry and a card for an empty VERIFY, which costs a try on old cards. The entry in
// steps (FEATURE_VERIFY_PIN_START and FINISH) is out of scope: it must be polled, and readers that have it have the direct one too.
//
// References: PC/SC specification part 10, "IFDs with secure PIN entry capabilities", 2.02.09; facts sheet, section 5.3.
package pinpad

import (
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/card"
)

// Why a reader did not send the PIN to the card. No try was spent. Besides these a call gives card.ErrPINCancelled and
// card.ErrPINTimeout.
var (
	ErrDiffer = errors.New("the two entries of the new PIN differ")
	ErrFormat = errors.New("the PIN entered has too few or too many digits")
)

// Pinpad is a reader with secure PIN entry.
type Pinpad struct {
	verify, modify uint32 // control codes; modify is 0 if the reader has no such feature
	props          Properties
	quirk          quirk
}

// Find asks the reader, by its name and over tx, whether it has a keypad that can be used. If not, the error wraps
// card.ErrUnsupported. Nothing is sent to the card.
func Find(tx *card.Tx, reader string) (*Pinpad, error) {
	q := quirkOf(reader)
	if q.refuse {
		return nil, fmt.Errorf("the keypad of %s sends an empty VERIFY: %w", reader, card.ErrUnsupported)
	}
	answer, err := tx.Control(getFeatureRequest, nil)
	if err != nil {
		return nil, fmt.Errorf("asking the reader for its features: %w", err)
	}
	features, err := parseFeatures(answer)
	if err != nil {
		return nil, fmt.Errorf("features of the reader: %w: %w", err, card.ErrUnsupported)
	}
	p := &Pinpad{verify: features[featureVerifyPINDirect], modify: features[featureModifyPINDirect], quirk: q}
	if p.verify == 0 {
		return nil, fmt.Errorf("the reader has no keypad: %w", card.ErrUnsupported)
	}
	p.props = readProperties(tx, features)
	return p, nil
}

// Properties are what the reader tells of its keypad and display.
func (p *Pinpad) Properties() Properties { return p.props }

// CanChange tells whether Change works with this reader.
func (p *Pinpad) CanChange() bool { return p.modify != 0 }

// Request says what is asked of the user. The zero Request waits 30 s, with messages in English.
type Request struct {
	// Reference is the number of the PIN in P2 of the command: 1 on a Belgian card.
	Reference byte

	// Timeout is how long the reader waits for the first key and, as far as it can, for each further one: whole seconds, 1 to 255.
	// Zero is 30 s.
	Timeout time.Duration

	// Language is that of the reader's display: "en", "nl", "fr" or "de"; English for any other.
	Language string
}

// Verify has the user type the PIN, which the reader sends to the card in VERIFY (ISO/IEC 7816-4, section 11.5.6). It returns when
// the card has answered. A wrong PIN is a card.StatusError that wraps a card.PINError: the try is spent. With ErrFormat,
// card.ErrPINCancelled and card.ErrPINTimeout nothing reached the card. After any other error a try may have been spent. The work
// of tx is not repeated from here on.
func (p *Pinpad) Verify(tx *card.Tx, r Request) error {
	return enter(tx, p.verify, insVerify, p.verifyStructure(insVerify, r))
}

// Unblock is Verify with RESET RETRY COUNTER: the user types the unblocking code (PUK), 12 digits on old Belgian cards; the
// reader takes no fewer, since the card would count a shorter one as wrong. It fails with card.ErrUnsupported, before anything is
// asked, if the reader cannot take that many.
func (p *Pinpad) Unblock(tx *card.Tx, r Request) error {
	if _, most := p.digits(); most < maxDigits {
		return fmt.Errorf("the reader takes %d digits at most: %w", most, card.ErrUnsupported)
	}
	return enter(tx, p.verify, insUnblock, p.verifyStructure(insUnblock, r))
}

// Change has the user type the present PIN and twice the new one, which the reader sends to the card in CHANGE REFERENCE DATA.
// Errors are those of Verify, and ErrDiffer. It wraps card.ErrUnsupported, before anything is asked, unless CanChange.
func (p *Pinpad) Change(tx *card.Tx, r Request) error {
	if !p.CanChange() {
		return fmt.Errorf("the reader cannot change a PIN: %w", card.ErrUnsupported)
	}
	return enter(tx, p.modify, insChange, p.modifyStructure(r))
}

// enter runs one PIN entry and reads its result: a status word of the card, or one of the reader's own.
func enter(tx *card.Tx, code uint32, ins byte, structure []byte) error {
	tx.NoRepeat()
	answer, err := tx.Control(code, structure)
	if err != nil {
		return fmt.Errorf("entering the PIN on the reader: %w", err)
	}
	if len(answer) != 2 {
		return fmt.Errorf("entering the PIN on the reader: answer of %d bytes: %w", len(answer), card.ErrReader)
	}
	switch sw := uint16(answer[0])<<8 | uint16(answer[1]); sw {
	case 0x9000:
		return nil
	case 0x6400:
		return fmt.Errorf("entering the PIN on the reader: %w", card.ErrPINTimeout)
	case 0x6401:
		return fmt.Errorf("entering the PIN on the reader: %w", card.ErrPINCancelled)
	case 0x6402:
		return fmt.Errorf("entering the PIN on the reader: %w", ErrDiffer)
	case 0x6403:
		return fmt.Errorf("entering the PIN on the reader: %w", ErrFormat)
	case 0x6B80:
		return fmt.Errorf("entering the PIN on the reader: it refuses the request (6B80): %w", card.ErrUnsupported)
	default:
		return &card.StatusError{INS: ins, SW: sw}
	}
}
