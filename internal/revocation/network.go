package revocation

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/crl"
	"github.com/eidkit/eidkit/internal/ocsp"
)

// ListStore keeps CRLs by their address and issuer. crl.Store is one, in memory
// or on disk.
type ListStore interface {
	// Kept returns the list that is kept for an address and the issuer of the
	// certificates it is asked for, without asking anybody; nil if there is
	// none. due says that its service should be asked for a newer one.
	Kept(url string, issuer *x509.Certificate) (x *crl.Index, due bool, err error)
	// Update returns the list of an address, fetched if what is kept is due or
	// older than fresh (zero: as the store does). check is asked before a list
	// is kept: its error ends the update. fetched tells that the service was
	// asked. A list beside an error is an older one that may still do.
	Update(ctx context.Context, url string, issuer *x509.Certificate, fresh time.Duration, check func(*crl.List) (signer crl.Digest, err error)) (x *crl.Index, fetched bool, err error)
}

// cached uses what was fetched before and is still right at the time asked
// about.
func (in *inquiry) cached(ctx context.Context) {
	in.cachedAnswer()
	if in.o.Lists == nil || in.enough() {
		return
	}
	for _, url := range in.listURLs() {
		x, due, err := in.o.Lists.Kept(url, in.Issuer)
		if err == nil && x != nil && (in.silent() || in.madeAfter(x.List().ThisUpdate) || !due && !in.outOfDate(x.List().ThisUpdate, x.List().NextUpdate)) {
			err = in.useCRL(ctx, x, in.keptDeltas(x), Cached, url)
		}
		if err != nil {
			in.problem("CRL", url, Cached, err)
		}
		if in.enough() {
			return
		}
	}
}

// cachedAnswer uses the OCSP answer that is kept, and tells whether that is
// enough.
func (in *inquiry) cachedAnswer() bool {
	r := in.kept.get(in.subject())
	in.looked = r
	if r == nil || !in.silent() && !in.stillFresh(r) {
		return false
	}
	if err := in.useOCSP(r, Cached, ""); err != nil {
		in.problem("OCSP", "", Cached, err)
	}
	return in.enough()
}

func (in *inquiry) subject() subject {
	return subject{ades.ObjectDigest(in.Certificate.Raw), ades.ObjectDigest(in.Issuer.Raw)}
}

// silent: nobody may be asked, and what is kept is all there is, however old.
func (in *inquiry) silent() bool { return in.Offline || in.o.Fetch == nil }

// madeAfter: the answer was made after the time asked about, so that a newer
// one would say no more, unless the caller wants one that is fresh.
func (in *inquiry) madeAfter(this time.Time) bool { return in.Fresh == 0 && !this.Before(in.At) }

// outOfDate: fetching again would bring something newer, and the caller's
// Fresh is not met.
func (in *inquiry) outOfDate(this, next time.Time) bool {
	now := in.o.Now()
	return !next.IsZero() && next.Before(now) || in.Fresh > 0 && now.Sub(this) > in.Fresh
}

// stillFresh: nothing newer is wanted than what the answer says.
func (in *inquiry) stillFresh(r *ocsp.Response) bool {
	found, err := r.Find(in.Certificate, in.Issuer)
	if err != nil {
		return false
	}
	for _, s := range found {
		if !in.madeAfter(s.ThisUpdate) && (s.NextUpdate.IsZero() || in.outOfDate(s.ThisUpdate, s.NextUpdate)) {
			return false
		}
	}
	return true
}

// network asks the services that the certificate names, one kind after the
// other, until there is enough.
func (in *inquiry) network(caller context.Context) {
	ctx, cancel := context.WithTimeout(caller, in.o.Timeout)
	defer cancel()
	kinds := []func(context.Context, context.Context){in.askOCSP, in.askLists}
	if in.o.CRLFirst {
		kinds[0], kinds[1] = kinds[1], kinds[0]
	}
	for _, ask := range kinds {
		if ask(ctx, caller); in.enough() || ctx.Err() != nil {
			return
		}
	}
}

// reachable leaves out addresses that are not for HTTP, as those of
// directories (LDAP), unless there are no others.
func reachable(urls []string) []string {
	var list []string
	for _, u := range urls {
		if scheme, _, _ := strings.Cut(strings.ToLower(u), ":"); scheme == "http" || scheme == "https" {
			list = append(list, u)
		}
	}
	if list == nil {
		return urls
	}
	return list
}

// listURLs are the addresses of the certificate's lists.
func (in *inquiry) listURLs() []string {
	points, err := certs.CRLDistributionPoints(in.Certificate)
	if err != nil {
		return nil
	}
	var urls []string
	for _, p := range points[:min(len(points), maxPoints)] {
		urls = append(urls, p.URLs()...)
	}
	urls = reachable(urls)
	return urls[:min(len(urls), maxPoints)]
}

// askLists fetches lists until there is enough: an address that failed is no
// reason not to try the next, and partial lists need each other.
func (in *inquiry) askLists(ctx, _ context.Context) {
	failed := 0
	for _, url := range in.listURLs() {
		if failed == maxSources || ctx.Err() != nil {
			return
		}
		x, origin, err := in.updated(ctx, url)
		if err == nil {
			err = in.useCRL(ctx, x, in.freshDeltas(ctx, x), origin, url)
		}
		if err != nil {
			failed++
			in.problem("CRL", url, Fetched, err)
		}
		if in.enough() {
			return
		}
	}
}

// updated returns the newest list of an address, and an error for one whose
// time is over: a service that has nothing newer is as good as silent. If it
// fails, the list that is kept will do, and the failure is told.
func (in *inquiry) updated(ctx context.Context, url string) (*crl.Index, Origin, error) {
	x, fetched, err := in.o.Lists.Update(ctx, url, in.Issuer, in.Fresh, in.checkFetched(ctx))
	if x == nil {
		return nil, Fetched, err
	}
	if err != nil {
		in.problem("CRL", url, Fetched, err)
	}
	origin := Cached
	if fetched {
		origin = Fetched
	}
	now, limit := in.o.Now(), in.o.MaxAge
	if x.List().NextUpdate.IsZero() && limit == 0 {
		limit = maxAgeOfEndless
	}
	switch this, next := x.List().ThisUpdate, x.List().NextUpdate; {
	case !next.IsZero() && next.Add(in.o.Skew).Before(now):
		return nil, origin, fmt.Errorf("%w: it was good until %s", ErrStale, next.Format(time.RFC3339))
	case limit > 0 && this.Add(limit+in.o.Skew).Before(now):
		return nil, origin, fmt.Errorf("%w: it is of %s", ErrStale, this.Format(time.RFC3339))
	}
	return x, origin, nil
}

// checkFetched looks at a list before it is kept: whoever answers at an
// address must not be able to push out a good list with one of his own.
func (in *inquiry) checkFetched(ctx context.Context) func(*crl.List) (crl.Digest, error) {
	return func(l *crl.List) (crl.Digest, error) {
		if l.ThisUpdate.After(in.o.Now().Add(in.o.Skew)) {
			return crl.Digest{}, fmt.Errorf("%w: %s", ErrFuture, l.ThisUpdate.Format(time.RFC3339))
		}
		if l.Unusable != nil { // the one before, if there is one, says more
			return crl.Digest{}, l.Unusable
		}
		signer, err := in.signerOf(ctx, l, l.CheckSigner)
		if err != nil {
			return crl.Digest{}, err
		}
		return ades.ObjectDigest(signer.RawSubjectPublicKeyInfo), nil
	}
}

// deltaURLs are where the list says that newer changes are.
func deltaURLs(x *crl.Index) []string {
	var urls []string
	for _, p := range x.List().Freshest {
		urls = append(urls, p.URLs()...)
	}
	return urls[:min(len(urls), maxSources)]
}

// freshDeltas fetches the deltas of a list. That they are missing is told, and
// the complete list stands.
func (in *inquiry) freshDeltas(ctx context.Context, x *crl.Index) (deltas []*crl.Index) {
	for _, url := range deltaURLs(x) {
		d, _, err := in.updated(ctx, url)
		if err == nil && !d.List().IsDelta() {
			err = fmt.Errorf("%w: a complete list, where a delta is expected", crl.ErrUnusable)
		}
		if err != nil {
			in.problem("CRL", url, Fetched, fmt.Errorf("delta: %w", err))
			continue
		}
		return append(deltas, d)
	}
	return nil
}

// keptDeltas are those at hand.
func (in *inquiry) keptDeltas(x *crl.Index) (deltas []*crl.Index) {
	for _, url := range deltaURLs(x) {
		if d, _, err := in.o.Lists.Kept(url, in.Issuer); err == nil && d != nil && d.List().IsDelta() {
			deltas = append(deltas, d)
		}
	}
	return deltas
}
