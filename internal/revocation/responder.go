package revocation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"mime"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/ocsp"
)

// nonceLength is what every service takes: RFC 8954 allowed 1 to 32 bytes, RFC
// 9654 wants 32 of clients.
const nonceLength = 32

// maxAgeOfEndless is how old an answer may be that does not say for how long
// it is good.
const maxAgeOfEndless = 24 * time.Hour

// askOCSP asks one OCSP service after the other. ctx ends when time is up,
// caller when whoever asked gives up.
func (in *inquiry) askOCSP(ctx, caller context.Context) {
	access, _ := certs.AuthorityInfo(in.Certificate)
	if len(access.OCSP) == 0 {
		return // odd, and reported as such elsewhere
	}
	end, err := in.turns.take(ctx, in.subject())
	if err != nil {
		in.problem("OCSP", access.OCSP[0], Fetched, fmt.Errorf("%w: %w", fetch.ErrTimeout, err))
		return
	}
	defer end()
	// Whoever had the turn before may have been through since the kept answer was looked at, also where there was no waiting.
	if in.kept.get(in.subject()) != in.looked && in.cachedAnswer() {
		return
	}
	for i, url := range reachable(access.OCSP) {
		if i == maxSources || ctx.Err() != nil {
			return
		}
		err := in.failed.lately(url)
		if err == nil {
			err = in.askOne(ctx, url)
			in.failed.note(caller, url, err)
		}
		if err != nil {
			in.problem("OCSP", url, Fetched, err)
		}
		if in.enough() {
			return
		}
	}
}

// askOne asks one service, takes what it says and keeps it.
func (in *inquiry) askOne(ctx context.Context, url string) error {
	r, err := in.askResponder(ctx, url)
	if err != nil {
		return err
	}
	if err := in.notReplayed(r); err != nil {
		return err
	}
	if err := in.useOCSP(r, Fetched, url); err != nil {
		return err
	}
	return in.kept.put(in.subject(), r, in.stillFresh(r))
}

// notReplayed compares an answer with the one that is kept: an older one that
// says something else is not what the service says now.
func (in *inquiry) notReplayed(r *ocsp.Response) error {
	kept := in.kept.get(in.subject())
	if kept == nil {
		return nil
	}
	before, err := kept.Find(in.Certificate, in.Issuer)
	if err != nil {
		return nil
	}
	if _, err := in.ocspSigner(kept); err != nil {
		return nil // a damaged file proves nothing
	}
	now, err := r.Find(in.Certificate, in.Issuer)
	if err != nil {
		return err
	}
	for _, b := range before {
		for _, n := range now {
			if n.ThisUpdate.Before(b.ThisUpdate) && n.Status != b.Status {
				return fmt.Errorf("%w: it is of %s, and one of %s says otherwise", ErrStale, n.ThisUpdate.Format(time.RFC3339), b.ThisUpdate.Format(time.RFC3339))
			}
		}
	}
	return nil
}

// askResponder asks one service and checks that it answered this question,
// now. A service that cannot do with a nonce is asked once more without.
func (in *inquiry) askResponder(ctx context.Context, url string) (*ocsp.Response, error) {
	id, err := ocsp.NewID(in.Certificate, in.Issuer, in.o.IDHash)
	if err != nil {
		return nil, err
	}
	req := ocsp.Request{ID: id}
	if in.o.Nonce != NoNonce {
		req.Nonce = make([]byte, nonceLength)
		if _, err := rand.Read(req.Nonce); err != nil {
			return nil, fmt.Errorf("making nonce: %w", err)
		}
	}
	r, err := in.send(ctx, url, req)
	if refused := ocsp.StatusError(0); errors.As(err, &refused) && (refused == malformedRequest || refused == internalError) && in.o.Nonce == SendNonce {
		req.Nonce = nil
		r, err = in.send(ctx, url, req)
	}
	if err != nil {
		return nil, err
	}
	if err := r.CheckNonce(req.Nonce, in.o.Nonce == RequireNonce); err != nil {
		return nil, err
	}
	if err := in.stale(r, r.Nonce != nil); err != nil {
		return nil, err
	}
	return r, nil
}

// What services answer that stumble over a nonce (RFC 6960 section 4.2.1).
const malformedRequest, internalError = 1, 2

// send sends one request and reads the answer.
func (in *inquiry) send(ctx context.Context, url string, req ocsp.Request) (*ocsp.Response, error) {
	body, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	limits := fetch.Request{Accept: "application/ocsp-response", MaxBytes: maxOCSP}
	var answer *fetch.Response
	if byGET := ocsp.GetURL(url, body); in.o.GET && req.Nonce == nil && byGET != "" {
		answer, err = in.o.Fetch.Get(ctx, byGET, limits)
	} else {
		answer, err = in.o.Fetch.Post(ctx, url, "application/ocsp-request", body, limits)
	}
	if err != nil {
		return nil, err
	}
	if kind, _, err := mime.ParseMediaType(answer.ContentType); err == nil && kind == "text/html" {
		return nil, fmt.Errorf("%w: the service answered with a web page", ocsp.ErrMalformed)
	}
	return ocsp.Parse(answer.Body)
}

// stale says why the answer of a service is too old. Without an echo of the
// nonce nothing else tells a replayed one.
func (in *inquiry) stale(r *ocsp.Response, answersUs bool) error {
	now := in.o.Now()
	for _, s := range r.Singles {
		if !s.ID.Matches(in.Certificate, in.Issuer) {
			continue
		}
		limit := in.o.MaxAge
		if s.NextUpdate.IsZero() && limit == 0 && !answersUs {
			limit = maxAgeOfEndless
		}
		switch {
		case !s.NextUpdate.IsZero() && s.NextUpdate.Add(in.o.Skew).Before(now):
			return fmt.Errorf("%w: it was good until %s", ErrStale, s.NextUpdate.Format(time.RFC3339))
		case limit > 0 && s.ThisUpdate.Add(limit+in.o.Skew).Before(now):
			return fmt.Errorf("%w: it is of %s", ErrStale, s.ThisUpdate.Format(time.RFC3339))
		case answersUs && r.ProducedAt.Add(maxAgeOfEndless).Before(now):
			return fmt.Errorf("%w: it was produced at %s", ErrStale, r.ProducedAt.Format(time.RFC3339))
		}
	}
	return nil
}
