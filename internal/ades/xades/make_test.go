package xades_test

import (
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/testcards/pki"
)

const invoice = `<?xml version="1.0"?>` + "\n" + `<invoice xmlns="urn:invoice" xmlns:x="urn:x"><!-- c --><line id="a1" x:n="1">ten &#233;uro</line><line id="a2"><![CDATA[<&]]></line></invoice>`

// way is a way to package.
type way struct {
	name  string
	doc   string // empty: a new document
	files []ades.Content
	o     xades.MakeOptions
}

func ways() []way {
	files := []ades.Content{file("één + 1.txt", "Ik verklaar\r\n"), file("map/b.xml", "<b  a='1'/>"), file("empty", "")}
	return []way{
		{"enveloped", invoice, nil, xades.MakeOptions{}},
		{"enveloped, alone", invoice, nil, xades.MakeOptions{Alone: true}},
		{"enveloped, inclusive", invoice, nil, xades.MakeOptions{Canonicalization: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"}},
		{"enveloped, elements", invoice, nil, xades.MakeOptions{References: []xades.Ref{{URI: "#a1"}, {URI: "#a2", MIMEType: "application/xml"}}}},
		{"enveloped, in an element", invoice, nil, xades.MakeOptions{Parent: "a1", References: []xades.Ref{{URI: "#a1"}, {URI: "#a2"}}}},
		{"enveloped, with a file", invoice, files[1:2], xades.MakeOptions{References: []xades.Ref{{}, {URI: "map/b.xml"}}}},
		{"enveloping", "", files[:2], xades.MakeOptions{Packaging: xades.PackEnveloping}},
		{"enveloping, inline", "", files[:2], xades.MakeOptions{Packaging: xades.PackEnveloping, Inline: true}},
		{"detached", "", files, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"detached, in a container's document", `<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"/>`, files, xades.MakeOptions{Packaging: xades.PackDetached}},
	}
}

func (w *way) bytes() []byte {
	if w.doc == "" {
		return nil
	}
	return []byte(w.doc)
}

// TestMake makes every packaging with every key at every level: our verifier passes all of it, xmlsec1 what it knows.
func TestMake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		alg  pki.Algorithm
		pss  bool
	}{{"EC", pki.EC, false}, {"RSA", pki.RSA, false}, {"RSA-PSS", pki.RSA, true}} {
		m := newMaker(t, c.alg, c.pss)
		for i, w := range ways() {
			t.Run(c.name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				for level := ades.LevelB; level <= ades.LevelLTA; level++ {
					if c.name != "RSA" && level != ades.LevelB && (level != ades.LevelLTA || i%3 != 0) {
						continue
					}
					d, err := xades.Prepare(t.Context(), m.making, w.bytes(), w.files, w.o)
					if err != nil {
						t.Fatal(err)
					}
					doc := m.finish(t, d, m.raising(level, signingTime.Add(time.Minute)))
					m.judge(t, level.String(), doc, w.files, signingTime.Add(time.Hour), level, 1)
					if !c.pss && (level == ades.LevelB || level == ades.LevelLTA) { // xmlsec1 1.2 has no RSA-PSS
						m.xmlsec(t, level.String(), doc, "", w.files)
					}
				}
			})
		}
	}
}
