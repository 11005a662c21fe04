package pdf

import (
	"errors"
	"io"
	"strconv"
)

// errSyntax is wrapped with what was wrong where.
var errSyntax = errors.New("syntax error")

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokInt
	tokReal
	tokString
	tokName
	tokKeyword // true, obj, endstream, ...
	tokPunct   // [ ] << >>
)

type token struct {
	kind tokenKind
	at   int64
	i    int64
	f    float64
	text string
	hex  bool
}

func (t token) is(keyword string) bool {
	return (t.kind == tokKeyword || t.kind == tokPunct) && t.text == keyword
}

// lexer cuts bytes into tokens, reading them in windows. ISO 32000-1, section 7.2.
type lexer struct {
	r     io.ReaderAt // nil: buf is everything
	limit int64       // end of what may be read
	pos   int64
	buf   []byte
	bufAt int64
	err   error // of reading
}

func newLexer(r io.ReaderAt, limit, pos int64) *lexer {
	return &lexer{r: r, limit: limit, pos: pos}
}

func bytesLexer(b []byte, pos int64) *lexer {
	return &lexer{limit: int64(len(b)), buf: b, pos: pos}
}

// peek returns the byte at distance ahead; false at the end.
func (l *lexer) peek(ahead int64) (byte, bool) {
	at := l.pos + ahead
	if at >= l.bufAt && at < l.bufAt+int64(len(l.buf)) {
		return l.buf[at-l.bufAt], true
	}
	if at < 0 || at >= l.limit || l.r == nil || !l.fill(at) {
		return 0, false
	}
	return l.buf[at-l.bufAt], true
}

// fill reads the window that begins at the given offset: small ones first,
// since most objects are short.
func (l *lexer) fill(at int64) bool {
	size := int64(1 << 10)
	if at == l.bufAt+int64(len(l.buf)) && l.buf != nil {
		size = min(4*int64(cap(l.buf)), 1<<16)
	}
	size = min(size, l.limit-at)
	if int64(cap(l.buf)) < size {
		l.buf = make([]byte, size)
	}
	n, err := l.r.ReadAt(l.buf[:size], at)
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	l.buf, l.bufAt = l.buf[:n], at
	return n > 0
}

// skipSpace goes over white space and comments.
func (l *lexer) skipSpace() {
	for {
		c, ok := l.peek(0)
		switch {
		case !ok:
			return
		case c == '%':
			for ok && c != '\n' && c != '\r' {
				l.pos++
				c, ok = l.peek(0)
			}
		case isSpace(c):
			l.pos++
		default:
			return
		}
	}
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	l.skipSpace()
	t := token{at: l.pos}
	c, ok := l.peek(0)
	if !ok {
		return t, l.err
	}
	switch {
	case isDigit(c) || c == '+' || c == '-' || c == '.':
		return l.number(t)
	case c == '/':
		l.pos++
		t.kind, t.text = tokName, l.name()
	case c == '(':
		return l.literal(t)
	case c == '<' || c == '>':
		d, _ := l.peek(1)
		if d == c {
			l.pos += 2
			t.kind, t.text = tokPunct, string([]byte{c, c})
			return t, nil
		}
		if c == '>' {
			l.pos++
			return t, syntax(t.at, "stray >")
		}
		return l.hexString(t)
	case c == '[' || c == ']' || c == '{' || c == '}' || c == ')':
		l.pos++
		t.kind, t.text = tokPunct, string(c)
	default:
		t.kind, t.text = tokKeyword, l.word()
	}
	return t, nil
}

// word reads regular characters, at most 128 of which count.
func (l *lexer) word() string {
	var w []byte
	for {
		c, ok := l.peek(0)
		if !ok || isSpace(c) || isDelimiter(c) {
			return string(w)
		}
		if len(w) < 128 {
			w = append(w, c)
		}
		l.pos++
	}
}

func (l *lexer) name() string {
	var w []byte
	for {
		c, ok := l.peek(0)
		if !ok || isSpace(c) || isDelimiter(c) {
			return string(w)
		}
		l.pos++
		if c == '#' {
			a, okA := l.peek(0)
			b, okB := l.peek(1)
			hi, lo := unhex(a), unhex(b)
			if okA && okB && hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				l.pos += 2
			}
		}
		if len(w) < 4096 {
			w = append(w, c)
		}
	}
}

// number reads integers and reals; signs may be repeated and digits missing, as
// old makers write them.
func (l *lexer) number(t token) (token, error) {
	var w []byte
	real := false
	for {
		c, ok := l.peek(0)
		if !ok || !(isDigit(c) || c == '.' || c == '-' || c == '+') {
			break
		}
		l.pos++
		switch {
		case c == '+' || c == '-':
			if len(w) > 0 {
				continue // "12-34" counts as 12, "--5" as -5
			}
		case c == '.':
			if real {
				continue
			}
			real = true
		}
		if len(w) < 64 {
			w = append(w, c)
		}
	}
	if c, ok := l.peek(0); ok && !isSpace(c) && !isDelimiter(c) {
		t.kind, t.text = tokKeyword, string(w)+l.word()
		return t, nil
	}
	s := string(w)
	if !real {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			t.kind, t.i = tokInt, i
			return t, nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		f = 0 // a lone sign or dot
	}
	t.kind, t.f = tokReal, f
	return t, nil
}

func (l *lexer) literal(t token) (token, error) {
	l.pos++
	var s []byte
	for depth := 1; ; {
		c, ok := l.peek(0)
		if !ok || len(s) > maxString {
			return t, syntax(t.at, "string without end")
		}
		l.pos++
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				t.kind, t.text = tokString, string(s)
				return t, l.err
			}
		case '\r':
			if d, _ := l.peek(0); d == '\n' {
				l.pos++
			}
			c = '\n'
		case '\\':
			if c, ok = l.escape(); !ok {
				continue
			}
		}
		s = append(s, c)
	}
}

// escape reads what follows a backslash; false when it stands for nothing.
func (l *lexer) escape() (byte, bool) {
	c, ok := l.peek(0)
	if !ok {
		return 0, false
	}
	l.pos++
	switch c {
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case '\n':
		return 0, false
	case '\r':
		if d, _ := l.peek(0); d == '\n' {
			l.pos++
		}
		return 0, false
	}
	if c < '0' || c > '7' {
		return c, true
	}
	v := int(c - '0')
	for range 2 {
		d, ok := l.peek(0)
		if !ok || d < '0' || d > '7' {
			break
		}
		v = v<<3 | int(d-'0')
		l.pos++
	}
	return byte(v), true
}

func (l *lexer) hexString(t token) (token, error) {
	l.pos++
	var s []byte
	half, digits := 0, 0
	for {
		c, ok := l.peek(0)
		if !ok || len(s) > maxString {
			return t, syntax(t.at, "hexadecimal string without end")
		}
		l.pos++
		if c == '>' {
			break
		}
		d := unhex(c)
		if d < 0 {
			if isSpace(c) {
				continue
			}
			return t, syntax(t.at, "no hexadecimal digit")
		}
		if digits++; digits%2 == 1 {
			half = d
		} else {
			s = append(s, byte(half<<4|d))
		}
	}
	if digits%2 == 1 {
		s = append(s, byte(half<<4))
	}
	t.kind, t.text, t.hex = tokString, string(s), true
	return t, l.err
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
