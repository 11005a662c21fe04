//go:build soak

package sign_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/libreoffice"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

const webPage = `<html><head><title>Verklaring</title></head><body><h1>Verklaring</h1><p>Ik verklaar dat dit een <b>proef</b> is.</p>` +
	`<table border="1"><tr><td>Gent</td><td>2026</td></tr></table>FORM</body></html>`

// office has LibreOffice make a PDF of a page.
func office(form, filter string) func(testing.TB, *workshop) []byte {
	return func(t testing.TB, _ *workshop) []byte {
		t.Helper()
		path := inFile(t, "page.html", []byte(strings.Replace(webPage, "FORM", form, 1)))
		dir := filepath.Dir(path)
		mustRun(t, dir, "soffice", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", filter, "page.html")
		return readFile(t, filepath.Join(dir, "page.pdf"))
	}
}

func officeSigned(t testing.TB, w *workshop) []byte {
	t.Helper()
	who := w.citizen(pki.RSA, 1)
	return readFile(t, libreoffice.PDF(t, libreoffice.Signer{Certificate: who.Certificate, Key: who.Key,
		Authorities: []*x509.Certificate{who.Issuer.Certificate, w.net.Of(pki.RSA).Root.Certificate}}))
}

func chromium(t testing.TB, _ *workshop) []byte {
	t.Helper()
	path := inFile(t, "page.html", []byte(strings.Replace(webPage, "FORM", "", 1)))
	dir := filepath.Dir(path)
	mustRun(t, dir, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(dir, "profile"), "--no-pdf-header-footer", "--print-to-pdf=page.pdf", "page.html")
	return readFile(t, filepath.Join(dir, "page.pdf"))
}

func groff(t testing.TB, _ *workshop) []byte {
	t.Helper()
	path := inFile(t, "page.ms", []byte(".TL\nVerklaring\n.PP\nIk verklaar dat dit een proef is.\n"))
	return []byte(mustRun(t, filepath.Dir(path), "groff", "-ms", "-Tpdf", "page.ms"))
}

// document is a PDF that a Debian package brings, packed or not.
func document(path string) func(testing.TB, *workshop) []byte {
	return func(t testing.TB, _ *workshop) []byte {
		t.Helper()
		in, err := os.Open(filepath.Join("/usr/share/doc", path))
		if err != nil {
			t.Fatalf("make soak installs it: %v", err)
		}
		defer in.Close()
		b, err := io.ReadAll(in)
		if z, zerr := gzip.NewReader(bytes.NewReader(b)); err == nil && zerr == nil {
			b, err = io.ReadAll(z)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// TestSoakShapes: TestShapes for the makers that are large programs, and for large files.
func TestSoakShapes(t *testing.T) {
	t.Parallel()
	const export = "pdf:writer_web_pdf_Export:"
	shapes := []shape{
		{name: "LibreOffice, text", make: office("", "pdf")},
		{name: "LibreOffice, PDF/A-2b", make: office("", export+`{"SelectPdfVersion":{"type":"long","value":"2"}}`)},
		{name: "LibreOffice, tagged", make: office("", export+`{"UseTaggedPDF":{"type":"boolean","value":"true"}}`)},
		{name: "LibreOffice, form", make: office(`<form action="x"><input type="text" name="naam" value="Proef"><input type="checkbox" name="akkoord"></form>`, "pdf")},
		{name: "LibreOffice, signed", earlier: 1, make: officeSigned},
		{name: "Chromium, printed", make: chromium},
		{name: "pdfTeX", make: document("bash/bashref.pdf")},
		{name: "XeTeX (xdvipdfmx)", make: document("debian-policy/policy.pdf.gz")},
		{name: "dvips and Ghostscript", make: document("libcfitsio-dev/quick.pdf.gz")},
		{name: "groff and Ghostscript", make: document("bash/bash.pdf")},
		{name: "groff", make: groff},
		{name: "Apache FOP", make: document("debian-policy/fhs/fhs-3.0.pdf.gz")},
		{name: "over 100 MB", make: func(testing.TB, *workshop) []byte {
			return signed.NewPDF(signed.PDFOptions{Padding: 101 << 20}).Bytes()
		}},
	}
	var names []string
	for _, s := range shapes {
		names = append(names, s.name)
	}
	if !slices.Equal(names, officeShapes) {
		t.Errorf("shapes %q, and docs/signing.md has %q", names, officeShapes)
	}
	holdAll(t, shapes)
}

// TestSoakVisibleShapes: every shape that is written without large programs, with signatures that are seen on its last page, the first a certification.
func TestSoakVisibleShapes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	for i, s := range slices.Concat(writtenShapes, rewrittenShapes) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			file := s.make(t, w)
			before, _ := qpdfCheck(t, inFile(t, "plain.pdf", file))
			for round, alg := range []pki.Algorithm{pki.RSA, pki.EC} {
				o := w.options(alg, sign.B)
				o.PDF = sign.PDF{Reason: "proef", Visible: &sign.Visible{Page: -1}}
				if round == 0 && s.earlier == 0 {
					o.PDF.Certify = 2 + i%2
				}
				once, _, err := signFile(context.Background(), sign.FormatPAdES, []sign.Source{source("plain.pdf", "application/pdf", file)}, w.software(alg, round), o)
				if err != nil {
					t.Fatalf("round %d: %v", round+1, err)
				}
				// Where a form asks the reader to draw its fields, poppler draws no signatures.
				text := mustRun(t, "", "pdftotext", inFile(t, "signed.pdf", once), "-")
				if strings.Count(text, "Specimen") <= round && !bytes.Contains(file, []byte("/NeedAppearances true")) {
					t.Errorf("round %d: the signer's name is not to be seen:\n%.300s", round+1, text)
				}
				file = once
				if err := complaint(w.judged(t, file, false), s.earlier+round+1); err != nil {
					t.Errorf("round %d: verify: %v", round+1, err)
				}
				outside(t, file, before, sign.B, s.earlier+round+1)
			}
		})
	}
}
