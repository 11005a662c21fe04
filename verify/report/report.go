// Package report writes a verdict of package verify for people and for other
// programs: as a page (HTML) and in the exchange format of ETSI TS 119 102-2
// (ETSI). The JSON form needs no package: it is what encoding/json makes of a
// verify.Report.
//
// Start with HTML; PDFPages draws the pages that signature fields stand on.
//
// A page is one file: no script, nothing fetched, so that it can be kept with
// the document it is about. Everything in it that came from the file is
// escaped, and what could turn the direction of writing is taken out.
//
// Out of scope: judging, and the short text of `eid verify`.
//
// References: ETSI EN 319 102-1 (indications), ETSI TS 119 102-2 V1.2.1
// (exchange format).
package report

import (
	"strings"
	"unicode"
)

// Languages are those that reports are written in.
var Languages = []string{"en", "nl", "fr", "de"}

// language returns the first two letters of a tag if a report can be written
// in it, else "en".
func language(tag string) string {
	for _, l := range Languages {
		if len(tag) >= 2 && strings.EqualFold(tag[:2], l) {
			return l
		}
	}
	return "en"
}

// maxText is the length, in runes, at which words from a file are cut.
const maxText = 300

// clean takes out of outside text what a reader cannot see: control
// characters and those that turn the direction of writing.
func clean(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > maxText || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}
