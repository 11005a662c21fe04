package sigalg

import (
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"
	"sync"

	"github.com/ProtonMail/go-crypto/brainpool"
)

// curves are the curves known here. They are made on first use: most programs
// meet one of them.
var curves = []struct {
	oid  string // RFC 5480 section 2.1.1.1, RFC 5639 section 4.1
	name string
	make func() elliptic.Curve
}{
	{"1.3.132.0.33", "P-224", elliptic.P224},
	{"1.2.840.10045.3.1.7", "P-256", elliptic.P256},
	{"1.3.132.0.34", "P-384", elliptic.P384},
	{"1.3.132.0.35", "P-521", elliptic.P521},
	{"1.2.840.10045.3.1.1", "P-192", p192},
	{"1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", brainpool.P256r1},
	{"1.3.36.3.3.2.8.1.1.8", "brainpoolP256t1", brainpool.P256t1},
	{"1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", brainpool.P384r1},
	{"1.3.36.3.3.2.8.1.1.12", "brainpoolP384t1", brainpool.P384t1},
	{"1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", brainpool.P512r1},
	{"1.3.36.3.3.2.8.1.1.14", "brainpoolP512t1", brainpool.P512t1},
}

// CurveByOID returns the named curve: P-192 to P-521 and brainpool P256, P384
// and P512, r1 and t1; false for others. The same curve is the same value each
// time.
func CurveByOID(oid asn1.ObjectIdentifier) (elliptic.Curve, bool) {
	name := oid.String()
	for _, c := range curves {
		if c.oid == name {
			return c.make(), true
		}
	}
	return nil, false
}

// Curves returns all curves that CurveByOID knows.
func Curves() []elliptic.Curve {
	list := make([]elliptic.Curve, len(curves))
	for i, c := range curves {
		list[i] = c.make()
	}
	return list
}

// CurveName names a curve: "P-384", "brainpoolP256r1"; "unknown curve" for one
// that CurveByOID does not know.
func CurveName(curve elliptic.Curve) string {
	for _, c := range curves {
		if c.make() == curve {
			return c.name
		}
	}
	return "unknown curve"
}

// p192 is secp192r1 of SEC 2 section 2.2.2, also NIST P-192, to verify old
// signatures.
var p192 = sync.OnceValue(func() elliptic.Curve {
	number := func(hex string) *big.Int {
		n, ok := new(big.Int).SetString(hex, 16)
		if !ok {
			panic("sigalg: parameter of P-192")
		}
		return n
	}
	return &elliptic.CurveParams{
		P:       number("fffffffffffffffffffffffffffffffeffffffffffffffff"),
		N:       number("ffffffffffffffffffffffff99def836146bc9b1b4d22831"),
		B:       number("64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1"),
		Gx:      number("188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012"),
		Gy:      number("07192b95ffc8da78631011ed6b24cdd573f977a11e794811"),
		BitSize: 192,
		Name:    "P-192",
	}
})
