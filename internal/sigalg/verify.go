package sigalg

//lint:file-ignore SA1019 DSA and brainpool curves have no newer API; public values only

import (
	"bytes"
	"crypto"
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Verify checks that value is the signature over digest by the holder of pub:
// *rsa.PublicKey of 512 to 16384 bits, *ecdsa.PublicKey on a curve of
// CurveByOID, ed25519.PublicKey or *dsa.PublicKey. digest is as long as the
// algorithm's Hash; for Ed25519 it is the message. Whether algorithm and key
// are strong enough is not asked here. Errors: ErrBadSignature, ErrMismatch,
// ErrUnsupported.
func (a Algorithm) Verify(pub crypto.PublicKey, digest, value []byte) error {
	if a.Scheme == Ed25519 {
		key, ok := pub.(ed25519.PublicKey)
		if !ok || len(key) != ed25519.PublicKeySize {
			return a.mismatch(pub)
		}
		return verdict(ed25519.Verify(key, digest, value))
	}
	if a.Hash == 0 || !a.Hash.Available() {
		return fmt.Errorf("%w: %v", ErrUnsupported, a)
	}
	if len(digest) != a.Hash.Size() {
		return fmt.Errorf("%w: digest of %d bytes for %v", ErrMismatch, len(digest), a)
	}
	switch a.Scheme {
	case PKCS1, PSS:
		if key, ok := pub.(*rsa.PublicKey); ok {
			return a.verifyRSA(key, digest, value)
		}
	case ECDSA, PlainECDSA:
		if key, ok := pub.(*ecdsa.PublicKey); ok {
			return a.verifyECDSA(key, digest, value)
		}
	case DSA:
		if key, ok := pub.(*dsa.PublicKey); ok {
			return verifyDSA(key, digest, value)
		}
	default:
		return fmt.Errorf("%w: %v", ErrUnsupported, a)
	}
	return a.mismatch(pub)
}

func (a Algorithm) mismatch(pub crypto.PublicKey) error {
	return fmt.Errorf("%w: %v and %s", ErrMismatch, a, KeyName(pub))
}

func verdict(good bool) error {
	if !good {
		return ErrBadSignature
	}
	return nil
}

// maxPair bounds the DER of r and s; on P-521 it has 141 bytes at most.
const maxPair = 1024

func (a Algorithm) verifyECDSA(key *ecdsa.PublicKey, digest, value []byte) error {
	if key.Curve == nil || key.X == nil || key.Y == nil || CurveName(key.Curve) == "unknown curve" {
		return fmt.Errorf("%w: elliptic curve", ErrUnsupported)
	}
	if !key.Curve.IsOnCurve(key.X, key.Y) {
		return fmt.Errorf("%w: public key is not on its curve", ErrUnsupported)
	}
	if a.Scheme == PlainECDSA {
		var err error
		if value, err = ECDSAFromRaw(value); err != nil {
			return err
		}
	}
	r, s, ok := readPair(value)
	n := key.Curve.Params().N
	if !ok || r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return ErrBadSignature
	}
	return verdict(ecdsa.VerifyASN1(key, digest, pair(r, s)))
}

// verifyDSA cuts the digest to the length of q (FIPS 186-4 section 4.6).
func verifyDSA(key *dsa.PublicKey, digest, value []byte) error {
	if err := checkDSA(key); err != nil {
		return err
	}
	r, s, ok := readPair(value)
	if !ok || r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(key.Q) >= 0 || s.Cmp(key.Q) >= 0 {
		return ErrBadSignature
	}
	digest = digest[:min(len(digest), key.Q.BitLen()/8)]
	return verdict(dsa.Verify(key, digest, r, s))
}

// checkDSA bounds the key: hostile input chooses it, and with it the price of
// a check. The sizes of q are those of FIPS 186-4 section 4.2.
func checkDSA(key *dsa.PublicKey) error {
	if key.P == nil || key.Q == nil || key.G == nil || key.Y == nil {
		return fmt.Errorf("%w: DSA key without parameters", ErrUnsupported)
	}
	p, q := key.P.BitLen(), key.Q.BitLen()
	switch one := big.NewInt(1); {
	case p < 512 || p > 4096 || key.P.Bit(0) == 0 || q != 160 && q != 224 && q != 256:
		return fmt.Errorf("%w: DSA key of %d and %d bits", ErrUnsupported, p, q)
	case key.G.Cmp(one) <= 0 || key.G.Cmp(key.P) >= 0 || key.Y.Cmp(one) <= 0 || key.Y.Cmp(key.P) >= 0:
		return fmt.Errorf("%w: DSA key out of range", ErrUnsupported)
	}
	return nil
}

// ECDSAToRaw turns an ECDSA value from DER into r and s, one after the other,
// of size bytes together (RFC 6931 section 2.3.6). Errors: ErrBadSignature for
// what is no such value, or too large for the size.
func ECDSAToRaw(der []byte, size int) ([]byte, error) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) || !seq.Empty() ||
		r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 4*size || s.BitLen() > 4*size {
		return nil, fmt.Errorf("%w: not an ECDSA value of %d bytes", ErrBadSignature, size)
	}
	return append(r.FillBytes(make([]byte, size/2)), s.FillBytes(make([]byte, size/2))...), nil
}

// ECDSAFromRaw turns r and s of equal length, one after the other, into the
// DER that ECDSA values have (RFC 3279 section 2.2.3). Errors:
// ErrBadSignature for an odd, zero or excessive length.
func ECDSAFromRaw(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw)%2 != 0 || len(raw) > maxPair/2 {
		return nil, fmt.Errorf("%w: value of %d bytes", ErrBadSignature, len(raw))
	}
	half := len(raw) / 2
	return pair(new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])), nil
}

// pair encodes SEQUENCE { r INTEGER, s INTEGER }.
func pair(r, s *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.BytesOrPanic()
}

// readPair reads SEQUENCE { r INTEGER, s INTEGER } as BER: lengths in any
// form, integers with needless leading zeros. Nothing may follow.
func readPair(value []byte) (r, s *big.Int, ok bool) {
	if len(value) > maxPair {
		return nil, nil, false
	}
	body, rest, ok := readBER(value, 0x30)
	if !ok || len(rest) != 0 {
		return nil, nil, false
	}
	first, body, ok := readBER(body, 0x02)
	if !ok {
		return nil, nil, false
	}
	second, body, ok := readBER(body, 0x02)
	if !ok || len(body) != 0 {
		return nil, nil, false
	}
	return integer(first), integer(second), true
}

// integer reads a two's complement number; negative ones become -1, which is
// out of every range.
func integer(b []byte) *big.Int {
	if len(b) == 0 || b[0]&0x80 != 0 {
		return big.NewInt(-1)
	}
	return new(big.Int).SetBytes(bytes.TrimLeft(b, "\x00"))
}

// readBER reads one element of that tag with a definite length in any form
// (X.690 section 8.1.3).
func readBER(b []byte, tag byte) (body, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	n, b := int(b[1]), b[2:]
	if n >= 0x80 {
		count := n & 0x7f
		if count == 0 || count > len(b) {
			return nil, nil, false
		}
		n = 0
		for _, c := range b[:count] {
			if n = n<<8 | int(c); n > maxPair {
				return nil, nil, false
			}
		}
		b = b[count:]
	}
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
