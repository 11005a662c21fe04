package certs

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Bounds of a distinguished name; larger ones are not taken apart.
const (
	maxNameBytes  = 64 << 10
	maxAttributes = 256
)

// Attribute is one attribute of a distinguished name.
type Attribute struct {
	RDN   int // index of the relative name it stands in
	Type  asn1.ObjectIdentifier
	Tag   cbasn1.Tag // of the value
	Value []byte     // its contents
}

// Text returns the value as UTF-8; false if it is no string or malformed.
func (a Attribute) Text() (string, bool) { return stringValue(a.Tag, a.Value) }

// NameAttributes takes an encoded Name apart, in its order; false if it is
// malformed or beyond 64 KiB or 256 attributes.
func NameAttributes(raw []byte) ([]Attribute, bool) {
	list := make([]Attribute, 0, 4)
	ok := eachAttribute(raw, func(rdn int, oid []byte, a Attribute) bool {
		id := cryptobyte.String(oid)
		a.RDN = rdn
		list = append(list, a)
		return id.ReadASN1ObjectIdentifier(&list[len(list)-1].Type)
	})
	if !ok {
		return nil, false
	}
	return list, true
}

// eachAttribute calls one for each attribute, with its type encoded and Type
// left out, until that returns false.
func eachAttribute(raw []byte, one func(rdn int, oid []byte, a Attribute) bool) bool {
	if len(raw) > maxNameBytes {
		return false
	}
	input := cryptobyte.String(raw)
	var name cryptobyte.String
	if !input.ReadASN1(&name, cbasn1.SEQUENCE) || !input.Empty() {
		return false
	}
	for rdn, n := 0, 0; !name.Empty(); rdn++ {
		var set cryptobyte.String
		if !name.ReadASN1(&set, cbasn1.SET) || set.Empty() {
			return false
		}
		for ; !set.Empty(); n++ {
			var pair, oid, value cryptobyte.String
			var a Attribute
			if n == maxAttributes || !set.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1Element(&oid, cbasn1.OBJECT_IDENTIFIER) ||
				!pair.ReadAnyASN1(&value, &a.Tag) || !pair.Empty() {
				return false
			}
			a.Value = value
			if !one(rdn, oid, a) {
				return false
			}
		}
	}
	return true
}

// EqualName compares two encoded names as RFC 5280 section 7.1 says: strings
// of any type without regard to case, to spaces in front, behind and repeated,
// and to the composition of characters (RFC 4518); values of other types byte
// for byte; the attributes of one relative name in any order. Names that
// cannot be taken apart are equal only byte for byte.
func EqualName(a, b []byte) bool {
	return bytes.Equal(a, b) || NameKey(a) == NameKey(b)
}

// NameKey returns a string that two names have in common exactly if EqualName
// holds them for equal: a key for maps.
func NameKey(raw []byte) string {
	rdns, ok := NameRDNs(raw)
	if !ok {
		return "!" + string(raw)
	}
	var key strings.Builder
	for _, r := range rdns {
		writeString(&key, r)
	}
	return key.String()
}

// NameRDNs returns a key for each relative name, in the order of the encoding,
// made as NameKey makes one of the whole name: one name lies below another if
// its keys begin with the other's. False if the name cannot be taken apart.
func NameRDNs(raw []byte) ([]string, bool) {
	rdns := make([]string, 0, 6)
	var parts []string // of a relative name with several attributes
	whole := func() {
		if len(parts) > 1 {
			slices.Sort(parts)
			var key strings.Builder
			key.WriteByte('+')
			for _, p := range parts {
				writeString(&key, p)
			}
			rdns[len(rdns)-1] = key.String()
		}
		parts = parts[:0]
	}
	ok := eachAttribute(raw, func(rdn int, oid []byte, a Attribute) bool {
		if rdn == len(rdns) {
			whole()
			rdns = append(rdns, "")
		}
		rdns[rdn] = string(oid) + valueKey(a)
		parts = append(parts, rdns[rdn])
		return true
	})
	if !ok {
		return nil, false
	}
	whole()
	return rdns, true
}

// valueKey is the value of an attribute in the form in which it is compared.
func valueKey(a Attribute) string {
	if text, ok := a.Text(); ok {
		return "=" + foldString(text)
	}
	return "#" + string([]byte{byte(a.Tag)}) + string(a.Value)
}

// writeString writes s with its length, so that two different lists never come
// out the same.
func writeString(b *strings.Builder, s string) {
	n := len(s)
	b.Write([]byte{byte(n >> 16), byte(n >> 8), byte(n)})
	b.WriteString(s)
}

var folder = cases.Fold()

// foldString prepares a string for comparison (RFC 4518 section 2, with the
// case folding of section 2.2 and the spaces of 2.6.1).
func foldString(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return foldUnicode(s)
		}
	}
	out := make([]byte, 0, len(s))
	space := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' || c >= '\t' && c <= '\r':
			space = true
		case c < ' ' || c == 0x7f:
		default:
			if space && len(out) > 0 {
				out = append(out, ' ')
			}
			space = false
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			out = append(out, c)
		}
	}
	return string(out)
}

func foldUnicode(s string) string {
	s = norm.NFKC.String(folder.String(norm.NFKC.String(s)))
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '\t' && r <= '\r' || r == 0x85 || unicode.In(r, unicode.Z):
			return ' '
		case r == 0xad || r == 0x1806 || r >= 0xfe00 && r <= 0xfe0f || r == 0xfffc || r == 0x200b || unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// tags of the string types of ASN.1 that cryptobyte has no name for.
const (
	tagNumericString   = cbasn1.Tag(18)
	tagVisibleString   = cbasn1.Tag(26)
	tagUniversalString = cbasn1.Tag(28)
	tagBMPString       = cbasn1.Tag(30)
)

// stringValue returns a string of any ASN.1 type as UTF-8. TeletexString is
// read as Latin-1, as everybody wrote it.
func stringValue(tag cbasn1.Tag, value []byte) (string, bool) {
	switch tag {
	case cbasn1.UTF8String:
		return string(value), utf8.Valid(value)
	case cbasn1.PrintableString, cbasn1.IA5String, tagNumericString, tagVisibleString, cbasn1.T61String:
		if !bytes.ContainsFunc(value, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return string(value), true
		}
		runes := make([]rune, len(value))
		for i, c := range value {
			runes[i] = rune(c)
		}
		return string(runes), true
	case tagBMPString:
		if len(value)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
		}
		return string(utf16.Decode(units)), true
	case tagUniversalString:
		if len(value)%4 != 0 {
			return "", false
		}
		runes := make([]rune, len(value)/4)
		for i := range runes {
			v := uint32(value[4*i])<<24 | uint32(value[4*i+1])<<16 | uint32(value[4*i+2])<<8 | uint32(value[4*i+3])
			if v > unicode.MaxRune {
				return "", false
			}
			runes[i] = rune(v)
		}
		return string(runes), true
	}
	return "", false
}

// shortNames are the attribute types that NameString has words for (RFC 4514
// section 3 and what is usual beside).
var shortNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.42": "GN",
	"2.5.4.46": "dnQualifier", "2.5.4.65": "pseudonym", "2.5.4.97": "organizationIdentifier",
	"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
}

// NameString writes an encoded Name as RFC 4514 says: the last relative name
// first, "CN=Belgium Root CA6,C=BE". Attribute types without a short name are
// written as numbers, values that are no strings as "#" and hexadecimal; a
// name that cannot be taken apart comes out whole in that way.
func NameString(raw []byte) string {
	list, ok := NameAttributes(raw)
	if !ok {
		return "#" + hex.EncodeToString(raw[:min(len(raw), 64)])
	}
	var rdns []string
	for i, a := range list {
		s := attributeString(a)
		if i > 0 && list[i-1].RDN == a.RDN {
			rdns[len(rdns)-1] += "+" + s
		} else {
			rdns = append(rdns, s)
		}
	}
	slices.Reverse(rdns)
	return strings.Join(rdns, ",")
}

func attributeString(a Attribute) string {
	oid := a.Type.String()
	name, known := shortNames[oid]
	if !known {
		name = oid
	}
	if text, ok := a.Text(); ok {
		return name + "=" + escape(text)
	}
	var b cryptobyte.Builder
	b.AddASN1(a.Tag, func(b *cryptobyte.Builder) { b.AddBytes(a.Value) })
	der, err := b.Bytes()
	if err != nil { // a tag that cannot be written again
		der = a.Value
	}
	return name + "=#" + hex.EncodeToString(der)
}

// escape escapes a value (RFC 4514 section 2.4). Control characters become
// hexadecimal pairs, so that a name fits on a line.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case strings.ContainsRune(`"+,;<>\`, r), r == '#' && i == 0, r == ' ' && (i == 0 || i == len(s)-1):
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r):
			for _, c := range []byte(string(r)) {
				b.WriteString(`\` + hex.EncodeToString([]byte{c}))
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
