// Package revocation finds out whether a certificate was revoked, from what
// is embedded, cached or fetched.
package revocation

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
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
	Status     Status
	Reason     int       // CRLReason, RFC 5280 section 5.3.1; -1 if not said
	RevokedAt  time.Time // zero unless revoked
	Kind       string    // "CRL" or "OCSP"
	Origin     Origin
	URL        string        // where it is or was fetched from, may be empty
	Digest     ades.Digest   // of the raw CRL or BasicOCSPResponse, for proofs of existence; see Raw
	Digests    []ades.Digest // further encodings of the same (OCSPResponse around the BasicOCSPResponse, delta CRL)
	ProducedAt time.Time     // OCSP producedAt, CRL thisUpdate
	ThisUpdate time.Time
	NextUpdate time.Time // zero if not said
	// ArchiveCutoff and ExpiredCertsOnCRL: from when on expired certificates are still listed; zero if not said.
	ArchiveCutoff time.Time
	// Signer issued the answer: the certificate's issuer, a delegated responder or a CRL issuer. Chain is what came with it.
	Signer *x509.Certificate
	Chain  []*x509.Certificate
	// NoCheck: the signer is a responder with id-pkix-ocsp-nocheck.
	NoCheck bool
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
	// Pool are further certificates, for delegated responders and CRL issuers.
	Pool     []*x509.Certificate
	Evidence Evidence
	// Offline: nothing is fetched. Fresh: answers that would satisfy from the cache must not be older than this; zero: as their nextUpdate says.
	Offline bool
	Fresh   time.Duration
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
