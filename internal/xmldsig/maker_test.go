package xmldsig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// keyFile writes a new key for tools.
func keyFile(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der})))
}

// emptyReference is a ds:Reference for xmlsec1 to fill in.
func emptyReference(uri, transforms, digest string) string {
	if transforms != "" {
		transforms = "<ds:Transforms>" + transforms + "</ds:Transforms>"
	}
	return fmt.Sprintf(`<ds:Reference URI="%s">%s<ds:DigestMethod Algorithm="%s"/><ds:DigestValue/></ds:Reference>`, uri, transforms, digest)
}

func transform(uri, content string) string {
	return `<ds:Transform Algorithm="` + uri + `">` + content + `</ds:Transform>`
}

const (
	sha256URI = "http://www.w3.org/2001/04/xmlenc#sha256"
	excURI    = "http://www.w3.org/2001/10/xml-exc-c14n#"
	c14nURI   = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	c14n11URI = "http://www.w3.org/2006/12/xml-c14n11"
)

// template is an empty signature over references.
func template(c14n, method string, references ...string) string {
	return `<ds:Signature xmlns:ds="` + NamespaceDS + `" Id="sig"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="` + c14n + `"/><ds:SignatureMethod Algorithm="` +
		method + `"/>` + strings.Join(references, "") + `</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo/><ds:Object Id="obj">in &amp; object<!-- c --></ds:Object></ds:Signature>`
}

// xmlsec signs a document with a template in it.
func xmlsec(t testing.TB, key, doc string) string {
	t.Helper()
	in := file(t, "in.xml", doc)
	out := filepath.Join(filepath.Dir(in), "out.xml")
	args := []string{"--sign", "--privkey-pem", key, "--id-attr:Id", NamespaceDS + ":Object", "--output", out}
	for _, prefix := range []string{"e", "f", "g"} {
		for _, space := range []string{"", "urn:0:", "urn:1:", "urn:2:"} {
			args = append(args, "--id-attr:Id", space+prefix)
		}
	}
	if text, err := exec.Command(tool(t, "xmlsec1"), append(args, in)...).CombinedOutput(); err != nil {
		t.Fatalf("xmlsec1: %v: %s\n%s", err, text, doc)
	}
	signed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

// agree checks that all references fit, and the value.
func agree(t testing.TB, signed string, pub crypto.PublicKey, name string) {
	t.Helper()
	d := mustParse(t, signed)
	s, err := ReadSignature(d.Signatures()[0])
	if err != nil {
		t.Fatal(err)
	}
	p := NewProcessor(d, Limits{})
	for _, r := range s.References {
		hash, ok := sigalg.HashByURI(r.DigestMethod)
		if !ok {
			t.Fatalf("%s: digest %s", name, r.DigestMethod)
		}
		got, err := p.Digest(t.Context(), r, nil, hash)
		if err != nil || !bytes.Equal(got, r.Digest) {
			var b bytes.Buffer
			_ = p.Write(t.Context(), &b, r, nil)
			t.Errorf("%s: reference %s: %v\nof %s\nhashed as\n%s", name, d.Source(r.Node), err, strings.Replace(signed, d.Source(s.Node), "", 1), b.String())
		}
	}
	alg, err := sigalg.ByURI(s.AlgorithmURI)
	if err != nil {
		t.Fatal(err)
	}
	h := alg.Hash.New()
	if err := p.Canonicalize(t.Context(), h, s.SignedInfo, s.Method); err != nil {
		t.Fatal(err)
	}
	value := s.Value
	if alg.Scheme == sigalg.ECDSA {
		if value, err = sigalg.ECDSAFromRaw(value); err != nil {
			t.Fatal(err)
		}
	}
	if err := alg.Verify(pub, h.Sum(nil), value); err != nil {
		t.Errorf("%s: the value: %v", name, err)
	}
}

// filters are expressions that xmlsec1 and this package must understand alike. The document element is added to what they keep: without
// it libxml2 separates the processing instructions inside it as if they stood before it.
var filters = []string{
	"not(ancestor-or-self::ds:Signature)",
	"ancestor-or-self::*[@Id='i1']",
	"count(ancestor-or-self::node()) mod 2 = 1",
	"self::* or self::text()",
	"self::text() or parent::*[@y]",
	"not(self::text())",
	"(ancestor::*[position()=last()] or self::node()) and not(ancestor-or-self::ds:Signature) and not(self::processing-instruction())",
	"local-name() != 'q' and name() != 'z'",
	"count(ancestor-or-self::ds:Signature | here()/ancestor::ds:Signature[1]) > count(ancestor-or-self::ds:Signature)",
	"id('i1')",
	"following-sibling::*",
	"not(preceding-sibling::*[2])",
}

// TestAgainstXmlsec has xmlsec1 sign documents made at random with all transforms, and wants the same digests.
func TestAgainstXmlsec(t *testing.T) {
	t.Parallel()
	tool(t, "xmlsec1")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	path := keyFile(t, key)
	methods := []string{excURI, excURI + "WithComments", c14nURI, c14nURI + "#WithComments", c14n11URI, c14n11URI + "#WithComments"}
	for seed := range uint64(24) {
		plain := seed%2 == 0 // where attributes and namespaces go one by one, libxml2 repeats xmlns="" and inherits xml:lang in spite of an element's own
		doc := generate(1000+seed, plain)
		at := strings.LastIndex(doc, "</")
		if at < 0 {
			continue
		}
		last := methods[seed%6]
		enveloped := transform(TransformEnveloped, "")
		refs := []string{
			emptyReference("", enveloped, sha256URI), emptyReference("", enveloped+transform(last, ""), "http://www.w3.org/2000/09/xmldsig#sha1"),
			emptyReference("#xpointer(/)", enveloped+transform(last, ""), "http://www.w3.org/2001/04/xmlenc#sha512"),
			emptyReference("#obj", "", sha256URI), emptyReference("#obj", transform(last, ""), sha256URI), emptyReference("#xpointer(id('obj'))", transform(last, ""), sha256URI),
			emptyReference("", enveloped+transform(excURI, `<ec:InclusiveNamespaces xmlns:ec="`+excURI+`" PrefixList="a b #default"/>`), sha256URI),
			emptyReference("", transform(TransformXPath2, `<f2:XPath xmlns:f2="`+TransformXPath2+`" Filter="subtract">/descendant::ds:Signature</f2:XPath>`)+transform(last, ""), sha256URI),
			emptyReference("#xpointer(/)", transform(TransformXPath2, `<f2:XPath xmlns:f2="`+TransformXPath2+`" Filter="intersect">//e | //f</f2:XPath><f2:XPath xmlns:f2="`+
				TransformXPath2+`" Filter="subtract">//ds:Signature | //*[@Id='i2']</f2:XPath><f2:XPath xmlns:f2="`+TransformXPath2+`" Filter="union">//*[@Id='i3']</f2:XPath><f2:XPath xmlns:f2="`+TransformXPath2+`" Filter="subtract">//ds:Signature</f2:XPath>`)+transform(last, ""), sha256URI),
		}
		for i, f := range filters {
			if e, err := compile(strings.ReplaceAll(f, "&lt;", "<"), mustParse(t, `<x xmlns:ds="urn:ds"/>`).Root()); err != nil || !plain && !e.uniform() {
				continue
			}
			refs = append(refs, emptyReference("", transform(TransformXPath, "<ds:XPath>("+f+" or count(ancestor-or-self::*) &lt; 2) and not(ancestor-or-self::ds:Signature)</ds:XPath>")+transform(methods[(int(seed)+i)%6], ""), sha256URI))
		}
		signed := xmlsec(t, path, doc[:at]+template(last, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", refs...)+doc[at:])
		agree(t, signed, &key.PublicKey, fmt.Sprintf("seed %d", seed))
	}
}

// TestAlgorithmsOfXmlsec goes through the signature algorithms.
func TestAlgorithmsOfXmlsec(t *testing.T) {
	t.Parallel()
	tool(t, "xmlsec1")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const more = "http://www.w3.org/2001/04/xmldsig-more#"
	for uri, key := range map[string]crypto.Signer{
		NamespaceDS + "rsa-sha1": rsaKey, more + "rsa-sha224": rsaKey, more + "rsa-sha384": rsaKey, more + "rsa-sha512": rsaKey,
		more + "ecdsa-sha1": ecKey, more + "ecdsa-sha256": ecKey, more + "ecdsa-sha384": ecKey, more + "ecdsa-sha512": ecKey,
	} {
		doc := "<r>" + template(c14nURI, uri, emptyReference("", transform(TransformEnveloped, ""), sha256URI)) + "</r>"
		agree(t, xmlsec(t, keyFile(t, key), doc), key.Public(), uri)
	}
}

// TestNothingElseFits flips every byte of a signed element: the digest must never fit again, unless the document is not XML any more or
// means the same.
func TestNothingElseFits(t *testing.T) {
	t.Parallel()
	const signed = `<r xmlns:p="urn:p"><p:e a="1" Id="x">text &#233; <b/> &lt;</p:e></r>`
	plain := mustParse(t, signed)
	ref := &Reference{URI: "#x", HasURI: true}
	digest := func(d *Document) (string, error) {
		sum, err := NewProcessor(d, Limits{}).Digest(t.Context(), ref, nil, crypto.SHA256)
		return string(sum), err
	}
	want, err := digest(plain)
	if err != nil {
		t.Fatal(err)
	}
	start, end := plain.Span(plain.Root().Child("urn:p", "e"))
	for i := start; i < end; i++ {
		for bit := range 8 {
			changed := []byte(signed)
			changed[i] ^= 1 << bit
			d, err := Parse(changed, Limits{})
			if err != nil {
				continue
			}
			got, err := digest(d)
			if err == nil && got == want {
				t.Errorf("byte %d, bit %d: %s has the same digest", i, bit, changed)
			}
		}
	}
}

// TestExternal checks references to data outside.
func TestExternal(t *testing.T) {
	t.Parallel()
	d := mustParse(t, `<s xmlns="`+NamespaceDS+`"><Reference URI="a.xml"><Transforms><Transform Algorithm="`+c14nURI+`"/></Transforms></Reference>
		<Reference URI="a.bin"/><Reference URI="a.b64"><Transforms><Transform Algorithm="`+TransformBase64+`"/></Transforms></Reference>
		<Reference URI="a.xml"><Transforms><Transform Algorithm="`+TransformEnveloped+`"/></Transforms></Reference></s>`)
	refs, err := readReferences(d.Root())
	if err != nil {
		t.Fatal(err)
	}
	p := NewProcessor(d, Limits{})
	for i, c := range []struct{ data, want string }{{"<a  b='1'/>", `<a b="1"></a>`}, {"\x00\xff", "\x00\xff"}, {"aGVs\n bG8=", "hello"}} {
		var b bytes.Buffer
		source := &Source{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(c.data)), nil }}
		if err := p.Write(t.Context(), &b, refs[i], source); err != nil || b.String() != c.want {
			t.Errorf("%s: %q %v", refs[i].URI, b.String(), err)
		}
	}
	source := &Source{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("<a/>")), nil }}
	if err := p.Write(t.Context(), io.Discard, refs[3], source); err == nil {
		t.Error("a signature was taken out of a document that does not hold it")
	}
	if err := p.Write(t.Context(), io.Discard, refs[0], nil); err == nil {
		t.Error("a reference to the outside was resolved by itself")
	}
}
