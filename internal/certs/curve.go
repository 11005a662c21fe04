package certs

//lint:file-ignore SA1019 curves that crypto/ecdh does not have, with public values only

import (
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"

	"github.com/eidkit/eidkit/internal/sigalg"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// primeField is id-prime-field (X9.62).
const primeField = "1.2.840.10045.1.1"

// explicitCurve returns the known curve that ECParameters (RFC 3279 section
// 2.3.5) write out, or nil. All parameters must be the curve's: a generator of
// one's own would let anybody forge.
func explicitCurve(input cryptobyte.String) elliptic.Curve {
	var seq, field, fieldBody, coefficients cryptobyte.String
	var oid asn1.ObjectIdentifier
	var version int
	var a, b, base cryptobyte.String
	p, n := new(big.Int), new(big.Int)
	if !input.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Integer(&version) ||
		!seq.ReadASN1(&field, cbasn1.SEQUENCE) || !field.ReadASN1ObjectIdentifier(&oid) || oid.String() != primeField ||
		!field.ReadASN1Element(&fieldBody, cbasn1.INTEGER) || !fieldBody.ReadASN1Integer(p) ||
		!seq.ReadASN1(&coefficients, cbasn1.SEQUENCE) || !coefficients.ReadASN1(&a, cbasn1.OCTET_STRING) ||
		!coefficients.ReadASN1(&b, cbasn1.OCTET_STRING) || !seq.ReadASN1(&base, cbasn1.OCTET_STRING) || !seq.ReadASN1Integer(n) {
		return nil
	}
	if p.Sign() <= 0 || p.BitLen() > 640 {
		return nil
	}
	for _, curve := range sigalg.Curves() {
		k := curve.Params()
		if k.P.Cmp(p) != 0 || k.N.Cmp(n) != 0 {
			continue
		}
		x, y := readPoint(curve, base)
		if x == nil && len(base) > 0 && base[0]&^1 == 2 { // compressed
			x, y = k.Gx, k.Gy
			if new(big.Int).SetBytes(base[1:]).Cmp(x) != 0 || uint(base[0]&1) != y.Bit(0) {
				continue
			}
		}
		if x == nil || x.Cmp(k.Gx) != 0 || y.Cmp(k.Gy) != 0 {
			continue
		}
		if onCurve(p, new(big.Int).SetBytes(a), new(big.Int).SetBytes(b), curve) {
			return curve
		}
	}
	return nil
}

// onCurve tells whether a and b are the curve's: its generator and twice the
// generator satisfy one equation y² = x³ + ax + b only.
func onCurve(p, a, b *big.Int, curve elliptic.Curve) bool {
	k := curve.Params()
	fits := func(x, y *big.Int) bool {
		right := new(big.Int).Mul(x, x)
		right.Add(right, a).Mul(right, x).Add(right, b).Mod(right, p)
		left := new(big.Int).Mul(y, y)
		return left.Mod(left, p).Cmp(right) == 0
	}
	x, y := curve.Double(k.Gx, k.Gy)
	return a.Cmp(p) < 0 && b.Cmp(p) < 0 && fits(k.Gx, k.Gy) && fits(x, y)
}
