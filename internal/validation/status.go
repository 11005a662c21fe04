package validation

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/revocation"
)

// status is what is known about the revocation of one certificate of a chain.
type status struct {
	Status
	issuer, anchor *x509.Certificate
	offline        bool
	answers        []revocation.Answer // all that were given
	problems       []revocation.Problem
	odd            findings                // answers that could not be used
	doubts         map[ades.Digest]finding // about who signed answers that can, by the answer
	fallen         bool                    // an answer was void by its signer, so far
}

// Extensions by which a certificate says that it is not revoked, ever:
// validity assured, short term (ETSI EN 319 412-1 section 5.2.1) and no
// revocation available (RFC 9608, whose section 4 forbids it to authorities).
var (
	oidShortTerm  = asn1.ObjectIdentifier{0, 4, 0, 194121, 2, 1}
	oidNoRevAvail = asn1.ObjectIdentifier{2, 5, 29, 56}
)

// statusOf asks about certificate i of the chain. Answers are kept for the
// run: all signatures of a file share them.
func (r *run) statusOf(c *chain, i int, at time.Time) *status {
	cert, issuer := c.path[i], c.path[i+1]
	offline := r.Offline || c.token.local
	key := question{certDigest(cert), certDigest(issuer), certDigest(c.anchor()), at.UnixNano(), offline, false}
	if s := r.asked[key]; s != nil {
		if s.fallen {
			r.sift(s)
		}
		return s
	}
	s := &status{Status: Status{Certificate: cert}, issuer: issuer, anchor: c.anchor(), offline: offline}
	r.asked[key] = s
	switch {
	case i == 0 && !cert.IsCA && has(cert, oidShortTerm):
		s.NotNeeded = "short-term certificate"
	case i == 0 && !cert.IsCA && has(cert, oidNoRevAvail):
		s.NotNeeded = "the issuer publishes no revocation for it"
	case r.Checker != nil:
		r.ask(s, at)
	}
	return s
}

func has(c *x509.Certificate, oid asn1.ObjectIdentifier) bool {
	_, _, ok := certs.Extension(c, oid)
	return ok
}

// ask puts the question and keeps what can be used of the answers.
func (r *run) ask(s *status, at time.Time) {
	q := r.question(s, at)
	q.Enough = func(list []revocation.Answer) bool {
		return slices.ContainsFunc(list, func(a revocation.Answer) bool {
			if unusable(a, s.Certificate, s.issuer) != "" || !final(a) && (a.Status != revocation.Good || !r.fresh(a, at)) {
				return false
			}
			st, why := r.standingOf(s, a)
			return st == stands || st == unclear && why.level != levelFail
		})
	}
	s.answers, s.problems = r.Checker.Check(r.ctx, q)
	r.sift(s)
}

// question asks about the certificate of s, for a time.
func (r *run) question(s *status, at time.Time) revocation.Question {
	return revocation.Question{
		Certificate: s.Certificate, Issuer: s.issuer, At: at, Pool: r.pool, Evidence: r.evidence, Offline: s.offline, Now: r.Time,
		Path: func(ctx context.Context, issuer *x509.Certificate, pool []*x509.Certificate, at time.Time) error {
			_, err := r.underAnchor(ctx, issuer, s.anchor, pool, at)
			return err
		},
	}
}

// sift keeps the answers that can be used, the latest first; a revocation
// that is final stands before everything. What is proven to exist may have
// become more since the last time: then an answer counts that did not before.
func (r *run) sift(s *status) {
	s.Answers, s.Problems, s.odd, s.doubts, s.fallen = nil, slices.Clone(s.problems), nil, map[ades.Digest]finding{}, false
	for _, a := range s.answers {
		if why := unusable(a, s.Certificate, s.issuer); why != "" {
			s.reject(a, r.unused(s, a, why), why)
			continue
		}
		switch st, why := r.standingOf(s, a); st {
		case fallen:
			s.fallen = true
			s.reject(a, why, why.Detail)
		case unclear:
			s.doubts[a.Digest] = why
			s.Answers = append(s.Answers, a)
		default:
			s.Answers = append(s.Answers, a)
		}
	}
	slices.SortStableFunc(s.Answers, func(a, b revocation.Answer) int {
		switch x, y := s.doubtful(a) && !final(a), s.doubtful(b) && !final(b); {
		case x && !y:
			return 1
		case y && !x:
			return -1
		}
		return better(a, b)
	})
}

func (r *run) unused(s *status, a revocation.Answer, why string) finding {
	return r.find(CodeRevocationUnused, subject(s.Certificate), a.Kind+": "+why)
}

// reject notes an answer that does not count.
func (s *status) reject(a revocation.Answer, f finding, why string) {
	s.odd.add(f)
	s.Problems = append(s.Problems, revocation.Problem{Kind: a.Kind, URL: a.URL, Origin: a.Origin, Err: errors.New(strings.TrimPrefix(why, a.Kind+": "))})
}

// better orders answers: revoked for good, then those that say something, then
// the latest.
func better(a, b revocation.Answer) int {
	for _, first := range []func(revocation.Answer) bool{final, known} {
		switch {
		case first(a) && !first(b):
			return -1
		case first(b) && !first(a):
			return 1
		}
	}
	return b.ThisUpdate.Compare(a.ThisUpdate)
}

// known: the answer says something.
func known(a revocation.Answer) bool { return a.Status != revocation.Unknown }

// onHold: suspended, which can end again (RFC 5280 section 5.3.1, reason 6).
func onHold(a revocation.Answer) bool { return a.Status == revocation.Revoked && a.Reason == 6 }

// final: revoked for good.
func final(a revocation.Answer) bool { return a.Status == revocation.Revoked && a.Reason != 6 }

// unusable says why an authentic answer cannot count for a certificate, or "".
func unusable(a revocation.Answer, c, issuer *x509.Certificate) string {
	if a.Status == revocation.Revoked {
		return ""
	}
	if a.ThisUpdate.Before(c.NotBefore) {
		return "it is from before the certificate was issued"
	}
	if a.ThisUpdate.After(c.NotAfter) {
		since := a.ArchiveCutoff
		if since.IsZero() || since.After(c.NotAfter) {
			return "it is from after the certificate expired and does not say that it still covers it"
		}
	}
	if a.Signer != nil && !a.Signer.Equal(issuer) {
		if when := a.ProducedAt; when.Before(a.Signer.NotBefore) || when.After(a.Signer.NotAfter) {
			return "its signer's certificate was not valid when it was made"
		}
	}
	return ""
}

// fresh is the revocation freshness checker (section 5.2.5) for a time.
func (r *run) fresh(a revocation.Answer, at time.Time) bool {
	return !at.After(a.ThisUpdate.Add(r.Policy.Freshness(a.ThisUpdate, a.NextUpdate)))
}

// used is the answer that counts, or nil.
func (s *status) used() *revocation.Answer {
	if len(s.Answers) == 0 || !known(s.Answers[0]) {
		return nil
	}
	return &s.Answers[0]
}

// missing says why nothing is known about the certificate.
func (r *run) missing(s *status) finding {
	name := subject(s.Certificate)
	if len(s.Answers) > 0 {
		return r.find(CodeRevocationUnknown, name, "")
	}
	urls := sources(s.Certificate)
	switch {
	case len(urls) == 0 && len(s.Problems) == 0:
		return r.find(CodeRevocationNoSource, name, "")
	case r.Offline || r.Checker == nil:
		detail := describe(s.Problems)
		if len(urls) > 0 {
			detail = strings.TrimSuffix("would have asked "+strings.Join(urls, ", ")+"; "+detail, "; ")
		}
		return r.find(CodeRevocationOffline, name, detail)
	}
	return r.find(CodeRevocationDown, name, describe(s.Problems))
}

// sources are the services that the certificate names.
func sources(c *x509.Certificate) []string {
	var list []string
	if a, err := certs.AuthorityInfo(c); err == nil {
		list = append(list, a.OCSP...)
	}
	points, _ := certs.CRLDistributionPoints(c)
	for _, p := range points {
		list = append(list, p.URLs()...)
	}
	return list
}

// maxDescribed bounds the problems in one message.
const maxDescribed = 5

func describe(problems []revocation.Problem) string {
	var parts []string
	for _, p := range problems {
		if len(parts) == maxDescribed {
			parts = append(parts, "…")
			break
		}
		text := p.Kind
		if p.URL != "" {
			text += " " + p.URL
		}
		if p.Err != nil {
			text += ": " + p.Err.Error()
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// provenAt is the earliest time at which an answer is proven to have existed,
// with everything that it rests on.
func (r *run) provenAt(a revocation.Answer) time.Time {
	at := r.proofs.ofAny(a.Digest, a.Digests).time
	for _, d := range a.Also {
		if p := r.proofs.of(d).time; p.After(at) {
			at = p
		}
	}
	return at
}

// certProvenAt is the same for a certificate; the value of a signature that
// names its signer's certificate by digest proves that one too, if it is right.
func (r *run) certProvenAt(t *token, c *x509.Certificate) time.Time {
	at := r.proofs.of(certDigest(c)).time
	if t.refOK && t.intact && c == t.signer && t.sig != nil {
		if p := r.proofs.of(ades.ObjectDigest(t.sig.Value)).time; p.Before(at) {
			at = p
		}
	}
	return at
}
