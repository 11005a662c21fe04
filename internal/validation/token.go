package validation

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
)

// purpose is what a certificate is judged for.
type purpose int

const (
	forSignature purpose = iota
	forTimestamp
	forCertificate
)

// token is a signature under judgement: a signer's, or that of a time stamp.
type token struct {
	sig     *ades.Signature
	stamp   *ades.Timestamp // nil for a signer's
	purpose purpose
	found   findings // of all blocks that do not depend on time
	signer  *x509.Certificate
	refOK   bool // the signature names the signer's certificate by its digest
	intact  bool
	local   bool                // no service is asked: the chain is for the report only
	chains  []*chain            // whole ones, the best first
	noChain findings            // why there is none
	partial []*x509.Certificate // how far the best attempt at one came
}

// digest is what the existence of the signature is proven by.
func (t *token) digest() ades.Digest {
	if t.stamp != nil {
		return ades.ObjectDigest(t.stamp.Raw)
	}
	return ades.ObjectDigest(t.sig.Value)
}

// made is when a time stamp says that it was made; zero for other signatures.
func (t *token) made() time.Time {
	switch {
	case t.stamp != nil:
		return t.stamp.GenTime
	case t.purpose == forTimestamp && t.sig.SigningTime != nil: // a token that stands alone
		return *t.sig.SigningTime
	}
	return time.Time{}
}

// best is the chain to judge and report, or nil.
func (t *token) best() *chain {
	if len(t.chains) > 0 {
		return t.chains[0]
	}
	return &chain{token: t, found: t.noChain}
}

// prefer puts a chain first.
func (t *token) prefer(c *chain) {
	if i := slices.Index(t.chains, c); i > 0 {
		t.chains = slices.Insert(slices.Delete(t.chains, i, i+1), 0, c)
	}
}

// report is what a result says of the chain.
func (t *token) report() (list []*x509.Certificate, anchored bool, statuses []Status) {
	if len(t.chains) > 0 {
		c := t.chains[0]
		for _, s := range c.statuses {
			statuses = append(statuses, s.Status)
		}
		return c.path, true, statuses
	}
	list = t.partial
	if len(list) == 0 && t.signer != nil {
		list = []*x509.Certificate{t.signer}
	}
	return list, false, nil
}

// basic runs the building blocks that do not depend on time: format checking,
// identification, context and cryptographic verification, and the attributes
// that acceptance looks at.
func (r *run) basic(t *token) {
	r.checkFormat(t)
	r.identify(t)
	if t.stamp == nil {
		r.checkContext(t)
	}
	r.verify(t)
	if t.stamp == nil {
		r.checkAttributes(t)
	}
}

// decided reports whether what was found so far decides alone: then no
// certificate is looked at for the verdict.
func (t *token) decided() bool {
	errs := t.found.errors()
	return len(errs) > 0 && errs[0].block <= MandatoryAttributes
}
