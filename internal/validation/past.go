package validation

import (
	"crypto/x509"
	"time"

	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
)

// past is past signature validation (EN 319 102-1 section 5.6.2.4) with the
// past certificate validation inside it (5.6.2.1): the proofs of existence
// may show that the signature was there while its chain still was good. It
// returns what is left against the signature; now are the findings at the
// validation time.
func (r *run) past(c *chain, now findings) findings {
	if len(c.path) == 0 || !resolvable(now) {
		return now
	}
	bst := r.proofs.of(c.token.digest()).time
	control, lacking := r.slide(c)
	if lacking != nil {
		return append(now, r.find(CodeNoProof, subject(lacking), "up to "+control.UTC().Format(time.RFC3339)))
	}
	if !bst.Before(control) && !control.Equal(r.Time) { // a revocation in the same second came first, in doubt
		return append(now, r.find(CodeNoProof, "", "the signature itself, up to "+control.UTC().Format(time.RFC3339)))
	}
	for i, cert := range c.path[:len(c.path)-1] {
		switch {
		case bst.Before(cert.NotBefore) && i == 0:
			return findings{r.find(CodeBeforeCertificate, subject(cert), "")}
		case !validAt(cert, bst):
			return now
		}
	}
	left := r.informedAt(c, bst)
	if len(left.errors()) > 0 {
		return append(now, left...)
	}
	left = append(c.warnings(), left...)
	if s := r.leafStatus(c); s != nil && len(r.provenAnswers(s)) == 0 {
		left.add(r.find(CodeRevocationUnproven, subject(s.Certificate), ""))
	}
	return left
}

// warnings are what remains to be said of a chain that holds.
func (c *chain) warnings() findings {
	var l findings
	for _, f := range c.found {
		if f.level == levelWarn {
			l = append(l, f)
		}
	}
	return l
}

// resolvable: nothing else stands against the chain than what an earlier
// proof of existence can make good (section 5.6.3.4 step 3).
func resolvable(l findings) bool {
	for _, f := range l.errors() {
		switch f.verdict.SubIndication {
		case RevokedNoPOE, RevokedCANoPOE, OutOfBoundsNoPOE, OutOfBoundsNotRevoked, CryptoConstraintsFailureNoPOE, RevocationOutOfBoundsNoPOE, TryLater:
		default:
			if f.Code != CodeAnchorWithdrawn {
				return false
			}
		}
	}
	return true
}

// informedAt: for each certificate there is information fresh enough for the
// signature's time.
func (r *run) informedAt(c *chain, bst time.Time) findings {
	var l findings
	for i := range c.statuses {
		l.add(r.informed(c, i, bst)...)
	}
	return l
}

func (r *run) leafStatus(c *chain) *status {
	if len(c.statuses) == 0 || c.statuses[0].NotNeeded != "" {
		return nil
	}
	return c.statuses[0]
}

// slide is the validation time sliding process (section 5.6.2.2): from the
// anchor down, each certificate sets the control time back to when it and
// what is known about it were still good. lacking is the certificate for
// which nothing was proven to exist by then. Information does not count as
// old here: it is held against the signature's time afterwards.
func (r *run) slide(c *chain) (control time.Time, lacking *x509.Certificate) {
	control = r.sunset(c.anchor(), r.proofs.of(c.token.digest()).time)
	for i := len(c.statuses) - 1; i >= 0; i-- {
		s := c.statuses[i]
		var a *revocation.Answer
		if s.NotNeeded == "" {
			a = r.selected(c, i, control)
			if a == nil {
				return control, s.Certificate
			}
			if a.Status == revocation.Revoked && a.RevokedAt.Before(control) {
				control = a.RevokedAt
			}
		}
		for _, w := range append(r.certificateWeaknesses(s, control), r.answerWeaknesses(s, a, control)...) {
			if w.Level == policy.Fail && w.Until.Before(control) {
				control = w.Until
			}
		}
	}
	return control, nil
}

// selected is step 2 a) of sliding: the latest information about certificate
// i that was issued before the control time and, like the certificate, is
// proven to have existed then.
func (r *run) selected(c *chain, i int, control time.Time) *revocation.Answer {
	s := c.statuses[i]
	if r.certProvenAt(c.token, s.Certificate).After(control) {
		return nil
	}
	answers := s.Answers
	if i == 0 {
		if proven := r.provenAnswers(s); len(proven) > 0 {
			answers = proven
		}
	}
	for _, a := range answers { // final revocations first, then the latest
		if known(a) && !s.doubtful(a) && !a.ThisUpdate.After(control) && !r.provenAt(a).After(control) {
			return &a
		}
	}
	return nil
}

// provenAnswers are those about the signer's certificate that are proven to
// have existed while their own signer's certificate was valid (section
// 5.6.2.4 step 1).
func (r *run) provenAnswers(s *status) []revocation.Answer {
	var list []revocation.Answer
	for _, a := range s.Answers {
		if !known(a) {
			continue
		}
		if a.Signer == nil || r.Anchors.Contains(a.Signer) || r.existedIn(a) {
			list = append(list, a)
		}
	}
	return list
}

// existedIn: the answer existed while its signer's certificate was valid. It
// cannot have been made before.
func (r *run) existedIn(a revocation.Answer) bool {
	return !r.provenAt(a).After(a.Signer.NotAfter)
}

// sunset is the validation time, or the moment between the proof of the
// signature and it when the anchor was withdrawn.
func (r *run) sunset(anchor *x509.Certificate, from time.Time) time.Time {
	if r.Anchors.Withdrawn(anchor, r.Time) == "" {
		return r.Time
	}
	good, bad := from, r.Time
	if r.Anchors.Withdrawn(anchor, good) != "" {
		return time.Time{}
	}
	for bad.Sub(good) > time.Second {
		middle := good.Add(bad.Sub(good) / 2)
		if r.Anchors.Withdrawn(anchor, middle) == "" {
			good = middle
		} else {
			bad = middle
		}
	}
	return good
}
