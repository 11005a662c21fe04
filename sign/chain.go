package sign

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/path"
)

// patience is how long the services of the signer's certificate are waited for where a signature can be made without them.
const patience = 5 * time.Second

// checked are the signatures of certificates on each other that were checked before: those of one signer are met again and again.
var checked path.Cache

// path looks for a path from c to an anchor: over the pool, the anchors, and what the certificates name as their issuers'. Dates are
// looked at elsewhere.
func (s *session) path(ctx context.Context, c *x509.Certificate, pool []*x509.Certificate) ([]*x509.Certificate, error) {
	o := path.Options{Anchors: s.o.Anchors, Others: pool, At: time.Now(), IgnoreDates: true, Cache: &checked}
	if !s.o.Offline {
		o.Issuers = s.verifier.Issuers
	}
	res, err := path.Build(ctx, c, o)
	if err != nil {
		var e *path.Error
		if errors.As(err, &e) {
			return e.Path, err
		}
		return nil, err
	}
	return res.Path, nil
}

// completeChain finds what is above the signer's certificate, as far as that can be had, and leaves out the anchor.
func (s *session) completeChain(ctx context.Context) []*x509.Certificate {
	within, end := context.WithTimeout(ctx, patience)
	defer end()
	found, err := s.path(within, s.signer, s.chain)
	if len(found) == 0 && ctx.Err() == nil { // the services took too long
		found, err = s.path(ctx, s.signer, s.chain)
	}
	if err != nil {
		s.warn("CERTIFICATE_UNTRUSTED", "The signer's certificate does not lead to an authority that is trusted here.", err.Error())
	}
	var list []*x509.Certificate
	for i, c := range found {
		last := i == len(found)-1
		if i == 0 || last && (err == nil || string(c.RawIssuer) == string(c.RawSubject)) {
			continue
		}
		list = append(list, c)
	}
	for _, c := range found {
		if !slices.ContainsFunc(s.chain, c.Equal) {
			s.chain = append(s.chain, c)
		}
	}
	return list
}
