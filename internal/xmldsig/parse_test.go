package xmldsig

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/eidkit/eidkit/internal/ades"
)

// mustParse parses a document that is right.
func mustParse(t testing.TB, s string) *Document {
	t.Helper()
	d, err := Parse([]byte(s), Limits{})
	if err != nil {
		t.Fatalf("%.100q: %v", s, err)
	}
	return d
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"empty":                      "",
		"text":                       "hello",
		"doctype":                    "<!DOCTYPE a><a/>",
		"doctype with subset":        `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`,
		"unknown entity":             "<a>&nbsp;</a>",
		"bare ampersand":             "<a>a & b</a>",
		"two roots":                  "<a/><b/>",
		"text after root":            "<a/>b",
		"reference after root":       "<a/>&#32;",
		"no end":                     "<a><b></b>",
		"wrong end":                  "<a></b>",
		"end that is longer":         "<a></ab>",
		"crossing":                   "<a><b></a></b>",
		"end without begin":          "</a>",
		"duplicate attribute":        `<a b="1" b="2"/>`,
		"duplicate expanded":         `<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>`,
		"duplicate declaration":      `<a xmlns:x="u" xmlns:x="v"/>`,
		"undeclared prefix":          "<x:a/>",
		"undeclared attribute":       `<a x:b=""/>`,
		"prefix undeclared":          `<x:a xmlns:x="u"><x:b xmlns:x=""/></x:a>`,
		"xml rebound":                `<a xmlns:xml="u"/>`,
		"xml namespace taken":        `<a xmlns:x="http://www.w3.org/XML/1998/namespace"/>`,
		"xmlns bound":                `<a xmlns:xmlns="u"/>`,
		"xmlns namespace":            `<a xmlns:x="http://www.w3.org/2000/xmlns/"/>`,
		"two colons":                 `<a:b:c xmlns:a="u"/>`,
		"colon first":                `<:a/>`,
		"colon last":                 `<a: xmlns:a="u"/>`,
		"attribute without value":    "<a b/>",
		"attribute without quotes":   "<a b=c/>",
		"attributes without space":   `<a b="1"c="2"/>`,
		"less-than in attribute":     `<a b="<"/>`,
		"cdata end in text":          "<a>]]></a>",
		"cdata outside":              "<![CDATA[x]]><a/>",
		"cdata without end":          "<a><![CDATA[x]]</a>",
		"comment with dashes":        "<a><!-- a -- b --></a>",
		"comment with three":         "<a><!-- a ---></a>",
		"comment without end":        "<a><!-- a</a>",
		"instruction xml":            "<a><?xml version='1.0'?></a>",
		"instruction XML":            "<a><?XML x?></a>",
		"instruction without target": "<a><? x?></a>",
		"instruction that is empty":  "<?><a/>",
		"instruction with colon":     "<a><?b:c x?></a>",
		"declaration late":           " <?xml version='1.0'?><a/>",
		"version 1.1":                "<?xml version='1.1'?><a/>",
		"no version":                 "<?xml encoding='UTF-8'?><a/>",
		"wrong order":                "<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>",
		"bad standalone":             "<?xml version='1.0' standalone='maybe'?><a/>",
		"stray in declaration":       "<?xml version='1.0' x='y'?><a/>",
		"unknown encoding":           "<?xml version='1.0' encoding='EBCDIC'?><a/>",
		"bytes of no encoding":       "<a>\xff</a>",
		"overlong":                   "<a>\xc0\x80</a>",
		"surrogate":                  "<a>\xed\xa0\x80</a>",
		"control":                    "<a>\x01</a>",
		"non-character":              "<a>\uFFFE</a>",
		"reference to control":       "<a>&#1;</a>",
		"reference to surrogate":     "<a>&#xD800;</a>",
		"reference beyond":           "<a>&#x110000;</a>",
		"reference of digits":        "<a>&#12a;</a>",
		"reference without end":      "<a>&#65</a>",
		"not ASCII":                  "<?xml version='1.0' encoding='US-ASCII'?><a>\xc3\xa9</a>",
		"mark and other encoding":    "\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
		"too deep":                   strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300),
		"too many attributes":        "<a " + manyAttributes(5000) + "/>",
		"tag at the end":             "<a",
		"odd UTF-16":                 "\xFF\xFE<\x00a",
	} {
		if d, err := Parse([]byte(s), Limits{}); !errors.Is(err, ades.ErrRefused) || d != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a")
		b.WriteString(strings.Repeat("b", i%50))
		b.WriteString(strings.Repeat("c", i/50))
		b.WriteString(`=""`)
	}
	return b.String()
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]Limits{"bytes": {Bytes: 10}, "depth": {Depth: 1}, "nodes": {Nodes: 3}, "attributes": {Attributes: 1}} {
		if _, err := Parse([]byte(`<a b="1" c="2"><d>x</d></a>`), l); !errors.Is(err, ades.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustParse(t, `<a b="1" c="2"><d>x</d></a>`)
}

// TestValues checks the values that XML 1.0 prescribes: line ends, references, attribute normalisation.
func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ doc, text, attr string }{
		{"<a b='x'>y</a>", "y", "x"},
		{"<a b='1\r\n2\t3\n4\r5'>1\r\n2\r3\n</a>", "1\n2\n3\n", "1 2 3 4 5"},
		{"<a b='&#13;&#10;&#9;&#32;'>&#13;&#xA;</a>", "\r\n", "\r\n\t "},
		{"<a b='&lt;&amp;&gt;&quot;&apos;'>&lt;&amp;&gt;&quot;&apos;</a>", `<&>"'`, `<&>"'`},
		{"<a b=\"'\">x<![CDATA[<&>]]]]><![CDATA[>]]>y<!-- c -->z</a>", "x<&>]]>yz", "'"},
		{"<a b='  x  y '><![CDATA[\r\n]]></a>", "\n", "  x  y "},
		{"<a b='&#x1F600;&#233;'>é</a>", "é", "\U0001F600é"},
		{"<a b=''><b>1</b><?p 2?><c>3</c></a>", "13", ""},
	} {
		d := mustParse(t, c.doc)
		if got := d.Root().Text(); got != c.text {
			t.Errorf("%q: text %q, want %q", c.doc, got, c.text)
		}
		if got := d.Root().Get("b"); got != c.attr {
			t.Errorf("%q: attribute %q, want %q", c.doc, got, c.attr)
		}
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	d := mustParse(t, `<?xml version="1.0" encoding='UTF-8' standalone="yes" ?>
<!-- before --><r xmlns="urn:a" xmlns:p="urn:b"><p:x p:i="1" i="2"/><x xmlns=""><y/></x>text<x/></r><?after?>`)
	r := d.Root()
	if !r.Is("urn:a", "r") || r.Prefix() != "" || r.Parent().Kind() != DocumentNode {
		t.Error("root", r.Space(), r.Local())
	}
	x := r.Child("urn:b", "x")
	if v, _ := x.Attr("urn:b", "i"); v != "1" || x.Get("i") != "2" || x.Prefix() != "p" {
		t.Error("attributes of p:x")
	}
	if _, ok := x.Attr("urn:a", "i"); ok {
		t.Error("an attribute without prefix has the default namespace")
	}
	var paths []string
	for n := range r.Descendants() {
		if n.Kind() == ElementNode {
			paths = append(paths, n.Path())
		}
	}
	if got := strings.Join(paths, " "); got != "/r/p:x /r/x /r/x/y /r/x" {
		t.Error(got)
	}
	if y := r.Child("", "x").Child("", "y"); y == nil || !r.Contains(y) || y.Contains(r) || !x.Before(y) {
		t.Error("y")
	}
	if n := (*Node)(nil); n.Child("", "a") != nil || n.Text() != "" || n.Is("", "a") {
		t.Error("a nil node")
	}
}

// TestPlaces checks that nodes know where they are in the original, whatever its encoding.
func TestPlaces(t *testing.T) {
	t.Parallel()
	const doc = `<?xml version="1.0"?><r><é a="1">ü€</é><b/></r>`
	utf16le := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(doc)) {
		utf16le = binary.LittleEndian.AppendUint16(utf16le, u)
	}
	var utf16be []byte
	for _, u := range utf16.Encode([]rune(doc)) {
		utf16be = binary.BigEndian.AppendUint16(utf16be, u)
	}
	latin := strings.NewReplacer("é", "\xe9", "ü", "\xfc", "€", "\xa4", `"1.0"`, `"1.0" encoding="ISO-8859-15"`).Replace(doc)
	windows := strings.NewReplacer("é", "\xe9", "ü", "\xfc", "€", "\x80", `"1.0"`, `"1.0" encoding="windows-1252"`).Replace(doc)
	for _, c := range []struct {
		name, encoding string
		data           []byte
		element        string // as it stands in data
	}{
		{"UTF-8", "utf-8", []byte(doc), `<é a="1">ü€</é>`},
		{"UTF-8 with mark", "utf-8", append([]byte("\xEF\xBB\xBF"), doc...), `<é a="1">ü€</é>`},
		{"UTF-16 little endian", "utf-16le", utf16le, string(utf16le[2+2*24 : 2+2*(24+15)])},
		{"UTF-16 big endian without mark", "utf-16be", utf16be, string(utf16be[2*24 : 2*(24+15)])},
		{"ISO-8859-15", "iso-8859-15", []byte(latin), "<\xe9 a=\"1\">\xfc\xa4</\xe9>"},
		{"Windows-1252", "windows-1252", []byte(windows), "<\xe9 a=\"1\">\xfc\x80</\xe9>"},
	} {
		d, err := Parse(c.data, Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		n := d.Root().Child("", "é")
		if n == nil || n.Text() != "ü€" || d.Encoding != c.encoding {
			t.Errorf("%s: %q %v", c.name, d.Encoding, n.Text())
			continue
		}
		start, end := d.Span(n)
		if got := string(c.data[start:end]); got != c.element {
			t.Errorf("%s: the element is at %d to %d: %q", c.name, start, end, got)
		}
		at := d.EndTag(n)
		if rest := string(c.data[at:end]); at < 0 || !strings.HasSuffix(c.element, rest) || rest[0] == 0 && rest[1] != '<' || !strings.HasPrefix(strings.ReplaceAll(rest, "\x00", ""), "</") {
			t.Errorf("%s: the end tag is at %d", c.name, at)
		}
		if d.EndTag(d.Root().Child("", "b")) != -1 {
			t.Errorf("%s: an empty-element tag has an end tag", c.name)
		}
	}
}

// TestContentDoctype: office files have parts with a DOCTYPE; nothing in it has an effect.
func TestContentDoctype(t *testing.T) {
	t.Parallel()
	const good = `<?xml version="1.0"?><!DOCTYPE a PUBLIC "-//x" "y.dtd"><a/>`
	if _, err := ParseContent([]byte(good), Limits{}); err != nil {
		t.Error(err)
	}
	for _, s := range []string{`<!DOCTYPE a [<!ENTITY x "y">]><a/>`, `<!DOCTYPE a><!DOCTYPE a><a/>`, `<a/><!DOCTYPE a>`, `<!DOCTYPE a><a>&x;</a>`} {
		if _, err := ParseContent([]byte(s), Limits{}); !errors.Is(err, ades.ErrRefused) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	d := mustParse(t, `<a Id="1" xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" xmlns:o="urn:o">
		<b ID="2"/><c id="3"/><d xml:id="4"/><e w:Id="5"/><f AssertionID="6"/><g o:Id="7"/><h Id="8" xml:id="8"/><i Id="9"/><j id="9"/><k Id=""/></a>`)
	for id, name := range map[string]string{"1": "a", "2": "b", "3": "c", "4": "d", "5": "e", "6": "f", "8": "h"} {
		if n, err := d.ByID(id); err != nil || n.Local() != name {
			t.Errorf("%s: %v %v", id, n, err)
		}
	}
	for id, want := range map[string]error{"7": ErrNotFound, "9": ErrDuplicateID, "10": ErrNotFound, "": ErrNotFound} {
		if _, err := d.ByID(id); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", id, err, want)
		}
	}
}
