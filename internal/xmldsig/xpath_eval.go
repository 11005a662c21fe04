package xmldsig

import (
	"context"
	"fmt"
	"math"
	"sort"
)

// nodeList is a node-set, in document order without repetition.
type nodeList []xnode

// evaluation is what the expressions of one document share.
type evaluation struct {
	ctx   context.Context
	doc   *Document
	here  *Node // the element that holds the expression
	steps *int64
	// roots are the values of absolute paths, which do not depend on the context node.
	roots map[*location]nodeList
}

// maxSteps bounds the nodes that the expressions of a document look at.
const maxSteps = 40_000_000

// xcontext is the context of an expression.
type xcontext struct {
	*evaluation
	node           xnode
	position, size int
}

// charge counts work.
func (e *evaluation) charge(n int) error {
	before := *e.steps
	*e.steps += int64(n)
	if *e.steps > maxSteps {
		return fmt.Errorf("nodes that expressions look at: %w", ErrLimit)
	}
	if before>>16 != *e.steps>>16 {
		return e.ctx.Err()
	}
	return nil
}

var xmlBinding = binding{"xml", namespaceXML}

// axes give the nodes of an axis in its order, and whether that is against document order. XPath 1.0, section 2.2.
var axes = map[string]func(x xnode, yield func(xnode) bool){
	"self": func(x xnode, yield func(xnode) bool) { yield(x) },
	"child": func(x xnode, yield func(xnode) bool) {
		if x.tree() {
			for c := x.n.first; c != nil && yield(xnode{n: c}); c = c.next {
			}
		}
	},
	"descendant":         func(x xnode, yield func(xnode) bool) { descend(x, false, yield) },
	"descendant-or-self": func(x xnode, yield func(xnode) bool) { descend(x, true, yield) },
	"parent": func(x xnode, yield func(xnode) bool) {
		if p := x.parent(); p != nil {
			yield(xnode{n: p})
		}
	},
	"ancestor": func(x xnode, yield func(xnode) bool) {
		for p := x.parent(); p != nil && yield(xnode{n: p}); p = p.parent {
		}
	},
	"ancestor-or-self": func(x xnode, yield func(xnode) bool) {
		if yield(x) {
			for p := x.parent(); p != nil && yield(xnode{n: p}); p = p.parent {
			}
		}
	},
	"following-sibling": func(x xnode, yield func(xnode) bool) {
		if x.tree() {
			for c := x.n.next; c != nil && yield(xnode{n: c}); c = c.next {
			}
		}
	},
	"preceding-sibling": func(x xnode, yield func(xnode) bool) {
		if !x.tree() || x.n.parent == nil {
			return
		}
		var before []*Node
		for c := x.n.parent.first; c != x.n; c = c.next {
			before = append(before, c)
		}
		for i := len(before) - 1; i >= 0 && yield(xnode{n: before[i]}); i-- {
		}
	},
	"following": func(x xnode, yield func(xnode) bool) {
		n := x.n.after(nil)
		if !x.tree() {
			n = x.n.following(nil)
		}
		for ; n != nil && yield(xnode{n: n}); n = n.following(nil) {
		}
	},
	"attribute": func(x xnode, yield func(xnode) bool) {
		if x.tree() {
			for i := range x.n.attrs {
				if !yield(xnode{n: x.n, attr: &x.n.attrs[i]}) {
					return
				}
			}
		}
	},
	"namespace": namespaceAxis,
}

// reverse are the axes against document order.
var reverse = map[string]bool{"ancestor": true, "ancestor-or-self": true, "preceding-sibling": true, "parent": true}

// tree tells whether x is a node of the tree.
func (x xnode) tree() bool { return x.attr == nil && x.ns == nil }

func (x xnode) parent() *Node {
	if x.tree() {
		return x.n.parent
	}
	return x.n
}

func descend(x xnode, self bool, yield func(xnode) bool) {
	if self && !yield(x) || !x.tree() {
		return
	}
	for n := x.n.following(x.n); n != nil && yield(xnode{n: n}); n = n.following(x.n) {
	}
}

func namespaceAxis(x xnode, yield func(xnode) bool) {
	if !x.tree() || x.n.kind != ElementNode {
		return
	}
	seen := map[string]bool{"xml": true}
	if !yield(xnode{n: x.n, ns: &xmlBinding}) {
		return
	}
	for m := x.n; m != nil; m = m.parent {
		for i := range m.decls {
			b := &m.decls[i]
			if seen[b.prefix] {
				continue
			}
			seen[b.prefix] = true
			if b.uri != "" && !yield(xnode{n: x.n, ns: b}) {
				return
			}
		}
	}
}

// less is document order: an element, its namespace nodes, its attributes, its children.
func (x xnode) less(y xnode) bool {
	if x.n != y.n {
		return x.n.order < y.n.order
	}
	rank := func(x xnode) int {
		switch {
		case x.ns != nil:
			return 1
		case x.attr != nil:
			for i := range x.n.attrs {
				if &x.n.attrs[i] == x.attr {
					return 2 + i
				}
			}
		}
		return 0
	}
	if x.ns != nil && y.ns != nil {
		return x.ns.prefix < y.ns.prefix
	}
	return rank(x) < rank(y)
}

// matches applies a node test. XPath 1.0, section 2.3.
func (t *nodeTest) matches(axis string, x xnode) bool {
	switch t.kind {
	case "node":
		return true
	case "text":
		return x.tree() && x.n.kind == TextNode
	case "comment":
		return x.tree() && x.n.kind == CommentNode
	case "processing-instruction":
		return x.tree() && x.n.kind == PINode && (t.local == "" || t.local == x.n.name.local)
	}
	var name qname
	switch {
	case axis == "attribute":
		if x.attr == nil {
			return false
		}
		name = *x.attr.name
	case axis == "namespace":
		if x.ns == nil {
			return false
		}
		name = qname{local: x.ns.prefix}
	case x.tree() && x.n.kind == ElementNode:
		name = *x.n.name
	default:
		return false
	}
	return t.anyName || name.space == t.space && (t.anyLocal || name.local == t.local)
}

func (l *location) eval(c *xcontext) (any, error) {
	if !l.absolute || l.start != nil {
		return l.find(c)
	}
	if list, ok := c.roots[l]; ok {
		return list, c.charge(1)
	}
	list, err := l.find(c)
	if err == nil {
		c.roots[l] = list
	}
	return list, err
}

func (l *location) find(c *xcontext) (nodeList, error) {
	var list nodeList
	switch {
	case l.absolute:
		list = nodeList{{n: c.doc.node}}
	case l.start != nil:
		v, err := l.start.eval(c)
		if err != nil {
			return nil, err
		}
		set, ok := v.(nodeList)
		if !ok {
			return nil, fmt.Errorf("a path from what is no node-set: %w", ErrUnsupported)
		}
		if list, err = c.filter(set, l.filters); err != nil {
			return nil, err
		}
	default:
		list = nodeList{c.node}
	}
	for i := range l.steps {
		next, err := c.step(list, &l.steps[i])
		if err != nil {
			return nil, err
		}
		list = next
	}
	return list, nil
}

// step applies one step of a path to each node of list.
func (c *xcontext) step(list nodeList, s *step) (nodeList, error) {
	var out nodeList
	for _, x := range list {
		var found nodeList
		var err error
		looked := 1
		axes[s.axis](x, func(y xnode) bool {
			if looked++; looked%1024 == 0 {
				if err = c.charge(1024); err != nil {
					return false
				}
			}
			if s.test.matches(s.axis, y) {
				found = append(found, y)
			}
			return true
		})
		if err == nil {
			err = c.charge(looked % 1024)
		}
		if err == nil {
			found, err = c.filter(found, s.preds)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	if len(list) > 1 || reverse[s.axis] || s.axis == "namespace" {
		return c.order(out)
	}
	return out, nil
}

// order sorts and takes out repetitions.
func (c *xcontext) order(list nodeList) (nodeList, error) {
	if len(list) < 2 {
		return list, nil
	}
	if err := c.charge(len(list)); err != nil {
		return nil, err
	}
	sort.Slice(list, func(i, j int) bool { return list[i].less(list[j]) })
	out := list[:1]
	for _, x := range list[1:] {
		if x != out[len(out)-1] {
			out = append(out, x)
		}
	}
	return out, nil
}

// filter keeps the nodes that all predicates hold for. XPath 1.0, section 2.4.
func (c *xcontext) filter(list nodeList, preds []expr) (nodeList, error) {
	for _, pred := range preds {
		var kept nodeList
		for i, x := range list {
			inner := &xcontext{evaluation: c.evaluation, node: x, position: i + 1, size: len(list)}
			if err := c.charge(1); err != nil {
				return nil, err
			}
			v, err := pred.eval(inner)
			if err != nil {
				return nil, err
			}
			keep := truth(v)
			if number, ok := v.(float64); ok {
				keep = number == float64(i+1)
			}
			if keep {
				kept = append(kept, x)
			}
		}
		list = kept
	}
	return list, nil
}

func (k constant) eval(*xcontext) (any, error) { return k.value, nil }

func (n *negation) eval(c *xcontext) (any, error) {
	v, err := n.of.eval(c)
	if err != nil {
		return nil, err
	}
	f, err := c.number(v)
	return -f, err
}

func (b *operation) eval(c *xcontext) (any, error) {
	left, err := b.left.eval(c)
	if err != nil {
		return nil, err
	}
	if b.op == "and" && !truth(left) || b.op == "or" && truth(left) {
		return b.op == "or", nil
	}
	right, err := b.right.eval(c)
	if err != nil {
		return nil, err
	}
	switch b.op {
	case "and", "or":
		return truth(right), nil
	case "|":
		l, ok1 := left.(nodeList)
		r, ok2 := right.(nodeList)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("the union of what are no node-sets: %w", ErrUnsupported)
		}
		return c.order(append(l[:len(l):len(l)], r...))
	case "=", "!=", "<", "<=", ">", ">=":
		return c.compare(b.op, left, right)
	}
	x, err := c.number(left)
	if err != nil {
		return nil, err
	}
	y, err := c.number(right)
	return arithmetic(b.op, x, y), err
}

func arithmetic(op string, x, y float64) float64 {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "div":
		return x / y
	}
	return math.Mod(x, y)
}
