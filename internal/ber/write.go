package ber

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// AppendSequence appends a SEQUENCE in DER with the elements given.
func AppendSequence(b []byte, elements ...[]byte) []byte {
	return Append(b, Universal, true, TagSequence, elements...)
}

// AppendOID appends an OBJECT IDENTIFIER, given as dotted numbers of at most
// 56 bits. What is no such thing is ErrMalformed.
func AppendOID(b []byte, oid string) ([]byte, error) {
	var body []byte
	arcs, first := 0, uint64(0)
	for text := range strings.SplitSeq(oid, ".") {
		arc, err := parseArc(text)
		if err != nil || arcs == 0 && arc > 2 || arcs == 1 && first < 2 && arc >= 40 {
			return nil, fmt.Errorf("%w: OBJECT IDENTIFIER %.100q", ErrMalformed, oid)
		}
		switch arcs++; arcs {
		case 1:
			first = arc
			continue
		case 2: // the first number holds two arcs, X.690 section 8.19.4
			arc += 40 * first
		}
		body = appendArc(body, arc)
	}
	if arcs < 2 || len(body) > maxOID {
		return nil, fmt.Errorf("%w: OBJECT IDENTIFIER %.100q", ErrMalformed, oid)
	}
	return Append(b, Universal, false, TagOID, body), nil
}

// parseArc reads a number without leading zeros, so that there is one way to write each OID.
func parseArc(text string) (uint64, error) {
	n := uint64(0)
	for _, c := range text {
		if c < '0' || c > '9' || n >= 1<<52 {
			return 0, ErrMalformed
		}
		n = 10*n + uint64(c-'0')
	}
	if text == "" || text[0] == '0' && len(text) > 1 {
		return 0, ErrMalformed
	}
	return n, nil
}

// appendArc appends a number in groups of seven bits.
func appendArc(b []byte, arc uint64) []byte {
	for shift := 63; shift > 0; shift -= 7 {
		if rest := arc >> shift; rest > 0 {
			b = append(b, 0x80|byte(rest))
		}
	}
	return append(b, byte(arc&0x7F))
}

// AppendInteger appends an INTEGER in DER.
func AppendInteger(b []byte, n *big.Int) []byte {
	if n.Sign() >= 0 {
		body := n.Bytes()
		if len(body) == 0 || body[0]&0x80 != 0 {
			body = append([]byte{0}, body...)
		}
		return Append(b, Universal, false, TagInteger, body)
	}
	size := new(big.Int).Not(n).BitLen()/8 + 1 // two's complement: -n-1 needs a bit less than its sign
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(8*size))
	return Append(b, Universal, false, TagInteger, modulus.Add(modulus, n).FillBytes(make([]byte, size)))
}

// AppendTime appends a time in whole seconds: UTCTime from 1950 to 2049, else
// GeneralizedTime (RFC 5652 section 11.3).
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	if t.Year() >= 1950 && t.Year() < 2050 {
		return Append(b, Universal, false, TagUTCTime, []byte(t.Format("060102150405Z")))
	}
	return Append(b, Universal, false, TagGeneralizedTime, []byte(t.Format("20060102150405Z")))
}

// AppendText appends a UTF8String.
func AppendText(b []byte, text string) []byte {
	return Append(b, Universal, false, TagUTF8String, []byte(text))
}
