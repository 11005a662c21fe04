package xades_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/xmldsig"
	"github.com/eidkit/eidkit/testcards/pki"
)

// nasty are documents that whoever writes XML anew would change. ENC is their encoding; what is empty is opened.
var nasty = []struct{ doc, parent string }{
	{doc: `<?xml version="1.0" encoding="ENC"?><a/>`},
	{doc: `<?xml version='1.0' encoding='ENC' standalone="yes" ?>` + "\r\n<a\r\n />\r\n\r\n"},
	{doc: `<?xml version="1.0" encoding="ENC"?><p:a xmlns:p="urn:p" p:b='"1"'/>`},
	{doc: `<?xml version="1.0" encoding="ENC"?>` + "\n<!-- </a> & < -->\n<?pi </a> ?>\n<a b='1\n\t2\r\n3' c=\"&#10;&#xD;&lt;\">\r\n text\r\n\ttext \r&#13; é</a\n >\n<!-- after -->\n<?pi?>\n"},
	{doc: `<?xml version="1.0" encoding="ENC"?><a><![CDATA[</a>]]]]><![CDATA[>é]]><!-- </a> --></a>`},
	{doc: `<?xml version="1.0" encoding="ENC"?><a><b></b><b/><b   /><?php echo "</a>"?></a>`},
	{doc: `<?xml version="1.0" encoding="ENC"?><ds:a xmlns:ds="urn:other" xmlns:xades="urn:more" xmlns="urn:default" xml:space="preserve" xml:lang="nl" xml:id="x"> &amp; &quot; <é é="é"/> </ds:a>`},
	{doc: `<?xml version="1.0" encoding="ENC"?><a xmlns:u="urn:unused"><b id="here" xmlns="urn:b"/><b id="there"> </b></a>`, parent: "here"},
	{doc: `<?xml version="1.0" encoding="ENC"?><a><b id="here" c="/>">>]] ></b >tail</a>`, parent: "here"},
	{doc: `<?xml version="1.0" encoding="ENC"?><a>€ Ÿ</a>`},
	{doc: `<?xml version="1.0" encoding="ENC"?><a>😀 中 ` + "\u0085\u2028" + `</a>`},
	{doc: "<a>\n</a>"},
	{doc: `<?xml version="1.0" encoding="ENC"?><déclaration a="é"/>`},
}

// encodings are those that documents come in; mark is put before.
var encodings = []struct {
	name, declared string
	enc            encoding.Encoding
}{
	{"UTF-8", "UTF-8", unicode.UTF8},
	{"UTF-8 with a mark", "utf-8", unicode.UTF8BOM},
	{"UTF-16LE", "UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)},
	{"UTF-16BE", "UTF-16", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)},
	{"UTF-16LE without mark", "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	{"ISO-8859-1", "ISO-8859-1", charmap.ISO8859_1},
	{"ISO-8859-15", "ISO-8859-15", charmap.ISO8859_15},
	{"windows-1252", "windows-1252", charmap.Windows1252},
	{"US-ASCII", "US-ASCII", nil},
}

// encoded is a document in an encoding, false if it cannot be or would not say so.
func encoded(i, e int) ([]byte, bool) {
	doc, in := strings.ReplaceAll(nasty[i].doc, "ENC", encodings[e].declared), encodings[e]
	if !strings.HasPrefix(doc, "<?xml") && (in.declared != "UTF-8" && in.declared != "UTF-16") {
		return nil, false
	}
	if in.enc == nil {
		return []byte(doc), strings.IndexFunc(doc, func(r rune) bool { return r >= 0x80 }) < 0
	}
	out, err := in.enc.NewEncoder().Bytes([]byte(doc))
	return out, err == nil
}

// cut takes the signatures out of a document. An element that was opened for one is closed again.
func cut(t testing.TB, doc []byte, opened bool) []byte {
	t.Helper()
	for {
		d, err := xmldsig.Parse(doc, xmldsig.Limits{})
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		list := d.Signatures()
		if len(list) == 0 {
			return doc
		}
		start, end := d.Span(list[0])
		if opened && len(list) == 1 {
			_, after := d.Span(list[0].Parent())
			width := int64(1)
			slash := []byte{'/'}
			switch d.Encoding {
			case "utf-16le":
				width, slash = 2, []byte{'/', 0}
			case "utf-16be":
				width, slash = 2, []byte{0, '/'}
			}
			greater := doc[start-width : start] // of what is a start tag now
			return bytes.Join([][]byte{doc[:start-width], slash, greater, doc[after:]}, nil)
		}
		doc = append(bytes.Clone(doc[:start]), doc[end:]...)
	}
}

// TestEveryByteKept signs nasty documents in all encodings: outside the signature nothing changes, others read what comes out, and it verifies.
func TestEveryByteKept(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	all := map[string][]byte{}
	for i := range nasty {
		for e := range encodings {
			in, ok := encoded(i, e)
			if !ok {
				continue
			}
			name := fmt.Sprintf("%d in %s", i, encodings[e].name)
			level := ades.LevelB
			if i == e {
				level = ades.LevelLTA
			}
			plain, err := xmldsig.Parse(in, xmldsig.Limits{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			parent := plain.Root()
			if nasty[i].parent != "" {
				if parent, err = plain.ByID(nasty[i].parent); err != nil {
					t.Fatal(err)
				}
			}
			out := m.sign(t, bytes.Clone(in), nil, xades.MakeOptions{Parent: nasty[i].parent}, m.raising(level, signingTime.Add(time.Minute)))
			if got := cut(t, out, plain.EndTag(parent) < 0); !bytes.Equal(got, in) {
				t.Errorf("%s: without the signature the document is\n%q, and was\n%q", name, got, in)
			}
			if level > ades.LevelB || e == 0 {
				m.judge(t, name, out, nil, signingTime.Add(time.Hour), level, 1)
			} else {
				fits(t, out, 1)
			}
			all[fmt.Sprintf("%d-%d.xml", i, e)] = out
			if i == 3 || e == 0 {
				m.xmlsec(t, name, out, "", nil)
			}
			if (i+e)%2 != 0 {
				continue
			}
			again := m.sign(t, out, nil, xades.MakeOptions{}, nil)
			if got := cut(t, again, plain.EndTag(parent) < 0 && parent == plain.Root()); nasty[i].parent == "" && !bytes.Equal(got, in) {
				t.Errorf("%s, signed twice: without the signatures the document is\n%q, and was\n%q", name, got, in)
			}
			fits(t, again, 2)
			all[fmt.Sprintf("%d-%d-twice.xml", i, e)] = again
		}
	}
	dir := written(t, all)
	files, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(files) != len(all) {
		t.Fatal(err, len(files))
	}
	if out, err := exec.Command(tool(t, "xmllint"), append([]string{"--noout"}, files...)...).CombinedOutput(); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}

// fits wants so many signatures in a document, and everything about them to fit.
func fits(t testing.TB, doc []byte, count int) {
	t.Helper()
	list, err := xades.ReadDocument(t.Context(), doc, nil, xades.Options{})
	if err != nil || len(list) != count {
		t.Fatalf("%d signatures, want %d: %v\n%q", len(list), count, err, doc)
	}
	for _, s := range list {
		if s.Algorithm.Verify(s.Signer.PublicKey, s.Digest, s.Value) != nil || len(s.Findings) > 0 || !s.SignedProperties {
			t.Fatalf("a signature does not verify: %+v\n%q", s.Findings, doc)
		}
		for _, r := range s.References {
			if !r.Intact {
				t.Fatalf("reference %q does not fit\n%q", r.URI, doc)
			}
		}
	}
}

// FuzzSign signs anything that is XML: it verifies, and without the signature it is what it was.
func FuzzSign(f *testing.F) {
	m := newMaker(f, pki.RSA, false)
	for i := range nasty {
		for e := range encodings {
			if in, ok := encoded(i, e); ok && (i+e)%3 == 0 {
				f.Add(in)
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		doc, err := xmldsig.Parse(in, xmldsig.Limits{})
		if err != nil || len(in) > 1<<16 {
			return
		}
		d, err := xades.Prepare(t.Context(), m.making, bytes.Clone(in), nil, xades.MakeOptions{})
		if err != nil {
			if len(doc.Signatures()) == 0 && !strings.Contains(err.Error(), "relative namespace") && !strings.Contains(err.Error(), "limit") && !strings.Contains(err.Error(), "nested more than") {
				t.Fatalf("not signed: %v", err)
			}
			return
		}
		out := m.finish(t, d, nil)
		if len(doc.Signatures()) == 0 {
			fits(t, out, 1)
			if got := cut(t, out, doc.EndTag(doc.Root()) < 0); !bytes.Equal(got, in) {
				t.Fatalf("without the signature: %q, was %q", got, in)
			}
		}
	})
}
