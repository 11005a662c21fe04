package xmldsig

import (
	"fmt"
	"strings"
)

// Limits of expressions: far above what filters of signatures need.
const (
	maxExpression = 32 << 10
	maxTokens     = 4096
	maxNesting    = 64
)

// tokenKind is the kind of a token of an expression. XPath 1.0, section 3.7.
type tokenKind uint8

const (
	tokenEnd      tokenKind = iota
	tokenSymbol             // ( ) [ ] . .. @ , :: / // | + - = != < <= > >= and the operators * and or div mod
	tokenName               // a name test: QName, NCName:* or *
	tokenFunction           // a name before (
	tokenNodeType           // comment, text, processing-instruction, node before (
	tokenAxis               // a name before ::
	tokenLiteral
	tokenNumber
)

type token struct {
	kind tokenKind
	text string
}

var (
	nodeTypes     = map[string]bool{"comment": true, "text": true, "processing-instruction": true, "node": true}
	operatorNames = map[string]bool{"and": true, "or": true, "div": true, "mod": true}
	symbols       = []string{"..", "::", "//", "!=", "<=", ">=", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+", "-", "=", "<", ">"}
)

// tokens splits an expression.
func tokens(s string) ([]token, error) {
	if len(s) > maxExpression {
		return nil, fmt.Errorf("an expression of %d bytes: %w", len(s), ErrLimit)
	}
	var list []token
	for {
		s = s[spaces(s):]
		if s == "" {
			return append(list, token{}), nil
		}
		if len(list) == maxTokens {
			return nil, fmt.Errorf("an expression of more than %d tokens: %w", maxTokens, ErrLimit)
		}
		t, size := next(s, operatorExpected(list))
		if size == 0 {
			return nil, fmt.Errorf("%.30q in an expression: %w", s, ErrUnsupported)
		}
		list = append(list, t)
		s = s[size:]
	}
}

// operatorExpected tells whether a name or * that follows is an operator: the first rule of section 3.7.
func operatorExpected(before []token) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	if last.kind != tokenSymbol {
		return last.kind != tokenFunction && last.kind != tokenNodeType && last.kind != tokenAxis
	}
	return last.text == ")" || last.text == "]" || last.text == "." || last.text == ".."
}

// next reads the token at the beginning of s; size 0 if there is none.
func next(s string, operator bool) (t token, size int) {
	switch c := s[0]; {
	case c == '"' || c == '\'':
		end := strings.IndexByte(s[1:], c)
		if end < 0 {
			return token{}, 0
		}
		return token{tokenLiteral, s[1 : 1+end]}, end + 2
	case c >= '0' && c <= '9' || c == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		n := digits(s)
		if n < len(s) && s[n] == '.' {
			n++
			n += digits(s[n:])
		}
		return token{tokenNumber, s[:n]}, n
	case c == '*':
		if operator {
			return token{tokenSymbol, "*"}, 1
		}
		return token{tokenName, "*"}, 1
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(s, symbol) {
			return token{tokenSymbol, symbol}, len(symbol)
		}
	}
	return nextName(s, operator)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// ncNameLength is the length of the NCName at the beginning of s.
func ncNameLength(s string) int {
	n := nameLength(s)
	if i := strings.IndexByte(s[:n], ':'); i >= 0 {
		n = i
	}
	return n
}

func nextName(s string, operator bool) (token, int) {
	n := ncNameLength(s)
	if n == 0 {
		return token{}, 0
	}
	if operator {
		if !operatorNames[s[:n]] {
			return token{}, 0
		}
		return token{tokenSymbol, s[:n]}, n
	}
	if strings.HasPrefix(s[n:], ":") && !strings.HasPrefix(s[n:], "::") {
		if strings.HasPrefix(s[n+1:], "*") {
			return token{tokenName, s[:n+2]}, n + 2
		}
		local := ncNameLength(s[n+1:])
		if local == 0 {
			return token{}, 0
		}
		n += 1 + local
	}
	name := s[:n]
	switch after := s[n+spaces(s[n:]):]; {
	case strings.HasPrefix(after, "::"):
		return token{tokenAxis, name}, n
	case strings.HasPrefix(after, "(") && nodeTypes[name]:
		return token{tokenNodeType, name}, n
	case strings.HasPrefix(after, "("):
		return token{tokenFunction, name}, n
	}
	return token{tokenName, name}, n
}
