package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/termview"
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
		{card.ErrNoService, exitNoCard, "start the smart card service: " + serviceStart() + ", then run: eid doctor"},
		{card.ErrNoReader, exitNoCard, "plug a card reader in, then run: eid readers"},
		{card.ErrNoCard, exitNoCard, "put the card in the reader, chip first; or wait for it with: eid read --watch"},
		{card.ErrMute, exitNoCard, "turn the card over or clean the chip, then run: eid doctor"},
		{beid.ErrNotEID, exitNoCard, "see what is in which reader with: eid readers"},
		{card.ErrRemoved, exitNoCard, "leave the card in the reader until the command is done"},
		{card.ErrPINBlocked, exitPIN, "unblock it with the PUK (eid pin unblock, cards before 2021) or at the municipality"},
		{card.ErrPINCancelled, exitPIN, ""},
		{card.ErrPINTimeout, exitPIN, ""},
		{card.ErrBusy, exitFailure, "close the other program that uses the card, or run: eid doctor"},
		{card.ErrReset, exitFailure, "another program uses the card at the same time: run the command again"},
		{fetch.ErrUnavailable, exitUnavailable, ""},
		{fetch.ErrTimeout, exitUnavailable, ""},
		{fetch.ErrStatus, exitUnavailable, ""},
		{beid.ErrNoCertificate, exitFailure, "see which certificates the card has with: eid certs"},
	}
}

// report prints err and its hint, and returns the exit code. help is the command that shows the arguments.
func report(w io.Writer, err error, help string) int {
	var v verdict
	var choice *pcsc.ChoiceError
	var pin *card.PINError
	var forged forgedError
	var usage usageError
	code, hint := exitFailure, ""
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &v):
		return int(v)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "eid: interrupted")
		return exitFailure
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
	fmt.Fprintf(w, "eid: error: %s\n", termview.Clean(err.Error())) // names of readers and files stand in it
	if hint != "" {
		fmt.Fprintf(w, "eid: hint: %s\n", hint)
	}
	return code
}
