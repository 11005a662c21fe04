package main

import (
	"context"
	"fmt"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/spf13/cobra"
)

// pinStatus is the JSON of `eid pin status` (docs/schema/pin-status.json).
type pinStatus struct {
	Schema    int    `json:"schema"`
	Reader    string `json:"reader"`
	TriesLeft *int   `json:"triesLeft"` // null where asking could cost a try
	Blocked   bool   `json:"blocked"`
}

func (a *app) pinCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pin",
		Short: "Check, try, change or unblock the PIN",
		Long: `Check, try, change or unblock the PIN. It is typed in a PIN dialog (pinentry) or on the
reader's own keys, never on the command line.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var d dialogFlags
	add := func(use, short string, work func(context.Context, *session, *desk.PINs) error, done string) {
		sub := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withDialog(cmd.Context(), d, work, done)
		}}
		d.add(sub)
		cmd.AddCommand(sub)
	}
	cmd.AddCommand(a.pinStatusCommand())
	add("verify", "Have the card compare the PIN", func(ctx context.Context, s *session, d *desk.PINs) error {
		return d.Retry(ctx, func() error { return s.VerifyPIN(ctx, d.Ask) })
	}, "the PIN is right")
	add("change", "Choose another PIN", func(ctx context.Context, s *session, d *desk.PINs) error {
		return d.Retry(ctx, func() error { return s.ChangePIN(ctx, d.Ask) })
	}, "the PIN is changed")
	add("unblock", "Set the tries back with the PUK (cards before 2021)", func(ctx context.Context, s *session, d *desk.PINs) error {
		return s.UnblockPIN(ctx, d.Ask)
	}, "the PIN has all its tries again")
	return cmd
}

func (a *app) withDialog(ctx context.Context, f dialogFlags, work func(context.Context, *session, *desk.PINs) error, done string) error {
	s, err := a.openCard(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	d, err := a.newDialog(f, s, nil)
	if err != nil {
		return err
	}
	err = work(ctx, s, d)
	d.Wait()
	if err != nil {
		return err
	}
	a.info("%s", done)
	return nil
}

func (a *app) pinStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print how many tries are left",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.openCard(cmd.Context())
			if err != nil {
				return err
			}
			defer s.Close()
			tries, err := s.PINTries(cmd.Context())
			if err != nil {
				return err
			}
			status := pinStatus{Schema: 1, Reader: s.ReaderName(), Blocked: tries == 0}
			if tries >= 0 {
				status.TriesLeft = &tries
			}
			if asJSON {
				err = writeJSON(a.out, status)
			} else {
				printPINStatus(a, tries)
			}
			if err == nil && status.Blocked {
				err = verdict(exitPIN)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printPINStatus(a *app, tries int) {
	switch tries {
	case -1:
		fmt.Fprintln(a.out, "unknown: asking this card would cost a try")
	case 0:
		fmt.Fprintln(a.out, "blocked: no tries left")
	case 1:
		fmt.Fprintln(a.out, "1 try left")
	default:
		fmt.Fprintf(a.out, "%d tries left\n", tries)
	}
}
