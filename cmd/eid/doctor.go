package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/spf13/cobra"
)

// Outcomes of a doctor's check (docs/schema/doctor.json).
const (
	checkOK      = "ok"
	checkFailed  = "failed"
	checkWarning = "warning"
	checkSkipped = "skipped"
)

// check is one layer looked at.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

type diagnosis struct {
	Schema int     `json:"schema"`
	OK     bool    `json:"ok"`
	Checks []check `json:"checks"`
}

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	var bundle, site string
	var port uint16
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out why it does not work",
		Long: `Look at each layer in turn, from the smart card service to the card, and name the first that
fails with the command that mends it. --bundle writes what a help desk needs to know: no name,
number or certificate of a person is in it. --site looks at a web site's way to the agent instead:
the page, the port, policy and grants, browsers' own rules, the dialog.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.HasPrefix(a.reader, testcardPrefix) {
				return usagef("the doctor looks at real readers; a simulated card needs none")
			}
			var d diagnosis
			if site != "" {
				d = a.diagnoseSite(cmd.Context(), site, port)
			} else {
				d = a.diagnose(cmd.Context())
			}
			switch {
			case bundle != "":
				if err := a.writeBundle(bundle, d); err != nil {
					return err
				}
			case asJSON:
				if err := writeJSON(a.out, d); err != nil {
					return err
				}
			default:
				d.print(a.out)
			}
			return d.outcome()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&site, "site", "", "address of a web site that cannot use the card")
	cmd.Flags().Uint16Var(&port, "port", protocol.Port, "with --site: port of the agent")
	cmd.Flags().StringVar(&bundle, "bundle", "", "write a report without personal data to this file")
	return cmd
}

// diagnose runs the checks from the bottom up. Those that stand on one that failed are skipped.
func (a *app) diagnose(ctx context.Context) diagnosis {
	d := diagnosis{Schema: 1, OK: true}
	add := func(c check) bool {
		if c.Status == checkFailed {
			d.OK = false
		}
		d.Checks = append(d.Checks, c)
		return c.Status == checkOK || c.Status == checkWarning
	}
	below := true
	var states []card.ReaderState
	var session *session
	for _, layer := range []struct {
		name string
		look func() check
	}{
		{"service", func() check { return a.checkService(ctx, &states) }},
		{"reader", func() check { return a.checkReader(states) }},
		{"card", func() check { return a.checkCard(states) }},
		{"applet", func() check { return a.checkApplet(ctx, states, &session) }},
		{"pin", func() check { return checkPIN(ctx, session) }},
	} {
		if !below {
			add(check{Name: layer.name, Status: checkSkipped, Detail: "not looked at, since the layer below it fails"})
			continue
		}
		c := layer.look()
		c.Name = layer.name
		below = add(c)
	}
	if session != nil {
		session.Close()
	}
	add(a.checkPinentry())
	add(a.checkNetwork())
	add(a.checkStamps())
	add(checkTime(time.Now()))
	return d
}

func (a *app) checkService(ctx context.Context, states *[]card.ReaderState) check {
	if hint, detail := serviceFault(); detail != "" {
		return check{Status: checkFailed, Detail: detail, Hint: hint}
	}
	var err error
	if *states, err = pcsc.Readers(ctx); err != nil {
		return check{Status: checkFailed, Detail: err.Error(), Hint: serviceRestart()}
	}
	return check{Status: checkOK, Detail: "the smart card service answers"}
}

func (a *app) checkReader(states []card.ReaderState) check {
	names := ""
	for _, s := range a.usable(states) {
		names += fmt.Sprintf(" %q", termview.Clean(s.Name))
	}
	if names == "" {
		return check{Status: checkFailed, Detail: "no card reader is known to the service",
			Hint: "plug the reader in; on Debian its driver comes with: sudo apt install libccid"}
	}
	return check{Status: checkOK, Detail: "found" + names}
}

func (a *app) checkCard(states []card.ReaderState) check {
	mute := false
	for _, s := range a.usable(states) {
		if s.Card == card.Present {
			return check{Status: checkOK, Detail: fmt.Sprintf("a card answers in %q: ATR %X", termview.Clean(s.Name), s.ATR)}
		}
		mute = mute || s.Card == card.Mute
	}
	if mute {
		return check{Status: checkFailed, Detail: "a card is in the reader but does not answer", Hint: "turn it over, clean the chip, then: eid doctor"}
	}
	return check{Status: checkFailed, Detail: "no card is in a reader", Hint: "put the card in, then: eid doctor"}
}

func (a *app) checkApplet(ctx context.Context, states []card.ReaderState, s **session) check {
	opened, err := a.openFirst(ctx, states)
	switch {
	case errors.Is(err, beid.ErrNotEID):
		return check{Status: checkFailed, Detail: "the card is not a Belgian eID", Hint: "put an eID in, then: eid doctor"}
	case errors.Is(err, card.ErrBusy):
		return check{Status: checkFailed, Detail: "another program holds the card", Hint: "close it, then: eid doctor"}
	case err != nil:
		return check{Status: checkFailed, Detail: err.Error(), Hint: "take the card out and put it in again, then: eid doctor"}
	}
	*s = opened
	v := opened.CardData().AppletVersion
	c := check{Status: checkOK, Detail: fmt.Sprintf("Belgian eID, applet %d.%d", v>>4, v&0xF)}
	if w := opened.Warnings(); len(w) > 0 {
		c.Status, c.Detail = checkWarning, w[0]
	}
	return c
}

// openFirst opens the first eID there is: the doctor looks at one, and does not ask.
func (a *app) openFirst(ctx context.Context, states []card.ReaderState) (*session, error) {
	problem := card.ErrNoReader
	for _, state := range a.usable(states) {
		s, err := a.openState(ctx, state)
		if err == nil {
			return s, nil
		}
		problem = worse(problem, err)
	}
	return nil, problem
}

func checkPIN(ctx context.Context, s *session) check {
	tries, err := s.PINTries(ctx)
	switch {
	case err != nil:
		return check{Status: checkFailed, Detail: err.Error(), Hint: "eid pin status"}
	case tries == 0:
		return check{Status: checkWarning, Detail: "the PIN is blocked", Hint: "eid pin unblock (cards before 2021), or the municipality"}
	case tries == 1:
		return check{Status: checkWarning, Detail: "one PIN try is left: a wrong one blocks the card"}
	case tries < 0:
		return check{Status: checkOK, Detail: "not asked: on this card that would cost a try"}
	}
	return check{Status: checkOK, Detail: fmt.Sprintf("%d tries left", tries)}
}

func (a *app) checkPinentry() check {
	path, err := pinentry.Find(a.config.Pinentry)
	if err != nil {
		return check{Name: "pin dialog", Status: checkWarning, Detail: err.Error()} // it says what to do
	}
	return check{Name: "pin dialog", Status: checkOK, Detail: path}
}

// checkTime compares the clock with the time this program was built from: certificates are judged by the clock.
func checkTime(now time.Time) check {
	c := check{Name: "clock", Status: checkOK, Detail: now.UTC().Format(time.RFC3339)}
	built := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				built = t
			}
		}
	}
	if now.Before(built.Add(-24 * time.Hour)) {
		c.Status, c.Detail = checkFailed, "the clock says "+c.Detail+", before this program was made"
		c.Hint = "sudo timedatectl set-ntp true"
	}
	return c
}

// outcome is the exit code of the first check that failed: no reader and no card have one of their own.
func (d diagnosis) outcome() error {
	for _, c := range d.Checks {
		if c.Status != checkFailed {
			continue
		}
		switch c.Name {
		case "service", "reader", "card", "applet":
			return verdict(exitNoCard)
		}
		return verdict(exitFailure)
	}
	return nil
}

func (d diagnosis) print(w io.Writer) {
	signs := map[string]string{checkOK: "✓", checkFailed: "✗", checkWarning: "!", checkSkipped: "–"}
	for _, c := range d.Checks {
		fmt.Fprintf(w, "%s %-11s %s\n", signs[c.Status], c.Name, termview.Clean(c.Detail))
	}
	for _, c := range d.Checks {
		if c.Status == checkFailed {
			fmt.Fprintf(w, "\nThe first thing to mend: %s.\n  %s\n", c.Name, c.Hint)
			return
		}
	}
	for _, c := range d.Checks {
		if c.Status == checkWarning && c.Hint != "" {
			fmt.Fprintf(w, "\nWorth mending: %s.\n  %s\n", c.Name, c.Hint)
		}
	}
}

// bundle is what a help desk gets: the machine and the checks, nothing of a person.
type bundle struct {
	Schema      int               `json:"schema"`
	Time        time.Time         `json:"time"`
	Version     versionInfo       `json:"version"`
	CPUs        int               `json:"cpus"`
	Environment map[string]string `json:"environment"`
	Diagnosis   diagnosis         `json:"diagnosis"`
}

// bundleEnvironment are the variables that matter and say nothing of a person.
var bundleEnvironment = []string{"LANG", "LC_ALL", "TERM", "XDG_SESSION_TYPE", "DESKTOP_SESSION", "PCSCLITE_CSOCK_NAME", "EIDKIT_PINENTRY"}

func (a *app) writeBundle(path string, d diagnosis) error {
	b := bundle{Schema: 1, Time: time.Now().UTC(), Version: currentVersion(), CPUs: runtime.NumCPU(),
		Environment: map[string]string{}, Diagnosis: d}
	for _, name := range bundleEnvironment {
		if v, ok := os.LookupEnv(name); ok {
			b.Environment[name] = v
		}
	}
	var text bytes.Buffer
	if err := writeJSON(&text, b); err != nil {
		return err
	}
	report := text.String()
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 { // it names the user
		report = strings.ReplaceAll(report, home, "~")
	}
	return a.writeFile(path, []byte(report))
}
