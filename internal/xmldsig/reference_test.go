package xmldsig

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// referenceIn reads the reference in a signature that stands in a document.
func referenceIn(t testing.TB, doc string) (*Document, *Signature) {
	t.Helper()
	d := mustParse(t, doc)
	s, err := ReadSignature(d.Signatures()[0])
	if err != nil {
		t.Fatal(err)
	}
	return d, s
}

// signatureOver is a signature with one reference, its values made up.
func signatureOver(uri, transforms string) string {
	ref := emptyReference(uri, transforms, sha256URI)
	return strings.Replace(template(c14nURI, "urn:x", strings.Replace(ref, "<ds:DigestValue/>", "<ds:DigestValue>AA==</ds:DigestValue>", 1)),
		"<ds:SignatureValue/>", "<ds:SignatureValue>AA==</ds:SignatureValue>", 1)
}

// TestReferences checks what references give, or why not.
func TestReferences(t *testing.T) {
	t.Parallel()
	enveloped := transform(TransformEnveloped, "")
	for _, c := range []struct {
		name, body, uri, transforms string
		want                        string
		err                         error
	}{
		{"whole document", "<a/><!-- c -->", "", enveloped, "<r><a></a></r>", nil},
		{"whole document with comments", "<a/><!-- c -->", "#xpointer(/)", enveloped + transform(c14nURI+"#WithComments", ""), "<r><a></a><!-- c --></r>", nil},
		{"whole document, comments dropped at the end", "<a/><!-- c -->", "#xpointer(/)", enveloped, "<r><a></a></r>", nil},
		{"element", `<a Id="x">1<!-- c --></a>`, "#x", transform(c14nURI+"#WithComments", ""), `<a Id="x">1</a>`, nil},
		{"element by pointer", `<a Id="x">1<!-- c --></a>`, "#xpointer(id('x'))", transform(c14nURI+"#WithComments", ""), `<a Id="x">1<!-- c --></a>`, nil},
		{"pointer in double quotes", `<a Id="x"/>`, "#xpointer(id(&quot;x&quot;))", "", `<a Id="x"></a>`, nil},
		{"base64 of an element", `<a Id="x">aGV<b>sb</b>G8=</a>`, "#x", transform(TransformBase64, ""), "hello", nil},
		{"base64 and canonical form", `<a Id="x">PGEgIC8+</a>`, "#x", transform(TransformBase64, "") + transform(c14nURI, ""), "<a></a>", nil},
		{"canonical twice", `<a Id="x" xmlns:p="urn:p"/>`, "#x", transform(c14nURI, "") + transform(excURI, ""), `<a Id="x"></a>`, nil},
		{"absent", "<a/>", "#x", "", "", ErrNotFound},
		{"twice", `<a Id="x"/><a ID="x"/>`, "#x", "", "", ErrDuplicateID},
		{"outside", "<a/>", "x", "", "", ErrNotFound},
		{"another pointer", "<a/>", "#xpointer(//a)", "", "", ErrUnsupported},
		{"pointer without quotes", `<a Id="x"/>`, "#xpointer(id(x))", "", "", ErrUnsupported},
		{"element scheme", `<a Id="x"/>`, "#element(x)", "", "", ErrNotFound},
		{"empty fragment", "<a/>", "#", "", "", ErrUnsupported},
		{"XSLT", "<a/>", "", transform("http://www.w3.org/TR/1999/REC-xslt-19991116", "<x/>"), "", ErrUnsupported},
		{"decryption", "<a/>", "", transform("http://www.w3.org/2002/07/decrypt#XML", ""), "", ErrUnsupported},
		{"unknown", "<a/>", "", transform("urn:x", ""), "", ErrUnsupported},
		{"not base64", `<a Id="x">!</a>`, "#x", transform(TransformBase64, ""), "", ErrInvalid},
		{"base64 that is no XML", `<a Id="x">aGVsbG8=</a>`, "#x", transform(TransformBase64, "") + transform(c14nURI, ""), "", ErrInvalid},
		{"base64 of a DOCTYPE", `<a Id="x">PCFET0NUWVBFIGEgWzwhRU5USVRZIHggInkiPl0+PGEvPg==</a>`, "#x", transform(TransformBase64, "") + transform(c14nURI, ""), "", ErrInvalid},
		{"enveloped after octets", "<a/>", "", transform(c14nURI, "") + enveloped, "", ErrInvalid},
		{"too many transforms", "<a/>", "", strings.Repeat(enveloped, 40), "", ErrLimit},
		{"XPath without expression", "<a/>", "", transform(TransformXPath, ""), "", ErrInvalid},
		{"XPath filter without expression", "<a/>", "", transform(TransformXPath2, ""), "", ErrInvalid},
		{"XPath filter of another kind", "<a/>", "", transform(TransformXPath2, `<f:XPath xmlns:f="`+TransformXPath2+`" Filter="xor">/</f:XPath>`), "", ErrUnsupported},
		{"XPath filter without nodes", "<a/>", "", transform(TransformXPath2, `<f:XPath xmlns:f="`+TransformXPath2+`" Filter="union">1</f:XPath>`), "", ErrUnsupported},
	} {
		d, s := referenceIn(t, "<r>"+c.body+signatureOver(c.uri, c.transforms)+"</r>")
		var b bytes.Buffer
		err := NewProcessor(d, Limits{}).Write(t.Context(), &b, s.References[0], nil)
		if !errors.Is(err, c.err) || err == nil && b.String() != c.want {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, b.String(), err, c.want, c.err)
		}
	}
}

// TestStructure checks what a ds:Signature must have, where.
func TestStructure(t *testing.T) {
	t.Parallel()
	good := signatureOver("", "")
	if _, err := ReadSignature(mustParse(t, good).Root()); err != nil {
		t.Fatal(err)
	}
	reorder := func(s, a, b string) string { return strings.Replace(strings.Replace(s, a, "", 1), b, a+b, 1) }
	for name, s := range map[string]string{
		"no SignedInfo":   strings.ReplaceAll(good, "SignedInfo", "Signed"),
		"no value":        strings.Replace(good, "<ds:SignatureValue>AA==</ds:SignatureValue>", "", 1),
		"two values":      strings.Replace(good, "<ds:KeyInfo/>", "<ds:SignatureValue>AA==</ds:SignatureValue>", 1),
		"two KeyInfo":     strings.Replace(good, "<ds:KeyInfo/>", "<ds:KeyInfo/><ds:KeyInfo/>", 1),
		"value first":     reorder(good, "<ds:SignatureValue>AA==</ds:SignatureValue>", "<ds:SignedInfo>"),
		"KeyInfo second":  reorder(good, "<ds:KeyInfo/>", "<ds:SignatureValue>"),
		"no reference":    strings.ReplaceAll(good, "ds:Reference", "ds:Ref"),
		"many references": strings.Replace(good, "</ds:SignedInfo>", strings.Repeat(emptyReference("", "", sha256URI), MaxReferences)+"</ds:SignedInfo>", 1),
	} {
		if _, err := ReadSignature(mustParse(t, s).Root()); err == nil {
			t.Errorf("%s is taken for a signature", name)
		}
	}
	// A value that cannot be read is none: the structure is there, and no key fits it.
	for _, value := range []string{"", " \n", "?", "AA=", "AA==?", "AA==AA=="} {
		s, err := ReadSignature(mustParse(t, strings.Replace(good, "<ds:SignatureValue>AA==", "<ds:SignatureValue>"+value, 1)).Root())
		if err != nil || len(s.Value) != 0 || s.ValueNode == nil || len(s.References) != 1 {
			t.Errorf("value %q: %v, %x", value, err, s.Value)
		}
	}
}

// TestRelationships checks the relationship transform of office files.
func TestRelationships(t *testing.T) {
	t.Parallel()
	const part = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId2" Type="urn:t2" Target="b&amp;c.xml"/>
		<!-- c --><Relationship Type="urn:t1" Target="http://e.be" TargetMode="External" Id="rId10"/><Relationship Id="rId3" Type="urn:t3" Target="d"/></Relationships>`
	const want = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId10" Target="http://e.be" TargetMode="External" Type="urn:t1"></Relationship>` +
		`<Relationship Id="rId2" Target="b&amp;c.xml" TargetMode="Internal" Type="urn:t2"></Relationship></Relationships>`
	content := `<m:RelationshipReference xmlns:m="` + namespaceMDSSI + `" SourceId="rId2"/><m:RelationshipsGroupReference xmlns:m="` + namespaceMDSSI + `" SourceType="urn:t1"/>`
	for _, last := range []string{"", transform(c14nURI, "")} {
		d, s := referenceIn(t, signatureOver("/_rels/.rels", transform(transformRelationship, content)+last))
		var b bytes.Buffer
		if err := NewProcessor(d, Limits{}).Transform(t.Context(), &b, s.References[0].Transforms, []byte(part)); err != nil || b.String() != want {
			t.Errorf("%s, %v; want %s", b.String(), err, want)
		}
	}
	d, s := referenceIn(t, signatureOver("/_rels/.rels", transform(transformRelationship, content)))
	if err := NewProcessor(d, Limits{}).Transform(t.Context(), &bytes.Buffer{}, s.References[0].Transforms, []byte("<a/>")); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

// TestCovers checks what is told of the elements that a reference covers.
func TestCovers(t *testing.T) {
	t.Parallel()
	filter := func(s string) string { return transform(TransformXPath, "<ds:XPath>"+s+"</ds:XPath>") }
	for _, c := range []struct {
		name, uri, transforms string
		nodes, out            string
		whole, partial        bool
	}{
		{"enveloped", "", transform(TransformEnveloped, "") + transform(c14nURI, ""), "/r", "/r/ds:Signature", true, false},
		{"enveloped by filter", "", filter("not(ancestor-or-self::ds:Signature)"), "/r", "/r/ds:Signature", true, false},
		{"root by ID", "#r", transform(TransformEnveloped, ""), "/r", "/r/ds:Signature", true, false},
		{"everything", "", "", "/r", "", true, false},
		{"one element", "#x", "", "/r/a[1]", "", false, false},
		{"one element by filter", "", filter("ancestor-or-self::*[@Id='x']"), "/r/a[1]", "", true, false},
		{"less an element", "", filter("not(ancestor-or-self::ds:Signature) and not(ancestor-or-self::b)"), "/r", "/r/a[1]/b /r/ds:Signature", true, false},
		{"elements without text", "", filter("self::* and not(ancestor-or-self::ds:Signature)"), "/r", "/r/ds:Signature", true, true},
		{"without attributes", "", filter("(self::* or self::text()) and not(ancestor-or-self::ds:Signature)"), "/r", "/r/ds:Signature", true, true},
		{"nothing", "", filter("false()"), "", "", true, false},
		{"back inside", "", filter("ancestor-or-self::c"), "/r/a[1]/b/c", "", true, false},
	} {
		d, s := referenceIn(t, `<r Id="r"><a Id="x">1<b z="1"><c/></b></a><a/>`+signatureOver(c.uri, c.transforms)+"</r>")
		got, err := NewProcessor(d, Limits{}).Covers(t.Context(), s.References[0])
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		paths := func(nodes []*Node) string {
			var list []string
			for _, n := range nodes {
				list = append(list, n.Path())
			}
			return strings.Join(list, " ")
		}
		if paths(got.Nodes) != c.nodes || paths(got.Out) != c.out || got.Whole != c.whole || got.Partial != c.partial {
			t.Errorf("%s: nodes %q, out %q, whole %v, partial %v", c.name, paths(got.Nodes), paths(got.Out), got.Whole, got.Partial)
		}
	}
}
