// Package sigalg knows signature and digest algorithms by the names the
// formats give them, and checks signature values.
//
// Start with Parse (an AlgorithmIdentifier) or ByURI (XML), then
// Algorithm.Verify. HashByOID and HashByURI name digests.
//
// Out of scope: whether an algorithm is still good at some time, which is for
// the policy of package verify.
//
// References: RFC 3279, RFC 4055, RFC 5754, RFC 5758, RFC 8419, RFC 8702 (OIDs),
// RFC 6931 and RFC 9231 (URIs), RFC 8017, FIPS 186-5.
package sigalg

import (
	"crypto"
	"errors"
)

// Scheme is how a signature is computed from a digest.
type Scheme int

// The schemes.
const (
	PKCS1   Scheme = iota + 1 // RSASSA-PKCS1-v1_5
	PSS                       // RSASSA-PSS
	ECDSA                     // values are DER, RFC 3279 section 2.2.3
	Ed25519                   // signs the message: see Algorithm.Hash
	DSA                       // FIPS 186-4, to verify old signatures only
)

// Errors of this package.
var (
	// ErrUnsupported: the algorithm, its parameters, the key or the curve is
	// not known here, or refused (RSA below 512 or above 16384 bits).
	ErrUnsupported = errors.New("algorithm is not supported")
	// ErrMismatch: key and algorithm do not belong together.
	ErrMismatch = errors.New("key and algorithm do not fit")
	// ErrBadSignature: the value does not fit digest and key.
	ErrBadSignature = errors.New("signature does not fit")
)

// Algorithm is a signature algorithm with its digest. The zero value is none.
type Algorithm struct {
	Scheme Scheme
	// Hash is the digest of what is signed. For Ed25519 it is 0: the value is
	// over the message itself, which then stands where others have the digest.
	Hash crypto.Hash
	// MGFHash and SaltLength are the parameters of PSS; SaltLength -1 means
	// that any is accepted.
	MGFHash    crypto.Hash
	SaltLength int
}
