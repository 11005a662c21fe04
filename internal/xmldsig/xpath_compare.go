package xmldsig

// compare is XPath 1.0, section 3.4: a node-set compares true if one of its nodes does.
func (c *xcontext) compare(op string, left, right any) (bool, error) {
	l, leftSet := left.(nodeList)
	r, rightSet := right.(nodeList)
	switch {
	case leftSet && rightSet:
		return c.compareSets(op, l, r)
	case leftSet:
		return c.compareSet(op, l, right, false)
	case rightSet:
		return c.compareSet(op, r, left, true)
	}
	return c.compareValues(op, left, right)
}

// compareSet compares a node-set with a value; swapped says that the value stands left.
func (c *xcontext) compareSet(op string, set nodeList, value any, swapped bool) (bool, error) {
	if b, ok := value.(bool); ok {
		if swapped {
			return c.compareValues(op, b, truth(set))
		}
		return c.compareValues(op, truth(set), b)
	}
	for _, x := range set {
		s, err := c.value(x)
		if err != nil {
			return false, err
		}
		if err := c.charge(1); err != nil {
			return false, err
		}
		left, right := any(s), value
		if swapped {
			left, right = right, left
		}
		if ok, err := c.compareValues(op, left, right); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (c *xcontext) compareSets(op string, l, r nodeList) (bool, error) {
	for _, x := range l {
		s, err := c.value(x)
		if err != nil {
			return false, err
		}
		if ok, err := c.compareSet(op, r, s, true); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// compareValues compares two values that are no node-sets.
func (c *xcontext) compareValues(op string, left, right any) (bool, error) {
	if op == "=" || op == "!=" {
		equal, err := c.equal(left, right)
		return equal == (op == "="), err
	}
	x, err := c.number(left)
	if err != nil {
		return false, err
	}
	y, err := c.number(right)
	if err != nil {
		return false, err
	}
	switch op {
	case "<":
		return x < y, nil
	case "<=":
		return x <= y, nil
	case ">":
		return x > y, nil
	}
	return x >= y, nil
}

func (c *xcontext) equal(left, right any) (bool, error) {
	_, leftBool := left.(bool)
	_, rightBool := right.(bool)
	if leftBool || rightBool {
		return truth(left) == truth(right), nil
	}
	_, leftNumber := left.(float64)
	_, rightNumber := right.(float64)
	if leftNumber || rightNumber {
		x, err := c.number(left)
		if err != nil {
			return false, err
		}
		y, err := c.number(right)
		return x == y, err
	}
	x, err := c.text(left)
	if err != nil {
		return false, err
	}
	y, err := c.text(right)
	return x == y, err
}

// uniform: see expr. An attribute or namespace node has the ancestors of its element and that element itself, and no step by name on
// the axis ancestor-or-self matches it.
func (constant) uniform() bool     { return true }
func (n *negation) uniform() bool  { return n.of.uniform() }
func (b *operation) uniform() bool { return b.left.uniform() && b.right.uniform() }

func (f *call) uniform() bool {
	if f.fn.context && (len(f.args) == 0 || f.name == "lang") {
		return false
	}
	for _, a := range f.args {
		if !a.uniform() {
			return false
		}
	}
	return true
}

func (l *location) uniform() bool {
	switch {
	case l.absolute:
		return true
	case l.start != nil:
		return l.start.uniform()
	}
	s := &l.steps[0]
	if s.axis != "ancestor-or-self" || s.test.kind != "" {
		return false
	}
	return true
}
