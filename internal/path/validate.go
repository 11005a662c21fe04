package path

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
)

// Validate checks a path that is there already: the certificate in question
// first, the anchor last. It does all that Build does, names and signatures
// included, but asks neither Accept nor Issuers. The error is an *Error.
func Validate(p []*x509.Certificate, o Options) (*Result, error) {
	if len(p) == 0 || o.Anchors == nil {
		return nil, errors.New("validating certificate path: no certificate or no anchors given")
	}
	s := newSearch(context.Background(), o)
	last := p[len(p)-1]
	fail := func(e *Error) (*Result, error) {
		e.Path = p
		return nil, fmt.Errorf("validating certificate path: %w", e)
	}
	if !o.Anchors.Contains(last) {
		return fail(&Error{Certificate: last, Reason: ErrUntrusted})
	}
	if len(p) > maxPath {
		return fail(&Error{Certificate: last, Reason: ErrLimit})
	}
	for i, c := range p[:len(p)-1] {
		if !certs.EqualName(c.RawIssuer, p[i+1].RawSubject) {
			return fail(&Error{Certificate: c, Reason: ErrNoIssuer, Detail: "the issuer has another name"})
		}
		if e := s.checkIssued(c, p[i+1]); e != nil {
			return fail(e)
		}
	}
	r, e := validate(p, &s.o)
	if e != nil {
		return fail(e)
	}
	return r, nil
}

// state is what RFC 5280 section 6.1.2 keeps between certificates.
type state struct {
	o        *Options
	n        int // certificates below the anchor
	names    nameState
	policies policyState
	maxPath  int // how many more certificates may follow; -1: no bound
	odd      []string
}

// validate does what RFC 5280 section 6.1 says for a path whose names and
// signatures fit, and whose issuers are CAs. Constraints come before dates, so
// that an expired certificate is told as that only if nothing else is wrong.
func validate(p []*x509.Certificate, o *Options) (*Result, *Error) {
	s := &state{o: o, n: len(p) - 1, maxPath: -1, policies: newPolicyState(o, len(p)-1)}
	anchor := p[len(p)-1]
	if e := s.anchor(anchor); e != nil {
		return nil, e
	}
	for i := 1; i <= s.n; i++ {
		c := p[s.n-i]
		if e := s.certificate(c, i); e != nil {
			return nil, e
		}
	}
	if !s.policies.satisfied() {
		return nil, &Error{Certificate: p[0], Reason: ErrPolicy}
	}
	if e := checkDates(p, o); e != nil {
		return nil, e
	}
	return &Result{Path: p, Policies: s.policies.result(), Explicit: s.policies.explicit == 0, Oddities: s.odd}, nil
}

// anchor takes over the constraints of the anchor's own certificate, as RFC
// 5937 allows; its policies do not count.
func (s *state) anchor(c *x509.Certificate) *Error {
	if e := unknownCritical(c); e != nil {
		return e
	}
	if s.n == 0 {
		return nil
	}
	if c.MaxPathLen >= 0 && c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLenZero) {
		s.maxPath = c.MaxPathLen
	}
	return s.names.add(c)
}

// certificate does steps 6.1.3 and, unless it is the last, 6.1.4; for the last
// one 6.1.5 of RFC 5280.
func (s *state) certificate(c *x509.Certificate, i int) *Error {
	last := i == s.n
	selfIssued := certs.EqualName(c.RawIssuer, c.RawSubject)
	if e := unknownCritical(c); e != nil {
		return e
	}
	if !selfIssued || last {
		if e := s.names.check(c); e != nil {
			return e
		}
	}
	limits, err := certs.PolicyConstraints(c)
	if err != nil {
		return &Error{Certificate: c, Reason: ErrConstraint, Detail: err.Error(), Cause: err}
	}
	policies, err := certs.Policies(c)
	if err != nil {
		if _, critical, _ := certs.Extension(c, certs.OIDPolicies); critical {
			return &Error{Certificate: c, Reason: ErrConstraint, Detail: err.Error(), Cause: err}
		}
		s.odd = append(s.odd, "certificate policies cannot be read and count as absent")
		policies = nil
	}
	s.policies.take(policies, selfIssued && !last)
	if !s.policies.allowed() {
		return &Error{Certificate: c, Reason: ErrPolicy}
	}
	if last {
		s.policies.wrapUp(limits)
		return nil
	}
	mappings, err := certs.PolicyMappings(c)
	if err != nil {
		return &Error{Certificate: c, Reason: ErrConstraint, Detail: err.Error(), Cause: err}
	}
	if !s.policies.mapTo(mappings) {
		return &Error{Certificate: c, Reason: ErrPolicy, Detail: "anyPolicy is mapped"}
	}
	s.policies.prepare(limits, selfIssued)
	if e := s.names.add(c); e != nil {
		return e
	}
	return s.lengths(c, selfIssued)
}

// lengths are steps (l) and (m) of RFC 5280 section 6.1.4.
func (s *state) lengths(c *x509.Certificate, selfIssued bool) *Error {
	if !selfIssued && s.maxPath >= 0 {
		if s.maxPath == 0 {
			return &Error{Certificate: c, Reason: ErrConstraint, Detail: "the path length that a CA above allows is exceeded"}
		}
		s.maxPath--
	}
	if c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLen == 0 && c.MaxPathLenZero) && (s.maxPath < 0 || c.MaxPathLen < s.maxPath) {
		s.maxPath = c.MaxPathLen
	}
	return nil
}

func checkDates(p []*x509.Certificate, o *Options) *Error {
	if o.IgnoreDates {
		return nil
	}
	anchor := p[len(p)-1]
	if why := o.Anchors.Withdrawn(anchor, o.At); why != "" {
		return &Error{Certificate: anchor, Reason: ErrUntrusted, Detail: why}
	}
	for _, c := range p {
		switch {
		case c == anchor && len(p) > 1 && !o.AnchorDates:
		case o.At.Before(c.NotBefore):
			return &Error{Certificate: c, Reason: ErrExpired, Detail: "valid from " + c.NotBefore.UTC().Format(time.RFC3339)}
		case o.At.After(c.NotAfter):
			return &Error{Certificate: c, Reason: ErrExpired, Detail: "valid until " + c.NotAfter.UTC().Format(time.RFC3339)}
		}
	}
	return nil
}
