// Package revocation finds out whether a certificate was revoked, from what
// is embedded, cached or fetched.
//
// Start with New, which gives a Checker, and Checker.Check. Embedded evidence
// comes first, then what is kept (package crl keeps lists, Options.Answers
// OCSP answers), then the services that the certificate names, OCSP before
// lists unless Options say otherwise, until Question.Enough is satisfied.
//
// Every answer is authentic and about the certificate: signed by its issuer, a
// responder to whom the issuer delegated, or a list issuer that the
// certificate names and whose path the caller accepts; complete lists with
// their deltas, lists for some reasons together until all are covered (RFC
// 5280 section 6.3.3). What is not becomes a Problem. What services say must
// also be of today: an old answer that is replayed is a Problem too. Whether
// an embedded or kept answer suits the time in question is for the caller,
// who alone knows proofs of existence: Answer has the times, and
// ThisUpdate before Question.At with NextUpdate after it, or ThisUpdate after
// Question.At, is the plain case.
//
// The work for one question is bounded, whoever made the evidence and the
// addresses: answers looked at, signatures checked, services asked, bytes
// and time.
//
// Out of scope: freshness rules of policies, revocation of responders and list
// issuers themselves.
//
// References: RFC 5280 section 6.3 (lists), RFC 6960 (OCSP), RFC 5019, RFC
// 9654; ETSI EN 319 102-1 section 5.2.5 (freshness, which the caller decides).
package revocation

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Status is what an answer says.
type Status int

// The statuses.
const (
	Unknown Status = iota
	Good
	Revoked // also on hold: see Answer.Reason 6
)

// Origin says where an answer came from.
type Origin string

// Origins.
const (
	Embedded Origin = "embedded" // in the signature, or given by the caller
	Cached   Origin = "cached"
	Fetched  Origin = "fetched"
)

// Answer is one authentic statement about one certificate: its signature was checked, its signer is
// the certificate's issuer or authorised by it, and its scope covers the certificate.
type Answer struct {
	Status    Status
	Reason    int       // CRLReason, RFC 5280 section 5.3.1; -1 if not said
	RevokedAt time.Time // zero unless revoked
	Kind      string    // "CRL" or "OCSP"
	Origin    Origin
	URL       string        // where it is or was fetched from, may be empty
	Digest    ades.Digest   // of the raw CRL or BasicOCSPResponse, for proofs of existence; see Raw
	Digests   []ades.Digest // further encodings of the same (OCSPResponse around the BasicOCSPResponse)
	// Also are further objects that the answer rests on, beside the one of Digest: the delta CRL, the other lists where each covers some
	// reasons only. The answer is proven to have existed once each of them is.
	Also []ades.Digest
	// AlsoRaw gives the bytes of those, in the same order, as Raw does those of Digest.
	AlsoRaw    []func() ([]byte, error)
	ProducedAt time.Time // OCSP producedAt, CRL thisUpdate
	ThisUpdate time.Time
	NextUpdate time.Time // zero if not said
	// ArchiveCutoff and ExpiredCertsOnCRL: from when on expired certificates are still listed; zero if not said.
	ArchiveCutoff time.Time
	// Signer issued the answer: the certificate's issuer, a delegated responder or a CRL issuer. Chain is what came with it.
	Signer *x509.Certificate
	Chain  []*x509.Certificate
	// Algorithm is the one that the answer is signed with; the zero value if not known.
	Algorithm sigalg.Algorithm
	// NoCheck: the signer is a responder with id-pkix-ocsp-nocheck.
	NoCheck bool
	// Raw gives the answer's bytes, to be embedded: the CRL, or the OCSPResponse. Embedded
	// CRLs are with whoever embedded them: of those, and of files that are gone, it is an error.
	Raw func() ([]byte, error)
}

// Evidence is what came with a signature.
type Evidence struct {
	CRLs  [][]byte
	OCSPs [][]byte // OCSPResponse or BasicOCSPResponse
}

// Question is about one certificate.
type Question struct {
	Certificate, Issuer *x509.Certificate
	// At is the time for which the answer is wanted: an answer with ThisUpdate after At is still given, the caller judges.
	At time.Time
	// Now is the validation time of whoever asks. It matters if it is later than the clock: answers of up to then are not from the
	// future. Zero: the clock.
	Now time.Time
	// Pool are further certificates, for delegated responders and CRL issuers.
	Pool     []*x509.Certificate
	Evidence Evidence
	// Offline: nothing is fetched. Fresh: answers that would satisfy from the cache must not be older than this; zero: as their nextUpdate says.
	Offline bool
	Fresh   time.Duration
	// Path judges the certificate of a list issuer that is not the certificate's own issuer (indirect lists, another key): nil if it
	// leads at that time to the anchor that Certificate itself leads to (RFC 5280 section 6.3.3 (f)). Which one that is, the caller
	// knows. Without it such lists are not used.
	Path func(ctx context.Context, issuer *x509.Certificate, pool []*x509.Certificate, at time.Time) error
	// Enough reports whether the answers so far suffice, so that nothing more is looked for; nil: one Good or Revoked answer that is current at At.
	Enough func([]Answer) bool
}

// Checker answers questions. Implementations are safe for concurrent use.
type Checker interface {
	// Check returns all usable answers, best first (embedded before cached before fetched only if they suffice), and what went
	// wrong beside them: services down, lying, stale or unsigned. No answer and no error means that the certificate
	// names no source. It never reports Good on doubt.
	Check(ctx context.Context, q Question) (answers []Answer, problems []Problem)
}

// Problem is why a source gave no usable answer.
type Problem struct {
	Kind   string // "CRL" or "OCSP"
	URL    string // may be empty for embedded ones
	Origin Origin
	Err    error // wraps the errors of internal/fetch, internal/crl, internal/ocsp
}
