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

// A file is looked through in windows; nothing that is looked for is longer than what two of them share.
const (
	window  = 256 << 10
	overlap = 8 << 10
	maxName = 64  // of an element or attribute, prefix included
	maxGap  = 64  // white space within what is looked for
	maxTag  = 900 // of an element whose attributes are looked at
)

// elements tell by their names, prefixes of namespaces left out.
var elements = map[string]Active{"script": Script, "foreignobject": Frames, "iframe": Frames, "frame": Frames, "object": Frames, "embed": Frames,
	"applet": Frames, "portal": Frames, "animate": Animation, "animatemotion": Animation, "animatetransform": Animation, "animatecolor": Animation,
	"set": Animation, "marquee": Animation, "blink": Animation, "form": Submit, "!entity": Entities, "?xml-stylesheet": Stylesheet}

// linking are the elements that show what their href names.
var linking = []string{"image", "use", "feimage", "link", "include"}

// pages begin like this, in text that fold made.
var pages = []string{"html", "head", "body", "script", "title", "meta", "iframe", "h1", "p", "div", "table", "br"}

// lookMarkup looks through text that fold made.
func lookMarkup(text []byte, found map[Active]bool) {
	for at := 0; ; at++ {
		next := bytes.IndexAny(text[at:], "<=:(@")
		if next < 0 {
			return
		}
		switch at += next; text[at] {
		case '<':
			lookElement(text[at+1:], found)
		case '=':
			lookAttribute(text[:at], text[at+1:], found)
		case ':':
			if squeezed := squeeze(text[max(0, at-maxGap):at]); bytes.HasSuffix(squeezed, []byte("javascript")) || bytes.HasSuffix(squeezed, []byte("vbscript")) {
				found[Script] = true
			}
		case '(':
			if bytes.HasSuffix(text[:at], []byte("url")) && elsewhere(value(text[at+1:])) {
				found[External] = true
			}
		case '@':
			if bytes.HasPrefix(text[at:], []byte("@import")) {
				found[External] = true
			}
		}
	}
}

// lookElement looks at what stands behind a <.
func lookElement(after []byte, found map[Active]bool) {
	name := elementName(after)
	if a, ok := elements[name]; ok {
		found[a] = true
	}
	if !slices.Contains(linking, name) {
		return
	}
	tag := after[:min(len(after), maxTag)]
	if end := bytes.IndexByte(tag, '>'); end >= 0 {
		tag = tag[:end]
	}
	if i := bytes.Index(tag, []byte("href")); i >= 0 {
		rest := bytes.TrimLeft(tag[i+4:], " \t\r\n")
		if v := value(bytes.TrimPrefix(rest, []byte("="))); len(v) > 0 && v[0] != '#' && !bytes.HasPrefix(v, []byte("data:image/")) {
			found[External] = true
		}
	}
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
func lookAttribute(before, after []byte, found map[Active]bool) {
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
	case (name == "src" || name == "srcset") && elsewhere(v):
		found[External] = true
	case name == "src" || name == "href" || name == "data":
		for _, begin := range []string{"data:text/html", "data:image/svg", "data:application/"} {
			if bytes.HasPrefix(v, []byte(begin)) {
				found[Embedded] = true
			}
		}
	}
	if bytes.HasPrefix(v, []byte("http://www.w3.org/1999/xsl/transform")) {
		found[Stylesheet] = true
	}
}

// value is the beginning of a value, without quotes and white space.
func value(after []byte) []byte {
	after = squeeze(after[:min(len(after), 2*maxGap)])
	return bytes.TrimLeft(after, `"'`)
}

// elsewhere tells whether an address is not in the document.
func elsewhere(v []byte) bool {
	for _, scheme := range []string{"https:", "http:", "ftp:", "file:"} {
		v = bytes.TrimPrefix(v, []byte(scheme))
	}
	return bytes.HasPrefix(v, []byte("//")) || bytes.HasPrefix(v, []byte(`\\`))
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

// macros are the names that files with programs have in office packages; directories have them in clear.
var macros = []string{"vbaproject.bin", "basic/script-lc.xml", "basic/standard/", "scripts/python/", "scripts/javascript/", "scripts/beanshell/"}

func lookPackage(text []byte, found map[Active]bool) {
	for _, name := range macros {
		if bytes.Contains(text, []byte(name)) {
			found[Macros] = true
		}
	}
}

// scan has a function look through a file.
func scan(r io.ReaderAt, size, limit int64, look func(text []byte, found map[Active]bool), found map[Active]bool) error {
	if size > limit {
		found[Unchecked], size = true, limit
	}
	buffer := make([]byte, min(window, size))
	for at := int64(0); at < size; at += window - overlap {
		b := buffer[:min(window, size-at)]
		if n, err := r.ReadAt(b, at); err != nil && !(err == io.EOF && n == len(b)) {
			return err
		}
		look(fold(b), found)
		if at+window >= size {
			break
		}
	}
	return nil
}

// reference is a character named by its number, in XML and HTML.
var reference = regexp.MustCompile(`&#(x[0-9a-f]+|[0-9]+);?`)

// fold brings markup into one form: small letters, no zero bytes (so that
// UTF-16 and UTF-32 read like ASCII), and letters and white space that are
// written by their numbers as themselves.
func fold(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte{0}, nil)
	for i, c := range b { // of ASCII alone: ReplaceAll made a copy
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	if !bytes.Contains(b, []byte("&#")) {
		return b
	}
	return reference.ReplaceAllFunc(b, func(ref []byte) []byte {
		digits, base := bytes.TrimRight(ref[2:], ";"), 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		n, err := strconv.ParseUint(string(digits), base, 32)
		switch c := byte(n); {
		case err != nil || n > 'z':
			return ref
		case 'A' <= c && c <= 'Z':
			return []byte{c + 'a' - 'A'}
		case 'a' <= c && c <= 'z', c == ':', c == '\t', c == '\n', c == '\r', c == ' ':
			return []byte{c}
		}
		return ref
	})
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
