package xmldsig

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads a document: UTF-8, UTF-16, US-ASCII and the usual encodings of one byte a character, by byte order mark or declaration.
// A document with a DOCTYPE, with an entity other than those of XML itself, not well formed or not namespace-well-formed is refused, and
// so is one beyond the limits: the error wraps ades.ErrRefused.
func Parse(data []byte, limits Limits) (*Document, error) {
	return parse(data, limits, false)
}

// ParseContent is Parse for a document that is only hashed, such as the parts of an office file: a DOCTYPE without internal subset, which
// defines nothing that could be known here, is passed over.
func ParseContent(data []byte, limits Limits) (*Document, error) {
	return parse(data, limits, true)
}

func parse(data []byte, limits Limits, doctype bool) (*Document, error) {
	limits = limits.withDefaults()
	if int64(len(data)) > limits.Bytes {
		return nil, refusedf("%d bytes, at most %d", len(data), limits.Bytes)
	}
	text, encoding, layout, err := decode(data)
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > maxBytes {
		return nil, refusedf("%d bytes as UTF-8", len(text))
	}
	if at := badChar(text); at >= 0 {
		return nil, refusedf("a character that XML does not allow at byte %d", layout.raw(text, at))
	}
	d := &Document{Encoding: encoding, text: text, layout: layout}
	p := &parser{doc: d, text: text, limits: limits, names: map[rawName]*qname{}, scope: newScope(), doctype: doctype}
	d.node = p.add(nil, Node{kind: DocumentNode, end: uint32(len(text))})
	if err := p.document(); err != nil {
		return nil, err
	}
	d.nodes = p.count
	d.indexIDs()
	return d, nil
}

// parser holds the state of reading one document.
type parser struct {
	doc     *Document
	text    string
	pos     int
	limits  Limits
	doctype bool
	count   int
	chunk   []Node // nodes are made in chunks, for speed
	stack   []frame
	scope   *scope
	names   map[rawName]*qname
	pending pendingText
	raw     []rawAttr // of the tag being read
}

// frame is an open element.
type frame struct {
	node, last *Node // last child
	tag        string
	undo       int // of the scope
}

// rawName is a name as written, with the namespace it has where it stands.
type rawName struct{ raw, space string }

// pendingText collects character data until markup other than CDATA comes.
type pendingText struct {
	start, end int
	value      string
	more       strings.Builder
	any        bool
}

// failf is an error with the place.
func (p *parser) failf(format string, args ...any) error {
	line := 1 + strings.Count(p.text[:min(p.pos, len(p.text))], "\n")
	return refusedf("line %d: "+format, append([]any{line}, args...)...)
}

// charge counts what takes memory.
func (p *parser) charge(n int) error {
	if p.count += n; p.count > p.limits.Nodes {
		return p.failf("more than %d nodes", p.limits.Nodes)
	}
	return nil
}

// add makes n a node behind the last child of the innermost open element.
func (p *parser) add(parent *frame, n Node) *Node {
	if len(p.chunk) == 0 {
		p.chunk = make([]Node, min(512, 16+p.count))
	}
	node := &p.chunk[0]
	p.chunk = p.chunk[1:]
	*node = n
	node.order = uint32(p.count)
	p.count++
	if parent != nil {
		node.parent = parent.node
		if parent.last == nil {
			parent.node.first = node
		} else {
			parent.last.next = node
		}
		parent.last = node
	}
	return node
}

func (p *parser) rest() string            { return p.text[p.pos:] }
func (p *parser) looksAt(s string) bool   { return strings.HasPrefix(p.text[p.pos:], s) }
func (p *parser) top() *frame             { return &p.stack[len(p.stack)-1] }
func (p *parser) skipSpaces() (found int) { found = spaces(p.rest()); p.pos += found; return found }

// document is production 1: prolog, element, Misc*.
func (p *parser) document() error {
	p.stack = append(p.stack, frame{node: p.doc.node})
	if p.looksAt("<?xml") && len(p.text) > 5 && isSpace(p.text[5]) {
		if err := p.declaration(); err != nil {
			return err
		}
	}
	for p.pos < len(p.text) || len(p.stack) > 1 {
		if err := p.step(); err != nil {
			return err
		}
	}
	if p.doc.root == nil {
		return p.failf("no element")
	}
	return nil
}

// step reads one piece: character data, a tag, a comment, a CDATA section or a processing instruction.
func (p *parser) step() error {
	if p.pos == len(p.text) {
		return p.failf("the document ends within element %.60q", p.top().tag)
	}
	if p.text[p.pos] != '<' {
		return p.characters()
	}
	if p.looksAt("<![CDATA[") {
		return p.cdata()
	}
	if err := p.flush(); err != nil {
		return err
	}
	switch {
	case p.looksAt("</"):
		return p.endTag()
	case p.looksAt("<!--"):
		return p.comment()
	case p.looksAt("<?"):
		return p.instruction()
	case p.looksAt("<!DOCTYPE"):
		return p.docType()
	}
	return p.startTag()
}

func (p *parser) characters() error {
	end := strings.IndexByte(p.rest(), '<')
	if end < 0 {
		end = len(p.rest())
	}
	raw := p.text[p.pos : p.pos+end]
	if len(p.stack) == 1 {
		if spaces(raw) != len(raw) {
			return p.failf("text outside the document element")
		}
		p.pos += end
		return nil
	}
	if strings.Contains(raw, "]]>") {
		return p.failf("]]> in text")
	}
	value, err := p.expand(raw, false)
	if err != nil {
		return err
	}
	p.collect(value, p.pos, p.pos+end)
	p.pos += end
	return nil
}

func (p *parser) cdata() error {
	const open = "<![CDATA["
	end := strings.Index(p.rest(), "]]>")
	if end < 0 || len(p.stack) == 1 {
		return p.failf("a CDATA section that does not end or stands outside the document element")
	}
	p.collect(lineEnds(p.text[p.pos+len(open):p.pos+end]), p.pos, p.pos+end+3)
	p.pos += end + 3
	return nil
}

func (p *parser) collect(value string, start, end int) {
	t := &p.pending
	t.end = end
	switch {
	case !t.any:
		t.any, t.start, t.value = true, start, value
		return
	case t.more.Len() == 0:
		t.more.WriteString(t.value)
	}
	t.more.WriteString(value)
}

// flush makes the collected character data a text node.
func (p *parser) flush() error {
	t := &p.pending
	if !t.any {
		return nil
	}
	value := t.value
	if t.more.Len() > 0 {
		value = t.more.String()
	}
	if value != "" {
		if err := p.charge(0); err != nil {
			return err
		}
		p.add(p.top(), Node{kind: TextNode, value: value, start: uint32(t.start), end: uint32(t.end)})
	}
	*t = pendingText{}
	return nil
}

func (p *parser) comment() error {
	start := p.pos
	end := strings.Index(p.text[start+4:], "--")
	if end < 0 || !strings.HasPrefix(p.text[start+4+end:], "-->") {
		return p.failf("a comment with -- in it, or without end")
	}
	p.pos = start + 4 + end + 3
	p.add(p.top(), Node{kind: CommentNode, value: lineEnds(p.text[start+4 : start+4+end]), start: uint32(start), end: uint32(p.pos)})
	return p.charge(0)
}

func (p *parser) instruction() error {
	start := p.pos
	length := strings.Index(p.text[start+2:], "?>")
	if length < 0 {
		return p.failf("a processing instruction without end")
	}
	body := p.text[start+2 : start+2+length]
	n := nameLength(body)
	target, data := body[:n], body[n:]
	if !isNCName(target) || strings.EqualFold(target, "xml") || data != "" && !isSpace(data[0]) {
		return p.failf("processing instruction %.40q", target)
	}
	p.pos = start + 2 + length + 2
	name, err := p.intern(target, "", target, "")
	if err != nil {
		return err
	}
	p.add(p.top(), Node{kind: PINode, name: name, value: lineEnds(data[spaces(data):]), start: uint32(start), end: uint32(p.pos)})
	return p.charge(0)
}

// docType refuses, or passes over a DOCTYPE without internal subset.
func (p *parser) docType() error {
	end := strings.IndexByte(p.rest(), '>')
	if !p.doctype || p.doc.root != nil || end < 0 || strings.ContainsAny(p.rest()[1:end], "[<") {
		return fmt.Errorf("%w: %w", p.failf("a DOCTYPE"), ErrDOCTYPE)
	}
	p.doctype = false // one only
	p.pos += end + 1
	return nil
}

// expand gives the value of literal character data or of an attribute: line ends, references, and for attributes white space. XML 1.0,
// 2.11, 3.3.3 and 4.6.
func (p *parser) expand(raw string, attribute bool) (string, error) {
	plain := true
	for i := range len(raw) {
		c := raw[i]
		plain = plain && c != '&' && c != '\r' && !(attribute && (c == '\n' || c == '\t'))
	}
	if plain {
		return raw, nil
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&':
			r, size := reference(raw[i:])
			if size == 0 {
				return "", p.failf("%.20q is no character reference and none of the five entities of XML", raw[i:])
			}
			b.WriteRune(r)
			i += size
			continue
		case c == '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			c = '\n'
			if attribute {
				c = ' '
			}
			b.WriteByte(c)
		case attribute && isSpace(c):
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
		i++
	}
	return b.String(), nil
}

var entities = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "apos": '\'', "quot": '"'}

// maxReference is the length of a reference with leading zeros; no document needs as many.
const maxReference = 32

// reference reads the reference at the beginning of s; size 0 if it is none.
func reference(s string) (r rune, size int) {
	s = s[:min(len(s), maxReference)]
	end := strings.IndexByte(s, ';')
	if end < 2 {
		return 0, 0
	}
	name := s[1:end]
	if name[0] != '#' {
		r, ok := entities[name]
		if !ok {
			return 0, 0
		}
		return r, end + 1
	}
	digits, base := name[1:], 10
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil || v > utf8.MaxRune || !isChar(rune(v)) || digits[0] == '+' {
		return 0, 0
	}
	return rune(v), end + 1
}
