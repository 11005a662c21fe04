package card

import (
	"errors"
	"fmt"
)

// What can go wrong between a program and a card. Every error of this package and of the drivers built on it wraps one of these
// when the caller has a reason to branch on it.
var (
	ErrNoService   = errors.New("the PC/SC service is not running")
	ErrNoReader    = errors.New("no card reader")
	ErrNoCard      = errors.New("no card in the reader")
	ErrMute        = errors.New("the card does not answer: turn it over, clean it or try another reader")
	ErrRemoved     = errors.New("the card was removed")
	ErrReset       = errors.New("the card was reset by another program")
	ErrBusy        = errors.New("another program holds the card")
	ErrReader      = errors.New("the reader reports a fault")
	ErrClosed      = errors.New("the connection to the card is closed")
	ErrUnsupported = errors.New("not supported by this card or reader")

	ErrNotFound       = errors.New("not on the card")
	ErrOutOfRange     = errors.New("offset past the end of the file")
	ErrSecurityStatus = errors.New("the card asks for the PIN first")
	ErrConditions     = errors.New("the card's conditions of use are not met")
	ErrPINBlocked     = errors.New("the PIN is blocked")

	// From the dialog or the keypad where the PIN is typed: no try was spent.
	ErrPINCancelled = errors.New("the entry of the PIN was cancelled")
	ErrPINTimeout   = errors.New("the PIN was not entered in time")
)

// PINError says that the card compared a PIN and found it wrong. The try is spent.
type PINError struct {
	// TriesLeft is the number of tries the card has left; at 0 the PIN is blocked and errors.Is(err, ErrPINBlocked) holds.
	TriesLeft int

	// PUK says that it was the unblocking code, which has tries of its own.
	PUK bool
}

func (e *PINError) Error() string {
	name := "PIN"
	if e.PUK {
		name = "PUK"
	}
	switch e.TriesLeft {
	case 0:
		return fmt.Sprintf("wrong %s; the %s is now blocked", name, name)
	case 1:
		return fmt.Sprintf("wrong %s; 1 try left", name)
	}
	return fmt.Sprintf("wrong %s; %d tries left", name, e.TriesLeft)
}

// Is makes a wrong PIN without tries left count as blocked.
func (e *PINError) Is(target error) bool { return target == ErrPINBlocked && e.TriesLeft == 0 }

// StatusError is a status word other than 9000. Unwrap gives its meaning where it has one that a caller acts upon; the number
// stays in the text for the log.
type StatusError struct {
	INS byte   // the instruction that was answered so
	SW  uint16 // SW1 SW2
}

func (e *StatusError) Error() string {
	if m := e.Unwrap(); m != nil {
		return fmt.Sprintf("card answered %04X to instruction %02X: %v", e.SW, e.INS, m)
	}
	return fmt.Sprintf("card answered %04X to instruction %02X", e.SW, e.INS)
}

// Unwrap translates the status word (ISO/IEC 7816-4, section 5.6; facts sheet sections 2 and 5).
func (e *StatusError) Unwrap() error {
	if e.SW&0xFFF0 == 0x63C0 {
		return &PINError{TriesLeft: int(e.SW & 0xF), PUK: e.INS == 0x2C}
	}
	switch e.SW {
	case 0x6982:
		return ErrSecurityStatus
	case 0x6983:
		return ErrPINBlocked
	case 0x6985, 0x6283: // not activated: 6985 on 1.8, 6283 on 1.7
		return ErrConditions
	case 0x6A82, 0x6A83, 0x6A88:
		return ErrNotFound
	case 0x6B00:
		return ErrOutOfRange
	case 0x6D00, 0x6E00, 0x6881, 0x6A81:
		return ErrUnsupported
	}
	return nil
}
