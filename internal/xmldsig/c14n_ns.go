package xmldsig

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// namespaces writes the namespace axis of an element in a set whose namespace nodes go with their elements.
func (c *canonicalizer) namespaces(n *Node, at place) {
	c.out = c.out[:0]
	if c.method.Exclusive {
		c.out = utilized(c.out, n, nil)
	}
	if !c.method.Exclusive || c.listed != nil {
		for _, b := range c.candidates(n, at) {
			if !c.method.Exclusive || c.listed[b.prefix] {
				c.out = append(c.out, b)
			}
		}
	}
	c.declare(c.out)
}

// candidates are the declarations that may differ from what the nearest element written around has in scope.
func (c *canonicalizer) candidates(n *Node, at place) []binding {
	if n.parent == at.output {
		return n.decls
	}
	return c.inScope(n, at.output)
}

// maxWork bounds the namespace declarations looked at for one set.
const maxWork = 4_000_000

// inScope is Node.inScope, remembered for the elements of one parent.
func (c *canonicalizer) inScope(n, stop *Node) []binding {
	if c.scopeOf != n.parent || c.scopeStop != stop {
		if !c.charge(n.parent, stop) {
			return nil
		}
		c.scopeOf, c.scopeStop, c.scopeList = n.parent, stop, n.parent.inScope(stop)
	}
	if !c.look(len(c.scopeList)/8) || len(n.decls) == 0 {
		return c.scopeList
	}
	if !c.charge(n, stop) {
		return nil
	}
	return n.inScope(stop)
}

// charge counts the declarations from n up to stop.
func (c *canonicalizer) charge(n, stop *Node) bool {
	total := 0
	for m := n; m != nil && m != stop; m = m.parent {
		total += 1 + len(m.decls)
	}
	return c.look(total)
}

// look counts declarations looked at.
func (c *canonicalizer) look(n int) bool {
	if c.work += n; c.work > maxWork && c.err == nil {
		c.err = fmt.Errorf("namespaces in scope: %w", ErrLimit)
	}
	return c.err == nil
}

// utilized adds to out the namespaces that the name of n and its attributes use, less those attributes that skip says. Exclusive XML
// Canonicalization, 1.1.
func utilized(out []binding, n *Node, skip func(*attr) bool) []binding {
	out = append(out, binding{n.name.prefix, n.name.space})
	for i := range n.attrs {
		a := &n.attrs[i]
		if a.name.prefix == "" || skip != nil && skip(a) {
			continue
		}
		out = append(out, binding{a.name.prefix, a.name.space})
	}
	return out
}

func byPrefix(a, b binding) int { return strings.Compare(a.prefix, b.prefix) }

// declare writes those of out that are not in force in the output already, by prefix.
func (c *canonicalizer) declare(out []binding) {
	slices.SortStableFunc(out, byPrefix)
	for _, b := range out {
		if was, _ := c.rendered.find(b.prefix); was == b.uri || b.prefix == "xml" {
			continue // "" is what the default namespace is at the outset
		}
		c.rendered.push(b.prefix, b.uri)
		c.declaration(b)
	}
}

func (c *canonicalizer) declaration(b binding) {
	if relativeURI(b.uri) {
		c.err = fmt.Errorf("the relative namespace name %.100q: %w", b.uri, ErrUnsupported)
		return
	}
	c.buf = append(c.buf, " xmlns"...)
	if b.prefix != "" {
		c.buf = append(append(c.buf, ':'), b.prefix...)
	}
	c.buf = append(c.buf, `="`...)
	c.value(b.uri)
	c.buf = append(c.buf, '"')
}

// relativeURI tells whether a namespace name has no scheme, which Canonical XML has no form for (section 1.3).
func relativeURI(uri string) bool {
	if uri == "" {
		return false
	}
	for i := range len(uri) {
		c := uri[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		switch {
		case c == ':':
			return i == 0
		case letter, i > 0 && (c >= '0' && c <= '9' || strings.IndexByte("+-.", c) >= 0):
		default:
			return true
		}
	}
	return true
}

// singleNamespaces writes the namespace axis of n where each namespace node is in the set or not by itself. It returns the namespace
// nodes that an element further in compares with.
func (c *canonicalizer) singleNamespaces(n *Node, in bool, at place) []binding {
	var visible []binding
	if !c.charge(n, nil) {
		return nil
	}
	namespaceAxis(xnode{n: n}, func(x xnode) bool {
		if x.ns == &xmlBinding {
			return true
		}
		keep, err := c.set.keep(x)
		if err != nil {
			c.err = err
			return false
		}
		if keep {
			visible = append(visible, *x.ns)
		}
		return true
	})
	slices.SortFunc(visible, byPrefix)
	used := visible
	if c.method.Exclusive {
		visible = slices.DeleteFunc(slices.Clone(visible), func(b binding) bool { return !c.listed[b.prefix] })
	}
	out := fresh(visible, at.visible)
	if in && !hasPrefix(visible, "") && hasPrefix(at.visible, "") {
		out = append(out, binding{})
	}
	if c.method.Exclusive && in {
		out = append(out, c.singleUtilized(n, used)...)
	}
	slices.SortStableFunc(out, byPrefix)
	for _, b := range out {
		c.declaration(b)
	}
	if !in {
		return at.visible
	}
	return visible
}

// singleUtilized are the namespaces that n uses, whose nodes are among visible, that are to be written by the rule of exclusive
// canonicalisation.
func (c *canonicalizer) singleUtilized(n *Node, visible []binding) (out []binding) {
	for _, b := range utilized(nil, n, c.attributeOut(n)) {
		if c.listed[b.prefix] || b.prefix == "xml" {
			continue
		}
		if b.uri != "" && !hasPrefix(visible, b.prefix) {
			if b.uri = ""; b.prefix != "" {
				b.uri = notWritten // whoever uses it further in writes it again
			}
		}
		if was, _ := c.rendered.find(b.prefix); was != b.uri {
			c.rendered.push(b.prefix, b.uri)
			if b.uri != notWritten {
				out = append(out, b)
			}
		}
	}
	return out
}

// notWritten stands for a namespace that is no namespace name.
const notWritten = "\x00"

// attributeOut tells which attributes of n are not in the set.
func (c *canonicalizer) attributeOut(n *Node) func(*attr) bool {
	return func(a *attr) bool {
		keep, err := c.set.keep(xnode{n: n, attr: a})
		if err != nil && c.err == nil {
			c.err = err
		}
		return !keep
	}
}

// fresh are those of now that are not in before; both are sorted by prefix.
func fresh(now, before []binding) []binding {
	var out []binding
	for _, b := range now {
		i := sort.Search(len(before), func(i int) bool { return before[i].prefix >= b.prefix })
		if i == len(before) || before[i] != b {
			out = append(out, b)
		}
	}
	return out
}

func hasPrefix(list []binding, prefix string) bool {
	i := sort.Search(len(list), func(i int) bool { return list[i].prefix >= prefix })
	return i < len(list) && list[i].prefix == prefix
}
