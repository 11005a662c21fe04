package xmldsig

import (
	"context"
	"fmt"
	"sort"
	"strings"
)

// Namespaces of the relationship transform.
const (
	namespaceMDSSI = "http://schemas.openxmlformats.org/package/2006/digital-signature"
	namespaceRels  = "http://schemas.openxmlformats.org/package/2006/relationships"
)

// relationships keeps the relationships of a part that are named by identifier or type, sorted by identifier. ECMA-376 part 2, section
// 13.2.4.24.
func (p *Processor) relationships(ctx context.Context, d data, t *Node) (data, error) {
	ids, types := map[string]bool{}, map[string]bool{}
	for n := range t.Elements() {
		switch {
		case n.Is(namespaceMDSSI, "RelationshipReference"):
			ids[n.Get("SourceId")] = true
		case n.Is(namespaceMDSSI, "RelationshipsGroupReference"):
			types[n.Get("SourceType")] = true
		default:
			return d, fmt.Errorf("%.40q in a relationship transform: %w", n.Local(), ErrUnsupported)
		}
	}
	set, err := p.nodes(ctx, d)
	if err != nil {
		return d, err
	}
	root := set.doc.root
	if !root.Is(namespaceRels, "Relationships") || set.apex != set.doc.node {
		return d, fmt.Errorf("the relationship transform on what is no relationships part: %w", ErrInvalid)
	}
	var kept []*Node
	for n := range root.Elements() {
		if n.Is(namespaceRels, "Relationship") && (ids[n.Get("Id")] || types[n.Get("Type")]) {
			kept = append(kept, n)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].Get("Id") < kept[j].Get("Id") })
	octets, err := relationshipsXML(root, kept)
	return data{octets: octets, known: true}, err
}

// relationshipsXML writes the part anew, with nothing but the relationships kept and the target mode they have.
func relationshipsXML(root *Node, kept []*Node) ([]byte, error) {
	c := &canonicalizer{}
	name := root.name.String()
	c.buf = append(append(c.buf, '<'), name...)
	c.declaration(binding{root.name.prefix, namespaceRels})
	c.buf = append(c.buf, '>')
	for _, n := range kept {
		if n.name.prefix != root.name.prefix {
			return nil, fmt.Errorf("relationships with several prefixes: %w", ErrUnsupported)
		}
		c.buf = append(append(c.buf, '<'), n.name.String()...)
		for _, attribute := range []string{"Id", "Target", "TargetMode", "Type"} {
			value, ok := n.Attr("", attribute)
			if !ok && attribute == "TargetMode" {
				value, ok = "Internal", true
			}
			if ok {
				c.buf = append(c.buf, strings.Join([]string{" ", attribute, `="`}, "")...)
				c.value(value)
				c.buf = append(c.buf, '"')
			}
		}
		c.buf = append(append(append(c.buf, "></"...), n.name.String()...), '>')
	}
	c.buf = append(append(append(c.buf, "</"...), name...), '>')
	return c.buf, c.err
}
