package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
		var asJSON bool
		sub := &cobra.Command{Use: do.use, Short: do.short, RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := stateFolder()
			if err != nil {
				return err
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
			failed := a.showTLS(r, asJSON)
			if failed == nil && do.done != "" {
				a.info("hint: %s", do.done)
			}
			return failed
		}}
		sub.Flags().BoolVar(&asJSON, "json", false, "print JSON")
		cmd.AddCommand(sub)
	}
	return cmd
}

// tlsDocument is what `eid agent tls status --json` prints (docs/schema/tls.json).
type tlsDocument struct {
	Schema   int        `json:"schema"`
	SHA256   string     `json:"sha256"`
	NotAfter time.Time  `json:"notAfter"`
	Stores   []tlsStore `json:"stores"`
}

type tlsStore struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Trusted bool   `json:"trusted"`
	Error   string `json:"error,omitempty"`
}

// showTLS prints the certificate and the stores. The error is that one of them could not be changed.
func (a *app) showTLS(r *localtls.Report, asJSON bool) error {
	d := tlsDocument{1, strings.ToUpper(r.SHA256), r.Certificate.NotAfter.UTC(), []tlsStore{}}
	var text strings.Builder
	fmt.Fprintf(&text, "certificate  %s\n", r.SHA256)
	fmt.Fprintf(&text, "valid until  %s\n", r.Certificate.NotAfter.Local().Format(time.DateOnly))
	failed := 0
	for _, s := range r.Stores {
		store, word := tlsStore{s.Name, s.Path, s.Trusted, ""}, "not trusted"
		switch {
		case s.Err != nil:
			store.Error = termview.Clean(s.Err.Error())
			word = "FAILED: " + store.Error
			failed++
		case s.Trusted:
			word = "trusted"
		}
		d.Stores = append(d.Stores, store)
		fmt.Fprintf(&text, "  %-26s %s  %s\n", s.Name, word, termview.Clean(s.Path))
	}
	if asJSON {
		if err := writeJSON(a.out, d); err != nil {
			return err
		}
	} else {
		fmt.Fprint(a.out, text.String())
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d stores could not be changed", failed, len(r.Stores))
	}
	return nil
}
