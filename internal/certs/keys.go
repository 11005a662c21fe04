package certs

//lint:file-ignore SA1019 old keys and brainpool curves have no newer API

import (
	"crypto"
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/eidkit/eidkit/internal/sigalg"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Kinds of keys by their OIDs.
const (
	keyRSA     = "1.2.840.113549.1.1.1"
	keyPSS     = "1.2.840.113549.1.1.10"
	keyEC      = "1.2.840.10045.2.1"
	keyDSA     = "1.2.840.10040.4.1"
	keyEd25519 = "1.3.101.112"
)

// ErrKey: a public key is malformed or of an unknown kind.
var ErrKey = errors.New("public key cannot be used")

// maxKey bounds a SubjectPublicKeyInfo, in bytes: RSA of 16384 bits has 2,086.
const maxKey = 16 << 10

// fillKey sets the public key, or notes why it is nil.
func (l *lenient) fillKey(c *x509.Certificate) {
	pub, odd, err := ParsePublicKey(c.RawSubjectPublicKeyInfo)
	for _, o := range odd {
		l.note(o)
	}
	if err != nil {
		l.note(err.Error())
		return
	}
	c.PublicKey = pub
	switch pub.(type) {
	case *rsa.PublicKey:
		c.PublicKeyAlgorithm = x509.RSA
	case *ecdsa.PublicKey:
		c.PublicKeyAlgorithm = x509.ECDSA
	case *dsa.PublicKey:
		c.PublicKeyAlgorithm = x509.DSA
	case ed25519.PublicKey:
		c.PublicKeyAlgorithm = x509.Ed25519
	}
}

// ParsePublicKey reads the DER of a SubjectPublicKeyInfo: *rsa.PublicKey (also
// for keys of RSASSA-PSS alone), *ecdsa.PublicKey on a curve of
// sigalg.CurveByOID (named, or written out), *dsa.PublicKey, ed25519.PublicKey.
// Errors: ErrKey.
func ParsePublicKey(spki []byte) (pub crypto.PublicKey, oddities []string, err error) {
	oid, _, params, bits, ok := readSPKI(spki)
	if !ok {
		return nil, nil, fmt.Errorf("%w: malformed", ErrKey)
	}
	switch oid.String() {
	case keyRSA, keyPSS:
		if oid.String() == keyRSA && !(len(params) == 2 && params[0] == 5) {
			oddities = append(oddities, "RSA key without NULL parameters")
		}
		pub, ok = rsaKey(bits)
	case keyEC:
		var odd string
		pub, odd, err = ecKey(params, bits)
		if odd != "" {
			oddities = append(oddities, odd)
		}
		return pub, oddities, err
	case keyDSA:
		pub, ok = dsaKey(params, bits)
	case keyEd25519:
		pub, ok = ed25519.PublicKey(bits), len(bits) == ed25519.PublicKeySize
	default:
		return nil, nil, fmt.Errorf("%w: kind %v", ErrKey, oid)
	}
	if !ok {
		return nil, nil, fmt.Errorf("%w: malformed", ErrKey)
	}
	return pub, oddities, nil
}

// readSPKI returns the kind of a key, its whole AlgorithmIdentifier, the
// parameters in it (nil if there are none) and the key itself.
func readSPKI(spki []byte) (oid asn1.ObjectIdentifier, alg, params, bits []byte, ok bool) {
	if len(spki) > maxKey {
		return nil, nil, nil, nil, false
	}
	input := cryptobyte.String(spki)
	var seq, whole, element cryptobyte.String
	var tag cbasn1.Tag
	if !input.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Element(&whole, cbasn1.SEQUENCE) || !seq.ReadASN1BitStringAsBytes(&bits) {
		return nil, nil, nil, nil, false
	}
	alg = whole
	ok = whole.ReadASN1(&whole, cbasn1.SEQUENCE) && whole.ReadASN1ObjectIdentifier(&oid) &&
		(whole.Empty() || whole.ReadAnyASN1Element(&element, &tag))
	return oid, alg, element, bits, ok
}

// rsaKey reads RSAPublicKey (RFC 8017 appendix A.1.1). crypto/rsa has no room
// for an exponent beyond 63 bits.
func rsaKey(der []byte) (crypto.PublicKey, bool) {
	input := cryptobyte.String(der)
	var seq cryptobyte.String
	n, e := new(big.Int), new(big.Int)
	if !input.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Integer(n) || !seq.ReadASN1Integer(e) {
		return nil, false
	}
	if n.Sign() <= 0 || e.Sign() <= 0 || e.BitLen() > 62 || int64(int(e.Int64())) != e.Int64() {
		return nil, false
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, true
}

func dsaKey(params, bits []byte) (crypto.PublicKey, bool) {
	key := &dsa.PublicKey{Y: new(big.Int)}
	key.P, key.Q, key.G = new(big.Int), new(big.Int), new(big.Int)
	input, y := cryptobyte.String(params), cryptobyte.String(bits)
	var seq cryptobyte.String
	if !input.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Integer(key.P) || !seq.ReadASN1Integer(key.Q) || !seq.ReadASN1Integer(key.G) ||
		!y.ReadASN1Integer(key.Y) || key.P.Sign() <= 0 || key.Q.Sign() <= 0 || key.G.Sign() <= 0 || key.Y.Sign() <= 0 {
		return nil, false
	}
	return key, true
}

// ecKey reads a point (RFC 5480 section 2.2) on a curve that is named or
// written out.
func ecKey(params, point []byte) (pub crypto.PublicKey, odd string, err error) {
	input := cryptobyte.String(params)
	var curve elliptic.Curve
	if input.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) {
		var oid asn1.ObjectIdentifier
		if !input.ReadASN1ObjectIdentifier(&oid) || !input.Empty() {
			return nil, "", fmt.Errorf("%w: malformed", ErrKey)
		}
		var known bool
		if curve, known = sigalg.CurveByOID(oid); !known {
			return nil, "", fmt.Errorf("%w: elliptic curve %v", ErrKey, oid)
		}
	} else {
		if curve = explicitCurve(input); curve == nil {
			return nil, "", fmt.Errorf("%w: elliptic curve written out, and none that is known", ErrKey)
		}
		odd = "elliptic curve is written out instead of named"
	}
	x, y := readPoint(curve, point)
	if x == nil {
		return nil, odd, fmt.Errorf("%w: no point of its curve", ErrKey)
	}
	return &ecdsa.PublicKey{Curve: curve, X: x, Y: y}, odd, nil
}

// readPoint decodes a point (SEC 1 section 2.3.4), uncompressed, hybrid or, on
// the NIST curves, compressed; nil if it is not on the curve.
func readPoint(curve elliptic.Curve, point []byte) (x, y *big.Int) {
	p := curve.Params()
	size := (p.BitSize + 7) / 8
	switch {
	case len(point) == 1+2*size && (point[0] == 4 || point[0] == 6 || point[0] == 7):
		x, y = new(big.Int).SetBytes(point[1:1+size]), new(big.Int).SetBytes(point[1+size:])
		if point[0] != 4 && uint(point[0]&1) != y.Bit(0) {
			return nil, nil
		}
	case len(point) == 1+size && (point[0] == 2 || point[0] == 3) && compressible(curve):
		if x, y = elliptic.UnmarshalCompressed(curve, point); x == nil {
			return nil, nil
		}
	default:
		return nil, nil
	}
	if x.Cmp(p.P) >= 0 || y.Cmp(p.P) >= 0 || !curve.IsOnCurve(x, y) {
		return nil, nil
	}
	return x, y
}

// compressible: crypto/elliptic takes a = -3 for granted.
func compressible(curve elliptic.Curve) bool {
	switch curve {
	case elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521():
		return true
	}
	return false
}
