package xmldsig

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// function is one of the functions that expressions may call.
type function struct {
	least, most int
	// context says that without arguments the function is about the context node.
	context bool
	call    func(c *xcontext, args []any) (any, error)
}

// functions are those of XPath 1.0, section 4, and here() of XML Signature, section 6.6.3.1.
var functions = map[string]function{
	"last":     {0, 0, false, func(c *xcontext, _ []any) (any, error) { return float64(c.size), nil }},
	"position": {0, 0, false, func(c *xcontext, _ []any) (any, error) { return float64(c.position), nil }},
	"count": {1, 1, false, func(_ *xcontext, args []any) (any, error) {
		list, ok := args[0].(nodeList)
		if !ok {
			return nil, ErrUnsupported
		}
		return float64(len(list)), nil
	}},
	"here":             {0, 0, false, func(c *xcontext, _ []any) (any, error) { return nodeList{{n: c.here}}, nil }},
	"id":               {1, 1, false, byID},
	"local-name":       {0, 1, true, named(func(q qname) string { return q.local })},
	"namespace-uri":    {0, 1, true, named(func(q qname) string { return q.space })},
	"name":             {0, 1, true, named(func(q qname) string { return q.String() })},
	"string":           {0, 1, true, func(c *xcontext, args []any) (any, error) { return c.text(c.orContext(args)) }},
	"string-length":    {0, 1, true, onText(func(s string) any { return float64(utf8.RuneCountInString(s)) })},
	"normalize-space":  {0, 1, true, onText(func(s string) any { return strings.Join(strings.FieldsFunc(s, xmlSpace), " ") })},
	"number":           {0, 1, true, func(c *xcontext, args []any) (any, error) { return c.number(c.orContext(args)) }},
	"concat":           {2, maxTokens, false, onTexts(func(s ...string) any { return strings.Join(s, "") })},
	"starts-with":      {2, 2, false, onTexts(func(s ...string) any { return strings.HasPrefix(s[0], s[1]) })},
	"contains":         {2, 2, false, onTexts(func(s ...string) any { return strings.Contains(s[0], s[1]) })},
	"substring-before": {2, 2, false, onTexts(func(s ...string) any { before, _, _ := cutOr(s[0], s[1]); return before })},
	"substring-after":  {2, 2, false, onTexts(func(s ...string) any { _, after, _ := cutOr(s[0], s[1]); return after })},
	"substring":        {2, 3, false, substring},
	"translate":        {3, 3, false, onTexts(func(s ...string) any { return translate(s[0], s[1], s[2]) })},
	"boolean":          {1, 1, false, func(_ *xcontext, args []any) (any, error) { return truth(args[0]), nil }},
	"not":              {1, 1, false, func(_ *xcontext, args []any) (any, error) { return !truth(args[0]), nil }},
	"true":             {0, 0, false, func(*xcontext, []any) (any, error) { return true, nil }},
	"false":            {0, 0, false, func(*xcontext, []any) (any, error) { return false, nil }},
	"lang":             {1, 1, true, lang},
	"sum":              {1, 1, false, sum},
	"floor":            {1, 1, false, onNumber(math.Floor)},
	"ceiling":          {1, 1, false, onNumber(math.Ceil)},
	"round":            {1, 1, false, onNumber(func(f float64) float64 { return math.Floor(f + 0.5) })},
}

func (f *call) eval(c *xcontext) (any, error) {
	args := make([]any, len(f.args))
	for i, a := range f.args {
		v, err := a.eval(c)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	if err := c.charge(1); err != nil {
		return nil, err
	}
	return f.fn.call(c, args)
}

// orContext is the argument, or the context node where there is none.
func (c *xcontext) orContext(args []any) any {
	if len(args) > 0 {
		return args[0]
	}
	return nodeList{c.node}
}

// cutOr is strings.Cut with two empty strings where sep is not in s.
func cutOr(s, sep string) (before, after string, found bool) {
	if before, after, found = strings.Cut(s, sep); !found {
		return "", "", false
	}
	return before, after, true
}

func xmlSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

func onText(f func(string) any) func(*xcontext, []any) (any, error) {
	return func(c *xcontext, args []any) (any, error) {
		s, err := c.text(c.orContext(args))
		return f(s), err
	}
}

func onTexts(f func(...string) any) func(*xcontext, []any) (any, error) {
	return func(c *xcontext, args []any) (any, error) {
		all := make([]string, len(args))
		for i, a := range args {
			s, err := c.text(a)
			if err != nil {
				return nil, err
			}
			all[i] = s
		}
		return f(all...), nil
	}
}

func onNumber(f func(float64) float64) func(*xcontext, []any) (any, error) {
	return func(c *xcontext, args []any) (any, error) {
		v, err := c.number(args[0])
		return f(v), err
	}
}

func named(f func(qname) string) func(*xcontext, []any) (any, error) {
	return func(c *xcontext, args []any) (any, error) {
		list, ok := c.orContext(args).(nodeList)
		switch {
		case !ok:
			return nil, ErrUnsupported
		case len(list) == 0:
			return "", nil
		}
		switch x := list[0]; {
		case x.attr != nil:
			return f(*x.attr.name), nil
		case x.ns != nil:
			return f(qname{local: x.ns.prefix}), nil
		case x.n.name != nil:
			return f(*x.n.name), nil
		}
		return "", nil
	}
}

func byID(c *xcontext, args []any) (any, error) {
	var ids []string
	if list, ok := args[0].(nodeList); ok {
		for _, x := range list {
			s, err := c.value(x)
			if err != nil {
				return nil, err
			}
			ids = append(ids, strings.FieldsFunc(s, xmlSpace)...)
		}
	} else {
		s, err := c.text(args[0])
		if err != nil {
			return nil, err
		}
		ids = strings.FieldsFunc(s, xmlSpace)
	}
	var out nodeList
	for _, id := range ids {
		if err := c.charge(1); err != nil {
			return nil, err
		}
		switch e := c.doc.ids[id]; {
		case e == nil:
		case e.count > 1:
			return nil, ErrDuplicateID
		default:
			out = append(out, xnode{n: e.node})
		}
	}
	return c.order(out)
}

func lang(c *xcontext, args []any) (any, error) {
	want, err := c.text(args[0])
	if err != nil {
		return nil, err
	}
	for n := c.node.n; n != nil; n = n.parent {
		if has, ok := n.Attr(namespaceXML, "lang"); ok {
			return strings.EqualFold(has, want) || len(has) > len(want) && has[len(want)] == '-' && strings.EqualFold(has[:len(want)], want), nil
		}
	}
	return false, nil
}

func sum(c *xcontext, args []any) (any, error) {
	list, ok := args[0].(nodeList)
	if !ok {
		return nil, ErrUnsupported
	}
	total := 0.0
	for _, x := range list {
		s, err := c.value(x)
		if err != nil {
			return nil, err
		}
		total += toNumber(s)
	}
	return total, nil
}

// substring is XPath 1.0, section 4.2: characters from position args[1], rounded, args[2] of them.
func substring(c *xcontext, args []any) (any, error) {
	s, err := c.text(args[0])
	if err != nil {
		return nil, err
	}
	from, err := c.number(args[1])
	if err != nil {
		return nil, err
	}
	from = math.Floor(from + 0.5)
	to := math.Inf(1)
	if len(args) == 3 {
		length, err := c.number(args[2])
		if err != nil {
			return nil, err
		}
		to = from + math.Floor(length+0.5)
	}
	var b strings.Builder
	position := 0.0
	for _, r := range s {
		if position++; position >= from && position < to {
			b.WriteRune(r)
		}
	}
	return b.String(), nil
}

func translate(s, from, to string) string {
	table := map[rune]rune{}
	with := []rune(to)
	for i, r := range []rune(from) {
		if _, ok := table[r]; ok {
			continue
		}
		table[r] = -1
		if i < len(with) {
			table[r] = with[i]
		}
	}
	return strings.Map(func(r rune) rune {
		if t, ok := table[r]; ok {
			return t
		}
		return r
	}, s)
}

// truth is the function boolean.
func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	case nodeList:
		return len(v) > 0
	}
	return false
}

// value is the string-value of a node.
func (c *xcontext) value(x xnode) (string, error) {
	switch {
	case x.attr != nil:
		return x.attr.value, nil
	case x.ns != nil:
		return x.ns.uri, nil
	}
	if err := c.charge(int(x.n.end-x.n.start) / 16); err != nil {
		return "", err
	}
	return x.n.Text(), nil
}

// text is the function string.
func (c *xcontext) text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		switch {
		case math.IsInf(v, 0):
			return strings.Replace(strconv.FormatFloat(v, 'f', -1, 64), "Inf", "Infinity", 1)[boolInt(v > 0):], nil
		case v == 0:
			return "0", nil
		}
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case nodeList:
		if len(v) > 0 {
			return c.value(v[0])
		}
	}
	return "", nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// number is the function number.
func (c *xcontext) number(v any) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case bool:
		return float64(boolInt(v)), nil
	}
	s, err := c.text(v)
	return toNumber(s), err
}

func toNumber(s string) float64 {
	s = strings.TrimFunc(s, xmlSpace)
	body := strings.TrimPrefix(s, "-")
	if body == "" || strings.Trim(body, "0123456789.") != "" || strings.Count(body, ".") > 1 || body == "." {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}
