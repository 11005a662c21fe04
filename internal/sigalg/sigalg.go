// Package sigalg knows signature and digest algorithms by the names the
// formats give them, and checks signature values.
//
// Start with Parse (an AlgorithmIdentifier), FromCMS (a SignerInfo) or ByURI
// (XML), then Algorithm.Verify. HashByOID, HashByURI and HashAlgorithm name
// digests; every hash that they return is linked in.
//
// Out of scope: whether an algorithm is still good at some time, which is for
// the policy of package verify.
//
// References: RFC 3279, RFC 4055, RFC 5754, RFC 5758, RFC 8419, RFC 8702 (OIDs),
// RFC 6931 and RFC 9231 (URIs), RFC 8017, FIPS 186-5.
package sigalg

//lint:file-ignore SA1019 DSA, to verify only

import (
	"crypto"
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
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
	// PlainECDSA is ECDSA with r and s of equal length one after the other
	// (BSI TR-03111 section 5.2.1); ECDSAFromRaw makes DER of them.
	PlainECDSA
)

// String names the scheme as Algorithm.String does.
func (s Scheme) String() string {
	switch s {
	case PKCS1:
		return "RSA"
	case PSS:
		return "RSA-PSS"
	case ECDSA:
		return "ECDSA"
	case Ed25519:
		return "Ed25519"
	case DSA:
		return "DSA"
	case PlainECDSA:
		return "plain ECDSA"
	}
	return "unknown algorithm"
}

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

// String names the algorithm for people: "ECDSA with SHA-384". An MGF with
// another hash and a salt of another length than the digest's are said too.
func (a Algorithm) String() string {
	s := a.Scheme.String()
	if a.Hash == 0 {
		return s
	}
	s += " with " + HashName(a.Hash)
	if a.Scheme == PSS {
		if a.MGFHash != a.Hash {
			s += ", MGF1 " + HashName(a.MGFHash)
		}
		if a.SaltLength >= 0 && a.SaltLength != a.Hash.Size() {
			s += fmt.Sprintf(", salt %d", a.SaltLength)
		}
	}
	return s
}

// KeyBits returns the size of a public key that policies go by: the modulus of
// RSA, the order of an EC curve, p of DSA, 255 for Ed25519; 0 for other kinds.
func KeyBits(pub crypto.PublicKey) int {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k != nil && k.N != nil {
			return k.N.BitLen()
		}
	case *ecdsa.PublicKey:
		if k != nil && k.Curve != nil {
			return k.Curve.Params().N.BitLen()
		}
	case *dsa.PublicKey:
		if k != nil && k.P != nil {
			return k.P.BitLen()
		}
	case ed25519.PublicKey:
		return 255
	}
	return 0
}

// KeyName names a public key for people: "RSA 2048", "EC P-384",
// "EC brainpoolP256r1", "DSA 1024", "Ed25519", or "unknown key".
func KeyName(pub crypto.PublicKey) string {
	bits := KeyBits(pub)
	if bits == 0 {
		return "unknown key"
	}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", bits)
	case *ecdsa.PublicKey:
		return "EC " + CurveName(k.Curve)
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA %d", bits)
	}
	return "Ed25519"
}
