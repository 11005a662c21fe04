package sign_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
)

var updateDocs = flag.Bool("update", false, "write the table into docs/signing.md")

const (
	contentName = "verklaring.txt"
	contentText = "Ik verklaar dat dit een proef is.\nOpgemaakt te Gent, in één exemplaar.\n"
	declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<verklaring xmlns="urn:eidkit:test" xmlns:x="urn:eidkit:test:more" x:y="2">` +
		"\n\t<regel n='1'>Ik  verklaar &amp; teken</regel><!-- ja --><![CDATA[<zo>]]>\n</verklaring>\n"
)

// packaging is a format in one of its forms.
type packaging struct {
	name     string
	format   sign.Format
	says     string // verify's word for the format
	cms, xml bool   // what holds the signature
	detached bool   // the content is given beside it
	options  func(*sign.Options)
	in       func() []sign.Source
}

func textSource() []sign.Source {
	return []sign.Source{source(contentName, "text/plain", []byte(contentText))}
}
func xmlSource() []sign.Source {
	return []sign.Source{source("verklaring.xml", "application/xml", []byte(declaration))}
}
func pdfSource() []sign.Source {
	return []sign.Source{source("brief.pdf", "application/pdf", sheet{}.write(letter(nil)))}
}
func filesSource() []sign.Source {
	return []sign.Source{source("verklaring één.txt", "text/plain", []byte(contentText)), source("plan.bin", "", []byte{0, 1, 2, 3})}
}

func packed(p sign.Packaging) func(*sign.Options) { return func(o *sign.Options) { o.Packaging = p } }

var packagings = []packaging{
	{"CAdES, attached", sign.FormatCAdES, "CAdES", true, false, false, packed(sign.Auto), textSource},
	{"CAdES, detached", sign.FormatCAdES, "CAdES", true, false, true, packed(sign.Detached), textSource},
	{"PAdES", sign.FormatPAdES, "PAdES", true, false, false, packed(sign.Auto), pdfSource},
	{"XAdES, enveloped", sign.FormatXAdES, "XAdES", false, true, false, packed(sign.Enveloped), xmlSource},
	{"XAdES, enveloping", sign.FormatXAdES, "XAdES", false, true, false, packed(sign.Enveloping), textSource},
	{"XAdES, detached", sign.FormatXAdES, "XAdES", false, true, true, packed(sign.Detached), textSource},
	{"ASiC-E with XAdES", sign.FormatASiCE, "XAdES", false, true, false, packed(sign.Auto), filesSource},
	{"ASiC-E with CAdES", sign.FormatASiCE, "CAdES", true, false, false, func(o *sign.Options) { o.CMS = true }, filesSource},
}

var levels = []sign.Level{sign.B, sign.T, sign.LT, sign.LTA}

// refusal is what a judge says instead of yes, in its own words, and what they mean.
type refusal struct {
	judge  string
	kinds  string // the names of packagings begin so; "" all
	levels []sign.Level
	words  string
	why    string
}

const withOCSP = "it cannot read OCSP answers among the revocation values of a message, where EN 319 122-1 has them, and then sees none of its signers"

// refusals are the cells of the table that are left out. Each is tried and must still be refused with these words.
var refusals = []refusal{
	{"pkcs7", "CAdES", []sign.Level{sign.LT, sign.LTA}, "Message has no signers", withOCSP},
	{"pkcs7", "ASiC-E", []sign.Level{sign.LT, sign.LTA}, "Message has no signers", withOCSP},
	{"pdfsig, whole document", "PAdES", []sign.Level{sign.LT}, "Not total document signed", "the evidence stands after the signature, and a document time stamp (B-LTA) is what covers it"},
	{"pdfsig, whole document", "PAdES", []sign.Level{sign.LTA}, "Unable to validate this type of signature", "it shows that the document time stamp is over the whole document, but does not check time stamps; openssl ts does"},
}

// refused is the refusal that is due, or nil.
func refused(j judge, k *packaging, level sign.Level) *refusal {
	for i, r := range refusals {
		if r.judge == j.name && strings.HasPrefix(k.name, r.kinds) && slices.Contains(r.levels, level) {
			return &refusals[i]
		}
	}
	return nil
}

// cell makes one signature and has all judge it.
func cell(t *testing.T, w *workshop, k *packaging, level sign.Level, alg pki.Algorithm, key sign.Key) {
	t.Helper()
	o := w.options(alg, level)
	k.options(&o)
	data, rep, err := signFile(context.Background(), k.format, k.in(), key, o)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Level != level || rep.Format != k.format || rep.Bytes != int64(len(data)) || rep.Stamped.IsZero() != (level == sign.B) || len(rep.Warnings) > 0 {
		t.Errorf("reported as %+v", rep)
	}
	m := &made{kind: k, level: level, alg: alg, data: data, w: w, stamped: map[sign.Level]int{sign.T: 1, sign.LT: 1, sign.LTA: 2}[level]}
	if k.format == sign.FormatASiCE {
		m.unpack(t)
	}
	for _, j := range judges {
		if !j.of(k, level) {
			continue
		}
		err := j.says(t, m)
		switch r := refused(j, k, level); {
		case r == nil && err != nil:
			t.Errorf("%s: %v", j.name, err)
		case r != nil && err == nil:
			t.Errorf("%s accepts what it is said to refuse with %q", j.name, r.words)
		case r != nil && !strings.Contains(err.Error(), r.words):
			t.Errorf("%s says other words than %q: %v", j.name, r.words, err)
		}
	}
}

// TestDocsInterop: the table of docs/signing.md is the one that these tests run.
func TestDocsInterop(t *testing.T) {
	var b strings.Builder
	b.WriteString("| format | level |")
	rule := "|---|---|"
	for _, j := range judges {
		b.WriteString(" " + j.name + " |")
		rule += "---|"
	}
	b.WriteString("\n" + rule + "\n")
	var notes []string
	for i := range packagings {
		k := &packagings[i]
		for _, level := range levels {
			fmt.Fprintf(&b, "| %s | %s |", k.name, level)
			for _, j := range judges {
				mark := ""
				if r := refused(j, k, level); r != nil && j.of(k, level) {
					tool, _, _ := strings.Cut(j.name, ",")
					note := fmt.Sprintf("%s says `%s`: %s.", tool, r.words, r.why)
					if !slices.Contains(notes, note) {
						notes = append(notes, note)
					}
					mark = fmt.Sprintf("(%d)", 1+slices.Index(notes, note))
				} else if j.of(k, level) {
					mark = "✓"
				}
				b.WriteString(" " + mark + " |")
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
	for i, note := range notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, note)
	}
	inDocs(t, "interop", b.String())
}

// inDocs compares what stands between two marks in docs/signing.md with what it must be, or writes it.
func inDocs(t *testing.T, mark, want string) {
	t.Helper()
	path := filepath.Join("..", "docs", "signing.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->\n"
	head, rest, ok := strings.Cut(string(doc), begin)
	table, tail, ok2 := strings.Cut(rest, end)
	switch {
	case !ok || !ok2:
		t.Fatalf("%s has no %q", path, begin)
	case table == want:
	case !*updateDocs:
		t.Fatalf("the table %s of %s is out of date: go test ./sign -run %s -args -update\nwant:\n%s", mark, path, t.Name(), want)
	default:
		if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
