package validation

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/revocation"
)

// evaluate judges a chain at the validation time for a signature that existed
// at bst, the best signature time. With bst the validation time itself this is
// X.509 certificate validation of a basic signature (EN 319 102-1 section
// 5.2.6); with an earlier one it is the comparing of times of section 5.5.4,
// steps 4, 6, 7 and 10: a later revocation, expiry or lack of fresh
// information does no harm.
func (r *run) evaluate(c *chain, bst time.Time) findings {
	l := slices.Clone(c.found)
	if len(c.path) == 0 {
		return l
	}
	if why := r.Anchors.Withdrawn(c.anchor(), r.Time); why != "" {
		l.add(r.find(CodeAnchorWithdrawn, subject(c.anchor()), why))
	}
	for i := range c.statuses { // what is certain before what is not known
		l.add(r.revokedAt(c, i, bst)...)
	}
	for i, s := range c.statuses {
		l.add(r.validity(c, i, bst)...)
		l.add(r.informed(c, i, bst)...)
		l.add(r.weakCertificate(s, r.Time)...)
	}
	return l
}

// revokedAt: section 5.5.4 step 4 a) and 7. A later revocation is forgiven the
// signer's certificate only. Whoever has the key of a revoked authority can
// make certificates and answers of any date, so that these have to be proven
// to be older: past validation looks at that.
func (r *run) revokedAt(c *chain, i int, bst time.Time) findings {
	s := c.statuses[i]
	a := s.used()
	if a == nil || a.Status != revocation.Revoked || a.RevokedAt.After(r.Time) || i == 0 && a.RevokedAt.After(bst) {
		return nil
	}
	code := CodeRevoked
	switch {
	case onHold(*a):
		code = CodeOnHold
	case i > 0:
		code = CodeCARevoked
	case c.token.purpose == forCertificate:
		code = CodeRevokedAtTime
	}
	return findings{r.find(code, subject(s.Certificate), revocationDetail(*a))}
}

func revocationDetail(a revocation.Answer) string {
	if a.RevokedAt.IsZero() {
		return ""
	}
	return "since " + a.RevokedAt.UTC().Format(time.RFC3339)
}

// validity compares the validity period with the validation time and bst:
// section 5.2.6 step 5 and section 5.5.4 steps 4 b) and d).
func (r *run) validity(c *chain, i int, bst time.Time) findings {
	s := c.statuses[i]
	cert, name := s.Certificate, subject(s.Certificate)
	period := cert.NotBefore.UTC().Format(time.DateOnly) + " to " + cert.NotAfter.UTC().Format(time.DateOnly)
	if i > 0 {
		if r.Time.Before(cert.NotBefore) || r.Time.After(cert.NotAfter) {
			return findings{r.find(CodeCANotValid, name, period)}
		}
		return nil
	}
	switch {
	case bst.Before(cert.NotBefore) && c.token.purpose == forCertificate:
		return findings{r.find(CodeNotYetValid, name, period)}
	case bst.Before(cert.NotBefore):
		return findings{r.find(CodeBeforeCertificate, name, period)}
	case !r.Time.After(cert.NotAfter):
		return nil
	case c.token.purpose == forCertificate:
		return findings{r.find(CodeExpiredAtTime, name, period)}
	}
	expired := r.find(CodeExpired, name, period)
	switch {
	case !r.knownNotRevoked(s, bst):
		return findings{expired}
	case bst.After(cert.NotAfter):
		return findings{expired.as(indeterminate(OutOfBoundsNotRevoked))}
	}
	return nil
}

// knownNotRevoked: what is known says that the certificate was not revoked at
// bst, and who says it still has a valid certificate.
func (r *run) knownNotRevoked(s *status, bst time.Time) bool {
	if s.NotNeeded != "" {
		return true
	}
	a := s.used()
	if a == nil || a.Status == revocation.Revoked && !a.RevokedAt.After(bst) {
		return false
	}
	return a.Signer == nil || a.Signer.Equal(s.issuer) && r.Anchors.Contains(s.issuer) || validAt(a.Signer, r.Time)
}

func validAt(c *x509.Certificate, t time.Time) bool {
	return !t.Before(c.NotBefore) && !t.After(c.NotAfter)
}

// informed: there is revocation information, and it is fresh enough for bst
// (section 5.5.4 step 6). Time-stamping authorities are held to less where it
// is documented at the codes.
func (r *run) informed(c *chain, i int, bst time.Time) findings {
	s := c.statuses[i]
	if s.NotNeeded != "" {
		return nil
	}
	a := s.used()
	stamp := c.token.purpose == forTimestamp
	var f finding
	switch {
	case a == nil && stamp && i > 0:
		f = r.missing(s)
		f = r.find(CodeTSACARevocation, f.Object, f.Detail)
	case a == nil && stamp && r.Offline:
		f = r.missing(s)
		f = r.find(CodeTSARevocationOffline, f.Object, f.Detail)
	case a == nil:
		f = r.missing(s)
	case a.Status == revocation.Revoked || r.fresh(*a, bst):
		if doubt, ok := s.doubts[a.Digest]; ok {
			return findings{doubt}
		}
		return nil
	default:
		f = r.stale(c, i, *a)
	}
	return append(findings{f}, s.odd...)
}

// stale weighs information that is not fresh enough.
func (r *run) stale(c *chain, i int, a revocation.Answer) finding {
	code := CodeRevocationOld
	if t := c.token; t.purpose == forTimestamp {
		switch {
		case i > 0:
			code = CodeTSACARevocation
		case !t.made().IsZero() && !a.ThisUpdate.Before(t.made().Truncate(time.Second)):
			code = CodeTSARevocationOld
		case r.Offline && !t.made().IsZero() && r.fresh(a, t.made()):
			code = CodeTSARevocationOld // an archive time stamp is made after what it covers
		case r.Offline:
			code = CodeTSARevocationOffline
		}
	}
	detail := a.Kind + " of " + a.ThisUpdate.UTC().Format(time.RFC3339)
	if problems := describe(c.statuses[i].Problems); problems != "" {
		detail += "; " + problems
	}
	return r.find(code, subject(c.path[i]), detail)
}
