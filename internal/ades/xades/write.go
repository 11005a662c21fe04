package xades

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// writer makes the text of elements: in ASCII, anything else as character references, so that it can be put into a document of any encoding.
type writer struct {
	buf  []byte
	open []string // elements not ended yet
	err  error    // a value that XML cannot hold
}

// start begins an element; attrs are names and values in turn. An attribute without value is left out.
func (w *writer) start(name string, attrs ...string) {
	w.tag(name, attrs)
	w.buf = append(w.buf, '>')
	w.open = append(w.open, name)
}

// empty writes an element without content.
func (w *writer) empty(name string, attrs ...string) {
	w.tag(name, attrs)
	w.buf = append(w.buf, "/>"...)
}

func (w *writer) tag(name string, attrs []string) {
	w.buf = append(append(w.buf, '<'), name...)
	for i := 0; i < len(attrs); i += 2 {
		if attrs[i+1] == "" && attrs[i] != "URI" {
			continue
		}
		w.buf = append(append(append(w.buf, ' '), attrs[i]...), `="`...)
		w.text(attrs[i+1])
		w.buf = append(w.buf, '"')
	}
}

// end ends the last n elements begun.
func (w *writer) end(n int) {
	for range n {
		last := len(w.open) - 1
		w.buf = append(append(append(w.buf, "</"...), w.open[last]...), '>')
		w.open = w.open[:last]
	}
}

// leaf writes an element with text.
func (w *writer) leaf(name, text string, attrs ...string) {
	w.start(name, attrs...)
	w.text(text)
	w.end(1)
}

// optional is leaf unless the text is empty.
func (w *writer) optional(name, text string) {
	if text != "" {
		w.leaf(name, text)
	}
}

// base64 writes an element with binary content.
func (w *writer) base64(name string, data []byte, attrs ...string) {
	w.start(name, attrs...)
	w.buf = base64.StdEncoding.AppendEncode(w.buf, data)
	w.end(1)
}

// hole writes an element whose content, size bytes in base64, comes later by fill. It returns where.
func (w *writer) hole(name string, size int, attrs ...string) int {
	w.start(name, attrs...)
	at := len(w.buf)
	w.buf = base64.StdEncoding.AppendEncode(w.buf, make([]byte, size))
	w.end(1)
	return at
}

// fill puts data, as long as said before, into a hole of text.
func fill(text []byte, at int, data []byte) { base64.StdEncoding.Encode(text[at:], data) }

// text writes character data, also of attributes.
func (w *writer) text(s string) {
	if at := xmldsig.InvalidAt(s); at >= 0 && w.err == nil {
		w.err = fmt.Errorf("%w: %.60q has a character that XML does not allow", ades.ErrUnsuitable, s)
	}
	for _, r := range s {
		switch {
		case r == '<' || r == '>' || r == '&' || r == '"' || r < ' ' || r >= utf8.RuneSelf:
			w.buf = append(append(append(w.buf, "&#"...), strconv.Itoa(int(r))...), ';')
		default:
			w.buf = append(w.buf, byte(r))
		}
	}
}

// prefixes are the namespaces of what is written.
var prefixes = map[string]string{"ds": xmldsig.NamespaceDS, "xades": namespace132, "xades141": namespace141}

// declare is the attributes that declare those of the prefixes that are not in force at n, nil for none.
func declare(n *xmldsig.Node, names ...string) (attrs []string) {
	for _, prefix := range names {
		if uri, _ := n.Namespace(prefix); uri != prefixes[prefix] {
			attrs = append(attrs, "xmlns:"+prefix, prefixes[prefix])
		}
	}
	return attrs
}

// free gives an ID that no element of doc has: base, or base with a number. taken, if not nil, are others that are in use already; the ID
// is added to it.
func free(doc *xmldsig.Document, base string, taken map[string]bool) string {
	for i := 1; ; i++ {
		id := base
		if i > 1 {
			id = base + "-" + strconv.Itoa(i)
		}
		if !doc.HasID(id) && !taken[id] {
			if taken != nil {
				taken[id] = true
			}
			return id
		}
	}
}

// isNCName is enough of a check for IDs to be derived from those of others.
func isNCName(s string) bool {
	return s != "" && !strings.ContainsAny(s[:1], "0123456789-.") && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
	}) < 0
}
