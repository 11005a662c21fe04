package xmldsig

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Kind is the kind of a node.
type Kind uint8

// The kinds of nodes. Attributes and namespace declarations are no nodes of the tree: see Node.Attr.
const (
	DocumentNode Kind = iota + 1
	ElementNode
	TextNode // character data; CDATA sections are part of the text around them
	CommentNode
	PINode // processing instruction
)

// Node is a node of a parsed document. Nodes are not changed after Parse and may be read by several goroutines.
type Node struct {
	parent, next, first *Node
	name                *qname // of elements; of processing instructions the target
	value               string // of texts, comments, processing instructions
	attrs               []attr // in file order
	decls               []binding
	start, end          uint32 // in Document.text
	order               uint32 // document order
	kind                Kind
}

// qname is a name as used; equal ones share a pointer within a document.
type qname struct{ prefix, local, space string }

func (q *qname) String() string {
	if q.prefix == "" {
		return q.local
	}
	return q.prefix + ":" + q.local
}

type attr struct {
	name  *qname
	value string // normalised
}

// binding is a namespace declaration: xmlns:prefix="uri".
type binding struct{ prefix, uri string }

// Document is a parsed document.
type Document struct {
	// Encoding is the character encoding of the original, in lower case: "utf-8", "utf-16le", "iso-8859-1".
	Encoding string

	node   *Node  // the document node
	root   *Node  // the document element
	text   string // the original as UTF-8, line ends as they were
	layout layout
	ids    map[string]*idEntry
	nodes  int
}

// Root returns the document element.
func (d *Document) Root() *Node { return d.root }

// Size is the length of the document in bytes of UTF-8.
func (d *Document) Size() int { return len(d.text) }

// Span returns where n begins and where the byte after it is, in the bytes given to Parse. The
// nodes of one text run with CDATA sections share one span.
func (d *Document) Span(n *Node) (start, end int64) {
	return d.layout.raw(d.text, int(n.start)), d.layout.raw(d.text, int(n.end))
}

// EndTag returns where the end tag of element n begins in the bytes given to Parse, or -1 if n is an empty-element tag.
func (d *Document) EndTag(n *Node) int64 {
	source := d.text[n.start:n.end]
	at := strings.LastIndexByte(source, '<')
	if at <= 0 || !strings.HasPrefix(source[at:], "</") {
		return -1
	}
	return d.layout.raw(d.text, int(n.start)+at)
}

// Source returns n as it stands in the document, in UTF-8.
func (d *Document) Source(n *Node) string { return d.text[n.start:n.end] }

// Kind returns the kind of n.
func (n *Node) Kind() Kind { return n.kind }

// Parent returns the element or document that n is in, nil for the document node.
func (n *Node) Parent() *Node { return n.parent }

// Local and Space are the local name and namespace of an element, empty for other nodes. Local is the target of a processing instruction.
func (n *Node) Local() string {
	if n.name == nil {
		return ""
	}
	return n.name.local
}

// Space returns the namespace name of an element.
func (n *Node) Space() string {
	if n.name == nil {
		return ""
	}
	return n.name.space
}

// Prefix returns the namespace prefix of an element, empty for none.
func (n *Node) Prefix() string {
	if n.name == nil {
		return ""
	}
	return n.name.prefix
}

// Is tells whether n is an element of that namespace and local name.
func (n *Node) Is(space, local string) bool {
	return n != nil && n.kind == ElementNode && n.name.local == local && n.name.space == space
}

// Attr returns the attribute without namespace, or with the namespace given, and whether it is there.
func (n *Node) Attr(space, local string) (value string, ok bool) {
	for i := range n.attrs {
		if a := &n.attrs[i]; a.name.local == local && a.name.space == space {
			return a.value, true
		}
	}
	return "", false
}

// Get returns the attribute without namespace, empty if it is not there.
func (n *Node) Get(local string) string {
	value, _ := n.Attr("", local)
	return value
}

// Attributes goes through the attributes of an element, namespace declarations apart: namespace name and local name.
func (n *Node) Attributes() iter.Seq2[string, string] {
	return func(yield func(space, local string) bool) {
		for i := range n.attrs {
			if !yield(n.attrs[i].name.space, n.attrs[i].name.local) {
				return
			}
		}
	}
}

// Children goes through the child nodes.
func (n *Node) Children() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for c := n.first; c != nil; c = c.next {
			if !yield(c) {
				return
			}
		}
	}
}

// Elements goes through the child elements.
func (n *Node) Elements() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for c := n.first; c != nil; c = c.next {
			if c.kind == ElementNode && !yield(c) {
				return
			}
		}
	}
}

// Child returns the first child element of that name, or nil. A nil n has none.
func (n *Node) Child(space, local string) *Node {
	if n == nil {
		return nil
	}
	for c := n.first; c != nil; c = c.next {
		if c.Is(space, local) {
			return c
		}
	}
	return nil
}

// Descendants goes through the nodes below n in document order.
func (n *Node) Descendants() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for c := n.following(n); c != nil; c = c.following(n) {
			if !yield(c) {
				return
			}
		}
	}
}

// following is the next node in document order within top, nil after the last.
func (n *Node) following(top *Node) *Node {
	if n.first != nil {
		return n.first
	}
	return n.after(top)
}

// after is the first node behind n and all that is in it.
func (n *Node) after(top *Node) *Node {
	for ; n != top && n != nil; n = n.parent {
		if n.next != nil {
			return n.next
		}
	}
	return nil
}

// Text returns the character data in n, all descendants together; of other nodes their value.
func (n *Node) Text() string {
	if n == nil {
		return ""
	}
	if n.kind != ElementNode && n.kind != DocumentNode {
		return n.value
	}
	if c := n.first; c != nil && c.next == nil && c.kind == TextNode {
		return c.value
	}
	var b strings.Builder
	for c := range n.Descendants() {
		if c.kind == TextNode {
			b.WriteString(c.value)
		}
	}
	return b.String()
}

// Contains tells whether m is n or stands in it.
func (n *Node) Contains(m *Node) bool {
	for ; m != nil; m = m.parent {
		if m == n {
			return true
		}
	}
	return false
}

// Before tells whether n begins before m in the document.
func (n *Node) Before(m *Node) bool { return n.order < m.order }

// maxPathSiblings bounds the counting of siblings for a path.
const maxPathSiblings = 10_000

// Path returns where element n stands, with names as written: "/invoice/line[2]". The number counts siblings of the same name and
// is left out for the only one.
func (n *Node) Path() string {
	var steps []string
	for ; n != nil && n.kind == ElementNode; n = n.parent {
		steps = append(steps, n.name.String()+n.position())
	}
	if len(steps) == 0 {
		return "/"
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		b.WriteString("/" + steps[i])
	}
	return b.String()
}

func (n *Node) position() string {
	if n.parent == nil {
		return ""
	}
	at, same, seen := 0, 0, 0
	for c := n.parent.first; c != nil && seen < maxPathSiblings; c = c.next {
		seen++
		if c.kind == ElementNode && c.name == n.name {
			same++
		}
		if c == n {
			at = same
		}
	}
	switch {
	case at == 0:
		return "[...]"
	case same == 1:
		return ""
	}
	return "[" + strconv.Itoa(at) + "]"
}

// Namespace returns what prefix, empty for the default, is bound to at element n.
func (n *Node) Namespace(prefix string) (uri string, ok bool) { return n.lookup(prefix) }

// lookup returns what prefix is bound to at element n, empty for none.
func (n *Node) lookup(prefix string) (uri string, ok bool) {
	if prefix == "xml" {
		return namespaceXML, true
	}
	for ; n != nil; n = n.parent {
		for i := range n.decls {
			if n.decls[i].prefix == prefix {
				return n.decls[i].uri, true
			}
		}
	}
	return "", false
}

// inScope returns the namespaces declared at n and above it, up to and without stop, nearest first for each prefix, sorted by prefix.
// A default namespace that is undeclared is there with an empty name.
func (n *Node) inScope(stop *Node) []binding {
	var found []binding
	seen := map[string]bool{"xml": true}
	for ; n != nil && n != stop; n = n.parent {
		for _, b := range n.decls {
			if !seen[b.prefix] {
				seen[b.prefix] = true
				found = append(found, b)
			}
		}
	}
	slices.SortFunc(found, byPrefix)
	return found
}
