// Package ber reads ASN.1 as it is found in the wild, and writes DER. What it
// reads is DER, and BER with indefinite lengths, strings in chunks, long forms
// where short ones would do, and high tag numbers. Nothing is copied or
// normalised: every Element keeps its bytes and its offset, so that what was
// signed can be hashed as it stands.
//
// Start with Parse for what is in memory and with NewCursor for a file of any
// size; StringReader streams an OCTET STRING of many gigabytes. Element.DER
// re-encodes where a signature is over the canonical form. Append writes elements,
// AppendOID and its like values.
//
// Out of scope: ASN.1 modules and schemas, values other than those that CMS and
// its certificates need.
//
// References: ITU-T X.690 (BER 8, DER 10 and 11).
package ber

import (
	"errors"
	"fmt"
	"math"
)

// Errors of this package, wrapped with what is wrong and where. Anything else
// comes from the file that is read.
var (
	// ErrMalformed: the bytes are no BER, or not of the kind asked for.
	ErrMalformed = errors.New("malformed ASN.1")
	// ErrTooLarge: more than what was allowed, in bytes, depth or number.
	ErrTooLarge = errors.New("ASN.1 too large or too deep")
)

// Classes of tags, X.690 section 8.1.2.2.
const (
	Universal = iota
	Application
	Context
	Private
)

// Universal tags used here, X.680 section 8.6.
const (
	TagBoolean         = 1
	TagInteger         = 2
	TagBitString       = 3
	TagOctetString     = 4
	TagNull            = 5
	TagOID             = 6
	TagEnumerated      = 10
	TagUTF8String      = 12
	TagSequence        = 16
	TagSet             = 17
	TagNumericString   = 18
	TagPrintable       = 19
	TagT61String       = 20
	TagIA5String       = 22
	TagUTCTime         = 23
	TagGeneralizedTime = 24
	TagVisibleString   = 26
	TagUniversalString = 28
	TagBMPString       = 30
)

// Indefinite is the Length of an element that ends with an end-of-contents
// mark, X.690 section 8.1.3.6.
const Indefinite = -1

const (
	maxDepth  = 128 // of nesting, wherever it is followed
	maxHeader = 32  // bytes of tag and length
)

// Header is the tag and the length of an element.
type Header struct {
	Class       byte // Universal, Application, Context or Private
	Constructed bool
	Tag         uint32
	Size        int   // bytes that tag and length take
	Length      int64 // of the contents; Indefinite
}

// Is tells whether the element has that tag.
func (h Header) Is(class byte, tag uint32) bool { return h.Class == class && h.Tag == tag }

// endOfContents tells whether this is the mark at the end of an element of indefinite length: two zero bytes, and no longer form of them.
func (h Header) endOfContents() bool {
	return h.Class == Universal && h.Tag == 0 && !h.Constructed && h.Length == 0 && h.Size == 2
}

// String names the tag, for messages: "SEQUENCE", "[0]".
func (h Header) String() string {
	names := map[uint32]string{TagBoolean: "BOOLEAN", TagInteger: "INTEGER", TagBitString: "BIT STRING", TagOctetString: "OCTET STRING", TagNull: "NULL",
		TagOID: "OBJECT IDENTIFIER", TagSequence: "SEQUENCE", TagSet: "SET", TagUTF8String: "UTF8String"}
	switch {
	case h.Class == Universal && names[h.Tag] != "":
		return names[h.Tag]
	case h.Class == Context:
		return fmt.Sprintf("[%d]", h.Tag)
	}
	return fmt.Sprintf("tag %d of class %d", h.Tag, h.Class)
}

// ParseHeader reads the tag and length that b begins with. Tags of up to 28 bits and lengths of up to 63 bits are read, in whatever
// number of bytes up to 16. The contents need not be in b.
func ParseHeader(b []byte) (Header, error) {
	if len(b) == 0 {
		return Header{}, fmt.Errorf("%w: ends before a tag", ErrMalformed)
	}
	h := Header{Class: b[0] >> 6, Constructed: b[0]&0x20 != 0, Tag: uint32(b[0] & 0x1F), Size: 1}
	if h.Tag == 0x1F {
		h.Tag = 0
		for {
			if h.Size >= len(b) || h.Size > 5 || h.Tag >= 1<<21 {
				return Header{}, fmt.Errorf("%w: high tag number", ErrMalformed)
			}
			c := b[h.Size]
			h.Size++
			h.Tag = h.Tag<<7 | uint32(c&0x7F)
			if c&0x80 == 0 {
				break
			}
		}
	}
	if h.Size >= len(b) {
		return Header{}, fmt.Errorf("%w: ends before a length", ErrMalformed)
	}
	if !h.Constructed && (h.Is(Universal, TagSequence) || h.Is(Universal, TagSet)) {
		return Header{}, fmt.Errorf("%w: primitive %s", ErrMalformed, h)
	}
	first := b[h.Size]
	h.Size++
	switch {
	case first < 0x80:
		h.Length = int64(first)
		return h, nil
	case first == 0x80:
		if !h.Constructed {
			return Header{}, fmt.Errorf("%w: primitive %s of indefinite length", ErrMalformed, h)
		}
		h.Length = Indefinite
		return h, nil
	}
	n := int(first & 0x7F)
	if n > 16 || n > len(b)-h.Size {
		return Header{}, fmt.Errorf("%w: length of %d bytes", ErrMalformed, n)
	}
	for _, c := range b[h.Size : h.Size+n] {
		if h.Length > math.MaxInt64>>8 {
			return Header{}, fmt.Errorf("%w: length above 63 bits", ErrMalformed)
		}
		h.Length = h.Length<<8 | int64(c)
	}
	h.Size += n
	return h, nil
}

// AppendHeader appends tag and length in DER. Length must not be Indefinite.
func AppendHeader(b []byte, class byte, constructed bool, tag uint32, length int) []byte {
	first := class << 6
	if constructed {
		first |= 0x20
	}
	if tag < 0x1F {
		b = append(b, first|byte(tag))
	} else {
		b = append(b, first|0x1F)
		for shift := 28; shift >= 0; shift -= 7 {
			if rest := tag >> shift; rest > 0 {
				more := byte(0x80)
				if shift == 0 {
					more = 0
				}
				b = append(b, byte(rest&0x7F)|more)
			}
		}
	}
	if length < 0x80 {
		return append(b, byte(length))
	}
	n := 1
	for length>>(8*n) > 0 {
		n++
	}
	b = append(b, 0x80|byte(n))
	for n--; n >= 0; n-- {
		b = append(b, byte(length>>(8*n)))
	}
	return b
}

// Append appends one element with the contents given, in DER.
func Append(b []byte, class byte, constructed bool, tag uint32, contents ...[]byte) []byte {
	n := 0
	for _, c := range contents {
		n += len(c)
	}
	b = AppendHeader(b, class, constructed, tag, n)
	for _, c := range contents {
		b = append(b, c...)
	}
	return b
}
