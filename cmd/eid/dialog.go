package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/testcards"
	"github.com/spf13/cobra"
)

// dialogFlags are the flags of commands that want a PIN. None carries one.
type dialogFlags struct {
	pinentry string
	autoPIN  bool
}

func (f *dialogFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.pinentry, "pinentry", "", "program that asks for the PIN (default: EIDKIT_PINENTRY, the configuration, or what is installed)")
	cmd.Flags().BoolVar(&f.autoPIN, "auto-pin", false, "use the simulated card's own PIN (testcard:PROFILE only)")
}

// dialog asks the holder for PINs: in a pinentry dialog, on the reader's keys, or, for a simulated card, not at all.
type dialog struct {
	program pinentry.Dialog
	auto    bool
	wrong   bool // the last PIN was wrong, and the holder wants another try
	left    int  // tries left after it

	about func() []string // what a PIN is wanted for, a line each, shown before the reader; nil: nothing to add

	notices sync.WaitGroup // dialogs that say to type on the reader
}

func (a *app) newDialog(f dialogFlags, s *session) (*dialog, error) {
	if f.autoPIN && s.test == nil {
		return nil, usagef("--auto-pin is for simulated cards in this program (--reader testcard:PROFILE); a real reader never gets a PIN by itself")
	}
	return &dialog{program: a.pinProgram(f), auto: f.autoPIN}, nil
}

// pinProgram is the program that asks for PINs.
func (a *app) pinProgram(f dialogFlags) pinentry.Dialog {
	program := f.pinentry
	if program == "" {
		program = a.config.Pinentry
	}
	return pinentry.Dialog{Program: program, Language: a.lang}
}

var purposes = map[beid.Purpose]pinentry.Purpose{
	beid.PurposeVerify: pinentry.Verify, beid.PurposeAuthenticate: pinentry.Authenticate, beid.PurposeSign: pinentry.Sign,
	beid.PurposeChange: pinentry.Change, beid.PurposeNewPIN: pinentry.NewPIN, beid.PurposeUnblock: pinentry.Unblock,
}

// ask is a beid.PINFunc.
func (d *dialog) ask(ctx context.Context, req beid.PINRequest) (card.PIN, error) {
	switch {
	case d.auto:
		return automatic(req.Purpose)
	case req.Pinpad:
		text := pinentry.TextsIn(d.program.Language).OnPinpad(purposes[req.Purpose])
		d.notices.Go(func() { // in place until the reader is done; without a dialog program the reader's display has to do
			_ = d.program.Message(ctx, pinentry.Question{Text: text, About: d.lines(req)})
		})
		return card.PIN{}, beid.ErrOnPinpad
	}
	r := pinentry.Request{Purpose: purposes[req.Purpose], Wrong: d.wrong && req.Purpose != beid.PurposeNewPIN, About: d.lines(req)}
	if req.Purpose != beid.PurposeNewPIN && req.Purpose != beid.PurposeUnblock {
		tries, err := req.TriesLeft(ctx)
		switch {
		case err != nil:
			return card.PIN{}, err
		case tries < 0 && d.wrong: // the card cannot be asked, but it has said
			tries = d.left
		case tries == 0: // before anybody types in vain
			return card.PIN{}, card.ErrPINBlocked
		}
		r.TriesLeft = tries
	}
	return d.program.PIN(ctx, r)
}

// lines are what a dialog is about.
func (d *dialog) lines(req beid.PINRequest) []string {
	if d.about == nil {
		return []string{req.Reader}
	}
	return append(d.about(), req.Reader)
}

// automatic is the PIN or PUK of every simulated card.
func automatic(p beid.Purpose) (card.PIN, error) {
	if p == beid.PurposeUnblock {
		return card.NewPIN([]byte(testcards.PUK))
	}
	return card.NewPIN([]byte(testcards.PIN))
}

// again asks whether the holder wants another try after a wrong PIN.
func (d *dialog) again(ctx context.Context, triesLeft int) (bool, error) {
	if d.auto {
		return false, nil
	}
	d.notices.Wait()
	ok, err := d.program.TryAgain(ctx, triesLeft)
	if errors.Is(err, pinentry.ErrNoProgram) {
		return false, fmt.Errorf("asking whether to try again: %w", err)
	}
	d.wrong, d.left = ok, triesLeft
	return ok, err
}
