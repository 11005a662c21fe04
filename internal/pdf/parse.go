package pdf

import (
	"bytes"
	"fmt"
	"io"
)

func syntax(at int64, what string) error {
	return fmt.Errorf("%w at byte %d: %s", errSyntax, at, what)
}

// parser builds objects from tokens.
type parser struct {
	lexer
	direct    bool // the bytes are the file's own, so that offsets mean something
	nodes     int
	duplicate bool
	// lookup resolves the Length of a stream; nil where a reference cannot be.
	lookup func(Ref) Object
	// scan finds the end of a stream whose Length is wrong; nil: error.
	scan func(from int64) (int64, bool)
}

// value reads one object. A reference needs three tokens, so integers are
// looked at further.
func (p *parser) value(depth int) (Object, error) {
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	return p.valueFrom(t, depth)
}

func (p *parser) valueFrom(t token, depth int) (Object, error) {
	if p.nodes++; p.nodes > maxNodes {
		return nil, syntax(t.at, "too many values")
	}
	switch t.kind {
	case tokInt:
		return p.intOrRef(t), nil
	case tokReal:
		return t.f, nil
	case tokName:
		return Name(t.text), nil
	case tokString:
		s := String{Value: t.text, Hex: t.hex}
		if p.direct {
			s.At, s.Len = t.at, p.pos-t.at
		}
		return s, nil
	case tokKeyword:
		switch t.text {
		case "true":
			return true, nil
		case "false":
			return false, nil
		case "null":
			return nil, nil
		}
		return nil, syntax(t.at, "unexpected "+t.text)
	case tokPunct:
		if depth >= maxDepth {
			return nil, syntax(t.at, "nested too deeply")
		}
		switch t.text {
		case "[":
			return p.array(depth + 1)
		case "<<":
			return p.dict(depth + 1)
		}
	}
	if t.kind == tokEOF {
		return nil, syntax(t.at, "unexpected end")
	}
	return nil, syntax(t.at, "unexpected "+t.text)
}

func (p *parser) intOrRef(t token) Object {
	if t.i < 0 || t.i > maxObjectNum {
		return t.i
	}
	back := p.pos
	gen, err := p.next()
	if err == nil && gen.kind == tokInt && gen.i >= 0 && gen.i <= 65535 {
		r, err := p.next()
		if err == nil && r.is("R") {
			return Ref{Num: uint32(t.i), Gen: uint16(gen.i)}
		}
	}
	p.pos = back
	return t.i
}

func (p *parser) array(depth int) (Object, error) {
	a := Array{}
	for {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if t.is("]") {
			return a, nil
		}
		v, err := p.valueFrom(t, depth)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
}

func (p *parser) dict(depth int) (Object, error) {
	d := Dict{}
	for {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		if t.is(">>") {
			return d, nil
		}
		if t.kind != tokName {
			return nil, syntax(t.at, "a dictionary key is no name")
		}
		if t2, err := p.next(); err != nil {
			return nil, err
		} else if t2.is(">>") {
			return d, nil // a key without value, at the end
		} else {
			v, err := p.valueFrom(t2, depth)
			if err != nil {
				return nil, err
			}
			key := Name(t.text)
			if _, twice := d[key]; twice {
				p.duplicate = true
			}
			if v == nil {
				delete(d, key) // null is as good as absent, section 7.3.7
				continue
			}
			d[key] = v
		}
	}
}

// indirect reads "n g obj ... endobj" with its stream, if it has one.
func (p *parser) indirect() (*Indirect, error) {
	num, err := p.next()
	if err != nil {
		return nil, err
	}
	gen, err := p.next()
	if err != nil {
		return nil, err
	}
	obj, err := p.next()
	if err != nil {
		return nil, err
	}
	if num.kind != tokInt || gen.kind != tokInt || !obj.is("obj") ||
		num.i < 0 || num.i > maxObjectNum || gen.i < 0 || gen.i > 65535 {
		return nil, syntax(num.at, "no indirect object")
	}
	in := &Indirect{Ref: Ref{uint32(num.i), uint16(gen.i)}, At: num.at}
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	if t.is("endobj") { // nothing in it: null
		in.End = p.pos
		return in, nil
	}
	p.nodes, p.duplicate = 0, false
	if in.Value, err = p.valueFrom(t, 0); err != nil {
		return nil, err
	}
	in.End = p.pos
	t, err = p.next()
	if err != nil {
		return nil, err
	}
	if d, ok := in.Value.(Dict); ok && t.is("stream") {
		s, err := p.stream(d)
		if err != nil {
			return nil, err
		}
		s.id = in.Ref
		in.Value, in.End = s, p.pos
		if t, err = p.next(); err != nil {
			return nil, err
		}
	}
	if t.is("endobj") {
		in.End = p.pos
	}
	in.Duplicate = p.duplicate
	return in, nil
}

// stream finds the bytes after the keyword. ISO 32000-1, section 7.3.8.
func (p *parser) stream(d Dict) (*Stream, error) {
	if c, _ := p.peek(0); c == '\r' {
		p.pos++
		if c, _ = p.peek(0); c == '\n' {
			p.pos++
		}
	} else if c == '\n' {
		p.pos++
	} else if c == ' ' { // blanks before the line end
		back := p.pos
		for c == ' ' || c == '\t' {
			p.pos++
			c, _ = p.peek(0)
		}
		switch d, _ := p.peek(1); {
		case c == '\r' && d == '\n':
			p.pos += 2
		case c == '\n' || c == '\r':
			p.pos++
		default:
			p.pos = back
		}
	}
	s := &Stream{Dict: d, At: p.pos}
	length := d["Length"]
	if r, ok := length.(Ref); ok && p.lookup != nil {
		length = p.lookup(r)
	}
	s.Len = Int(length, -1)
	if s.Len >= 0 && s.Len <= p.limit-s.At {
		p.pos = s.At + s.Len
		if t, err := p.next(); err == nil && t.is("endstream") {
			return s, nil
		}
	}
	if p.scan == nil {
		return nil, syntax(s.At, "stream of unknown length")
	}
	end, ok := p.scan(s.At)
	if !ok {
		return nil, syntax(s.At, "stream without end")
	}
	p.pos = end + int64(len("endstream"))
	s.Len = max(0, end-s.At-p.lineEndBefore(end))
	return s, nil
}

// lineEndBefore is the length of the line end that stands before at, which is
// no part of the stream's data.
func (p *parser) lineEndBefore(at int64) int64 {
	back := p.pos
	defer func() { p.pos = back }()
	p.pos = at - 1
	last, _ := p.peek(0)
	before, _ := p.peek(-1)
	switch {
	case last == '\n' && before == '\r':
		return 2
	case last == '\n' || last == '\r':
		return 1
	}
	return 0
}

// scanEndstream searches "endstream" from an offset on, within the budget.
func (f *File) scanEndstream(from int64) (int64, bool) {
	return f.search([]byte("endstream"), from, f.size)
}

// search finds needle between two offsets.
func (f *File) search(needle []byte, from, to int64) (int64, bool) {
	chunk := make([]byte, 0, 1<<16)
	for at := from; at < to; {
		n := min(int64(cap(chunk)), to-at)
		if !f.spend(n) {
			return 0, false
		}
		got, err := f.r.ReadAt(chunk[:n], at)
		if i := bytes.Index(chunk[:got], needle); i >= 0 {
			return at + int64(i), true
		}
		if err != nil && err != io.EOF || int64(got) < n || at+n >= to {
			return 0, false
		}
		at += n - int64(len(needle)) + 1
	}
	return 0, false
}

// parserAt is a parser of the file's own bytes.
func (f *File) parserAt(at int64) *parser {
	return &parser{lexer: *newLexer(f.r, f.size, at), direct: true, scan: f.scanEndstream}
}
