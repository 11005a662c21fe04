package xmldsig

import (
	"context"
	"fmt"
	"strings"
)

// Coverage is what of the document a same-document reference covers.
type Coverage struct {
	// Whole: it names the document as a whole, or the document element.
	Whole bool
	// Nodes are the outermost elements covered, Out the outermost ones left out of them; maxCovered at most of each.
	Nodes, Out []*Node
	// Partial: text or attributes are left out of elements that are covered, or there are more elements than told.
	Partial bool
}

const maxCovered = 1000

// Covers tells what r covers. Filters count up to the transform that makes octets.
func (p *Processor) Covers(ctx context.Context, r *Reference) (c Coverage, err error) {
	d, err := p.resolve(r, nil)
	if err != nil {
		return c, err
	}
	if len(r.Transforms) > MaxTransforms {
		return c, fmt.Errorf("%d transforms: %w", len(r.Transforms), ErrLimit)
	}
	for _, t := range r.Transforms {
		switch t.Get("Algorithm") {
		case TransformEnveloped, TransformXPath, TransformXPath2:
		default:
			return p.coverage(d.set)
		}
		if d, err = p.transform(ctx, d, []*Node{t}); err != nil {
			return c, err
		}
	}
	return p.coverage(d.set)
}

func (p *Processor) coverage(set *nodeSet) (c Coverage, err error) {
	c.Whole = set.apex == p.doc.node || set.apex == p.doc.root
	if len(set.filters) == 0 {
		n := set.apex
		if n == p.doc.node {
			n = p.doc.root
		}
		c.Nodes = []*Node{n}
		return c, nil
	}
	err = c.walk(set, set.apex, false)
	return c, err
}

// walk looks at n and what is in it; in says that the element around is covered.
func (c *Coverage) walk(set *nodeSet, n *Node, in bool) error {
	here, err := false, error(nil)
	if !set.prune(n) {
		if here, err = set.keep(xnode{n: n}); err != nil {
			return err
		}
	}
	switch {
	case n.kind == TextNode:
		c.Partial = c.Partial || in && !here && strings.TrimSpace(n.value) != ""
		return nil
	case n.kind == DocumentNode:
		here = false
	case n.kind != ElementNode:
		return nil
	case here && !in:
		c.add(&c.Nodes, n)
	case in && !here:
		c.add(&c.Out, n)
	}
	if set.prune(n) {
		return nil
	}
	for i := range n.attrs {
		if !here || !set.single() {
			break
		}
		keep, err := set.keep(xnode{n: n, attr: &n.attrs[i]})
		if err != nil {
			return err
		}
		c.Partial = c.Partial || !keep
	}
	for child := n.first; child != nil; child = child.next {
		if err := c.walk(set, child, here); err != nil {
			return err
		}
	}
	return nil
}

func (c *Coverage) add(list *[]*Node, n *Node) {
	if len(*list) == maxCovered {
		c.Partial = true
		return
	}
	*list = append(*list, n)
}
