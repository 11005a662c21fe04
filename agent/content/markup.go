package content

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxScan is how much of a file is looked through. What stands behind is Unchecked.
const maxScan = 256 << 20

// A file is looked through piece by piece. Of the text that was made of one, the
// end is looked at again with the next, so that nothing is cut in two.
const (
	window    = 256 << 10
	tailSize  = 4 << 10
	lookahead = 512 // of what is looked for, at most
	maxHeld   = 64 << 10
	maxName   = 64 // of an element or attribute, prefix included
	maxGap    = 64 // between the letters of what is looked for
)

// elements tell by their names, prefixes of namespaces left out.
var elements = map[string]Active{"script": Script, "handler": Script, "foreignobject": Frames, "iframe": Frames, "frame": Frames, "object": Frames,
	"embed": Frames, "applet": Frames, "portal": Frames, "animate": Animation, "animatemotion": Animation, "animatetransform": Animation,
	"animatecolor": Animation, "set": Animation, "discard": Animation, "marquee": Animation, "blink": Animation, "form": Submit, "video": Media,
	"audio": Media, "bgsound": Media, "!entity": Entities, "?xml-stylesheet": Stylesheet}

// linking are the elements that show what their href names, or look for it there.
var linking = []string{"image", "use", "feimage", "link", "include", "base", "lineargradient", "radialgradient", "pattern", "textpath", "tref", "filter",
	"mpath", "cursor", "font-face-uri", "color-profile", "altglyph"}

// pages begin like this, in text that fold made.
var pages = []string{"html", "head", "body", "script", "title", "meta", "iframe", "h1", "p", "div", "table", "br"}

// alphabets are those in which ASCII letters can be something else: what reads them sees other markup than we do.
var alphabets = regexp.MustCompile(`^ ?= ?["']? ?(x-)?(unicode-1-1-)?(utf-?7|utf-?32|iso-2022|csiso2022|hz-gb|ebcdic|cp037|cp500|cp1047|ibm)`)

// markup looks through text piece by piece. The zero value with a map is ready.
type markup struct {
	found map[Active]bool

	held  []byte // the end of the file so far, in which a reference may be cut
	tail  []byte // the end of the text so far
	in    bool   // tail is in a linking element as a whole
	quote byte   // and ends within quotes; 0: outside

	signatures []string // elements that are parts of a signature, as "<ds:object"
}

// signaturePrefixes are those by which signatures in XML are written.
var signaturePrefixes = []string{"ds", "dsig"}

// piece takes the next piece of the file. final: none follows.
func (m *markup) piece(raw []byte, final bool) {
	raw = append(m.held, bytes.ReplaceAll(raw, []byte{0}, nil)...)
	cut := len(raw)
	if !final {
		if cut = beforeReference(raw); len(raw)-cut > maxHeld {
			m.found[Unchecked], cut = true, len(raw)
		}
	}
	m.held = bytes.Clone(raw[cut:])
	text := append(m.tail, fold(raw[:cut])...)
	if bytes.IndexByte(text, 0x1B) >= 0 || strangeAlphabet(text, "charset") || strangeAlphabet(text, "encoding") {
		m.found[Unchecked] = true
	}
	for _, p := range signaturePrefixes {
		if !slices.Contains(m.signatures, "<"+p+":object>") && bytes.Contains(text, []byte("xmlns:"+p+`="http://www.w3.org/2000/09/xmldsig#"`)) {
			m.signatures = append(m.signatures, "<"+p+":object ", "<"+p+":object>")
		}
	}
	m.look(text, len(m.tail), final)
	m.tail = bytes.Clone(text[max(0, len(text)-tailSize):])
}

// strangeAlphabet tells whether text says by that word that it is in one of alphabets.
func strangeAlphabet(text []byte, word string) bool {
	for {
		i := bytes.Index(text, []byte(word))
		if i < 0 {
			return false
		}
		text = text[i+len(word):]
		if alphabets.Match(text[:min(len(text), maxName)]) {
			return true
		}
	}
}

// beforeReference is where a reference or an escape begins that may go on behind the end; else the end.
func beforeReference(b []byte) int {
	i := len(b)
	for i > 0 && (b[i-1] == '#' || '0' <= b[i-1] && b[i-1] <= '9' || 'A' <= b[i-1] && b[i-1] <= 'Z' || 'a' <= b[i-1] && b[i-1] <= 'z') {
		i--
	}
	if i > 0 && (b[i-1] == '&' || b[i-1] == '\\') {
		return i - 1
	}
	return len(b)
}

// look looks through text that fold made, of which the first bytes have been looked at before.
func (m *markup) look(text []byte, before int, final bool) {
	found, end := m.found, len(text)
	if !final {
		end = max(0, end-lookahead) // what is behind comes again
	}
	began, linked := -1, 0 // the linking element that is open, and where it ends
	if m.in {
		linked = m.close(text, before)
	}
	for at := 0; ; at++ {
		next := bytes.IndexAny(text[at:], "<=:(@")
		if next < 0 || at+next >= end {
			break
		}
		switch at += next; text[at] {
		case '<':
			if slices.ContainsFunc(m.signatures, func(s string) bool { return bytes.HasPrefix(text[at:], []byte(s)) }) {
				continue // of XML-DSig, not of HTML
			}
			name := lookElement(text[at+1:], found)
			if at >= linked && slices.Contains(linking, name) {
				m.quote = 0
				began, linked = at, m.close(text, at)
			}
		case '=':
			lookAttribute(text[:at], text[at+1:], at < linked, found)
		case ':':
			if squeezed := squeeze(text[max(0, at-maxGap):at]); bytes.HasSuffix(squeezed, []byte("javascript")) || bytes.HasSuffix(squeezed, []byte("vbscript")) {
				found[Script] = true
			}
		case '(':
			if (bytes.HasSuffix(text[:at], []byte("url")) || bytes.HasSuffix(text[:at], []byte("image-set"))) && outside(value(text[at+1:])) {
				found[External] = true
			}
		case '@':
			if bytes.HasPrefix(text[at:], []byte("@import")) {
				found[External] = true
			}
		}
	}
	m.in = linked > len(text) && began < len(text)-tailSize
}

// close is where the element ends in which text is at from, and behind the text
// if it does not.
func (m *markup) close(text []byte, from int) int {
	for i, c := range text[from:] {
		switch {
		case m.quote == 0 && c == '>':
			return from + i
		case m.quote == 0 && (c == '"' || c == '\''):
			m.quote = c
		case c == m.quote:
			m.quote = 0
		}
	}
	return len(text) + 1
}

// lookElement looks at what stands behind a <, and returns the element's name.
func lookElement(after []byte, found map[Active]bool) string {
	name := elementName(after)
	if a, ok := elements[name]; ok {
		found[a] = true
	}
	if name == "!doctype" && definedElsewhere(after) {
		found[Entities] = true
	}
	return name
}

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// definedElsewhere tells whether a DOCTYPE names a file of definitions that is none of the known ones.
func definedElsewhere(after []byte) bool {
	after = after[:min(len(after), lookahead)]
	if end := bytes.IndexAny(after, ">["); end >= 0 {
		after = after[:end]
	}
	names := quoted.FindAll(after, 2)
	if len(names) == 0 {
		return false
	}
	last := names[len(names)-1]
	last = last[1 : len(last)-1]
	return !slices.ContainsFunc([]string{"http://www.w3.org/", "https://www.w3.org/", "about:legacy-compat", "-//w3c//", "-//ietf//"},
		func(known string) bool { return bytes.HasPrefix(last, []byte(known)) })
}

// elementName is the name of an element without prefix.
func elementName(after []byte) string {
	after = bytes.TrimLeft(after[:min(len(after), maxName+maxGap)], " \t\r\n")
	end := bytes.IndexAny(after, " \t\r\n\f/>")
	if end < 0 {
		end = len(after)
	}
	name := string(after[:min(end, maxName)])
	return name[strings.LastIndexByte(name, ':')+1:]
}

// lookAttribute looks at an attribute by what stands before and behind its =.
// linked: the element shows what its href names.
func lookAttribute(before, after []byte, linked bool, found map[Active]bool) {
	before = bytes.TrimRight(before[max(0, len(before)-maxName-maxGap):], " \t\r\n\f")
	start := bytes.LastIndexAny(before, " \t\r\n\f\"'/<")
	if start < 0 {
		return
	}
	name := string(before[start+1:])
	v := value(after)
	switch name = name[strings.LastIndexByte(name, ':')+1:]; {
	case len(name) > 4 && strings.HasPrefix(name, "on") && !strings.ContainsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' }):
		found[Script] = true
	case name == "http-equiv" && bytes.HasPrefix(v, []byte("refresh")):
		found[Submit] = true
	case slices.Contains([]string{"src", "srcset", "poster", "background", "base"}, name) && outside(v),
		name == "href" && linked && outside(v):
		found[External] = true
	}
	if slices.Contains([]string{"src", "srcset", "href", "data"}, name) {
		for _, begin := range []string{"data:text/html", "data:text/xml", "data:image/svg", "data:application/"} {
			if bytes.HasPrefix(v, []byte(begin)) {
				found[Embedded] = true
			}
		}
	}
	if bytes.HasPrefix(v, []byte("http://www.w3.org/1999/xsl/transform")) {
		found[Stylesheet] = true
	}
}

// value is the beginning of a value, without quotes and white space; empty for
// one that is empty.
func value(after []byte) []byte {
	after = squeeze(after[:min(len(after), 2*maxGap)])
	if len(after) > 0 && (after[0] == '"' || after[0] == '\'') {
		v, _, _ := bytes.Cut(after[1:], after[:1])
		return v
	}
	if len(after) > 0 && (after[0] == '>' || after[0] == ')') {
		return nil
	}
	return after
}

// outside tells whether an address is not of the document itself, be it beside it.
func outside(v []byte) bool {
	return len(v) > 0 && v[0] != '#' && !bytes.HasPrefix(v, []byte("data:")) && !bytes.HasPrefix(v, []byte("about:"))
}

// squeeze leaves out white space and control characters, as browsers do in addresses.
func squeeze(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, b)
}

// scan has a function look through a file, piece by piece, at last with final.
func scan(r io.ReaderAt, size, limit int64, look func(piece []byte, final bool), found map[Active]bool) error {
	if size > limit {
		found[Unchecked], size = true, limit
	}
	buffer := make([]byte, min(window, size))
	for at := int64(0); at < size; at += window {
		b := buffer[:min(window, size-at)]
		if n, err := r.ReadAt(b, at); err != nil && !(err == io.EOF && n == len(b)) {
			return err
		}
		look(b, at+window >= size)
	}
	return nil
}

var (
	// reference is a character named by its number, or by those names that hide
	// what is looked for, in XML and HTML.
	reference = regexp.MustCompile(`&(#x[0-9a-f]+|#[0-9]+|tab|newline|colon|sol|bsol|lpar|commat);?`)
	// escape is a character as style sheets may write it (CSS Syntax, section 4.3.7).
	escape = regexp.MustCompile(`\\([0-9a-f]{1,6}[ \t\r\n\f]?|[g-z])`)

	names = map[string]string{"tab": " ", "newline": " ", "colon": ":", "sol": "/", "bsol": `\`, "lpar": "(", "commat": "@"}
)

// fold brings markup into one form: small letters, no zero bytes (so that
// UTF-16 and UTF-32 read like ASCII), letters, white space and the signs in
// addresses that are written in another way as themselves, and no white space
// beside white space.
func fold(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte{0}, nil)
	for i, c := range b { // of ASCII alone: ReplaceAll made a copy
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	if bytes.IndexByte(b, '&') >= 0 {
		b = reference.ReplaceAllFunc(b, func(ref []byte) []byte {
			inside := bytes.TrimRight(ref[1:], ";")
			if c, ok := names[string(inside)]; ok {
				return []byte(c)
			}
			digits, base := inside[1:], 10
			if digits[0] == 'x' {
				digits, base = digits[1:], 16
			}
			return plainly(ref, digits, base)
		})
	}
	if bytes.IndexByte(b, '\\') >= 0 {
		b = escape.ReplaceAllFunc(b, func(e []byte) []byte {
			if e[1] >= 'g' {
				return e[1:]
			}
			return plainly(e, bytes.TrimSpace(e[1:]), 16)
		})
	}
	kept, space := b[:0], false
	for _, c := range b {
		again := space
		if space = c == ' ' || '\t' <= c && c <= '\r' && c != '\v'; !space || !again {
			kept = append(kept, c)
		}
	}
	return kept
}

// plainly is the character of that number, if it is one of those that are looked
// for, and else what stands for it.
func plainly(written, digits []byte, base int) []byte {
	n, err := strconv.ParseUint(string(digits), base, 32)
	switch c := byte(n); {
	case err != nil || n > 'z':
		return written
	case 'A' <= c && c <= 'Z':
		return []byte{c + 'a' - 'A'}
	case 'a' <= c && c <= 'z', strings.IndexByte("\t\n\r :/\\(@-", c) >= 0:
		return []byte{c}
	}
	return written
}

// isPage tells whether text that fold made begins like HTML, behind marks, declarations and comments.
func isPage(text []byte) bool {
	for {
		text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n\f")
		skip := ""
		switch {
		case bytes.HasPrefix(text, []byte("<!--")):
			skip = "-->"
		case bytes.HasPrefix(text, []byte("<?xml")):
			skip = ">"
		case bytes.HasPrefix(text, []byte("<!doctype")):
			return bytes.HasPrefix(squeeze(text), []byte("<!doctypehtml"))
		default:
			return len(text) > 1 && text[0] == '<' && slices.Contains(pages, elementName(text[1:]))
		}
		i := bytes.Index(text, []byte(skip))
		if i < 0 {
			return false
		}
		text = text[i+len(skip):]
	}
}

// isSVG tells whether an element svg is near the beginning.
func isSVG(text []byte) bool {
	for i, c := range text {
		if c == '<' && elementName(text[i+1:]) == "svg" {
			return true
		}
	}
	return false
}
