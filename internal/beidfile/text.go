package beidfile

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a value as text, without the blanks and zeros it is padded with on the right, cleaned with a warning if need be.
func (f *fieldSet) text(tag byte) string {
	s, isUTF8, isClean := cleanText(f.values[tag])
	if !isUTF8 {
		f.warn(tag, "is not UTF-8; read as ISO 8859-1")
	}
	if !isClean {
		f.warn(tag, "has control characters; they were replaced")
	}
	return s
}

// cleanText makes text of card bytes. Text is UTF-8 on the card; what is not is taken for ISO 8859-1. Control and bidirectional
// characters, which no card has reason to hold and which could deceive whoever looks at the output, become U+FFFD.
func cleanText(value []byte) (s string, isUTF8, isClean bool) {
	s = string(value)
	isUTF8 = utf8.Valid(value)
	if !isUTF8 {
		s = latin1(value)
	}
	s = strings.TrimRight(s, " \x00")
	clean := strings.Map(visible, s)
	return clean, isUTF8, clean == s
}

// code is a value that is a number or code: text without surrounding blanks.
func (f *fieldSet) code(tag byte) string { return strings.TrimSpace(f.text(tag)) }

// day is a value of the form DD.MM.YYYY; the zero Date if empty or, with a warning, if it is anything else.
func (f *fieldSet) day(tag byte) Date {
	s := f.code(tag)
	if s == "" {
		return Date{}
	}
	d, ok := parseDay(s)
	if !ok {
		f.warn(tag, "is not a date DD.MM.YYYY")
	}
	return d
}

func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
		return utf8.RuneError
	}
	return r
}
