package cards

import (
	"context"
	"errors"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pinpad"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/internal/pinentry"
)

// faults is the one place where errors of cards, readers and PIN dialogs become
// codes: the first row that fits counts, so what says more stands first. The
// details are fixed, since an error's own text names readers.
var faults = []struct {
	err    error
	code   protocol.Code
	detail string
}{
	{card.ErrPINBlocked, protocol.PINBlocked, ""},
	{card.ErrPINCancelled, protocol.PINCancelled, ""},
	{card.ErrPINTimeout, protocol.PINTimeout, ""},
	{desk.ErrTimeout, protocol.PINTimeout, "nobody answered in time"},
	{pinentry.ErrNoProgram, protocol.PINCancelled, "no PIN dialog: install a pinentry program, or name one in the policy"},
	{desk.ErrUnavailable, protocol.PINCancelled, "no PIN dialog: install a pinentry program, or name one in the policy"},
	{desk.ErrBusy, protocol.Busy, "too many questions are open"},
	{desk.ErrCancelled, protocol.ConsentDenied, "no card was chosen"},
	{pinpad.ErrFormat, protocol.PINCancelled, "the reader took too few or too many digits; no try was spent"},
	{pinpad.ErrDiffer, protocol.PINCancelled, "the new PIN was not repeated rightly; no try was spent"},

	{beid.ErrNoCertificate, protocol.CertificateMissing, ""},
	{beid.ErrNotEID, protocol.CardUnsupported, "the card is not a Belgian eID"},
	{sis.ErrNotSIS, protocol.CardUnsupported, "the card is not a SIS card"},
	{sis.ErrReader, protocol.CardUnsupported, "this reader cannot read SIS cards"},
	{sis.ErrModule, protocol.CardUnsupported, "the security module is not known here"},
	{sis.ErrSealed, protocol.CardUnsupported, "the security module does not open this card"},
	{sis.ErrDamaged, protocol.ReaderError, "the SIS card is damaged"},
	{reading.ErrForged, protocol.ReaderError, "the data on the card fail their checks"},

	{card.ErrNoService, protocol.NoReader, "the smart card service is not running"},
	{card.ErrRemoved, protocol.CardRemoved, ""},
	{card.ErrNoReader, protocol.NoReader, ""},
	{card.ErrNoCard, protocol.NoCard, ""},
	{card.ErrMute, protocol.ReaderError, "the card does not answer"},
	{card.ErrBusy, protocol.CardBusy, "another program holds the card"},
	{card.ErrReset, protocol.CardBusy, "another program reset the card"},
	{card.ErrUnsupported, protocol.CardUnsupported, ""},
	{card.ErrNotFound, protocol.CardUnsupported, "what was asked for is not on the card"},
	{card.ErrConditions, protocol.CardUnsupported, "the card is not activated"},
	{card.ErrSecurityStatus, protocol.ReaderError, "the card did not keep the PIN it was given"},
	{card.ErrReader, protocol.ReaderError, ""},
	{card.ErrClosed, protocol.CardRemoved, "the agent ends"},

	{context.Canceled, protocol.ConsentDenied, "the operation was cancelled"},
	{context.DeadlineExceeded, protocol.ReaderError, "the operation took too long"},
}

// Fault is an error as the client hears of it: one that is or wraps a
// *protocol.Error is that, those of cards, readers and PIN dialogs have their
// codes, an answer of a card that means nothing here is READER_ERROR. Any other is
// INTERNAL, without a word of it. Nil stays nil.
func Fault(err error) *protocol.Error {
	if err == nil {
		return nil
	}
	var fault *protocol.Error
	if errors.As(err, &fault) {
		return fault
	}
	var wrong *card.PINError
	if errors.As(err, &wrong) && wrong.TriesLeft > 0 {
		return &protocol.Error{Code: protocol.PINWrong, TriesLeft: wrong.TriesLeft}
	}
	for _, f := range faults {
		if errors.Is(err, f.err) {
			return &protocol.Error{Code: f.code, Detail: f.detail}
		}
	}
	if status := (*card.StatusError)(nil); errors.As(err, &status) {
		return protocol.Errorf(protocol.ReaderError, "the card gave an answer that is not known")
	}
	return &protocol.Error{Code: protocol.Internal}
}
