package content

import (
	"archive/zip"
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

// TestHostileMarkup: what browsers and SVG viewers act upon is named, however it is written.
func TestHostileMarkup(t *testing.T) {
	t.Parallel()
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	for _, test := range []struct {
		name, file, content string
		want                Active
	}{
		{"named references in a link", "a.html", `<html><a href="java&Tab;script&colon;x()">`, Script},
		{"named line ends in a link", "a.html", `<html><a href="java&NewLine;script&colon;x()">`, Script},
		{"many line ends in a link", "a.html", `<html><a href="java` + many("\n", 200) + `script:x()">`, Script},
		{"a line end after each letter", "a.html", "<html><a href=\"" + strings.Join(strings.Split("javascript", ""), "\r\n\t\n") + ":x()\">", Script},
		{"white space before =", "a.html", "<html><p onclick" + many(" ", 300) + "=x()>", Script},
		{"white space after =", "a.html", "<html><meta http-equiv=" + many(" \n", 300) + "refresh content=0>", Submit},
		{"slash before a handler", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"/onload=x()>`, Script},
		{"handler of SVG Tiny", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><handler type="application/ecmascript">x()</handler></svg>`, Script},
		{"form feed before a handler", "a.html", "<html><p\fonclick=x()>", Script},
		{"refresh by references", "a.html", `<html><meta content=0 http-equiv="re&#x66;resh">`, Submit},
		{"zeros in a reference", "a.html", `<html><a href="javascript&#` + many("0", 60) + `58;x()">`, Script},
		{"page in an address", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><use href="data:image/svg+xml;base64,x"/></svg>`, Embedded},
		{"XML in an address", "a.html", `<html><object data="data:text/xml,&lt;x/&gt;">`, Embedded},
		{"picture beside the page", "a.html", `<html><img src="beside.png">`, External},
		{"picture beside the page, its set", "a.html", `<html><img srcset="beside.png 2x">`, External},
		{"background beside the page", "a.html", `<html><body background=beside.png>`, External},
		{"poster beside the page", "a.html", `<html><p poster="beside.png">`, External},
		{"style with a picture beside the page", "a.html", `<html><p style="background:url(beside.png)">`, External},
		{"style with escapes", "a.html", `<html><p style="background:\75\72\6c (https://x.example/a.png)">`, External},
		{"import with escapes", "a.html", `<html><style>@\69mport "a.css"</style>`, External},
		{"base of links", "a.html", `<html><base href="https://x.example/">`, External},
		{"link after another attribute of that name", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><image data-href="#" href="https://x.example/a.png"/></svg>`, External},
		{"link far behind in the element", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><image desc="` + many("x", 3000) + `" href="https://x.example/a.png"/></svg>`, External},
		{"link behind a > in quotes", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><image desc=">" href="https://x.example/a.png"/></svg>`, External},
		{"link behind a < in quotes", "a.html", `<html><svg><image title="<a " href="https://x.example/a.png">`, External},
		{"link behind a long picture", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><image xlink:href="data:image/png;base64,` + many("A", 2*window) +
			`" href="https://x.example/a.png"/></svg>`, External},
		{"gradient from elsewhere", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><linearGradient href="other.svg#g"/></svg>`, External},
		{"parts that go", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><discard begin="2s"/></svg>`, Animation},
		{"film", "a.html", `<html><video autoplay></video>`, Media},
		{"another alphabet", "a.html", "<html><meta charset=iso-2022-jp><scr\x1b(Bipt>x()</scr\x1b(Bipt>", Unchecked},
		{"UTF-7", "a.xml", `<?xml version="1.0" encoding="UTF-7"?><a>+ADw-script+AD4-</a>`, Unchecked},
		{"white space over several pieces", "a.html", `<html><p onclick` + many(" ", 2*window) + `=x()>`, Script},
		{"letters in two pieces", "a.html", `<html>` + many(".", window-10) + `<script>`, Script},
		{"reference in two pieces", "a.html", `<html>` + many(".", window-6-26) + `<p><a href="javascript&colon;x()">`, Script},
		{"zeros over several pieces", "a.html", `<html><a href="javascript&#` + many("0", 2*window) + `58;x()">`, Unchecked},
		{"entity by its parameters", "a.xml", `<!DOCTYPE a [<!ENTITY % x "y"> %x;]><a/>`, Entities},
		{"definition from elsewhere", "a.xml", `<!DOCTYPE a SYSTEM "https://x.example/a.dtd"><a>&x;</a>`, Entities},
		{"object of a page", "a.xml", `<a xmlns:h="http://www.w3.org/1999/xhtml"><h:object data="b.html"/></a>`, Frames},
		{"object of a page by the prefix of signatures", "a.xml", `<a xmlns:ds="http://www.w3.org/1999/xhtml"><ds:object data="b.html"/></a>`, Frames},
		{"included", "a.xml", `<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="b.xml"/></a>`, External},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if d := look(t, []byte(test.content), test.file); !slices.Contains(d.Active, test.want) {
				t.Errorf("%s %v, want %s", d.MediaType, d.Active, test.want)
			}
		})
	}
}

// TestHonestMarkup: what does nothing is not warned of.
func TestHonestMarkup(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"a.html": `<!DOCTYPE html><html><head><title>x</title><style>p { background: url("data:image/png;base64,AA==") } q::before { content: "\201C" }</style></head>` +
			`<body><a href="https://site.example/">there</a><img src="data:image/png;base64,AA=="><p style="fill:url(#g)">A &colon; B</p>` + strings.Repeat(" ", 4000) + `</body></html>`,
		"a.svg": `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><linearGradient id="a"/><linearGradient xlink:href="#a"/>` +
			`<image xlink:href="data:image/png;base64,` + strings.Repeat("A", 2*window) + `" x="1"/><a href="https://site.example/"><use href='#a'/></a></svg>`,
		"a.xml":  `<?xml version="1.0" encoding="UTF-8"?><a xmlns:xlink="http://www.w3.org/1999/xlink"><b xlink:href="c.xml"/></a>`,
		"b.xml":  `<a><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Object Id="x">x</ds:Object><ds:Object>x</ds:Object></ds:Signature></a>`,
		"b.html": `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><p>x</p></html>`,
	} {
		if d := look(t, []byte(content), name); len(d.Active) != 0 {
			t.Errorf("%s: %s %v", name, d.MediaType, d.Active)
		}
	}
}

// TestPolyglots: a file that is one thing to us and another to its reader is named.
func TestPolyglots(t *testing.T) {
	t.Parallel()
	document := pdftest.New(1, pdftest.Update{Objects: map[int]string{1: `<< /Type /Catalog /Pages 2 0 R >>`, 2: `<< /Type /Pages /Kids [3 0 R] /Count 1 >>`,
		3: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>`}}).Bytes()
	archive := zipped(t, map[string]string{"a.txt": "a"})
	for name, content := range map[string][]byte{
		"picture and PDF": slices.Concat([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), document), "PDF and archive": slices.Concat(document, archive),
		"picture and archive": slices.Concat([]byte("\x89PNG\r\n\x1a\n...."), archive), "text and archive": slices.Concat([]byte("text\n"), archive),
		"archive and PDF": slices.Concat([]byte("PK\x03\x04......................\n"), document),
	} {
		if d := look(t, content, "a.pdf"); !slices.Contains(d.Active, Embedded) {
			t.Errorf("%s: %s %v", name, d.MediaType, d.Active)
		}
	}
}

func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestOffice: what office files hold beside text.
func TestOffice(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Active{"word/vbaProject.bin": Macros, "xl/macrosheets/sheet1.xml": Macros, "word/activeX/activeX1.bin": Macros,
		"word/embeddings/oleObject1.bin": Embedded, "xl/externalLinks/externalLink1.xml": External, "Basic/Standard/Module1.xml": Macros, "ObjectReplacements/Object 1": Embedded} {
		if d := look(t, zipped(t, map[string]string{"[Content_Types].xml": "<Types/>", name: "x"}), "a.docx"); !slices.Contains(d.Active, want) {
			t.Errorf("%s: %v", name, d.Active)
		}
	}
	const relation = `<Relationships><Relationship Id="1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	for text, want := range map[string]Active{
		relation + `attachedTemplate" Target="https://x.example/a.dotm" TargetMode="External"/></Relationships>`:    External,
		relation + "image\" TargetMode = 'External' Target='https://x.example/a.png'/></Relationships>":             External,
		relation + `oleObject" Target="a.dat"/></Relationships>`:                                                    Embedded,
		`<Types><Override PartName="/word/a.xml" ContentType="application/vnd.ms-office.vbaP&#114;oject"/></Types>`: Macros,
		strings.Repeat("<a/>", maxRelation): Unchecked,
	} {
		for _, name := range []string{"[Content_Types].xml", "word/_rels/document.xml.rels"} {
			if d := look(t, zipped(t, map[string]string{name: text}), "a.docx"); !slices.Contains(d.Active, want) {
				t.Errorf("%.200s: %v", text, d.Active)
			}
		}
	}
	honest := map[string]string{"[Content_Types].xml": "<Types/>", "word/document.xml": "x",
		"word/_rels/document.xml.rels": relation + `hyperlink" Target="https://site.example" TargetMode="External"/></Relationships>`}
	if d := look(t, zipped(t, honest), "a.docx"); len(d.Active) != 0 {
		t.Errorf("nothing: %v", d.Active)
	}
	whole := zipped(t, honest)
	for name, b := range map[string][]byte{"cut": whole[:len(whole)-30], "something before it": slices.Concat([]byte("PK\x03\x04"), whole)} {
		if d := look(t, b, "a.docx"); !slices.Contains(d.Active, Unchecked) {
			t.Errorf("%s: %v", name, d.Active)
		}
	}
}

// TestHostilePDF: what is seen here is what the document has for its readers.
func TestHostilePDF(t *testing.T) {
	t.Parallel()
	with := func(catalog, object string) []byte {
		u := pdftest.Update{Objects: map[int]string{1: `<< /Type /Catalog /Pages 2 0 R ` + catalog + ` >>`, 2: `<< /Type /Pages /Kids [3 0 R] /Count 1 >>`,
			3: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>`}}
		if object != "" {
			u.Objects[4] = object
		}
		return pdftest.New(1, u).Bytes()
	}
	for _, test := range []struct {
		name string
		file []byte
		want Active
	}{
		{"an address opened by itself", with(`/OpenAction << /S /URI /URI (https://x.example) >>`, ""), Submit},
		{"an address opened by a page", with("", `<< /AA << /O << /S /URI /URI (https://x.example) >> >> >>`), Submit},
		{"next of an action", with(`/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next [<< /S /J#61vaScript /JS (x) >>] >>`, ""), Script},
		{"hidden and shown by an action", with("", `<< /S /Hide /T (a) >>`), Layers},
		{"content in another file", with("", "<< /Length 0 /F (other.bin) >>\nstream\n\nendstream"), External},
		{"page of another file", with("", "<< /Subtype /Form /Ref << /F (other.pdf) /Page 0 >> /Length 0 >>\nstream\n\nendstream"), External},
		{"other picture on paper", with("", "<< /Subtype /Image /Alternates [] /Length 0 >>\nstream\n\nendstream"), Layers},
		{"an object that cannot be read", with(`/OpenAction 4 0 R`, `<< /S /JavaScript /JS (x) ]`), Unchecked},
		{"an object elsewhere than said", bytes.Replace(with(`/OpenAction 4 0 R`, `<< /S /JavaScript /JS (x) >>`), []byte("\n4 0 obj"), []byte("\n7 0 obj"), 1), Unchecked},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if d := look(t, test.file, "a.pdf"); !slices.Contains(d.Active, test.want) {
				t.Errorf("%v, want %s", d.Active, test.want)
			}
		})
	}
}
