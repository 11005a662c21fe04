package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Path is a chain of certificates: first the one in question, then each one's
// issuer, last the trust anchor. A path of one certificate is an anchor.
type Path []*x509.Certificate

// Bounds of the search. A Belgian path has three certificates, four with a
// cross certificate; hostile input could make the search exponential.
const (
	maxPath   = 8   // certificates in a path
	maxChecks = 128 // signatures checked in one search
)

// BuildPath looks for a path from leaf to an anchor, over the others and the
// certificates added to the anchors, and checks it for the time at: each
// signature, the validity of every certificate (the anchor's too), CA bits,
// key usage, path length, critical extensions, and the withdrawal of pinned
// roots. It tries all issuers of one name, so a re-issued root or CA does not
// hide the right one, and ends at the first path that holds. Names are
// compared byte for byte. Extended key usages do not limit what a CA may
// issue: Belgian CAs carry some that their leaves go beyond.
//
// The error is a *PathError for the attempt that came furthest: ErrExpired
// and ErrConstraint tell that all else held, or might have; then
// ErrUntrusted, ErrBadSignature, ErrNoIssuer.
func BuildPath(leaf *x509.Certificate, others []*x509.Certificate, a *Anchors, at time.Time) (Path, error) {
	if leaf == nil {
		return nil, errors.New("building certificate path: no certificate given")
	}
	s := &search{anchors: a, at: at, issuers: map[string][]*x509.Certificate{}}
	for _, c := range others {
		if c != nil {
			s.issuers[string(c.RawSubject)] = append(s.issuers[string(c.RawSubject)], c)
		}
	}
	if p := s.extend(Path{leaf}); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("building certificate path: %w", s.best)
}

// search is the state of one BuildPath.
type search struct {
	anchors *Anchors
	at      time.Time
	issuers map[string][]*x509.Certificate // by subject, as encoded
	checks  int
	best    *PathError
}

// ranks order the failures by how near to a path they came.
var ranks = map[error]int{
	ErrNoIssuer: 1, ErrBadSignature: 2, ErrAlgorithm: 3, ErrUntrusted: 4, ErrConstraint: 5, ErrExpired: 6, ErrLimit: 7,
}

// fail notes a failure and keeps the highest rank, the first of equals.
func (s *search) fail(c *x509.Certificate, err error) {
	pe := (*PathError)(nil)
	if !errors.As(err, &pe) {
		pe = &PathError{Certificate: c, Reason: err}
	}
	if s.best == nil || ranks[pe.Reason] > ranks[s.best.Reason] {
		s.best = pe
	}
}

// extend returns a good path that begins with the given one, or nil.
func (s *search) extend(p Path) Path {
	last := p[len(p)-1]
	if s.anchors.Contains(last) {
		err := s.checkPath(p)
		if err == nil {
			return slices.Clone(p)
		}
		s.fail(last, err)
	}
	tried := false
	candidates := slices.Concat(s.anchors.named(last.RawIssuer), s.issuers[string(last.RawIssuer)])
	for i, c := range candidates {
		if p.holds(c) || slices.ContainsFunc(candidates[:i], c.Equal) {
			continue
		}
		tried = true
		if len(p) >= maxPath || s.checks >= maxChecks {
			s.fail(last, ErrLimit)
			return nil
		}
		s.checks++
		if err := CheckIssued(last, c); err != nil {
			s.fail(last, err)
			continue
		}
		if good := s.extend(append(p, c)); good != nil {
			return good
		}
	}
	switch {
	case s.anchors.Contains(last):
	case p.loops():
		s.fail(last, ErrUntrusted)
	case !tried:
		s.fail(last, ErrNoIssuer)
	}
	return nil
}

// holds reports whether c is in the path, as itself or as another certificate
// of the same name and key: going through either again leads nowhere new.
func (p Path) holds(c *x509.Certificate) bool {
	return slices.ContainsFunc(p, func(q *x509.Certificate) bool {
		return bytes.Equal(q.RawSubject, c.RawSubject) && bytes.Equal(q.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
	})
}

// loops reports whether the last certificate names somebody in the path,
// itself usually, as its issuer.
func (p Path) loops() bool {
	issuer := p[len(p)-1].RawIssuer
	return slices.ContainsFunc(p, func(q *x509.Certificate) bool { return bytes.Equal(q.RawSubject, issuer) })
}

// CheckIssued checks that issuer may have issued cert and did: names, CA bit,
// key usage, signature. It looks at no dates and at no trust. Errors are
// *PathError with ErrConstraint (the issuer's), ErrBadSignature, ErrAlgorithm
// or ErrNoIssuer (other name).
func CheckIssued(cert, issuer *x509.Certificate) error {
	if !bytes.Equal(cert.RawIssuer, issuer.RawSubject) {
		return &PathError{Certificate: cert, Reason: ErrNoIssuer, Detail: "the issuer has another name"}
	}
	if !issuer.IsCA { // false also without basic constraints
		return &PathError{Certificate: issuer, Reason: ErrConstraint, Detail: "it issued a certificate but is no CA"}
	}
	if issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
		return &PathError{Certificate: issuer, Reason: ErrConstraint, Detail: "its key usage does not allow to sign certificates"}
	}
	err := CheckSignature(issuer.PublicKey, cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrAlgorithm):
		return &PathError{Certificate: cert, Reason: ErrAlgorithm, Detail: strings.TrimPrefix(err.Error(), ErrAlgorithm.Error()+": ")}
	}
	return &PathError{Certificate: cert, Reason: ErrBadSignature}
}

// checkPath checks what needs the whole path: constraints, then dates.
func (s *search) checkPath(p Path) error {
	below := 0 // CAs between this certificate and the leaf, self-issued ones apart (RFC 5280 section 6.1.4 l)
	for i, c := range p {
		if i > 0 && c.MaxPathLen >= 0 && below > c.MaxPathLen {
			return &PathError{Certificate: c, Reason: ErrConstraint, Detail: fmt.Sprintf("path length %d is exceeded", c.MaxPathLen)}
		}
		if i > 0 && !bytes.Equal(c.RawSubject, c.RawIssuer) {
			below++
		}
		if id := unknownCritical(c); id != nil {
			return &PathError{Certificate: c, Reason: ErrConstraint, Detail: "critical extension " + id.String() + " is unknown"}
		}
	}
	anchor := p[len(p)-1]
	if why := s.anchors.withdrawn(anchor, s.at); why != "" {
		return &PathError{Certificate: anchor, Reason: ErrUntrusted, Detail: why}
	}
	for _, c := range p {
		switch {
		case s.at.Before(c.NotBefore):
			return &PathError{Certificate: c, Reason: ErrExpired, Detail: "valid from " + c.NotBefore.UTC().Format(time.RFC3339)}
		case s.at.After(c.NotAfter):
			return &PathError{Certificate: c, Reason: ErrExpired, Detail: "valid until " + c.NotAfter.UTC().Format(time.RFC3339)}
		}
	}
	return nil
}

// knownCritical are the extensions that may be critical: those checked here,
// and those that say nothing against a path. Name and policy constraints are
// not among them: no Belgian CA carries any, and they are not checked.
var knownCritical = []asn1.ObjectIdentifier{
	{2, 5, 29, 14}, // subject key identifier
	{2, 5, 29, 15}, // key usage
	{2, 5, 29, 17}, // subject alternative name
	{2, 5, 29, 19}, // basic constraints
	{2, 5, 29, 31}, // CRL distribution points
	{2, 5, 29, 32}, // certificate policies
	{2, 5, 29, 35}, // authority key identifier
	{2, 5, 29, 37}, // extended key usage
}

func unknownCritical(c *x509.Certificate) asn1.ObjectIdentifier {
	for _, e := range c.Extensions {
		if e.Critical && !slices.ContainsFunc(knownCritical, e.Id.Equal) {
			return e.Id
		}
	}
	return nil
}
