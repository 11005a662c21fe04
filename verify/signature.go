package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// RSA keys outside these sizes are refused: below, a forgery is cheap; above,
// a check is dear, and hostile input chooses the key.
const (
	minRSA = 1024
	maxRSA = 8192
	// weakRSA is where ETSI TS 119 312 stops accepting old RSA keys.
	weakRSA = 1900
	// minEC is the smallest order of an elliptic curve.
	minEC = 250
)

// algorithms are those of crypto/x509 that are accepted. MD2, MD5 and DSA are
// not among them.
var algorithms = map[x509.SignatureAlgorithm]sigalg.Algorithm{
	x509.SHA1WithRSA:      {Scheme: sigalg.PKCS1, Hash: crypto.SHA1},
	x509.SHA256WithRSA:    {Scheme: sigalg.PKCS1, Hash: crypto.SHA256},
	x509.SHA384WithRSA:    {Scheme: sigalg.PKCS1, Hash: crypto.SHA384},
	x509.SHA512WithRSA:    {Scheme: sigalg.PKCS1, Hash: crypto.SHA512},
	x509.SHA256WithRSAPSS: {Scheme: sigalg.PSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32},
	x509.SHA384WithRSAPSS: {Scheme: sigalg.PSS, Hash: crypto.SHA384, MGFHash: crypto.SHA384, SaltLength: 48},
	x509.SHA512WithRSAPSS: {Scheme: sigalg.PSS, Hash: crypto.SHA512, MGFHash: crypto.SHA512, SaltLength: 64},
	x509.ECDSAWithSHA1:    {Scheme: sigalg.ECDSA, Hash: crypto.SHA1},
	x509.ECDSAWithSHA256:  {Scheme: sigalg.ECDSA, Hash: crypto.SHA256},
	x509.ECDSAWithSHA384:  {Scheme: sigalg.ECDSA, Hash: crypto.SHA384},
	x509.ECDSAWithSHA512:  {Scheme: sigalg.ECDSA, Hash: crypto.SHA512},
}

// HashOf returns the hash that a signature algorithm names; false for an
// algorithm that this package does not accept.
func HashOf(alg x509.SignatureAlgorithm) (crypto.Hash, bool) {
	a, ok := algorithms[alg]
	return a.Hash, ok
}

// CheckSignature checks sig over the signed bytes with the public key, an
// *rsa.PublicKey of 1024 to 8192 bits or an *ecdsa.PublicKey on P-256, P-384,
// P-521 or a brainpool curve of 256 bits and more. ECDSA signatures are DER (RFC 3279 section 2.2.3), RSA-PSS has a
// salt as long as the hash. SHA-1 is accepted; WeakSignature marks it.
// Errors: ErrBadSignature, ErrAlgorithm.
func CheckSignature(pub crypto.PublicKey, alg x509.SignatureAlgorithm, signed, sig []byte) error {
	a, ok := algorithms[alg]
	if !ok {
		return fmt.Errorf("%w: %v", ErrAlgorithm, alg)
	}
	h := a.Hash.New()
	h.Write(signed)
	return CheckDigest(pub, alg, h.Sum(nil), sig)
}

// CheckDigest is CheckSignature for data that were hashed already; digest has
// the length of the algorithm's hash.
func CheckDigest(pub crypto.PublicKey, alg x509.SignatureAlgorithm, digest, sig []byte) error {
	a, ok := algorithms[alg]
	if !ok {
		return fmt.Errorf("%w: %v", ErrAlgorithm, alg)
	}
	if !accepted(a, pub) {
		return fmt.Errorf("%w: %v by %s", ErrAlgorithm, a, sigalg.KeyName(pub))
	}
	switch err := a.Verify(pub, digest, sig); {
	case err == nil:
		return nil
	case errors.Is(err, sigalg.ErrBadSignature):
		return ErrBadSignature
	default:
		return fmt.Errorf("%w: %w", ErrAlgorithm, err)
	}
}

// accepted refuses what is broken rather than weak. The engine of File does
// not ask it: its policy judges by dates.
func accepted(a sigalg.Algorithm, pub crypto.PublicKey) bool {
	if a.Hash == crypto.MD5 {
		return false
	}
	bits := sigalg.KeyBits(pub)
	switch pub.(type) {
	case *rsa.PublicKey:
		return bits >= minRSA && bits <= maxRSA
	case *ecdsa.PublicKey:
		return bits >= minEC
	case ed25519.PublicKey:
		return true
	}
	return false
}

// WeakKey returns a mark such as "RSA 1024" for a key that is accepted but
// weak by ETSI TS 119 312 (RSA below 1900 bits), else "".
func WeakKey(pub crypto.PublicKey) string {
	if key, ok := pub.(*rsa.PublicKey); ok && key.N.BitLen() < weakRSA {
		return "RSA " + strconv.Itoa(key.N.BitLen())
	}
	return ""
}

// WeakSignature returns the mark "SHA-1" for an algorithm that uses it, else
// "".
func WeakSignature(alg x509.SignatureAlgorithm) string {
	if hash, ok := HashOf(alg); ok && hash == crypto.SHA1 {
		return "SHA-1"
	}
	return ""
}
