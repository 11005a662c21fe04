// Package path builds and validates certification paths (RFC 5280 section 6).
package path

import (
	"crypto/x509"
	"time"
)

// Anchors is what a search ends at.
type Anchors interface {
	// Named returns anchor certificates with that encoded subject.
	Named(rawSubject []byte) []*x509.Certificate
	// Contains reports whether the certificate is an anchor at whatever time.
	Contains(c *x509.Certificate) bool
	// Withdrawn says why an anchor is none at that time, or "".
	Withdrawn(c *x509.Certificate, at time.Time) string
}
