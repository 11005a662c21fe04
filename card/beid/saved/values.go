package saved

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// sexWord is the sex in the words of the viewer's XML and of JSON; "" if unknown.
func sexWord(s beidfile.Sex) string {
	switch s {
	case beidfile.Male:
		return "male"
	case beidfile.Female:
		return "female"
	}
	return ""
}

// protectionForXML gives the schema's YYYYMMDDCC for the card's DD.MM.YYYY-CC; "" for anything else.
func protectionForXML(s string) string {
	if len(s) != 13 || s[2] != '.' || s[5] != '.' || s[10] != '-' || !isCountry(s[11:]) {
		return ""
	}
	day := s[6:10] + s[3:5] + s[:2]
	return onlyIf(allDigits(day), day+s[11:])
}

func isCountry(s string) bool {
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// vatForXML gives the schema's ten digits for the card's xxxx.xxx.xxx; "" for anything else.
func vatForXML(s string) string {
	s = strings.ReplaceAll(s, ".", "")
	return onlyIf(len(s) == 10 && allDigits(s), s)
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func onlyIf(ok bool, s string) string {
	if !ok {
		return ""
	}
	return s
}

// hexByte is a byte in hexadecimal; "" for 0.
func hexByte(b byte) string { return onlyIf(b != 0, fmt.Sprintf("%02X", b)) }

// formVersion is a form's version as its file states it; "" for what is too long to be one.
func formVersion(s string) string { return onlyIf(len(s) <= 8, cleanText(s)) }

// statusOrNone is the special status, with the code for none where the card has nothing: the same by the card's own rules.
func statusOrNone(s beidfile.SpecialStatus) beidfile.SpecialStatus {
	if s == "" {
		return "0"
	}
	return s
}

// cleanText replaces control and bidirectional characters, with which text from a file could deceive whoever looks at it.
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, s)
}
