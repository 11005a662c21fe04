// Package path builds and validates certification paths (RFC 5280 section 6).
//
// Start with Build, which tries every path from a certificate to an anchor
// until one holds; Validate checks a path that is there already. A Cache keeps
// what signatures were found between searches.
//
// Out of scope: revocation and whatever else the caller wants of a path, for
// which Options.Accept is asked, and what a certificate is for: extended key
// usages are not looked at, since CAs of signatures carry some that their
// leaves go beyond.
//
// References: RFC 5280 section 6, RFC 9618 (policies as a graph), RFC 4158
// (building paths), NIST PKITS.
package path

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// Anchors is what a search ends at. An implementation is safe for concurrent
// use while searches run.
type Anchors interface {
	// Named returns anchor certificates with that subject; it may be encoded
	// in another way (certs.EqualName).
	Named(rawSubject []byte) []*x509.Certificate
	// Contains reports whether the certificate is an anchor at whatever time.
	Contains(c *x509.Certificate) bool
	// Withdrawn says why an anchor is none at that time, or "".
	Withdrawn(c *x509.Certificate, at time.Time) string
}

// The reasons why there is no path.
var (
	// ErrNoIssuer: no certificate with the issuer's name was given.
	ErrNoIssuer = errors.New("the issuer's certificate is missing")
	// ErrBadSignature: a certificate of the issuer's name did not sign.
	ErrBadSignature = errors.New("the signature does not fit")
	// ErrAlgorithm: a signature's algorithm or key is not supported, or
	// refused by Options.CheckSignature.
	ErrAlgorithm = errors.New("the algorithm is not accepted")
	// ErrUntrusted: the path ends in a certificate that is no anchor, or not
	// at that time.
	ErrUntrusted = errors.New("the path does not end in a trust anchor")
	// ErrConstraint: a certificate may not be used so: not a CA, key usage,
	// path length, unknown critical extension, malformed constraint.
	ErrConstraint = errors.New("a certificate may not be used in this place")
	// ErrNames: a name is outside what a CA above may name.
	ErrNames = errors.New("a name is not allowed by a CA's name constraints")
	// ErrPolicy: no acceptable certificate policy where one is required.
	ErrPolicy = errors.New("no acceptable certificate policy")
	// ErrExpired: a certificate is not valid at that time.
	ErrExpired = errors.New("a certificate is not valid at that time")
	// ErrRefused: Options.Accept refused a path on which all else holds.
	ErrRefused = errors.New("the path was refused")
	// ErrLimit: the search was given up; a real path is found long before.
	ErrLimit = errors.New("too many certificates to try")
)

// ranks order the reasons by how near to a path they came.
var ranks = map[error]int{
	ErrNoIssuer: 1, ErrBadSignature: 2, ErrAlgorithm: 3, ErrUntrusted: 4, ErrConstraint: 5, ErrNames: 6, ErrPolicy: 7, ErrExpired: 8,
	ErrRefused: 9, ErrLimit: 10,
}

// Error says which certificate stopped a path and why.
type Error struct {
	Certificate *x509.Certificate
	// Reason is one of the errors of this package.
	Reason error
	Detail string // more about the reason, may be empty
	// Cause is the error of Options.Accept or of a signature check, or nil.
	Cause error
	// Path is the attempt, from the leaf as far as it came.
	Path []*x509.Certificate
}

// Error does not name the certificate: an error ends in logs, and subjects are
// persons.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Reason.Error()
	}
	return e.Reason.Error() + ": " + e.Detail
}

// Unwrap returns Reason and, if there is one, Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}

// Options are what a path must fulfil. Anchors is needed; all else may be zero.
type Options struct {
	Anchors Anchors
	// Others are certificates that a path may go through, in any order.
	Others []*x509.Certificate
	// Issuers, if not nil, is asked for further certificates, by the URLs in c
	// for instance: at most once for each certificate, eight times in a
	// search, and only after all that is there was tried. What it returns need
	// not be right.
	Issuers func(ctx context.Context, c *x509.Certificate) []*x509.Certificate

	// At is when the certificates must be valid; the zero value is the year 1
	// and no time at which any is.
	At time.Time
	// IgnoreDates leaves out all checks of dates, those of anchors too: past
	// validation judges them afterwards.
	IgnoreDates bool
	// AnchorDates has the anchor's own validity checked as well; RFC 5280
	// section 6.1 does not, since what is trusted is its name and key.
	AnchorDates bool

	// Policies are acceptable (user-initial-policy-set); nil means any.
	Policies []asn1.ObjectIdentifier
	// ExplicitPolicy, InhibitMapping and InhibitAny are the inputs of RFC 5280
	// section 6.1.1 (e) to (g).
	ExplicitPolicy, InhibitMapping, InhibitAny bool

	// CheckSignature checks that issuer's key signed child; nil means
	// certs.CheckSignature. The Cache must not be shared between different
	// functions.
	CheckSignature func(child, issuer *x509.Certificate) error
	// Cache keeps the outcome of signature checks; nil: for this search only.
	Cache *Cache
	// Accept is asked about a path on which all else holds; an error has the
	// next one tried.
	Accept func(*Result) error
}

// Result is a path that holds.
type Result struct {
	// Path is the chain of certificates: first the one in question, then each
	// one's issuer, last the anchor. A path of one certificate is an anchor.
	Path []*x509.Certificate
	// Policies under which the path is valid, in the anchor's terms
	// (user-constrained-policy-set), sorted; it may hold anyPolicy.
	Policies []asn1.ObjectIdentifier
	// Explicit says that a certificate or the caller required a policy.
	Explicit bool
	// Oddities are departures from the rules that do no harm, in English.
	Oddities []string
}

// Bounds of the search. A Belgian path has three certificates, four with a
// cross certificate; hostile input could make the search exponential.
const (
	maxPath    = 8    // certificates in a path
	maxChecks  = 64   // signatures checked in one search, those in the cache apart
	maxSteps   = 2000 // candidates looked at
	maxFetches = 8    // calls of Options.Issuers
	maxPaths   = 64   // whole paths validated
)

// Build looks for a path from leaf to an anchor. All candidates with the
// issuer's name are tried, those first that are anchors, whose key identifier
// fits and which are valid; the first path that holds is the result. The error
// is an *Error for the attempt that came furthest, or that of the context.
func Build(ctx context.Context, leaf *x509.Certificate, o Options) (*Result, error) {
	if leaf == nil || o.Anchors == nil {
		return nil, errors.New("building certificate path: no certificate or no anchors given")
	}
	s := newSearch(ctx, o)
	if r := s.run(leaf); r != nil {
		return r, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("building certificate path: %w", err)
	}
	return nil, fmt.Errorf("building certificate path: %w", s.best)
}
