package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/internal/truststore"
	"github.com/eidkit/eidkit/verify"
	"github.com/spf13/cobra"
)

// trustList is the JSON of `eid trust list` (docs/schema/trust.json).
type trustList struct {
	Schema   int            `json:"schema"`
	Store    string         `json:"store"`
	Anchors  []trustAnchor  `json:"anchors"`
	Problems []trustProblem `json:"problems"`
}

// trustAnchor is one anchor in it.
type trustAnchor struct {
	SHA256    string     `json:"sha256"`
	Subject   string     `json:"subject"`
	NotBefore string     `json:"notBefore"`
	NotAfter  string     `json:"notAfter"`
	BuiltIn   bool       `json:"builtIn"`
	Stored    bool       `json:"stored"`
	Status    string     `json:"status"` // trusted, withdrawn, notYet
	Granted   *time.Time `json:"granted,omitempty"`
	Withdrawn *time.Time `json:"withdrawn,omitempty"`
	Origin    string     `json:"origin,omitempty"`
	Added     *time.Time `json:"added,omitempty"`
}

// trustProblem is something in the store that is not in order.
type trustProblem struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

func (a *app) trustListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the trusted roots",
		RunE: func(*cobra.Command, []string) error {
			store, err := openTrust()
			if err != nil {
				return err
			}
			list, err := listTrust(store, time.Now())
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(a.out, list)
			}
			a.printTrust(list)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON (docs/schema/trust.json)")
	return cmd
}

// listTrust puts the built-in roots and the store's entries together.
func listTrust(store *truststore.Store, now time.Time) (trustList, error) {
	list := trustList{Schema: 1, Store: store.Dir(), Anchors: []trustAnchor{}, Problems: []trustProblem{}}
	entries, problems, err := store.List()
	if err != nil {
		return list, err
	}
	stored := map[truststore.Fingerprint]truststore.Entry{}
	for _, e := range entries {
		stored[sha256.Sum256(e.Certificate.Raw)] = e
	}
	for _, r := range verify.PinnedRoots() {
		t := trustAnchor{SHA256: upperHex(r.SHA256[:]), Subject: "CN=" + r.Name + ",C=BE", BuiltIn: true,
			NotBefore: r.NotBefore.Format(time.DateOnly), NotAfter: r.NotAfter.Format(time.DateOnly)}
		withdrawn := r.Withdrawn
		if e, ok := stored[r.SHA256]; ok {
			delete(stored, r.SHA256)
			t.fill(e)
			if !e.Withdrawn.IsZero() && (withdrawn.IsZero() || e.Withdrawn.Before(withdrawn)) {
				withdrawn = e.Withdrawn
			}
			t.period(e.Granted, withdrawn, now)
		} else {
			t.period(time.Time{}, withdrawn, now)
		}
		list.Anchors = append(list.Anchors, t)
	}
	for _, e := range entries {
		fp := sha256.Sum256(e.Certificate.Raw)
		if _, ok := stored[fp]; !ok {
			continue
		}
		t := trustAnchor{SHA256: upperHex(fp[:])}
		t.fill(e)
		t.period(e.Granted, e.Withdrawn, now)
		list.Anchors = append(list.Anchors, t)
	}
	for _, p := range problems {
		list.Problems = append(list.Problems, trustProblem{p.Name, p.Err.Error()})
	}
	return list, nil
}

func upperHex(b []byte) string { return fmt.Sprintf("%X", b) }

// fill takes over what an entry of the store says.
func (t *trustAnchor) fill(e truststore.Entry) {
	c := e.Certificate
	t.Stored, t.Subject, t.Origin = true, certs.NameString(c.RawSubject), e.Origin
	t.NotBefore, t.NotAfter = c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly)
	added := e.Added.UTC()
	t.Added = &added
}

// period sets the time of trust and what that means now.
func (t *trustAnchor) period(granted, withdrawn, now time.Time) {
	t.Status = "trusted"
	if !granted.IsZero() {
		granted = granted.UTC()
		t.Granted = &granted
		if now.Before(granted) {
			t.Status = "notYet"
		}
	}
	if !withdrawn.IsZero() {
		withdrawn = withdrawn.UTC()
		t.Withdrawn = &withdrawn
		if !now.Before(withdrawn) {
			t.Status = "withdrawn"
		}
	}
}

func (a *app) printTrust(list trustList) {
	for i, t := range list.Anchors {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintln(a.out, termview.Clean(t.Subject))
		for _, row := range t.rows() {
			fmt.Fprintf(a.out, "  %-11s  %s\n", row[0], termview.Clean(row[1]))
		}
	}
	for _, p := range list.Problems {
		a.info("warning: %s", termview.Clean(p.Detail))
	}
}

func (t trustAnchor) rows() [][2]string {
	var fp truststore.Fingerprint
	if _, err := hex.Decode(fp[:], []byte(t.SHA256)); err != nil {
		return nil
	}
	var granted, withdrawn time.Time
	if t.Granted != nil {
		granted = *t.Granted
	}
	if t.Withdrawn != nil {
		withdrawn = *t.Withdrawn
	}
	trusted := trustedSpan(granted, withdrawn)
	switch t.Status {
	case "withdrawn":
		trusted += " (not any more)"
	case "notYet":
		trusted += " (not yet)"
	}
	origin := "built in, its certificate comes from the card"
	if t.Stored {
		origin = t.Origin + ", " + t.Added.Format(time.DateOnly)
		if t.BuiltIn {
			origin = "built in; certificate from " + origin
		}
	}
	return [][2]string{{"fingerprint", formatFingerprint(fp)}, {"valid", t.NotBefore + " to " + t.NotAfter}, {"trusted", trusted}, {"origin", origin}}
}

// trustedSpan says a time of trust; "always" has no bounds.
func trustedSpan(granted, withdrawn time.Time) string {
	from, until := "from "+granted.UTC().Format(time.DateOnly), "until "+withdrawn.UTC().Format(time.DateOnly)
	switch {
	case granted.IsZero() && withdrawn.IsZero():
		return "always"
	case granted.IsZero():
		return until
	case withdrawn.IsZero():
		return from
	}
	return from + " " + until
}
