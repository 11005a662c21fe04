// Package der writes DER for the makers of test data: each function returns
// the encoding of one value, and constructed values are put together from
// the encodings of their parts. Start with Seq.
//
// It only writes, and checks nothing: what is passed in as a part is copied
// as it is, so that wrong encodings can be made on purpose. Numbers that
// cannot be encoded (an object identifier that is none) panic, since they are
// mistakes in a test.
//
// Out of scope: reading, which encoding/asn1 does for the makers.
//
// References: ITU-T X.690.
package der

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Raw is an element with the given first octet around the parts.
func Raw(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := make([]byte, 0, n+6)
	out = append(out, tag)
	switch {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// Seq is a SEQUENCE of the parts.
func Seq(parts ...[]byte) []byte { return Raw(0x30, parts...) }

// Set is a SET OF the parts, sorted as DER wants (X.690 section 11.6).
func Set(parts ...[]byte) []byte { return Raw(0x31, Sorted(parts)...) }

// Sorted returns the parts of a SET OF in DER order.
func Sorted(parts [][]byte) [][]byte {
	s := slices.Clone(parts)
	slices.SortFunc(s, bytes.Compare)
	return s
}

// Explicit is the parts inside the context-specific constructed tag [n].
func Explicit(n int, parts ...[]byte) []byte { return Raw(0xa0|byte(n), parts...) }

// Implicit is the element v under the context-specific tag [n], constructed
// or not as v is.
func Implicit(n int, v []byte) []byte {
	out := slices.Clone(v)
	out[0] = 0x80 | v[0]&0x20 | byte(n)
	return out
}

// Octets is an OCTET STRING.
func Octets(v []byte) []byte { return Raw(0x04, v) }

// Bits is a BIT STRING of whole octets.
func Bits(v []byte) []byte { return Raw(0x03, []byte{0}, v) }

// UTF8 is a UTF8String.
func UTF8(s string) []byte { return Raw(0x0c, []byte(s)) }

// IA5 is an IA5String.
func IA5(s string) []byte { return Raw(0x16, []byte(s)) }

// Null is NULL.
func Null() []byte { return []byte{0x05, 0x00} }

// Bool is a BOOLEAN.
func Bool(v bool) []byte {
	if v {
		return []byte{0x01, 0x01, 0xff}
	}
	return []byte{0x01, 0x01, 0x00}
}

// Int is an INTEGER.
func Int(v int64) []byte { return BigInt(big.NewInt(v)) }

// BigInt is an INTEGER.
func BigInt(v *big.Int) []byte { return must(asn1.Marshal(v)) }

// Enum is an ENUMERATED.
func Enum(v int) []byte { return must(asn1.Marshal(asn1.Enumerated(v))) }

// OID is an OBJECT IDENTIFIER, given with dots.
func OID(s string) []byte {
	var o asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(arc)
		if err != nil {
			panic("der: no object identifier: " + s)
		}
		o = append(o, n)
	}
	return must(asn1.Marshal(o))
}

// Time is a GeneralizedTime in UTC, in whole seconds (RFC 5280 section
// 4.1.2.5.2).
func Time(t time.Time) []byte { return Raw(0x18, []byte(t.UTC().Format("20060102150405Z"))) }

// X509Time is a UTCTime until 2049 and a GeneralizedTime after, as
// certificates, CRLs and signing-time attributes have it.
func X509Time(t time.Time) []byte {
	if y := t.UTC().Year(); y >= 1950 && y < 2050 {
		return Raw(0x17, []byte(t.UTC().Format("060102150405Z")))
	}
	return Time(t)
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic("der: " + err.Error())
	}
	return b
}
