package certs

import (
	"encoding/hex"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MatchNameString reports whether a name written as text, in the way of RFC
// 4514, RFC 2253 or RFC 1779, is the encoded one. It is for signatures that
// name an issuer in that way (XML), where every maker writes in its own: the
// relative names may stand in either order, types may be words or numbers in
// any case, values quoted, escaped or hexadecimal. The attributes must be the
// same ones as often; how they are grouped is not compared. A match is a hint:
// digests prove which certificate is meant.
func MatchNameString(text string, raw []byte) bool {
	if len(text) > maxNameBytes {
		return false
	}
	want, ok := NameAttributes(raw)
	if !ok {
		return false
	}
	var keys []string
	for rest := text; rest != ""; {
		var a string
		if a, rest, ok = nextAttribute(rest); !ok || len(keys) == maxAttributes {
			return false
		}
		keys = append(keys, a)
	}
	if len(keys) != len(want) || len(keys) == 0 {
		return false
	}
	wanted := make([]string, len(want))
	for i, a := range want {
		wanted[i] = a.Type.String() + valueKey(a)
	}
	slices.Sort(keys)
	slices.Sort(wanted)
	return slices.Equal(keys, wanted)
}

// nameTypes are the OIDs of attribute types by the words that makers use, in
// lower case.
var nameTypes = typesByWord()

func typesByWord() map[string]string {
	words := map[string]string{
		"sn": "2.5.4.4", "surname": "2.5.4.4", "serialnumber": "2.5.4.5", "s": "2.5.4.8", "givenname": "2.5.4.42", "g": "2.5.4.42", "t": "2.5.4.12",
		"e": "1.2.840.113549.1.9.1", "email": "1.2.840.113549.1.9.1", "oid.2.5.4.97": "2.5.4.97", "streetaddress": "2.5.4.9", "initials": "2.5.4.43",
		"generationqualifier": "2.5.4.44", "generation": "2.5.4.44", "postalcode": "2.5.4.17", "businesscategory": "2.5.4.15", "name": "2.5.4.41",
	}
	for oid, word := range shortNames {
		words[strings.ToLower(word)] = oid
	}
	return words
}

// nextAttribute takes type and value off the front of s; the result is the
// attribute's key.
func nextAttribute(s string) (key, rest string, ok bool) {
	kind, s, found := strings.Cut(s, "=")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if !found || kind == "" {
		return "", "", false
	}
	if oid, known := nameTypes[kind]; known {
		kind = oid
	} else if kind = strings.TrimPrefix(kind, "oid."); strings.Trim(kind, "0123456789.") != "" {
		return "", "", false
	}
	value, rest, ok := nextValue(strings.TrimLeft(s, " "))
	if !ok {
		return "", "", false
	}
	if digits, isHex := strings.CutPrefix(value, "#"); isHex {
		der, err := hex.DecodeString(strings.TrimSpace(digits))
		input := cryptobyte.String(der)
		var a Attribute
		var body cryptobyte.String
		if err != nil || !input.ReadAnyASN1(&body, &a.Tag) || !input.Empty() {
			return "", "", false
		}
		a.Value = body
		return kind + valueKey(a), rest, true
	}
	text, ok := unescape(value)
	a := Attribute{Tag: cbasn1.UTF8String, Value: []byte(text)}
	return kind + valueKey(a), rest, ok
}

// nextValue takes a value off the front of s, up to a separator that is
// neither escaped nor quoted. The quotes are left out.
func nextValue(s string) (value, rest string, ok bool) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			b.WriteByte(c)
			i++
			b.WriteByte(s[i])
		case c == '"':
			quoted = !quoted
		case quoted && strings.IndexByte(`,;+#`, c) >= 0: // plain text between quotes
			b.WriteByte('\\')
			b.WriteByte(c)
		case strings.IndexByte(",;+", c) >= 0:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", !quoted
}

// unescape undoes the escapes of RFC 4514 section 2.4.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) {
			return "", false
		}
		if i+2 < len(s) {
			if two, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.WriteByte(two[0])
				i += 2
				continue
			}
		}
		i++
		b.WriteByte(s[i])
	}
	return b.String(), true
}
