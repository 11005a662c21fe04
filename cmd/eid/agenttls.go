package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/localtls"
	"github.com/eidkit/eidkit/internal/termview"
)

func (a *app) agentTLSCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tls",
		Short: "A certificate for this machine, for browsers that want TLS",
		Long: `A certificate for localhost, made on this machine, for browsers that refuse connections without TLS
(Safari) and for sites whose content policy does. It is no authority: nothing can be issued with it,
its key stays in your state folder, and removing takes it out of every browser again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, do := range []struct {
		use, short, done string
		f                func(context.Context, localtls.Options) (*localtls.Report, error)
	}{
		{"install", "Make it, or renew it, and have your browsers trust it", "restart the agent and the browsers", localtls.Install},
		{"status", "Which browsers trust it", "", localtls.Status},
		{"remove", "Take it out of your browsers and delete it with its key", "", localtls.Remove},
	} {
		cmd.AddCommand(&cobra.Command{Use: do.use, Short: do.short, RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := stateFolder()
			if err != nil {
				return fmt.Errorf("the folder for the program's state: %w", err)
			}
			r, err := do.f(cmd.Context(), localtls.Options{Dir: state})
			if errors.Is(err, localtls.ErrNotInstalled) && do.use == "remove" {
				a.info("there is no certificate to be removed")
				return nil
			}
			if errors.Is(err, localtls.ErrNotInstalled) {
				return hinted{err, "make one with: eid agent tls install"}
			}
			if err != nil {
				return err
			}
			failed := a.showTLS(r)
			if failed == nil && do.done != "" {
				a.info("hint: %s", do.done)
			}
			return failed
		}})
	}
	return cmd
}

// showTLS prints the certificate and the stores. The error is that one of them could not be changed.
func (a *app) showTLS(r *localtls.Report) error {
	fmt.Fprintf(a.out, "certificate  %s\n", r.SHA256)
	fmt.Fprintf(a.out, "valid until  %s\n", r.Certificate.NotAfter.Local().Format(time.DateOnly))
	failed := 0
	for _, s := range r.Stores {
		word := "not trusted"
		switch {
		case s.Err != nil:
			word = "FAILED: " + termview.Clean(s.Err.Error())
			failed++
		case s.Trusted:
			word = "trusted"
		}
		fmt.Fprintf(a.out, "  %-26s %s  %s\n", s.Name, word, termview.Clean(s.Path))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d stores could not be changed", failed, len(r.Stores))
	}
	return nil
}
