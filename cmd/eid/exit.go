package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/pkcs11"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/sign/pkcs12"
	"github.com/eidkit/eidkit/verify/assurability"
)

// Exit codes, the same for every subcommand.
const (
	exitOK            = 0  // done, or valid
	exitInvalid       = 1  // a verdict against
	exitUsage         = 2  // wrong arguments
	exitNoCard        = 3  // no reader, no card, or no eID
	exitPIN           = 4  // PIN wrong, blocked, cancelled or timed out
	exitUnavailable   = 5  // network or service unavailable
	exitFailure       = 6  // anything else
	exitIndeterminate = 10 // nothing wrong, but not trusted
)

// verdict is an outcome, not a fault: the command did its work and has already said what it found.
type verdict int

func (v verdict) Error() string { return fmt.Sprintf("verdict %d", int(v)) }

// usageError is a mistake in the arguments.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// forgedError is data that fail their checks and cannot even be printed.
type forgedError struct{ error }

func (e forgedError) Unwrap() error { return e.error }

// hinted carries the next command to run beside an error.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// outcome is what an error comes to.
type outcome struct {
	err  error
	code int
	hint string
}

// outcomes is the one place where errors become exit codes and hints: the first row that matches counts.
func outcomes() []outcome {
	return []outcome{
		{reading.ErrForged, exitInvalid, ""},
		{card.ErrNoService, exitNoCard, "start the smart card service: " + serviceStart() + ", then run: eid doctor"},
		{card.ErrNoReader, exitNoCard, "plug a card reader in, then run: eid readers"},
		{card.ErrNoCard, exitNoCard, "put the card in the reader, chip first; or wait for it with: eid read --watch"},
		{card.ErrMute, exitNoCard, "turn the card over or clean the chip, then run: eid doctor"},
		{beid.ErrNotEID, exitNoCard, "see what is in which reader with: eid readers"},
		{sis.ErrNotSIS, exitNoCard, "see what is in which reader with: eid readers; for an eID: eid read"},
		{sis.ErrReader, exitNoCard, "SIS cards need a reader for memory cards, such as the ACR38 or ACR39"},
		{sis.ErrModule, exitNoCard, "leave --sam out: all but the insurance data is read without it"},
		{card.ErrRemoved, exitNoCard, "leave the card in the reader until the command is done"},
		{card.ErrPINBlocked, exitPIN, "unblock it with the PUK (eid pin unblock, cards before 2021) or at the municipality"},
		{card.ErrPINCancelled, exitPIN, ""},
		{card.ErrPINTimeout, exitPIN, ""},
		{pkcs11.ErrPINBlocked, exitPIN, "the token's maker or administrator can unblock it"},
		{pkcs11.ErrPINWrong, exitPIN, "run the command again with the right PIN: a token blocks itself after a few wrong ones"},
		{pkcs11.ErrCancelled, exitPIN, ""},
		{pkcs11.ErrNoPIN, exitPIN, ""},
		{pkcs11.ErrPINFormat, exitPIN, ""},
		{pkcs11.ErrPINExpired, exitPIN, "change it with the software of the token's maker"},
		{pkcs11.ErrPINUnset, exitPIN, "set it with the software of the token's maker"},
		{pkcs11.ErrNoToken, exitNoCard, "put the token in; pkcs11-tool -L --module PATH shows those that the library finds"},
		{pkcs11.ErrRemoved, exitNoCard, "leave the token in until the command is done"},
		{pkcs11.ErrNoKey, exitFailure, "see what is on the token with: pkcs11-tool -O --module PATH"},
		{pkcs12.ErrPassword, exitPIN, ""},
		{sign.ErrNoTSA, exitUsage, tsaHint},
		{sign.ErrOptions, exitUsage, "see the arguments with: eid sign --help"},
		{sign.ErrAuthenticationKey, exitUsage, "sign with another key; eid certs and eid verify --certificate tell what one is for"},
		{sign.ErrTimestamp, exitUnavailable, "try again later, name another authority with --tsa, or sign at --level b"},
		{sign.ErrEvidence, exitUnavailable, "try again later, or sign at --level t, or b, and raise it with --augment then"},
		{sign.ErrRevoked, exitInvalid, "sign with another key: nobody will take this certificate"},
		{sign.ErrExpired, exitInvalid, "sign with another key, or renew the certificate"},
		{sign.ErrUntrusted, exitIndeterminate, "trust a root that you know with --trust FILE, or sign at --level b"},
		{sign.ErrBroken, exitInvalid, "see what is wrong with: eid verify FILE"},
		{card.ErrBusy, exitFailure, "close the other program that uses the card, or run: eid doctor"},
		{card.ErrReset, exitFailure, "another program uses the card at the same time: run the command again"},
		{fetch.ErrUnavailable, exitUnavailable, ""},
		{fetch.ErrTimeout, exitUnavailable, ""},
		{fetch.ErrStatus, exitUnavailable, ""},
		{assurability.ErrQuestion, exitUsage, "see the arguments with: eid insurability --help"},
		{assurability.ErrSession, exitUnavailable, sessionCommandHint},
		{dial.ErrAbsent, exitUnavailable, "start it with: eid agent"},
		{&protocol.Error{Code: protocol.ConsentDenied}, exitPIN, ""},
		{&protocol.Error{Code: protocol.NotAuthorised}, exitFailure, "whether the policy is in order, and somebody can be asked, is told by: eid agent status"},
		{beid.ErrNoCertificate, exitFailure, "see which certificates the card has with: eid certs"},
	}
}

// report prints err and its hint, and returns the exit code. help is the command that shows the arguments.
func report(w io.Writer, err error, help string) int {
	var v verdict
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &v):
		return int(v)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "eid: interrupted")
		return exitFailure
	}
	code, hint := classify(err, help)
	fmt.Fprintf(w, "eid: error: %s\n", termview.Clean(err.Error())) // names of readers and files stand in it
	if hint != "" {
		fmt.Fprintf(w, "eid: hint: %s\n", hint)
	}
	return code
}

// classify is the exit code of an error that is no verdict, and what to do about it.
func classify(err error, help string) (code int, hint string) {
	var choice *pcsc.ChoiceError
	var pin *card.PINError
	var forged forgedError
	var usage usageError
	code = exitFailure
	switch {
	case errors.As(err, &usage):
		code, hint = exitUsage, "see the arguments with: "+help
	case errors.As(err, &choice):
		code, hint = exitUsage, fmt.Sprintf("say which one: --reader %q", choice.Readers[0])
	case errors.As(err, &pin):
		code, hint = exitPIN, "see the tries left with: eid pin status"
		if pin.PUK {
			hint = "the PUK is 12 digits: the second half, then the first, as the municipality keeps them"
		}
	case errors.As(err, &forged):
		code = exitInvalid
	}
	for _, o := range outcomes() {
		if errors.Is(err, o.err) {
			code, hint = o.code, o.hint
			break
		}
	}
	var h hinted
	if errors.As(err, &h) {
		hint = h.hint
	}
	return code, hint
}
