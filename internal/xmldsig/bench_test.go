package xmldsig

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// invoice is a document of about a million bytes, as programs write them.
func invoice() string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><i:Invoice xmlns:i="urn:invoice" xmlns:c="urn:common" xmlns="urn:lines">`)
	for n := range 6200 {
		fmt.Fprintf(&b, `<Line number="%d"><c:Item code="A%d">Screw &amp; nut, %d mm</c:Item><c:Price currency="EUR">%d.%02d</c:Price></Line>`+"\n", n, n*7, n%40, n/100, n%100)
	}
	b.WriteString(`</i:Invoice>`)
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	doc := []byte(invoice())
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(doc, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCanonicalize(b *testing.B) {
	text := invoice()
	doc := mustParse(b, text)
	for name, m := range map[string]Method{"inclusive": {}, "exclusive": {Exclusive: true}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := doc.Canonicalize(b.Context(), sha256.New(), nil, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// signedInvoice is the invoice with an enveloped signature by xmlsec1.
func signedInvoice(b *testing.B, transforms string) (signed, key string) {
	tool(b, "xmlsec1")
	key = keyFile(b, benchKey(b))
	doc := invoice()
	at := strings.LastIndex(doc, "</")
	return xmlsec(b, key, doc[:at]+template(excURI, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", emptyReference("", transforms, sha256URI))+doc[at:]), key
}

// BenchmarkMegabyte parses a signed document of a megabyte and hashes what is signed, beside xmlsec1 --verify as a whole.
func BenchmarkMegabyte(b *testing.B) {
	for name, transforms := range map[string]string{
		"enveloped": transform(TransformEnveloped, "") + transform(excURI, ""),
		"filter":    transform(TransformXPath, "<ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath>") + transform(excURI, ""),
	} {
		signed, key := signedInvoice(b, transforms)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(signed)))
			b.ReportAllocs()
			for b.Loop() {
				hashAll(b, signed)
			}
		})
		b.Run(name+"/xmlsec1", func(b *testing.B) {
			path := file(b, "signed.xml", signed)
			b.SetBytes(int64(len(signed)))
			for b.Loop() {
				if out, err := exec.Command("xmlsec1", "--verify", "--privkey-pem", key, path).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
		})
	}
}

// BenchmarkReferences is a signature over 900 elements.
func BenchmarkReferences(b *testing.B) {
	tool(b, "xmlsec1")
	var doc, refs strings.Builder
	doc.WriteString("<r>")
	for i := range 900 {
		fmt.Fprintf(&doc, `<e Id="e%d"><f>value %d</f><g a="b">more of it, so that there is something to hash</g></e>`, i, i)
		refs.WriteString(emptyReference(fmt.Sprintf("#e%d", i), transform(excURI, ""), sha256URI))
	}
	key := keyFile(b, benchKey(b))
	signed := xmlsec(b, key, doc.String()+template(excURI, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", refs.String())+"</r>")
	b.Run("here", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			hashAll(b, signed)
		}
	})
	b.Run("xmlsec1", func(b *testing.B) {
		path := file(b, "signed.xml", signed)
		for b.Loop() {
			if out, err := exec.Command("xmlsec1", "--verify", "--privkey-pem", key, "--id-attr:Id", "e", path).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
	})
}

// hashAll parses a signed document and compares its references.
func hashAll(b *testing.B, signed string) {
	d := mustParse(b, signed)
	s, err := ReadSignature(d.Signatures()[0])
	if err != nil {
		b.Fatal(err)
	}
	p := NewProcessor(d, Limits{})
	for _, r := range s.References {
		if got, err := p.Digest(b.Context(), r, nil, crypto.SHA256); err != nil || string(got) != string(r.Digest) {
			b.Fatalf("%s: %v", r.URI, err)
		}
	}
	if err := p.Canonicalize(b.Context(), io.Discard, s.SignedInfo, s.Method); err != nil {
		b.Fatal(err)
	}
}

func benchKey(b *testing.B) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	return key
}
