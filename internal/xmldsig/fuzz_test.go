package xmldsig

import (
	"bytes"
	"testing"
)

var seeds = []string{
	"<a/>", `<?xml version="1.0" encoding="UTF-8"?><!-- c --><a xmlns:p="urn:p" p:b='1&#10;2'>x<![CDATA[y]]>&amp;<?p d?></a>`,
	`<a xmlns="urn:a"><b xmlns="" xml:lang="nl" Id="i"/></a>`, "\xFF\xFE<\x00a\x00/\x00>\x00", "<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>",
	"<?xml\xe4 version='1.0' encoding='windows-1252'?><a>\x80</a>",
	`<r>` + signatureText + `</r>`, "<!DOCTYPE a><a/>", "<a>\r\n\r</a>", generate(3, false), generate(4, true),
}

var signatureText = `<ds:Signature xmlns:ds="` + NamespaceDS + `"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="` + excURI + `"/><ds:SignatureMethod Algorithm="urn:x"/>` +
	emptyReference("", transform(TransformEnveloped, "")+transform(TransformXPath, "<ds:XPath>not(self::b)</ds:XPath>")+transform(c14n11URI, ""), sha256URI) +
	`</ds:SignedInfo><ds:SignatureValue>AA==</ds:SignatureValue></ds:Signature>`

// FuzzParse parses anything, and what parses must have a canonical form that parses to itself.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseContent(data, Limits{Bytes: 1 << 20})
		if err != nil {
			return
		}
		for _, m := range []Method{{Comments: true}, {Exclusive: true, Comments: true}, {Version11: true}, {}} {
			var once, twice bytes.Buffer
			if d.Canonicalize(t.Context(), &once, nil, m) != nil {
				continue // a relative namespace name
			}
			again, err := Parse(once.Bytes(), Limits{})
			if err != nil {
				t.Fatalf("%+v: the canonical form is no XML: %v\n%q\n%q", m, err, data, once.Bytes())
			}
			if err := again.Canonicalize(t.Context(), &twice, nil, m); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
				t.Fatalf("%+v: %v: canonical once %q, twice %q", m, err, once.Bytes(), twice.Bytes())
			}
		}
		for n := range d.Root().Descendants() {
			if start, end := d.Span(n); start < 0 || end < start || end > int64(len(data)) {
				t.Fatalf("node from %d to %d of %d", start, end, len(data))
			}
		}
	})
}

// FuzzReferences reads signatures and resolves what they name, whatever that is.
func FuzzReferences(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	for _, e := range expressions {
		f.Add([]byte("<r>" + signatureOver("", transform(TransformXPath, "<ds:XPath><![CDATA["+e.expression+"]]></ds:XPath>")) + "</r>"))
	}
	f.Add([]byte("<r>" + signatureOver("#obj", transform(TransformBase64, "")) + "</r>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data, Limits{Bytes: 1 << 20})
		if err != nil {
			return
		}
		p := NewProcessor(d, Limits{Bytes: 1 << 20})
		p.budget.octets = 16 << 20
		p.steps = maxSteps - 2_000_000
		for _, n := range d.Signatures() {
			s, _ := ReadSignature(n)
			for i, r := range s.References {
				if i == 20 {
					break
				}
				var b bytes.Buffer
				_ = p.Write(t.Context(), &b, r, nil)
				_, _ = p.Covers(t.Context(), r)
			}
		}
	})
}

// FuzzXPath compiles and evaluates expressions.
func FuzzXPath(f *testing.F) {
	for _, e := range expressions {
		f.Add(e.expression)
	}
	for _, s := range filters {
		f.Add(s)
	}
	d := mustParse(f, xpathDoc)
	f.Fuzz(func(t *testing.T, expression string) {
		e, err := compile(expression, d.Root())
		if err != nil {
			return
		}
		p := NewProcessor(d, Limits{})
		p.steps = maxSteps - 200_000
		ev := p.evaluation(t.Context(), d.subtree(d.node, true), d.Root())
		e.uniform()
		for n := range d.Root().Descendants() {
			v, err := e.eval(&xcontext{evaluation: ev, node: xnode{n: n}, position: 1, size: 1})
			if err != nil {
				return
			}
			asText(t, d, v)
		}
	})
}
