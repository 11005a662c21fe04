// Package verify judges signatures and certificates without a reader, a
// network or cgo: trust anchors, signature checks and certificate paths.
//
// Start with LoadAnchors (or a nil *Anchors: the pinned Belgian roots alone)
// and BuildPath. CheckSignature is the signature check under both. Package
// verify/carddata builds on them to judge the files of a card.
//
// The checks are the project's own, over crypto/rsa and crypto/ecdsa, because
// crypto/x509 refuses SHA-1 signatures and has no switch for it, while cards
// with SHA-1 and RSA 1024 are still shown. What is old is accepted and marked:
// see WeakKey and WeakSignature. What is broken (MD2, MD5, RSA below 1024
// bits) is refused.
//
// Out of scope: revocation, certificate policies and extended key usages (the
// caller's question decides which of them he needs), names in certificates,
// and certificates that crypto/x509 cannot parse.
//
// References: RFC 5280 section 6 (paths), RFC 8017 (RSA), FIPS 186-5 (ECDSA),
// ETSI TS 119 312 (what is weak), facts sheet "trust anchors",
// facts sheet "signatures" section 5.
package verify

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// ErrVerification is what all failures of this package have in common:
// errors.Is(err, ErrVerification) tells a verdict against from an error of a
// disk or of the caller.
var ErrVerification = errors.New("verification failed")

// failure is a verdict; each one is also ErrVerification.
type failure string

func (f failure) Error() string        { return string(f) }
func (f failure) Is(target error) bool { return target == ErrVerification }

// The verdicts against a signature or a certificate path.
var (
	// ErrBadSignature: the signature does not fit data and key.
	ErrBadSignature error = failure("the signature does not fit")
	// ErrAlgorithm: the algorithm or key is unknown here or too weak to be
	// accepted even with a mark.
	ErrAlgorithm error = failure("the algorithm is not accepted")
	// ErrNoIssuer: no certificate with the issuer's name was given.
	ErrNoIssuer error = failure("the issuer's certificate is missing")
	// ErrUntrusted: the path ends in a certificate that is no trust anchor.
	ErrUntrusted error = failure("the path does not end in a trust anchor")
	// ErrConstraint: a certificate may not be used so: not a CA, key usage
	// without certificate signing, path length, critical extension unknown.
	ErrConstraint error = failure("a certificate may not be used in this place")
	// ErrExpired: a path to an anchor exists, but one of its certificates
	// is not valid at that time: not any more, or not yet.
	ErrExpired error = failure("a certificate is not valid at that time")
	// ErrLimit: the search was given up; a real path is found long before.
	ErrLimit error = failure("too many certificates to try")
)

// PathError says which certificate stopped a path and why. Reason is one of
// the verdicts of this package and is what errors.Is sees.
type PathError struct {
	Certificate *x509.Certificate
	Reason      error
	Detail      string // more about the reason, may be empty
}

// Error names CAs by their common name. Other certificates are not named: an
// error ends in logs, and their subjects are persons.
func (e *PathError) Error() string {
	s := certificateName(e.Certificate) + ": " + e.Reason.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap returns the reason.
func (e *PathError) Unwrap() error { return e.Reason }

// maxName bounds a name from a certificate in a message, in bytes.
const maxName = 64

func certificateName(c *x509.Certificate) string {
	if c == nil || !c.IsCA {
		return "certificate"
	}
	name := c.Subject.CommonName
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "..."
	}
	return fmt.Sprintf("certificate %q", name)
}
