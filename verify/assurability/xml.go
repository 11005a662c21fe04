package assurability

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/xmldsig"
	"github.com/eidkit/eidkit/niss"
)

// maxMessage bounds a message of a service in bytes. Real ones have a few thousand.
const maxMessage = 1 << 20

// writer puts XML together. Elements are given with their prefix.
type writer struct{ strings.Builder }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;", "\n", "&#10;", "\t", "&#9;")

// leaf writes an element with text; an empty text leaves it out.
func (w *writer) leaf(name, text string) {
	if text != "" {
		fmt.Fprintf(w, "<%s>%s</%s>", name, escaper.Replace(text), name)
	}
}

// in writes an element around what f writes. attributes stand as they are.
func (w *writer) in(name, attributes string, f func()) {
	fmt.Fprintf(w, "<%s%s>", name, attributes)
	f()
	fmt.Fprintf(w, "</%s>", name)
}

// attr is an attribute.
func attr(name, value string) string { return fmt.Sprintf(` %s="%s"`, name, escaper.Replace(value)) }

// parse reads a message: no DTD, bounded in size and depth.
func parse(raw []byte) (*xmldsig.Node, error) {
	d, err := xmldsig.Parse(raw, xmldsig.Limits{Bytes: maxMessage, Depth: 64, Nodes: 50_000})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return d.Root(), onlyOnce(d.Root())
}

// repeated are the elements of an answer that may stand several times in one place (facts sheet a.4, a.8, b.3). All others stand once:
// of two, one could say what the other does not. What is inside a signature or behind an extension is not read.
var repeated = map[string]bool{"Message": true, "Transfer": true, "MaxInvoiced": true, "InsurabilityItem": true, "IO": true, "Detail": true,
	"Assertion": true, "AttributeStatement": true, "Attribute": true, "AttributeValue": true, "Facet": true,
	"SubjectConfirmation": true, "Signature": true, "ExtendedInformation": true, "Extensions": true}

// onlyOnce refuses an answer in which an element is there twice, whatever their namespaces.
func onlyOnce(n *xmldsig.Node) error {
	if n.Is(xmldsig.NamespaceDS, "Signature") || n.Local() == "ExtendedInformation" || n.Local() == "Extensions" {
		return nil
	}
	seen := map[string]bool{}
	for c := range n.Elements() {
		if seen[c.Local()] && !repeated[c.Local()] {
			return fmt.Errorf("%w: it has %.40q twice in one place", ErrAnswer, c.Local())
		}
		seen[c.Local()] = true
		if err := onlyOnce(c); err != nil {
			return err
		}
	}
	return nil
}

// child is the first child element of that local name, whatever its namespace: the services are not of one mind about those.
func child(n *xmldsig.Node, path ...string) *xmldsig.Node {
	for _, local := range path {
		if n == nil {
			return nil
		}
		var found *xmldsig.Node
		for c := range n.Elements() {
			if c.Local() == local {
				found = c
				break
			}
		}
		n = found
	}
	return n
}

// children are all child elements of that local name.
func children(n *xmldsig.Node, local string) (list []*xmldsig.Node) {
	if n == nil {
		return nil
	}
	for c := range n.Elements() {
		if c.Local() == local {
			list = append(list, c)
		}
	}
	return list
}

// text is the text of a descendant, trimmed; empty if it is not there.
func text(n *xmldsig.Node, path ...string) string {
	if n = child(n, path...); n == nil {
		return ""
	}
	return strings.TrimSpace(n.Text())
}

// reader reads values and remembers that one was malformed.
type reader struct{ err error }

func (r *reader) fail(what, value string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s %.40q", ErrAnswer, what, value)
	}
}

// date reads an xs:date, with or without a time zone, which does not count; zero if it is not there.
func (r *reader) date(s string) niss.Date {
	if s == "" {
		return niss.Date{}
	}
	if len(s) >= 10 && len(s) <= 16 {
		if t, err := time.Parse(time.DateOnly, s[:10]); err == nil {
			return dateOf(t)
		}
	}
	r.fail("date", s)
	return niss.Date{}
}

// boolean reads an xs:boolean; nil if it is not there.
func (r *reader) boolean(s string) *bool {
	if s == "" {
		return nil
	}
	v := strings.EqualFold(s, "true") || s == "1"
	if !v && !strings.EqualFold(s, "false") && s != "0" {
		r.fail("boolean", s)
	}
	return &v
}

// event reads what happened to the cover.
func (r *reader) event(s string) Event {
	if !slices.Contains([]Event{ChangeDuring, Multiple, ClosedBefore, StartLater}, Event(s)) {
		r.fail("event", s)
	}
	return Event(s)
}

func (r *reader) year(s string) int {
	if len(s) < 4 {
		r.fail("year", s)
		return 0
	}
	y, err := strconv.Atoi(s[:4])
	if err != nil {
		r.fail("year", s)
	}
	return y
}

func (r *reader) number(s string) niss.Number {
	if s == "" {
		return ""
	}
	n, err := niss.Parse(s)
	if err != nil {
		r.fail("national number", "")
	}
	return n
}

func (r *reader) sex(s string) niss.Sex {
	switch strings.ToLower(s) {
	case "male":
		return niss.Male
	case "female":
		return niss.Female
	}
	return niss.Unknown
}
