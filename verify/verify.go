// Package verify judges signed files, certificates and login tokens without a
// reader or cgo: by the algorithm of ETSI EN 319 102-1, with trust anchors,
// revocation and a policy, and with the reason for every verdict.
//
// Start with File, which judges a signed file of any format, and LoadTrust,
// which loads the user's anchors (a nil *Anchors are the pinned Belgian roots
// alone). BuildPath and CheckSignature are the checks for certificates and
// signatures alone, without revocation; package verify/carddata builds on them
// to judge the files of a card, and verify/weblogin judges login tokens.
//
// The checks are the project's own, over crypto/rsa and crypto/ecdsa:
// crypto/x509 refuses SHA-1 signatures and many a certificate that is in use,
// and looks for one path. File judges algorithms by the dates of its policy.
// BuildPath and CheckSignature, which have no policy, accept what is old, and
// WeakKey and WeakSignature mark it; what is broken (MD2, MD5, RSA below 1024
// bits) they refuse.
//
// Out of scope: making signatures, EU trusted lists and qualified status.
//
// References: ETSI EN 319 102-1 (the algorithm), RFC 5280 section 6 (paths),
// RFC 8017 (RSA), FIPS 186-5 (ECDSA), ETSI TS 119 312 (what is weak), facts
// sheets "trust anchors" and "signatures".
package verify

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// failure is a verdict; each one is also ErrVerification.
type failure string

func (f failure) Error() string        { return string(f) }
func (f failure) Is(target error) bool { return target == ErrVerification }

// The errors of this package: ErrVerification, and the verdicts against a signature, a certificate or its path.
var (
	// ErrVerification is what all failures of this package have in common:
	// errors.Is(err, ErrVerification) tells a verdict against from an error of a
	// disk or of the caller.
	ErrVerification = errors.New("verification failed")

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
	// ErrRevoked: the certificate, or that of an authority above it, was
	// revoked or is suspended.
	ErrRevoked error = failure("a certificate was revoked")
	// ErrRevocationUnknown: no current answer about the revocation of a
	// certificate could be had.
	ErrRevocationUnknown error = failure("whether a certificate was revoked is not known")
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
	return fmt.Sprintf("certificate %q", shortName(c.Subject.CommonName))
}

func shortName(name string) string {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "..."
	}
	return name
}
