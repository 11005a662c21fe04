package xmldsig

import (
	"strings"
)

// declaration is production 23, XMLDecl. The encoding was looked at before.
func (p *parser) declaration() error {
	end := strings.Index(p.text[:min(len(p.text), maxDeclaration)], "?>")
	if end < 0 {
		return p.failf("an XML declaration without end")
	}
	p.pos = len("<?xml")
	want := []string{"version", "encoding", "standalone"}
	for p.pos < end {
		if p.skipSpaces() == 0 {
			return p.failf("malformed XML declaration")
		}
		if p.pos == end {
			break
		}
		name, value, err := p.pseudoAttribute(end)
		if err != nil {
			return err
		}
		for len(want) > 0 && want[0] != name && want[0] != "version" {
			want = want[1:]
		}
		if len(want) == 0 || want[0] != name {
			return p.failf("%.20q in the XML declaration", name)
		}
		want = want[1:]
		if name == "version" && value != "1.0" || name == "standalone" && value != "yes" && value != "no" {
			return p.failf("%s %.20q", name, value)
		}
	}
	if len(want) == 3 {
		return p.failf("an XML declaration without version")
	}
	p.pos = end + len("?>")
	return nil
}

// pseudoAttribute reads name="value" before end.
func (p *parser) pseudoAttribute(end int) (name, value string, err error) {
	n := nameLength(p.text[p.pos:end])
	name = p.text[p.pos : p.pos+n]
	p.pos += n
	p.skipSpaces()
	if n == 0 || p.pos >= end || p.text[p.pos] != '=' {
		return "", "", p.failf("malformed XML declaration")
	}
	p.pos++
	p.skipSpaces()
	if p.pos >= end || p.text[p.pos] != '"' && p.text[p.pos] != '\'' {
		return "", "", p.failf("malformed XML declaration")
	}
	length := strings.IndexByte(p.text[p.pos+1:end], p.text[p.pos])
	if length < 0 {
		return "", "", p.failf("malformed XML declaration")
	}
	value = p.text[p.pos+1 : p.pos+1+length]
	p.pos += length + 2
	return name, value, nil
}

// rawAttr is an attribute before its namespace is known.
type rawAttr struct{ name, value string }

// startTag reads a start tag or an empty-element tag.
func (p *parser) startTag() error {
	start := p.pos
	if len(p.stack) == 1 && p.doc.root != nil {
		return p.failf("a second document element")
	}
	if len(p.stack) > p.limits.Depth {
		return p.failf("elements nested more than %d deep", p.limits.Depth)
	}
	n := nameLength(p.text[p.pos+1:])
	if n == 0 {
		return p.failf("< without a name behind it")
	}
	tag := p.text[p.pos+1 : p.pos+1+n]
	p.pos += 1 + n
	raw, empty, err := p.attributes()
	if err != nil {
		return err
	}
	undo := len(p.scope.undo)
	node, err := p.element(tag, raw)
	if err != nil {
		return err
	}
	node.start, node.end = uint32(start), uint32(p.pos)
	if len(p.stack) == 1 {
		p.doc.root = node
	}
	if empty {
		p.scope.pop(undo)
		return nil
	}
	p.stack = append(p.stack, frame{node: node, tag: tag, undo: undo})
	return nil
}

// attributes reads up to the end of the tag.
func (p *parser) attributes() (raw []rawAttr, empty bool, err error) {
	raw = p.raw[:0] // used up before the next tag
	defer func() { p.raw = raw }()
	for {
		space := p.skipSpaces()
		switch {
		case p.pos >= len(p.text):
			return nil, false, p.failf("the document ends within a tag")
		case p.text[p.pos] == '>':
			p.pos++
			return raw, false, nil
		case p.looksAt("/>"):
			p.pos += 2
			return raw, true, nil
		case space == 0:
			return nil, false, p.failf("malformed tag")
		}
		n := nameLength(p.rest())
		name := p.text[p.pos : p.pos+n]
		p.pos += n
		p.skipSpaces()
		if n == 0 || !p.looksAt("=") {
			return nil, false, p.failf("malformed attribute %.40q", name)
		}
		p.pos++
		p.skipSpaces()
		if !p.looksAt(`"`) && !p.looksAt("'") {
			return nil, false, p.failf("attribute %.40q without quotes", name)
		}
		length := strings.IndexByte(p.text[p.pos+1:], p.text[p.pos])
		if length < 0 {
			return nil, false, p.failf("attribute %.40q without end", name)
		}
		literal := p.text[p.pos+1 : p.pos+1+length]
		if strings.IndexByte(literal, '<') >= 0 {
			return nil, false, p.failf("< in attribute %.40q", name)
		}
		value, err := p.expand(literal, true)
		if err != nil {
			return nil, false, err
		}
		p.pos += length + 2
		if raw = append(raw, rawAttr{name, value}); len(raw) > p.limits.Attributes {
			return nil, false, p.failf("an element with more than %d attributes", p.limits.Attributes)
		}
	}
}

// element makes the node, its namespaces resolved.
func (p *parser) element(tag string, raw []rawAttr) (*Node, error) {
	var decls []binding
	for _, a := range raw {
		prefix, isDecl := strings.CutPrefix(a.name, "xmlns:")
		if a.name == "xmlns" {
			prefix, isDecl = "", true
		}
		if !isDecl {
			continue
		}
		if err := p.declare(prefix, a.value); err != nil {
			return nil, err
		}
		decls = append(decls, binding{prefix, a.value})
	}
	if err := p.charge(len(raw)); err != nil {
		return nil, err
	}
	if len(decls) > 1 {
		seen := make(map[string]bool, len(decls))
		for _, b := range decls {
			if seen[b.prefix] {
				return nil, p.failf("the namespace prefix %.40q declared twice", b.prefix)
			}
			seen[b.prefix] = true
		}
	}
	name, err := p.resolve(tag, true)
	if err != nil {
		return nil, err
	}
	var attrs []attr
	if n := len(raw) - len(decls); n > 0 {
		attrs = make([]attr, 0, n)
	}
	for _, a := range raw {
		if a.name == "xmlns" || strings.HasPrefix(a.name, "xmlns:") {
			continue
		}
		name, err := p.resolve(a.name, false)
		if err != nil {
			return nil, err
		}
		attrs = append(attrs, attr{name, a.value})
	}
	if twice := duplicate(attrs); twice != nil {
		return nil, p.failf("attribute %.40q twice", twice.String())
	}
	return p.add(p.top(), Node{kind: ElementNode, name: name, attrs: attrs, decls: decls}), p.charge(0)
}

// declare checks a namespace declaration and brings it into scope. Namespaces in XML 1.0, section 3.
func (p *parser) declare(prefix, uri string) error {
	switch {
	case prefix != "" && !isNCName(prefix), prefix == "xmlns", prefix != "" && uri == "":
		return p.failf("namespace declaration of %.40q", prefix)
	case (prefix == "xml") != (uri == namespaceXML), uri == namespaceXMLNS:
		return p.failf("a reserved namespace bound to %.40q", prefix)
	}
	p.scope.push(prefix, uri)
	return nil
}

// resolve gives the name with its namespace. Attributes without prefix have none.
func (p *parser) resolve(raw string, element bool) (*qname, error) {
	prefix, local, has := strings.Cut(raw, ":")
	if !has {
		prefix, local = "", raw
	}
	if has && (!isNCName(prefix) || !isNCName(local)) || prefix == "xmlns" {
		return nil, p.failf("the name %.60q", raw)
	}
	space := ""
	switch {
	case prefix == "xml":
		space = namespaceXML
	case prefix != "" || element:
		uri, ok := p.scope.find(prefix)
		if !ok && prefix != "" {
			return nil, p.failf("the prefix %.40q is not declared", prefix)
		}
		space = uri
	}
	return p.intern(raw, prefix, local, space)
}

func (p *parser) intern(raw, prefix, local, space string) (*qname, error) {
	key := rawName{raw, space}
	if q := p.names[key]; q != nil {
		return q, nil
	}
	if err := p.charge(1); err != nil {
		return nil, err
	}
	q := &qname{prefix, local, space}
	p.names[key] = q
	return q, nil
}

// duplicate finds an expanded name that two attributes have.
func duplicate(attrs []attr) *qname {
	if len(attrs) < 12 {
		for i := range attrs {
			for j := range i {
				if a, b := attrs[i].name, attrs[j].name; a.local == b.local && a.space == b.space {
					return a
				}
			}
		}
		return nil
	}
	type expanded struct{ space, local string }
	seen := make(map[expanded]bool, len(attrs))
	for i := range attrs {
		key := expanded{attrs[i].name.space, attrs[i].name.local}
		if seen[key] {
			return attrs[i].name
		}
		seen[key] = true
	}
	return nil
}

func (p *parser) endTag() error {
	f := p.top()
	if len(p.stack) == 1 || !strings.HasPrefix(p.text[p.pos+2:], f.tag) {
		return p.failf("an end tag that does not fit %.60q", f.tag)
	}
	p.pos += 2 + len(f.tag)
	p.skipSpaces()
	if !p.looksAt(">") {
		return p.failf("an end tag that does not fit %.60q", f.tag)
	}
	p.pos++
	f.node.end = uint32(p.pos)
	p.scope.pop(f.undo)
	p.stack = p.stack[:len(p.stack)-1]
	return nil
}

// scope holds the namespace declarations in force, with what to restore when an element ends.
type scope struct {
	current map[string]string
	undo    []undoBinding
}

type undoBinding struct {
	binding
	was bool
}

func newScope() *scope { return &scope{current: map[string]string{}} }

func (s *scope) push(prefix, uri string) {
	old, was := s.current[prefix]
	s.undo = append(s.undo, undoBinding{binding{prefix, old}, was})
	s.current[prefix] = uri
}

func (s *scope) pop(to int) {
	for len(s.undo) > to {
		u := s.undo[len(s.undo)-1]
		s.undo = s.undo[:len(s.undo)-1]
		if u.was {
			s.current[u.prefix] = u.uri
		} else {
			delete(s.current, u.prefix)
		}
	}
}

func (s *scope) find(prefix string) (uri string, ok bool) {
	uri, ok = s.current[prefix]
	return uri, ok
}
