package xmldsig

import (
	"fmt"
	"strconv"
	"strings"
)

// expr is a parsed expression of XPath 1.0.
type expr interface {
	// eval gives bool, float64, string or nodeList.
	eval(c *xcontext) (any, error)
	// uniform tells that the value for an attribute or namespace node is that for its element.
	uniform() bool
}

type (
	constant  struct{ value any }
	operation struct {
		op          string
		left, right expr
	}
	negation struct{ of expr }
	call     struct {
		name string
		fn   function
		args []expr
	}
	// location is a path: from the root, from the nodes of start, or from the context node.
	location struct {
		absolute bool
		start    expr
		filters  []expr // predicates of start
		steps    []step
	}
	step struct {
		axis  string
		test  nodeTest
		preds []expr
	}
	// nodeTest is a kind of node, or a name of the axis's principal kind.
	nodeTest struct {
		kind         string // node, text, comment, processing-instruction, or empty for a name
		anyName      bool   // *
		anyLocal     bool   // prefix:*
		space, local string // local is also the target of a processing instruction
	}
)

// compile parses an expression; at gives the namespaces.
func compile(source string, at *Node) (expr, error) {
	list, err := tokens(source)
	if err != nil {
		return nil, err
	}
	p := &exprParser{tokens: list, at: at}
	e, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokenEnd {
		return nil, p.unexpected()
	}
	return e, nil
}

type exprParser struct {
	tokens  []token
	at      *Node
	nesting int
}

func (p *exprParser) peek() token { return p.tokens[0] }

func (p *exprParser) take() token {
	t := p.tokens[0]
	if len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes one of these symbols.
func (p *exprParser) accept(symbols ...string) (string, bool) {
	if t := p.peek(); t.kind == tokenSymbol {
		for _, s := range symbols {
			if t.text == s {
				p.take()
				return s, true
			}
		}
	}
	return "", false
}

func (p *exprParser) expect(symbol string) error {
	if _, ok := p.accept(symbol); !ok {
		return p.unexpected()
	}
	return nil
}

func (p *exprParser) unexpected() error {
	return fmt.Errorf("%.30q where an expression cannot have it: %w", p.peek().text, ErrUnsupported)
}

// levels are the binary operators, loosest first.
var levels = [][]string{{"or"}, {"and"}, {"=", "!="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "div", "mod"}}

func (p *exprParser) binary(level int) (expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	if level == 0 {
		if p.nesting++; p.nesting > maxNesting {
			return nil, fmt.Errorf("an expression nested more than %d deep: %w", maxNesting, ErrLimit)
		}
		defer func() { p.nesting-- }()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		op, ok := p.accept(levels[level]...)
		if !ok {
			return left, nil
		}
		var right expr
		right, err = p.binary(level + 1)
		left = &operation{op, left, right}
	}
	return nil, err
}

func (p *exprParser) unary() (expr, error) {
	minus := 0
	for {
		if _, ok := p.accept("-"); !ok {
			break
		}
		minus++
	}
	e, err := p.union()
	if err == nil && minus > 0 {
		e = &negation{e}
		if minus%2 == 0 {
			e = &negation{e}
		}
	}
	return e, err
}

func (p *exprParser) union() (expr, error) {
	left, err := p.path()
	for err == nil {
		if _, ok := p.accept("|"); !ok {
			return left, nil
		}
		var right expr
		right, err = p.path()
		left = &operation{"|", left, right}
	}
	return nil, err
}

// path is a LocationPath or a FilterExpr with what follows.
func (p *exprParser) path() (expr, error) {
	l := &location{}
	t := p.peek()
	switch {
	case t.kind == tokenLiteral, t.kind == tokenNumber, t.kind == tokenFunction, t.kind == tokenSymbol && t.text == "(":
		start, err := p.primary()
		if err != nil {
			return nil, err
		}
		l.start = start
		if l.filters, err = p.predicates(); err != nil {
			return nil, err
		}
		slash, ok := p.accept("/", "//")
		if !ok {
			if len(l.filters) == 0 {
				return start, nil
			}
			return l, nil
		}
		return l, p.relative(l, slash == "//")
	case t.kind == tokenSymbol && t.text == "/":
		p.take()
		l.absolute = true
		if !p.stepFollows() {
			return l, nil
		}
		return l, p.relative(l, false)
	case t.kind == tokenSymbol && t.text == "//":
		p.take()
		l.absolute = true
		return l, p.relative(l, true)
	}
	return l, p.relative(l, false)
}

func (p *exprParser) stepFollows() bool {
	switch t := p.peek(); t.kind {
	case tokenName, tokenAxis, tokenNodeType:
		return true
	case tokenSymbol:
		return t.text == "." || t.text == ".." || t.text == "@"
	}
	return false
}

var anyNode = nodeTest{kind: "node"}

// relative reads steps; deep says that // stands before the first.
func (p *exprParser) relative(l *location, deep bool) error {
	for {
		if deep {
			l.steps = append(l.steps, step{axis: "descendant-or-self", test: anyNode})
		}
		s, err := p.step()
		if err != nil {
			return err
		}
		l.steps = append(l.steps, s)
		slash, ok := p.accept("/", "//")
		if !ok {
			return nil
		}
		deep = slash == "//"
	}
}

func (p *exprParser) step() (s step, err error) {
	if symbol, ok := p.accept(".", ".."); ok {
		if symbol == "." {
			return step{axis: "self", test: anyNode}, nil
		}
		return step{axis: "parent", test: anyNode}, nil
	}
	s.axis = "child"
	if _, ok := p.accept("@"); ok {
		s.axis = "attribute"
	} else if p.peek().kind == tokenAxis {
		s.axis = p.take().text
		if axes[s.axis] == nil {
			return s, fmt.Errorf("the axis %.30q: %w", s.axis, ErrUnsupported)
		}
		if err := p.expect("::"); err != nil {
			return s, err
		}
	}
	if s.test, err = p.nodeTest(); err != nil {
		return s, err
	}
	s.preds, err = p.predicates()
	return s, err
}

func (p *exprParser) nodeTest() (t nodeTest, err error) {
	switch tok := p.take(); tok.kind {
	case tokenNodeType:
		t.kind = tok.text
		if err := p.expect("("); err != nil {
			return t, err
		}
		if t.kind == "processing-instruction" && p.peek().kind == tokenLiteral {
			t.local = p.take().text
		}
		return t, p.expect(")")
	case tokenName:
		prefix, local, has := strings.Cut(tok.text, ":")
		if !has {
			return nodeTest{anyName: tok.text == "*", local: tok.text}, nil
		}
		uri, ok := p.at.lookup(prefix)
		if !ok {
			return t, fmt.Errorf("the prefix %.30q in an expression is not declared: %w", prefix, ErrUnsupported)
		}
		return nodeTest{anyLocal: local == "*", space: uri, local: local}, nil
	}
	return t, p.unexpected()
}

func (p *exprParser) predicates() (list []expr, err error) {
	for {
		if _, ok := p.accept("["); !ok {
			return list, nil
		}
		e, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if err := p.expect("]"); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
}

func (p *exprParser) primary() (expr, error) {
	switch t := p.take(); t.kind {
	case tokenLiteral:
		return constant{t.text}, nil
	case tokenNumber:
		v, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, fmt.Errorf("the number %.30q: %w", t.text, ErrUnsupported)
		}
		return constant{v}, nil
	case tokenFunction:
		return p.call(t.text)
	}
	e, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

func (p *exprParser) call(name string) (expr, error) {
	f, ok := functions[name]
	if !ok {
		return nil, fmt.Errorf("the function %.40q: %w", name, ErrUnsupported)
	}
	c := &call{name: name, fn: f}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	if _, ok := p.accept(")"); !ok {
		for {
			arg, err := p.binary(0)
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, arg)
			if _, ok := p.accept(","); ok {
				continue
			}
			if err := p.expect(")"); err != nil {
				return nil, err
			}
			break
		}
	}
	if len(c.args) < f.least || len(c.args) > f.most {
		return nil, fmt.Errorf("%d arguments of the function %s: %w", len(c.args), name, ErrUnsupported)
	}
	return c, nil
}
