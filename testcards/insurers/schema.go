package insurers

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// shape is what a schema wants of an element: text, or else a sequence of elements.
type shape struct {
	space, name string
	min, max    int
	text        func(string) bool // nil: elements
	kids        []shape
	open        bool     // elements of any kind, in any order
	attrs       []string // that may be there; with a ! those that must
}

// check holds an element against its shape.
func (s *shape) check(e *etree.Element) error {
	for _, a := range e.Attr {
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" || a.Space != "" && a.NamespaceURI() == nsXSI {
			continue
		}
		if a.Space != "" || !slices.Contains(s.attrs, a.Key) && !slices.Contains(s.attrs, a.Key+"!") {
			return fmt.Errorf("%s may not have the attribute %.40s", s.name, a.FullKey())
		}
	}
	for _, a := range s.attrs {
		if name, must := strings.CutSuffix(a, "!"); must && value(e, name) == "" {
			return fmt.Errorf("%s lacks the attribute %s", s.name, name)
		}
	}
	switch {
	case s.open:
		return nil
	case s.text == nil:
		return s.sequence(e)
	case len(e.ChildElements()) > 0:
		return fmt.Errorf("%s has elements instead of text", s.name)
	case !s.text(rawText(e)):
		return fmt.Errorf("the value of %s is not of its type", s.name)
	}
	return nil
}

// sequence wants the children in order, each as often as it may be there.
func (s *shape) sequence(e *etree.Element) error {
	if strings.TrimSpace(text(e)) != "" {
		return fmt.Errorf("%s has text between its elements", s.name)
	}
	rest := e.ChildElements()
	for i := range s.kids {
		kid, n := &s.kids[i], 0
		for len(rest) > 0 && n < kid.max && is(rest[0], kid.space, kid.name) {
			if err := kid.check(rest[0]); err != nil {
				return err
			}
			rest, n = rest[1:], n+1
		}
		if n < kid.min {
			return fmt.Errorf("%s lacks %s", s.name, kid.name)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s may not have %.40s here", s.name, rest[0].Tag)
	}
	return nil
}

func rawText(e *etree.Element) string {
	var b strings.Builder
	for _, t := range e.Child {
		if c, ok := t.(*etree.CharData); ok {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// Types of text.

func anyText(string) bool { return true }

func matching(pattern string) func(string) bool {
	return regexp.MustCompile(`\A(?:` + pattern + `)\z`).MatchString
}

func atMost(n int) func(string) bool {
	return func(s string) bool { return utf8.RuneCountInString(s) <= n }
}

func exactly(n int) func(string) bool {
	return func(s string) bool { return utf8.RuneCountInString(s) == n }
}

func oneOf(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

var (
	isBoolean = collapsed(oneOf("true", "false", "0", "1"))
	isNumber  = collapsed(matching(`\+?[0-9]{1,14}(\.0*)?|-0`))
	isBase64  = func(s string) bool { _, err := decode(s); return err == nil }
	zoneless  = regexp.MustCompile(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?\z`)
	isDate    = collapsed(func(s string) bool {
		if !zoneless.MatchString(s) {
			return false
		}
		_, err := time.Parse(time.DateOnly, s[:10])
		return err == nil
	})
	isInstant = collapsed(func(s string) bool {
		for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
			if _, err := time.Parse(form, s); err == nil {
				return true
			}
		}
		return false
	})
)

func collapsed(f func(string) bool) func(string) bool {
	return func(s string) bool { return f(strings.Join(strings.Fields(s), " ")) }
}

// grammar makes the shapes of one namespace.
type grammar string

func (g grammar) text(name string, min int, is func(string) bool, attrs ...string) shape {
	return shape{space: string(g), name: name, min: min, max: 1, text: is, attrs: attrs}
}

func (g grammar) seq(name string, min int, kids ...shape) shape {
	return shape{space: string(g), name: name, min: min, max: 1, kids: kids}
}

func (s shape) with(attrs ...string) shape {
	s.attrs = append(slices.Clone(s.attrs), attrs...)
	return s
}

func (s shape) times(max int) shape {
	s.max = max
	return s
}

const unbounded = math.MaxInt
