package validation

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/path"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
)

// standing is what is known about who signed an answer, if it is not the
// issuer of the certificate that the answer is about.
type standing int

const (
	stands  standing = iota
	unclear          // not known, which the policy weighs
	fallen           // revoked, or nobody who could be known: the answer is void
)

var errOtherAnchor = errors.New("leads to another anchor than the certificate")

// underAnchor builds the path of whoever signed an answer. It must end at the
// anchor of the certificate itself (RFC 5280 section 6.3.3 (f)): otherwise
// any trusted authority could speak for the others.
func (r *run) underAnchor(ctx context.Context, c, anchor *x509.Certificate, pool []*x509.Certificate, at time.Time) ([]*x509.Certificate, error) {
	res, err := path.Build(ctx, c, path.Options{
		Anchors: r.Anchors, Others: pool, At: at, Cache: &r.Cache.paths,
		Accept: func(res *path.Result) error {
			if !res.Path[len(res.Path)-1].Equal(anchor) {
				return errOtherAnchor
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return res.Path, nil
}

// signerPath is the path from who signed an answer to somebody who is known:
// the issuer of the certificate, or the anchor of its chain. It is nil if there
// is none.
func (r *run) signerPath(s *status, a revocation.Answer) []*x509.Certificate {
	switch {
	case a.Signer == nil || a.Signer.Equal(s.issuer) || a.Signer.Equal(s.anchor):
		return []*x509.Certificate{s.issuer}
	case certs.EqualName(a.Signer.RawIssuer, s.issuer.RawSubject) && r.issued(a.Signer, s.issuer):
		return []*x509.Certificate{a.Signer, s.issuer}
	}
	key := question{certificate: certDigest(a.Signer), anchor: certDigest(s.anchor), at: a.ProducedAt.UnixNano()}
	p, known := r.signers[key]
	if !known {
		p, _ = r.underAnchor(r.ctx, a.Signer, s.anchor, r.pool, a.ProducedAt)
		r.signers[key] = p
	}
	return p
}

// issued reports whether the key of issuer signed c, and recalls it.
func (r *run) issued(c, issuer *x509.Certificate) bool {
	key := question{certificate: certDigest(c), issuer: certDigest(issuer)}
	ok, known := r.signedBy[key]
	if !known {
		ok = certs.CheckSignature(c, issuer) == nil
		r.signedBy[key] = ok
	}
	return ok
}

// standingOf looks at who signed an answer, if it is neither the issuer nor a
// responder that need not be asked about (RFC 6960 section 4.2.2.2.1): each
// certificate between it and the issuer or anchor is asked about under its own
// issuer. why says what is wrong or not known.
func (r *run) standingOf(s *status, a revocation.Answer) (st standing, why finding) {
	p := r.signerPath(s, a)
	if p == nil {
		return fallen, r.unused(s, a, "its signer does not lead to the anchor of the certificate")
	}
	delegated := len(p) == 2 && p[1].Equal(s.issuer)
	for i := range len(p) - 1 {
		if a.NoCheck && delegated {
			return stands, finding{}
		}
		about := r.aboutSigner(s, a, p[i], p[i+1])
		used := about.used()
		switch {
		case used == nil || used.Status == revocation.Good && !r.fresh(*used, a.ProducedAt):
			if !delegated {
				return fallen, r.unused(s, a, "whether its signer was revoked is not known")
			}
			st, why = unclear, r.responderUnknown(a.Signer, about.Problems)
		case used.Status == revocation.Revoked && !used.RevokedAt.After(r.provenAt(a)):
			return fallen, r.unused(s, a, "its signer's certificate was revoked, and nothing proves that it was made before")
		}
	}
	return st, why
}

// responderUnknown fails if the responder's certificate names a source that
// would tell, and warns if there is none that could have been asked.
func (r *run) responderUnknown(responder *x509.Certificate, problems []revocation.Problem) finding {
	urls := sources(responder)
	detail := describe(problems)
	if len(urls) > 0 {
		detail = strings.TrimSuffix("named by it: "+strings.Join(urls, ", ")+"; "+detail, "; ")
	}
	f := r.find(CodeResponderUnproven, subject(responder), detail)
	if len(urls) == 0 && f.level == levelFail {
		f.level = levelWarn
	}
	return f
}

// aboutSigner asks about a certificate between an answer and the anchor. What
// counts is said by its issuer or by a responder that nobody need ask about:
// the question is not followed further. Of revocations, all count.
func (r *run) aboutSigner(s *status, a revocation.Answer, c, issuer *x509.Certificate) *status {
	at := r.provenAt(a)
	key := question{certDigest(c), certDigest(issuer), certDigest(s.anchor), at.UnixNano(), s.offline, true}
	if about := r.asked[key]; about != nil {
		return about
	}
	about := &status{Status: Status{Certificate: c}, issuer: issuer, anchor: s.anchor, offline: s.offline}
	r.asked[key] = about
	answers, problems := r.Checker.Check(r.ctx, r.question(about, at))
	about.Problems = problems
	for _, x := range answers {
		first := x.Signer == nil || x.Signer.Equal(issuer) || x.NoCheck && !x.Signer.Equal(a.Signer)
		if x.Status == revocation.Revoked || first && unusable(x, c, issuer) == "" {
			about.Answers = append(about.Answers, x)
		}
	}
	slices.SortStableFunc(about.Answers, better)
	return about
}

// doubtful: it is not known whether who signed the answer was revoked, and the
// policy does not let that pass.
func (s *status) doubtful(a revocation.Answer) bool {
	return s.doubts[a.Digest].level == policy.Fail
}
