package card

import "context"

// Reader is a place for a card: a PC/SC reader, a recorded script or a simulated reader.
type Reader interface {
	// Name is the reader's name as its owner knows it ("ACS ACR38U 00 00").
	Name() string

	// Connect powers the card if need be and opens a way to it. In mode Direct it succeeds without a card.
	// Errors wrap ErrNoService, ErrNoReader, ErrNoCard, ErrMute or ErrBusy.
	Connect(ctx context.Context, mode Mode) (Transport, error)
}

// Transport is a connection to the card in one reader: the seam between this project and hardware. A PC/SC handle, a recorded
// script and a simulated card implement it; everything above is the same code for all of them.
//
// Calls are made one at a time, but Close may come from any goroutine at any moment: a call under way then ends with ErrClosed.
// When ctx ends, a call returns its error at once; the connection is then of no further use and is only good for Close.
// Errors wrap ErrRemoved, ErrReset, ErrNoService, ErrReader or ErrClosed. After ErrReset nothing was sent to the card: the
// connection wants Reconnect, and the card's selected file, security environment and PIN rights are gone.
type Transport interface {
	// ATR is the answer to reset got at Connect or the last Reconnect; nil in mode Direct without a card.
	ATR() []byte

	// Protocol is the transmission protocol in force.
	Protocol() Protocol

	// Transmit sends one command as it stands and returns the answer, status word included.
	Transmit(ctx context.Context, command []byte) ([]byte, error)

	// Control speaks to the reader itself. An unknown code gives an error that wraps ErrUnsupported.
	Control(ctx context.Context, code uint32, data []byte) ([]byte, error)

	// Status fails as Transmit would, without sending anything to the card.
	Status(ctx context.Context) error

	// Begin keeps other programs from the card until End. It waits for theirs to end.
	Begin(ctx context.Context) error

	// End gives the card free, after the given disposition.
	End(ctx context.Context, after Disposition) error

	// Reconnect takes the card back after ErrReset. It never follows a removal: that wants a new Connect.
	Reconnect(ctx context.Context) error

	// Close frees everything. It leaves the card as it is, but for a transaction that was not ended: then the card is reset, since
	// nobody can say what it was left in. A second Close does nothing.
	Close() error
}

// Mode says with whom a connection shares its card.
type Mode int

// The modes of Reader.Connect.
const (
	Shared    Mode = iota // with other programs
	Exclusive             // with nobody
	Direct                // the reader itself, card or no card
)

// Protocol is a card transmission protocol.
type Protocol int

// The protocols of ISO/IEC 7816-3, and none.
const (
	ProtocolNone Protocol = iota
	ProtocolT0
	ProtocolT1
)

// Disposition says what is done to the card at the end of a transaction.
type Disposition int

// The dispositions of Transport.End.
const (
	Leave Disposition = iota // nothing: what is selected and verified stays
	Reset                    // warm reset: PIN rights are gone
)
