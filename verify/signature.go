package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha1" // linked in for the hashes below
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"fmt"
	"strconv"
)

// RSA keys outside these sizes are refused: below, a forgery is cheap; above,
// a check is dear, and hostile input chooses the key.
const (
	minRSA = 1024
	maxRSA = 8192
	// weakRSA is where ETSI TS 119 312 stops accepting old RSA keys.
	weakRSA = 1900
)

// scheme is how a signature algorithm pads.
type scheme int

const (
	pkcs1 scheme = iota + 1
	pss
	ecDSA
)

type algorithm struct {
	scheme scheme
	hash   crypto.Hash
}

// algorithms are those accepted. MD2, MD5 and DSA are not among them.
var algorithms = map[x509.SignatureAlgorithm]algorithm{
	x509.SHA1WithRSA:      {pkcs1, crypto.SHA1},
	x509.SHA256WithRSA:    {pkcs1, crypto.SHA256},
	x509.SHA384WithRSA:    {pkcs1, crypto.SHA384},
	x509.SHA512WithRSA:    {pkcs1, crypto.SHA512},
	x509.SHA256WithRSAPSS: {pss, crypto.SHA256},
	x509.SHA384WithRSAPSS: {pss, crypto.SHA384},
	x509.SHA512WithRSAPSS: {pss, crypto.SHA512},
	x509.ECDSAWithSHA1:    {ecDSA, crypto.SHA1},
	x509.ECDSAWithSHA256:  {ecDSA, crypto.SHA256},
	x509.ECDSAWithSHA384:  {ecDSA, crypto.SHA384},
	x509.ECDSAWithSHA512:  {ecDSA, crypto.SHA512},
}

// HashOf returns the hash that a signature algorithm names; false for an
// algorithm that this package does not accept.
func HashOf(alg x509.SignatureAlgorithm) (crypto.Hash, bool) {
	a, ok := algorithms[alg]
	return a.hash, ok
}

// CheckSignature checks sig over the signed bytes with the public key, an
// *rsa.PublicKey of 1024 to 8192 bits or an *ecdsa.PublicKey on P-256, P-384
// or P-521. ECDSA signatures are DER (RFC 3279 section 2.2.3), RSA-PSS has a
// salt as long as the hash. SHA-1 is accepted; WeakSignature marks it.
// Errors: ErrBadSignature, ErrAlgorithm.
func CheckSignature(pub crypto.PublicKey, alg x509.SignatureAlgorithm, signed, sig []byte) error {
	a, ok := algorithms[alg]
	if !ok {
		return fmt.Errorf("%w: %v", ErrAlgorithm, alg)
	}
	h := a.hash.New()
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
	if len(digest) != a.hash.Size() {
		return fmt.Errorf("%w: digest of %d bytes for %v", ErrAlgorithm, len(digest), alg)
	}
	if err := checkKey(pub); err != nil {
		return err
	}
	valid := false
	switch key := pub.(type) {
	case *rsa.PublicKey:
		switch a.scheme {
		case pkcs1:
			valid = rsa.VerifyPKCS1v15(key, a.hash, digest, sig) == nil
		case pss:
			valid = rsa.VerifyPSS(key, a.hash, digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		default:
			return fmt.Errorf("%w: RSA key with %v", ErrAlgorithm, alg)
		}
	case *ecdsa.PublicKey:
		if a.scheme != ecDSA {
			return fmt.Errorf("%w: EC key with %v", ErrAlgorithm, alg)
		}
		valid = ecdsa.VerifyASN1(key, digest, sig)
	}
	if !valid {
		return ErrBadSignature
	}
	return nil
}

// checkKey refuses keys of other kinds and sizes than CheckSignature names.
func checkKey(pub crypto.PublicKey) error {
	switch key := pub.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return fmt.Errorf("%w: RSA key of %d bits", ErrAlgorithm, bits)
		}
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
		default:
			return fmt.Errorf("%w: elliptic curve", ErrAlgorithm)
		}
	default:
		return fmt.Errorf("%w: key of type %T", ErrAlgorithm, pub)
	}
	return nil
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
