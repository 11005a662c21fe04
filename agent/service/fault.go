package service

import (
	"context"
	"errors"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/patient"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/verify/assurability"
)

// pin shortens the signature of PIN functions.
type pin = card.PIN

// faults are the errors of signing, of the insurers' network and of files, as
// codes; those of cards and dialogs are in cards.Fault. The first row that fits
// counts. With detail the error's own text is told: it names services and
// options, never a card.
var faults = []struct {
	err    error
	code   protocol.Code
	detail bool
}{
	{sign.ErrExpired, protocol.CertificateExpired, false},
	{sign.ErrRevoked, protocol.CertificateRevoked, false},
	{sign.ErrUntrusted, protocol.CardUnsupported, true},
	{sign.ErrAuthenticationKey, protocol.CardUnsupported, true},
	{sign.ErrAlgorithm, protocol.CardUnsupported, true},
	{sign.ErrNoTSA, protocol.NetworkUnavailable, true},
	{sign.ErrTimestamp, protocol.NetworkUnavailable, true},
	{sign.ErrEvidence, protocol.NetworkUnavailable, true},
	{sign.ErrOptions, protocol.InvalidArgument, true},
	{sign.ErrUnsuitable, protocol.InvalidArgument, true},
	{sign.ErrBroken, protocol.InvalidArgument, true},
	{sign.ErrValue, protocol.ReaderError, false},

	{assurability.ErrQuestion, protocol.InvalidArgument, true},

	{patient.ErrForged, protocol.ReaderError, true},
	{patient.ErrNumber, protocol.CardUnsupported, true},

	{saved.ErrTooLarge, protocol.TooLarge, true},
	{saved.ErrUnknownForm, protocol.InvalidArgument, true},
	{saved.ErrSIS, protocol.InvalidArgument, true},
	{saved.ErrMalformed, protocol.InvalidArgument, true},
	{saved.ErrIncomplete, protocol.CardUnsupported, true},

	{access.ErrUnknown, protocol.InvalidArgument, true},
	{access.ErrPairing, protocol.InvalidArgument, true},
	{access.ErrFull, protocol.TooLarge, true},
	{access.ErrGrants, protocol.NotAuthorised, true},
}

// fault is an error as the client hears of it: nil, or a *protocol.Error. One
// that nobody expected stays as it is: package agent answers INTERNAL and logs it.
func fault(err error) error {
	if err == nil {
		return nil
	}
	var known *protocol.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, assurability.ErrSession) {
		return &protocol.Error{Code: protocol.ServiceFault, Service: "NO_SESSION", Detail: "no session with the platform: open one with eid session open"}
	}
	if errors.Is(err, context.Canceled) {
		return err // the connection or the client's cancel ended it; package agent says which
	}
	for _, f := range faults {
		if !errors.Is(err, f.err) {
			continue
		}
		e := &protocol.Error{Code: f.code}
		if f.detail {
			e.Detail = err.Error()
		}
		return e
	}
	if e := cards.Fault(err); e.Code != protocol.Internal {
		return e
	}
	return err
}

// invalid is the answer to parameters that make no sense.
func invalid(format string, args ...any) error {
	return protocol.Errorf(protocol.InvalidArgument, format, args...)
}
