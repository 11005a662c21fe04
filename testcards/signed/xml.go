package signed

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// node is an element that can be written as it stands in the document and in
// its canonical forms, since all three follow from the tree. Attributes have no
// prefixes and are given in order of their names.
type node struct {
	prefix, name string
	attributes   [][2]string // name and value, by name
	declares     []space     // namespaces, by prefix
	children     []*node
	text         string // instead of children; escaped when written
	raw          string // instead of everything: already canonical
	parent       *node
}

// space binds a prefix to a namespace; the empty prefix is the default one.
type space struct{ prefix, uri string }

// Namespaces by the prefixes used here.
var namespaces = map[string]string{
	"ds":       "http://www.w3.org/2000/09/xmldsig#",
	"xades":    "http://uri.etsi.org/01903/v1.3.2#",
	"xades141": "http://uri.etsi.org/01903/v1.4.1#",
	"asic":     "http://uri.etsi.org/02918/v1.2.1#",
}

// element makes one of the namespace that its prefix stands for.
func element(qname string, children ...*node) *node {
	prefix, name, _ := strings.Cut(qname, ":")
	n := &node{prefix: prefix, name: name}
	return n.add(children...)
}

// leaf is an element with text.
func leaf(qname, text string) *node {
	n := element(qname)
	n.text = text
	return n
}

// add appends children and returns n.
func (n *node) add(children ...*node) *node {
	for _, c := range children {
		if c == nil {
			continue
		}
		c.parent = n
		n.children = append(n.children, c)
	}
	return n
}

// with sets attributes, given as name, value, name, value, and returns n.
func (n *node) with(attributes ...string) *node {
	for i := 0; i < len(attributes); i += 2 {
		n.attributes = append(n.attributes, [2]string{attributes[i], attributes[i+1]})
	}
	slices.SortFunc(n.attributes, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return n
}

// declaring has the element declare prefixes in the document.
func (n *node) declaring(prefixes ...string) *node {
	for _, p := range prefixes {
		n.declares = append(n.declares, space{p, namespaces[p]})
	}
	return n
}

// form is how an element is written.
type form int

const (
	asDocument form = iota
	exclusive       // Exclusive XML Canonicalization 1.0
	inclusive       // Canonical XML 1.0
)

// algorithm is the URI of a canonical form.
func (f form) algorithm() string {
	if f == inclusive {
		return "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	}
	return "http://www.w3.org/2001/10/xml-exc-c14n#"
}

// scope are the namespaces in force for n, those of its ancestors and its own,
// by prefix.
func (n *node) scope() []space {
	var out []space
	for ; n != nil; n = n.parent {
		for _, s := range n.declares {
			if !slices.ContainsFunc(out, func(o space) bool { return o.prefix == s.prefix }) {
				out = append(out, s)
			}
		}
	}
	slices.SortFunc(out, func(a, b space) int { return cmp.Compare(a.prefix, b.prefix) })
	return out
}

// write gives the element in a form, as the top of what is written.
func (n *node) write(f form) []byte {
	var out strings.Builder
	n.writeTo(&out, f, nil, true)
	return []byte(out.String())
}

func (n *node) writeTo(out *strings.Builder, f form, written []space, top bool) {
	if n.raw != "" {
		out.WriteString(n.raw)
		return
	}
	qname := n.name
	if n.prefix != "" {
		qname = n.prefix + ":" + n.name
	}
	out.WriteString("<" + qname)
	var here []space
	switch {
	case f == exclusive:
		here = []space{{n.prefix, namespaces[n.prefix]}}
	case f == inclusive && top:
		here = n.scope()
	default:
		here = n.declares
	}
	for _, s := range here {
		if slices.Contains(written, s) {
			continue
		}
		written = append(written[:len(written):len(written)], s)
		if s.prefix == "" {
			fmt.Fprintf(out, ` xmlns="%s"`, s.uri)
		} else {
			fmt.Fprintf(out, ` xmlns:%s="%s"`, s.prefix, s.uri)
		}
	}
	for _, a := range n.attributes {
		fmt.Fprintf(out, ` %s="%s"`, a[0], attributeEscapes.Replace(a[1]))
	}
	out.WriteString(">" + textEscapes.Replace(n.text))
	for _, c := range n.children {
		c.writeTo(out, f, written, false)
	}
	out.WriteString("</" + qname + ">")
}

// What Canonical XML 1.0 section 2.3 escapes.
var (
	textEscapes      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	attributeEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

// rootScope stands for the document that the signature will be put into: the
// namespaces that its root declares, and where the root ends.
func rootScope(document []byte) (*node, int, error) {
	d := xml.NewDecoder(strings.NewReader(string(document)))
	var root *node
	end := 0
	for {
		before := int(d.InputOffset())
		t, err := d.RawToken()
		switch {
		case errors.Is(err, io.EOF) && root != nil && end > 0:
			return root, end, nil
		case err != nil:
			return nil, 0, fmt.Errorf("%w: the content is no XML document: %w", ErrOptions, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if root == nil {
				root = &node{declares: declared(t)}
			}
		case xml.EndElement:
			end = before
		case xml.Comment, xml.ProcInst, xml.Directive:
			return nil, 0, fmt.Errorf("%w: the content is not canonical: it has more than elements and text", ErrOptions)
		}
	}
}

func declared(t xml.StartElement) (out []space) {
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns":
			out = append(out, space{a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			out = append(out, space{"", a.Value})
		}
	}
	return out
}
