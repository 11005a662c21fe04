package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/internal/sts"
	"github.com/eidkit/eidkit/internal/termview"
)

// sessionCommandHint is what to do without a session.
const sessionCommandHint = "open a session with: eid session open"

func (a *app) sessionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "Open, show or close the session with the insurers' platform",
		Long: `Open, show or close the session with the platform behind which the mutualities are. The platform
gives a token for the care provider of the configuration ([insurance]), against a signature of the
provider's certificate or eID card; the card and its PIN are needed for this once, not for each
patient. The token and its key are kept in a file that you alone can read, for eid insurability and
for the provider's other software (docs/assurability.md).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.sessionOpenCommand(), a.sessionStatusCommand(), a.sessionCloseCommand())
	return cmd
}

func (a *app) sessionOpenCommand() *cobra.Command {
	var f insuranceFlags
	var keep, asJSON bool
	cmd := &cobra.Command{
		Use:   "open",
		Short: "Get a token, also when there is one",
		Example: `  eid session open
  eid session open --keep       stay, renew it, or say before it ends`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sessionOpen(cmd.Context(), f, keep, asJSON) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&keep, "keep", false, "stay until interrupted: renew the session before it ends where that needs nobody, else say so")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) sessionOpen(ctx context.Context, f insuranceFlags, keep, asJSON bool) error {
	s, err := a.insuranceSession(f, true)
	if err != nil {
		return err
	}
	defer func() { s.release() }()
	if err := s.Open(ctx); err != nil {
		return openingFailed(err)
	}
	if err := a.showSession(aboutSession(s, nil, time.Now()), asJSON); err != nil || !keep {
		return err
	}
	if err := s.Keep(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil // interrupted, as was meant
}

// openingFailed has no hint to do what has just been tried.
func openingFailed(err error) error {
	if _, hint := classify(err, ""); hint != sessionCommandHint {
		return err
	}
	if errors.Is(err, sts.ErrCredential) { // nobody was asked yet
		return hinted{err, ""}
	}
	return hinted{err, "the provider's number, claims and certificate must belong together: docs/assurability.md"}
}

// announceEnd tells that the session will end.
func (a *app) announceEnd(until time.Time, err error) {
	why := ""
	if err != nil {
		why = " (" + termview.Clean(err.Error()) + ")"
	}
	a.info("warning: "+a.insuranceWord("ends")+"%s: eid session open", clockTime(until), why)
}

// clockTime is a moment for people, in the machine's time zone.
func clockTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func (a *app) sessionStatusCommand() *cobra.Command {
	var f insuranceFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say whether there is a session, and until when",
		Long:  "Say whether there is a session, and until when. Nobody is asked anything. Exit code 1: there is none.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.insuranceSession(f, false)
			if err != nil {
				return err
			}
			why := s.Load()
			d := aboutSession(s, why, time.Now())
			if err := a.showSession(d, asJSON); err != nil {
				return err
			}
			if d.State == sessionClosed {
				return verdict(exitInvalid)
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) sessionCloseCommand() *cobra.Command {
	var f insuranceFlags
	cmd := &cobra.Command{
		Use:   "close",
		Short: "Forget token and key, for all programs that share them",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.insuranceSession(f, false)
			if err != nil {
				return err
			}
			if err := s.Close(); err != nil {
				return err
			}
			a.info("%s", a.insuranceWord("session-closed"))
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

// States of a session.
const (
	sessionOpen, sessionEnding, sessionClosed = "open", "ending", "closed"
)

// sessionDocument is the JSON of `eid session` (docs/schema/session.json).
type sessionDocument struct {
	Schema   int             `json:"schema"`
	State    string          `json:"state"`
	Until    string          `json:"until,omitempty"`
	Reason   string          `json:"reason,omitempty"` // why it is closed
	Provider sessionProvider `json:"provider"`
	Service  string          `json:"service"`
	File     string          `json:"file"`

	until time.Time
}

type sessionProvider struct {
	Quality string `json:"quality"`
	NIHII   string `json:"nihii"`
	Name    string `json:"name,omitempty"`
	Test    bool   `json:"test"`
}

// aboutSession says what there is to say of a session. why is why it could not be loaded.
func aboutSession(s *platform, why error, now time.Time) sessionDocument {
	o, p := s.options, s.options.Provider
	d := sessionDocument{Schema: 1, State: sessionClosed, Provider: sessionProvider{p.Quality, p.NIHII, p.Name, p.Test}, Service: o.URL, File: o.File, until: s.Until()}
	switch {
	case d.until.IsZero():
		if why != nil && !errors.Is(why, fs.ErrNotExist) { // that there is none needs no words
			d.Reason = termview.Clean(why.Error())
		}
		return d
	case d.until.Sub(now) < o.Margin:
		d.State = sessionEnding
	default:
		d.State = sessionOpen
	}
	d.Until = d.until.UTC().Format(time.RFC3339)
	return d
}

func (a *app) showSession(d sessionDocument, asJSON bool) error {
	if asJSON {
		return writeJSON(a.out, d)
	}
	view := termview.Card{Title: a.insuranceWord("session")}
	if d.Provider.Test {
		view.Badge = " TEST "
	}
	add := func(key, value string) {
		if value != "" {
			view.Rows = append(view.Rows, termview.Row{Label: a.insuranceWord(key), Value: value})
		}
	}
	mark := termview.Mark{State: termview.Good, Text: a.insuranceWord("session-open")}
	switch d.State {
	case sessionEnding:
		mark = termview.Mark{State: termview.Doubtful, Text: fmt.Sprintf(a.insuranceWord("ends"), clockTime(d.until)) + ": eid session open"}
	case sessionClosed:
		mark = termview.Mark{State: termview.Bad, Text: a.insuranceWord("session-none") + ": eid session open"}
	}
	view.Marks = []termview.Mark{mark}
	add("provider", d.Provider.Name)
	add("quality", d.Provider.Quality)
	add("nihii", d.Provider.NIHII)
	if !d.until.IsZero() {
		add("until", clockTime(d.until))
	}
	add("platform", d.Service)
	if d.Reason != "" {
		view.Notes = append(view.Notes, d.Reason)
	}
	return a.draw(a.out, view)
}
