package path

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// search is the state of one Build.
type search struct {
	ctx     context.Context
	o       Options
	cache   *Cache
	issuers map[string][]*x509.Certificate // by certs.NameKey of the subject
	known   map[[sha256.Size]byte]bool     // what is in issuers

	fetching bool                       // Options.Issuers may be asked
	asked    map[*x509.Certificate]bool // for whom it was
	checks   int
	steps    int
	paths    int
	best     *Error
}

func newSearch(ctx context.Context, o Options) *search {
	s := &search{ctx: ctx, o: o, cache: o.Cache, issuers: map[string][]*x509.Certificate{}, known: map[[sha256.Size]byte]bool{},
		asked: map[*x509.Certificate]bool{}}
	if s.cache == nil {
		s.cache = &Cache{}
	}
	if s.o.CheckSignature == nil {
		s.o.CheckSignature = certs.CheckSignature
	}
	for _, c := range o.Others {
		s.add(c)
	}
	return s
}

// add takes a certificate into the pool and reports whether it is new there.
func (s *search) add(c *x509.Certificate) bool {
	if c == nil {
		return false
	}
	fp := sha256.Sum256(c.Raw)
	if s.known[fp] {
		return false
	}
	s.known[fp] = true
	key := certs.NameKey(c.RawSubject)
	s.issuers[key] = append(s.issuers[key], c)
	return true
}

// run searches what is there, and then once more with Options.Issuers.
func (s *search) run(leaf *x509.Certificate) *Result {
	r := s.extend([]*x509.Certificate{leaf})
	if r == nil && s.o.Issuers != nil && s.ctx.Err() == nil && s.best.Reason != ErrLimit {
		s.fetching, s.steps, s.paths = true, 0, 0
		r = s.extend([]*x509.Certificate{leaf})
	}
	return r
}

// fail notes a failure and keeps the highest rank, the first of equals.
func (s *search) fail(e *Error, p []*x509.Certificate) {
	if s.best == nil || ranks[e.Reason] > ranks[s.best.Reason] {
		e.Path = slices.Clone(p)
		s.best = e
	}
}

// extend returns a good path that begins with p, or nil.
func (s *search) extend(p []*x509.Certificate) *Result {
	last := p[len(p)-1]
	anchor := s.o.Anchors.Contains(last)
	if anchor {
		if r := s.complete(p); r != nil {
			return r
		}
	}
	found, stop := 0, false
	step := func(list []*x509.Certificate) *Result {
		for _, c := range list {
			if holds(p, c) {
				continue
			}
			found++
			if s.exhausted(p) {
				stop = true
				return nil
			}
			if err := s.checkIssued(last, c); err != nil {
				s.fail(err, p)
				continue
			}
			if r := s.extend(append(p, c)); r != nil {
				return r
			}
		}
		return nil
	}
	if r := step(s.candidates(last)); r != nil || stop {
		return r
	}
	if !anchor {
		if r := step(s.fetch(last)); r != nil || stop {
			return r
		}
	}
	switch {
	case anchor:
	case loops(p):
		s.fail(&Error{Certificate: last, Reason: ErrUntrusted}, p)
	case found == 0:
		s.fail(&Error{Certificate: last, Reason: ErrNoIssuer}, p)
	}
	return nil
}

// exhausted counts a step and reports whether the search is to be given up.
func (s *search) exhausted(p []*x509.Certificate) bool {
	if s.ctx.Err() != nil {
		return true
	}
	if s.steps++; len(p) < maxPath && s.steps <= maxSteps && s.checks < maxChecks && s.paths < maxPaths {
		return false
	}
	s.fail(&Error{Certificate: p[len(p)-1], Reason: ErrLimit}, p)
	return true
}

// complete validates a path that ends in an anchor.
func (s *search) complete(p []*x509.Certificate) *Result {
	s.paths++
	r, err := validate(slices.Clone(p), &s.o)
	if err == nil && s.o.Accept != nil {
		if cause := s.o.Accept(r); cause != nil {
			err = &Error{Certificate: p[0], Reason: ErrRefused, Detail: cause.Error(), Cause: cause}
		}
	}
	if err != nil {
		s.fail(err, p)
		return nil
	}
	return r
}

// fetch asks Options.Issuers about c and returns what is new and has the
// issuer's name.
func (s *search) fetch(c *x509.Certificate) []*x509.Certificate {
	if !s.fetching || s.asked[c] || len(s.asked) >= maxFetches || s.ctx.Err() != nil {
		return nil
	}
	s.asked[c] = true
	issuer := certs.NameKey(c.RawIssuer)
	var list []*x509.Certificate
	for _, f := range s.o.Issuers(s.ctx, c) {
		if s.add(f) && certs.NameKey(f.RawSubject) == issuer {
			list = append(list, f)
		}
	}
	return s.order(c, list)
}

// candidates are the certificates of the issuer's name, the likeliest first.
func (s *search) candidates(c *x509.Certificate) []*x509.Certificate {
	list := slices.Clone(s.o.Anchors.Named(c.RawIssuer))
	for _, other := range s.issuers[certs.NameKey(c.RawIssuer)] {
		if !slices.ContainsFunc(list, other.Equal) {
			list = append(list, other)
		}
	}
	return s.order(c, list)
}

// order puts first what probably leads to the end (RFC 4158 section 3.5): a
// key identifier that fits, anchors, certificates valid at the time, the
// longest validity. Nothing is left out: identifiers are hints and may lie.
func (s *search) order(c *x509.Certificate, list []*x509.Certificate) []*x509.Certificate {
	if len(list) < 2 {
		return list
	}
	scores := make(map[*x509.Certificate]int, len(list))
	for _, i := range list {
		scores[i] = s.score(c, i)
	}
	slices.SortStableFunc(list, func(a, b *x509.Certificate) int {
		if d := scores[b] - scores[a]; d != 0 {
			return d
		}
		return b.NotAfter.Compare(a.NotAfter)
	})
	return list
}

func (s *search) score(c, issuer *x509.Certificate) int {
	score := 0
	if len(c.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 {
		if bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId) {
			score += 8
		} else {
			score -= 8
		}
	}
	if s.o.Anchors.Contains(issuer) {
		score += 4
	}
	if issuer.IsCA {
		score += 2
	}
	if !s.o.At.Before(issuer.NotBefore) && !s.o.At.After(issuer.NotAfter) {
		score++
	}
	return score
}

// holds reports whether c is in the path, as itself or as another certificate
// of the same name and key: going through either again leads nowhere new.
func holds(p []*x509.Certificate, c *x509.Certificate) bool {
	return slices.ContainsFunc(p, func(q *x509.Certificate) bool {
		return bytes.Equal(q.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) && certs.EqualName(q.RawSubject, c.RawSubject)
	})
}

// loops reports whether the last certificate names somebody in the path,
// itself usually, as its issuer.
func loops(p []*x509.Certificate) bool {
	issuer := p[len(p)-1].RawIssuer
	return slices.ContainsFunc(p, func(q *x509.Certificate) bool { return certs.EqualName(q.RawSubject, issuer) })
}

// checkIssued checks that issuer may have issued c and did. The names are
// equal already.
func (s *search) checkIssued(c, issuer *x509.Certificate) *Error {
	if e := mayIssue(issuer, s.o.Anchors.Contains(issuer)); e != nil {
		return e
	}
	key := pairKey(c, issuer)
	err, known := s.cache.get(key)
	if !known {
		s.checks++
		err = s.o.CheckSignature(c, issuer)
		s.cache.put(key, err)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sigalg.ErrBadSignature):
		return &Error{Certificate: c, Reason: ErrBadSignature, Cause: err}
	}
	return &Error{Certificate: c, Reason: ErrAlgorithm, Detail: strings.TrimPrefix(err.Error(), ErrAlgorithm.Error()+": "), Cause: err}
}

// mayIssue checks that a certificate is a CA's. An anchor of version 1 or 2
// has no means to say so and is one by being an anchor.
func mayIssue(c *x509.Certificate, anchor bool) *Error {
	if !c.IsCA && !(anchor && c.Version < 3) { // IsCA is false also without basic constraints
		return &Error{Certificate: c, Reason: ErrConstraint, Detail: "it issued a certificate but is no CA"}
	}
	if _, _, has := certs.Extension(c, certs.OIDKeyUsage); (has || c.KeyUsage != 0) && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return &Error{Certificate: c, Reason: ErrConstraint, Detail: "its key usage does not allow to sign certificates"}
	}
	return nil
}

// knownCritical are the extensions that may be critical: those checked here,
// and those that say nothing against a path.
var knownCritical = []asn1.ObjectIdentifier{
	certs.OIDSubjectKeyID, certs.OIDKeyUsage, certs.OIDSubjectAltName, certs.OIDIssuerAltName, certs.OIDBasicConstraints,
	certs.OIDNameConstraints, certs.OIDCRLDistribution, certs.OIDPolicies, certs.OIDPolicyMappings, certs.OIDAuthorityKeyID,
	certs.OIDPolicyConstraints, certs.OIDExtKeyUsage, certs.OIDFreshestCRL, certs.OIDInhibitAnyPolicy, certs.OIDAuthorityInfo,
	certs.OIDQCStatements, certs.OIDOCSPNoCheck,
}

func unknownCritical(c *x509.Certificate) *Error {
	for _, e := range c.Extensions {
		if e.Critical && !slices.ContainsFunc(knownCritical, e.Id.Equal) {
			return &Error{Certificate: c, Reason: ErrConstraint, Detail: "critical extension " + e.Id.String() + " is unknown"}
		}
	}
	return nil
}
