package xmldsig

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Method is a canonicalisation: Canonical XML 1.0 (the zero value), 1.1, or exclusive.
type Method struct {
	Exclusive bool
	Version11 bool
	Comments  bool
	// Prefixes is the InclusiveNamespaces PrefixList of exclusive canonicalisation; empty string for #default.
	Prefixes []string
}

var methods = map[string]Method{
	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315":              {},
	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": {Comments: true},
	"http://www.w3.org/2006/12/xml-c14n11":                         {Version11: true},
	"http://www.w3.org/2006/12/xml-c14n11#WithComments":            {Version11: true, Comments: true},
	"http://www.w3.org/2001/10/xml-exc-c14n#":                      {Exclusive: true},
	"http://www.w3.org/2001/10/xml-exc-c14n#WithComments":          {Exclusive: true, Comments: true},
}

// MethodByURI returns the canonicalisation that an algorithm identifier names.
func MethodByURI(uri string) (Method, bool) {
	m, ok := methods[uri]
	return m, ok
}

// ReadMethod reads a ds:CanonicalizationMethod, or ds:Transform that is one, with its parameter.
func ReadMethod(n *Node) (Method, error) {
	uri := n.Get("Algorithm")
	m, ok := methods[uri]
	if !ok {
		return m, fmt.Errorf("canonicalisation %.200q: %w", uri, ErrUnsupported)
	}
	if list := n.Child("http://www.w3.org/2001/10/xml-exc-c14n#", "InclusiveNamespaces"); list != nil && m.Exclusive {
		for _, prefix := range strings.Fields(list.Get("PrefixList")) {
			if prefix == "#default" {
				prefix = ""
			}
			m.Prefixes = append(m.Prefixes, prefix)
		}
	}
	return m, nil
}

// Canonicalize writes the canonical form of the subtree of n, an element or nil for the whole document.
func (d *Document) Canonicalize(ctx context.Context, w io.Writer, n *Node, m Method) error {
	if n == nil {
		n = d.node
	}
	return canonicalize(ctx, w, d.subtree(n, true), m, nil)
}

// budget bounds the octets that one document's references may make.
type budget struct{ octets int64 }

// canonicalize writes the canonical form of a set of nodes.
func canonicalize(ctx context.Context, w io.Writer, set *nodeSet, m Method, b *budget) error {
	if !m.Comments && set.comments {
		bare := *set
		bare.comments = false
		set = &bare
	}
	if b == nil {
		b = &budget{octets: outputLimit(set.doc)}
	}
	c := &canonicalizer{ctx: ctx, w: w, set: set, method: m, single: set.single(), budget: b, rendered: newScope()}
	for _, prefix := range m.Prefixes {
		if c.listed == nil {
			c.listed = map[string]bool{}
		}
		c.listed[prefix] = true
	}
	c.node(set.apex, place{})
	c.flush()
	if c.err != nil {
		return fmt.Errorf("canonicalising: %w", c.err)
	}
	return nil
}

// outputLimit is how many octets the references of a document may make in all: a document that is hashed a few times over passes, one
// made to keep the machine busy does not.
func outputLimit(d *Document) int64 { return 512<<20 + 32*int64(len(d.text)) }

// canonicalizer writes one set. err is the first error; after it nothing is written.
type canonicalizer struct {
	ctx    context.Context
	w      io.Writer
	set    *nodeSet
	method Method
	listed map[string]bool
	single bool // ask for attributes and namespace nodes one by one
	budget *budget
	buf    []byte
	err    error
	work   int // namespace declarations looked at
	// scopeList are the namespaces in scope at scopeOf, up to scopeStop.
	scopeOf, scopeStop *Node
	scopeList          []binding
	// attrs and out are used again for each element.
	attrs []*attr
	out   []binding
	// rendered are the namespace declarations written by the elements around.
	rendered *scope
}

// place is where in the output a node stands.
type place struct {
	output  *Node     // nearest element around that is in the set, or nil
	visible []binding // its namespace nodes in the set; for sets asked one by one
}

const flushAt = 16 << 10

func (c *canonicalizer) flush() {
	if c.err == nil && len(c.buf) > 0 {
		if c.budget.octets -= int64(len(c.buf)); c.budget.octets < 0 {
			c.err = fmt.Errorf("octets to hash: %w", ErrLimit)
			return
		}
		if c.err = c.ctx.Err(); c.err == nil {
			_, c.err = c.w.Write(c.buf)
		}
	}
	c.buf = c.buf[:0]
}

// node writes n and what is in it. The depth of calls is that of the document.
func (c *canonicalizer) node(n *Node, at place) {
	if c.err != nil || c.set.prune(n) {
		return
	}
	in, err := c.set.keep(xnode{n: n})
	if err != nil {
		c.err = err
		return
	}
	switch n.kind {
	case DocumentNode:
		c.children(n, at)
	case ElementNode:
		c.element(n, in, at)
	case TextNode:
		if in {
			c.text(n.value)
		}
	case CommentNode, PINode:
		if in {
			c.miscellaneous(n)
		}
	}
	if len(c.buf) >= flushAt {
		c.flush()
	}
}

func (c *canonicalizer) children(n *Node, at place) {
	for child := n.first; child != nil; child = child.next {
		c.node(child, at)
	}
}

// miscellaneous writes a comment or processing instruction, with the line end that separates it from the document element.
func (c *canonicalizer) miscellaneous(n *Node) {
	top := n.parent != nil && n.parent.kind == DocumentNode
	if top && c.set.doc.root.Before(n) {
		c.buf = append(c.buf, '\n')
	}
	if n.kind == CommentNode {
		c.buf = append(append(append(c.buf, "<!--"...), n.value...), "-->"...)
	} else {
		c.buf = append(append(c.buf, "<?"...), n.name.local...)
		if n.value != "" {
			c.buf = append(append(c.buf, ' '), n.value...)
		}
		c.buf = append(c.buf, "?>"...)
	}
	if top && n.Before(c.set.doc.root) {
		c.buf = append(c.buf, '\n')
	}
}

func (c *canonicalizer) element(n *Node, in bool, at place) {
	if !in && !c.single {
		c.children(n, at)
		return
	}
	for _, b := range n.decls {
		if relativeURI(b.uri) {
			c.err = fmt.Errorf("the relative namespace name %.100q: %w", b.uri, ErrUnsupported)
			return
		}
	}
	undo := len(c.rendered.undo)
	inner := at
	if in {
		c.name(append(c.buf, '<'), n.name)
		inner.output = n
	}
	if c.single {
		inner.visible = c.singleNamespaces(n, in, at)
	} else {
		c.namespaces(n, at)
	}
	c.attributes(n, in, at)
	if in {
		c.buf = append(c.buf, '>')
	}
	c.children(n, inner)
	if in {
		c.name(append(c.buf, "</"...), n.name)
		c.buf = append(c.buf, '>')
	}
	c.rendered.pop(undo)
}

// name writes a name as it was written, behind buf.
func (c *canonicalizer) name(buf []byte, q *qname) {
	if q.prefix != "" {
		buf = append(append(buf, q.prefix...), ':')
	}
	c.buf = append(buf, q.local...)
}

// attributes writes the attribute axis of n, namespaces apart.
func (c *canonicalizer) attributes(n *Node, in bool, at place) {
	list := c.attrs[:0]
	for i := range n.attrs {
		a := &n.attrs[i]
		if c.single {
			keep, err := c.set.keep(xnode{n: n, attr: a})
			if err != nil {
				c.err = err
				return
			}
			if !keep {
				continue
			}
		}
		list = append(list, a)
	}
	if in && !c.method.Exclusive && n.parent != nil && n.parent.kind == ElementNode && at.output != n.parent {
		list = c.inherit(n, list, at)
	}
	slices.SortFunc(list, func(x, y *attr) int {
		return cmp.Or(strings.Compare(x.name.space, y.name.space), strings.Compare(x.name.local, y.name.local))
	})
	for _, a := range list {
		c.name(append(c.buf, ' '), a.name)
		c.buf = append(c.buf, `="`...)
		c.value(a.value)
		c.buf = append(c.buf, '"')
	}
	c.attrs = list
}

// Replacements of Canonical XML, section 2.3.
var (
	inText  = [256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '\r': "&#xD;"}
	inValue = [256]string{'&': "&amp;", '<': "&lt;", '"': "&quot;", '\t': "&#x9;", '\n': "&#xA;", '\r': "&#xD;"}
)

func (c *canonicalizer) text(s string)  { c.replaced(s, &inText) }
func (c *canonicalizer) value(s string) { c.replaced(s, &inValue) }

func (c *canonicalizer) replaced(s string, table *[256]string) {
	start := 0
	for i := range len(s) {
		if r := table[s[i]]; r != "" {
			c.buf = append(append(c.buf, s[start:i]...), r...)
			start = i + 1
		}
	}
	c.buf = append(c.buf, s[start:]...)
}
