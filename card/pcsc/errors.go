//go:build cgo || windows

package pcsc

import (
	"fmt"
	"runtime"

	"github.com/eidkit/eidkit/card"
)

// meaning is what a PC/SC result means to a caller: before there is a connection to a card (listing, waiting, connecting), and
// on one.
type meaning struct{ before, connected error }

func both(err error) meaning { return meaning{err, err} }

// meanings is the one place where results of PC/SC calls get their meaning. Numbers and names are those of Microsoft's
// winerror.h; pcsc-lite and macOS use the same but for 8010001F, and Windows adds general system errors. What is not here is a
// fault of the reader.
var meanings = map[uint32]meaning{
	// The service is not there, went away, or does not let us in. A handle it does not know is one from before it was started
	// anew; RDP without redirection of cards answers with a broken pipe.
	0x8010001D: both(card.ErrNoService), // SCARD_E_NO_SERVICE
	0x8010001E: both(card.ErrNoService), // SCARD_E_SERVICE_STOPPED
	0x80100003: both(card.ErrNoService), // SCARD_E_INVALID_HANDLE
	0x80100012: both(card.ErrNoService), // SCARD_E_SYSTEM_CANCELLED
	0x80100018: both(card.ErrNoService), // SCARD_P_SHUTDOWN
	0x8010006A: both(card.ErrNoService), // SCARD_W_SECURITY_VIOLATION
	0x80100027: both(card.ErrNoService), // SCARD_E_NO_ACCESS
	0x80100013: commError(),             // SCARD_F_COMM_ERROR
	6:          both(card.ErrNoService), // ERROR_INVALID_HANDLE
	5:          both(card.ErrNoService), // ERROR_ACCESS_DENIED
	109:        both(card.ErrNoService), // ERROR_BROKEN_PIPE
	1062:       both(card.ErrNoService), // ERROR_SERVICE_NOT_ACTIVE
	1722:       both(card.ErrNoService), // RPC_S_SERVER_UNAVAILABLE
	1726:       both(card.ErrNoService), // RPC_S_CALL_FAILED
	1727:       both(card.ErrNoService), // RPC_S_CALL_FAILED_DNE

	// A reader that goes takes its card with it.
	0x8010002E: {card.ErrNoReader, card.ErrRemoved}, // SCARD_E_NO_READERS_AVAILABLE
	0x80100009: {card.ErrNoReader, card.ErrRemoved}, // SCARD_E_UNKNOWN_READER
	0x80100011: {card.ErrNoReader, card.ErrReader},  // SCARD_E_INVALID_VALUE: pcsc-lite's word for too long a name
	0x80100017: {card.ErrNoReader, card.ErrRemoved}, // SCARD_E_READER_UNAVAILABLE
	1167:       {card.ErrNoReader, card.ErrRemoved}, // ERROR_DEVICE_NOT_CONNECTED

	0x8010000C: {card.ErrNoCard, card.ErrRemoved}, // SCARD_E_NO_SMARTCARD
	0x80100069: {card.ErrNoCard, card.ErrRemoved}, // SCARD_W_REMOVED_CARD
	1112:       {card.ErrNoCard, card.ErrRemoved}, // ERROR_NO_MEDIA_IN_DRIVE

	0x80100066: both(card.ErrMute),            // SCARD_W_UNRESPONSIVE_CARD
	0x80100065: both(card.ErrMute),            // SCARD_W_UNSUPPORTED_CARD: the answer to reset makes no sense
	0x80100015: both(card.ErrMute),            // SCARD_E_INVALID_ATR
	0x80100067: {card.ErrMute, card.ErrReset}, // SCARD_W_UNPOWERED_CARD

	0x80100068: both(card.ErrReset), // SCARD_W_RESET_CARD

	0x8010000B: both(card.ErrBusy), // SCARD_E_SHARING_VIOLATION
	0x80100031: both(card.ErrBusy), // SCARD_E_SERVER_TOO_BUSY

	0x8010006E: both(card.ErrPINCancelled), // SCARD_W_CANCELLED_BY_USER: on the reader's keys

	0x8010000F: {card.ErrUnsupported, card.ErrReader}, // SCARD_E_PROTO_MISMATCH: the card speaks neither T=0 nor T=1
	0x8010001C: both(card.ErrUnsupported),             // SCARD_E_CARD_UNSUPPORTED
	0x8010001A: both(card.ErrUnsupported),             // SCARD_E_READER_UNSUPPORTED
	0x80100022: both(card.ErrUnsupported),             // SCARD_E_UNSUPPORTED_FEATURE of Windows
	0x8010001F: unexpected(),                          // SCARD_E_UNEXPECTED of Windows, SCARD_E_UNSUPPORTED_FEATURE elsewhere
	1:          both(card.ErrUnsupported),             // ERROR_INVALID_FUNCTION: a driver's answer to an unknown control code
	50:         both(card.ErrUnsupported),             // ERROR_NOT_SUPPORTED
}

func unexpected() meaning {
	if runtime.GOOS == "windows" {
		return both(card.ErrReader)
	}
	return both(card.ErrUnsupported)
}

// commError is between a program and the service in pcsc-lite, and between the service and the reader in Windows.
func commError() meaning {
	if runtime.GOOS == "windows" {
		return both(card.ErrReader)
	}
	return both(card.ErrNoService)
}

// explain puts the meaning of a PC/SC result in front of it. Both can be asked for with errors.Is and errors.As.
func explain(code uint32, cause error, connected bool) error {
	m, known := meanings[code]
	if !known {
		m = both(card.ErrReader)
	}
	if connected {
		return fmt.Errorf("%w: %w", m.connected, cause)
	}
	return fmt.Errorf("%w: %w", m.before, cause)
}
