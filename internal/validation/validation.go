// Package validation is the algorithm of ETSI EN 319 102-1: it judges
// signatures that a reader has taken apart, with their time stamps, and gives
// for each a verdict, its reasons and the chain and proofs it rests on.
//
// Fill an Engine and call Validate. Lookup and Codes give what the catalogue
// knows of a finding: its level, what follows from it, and a sentence in four
// languages.
//
// The files follow the standard: format, identification, context, crypto,
// chain, revocation and acceptance are the basic building blocks of section
// 5.2; timestamp is section 5.4, besttime 5.5, poe, slide and past 5.6.
//
// Out of scope: parsing (internal/ades and below), building paths
// (internal/path), asking about revocation (internal/revocation), and the
// qualified status of ETSI TS 119 615.
//
// References: ETSI EN 319 102-1 V1.4.1, ETSI TS 119 172-4, RFC 5280, RFC 3161.
package validation

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/path"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
)

// Engine is what a validation needs to know beside the signatures. It is not
// changed by Validate and may be used for several files at once.
type Engine struct {
	// Time is the validation time, the "current time" of the standard.
	Time time.Time
	// Received are times at which the caller knows the file to have existed.
	// Those after Time do not count.
	Received []time.Time
	Policy   *policy.Policy // nil: policy.Default
	Anchors  path.Anchors   // needed
	// Others are certificates that a chain may go through.
	Others []*x509.Certificate
	// Issuers fetches the certificates that c names as its issuer's; nil: none
	// are fetched.
	Issuers func(ctx context.Context, c *x509.Certificate) []*x509.Certificate
	// Checker tells about revocation; nil: nothing is known.
	Checker revocation.Checker
	// Evidence is revocation information from the caller.
	Evidence revocation.Evidence
	// Offline: the Checker fetches nothing.
	Offline bool
	// Cache is shared by validations; nil: each has its own.
	Cache *Cache
}

// Result is the verdict on one signature.
type Result struct {
	Signature *ades.Signature
	Verdict
	// Intact: the data are there and unchanged, and the value fits the
	// signer's key.
	Intact bool
	Signer *x509.Certificate // nil if not found
	// Chain is the signer's first, the anchor last; or, if there is no chain
	// to an anchor, as far as the best attempt at one came.
	Chain    []*x509.Certificate
	Anchored bool // Chain ends in an anchor
	Statuses []Status
	// BestTime is the earliest time at which the signature is proven to have
	// existed; zero unless Intact. Without proof it is the validation time.
	BestTime time.Time
	// BestProof is what proves BestTime: the ID of a time stamp, or "received"
	// for the caller; empty without proof.
	BestProof         string
	Timestamps        []*Stamp
	CounterSignatures []*Result
	Errors, Warnings  []Message // the first error decided
}

// Stamp is the verdict on one time stamp.
type Stamp struct {
	Timestamp *ades.Timestamp
	Verdict
	Imprint  bool // what it is for is there and unchanged
	Signer   *x509.Certificate
	Chain    []*x509.Certificate
	Anchored bool
	Statuses []Status
	Errors   []Message
	Warnings []Message

	token *token
	basic bool // passed at the validation time, without proofs from others
}

// Status is what is known about the revocation of one certificate of a chain.
type Status struct {
	Certificate *x509.Certificate
	Answers     []revocation.Answer  // usable ones, the one that counted first
	Problems    []revocation.Problem // why others gave none
	// NotNeeded says why nobody had to be asked, or is empty.
	NotNeeded string
}

// Validate judges the signatures of one file. What they share (time stamps,
// certificates, revocation information, proofs of existence) is used for all.
// The error is that of the context.
func (e *Engine) Validate(ctx context.Context, sigs []*ades.Signature) ([]*Result, error) {
	r := e.newRun(ctx)
	for _, s := range sigs {
		r.collect(s, 0)
	}
	r.received()
	r.judgeStamps()
	results := make([]*Result, 0, len(sigs))
	for _, s := range sigs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		results = append(results, r.signature(s, 0))
	}
	return results, ctx.Err()
}

// Certificate judges a certificate alone, at the validation time: its chain,
// its revocation and its algorithms.
func (e *Engine) Certificate(ctx context.Context, c *x509.Certificate) (*Result, error) {
	r := e.newRun(ctx)
	t := &token{signer: c, purpose: forCertificate}
	var found findings
	r.chainOf(t, r.Time)
	found.add(r.evaluate(t.best(), r.Time)...)
	out := &Result{Verdict: found.verdict(), Signer: c}
	out.Chain, out.Anchored, out.Statuses = t.report()
	out.Errors, out.Warnings = found.messages()
	return out, ctx.Err()
}
