package main

import (
	"github.com/eidkit/eidkit/agent/desk"
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

// newDialog asks for PINs: in a dialog, on the reader's keys, or, for a simulated card, not at all. about tells what a PIN is wanted for,
// a line each; nil: nothing to add.
func (a *app) newDialog(f dialogFlags, s *session, about func() []string) (*desk.PINs, error) {
	if f.autoPIN && s.test == nil {
		return nil, usagef("--auto-pin is for simulated cards in this program (--reader testcard:PROFILE); a real reader never gets a PIN by itself")
	}
	o := desk.PINOptions{Dialog: a.pinProgram(f), About: about}
	if f.autoPIN {
		o.Auto = automatic
	}
	return desk.NewPINs(o), nil
}

// pinProgram is the program that asks for PINs.
func (a *app) pinProgram(f dialogFlags) pinentry.Dialog {
	program := f.pinentry
	if program == "" {
		program = a.config.Pinentry
	}
	return pinentry.Dialog{Program: program, Language: a.lang}
}

// automatic is the PIN or PUK of every simulated card.
func automatic(p beid.Purpose) (card.PIN, error) {
	if p == beid.PurposeUnblock {
		return card.NewPIN([]byte(testcards.PUK))
	}
	return card.NewPIN([]byte(testcards.PIN))
}
