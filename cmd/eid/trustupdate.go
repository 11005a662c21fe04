package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/internal/truststore"
	"github.com/eidkit/eidkit/verify"
	"github.com/spf13/cobra"
)

// rootURLs are where the certificates of the Belgian roots are published. What comes from there counts by its fingerprint alone, so
// that plain http does no harm and a wrong address costs one request.
var rootURLs = []string{
	"http://certs.eid.belgium.be/belgiumrca2.crt",
	"http://certs.eid.belgium.be/belgiumrca3.crt",
	"http://certs.eid.belgium.be/belgiumrca4.crt",
	"http://crt.eidpki.belgium.be/eid/brca6.crt",
	"http://certs.eid.belgium.be/belgiumrs2.crt",
	"http://certs.eid.belgium.be/belgiumrs3.crt",
	"http://certs.eid.belgium.be/belgiumrs4.crt",
}

// maxRoot bounds a download, in bytes.
const maxRoot = 256 << 10

func (a *app) trustUpdateCommand() *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Fetch the certificates of the Belgian roots",
		Long: `Fetch the certificates of the Belgian roots into the trust store, so that files can be verified
that do not bring them along. They are taken by their built-in fingerprints only.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := openTrust()
			if err != nil {
				return err
			}
			if folder != "" {
				return a.updateFromFolder(cmd.Context(), store, folder)
			}
			options, err := a.config.Network.options()
			if err != nil {
				return err
			}
			options.MaxBytes = maxRoot
			client, err := fetch.New(options)
			if err != nil {
				return err
			}
			defer client.Close()
			return a.updateTrust(cmd.Context(), store, func(ctx context.Context, url string) ([]byte, error) {
				r, err := client.Get(ctx, url, fetch.Request{})
				if err != nil {
					return nil, err
				}
				return r.Body, nil
			})
		},
	}
	cmd.Flags().StringVar(&folder, "offline-dir", "", "take them from this folder instead of the network")
	return cmd
}

// updateFromFolder takes the built-in roots' certificates from a folder; what else lies there is passed over.
func (a *app) updateFromFolder(ctx context.Context, store *truststore.Store, folder string) error {
	set, err := verify.LoadAnchors(folder)
	if err != nil {
		return usageError{err}
	}
	u, err := newTrustUpdate(a, store)
	if err != nil {
		return err
	}
	for _, c := range set.Added() {
		if err := u.take(ctx, c, folder); err != nil {
			return err
		}
	}
	return u.finish(nil)
}

// updateTrust asks the addresses until every built-in root has come.
func (a *app) updateTrust(ctx context.Context, store *truststore.Store, get func(ctx context.Context, url string) ([]byte, error)) error {
	u, err := newTrustUpdate(a, store)
	if err != nil {
		return err
	}
	var failed error
	for _, url := range rootURLs {
		if len(u.missing) == 0 {
			break
		}
		body, err := get(ctx, url)
		if err == nil {
			err = u.takeAll(ctx, body, url)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", url, err)
		}
	}
	return u.finish(failed)
}

// trustUpdate is one run of `eid trust update`.
type trustUpdate struct {
	a       *app
	store   *truststore.Store
	missing map[truststore.Fingerprint]verify.PinnedRoot
	before  map[truststore.Fingerprint]truststore.Entry // what was in the store
}

func newTrustUpdate(a *app, store *truststore.Store) (*trustUpdate, error) {
	u := &trustUpdate{a: a, store: store, missing: map[truststore.Fingerprint]verify.PinnedRoot{}, before: map[truststore.Fingerprint]truststore.Entry{}}
	for _, r := range verify.PinnedRoots() {
		u.missing[r.SHA256] = r
	}
	entries, problems, err := store.List()
	for _, p := range problems {
		a.info("warning: %s", termview.Clean(p.Err.Error()))
	}
	for _, e := range entries {
		u.before[sha256.Sum256(e.Certificate.Raw)] = e
	}
	return u, err
}

func (u *trustUpdate) takeAll(ctx context.Context, data []byte, origin string) error {
	list, _, err := certs.ParseAll(data)
	if err != nil {
		return err
	}
	for _, c := range list {
		if err := u.take(ctx, c, origin); err != nil {
			return err
		}
	}
	return nil
}

// take stores a certificate if it is that of a built-in root.
func (u *trustUpdate) take(ctx context.Context, c *x509.Certificate, origin string) error {
	fp := truststore.Fingerprint(sha256.Sum256(c.Raw))
	root, ok := u.missing[fp]
	if !ok {
		return nil
	}
	e := truststore.Entry{Certificate: c, Withdrawn: root.Withdrawn, Origin: origin}
	if old, ok := u.before[fp]; ok { // bounds that the user set stay
		e.Granted = old.Granted
		if !old.Withdrawn.IsZero() {
			e.Withdrawn = old.Withdrawn
		}
	}
	if err := u.store.Add(ctx, e); err != nil {
		return err
	}
	delete(u.missing, fp)
	u.a.info("%s (to %s): %s", root.Name, root.NotAfter.Format("2006"), termview.Clean(origin))
	return nil
}

// finish says what is still missing: what was there from before does as well.
func (u *trustUpdate) finish(failed error) error {
	for fp, e := range u.before {
		if r, ok := u.missing[fp]; ok {
			u.a.info("%s (to %s): did not come; the certificate of %s is kept", r.Name, r.NotAfter.Format("2006"), e.Added.Format(time.DateOnly))
			delete(u.missing, fp)
		}
	}
	if len(u.missing) == 0 {
		return nil
	}
	for _, r := range verify.PinnedRoots() {
		if _, ok := u.missing[r.SHA256]; ok {
			u.a.info("%s (to %s): not found", r.Name, r.NotAfter.Format("2006"))
		}
	}
	err := errors.New("certificates of Belgian roots are missing")
	if failed != nil {
		err = fmt.Errorf("%w: %w", err, failed)
	}
	return hinted{err, "put their files into a folder and run: eid trust update --offline-dir FOLDER"}
}
