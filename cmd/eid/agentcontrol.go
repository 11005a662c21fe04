package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/pages"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/internal/termview"
)

// dialAgent connects to the agent of this user.
func dialAgent(ctx context.Context) (*dial.Conn, error) {
	dir, err := dial.RuntimeDir()
	if err != nil {
		return nil, err
	}
	return dial.Unix(ctx, dial.SocketPath(dir))
}

// askAgent has the agent do one thing.
func askAgent(ctx context.Context, method string, params, result any) error {
	c, err := dialAgent(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Call(ctx, method, params, result)
}

func (a *app) agentOpenCommand() *cobra.Command {
	var browser string
	cmd := &cobra.Command{
		Use:   "open [PAGE]",
		Short: "Open one of the agent's own pages in the browser",
		Long: `Open one of the agent's own pages in the browser: ` + strings.Join(pages.Names(), ", ") + `. index, which
leads to the others, if none is named. The address holds a code that works once, within a minute;
without a browser here it is printed.`,
		Example: `  eid agent open viewer
  eid agent open pharmacy
  eid agent open log`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			page := "index"
			if len(args) == 1 {
				page = args[0]
			}
			if !slices.Contains(pages.Names(), page) {
				return usagef("there is no page %q: the pages are %s", termview.Clean(page), strings.Join(pages.Names(), ", "))
			}
			var opened struct {
				URL string `json:"url"`
			}
			if err := askAgent(cmd.Context(), "page.open", map[string]string{"page": page}, &opened); err != nil {
				return err
			}
			if err := openBrowser(cmd.Context(), browser, opened.URL); err == nil {
				return nil
			}
			_, err := fmt.Fprintln(a.out, opened.URL)
			return err
		},
	}
	cmd.Flags().StringVar(&browser, "browser", "", "program that shows it; none: print the address")
	return cmd
}

// agentStatus is what agent.status says (docs/schema/agent.json).
type agentStatus struct {
	Version     string   `json:"version"`
	Started     string   `json:"started"`
	Listening   []string `json:"listening"`
	Connections int      `json:"connections"`
	Dialogs     bool     `json:"dialogs"`
	PCSC        bool     `json:"pcsc"`
	Policy      string   `json:"policyError,omitempty"`
	Grants      string   `json:"grantsError,omitempty"`
}

func (a *app) agentStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Is the agent running, and where",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s agentStatus
			if err := askAgent(cmd.Context(), "agent.status", struct{}{}, &s); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(a.out, s)
			}
			fmt.Fprintf(a.out, "eidkit agent %s, running since %s\n", s.Version, s.Started)
			fmt.Fprintf(a.out, "  listening    %s\n  connections  %d\n  dialogs      %s\n  PC/SC        %s\n",
				strings.Join(s.Listening, ", "), s.Connections, yesNo(s.Dialogs), yesNo(s.PCSC))
			if s.Policy != "" {
				fmt.Fprintf(a.out, "  PROBLEM      %s\n", termview.Clean(s.Policy))
			}
			if s.Grants != "" {
				fmt.Fprintf(a.out, "  PROBLEM      %s (to begin anew: eid grants reset)\n", termview.Clean(s.Grants))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (a *app) agentStopCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "End the agent",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return askAgent(cmd.Context(), "agent.stop", struct{}{}, nil)
		},
	}
}

func (a *app) pairCommand() *cobra.Command {
	var operations []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pair NAME",
		Short: "Give a program of this machine a token for the agent",
		Long: `Give a program of this machine a token for the agent, which asks you first. The token is printed
once and kept as a hash; the program sends it as "Authorization: Bearer TOKEN" (docs/protocol.md). It
is good for readers, identity and insurability, never for logging in, signing or PINs; what you have
not allowed for good is asked each time. eid grants lists and withdraws tokens.`,
		Example: `  eid pair "Pharmacy desk"
  eid pair "Admission" --operation identity`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			made := pairDocument{Schema: 1}
			c, err := dialAgent(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			a.info("answer the question on the screen: may %s have a token", termview.Clean(args[0]))
			if err := c.Call(cmd.Context(), "pair.request", map[string]any{"name": args[0], "operations": operations}, &made); err != nil {
				if protocol.CodeOf(err) == protocol.InvalidArgument {
					return usageError{err}
				}
				return err
			}
			if asJSON {
				return writeJSON(a.out, made)
			}
			_, err = fmt.Fprintln(a.out, made.Token)
			return err
		},
	}
	cmd.Flags().StringSliceVar(&operations, "operation", []string{string(access.OpReaders), string(access.OpIdentity), string(access.OpInsurability)},
		"what the program may ask for: readers, identity, insurability")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: the token, and the id that eid grants lists it under")
	return cmd
}

// pairDocument is what `eid pair --json` prints (docs/schema/pair.json).
type pairDocument struct {
	Schema int    `json:"schema"`
	ID     string `json:"id"`
	Token  string `json:"token"`
}

// grantsDocument is what `eid grants --json` prints (docs/schema/grants.json).
type grantsDocument struct {
	Schema   int              `json:"schema"`
	Grants   []access.Grant   `json:"grants"`
	Programs []access.Pairing `json:"programs"`
}

func (a *app) grantsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "grants",
		Short: "What you have allowed sites and programs for good",
		Example: `  eid grants
  eid grants withdraw g-7Q4K`,
		RunE: func(*cobra.Command, []string) error {
			authority, err := openAuthority(false)
			if err != nil {
				return err
			}
			if err := authority.GrantsError(); err != nil {
				return hinted{err, "look at what was changed, then begin with an empty file: eid grants reset"}
			}
			return a.showGrants(grantsDocument{1, authority.Grants(), authority.Pairings()}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(&cobra.Command{
		Use: "withdraw ID", Short: "Withdraw a grant, or a program's token", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			authority, err := openAuthority(false)
			if err != nil {
				return err
			}
			if err := authority.Revoke(args[0]); !errors.Is(err, access.ErrUnknown) {
				return err
			}
			if err := authority.Unpair(args[0]); !errors.Is(err, access.ErrUnknown) {
				return err
			}
			return hinted{usagef("there is no grant or program %q", termview.Clean(args[0])), "see them with: eid grants"}
		},
	}, &cobra.Command{
		Use: "reset", Short: "Put a file of grants that was changed from outside aside, and begin an empty one",
		RunE: func(*cobra.Command, []string) error {
			authority, err := openAuthority(false)
			if err != nil {
				return err
			}
			return authority.ResetGrants()
		},
	})
	return cmd
}

// openAuthority is policy and grants as the agent has them.
func openAuthority(developer bool) (*access.Authority, error) {
	state, err := stateFolder()
	if err != nil {
		return nil, err
	}
	return access.Open(access.Options{StateDir: state, Developer: developer})
}

func (a *app) showGrants(d grantsDocument, asJSON bool) error {
	if d.Grants == nil {
		d.Grants = []access.Grant{}
	}
	if d.Programs == nil {
		d.Programs = []access.Pairing{}
	}
	if asJSON {
		return writeJSON(a.out, d)
	}
	if len(d.Grants)+len(d.Programs) == 0 {
		fmt.Fprintln(a.out, "Nothing is allowed for good: everybody is asked about each time.")
	}
	for _, g := range d.Grants {
		until := "for good"
		if !g.Expires.IsZero() {
			until = "until " + g.Expires.Local().Format(time.DateTime)
		}
		fmt.Fprintf(a.out, "%s  %s  %s %s, %s\n", g.ID, termview.Clean(g.Client), g.Operation, strings.Join(g.Fields, " "), until)
	}
	for _, p := range d.Programs {
		var operations []string
		for _, o := range p.Operations {
			operations = append(operations, string(o))
		}
		fmt.Fprintf(a.out, "%s  program %q, paired by %s: %s, since %s\n", p.ID, termview.Clean(p.Name), termview.Clean(p.Executable),
			strings.Join(operations, ", "), p.Created.Local().Format(time.DateTime))
	}
	return nil
}
