package container_test

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/testcards/libreoffice"
	"github.com/eidkit/eidkit/testcards/pki"
)

// signedBy has LibreOffice make and sign a document.
func signedBy(t *testing.T, format string, a pki.Algorithm) []byte {
	t.Helper()
	m := newMaker(t, a)
	raw, err := os.ReadFile(libreoffice.Document(t, format, libreoffice.Signer{Certificate: m.signer.Certificate, Key: m.signer.Key,
		Authorities: []*x509.Certificate{m.pki.CitizenCA.Certificate, m.pki.Root.Certificate}}))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// edit copies a container with some files changed: an empty one is left out, one that is not there is added.
func edit(t *testing.T, raw []byte, change map[string]func(string) string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var files []file
	seen := map[string]bool{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text := string(body)
		if c := change[f.Name]; c != nil {
			seen[f.Name] = true
			if text = c(text); text == "" {
				continue
			}
		}
		files = append(files, file{f.Name, text})
	}
	for name, c := range change {
		if !seen[name] {
			files = append(files, file{name, c("")})
		}
	}
	return pack(t, "", files...)
}

func replace(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

func TestLibreOfficeODF(t *testing.T) {
	t.Parallel()
	raw := signedBy(t, "odt", pki.EC)
	s := read(t, raw)[0]
	if w := wrong(s); w != "" || s.Format != ades.XAdES || s.Container != "ODF" || s.File != "META-INF/documentsignatures.xml" || !s.CoversWholeFile || codes(s) != "" {
		t.Fatalf("%s; %s in %s, whole %t; %s", w, s.Format, s.Container, s.CoversWholeFile, codes(s))
	}
	remove := func(string) string { return "" }
	for name, test := range map[string]struct {
		change map[string]func(string) string
		codes  string
		wrong  string
	}{
		"content changed":      {map[string]func(string) string{"content.xml": replace("LibreOffice", "Libreoffice")}, "", "content content.xml: found true, intact false"},
		"white space in a tag": {map[string]func(string) string{"content.xml": replace("<office:body>", "<office:body >")}, "", ""},
		"file added":           {map[string]func(string) string{"Basic/script-lc.xml": func(string) string { return "<x/>" }}, "FILE_NOT_SIGNED Basic/script-lc.xml", ""},
		"file removed":         {map[string]func(string) string{"manifest.rdf": remove}, "", "content manifest.rdf: found false, intact false"},
		"manifest changed":     {map[string]func(string) string{"META-INF/manifest.xml": replace("text/xml", "text/plain")}, "", "content META-INF/manifest.xml: found true, intact false"},
		"mimetype changed":     {map[string]func(string) string{"mimetype": replace(".text", ".text-template")}, "", "content mimetype: found true, intact false"},
		"linked data":          {map[string]func(string) string{"external-data/x": func(string) string { return "x" }}, "", ""},
		"signature removed":    {map[string]func(string) string{"META-INF/documentsignatures.xml": remove}, "none", ""},
		"empty list of signatures": {map[string]func(string) string{"META-INF/documentsignatures.xml": func(string) string {
			return `<document-signatures xmlns="urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0"/>`
		}}, "none", ""},
		"no manifest":     {map[string]func(string) string{"META-INF/manifest.xml": remove}, "BAD_CONTAINER META-INF/manifest.xml", "finding"},
		"broken manifest": {map[string]func(string) string{"META-INF/manifest.xml": func(string) string { return "<x/>" }}, "MANIFEST_BROKEN META-INF/manifest.xml", "finding"},
		"encrypted": {map[string]func(string) string{
			"content.xml": func(string) string { return "<not-to-be-read/>" },
			"META-INF/manifest.xml": replace(`manifest:full-path="content.xml" manifest:media-type="text/xml"/>`,
				`manifest:full-path="content.xml" manifest:media-type="text/xml"><manifest:encryption-data/></manifest:file-entry>`),
		}, "UNSUPPORTED_PART content.xml, FILE_NOT_SIGNED content.xml", "finding"},
	} {
		list, err := container.Read(t.Context(), input(edit(t, raw, test.change)))
		if test.codes == "none" {
			if err == nil {
				t.Errorf("%s: %d signatures", name, len(list))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := wrong(list[0]); codes(list[0]) != test.codes || got != test.wrong && (test.wrong != "finding" || !strings.HasPrefix(got, "finding")) {
			t.Errorf("%s: %s; %s", name, codes(list[0]), got)
		}
	}
	// A signature over macros alone covers no document.
	macros := edit(t, raw, map[string]func(string) string{
		"META-INF/macrosignatures.xml": func(string) string { return string(inside(t, raw, "META-INF/documentsignatures.xml")) },
		"Basic/script-lc.xml":          func(string) string { return "<x/>" },
	})
	list := read(t, macros)
	i := slices.IndexFunc(list, func(s *ades.Signature) bool { return s.File == "META-INF/macrosignatures.xml" })
	if len(list) != 2 || i < 0 || codes(list[i]) != "FILE_NOT_SIGNED Basic/script-lc.xml" || list[i].CoversWholeFile {
		t.Errorf("macros: %d signatures", len(list))
	}
}

func inside(t *testing.T, raw []byte, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLibreOfficeOOXML(t *testing.T) {
	t.Parallel()
	raw := signedBy(t, "docx", pki.RSA)
	s := read(t, raw)[0]
	if w := wrong(s); w != "" || s.Format != ades.XAdES || s.Container != "OOXML" || s.File != "_xmlsignatures/sig1.xml" {
		t.Fatalf("%s; %s in %s; %s", w, s.Format, s.Container, codes(s))
	}
	uncovered := codes(s)
	if strings.Contains(uncovered, "AMBIGUOUS") || !strings.Contains(uncovered, "FILE_NOT_SIGNED docProps/core.xml") || s.CoversWholeFile {
		t.Errorf("%s, whole %t", uncovered, s.CoversWholeFile)
	}
	for _, part := range []string{"word/document.xml", "word/styles.xml"} {
		if ref := reference(s, part); ref.Kind != ades.RefContent || !ref.Intact || strings.Contains(uncovered, part) {
			t.Errorf("%s: %+v; %s", part, ref, uncovered)
		}
	}
	remove := func(string) string { return "" }
	types := "[Content_Types].xml"
	for name, test := range map[string]struct {
		change map[string]func(string) string
		added  string // to what is not covered
		wrong  string
	}{
		"document changed": {map[string]func(string) string{"word/document.xml": replace("LibreOffice", "Libreoffice")}, "", "content word/document.xml: found true, intact false"},
		"part removed":     {map[string]func(string) string{"word/styles.xml": remove}, "", "content"},
		"part added":       {map[string]func(string) string{"word/vbaProject.bin": func(string) string { return "x" }}, "AMBIGUOUS_CONTENT word/vbaProject.bin", "finding"},
		"property added":   {map[string]func(string) string{"docProps/custom.xml": func(string) string { return "<x/>" }}, "FILE_NOT_SIGNED docProps/custom.xml", ""},
		"link added": {map[string]func(string) string{"word/_rels/document.xml.rels": replace("</Relationships>",
			`<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="http://a.be/x" TargetMode="External"/></Relationships>`)},
			"AMBIGUOUS_CONTENT word/_rels/document.xml.rels", "finding"},
		"other document": {map[string]func(string) string{"_rels/.rels": replace("</Relationships>",
			`<Relationship Id="rId0" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="docProps/custom.xml"/></Relationships>`)},
			"AMBIGUOUS_CONTENT _rels/.rels", "finding"},
		"link changed":          {map[string]func(string) string{"_rels/.rels": replace(`Target="word/document.xml"`, `Target="word/styles.xml"`)}, "", "content _rels/.rels: found true, intact false"},
		"links of a part":       {map[string]func(string) string{"word/_rels/settings.xml.rels": func(string) string { return "<x/>" }}, "AMBIGUOUS_CONTENT word/_rels/settings.xml.rels", "finding"},
		"type changed":          {map[string]func(string) string{types: replace("wordprocessingml.styles+xml", "wordprocessingml.settings+xml")}, "BAD_CONTAINER word/styles.xml", "finding"},
		"signature not linked":  {map[string]func(string) string{"_rels/.rels": replace("digital-signature/origin", "digital-signature/other")}, "none", ""},
		"origin without links":  {map[string]func(string) string{"_xmlsignatures/_rels/origin.sigs.rels": remove}, "none", ""},
		"types cannot be read":  {map[string]func(string) string{types: func(string) string { return "bla" }}, "refused", ""},
		"links cannot be read":  {map[string]func(string) string{"_rels/.rels": func(string) string { return "bla" }}, "refused", ""},
		"signature without one": {map[string]func(string) string{"_xmlsignatures/sig1.xml": func(string) string { return "<x/>" }}, "none", ""},
	} {
		list, err := container.Read(t.Context(), input(edit(t, raw, test.change)))
		switch {
		case test.added == "none" || test.added == "refused":
			if want := map[string]error{"none": ades.ErrNoSignature, "refused": ades.ErrRefused}[test.added]; !isError(err, want) {
				t.Errorf("%s: %d signatures, %v", name, len(list), err)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := list[0]
		if got := wrong(s); got != test.wrong && (test.wrong == "" || !strings.HasPrefix(got, test.wrong)) {
			t.Errorf("%s: %s", name, got)
		}
		if test.added != "" && !strings.Contains(codes(s), test.added) {
			t.Errorf("%s: %s", name, codes(s))
		}
	}
}
