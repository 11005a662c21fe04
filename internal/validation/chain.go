package validation

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/path"
)

// maxChains bounds how many chains to an anchor are judged for one
// certificate; a real one has one or two.
const maxChains = 8

// chain is a path to an anchor, with what is known about its certificates.
type chain struct {
	token    *token
	path     []*x509.Certificate // the token's signer first, an anchor last
	statuses []*status           // one for each certificate but the anchor
	found    findings            // what does not depend on time
}

var errNotGood = errors.New("not valid at the validation time")

// chainOf looks for chains from the token's signer and judges their
// revocation (EN 319 102-1 section 5.2.6, steps 1 to 4). bst is the best
// signature time known so far: revocation information that is fresh enough
// for it need not be fetched again. Dates are left to evaluate.
func (r *run) chainOf(t *token, bst time.Time) {
	seen := map[*path.Result]bool{}
	o := path.Options{
		Anchors: r.Anchors, Others: r.issuers, At: r.Time, IgnoreDates: true, Cache: &r.Cache.paths,
		Accept: func(res *path.Result) error {
			if seen[res] || len(t.chains) >= maxChains {
				return nil
			}
			seen[res] = true
			c := r.judge(t, res, bst)
			t.chains = append(t.chains, c)
			if len(r.evaluate(c, bst).errors()) > 0 {
				return errNotGood
			}
			t.prefer(c)
			return nil
		},
	}
	if r.Issuers != nil && !r.Offline && !t.local {
		fetch := r.Issuers
		o.Issuers = func(ctx context.Context, c *x509.Certificate) []*x509.Certificate {
			if len(t.chains) > 0 {
				return nil // there is a chain; what it lacks is no issuer
			}
			return fetch(ctx, c)
		}
	}
	_, err := path.Build(r.ctx, t.signer, o)
	if len(t.chains) == 0 {
		t.noChain.add(r.noChain(t, err))
		return
	}
	slices.SortStableFunc(t.chains, func(a, b *chain) int {
		return severity(r.evaluate(a, bst).verdict()) - severity(r.evaluate(b, bst).verdict())
	})
}

// severity orders verdicts on chains by what can still be made good.
func severity(v Verdict) int {
	order := []SubIndication{"", OutOfBoundsNotRevoked, TryLater, CryptoConstraintsFailureNoPOE, OutOfBoundsNoPOE, RevokedNoPOE, RevokedCANoPOE,
		NoCertificateChainFound, ChainConstraintsFailure, CertificateChainGeneralFailure}
	if i := slices.Index(order, v.SubIndication); i >= 0 {
		return i
	}
	return len(order)
}

// noChain says why there is no chain. Only a constraint that stopped a chain
// at an anchor is one; before that, what else is wrong with certificates that
// nobody trusts does not matter.
func (r *run) noChain(t *token, err error) finding {
	var e *path.Error
	if !errors.As(err, &e) {
		return r.find(CodeNoChain, subject(t.signer), "")
	}
	t.partial = e.Path
	where, detail := subject(e.Certificate), e.Error()
	if e.Reason == path.ErrLimit {
		return r.find(CodeChainInvalid, where, detail)
	}
	whole := len(e.Path) > 0 && r.Anchors.Contains(e.Path[len(e.Path)-1]) || e.Certificate != nil && r.Anchors.Contains(e.Certificate)
	switch {
	case whole && slices.Contains([]error{path.ErrConstraint, path.ErrNames, path.ErrPolicy}, e.Reason):
		return r.find(CodeChainConstraint, where, detail)
	case whole && e.Reason == path.ErrAlgorithm:
		return r.find(CodeChainInvalid, where, detail)
	}
	return r.find(CodeNoChain, where, detail)
}

// judge takes a path that holds and finds out about its certificates.
func (r *run) judge(t *token, res *path.Result, bst time.Time) *chain {
	c := &chain{token: t, path: res.Path}
	for _, odd := range res.Oddities {
		c.found.add(r.find(CodeCertificateOddity, "", odd))
	}
	r.checkUsage(t, c)
	for i := range len(c.path) - 1 {
		c.statuses = append(c.statuses, r.statusOf(c, i, bst))
	}
	return c
}

// checkUsage holds the signer's certificate to its purpose. What signs may be
// an anchor itself, chosen by the caller; that does not make it a
// time-stamping authority.
func (r *run) checkUsage(t *token, c *chain) {
	leaf := c.path[0]
	switch t.purpose {
	case forSignature:
		if len(c.path) > 1 && leaf.KeyUsage&x509.KeyUsageContentCommitment == 0 {
			c.found.add(r.find(CodeKeyUsage, subject(leaf), ""))
		}
	case forTimestamp:
		if !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) {
			c.found.add(r.find(CodeTimestampPurpose, subject(leaf), ""))
		}
	}
}

// anchor is the end of the chain.
func (c *chain) anchor() *x509.Certificate {
	if len(c.path) == 0 {
		return nil
	}
	return c.path[len(c.path)-1]
}

// maxSubject bounds a name in a message, in bytes.
const maxSubject = 200

// subject names a certificate in a message.
func subject(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	s := certs.NameString(c.RawSubject)
	if s == "" {
		return "serial number " + serial(c)
	}
	if len(s) > maxSubject {
		s = s[:maxSubject] + "…"
	}
	return s
}

func serial(c *x509.Certificate) string {
	if c.SerialNumber == nil {
		return ""
	}
	return c.SerialNumber.Text(16)
}

// certDigest names a certificate among the proofs.
func certDigest(c *x509.Certificate) ades.Digest { return ades.ObjectDigest(c.Raw) }
