package xmldsig

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
)

// Algorithm identifiers of transforms.
const (
	TransformEnveloped    = NamespaceDS + "enveloped-signature"
	TransformBase64       = NamespaceDS + "base64"
	TransformXPath        = "http://www.w3.org/TR/1999/REC-xpath-19991116"
	TransformXPath2       = "http://www.w3.org/2002/06/xmldsig-filter2"
	transformRelationship = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
)

// transform applies the transforms in order. Those not known here are ErrUnsupported: XSLT and decryption are among them, and refused
// on purpose.
func (p *Processor) transform(ctx context.Context, d data, list []*Node) (data, error) {
	if len(list) > MaxTransforms {
		return d, fmt.Errorf("%d transforms: %w", len(list), ErrLimit)
	}
	for _, t := range list {
		var err error
		switch uri := t.Get("Algorithm"); uri {
		case TransformEnveloped:
			d, err = p.enveloped(ctx, d, t)
		case TransformBase64:
			d, err = p.base64(ctx, d)
		case TransformXPath:
			d, err = p.xpath(ctx, d, t)
		case TransformXPath2:
			d, err = p.xpath2(ctx, d, t)
		case transformRelationship:
			d, err = p.relationships(ctx, d, t)
		default:
			if _, ok := methods[uri]; !ok {
				return d, fmt.Errorf("the transform %.200q: %w", uri, ErrUnsupported)
			}
			d, err = p.canonical(ctx, d, t)
		}
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

// canonical is a canonicalisation as transform, carried out when its octets are needed.
func (p *Processor) canonical(ctx context.Context, d data, t *Node) (data, error) {
	m, err := ReadMethod(t)
	if err != nil {
		return d, err
	}
	set, err := p.nodes(ctx, d)
	return data{set: set, method: &m}, err
}

// enveloped takes the signature that t stands in out of the set. XML Signature, section 6.6.4.
func (p *Processor) enveloped(ctx context.Context, d data, t *Node) (data, error) {
	signature := t
	for signature != nil && !signature.Is(NamespaceDS, "Signature") {
		signature = signature.parent
	}
	set, err := p.nodes(ctx, d)
	if err != nil {
		return d, err
	}
	if signature == nil || set.doc != p.doc {
		return d, fmt.Errorf("the enveloped-signature transform on what does not hold the signature: %w", ErrInvalid)
	}
	return data{set: set.with(without{signature})}, nil
}

// base64 decodes octets, or the text of a node-set. XML Signature, section 6.6.2.
func (p *Processor) base64(ctx context.Context, d data) (data, error) {
	if d.set == nil || d.method != nil {
		octets, err := p.bytes(ctx, d)
		if err != nil {
			return d, err
		}
		decoded, err := DecodeBase64(string(octets))
		return data{octets: decoded, known: true}, err
	}
	var b strings.Builder
	err := d.set.each(func(n *Node) error {
		if n.kind == TextNode {
			b.WriteString(n.value)
		}
		return nil
	})
	if err != nil {
		return d, err
	}
	if p.budget.octets -= int64(base64.StdEncoding.DecodedLen(b.Len())); p.budget.octets < 0 {
		return d, fmt.Errorf("octets to decode: %w", ErrLimit)
	}
	decoded, err := DecodeBase64(b.String())
	return data{octets: decoded, known: true}, err
}

// evaluation prepares for the expression in n over the nodes of set.
func (p *Processor) evaluation(ctx context.Context, set *nodeSet, n *Node) *evaluation {
	return &evaluation{ctx: ctx, doc: set.doc, here: n, steps: &p.steps, roots: map[*location]nodeList{}}
}

// xpath keeps the nodes that the expression holds for. XML Signature, section 6.6.3.
func (p *Processor) xpath(ctx context.Context, d data, t *Node) (data, error) {
	n := t.Child(NamespaceDS, "XPath")
	if n == nil {
		return d, fmt.Errorf("the XPath transform without expression: %w", ErrInvalid)
	}
	set, err := p.nodes(ctx, d)
	if err != nil {
		return d, err
	}
	e, err := compile(n.Text(), n)
	if err != nil {
		return d, fmt.Errorf("XPath transform: %w", err)
	}
	return data{set: set.with(&xpathFilter{p.evaluation(ctx, set, n), e, !e.uniform()})}, nil
}

// xpathFilter keeps the nodes for which an expression is true.
type xpathFilter struct {
	*evaluation
	expr    expr
	singles bool
}

func (f *xpathFilter) prune(*Node) bool { return false }
func (f *xpathFilter) single() bool     { return f.singles }

func (f *xpathFilter) keep(x xnode) (bool, error) {
	v, err := f.expr.eval(&xcontext{evaluation: f.evaluation, node: x, position: 1, size: 1})
	return truth(v), err
}

// xpath2 is the transform of XPath Filter 2.0, section 3: each expression selects subtrees once, which are joined to the set, cut with it
// or taken from it.
func (p *Processor) xpath2(ctx context.Context, d data, t *Node) (data, error) {
	set, err := p.nodes(ctx, d)
	if err != nil {
		return d, err
	}
	f := &subtrees{evaluation: p.evaluation(ctx, set, t)}
	for n := range t.Elements() {
		if !n.Is(TransformXPath2, "XPath") {
			continue
		}
		if len(f.list) == MaxTransforms {
			return d, fmt.Errorf("filters: %w", ErrLimit)
		}
		e, err := compile(n.Text(), n)
		if err != nil {
			return d, fmt.Errorf("XPath filter: %w", err)
		}
		v, err := e.eval(&xcontext{evaluation: p.evaluation(ctx, set, n), node: xnode{n: set.doc.node}, position: 1, size: 1})
		if err != nil {
			return d, fmt.Errorf("XPath filter: %w", err)
		}
		if err := f.add(n.Get("Filter"), v); err != nil {
			return d, err
		}
	}
	if len(f.list) == 0 {
		return d, fmt.Errorf("the XPath filter transform without expression: %w", ErrInvalid)
	}
	f.cutting = f.cuts(set.apex)
	return data{set: set.with(f)}, nil
}

// subtrees are the filters of one transform in order.
type subtrees struct {
	*evaluation
	list []selection
	// cutting: all filters take whole subtrees out, so that nothing within these need be looked at.
	cutting bool
}

// cuts tells whether the filters do nothing but take out elements below apex.
func (f *subtrees) cuts(apex *Node) bool {
	for _, s := range f.list {
		for n := apex; n != nil; n = n.parent {
			if s.nodes[n] {
				return false
			}
		}
		if s.op != "subtract" || len(s.attrs) > 0 {
			return false
		}
	}
	return true
}

// selection is what one expression selected.
type selection struct {
	op    string
	nodes map[*Node]bool
	attrs map[*attr]bool
}

func (f *subtrees) add(op string, v any) error {
	list, ok := v.(nodeList)
	if !ok || op != "intersect" && op != "subtract" && op != "union" {
		return fmt.Errorf("XPath filter %.20q, or an expression that is no node-set: %w", op, ErrUnsupported)
	}
	s := selection{op: op, nodes: map[*Node]bool{}, attrs: map[*attr]bool{}}
	for _, x := range list {
		switch {
		case x.ns != nil:
			return fmt.Errorf("XPath filter of namespace nodes: %w", ErrUnsupported)
		case x.attr != nil:
			s.attrs[x.attr] = true
		default:
			s.nodes[x.n] = true
		}
	}
	f.list = append(f.list, s)
	return nil
}

func (f *subtrees) prune(n *Node) bool {
	if f.cutting {
		for _, s := range f.list {
			if s.nodes[n] {
				return true
			}
		}
	}
	return false
}

func (f *subtrees) single() bool {
	for _, s := range f.list {
		if len(s.attrs) > 0 {
			return true
		}
	}
	return false
}

func (f *subtrees) keep(x xnode) (bool, error) {
	if f.cutting {
		return true, nil
	}
	in := true
	for _, s := range f.list {
		selected := x.attr != nil && s.attrs[x.attr]
		for n := x.n; n != nil && !selected; n = n.parent {
			selected = s.nodes[n]
			*f.steps++
		}
		switch s.op {
		case "union":
			in = in || selected
		case "intersect":
			in = in && selected
		default:
			in = in && !selected
		}
	}
	return in, f.charge(1)
}
