package pinentry

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on text from outside.
const (
	maxAbout      = 8   // lines
	maxAboutRunes = 100 // of each
	maxMarks      = 3   // combining marks in a row
)

// maxText is what a text may take, escaped, in an Assuan line: the longest command name and a space are SETREPEATERROR's.
const maxText = maxLine - 15

// Clean makes text from outside harmless for a dialog: one line of at most max characters, shortened in its middle; no control,
// bidirectional, invisible, private or unassigned characters, no heaps of accents, nothing that a toolkit could take for markup.
func Clean(s string, max int) string {
	var b strings.Builder
	marks := 0
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case marks > maxMarks:
		case unicode.IsSpace(r): // line ends among them; before IsGraphic, which knows no tabs
			b.WriteByte(' ')
		case !unicode.IsGraphic(r) || invisible(r):
		case r == '<': // Qt may take text with tags for HTML
			b.WriteRune('‹')
		case r == '>':
			b.WriteRune('›')
		default:
			b.WriteRune(r)
		}
	}
	return shorten(strings.Join(strings.Fields(b.String()), " "), max)
}

// invisible are graphic characters that show nothing: fillers, variation selectors, the blank Braille pattern.
func invisible(r rune) bool {
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r) || r == '\u2800'
}

// shorten takes characters out of the middle of s, for an ellipsis, so that max are left.
func shorten(s string, max int) string {
	n := utf8.RuneCountInString(s)
	if n <= max {
		return s
	}
	if max < 1 {
		return ""
	}
	runes := []rune(s)
	head := max / 2
	tail := max - 1 - head
	return string(runes[:head]) + "…" + string(runes[n-tail:])
}

// withOutside is own text with lines from outside below it, as short as a line of the protocol wants it. Own text is left whole.
func withOutside(own string, about []string) string {
	if len(about) > maxAbout {
		about = about[:maxAbout]
	}
	for runes := maxAboutRunes; runes > 0; runes /= 2 {
		text := own
		gap := "\n\n"
		for _, line := range about {
			if line = Clean(line, runes); line != "" {
				text += gap + line
				gap = "\n"
			}
		}
		if len(escape(text)) <= maxText {
			return text
		}
	}
	return own
}
