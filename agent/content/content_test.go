package content

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

func look(t testing.TB, b []byte, name string) Document {
	t.Helper()
	d, err := Look(bytes.NewReader(b), int64(len(b)), name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// utf16le is text as Windows saves it.
func utf16le(s string) []byte {
	b := []byte{0xFF, 0xFE}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestLook(t *testing.T) {
	t.Parallel()
	const svg = `<svg xmlns="http://www.w3.org/2000/svg">`
	far := strings.Repeat("<p>nothing to see</p>\n", 40_000) // several windows
	for _, test := range []struct {
		name, file string
		content    []byte
		mediaType  string
		want       []Active
	}{
		{"text", "a.txt", []byte("We agree on <script>.\n"), "text/plain", nil},
		{"text, its last letter cut by the limit", "a.txt", []byte("a" + strings.Repeat("é", 2000)), "text/plain", nil},
		{"UTF-16 text", "a.txt", utf16le("text"), "text/plain", nil},
		{"nothing", "a.txt", nil, "text/plain", nil},
		{"bytes", "a.bin", []byte{1, 2, 3, 0}, "application/octet-stream", nil},
		{"png", "a.png", []byte("\x89PNG\r\n\x1a\n...."), "image/png", nil},
		{"jpeg", "a.jpg", []byte("\xff\xd8\xff\xe0...."), "image/jpeg", nil},
		{"webp", "a.webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "image/webp", nil},
		{"xml", "a.xml", []byte(`<?xml version="1.0"?><order n="1"><on>x</on></order>`), "application/xml", nil},
		{"xml with entities", "a.xml", []byte(`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`), "application/xml", []Active{Entities}},
		{"xml with a style sheet", "a.xml", []byte(`<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><a/>`), "application/xml", []Active{Stylesheet}},
		{"script in xml", "a.xml", []byte(`<a xmlns:h="http://www.w3.org/1999/xhtml"><h:script>x</h:script></a>`), "application/xml", []Active{Script}},
		{"svg", "a.svg", []byte(svg + `<rect width="1"/></svg>`), "image/svg+xml", nil},
		{"svg with a script", "a.svg", []byte(svg + `<script>alert(1)</script></svg>`), "image/svg+xml", []Active{Script}},
		{"svg with a script and a prefix", "a.svg", []byte(`<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:sCRIPT/></s:svg>`), "image/svg+xml", []Active{Script}},
		{"svg with a handler", "a.svg", []byte(svg + "<rect width=\"1\"\nonLoad = 'x()'/></svg>"), "image/svg+xml", []Active{Script}},
		{"svg with a hidden link", "a.svg", []byte(svg + `<a href="&#106;ava&#x09;script&#58;x()"/></svg>`), "image/svg+xml", []Active{Script}},
		{"svg with HTML inside", "a.svg", []byte(svg + `<foreignObject/></svg>`), "image/svg+xml", []Active{Frames}},
		{"svg with a picture from elsewhere", "a.svg", []byte(svg + `<image x="1" href="https://site.example/a.png"/></svg>`), "image/svg+xml", []Active{External}},
		{"svg that moves", "a.svg", []byte(svg + `<animate attributeName="x"/><set attributeName="y"/></svg>`), "image/svg+xml", []Active{Animation}},
		{"svg in UTF-16", "a.svg", utf16le(`<?xml version="1.0"?>` + svg + `<script/></svg>`), "image/svg+xml", []Active{Script}},
		{"html", "a.html", []byte("<!DOCTYPE html><title>x</title><p>hello"), "text/html", nil},
		{"html by its name alone", "A.HTM", []byte("hello <img src=x onerror=y()>"), "text/plain", []Active{External, Script}},
		{"html by its content alone", "a.txt", []byte("\n<!-- note --> <HTML><script>x</script>"), "text/html", []Active{Script}},
		{"script far behind", "a.html", []byte("<html>" + far + "<script>"), "text/html", []Active{Script}},
		{"html with much", "a.html", []byte(`<html><iframe src="https://x.example"></iframe><form action="x"></form><a href="data:text/html,x">`), "text/html",
			[]Active{Embedded, External, Frames, Submit}},
		{"a picture called a page", "a.html", []byte("\xff\xd8\xff\xe0<script>x</script>"), "image/jpeg", []Active{Script}},
		{"office file with macros", "a.docm", []byte("PK\x03\x04....word/vbaProject.bin"), "application/zip", []Active{Macros, Unchecked}},
		{"office file without, cut", "a.docx", []byte("PK\x03\x04....word/document.xml"), "application/zip", []Active{Unchecked}},
		{"broken pdf", "a.pdf", []byte("%PDF-1.7\nnothing"), "application/pdf", []Active{Unchecked}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := look(t, test.content, test.file)
			if d.MediaType != test.mediaType || !slices.Equal(d.Active, test.want) {
				t.Errorf("%s %v, want %s %v", d.MediaType, d.Active, test.mediaType, test.want)
			}
		})
	}
}

func TestPDF(t *testing.T) {
	t.Parallel()
	page := func(more string) pdftest.Update {
		return pdftest.Update{Objects: map[int]string{
			1: `<< /Type /Catalog /Pages 2 0 R ` + more + ` >>`, 2: `<< /Type /Pages /Kids [3 0 R] /Count 1 >>`,
			3: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>`}}
	}
	with := func(more string, object string) pdftest.Update {
		u := page(more)
		u.Objects[4] = object
		return u
	}
	packed := with("/OpenAction 4 0 R", `<< /S /JavaScript /JS (app.alert\(1\)) >>`)
	packed.Packed = true
	for _, test := range []struct {
		name string
		file *pdftest.File
		want []Active
	}{
		{"nothing", pdftest.New(1, page("")), nil},
		{"a link", pdftest.New(1, with("", `<< /S /URI /URI (https://site.example) >>`)), nil},
		{"JavaScript at opening", pdftest.New(1, page(`/OpenAction << /S /JavaScript /JS (x) >>`)), []Active{Script}},
		{"its name spelled in numbers", pdftest.New(1, page(`/OpenAction << /S /J#61vaScript /J#53 (x) >>`)), []Active{Script}},
		{"in an object stream", pdftest.New(1, packed), []Active{Script}},
		{"by reference", pdftest.New(1, with(`/OpenAction << /S 4 0 R >>`, `/Launch`)), []Active{Launch}},
		{"names", pdftest.New(1, page(`/Names << /EmbeddedFiles << /Names [] >> /JavaScript << /Names [] >> >>`)), []Active{Embedded, Script}},
		{"form", pdftest.New(1, page(`/AcroForm << /XFA [] /Fields [] >> /AA << /WC << /S /SubmitForm >> >>`)), []Active{Submit, DynamicUI}},
		{"film", pdftest.New(1, with("", `<< /Subtype /RichMedia >>`)), []Active{Media}},
		{"layers", pdftest.New(1, pdftest.Contract()), []Active{Layers}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := look(t, test.file.Bytes(), "a.pdf")
			if d.MediaType != "application/pdf" || !slices.Equal(d.Active, test.want) {
				t.Errorf("%s %v, want %v", d.MediaType, d.Active, test.want)
			}
		})
	}
	later := pdftest.New(1, page(""))
	later.Append(with("/OpenAction 4 0 R", `<< /S /Launch >>`))
	if d := look(t, later.Bytes(), "a.pdf"); !slices.Equal(d.Active, []Active{Launch}) {
		t.Errorf("of a later revision %v was seen", d.Active)
	}
	deep := pdftest.New(1, page("/Deep "+strings.Repeat("[", 40)+"<< /A << /S /Launch >> >>"+strings.Repeat("]", 40)))
	if d := look(t, deep.Bytes(), "a.pdf"); !slices.Equal(d.Active, []Active{Launch}) {
		t.Errorf("deep inside %v was seen", d.Active)
	}
	polyglot := slices.Concat([]byte("<script>x</script>"), pdftest.New(1, page("")).Bytes())
	if d := look(t, polyglot, "a.pdf"); !slices.Contains(d.Active, Script) {
		t.Errorf("of a PDF that is a page too %v was seen", d.Active)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, errors.New("the disk is gone") }

// blanks is an endless file of spaces.
type blanks struct{}

func (blanks) ReadAt(p []byte, _ int64) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestLookAtTheLimits(t *testing.T) {
	t.Parallel()
	if _, err := Look(failing{}, 10, "a.txt"); err == nil {
		t.Error("a file that cannot be read was looked at")
	}
	found := map[Active]bool{}
	if err := scan(blanks{}, 2*window+1, 2*window, func([]byte, bool) {}, found); err != nil || !found[Unchecked] {
		t.Errorf("too large a file: %v, %v", found, err)
	}
	if err := scan(failing{}, 10, 10, (&markup{found: found}).piece, found); err == nil {
		t.Error("a file that cannot be read was looked through")
	}
}

// TestTexts: every kind has words of its own in four languages.
func TestTexts(t *testing.T) {
	t.Parallel()
	all := []Active{Script, Launch, Embedded, Submit, Media, DynamicUI, Layers, Frames, External, Animation, Entities, Stylesheet, Macros, Unchecked}
	if len(all) != len(texts) {
		t.Errorf("%d texts for %d kinds", len(texts), len(all))
	}
	for _, a := range all {
		for i, l := range Languages {
			if text := Text(a, l); text == "" || i > 0 && text == Text(a, "en") || text != texts[a][i] {
				t.Errorf("%s in %s: %q", a, l, text)
			}
		}
	}
	if Text("other", "xx") != Text(Unchecked, "en") {
		t.Error("what has no text is not called unchecked")
	}
}

// FuzzLook: whatever the bytes, there is a kind and nothing falls over.
func FuzzLook(f *testing.F) {
	f.Add([]byte("<svg><script/></svg>"), "a.svg")
	f.Add([]byte("&#x;&#0;&#106;&#99999999;&#xffffffff"), "a.html")
	f.Add(pdftest.New(1, pdftest.Contract()).Bytes(), "a.pdf")
	f.Add([]byte("PK\x03\x04scripts/python/a.py"), "a.odt")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		if d := look(t, b, name); d.MediaType == "" || !slices.IsSorted(d.Active) {
			t.Fatalf("%+v", d)
		}
	})
}

func BenchmarkLook(b *testing.B) {
	page := []byte("<html>" + strings.Repeat("<p class=\"x\">nothing to see here, not on any line</p>\n", 20_000))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if _, err := Look(bytes.NewReader(page), int64(len(page)), "a.html"); err != nil {
			b.Fatal(err)
		}
	}
}

var _ io.ReaderAt = failing{}

func ExampleText() {
	fmt.Println(Text(Script, "nl"))
	// Output: bevat programmacode (script)
}
