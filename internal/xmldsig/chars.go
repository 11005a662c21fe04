package xmldsig

import (
	"strings"
	"unicode/utf8"
)

// Classes of ASCII characters in names.
const (
	nameStart = 1 << iota
	namePart
)

var asciiName = func() (table [128]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = nameStart|namePart, nameStart|namePart
	}
	table['_'], table[':'] = nameStart|namePart, nameStart|namePart
	for c := '0'; c <= '9'; c++ {
		table[c] = namePart
	}
	table['-'], table['.'] = namePart, namePart
	return table
}()

// isNameStart and isNamePart are productions 4 and 4a of XML 1.0.
func isNameStart(r rune) bool {
	if r < 128 {
		return asciiName[r]&nameStart != 0
	}
	return r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7 || r >= 0x370 && r <= 0x1FFF && r != 0x37E ||
		r == 0x200C || r == 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF ||
		r >= 0x3001 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

func isNamePart(r rune) bool {
	if r < 128 {
		return asciiName[r]&namePart != 0
	}
	return isNameStart(r) || r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

// nameLength is the length of the Name at the beginning of s, 0 for none.
func nameLength(s string) int {
	i := 0
	for i < len(s) {
		if c := s[i]; c < 128 {
			want := uint8(namePart)
			if i == 0 {
				want = nameStart
			}
			if asciiName[c]&want == 0 {
				break
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if i == 0 && !isNameStart(r) || !isNamePart(r) {
			break
		}
		i += size
	}
	return i
}

// isNCName tells whether s is a name without colon.
func isNCName(s string) bool {
	return s != "" && nameLength(s) == len(s) && strings.IndexByte(s, ':') < 0
}

// isChar is production 2 of XML 1.0.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// badChar is the place of the first character in well-formed UTF-8 that XML does not allow, -1 for none.
func badChar(s string) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r':
			return i
		case c == 0xEF && i+2 < len(s) && s[i+1] == 0xBF && s[i+2] >= 0xBE: // U+FFFE and U+FFFF
			return i
		}
	}
	return -1
}

// InvalidAt is the place of the first byte of s that is no well-formed UTF-8 or no character of XML, -1 for none.
func InvalidAt(s string) int {
	if !utf8.ValidString(s) {
		for i, r := range s {
			if r == utf8.RuneError {
				return i
			}
		}
	}
	return badChar(s)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// spaces is the length of the white space at the beginning of s.
func spaces(s string) int {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

// lineEnds makes every line end a line feed. XML 1.0, 2.11.
func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
