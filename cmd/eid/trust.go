package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/internal/truststore"
	"github.com/eidkit/eidkit/verify"
	"github.com/spf13/cobra"
)

func (a *app) trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "See and change which roots are trusted",
		Long: `See and change which root certificates are trusted. The Belgian roots are built in, by their
fingerprints; others, and the Belgian ones' own certificates, are kept in the trust store, a
folder that eid read and eid verify look into.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.trustListCommand(), a.trustAddCommand(), a.trustRemoveCommand(), a.trustUpdateCommand())
	return cmd
}

// openTrust returns the user's trust store.
func openTrust() (*truststore.Store, error) {
	dir, err := verify.TrustDir()
	if err != nil {
		return nil, fmt.Errorf("finding the trust store: %w", err)
	}
	return truststore.New(dir), nil
}

// anchors are what the user trusts: the pinned roots, the trust store and the files and folders of --trust.
func (a *app) anchors(paths []string) (*verify.Anchors, error) {
	return a.anchorsOf(paths, false)
}

// anchorsOf leaves the store and the built-in roots out when only the given
// certificates are to be trusted.
func (a *app) anchorsOf(paths []string, only bool) (*verify.Anchors, error) {
	if only {
		anchors, err := verify.LoadAnchors(paths...)
		if err != nil {
			return nil, usageError{err}
		}
		anchors.OnlyAdded()
		return anchors, nil
	}
	dir, err := verify.TrustDir()
	if err != nil { // no home directory: no store
		dir = ""
	}
	anchors, warnings, err := verify.LoadTrust(dir, paths...)
	if err != nil {
		return nil, usageError{err}
	}
	for _, w := range warnings {
		a.info("warning: %s", termview.Clean(w.Error()))
	}
	return anchors, nil
}

func (a *app) trustAddCommand() *cobra.Command {
	var from, until string
	var yes bool
	cmd := &cobra.Command{
		Use:   "add FILE|FOLDER",
		Short: "Trust the certificates in a file or folder",
		Long: `Trust the certificates in a file (PEM, DER or PKCS #7) or folder from now on, or for the time
given. Compare the fingerprint with one from another source before you say yes.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e := truststore.Entry{Origin: args[0]}
			if path, err := filepath.Abs(args[0]); err == nil {
				e.Origin = path
			}
			var err error
			if e.Granted, err = parseDay("--from", from); err != nil {
				return err
			}
			if e.Withdrawn, err = parseDay("--until", until); err != nil {
				return err
			}
			if !e.Granted.IsZero() && !e.Withdrawn.IsZero() && !e.Granted.Before(e.Withdrawn) {
				return usagef("--until must be after --from")
			}
			return a.trustAdd(cmd.Context(), args[0], e, yes)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "trusted from this day (YYYY-MM-DD) or time (RFC 3339) on")
	cmd.Flags().StringVar(&until, "until", "", "trusted up to this day or time, and not on it")
	cmd.Flags().BoolVar(&yes, "yes", false, "ask nothing")
	return cmd
}

// parseDay reads a day, which begins at 0:00 UTC, or a time.
func parseDay(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%s takes a day such as 2026-05-19 or a time such as 2026-05-19T12:00:00Z", flag)
}

func (a *app) trustAdd(ctx context.Context, path string, e truststore.Entry, yes bool) error {
	store, err := openTrust()
	if err != nil {
		return err
	}
	set, err := verify.LoadAnchors(path)
	if err != nil {
		return usageError{err}
	}
	there, _, err := store.List()
	if err != nil {
		return err
	}
	list := set.Added()
	for _, c := range list {
		rows := describe(c)
		if i := slices.IndexFunc(there, func(e truststore.Entry) bool { return e.Certificate.Equal(c) }); i >= 0 {
			rows = append(rows, [2]string{"until now", "trusted " + trustedSpan(there[i].Granted, there[i].Withdrawn) + ", which this replaces"})
		}
		for _, row := range rows {
			fmt.Fprintf(a.err, "  %-11s  %s\n", row[0], termview.Clean(row[1]))
		}
		if c.IsCA || c.Version < 3 {
			continue
		}
		a.info("this is no CA's certificate: it will be trusted itself, and nothing that it issued")
	}
	if !yes {
		if err := a.confirm(len(list)); err != nil {
			return err
		}
	}
	for _, c := range list {
		e.Certificate = c
		if err := store.Add(ctx, e); err != nil {
			return err
		}
	}
	a.info("%s added to %s", counted(len(list)), store.Dir())
	return nil
}

// describe is what a person compares before trusting a certificate.
func describe(c *x509.Certificate) [][2]string {
	fp := sha256.Sum256(c.Raw)
	rows := [][2]string{
		{"subject", certs.NameString(c.RawSubject)},
		{"fingerprint", formatFingerprint(fp)},
		{"valid", c.NotBefore.UTC().Format(time.DateOnly) + " to " + c.NotAfter.UTC().Format(time.DateOnly)},
		{"key", sigalg.KeyName(c.PublicKey)},
	}
	if !certs.EqualName(c.RawSubject, c.RawIssuer) {
		rows = append(rows, [2]string{"issuer", certs.NameString(c.RawIssuer)})
	}
	return rows
}

// formatFingerprint groups a fingerprint for reading aloud.
func formatFingerprint(fp truststore.Fingerprint) string {
	s := strings.ToUpper(hex.EncodeToString(fp[:]))
	var groups []string
	for ; s != ""; s = s[8:] {
		groups = append(groups, s[:8])
	}
	return strings.Join(groups, " ")
}

func counted(n int) string {
	if n == 1 {
		return "1 certificate"
	}
	return fmt.Sprintf("%d certificates", n)
}

// confirm asks on the terminal. Without one nothing is trusted unasked.
func (a *app) confirm(n int) error {
	if !isTerminal(a.in) || !isTerminal(a.err) {
		return hinted{usagef("nobody is at a terminal to confirm this"), "compare the fingerprint, then run it again with: --yes"}
	}
	fmt.Fprintf(a.err, "Trust %s? Type yes: ", counted(n))
	line, err := bufio.NewReader(io.LimitReader(a.in, 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(line) != "yes" {
		return errors.New("not confirmed: nothing was added")
	}
	return nil
}

func (a *app) trustRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove FINGERPRINT",
		Short: "Take a certificate out of the trust store",
		Long: `Take a certificate out of the trust store, by its SHA-256 fingerprint or the beginning of it, at
least eight digits. The built-in roots stay trusted.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.trustRemove(cmd.Context(), strings.Join(args, ""))
		},
	}
}

func (a *app) trustRemove(ctx context.Context, asked string) error {
	store, err := openTrust()
	if err != nil {
		return err
	}
	prefix := strings.ToLower(strings.NewReplacer(":", "", " ", "", ".pem", "").Replace(asked))
	if len(prefix) < 8 || strings.Trim(prefix, "0123456789abcdef") != "" || len(prefix) > 64 {
		return hinted{usagef("%.80q is no fingerprint", asked), "see them with: eid trust list"}
	}
	found, err := fingerprints(store, prefix)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return hinted{usagef("%s: %v", prefix, truststore.ErrNotFound), "see what is there with: eid trust list"}
	case len(found) > 1:
		return hinted{usagef("%d certificates begin with %s", len(found), prefix), "give more of the fingerprint"}
	}
	if err := store.Remove(ctx, found[0]); err != nil {
		return err
	}
	a.info("removed %s", formatFingerprint(found[0]))
	for _, r := range verify.PinnedRoots() {
		if r.SHA256 == found[0] {
			a.info("%s is built in and stays trusted", r.Name)
		}
	}
	return nil
}

// fingerprints are those in the store that begin with prefix, entries that are not in order among them.
func fingerprints(store *truststore.Store, prefix string) (found []truststore.Fingerprint, err error) {
	entries, problems, err := store.List()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		fp := sha256.Sum256(e.Certificate.Raw)
		names = append(names, hex.EncodeToString(fp[:]))
	}
	for _, p := range problems {
		names = append(names, strings.TrimSuffix(p.Name, ".pem"))
	}
	seen := map[string]bool{}
	for _, name := range names {
		var fp truststore.Fingerprint
		if !strings.HasPrefix(name, prefix) || len(name) != hex.EncodedLen(len(fp)) || seen[name] {
			continue
		}
		seen[name] = true
		if _, err := hex.Decode(fp[:], []byte(name)); err == nil {
			found = append(found, fp)
		}
	}
	return found, nil
}
