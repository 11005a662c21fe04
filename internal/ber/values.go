package ber

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of values: nothing real comes near them, and printing hostile ones is costly.
const (
	maxOID     = 128  // bytes
	maxInteger = 8192 // bytes
)

// OID reads an OBJECT IDENTIFIER as dotted numbers: "1.2.840.113549.1.7.2".
func (e Element) OID() (string, error) {
	if !e.Is(Universal, TagOID) || e.Constructed || len(e.Body) == 0 || len(e.Body) > maxOID || e.Body[len(e.Body)-1]&0x80 != 0 {
		return "", fmt.Errorf("%w: OBJECT IDENTIFIER", ErrMalformed)
	}
	var text strings.Builder
	arc, arcs := uint64(0), 0
	for _, c := range e.Body {
		if arc >= 1<<56 {
			return "", fmt.Errorf("%w: number in an OBJECT IDENTIFIER", ErrTooLarge)
		}
		arc = arc<<7 | uint64(c&0x7F)
		if c&0x80 != 0 {
			continue
		}
		if arcs == 0 { // the first number holds two arcs, X.690 section 8.19.4
			first := min(arc/40, 2)
			text.WriteString(strconv.FormatUint(first, 10))
			arc -= 40 * first
		}
		text.WriteByte('.')
		text.WriteString(strconv.FormatUint(arc, 10))
		arc = 0
		arcs++
	}
	return text.String(), nil
}

// Integer reads an INTEGER, or an element with another tag in its place
// (IMPLICIT).
func (e Element) Integer() (*big.Int, error) {
	if e.Constructed || len(e.Body) == 0 || len(e.Body) > maxInteger {
		return nil, fmt.Errorf("%w: INTEGER of %d bytes", ErrMalformed, len(e.Body))
	}
	n := new(big.Int).SetBytes(e.Body)
	if e.Body[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(e.Body))))
	}
	return n, nil
}

// Int reads an INTEGER of at most 31 bits, or an element with another tag in
// its place.
func (e Element) Int() (int, error) {
	n, err := e.Integer()
	if err != nil {
		return 0, err
	}
	if n.BitLen() > 31 {
		return 0, fmt.Errorf("%w: INTEGER of %d bits", ErrTooLarge, n.BitLen())
	}
	return int(n.Int64()), nil
}

// Bool reads a BOOLEAN, or an element with another tag in its place.
func (e Element) Bool() (bool, error) {
	if e.Constructed || len(e.Body) != 1 {
		return false, fmt.Errorf("%w: BOOLEAN of %d bytes", ErrMalformed, len(e.Body))
	}
	return e.Body[0] != 0, nil
}

// Time reads a UTCTime or GeneralizedTime: RFC 5280 section 4.1.2.5 and what is
// seen beside it (seconds missing, fractions, other zones than Z).
func (e Element) Time() (time.Time, error) {
	b, err := e.text()
	if err != nil {
		return time.Time{}, err
	}
	var layouts []string
	switch {
	case e.Is(Universal, TagUTCTime):
		layouts = []string{"060102150405Z0700", "0601021504Z0700"}
	case e.Is(Universal, TagGeneralizedTime):
		layouts = []string{"20060102150405Z0700", "200601021504Z0700"} // fractions are read without being named
	default:
		return time.Time{}, fmt.Errorf("%w: %s instead of a time", ErrMalformed, e.Header)
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, string(b))
		if err != nil {
			continue
		}
		if e.Tag == TagUTCTime && t.Year() >= 2050 { // X.690 leaves the century open; RFC 5280 sets it
			t = t.AddDate(-100, 0, 0)
		}
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%w: time %.40q", ErrMalformed, b)
}

// text is the value of a string type, in one piece.
func (e Element) text() ([]byte, error) {
	if !e.Constructed {
		return e.Body, nil
	}
	return e.joinString()
}

// Text reads a string of any type as UTF-8. T61String is taken for Latin-1, as
// everybody does. What is no valid text is an error.
func (e Element) Text() (string, error) {
	if e.Class != Universal {
		return "", fmt.Errorf("%w: %s instead of a string", ErrMalformed, e.Header)
	}
	b, err := e.text()
	if err != nil {
		return "", err
	}
	switch e.Tag {
	case TagUTF8String, TagPrintable, TagIA5String, TagVisibleString, TagNumericString, TagT61String:
		if utf8.Valid(b) {
			return string(b), nil
		}
		latin := make([]rune, len(b))
		for i, c := range b {
			latin[i] = rune(c)
		}
		return string(latin), nil
	case TagBMPString:
		if len(b)%2 == 0 {
			units := make([]uint16, len(b)/2)
			for i := range units {
				units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
			}
			return string(utf16.Decode(units)), nil
		}
	case TagUniversalString:
		if len(b)%4 == 0 {
			runes := make([]rune, len(b)/4)
			for i := range runes {
				runes[i] = rune(uint32(b[4*i])<<24 | uint32(b[4*i+1])<<16 | uint32(b[4*i+2])<<8 | uint32(b[4*i+3]))
			}
			return string(runes), nil
		}
	}
	return "", fmt.Errorf("%w: %s is no string that can be read", ErrMalformed, e.Header)
}

// Bits reads a BIT STRING: the bytes without the count of unused bits.
func (e Element) Bits() ([]byte, error) {
	b := e.Body
	if e.Constructed {
		var err error
		if b, err = e.joinString(); err != nil {
			return nil, err
		}
	}
	if len(b) == 0 || b[0] > 7 {
		return nil, fmt.Errorf("%w: BIT STRING", ErrMalformed)
	}
	return b[1:], nil
}
