package xmldsig

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

func canonical(t testing.TB, d *Document, n *Node, m Method) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.Canonicalize(t.Context(), &b, n, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCanonical checks what the recommendations say in words, case by case.
func TestCanonical(t *testing.T) {
	t.Parallel()
	inclusive, comments := Method{}, Method{Comments: true}
	for _, c := range []struct {
		name, doc, want string
		m               Method
	}{
		{"around the document element", "<?xml version='1.0'?>\n<?a b ?><!-- c -->\n<d/>\n<?e?><!-- f -->", "<?a b ?>\n<d></d>\n<?e?>", inclusive},
		{"with comments", "<!-- c -->\n<d><!-- g --></d>\n<?e?><!-- f -->", "<!-- c -->\n<d><!-- g --></d>\n<?e?>\n<!-- f -->", comments},
		{"empty elements and white space in tags", "<a  ><b /><c></c ></a>", "<a><b></b><c></c></a>", inclusive},
		{"order of attributes", `<a xmlns:b="u:2" xmlns:a="u:1" b:x="1" a:y="2" z="3" c="4"/>`, `<a xmlns:a="u:1" xmlns:b="u:2" c="4" z="3" a:y="2" b:x="1"></a>`, inclusive},
		{"order by namespace, not prefix", `<r xmlns:a="u:2" xmlns:b="u:1" a:x="" b:x=""/>`, `<r xmlns:a="u:2" xmlns:b="u:1" b:x="" a:x=""></r>`, inclusive},
		{"namespaces said twice", `<a xmlns="u:1" xmlns:p="u:p"><b xmlns="u:1" xmlns:p="u:p"><c xmlns=""><d xmlns=""/></c></b></a>`,
			`<a xmlns="u:1" xmlns:p="u:p"><b><c xmlns=""><d></d></c></b></a>`, inclusive},
		{"replacements in text", "<a>&lt;&gt;&amp;&quot;'&#13;&#9;</a>", "<a>&lt;&gt;&amp;\"'&#xD;\t</a>", inclusive},
		{"replacements in attributes", "<a b='&lt;&gt;&amp;&quot;&#39;&#13;&#9;&#10; '/>", "<a b=\"&lt;>&amp;&quot;'&#xD;&#x9;&#xA; \"></a>", inclusive},
		{"CDATA", "<a><![CDATA[<&>]]></a>", "<a>&lt;&amp;&gt;</a>", inclusive},
		{"exclusive: unused namespaces", `<a xmlns="u:1" xmlns:p="u:p" xmlns:q="u:q"><p:b q:c=""/></a>`, `<a xmlns="u:1"><p:b xmlns:p="u:p" xmlns:q="u:q" q:c=""></p:b></a>`, Method{Exclusive: true}},
		{"exclusive: each where it is used", `<a xmlns:p="u:p"><p:b/><p:c/></a>`, `<a><p:b xmlns:p="u:p"></p:b><p:c xmlns:p="u:p"></p:c></a>`, Method{Exclusive: true}},
		{"exclusive: default undeclared", `<a xmlns="u:1"><b xmlns=""><c/></b></a>`, `<a xmlns="u:1"><b xmlns=""><c></c></b></a>`, Method{Exclusive: true}},
		{"exclusive: listed", `<a xmlns:p="u:p" xmlns:q="u:q"><q:b/></a>`, `<a xmlns:p="u:p"><q:b xmlns:q="u:q"></q:b></a>`, Method{Exclusive: true, Prefixes: []string{"p"}}},
		{"exclusive: default listed", `<p:a xmlns="u:1" xmlns:p="u:p"><p:b/></p:a>`, `<p:a xmlns="u:1" xmlns:p="u:p"><p:b></p:b></p:a>`, Method{Exclusive: true, Prefixes: []string{""}}},
	} {
		if got := canonical(t, mustParse(t, c.doc), nil, c.m); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestSubtree checks what an element takes along from around it.
func TestSubtree(t *testing.T) {
	t.Parallel()
	d := mustParse(t, `<a xmlns="u:1" xmlns:p="u:p" xml:lang="nl" xml:base="http://e.be/x/" xml:id="A"><b xml:lang="fr" xml:base="y/"><c xmlns:q="u:q" q:r="1" xml:base="z"/></b></a>`)
	c := d.Root().Child("u:1", "b").Child("u:1", "c")
	for want, m := range map[string]Method{
		`<c xmlns="u:1" xmlns:p="u:p" xmlns:q="u:q" xml:base="z" xml:id="A" xml:lang="fr" q:r="1"></c>`:      {},
		`<c xmlns="u:1" xmlns:p="u:p" xmlns:q="u:q" xml:base="http://e.be/x/y/z" xml:lang="fr" q:r="1"></c>`: {Version11: true},
		`<c xmlns="u:1" xmlns:q="u:q" xml:base="z" q:r="1"></c>`:                                             {Exclusive: true},
	} {
		if got := canonical(t, d, c, m); got != want {
			t.Errorf("%+v:\n%s\nwant\n%s", m, got, want)
		}
	}
}

// TestJoinURI checks the examples of Canonical XML 1.1 for xml:base, and RFC 3986's where it says nothing else.
func TestJoinURI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, reference, want string }{
		{"foo/bar", "baz", "foo/baz"},
		{"foo/bar", "../baz", "baz"},
		{"foo/bar/", "..", "foo/"},
		{"foo", "../bar", "../bar"},
		{"../foo", "../bar", "../../bar"},
		{"..", "..", "../../"},
		{"../..", "../..", "../../../../"},
		{"..", "foo", "../foo"},
		{"http://a/b/c/d", "../../g", "http://a/g"},
		{"http://a/b/c/d", "../../../g", "http://a/g"},
		{"http://a/b/c/d", "/x//y/./z", "http://a/x/y/z"},
		{"http://a/b", "//c/d", "http://c/d"},
		{"http://a/b", "urn:x", "urn:x"},
		{"http://a", "b", "http://a/b"},
		{"http://a/b?q", "", "http://a/b?q"},
		{"http://a/b?q", "?r", "http://a/b?r"},
		{"http://a/b#f", "c#g", "http://a/c"},
	} {
		if got := joinURI(c.base, c.reference); got != c.want {
			t.Errorf("%q and %q: %q, want %q", c.base, c.reference, got, c.want)
		}
	}
}

// TestRelativeNamespace: documents with relative namespace names have no canonical form.
func TestRelativeNamespace(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"relative", "a/b", "#x", "1:2", ":x", "?q"} {
		d := mustParse(t, `<a xmlns:p="`+uri+`"/>`)
		if err := d.Canonicalize(t.Context(), io.Discard, nil, Method{}); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

// TestXmllint compares with libxml2 on documents made at random.
func TestXmllint(t *testing.T) {
	t.Parallel()
	xmllint := tool(t, "xmllint")
	for seed := range uint64(25) {
		doc := generate(seed, false)
		d := mustParse(t, doc)
		path := file(t, "doc.xml", doc)
		for flag, m := range map[string]Method{"--c14n": {Comments: true}, "--c14n11": {Comments: true, Version11: true}, "--exc-c14n": {Comments: true, Exclusive: true}} {
			want, err := exec.Command(xmllint, "--nonet", flag, path).Output()
			if err != nil {
				t.Fatalf("seed %d: xmllint: %v", seed, err)
			}
			if got := canonical(t, d, nil, m); got != string(want) {
				t.Errorf("seed %d %s:\n%s\n---\n%s\nwant\n%s", seed, flag, doc, got, want)
			}
		}
	}
}

// TestWorkBounded: no document and no expression makes more octets or more work than it should.
func TestWorkBounded(t *testing.T) {
	t.Parallel()
	var decls strings.Builder
	for i := range 3000 {
		decls.WriteString(" xmlns:p")
		for ; i > 0; i /= 10 {
			decls.WriteByte('0' + byte(i%10))
		}
		decls.WriteString(`x="urn:a-namespace-name-of-some-length"`)
	}
	d := mustParse(t, "<a><b"+decls.String()+">"+strings.Repeat("<c/>", 40_000)+"</b></a>")
	p := NewProcessor(d, Limits{})
	set, err := p.xpath(t.Context(), data{set: d.subtree(d.node, false)}, xpathTransform(t, "self::c"))
	if err != nil {
		t.Fatal(err)
	}
	p.budget.octets = 10 << 20
	err = canonicalize(t.Context(), io.Discard, set.set, Method{}, &p.budget)
	if !errors.Is(err, ErrLimit) {
		t.Errorf("every element with all namespaces: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Canonicalize(ctx, io.Discard, nil, Method{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: %v", err)
	}
}

// xpathTransform is a ds:Transform with that expression.
func xpathTransform(t testing.TB, expression string) *Node {
	t.Helper()
	d := mustParse(t, `<ds:Transform xmlns:ds="`+NamespaceDS+`" Algorithm="`+TransformXPath+`"><ds:XPath>`+expression+`</ds:XPath></ds:Transform>`)
	return d.Root()
}
