package sign_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards/pki"
)

// rewritten has a program write a file anew: IN and OUT among its arguments are the names.
func rewritten(from func(testing.TB, *workshop) []byte, name string, args ...string) func(testing.TB, *workshop) []byte {
	return func(t testing.TB, w *workshop) []byte {
		t.Helper()
		path := inFile(t, "IN", from(t, w))
		mustRun(t, filepath.Dir(path), name, args...)
		return readFile(t, filepath.Join(filepath.Dir(path), "OUT"))
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var aContract = contracted(func(*pdftest.Update) {})

// rewrittenShapes come from programs that are quick.
var rewrittenShapes = []shape{
	{name: "qpdf, linearised", make: rewritten(aContract, "qpdf", "--linearize", "IN", "OUT")},
	{name: "qpdf, linearised, object streams", make: rewritten(aContract, "qpdf", "--linearize", "--object-streams=generate", "IN", "OUT")},
	{name: "qpdf, object streams", make: rewritten(aContract, "qpdf", "--object-streams=generate", "--recompress-flate", "IN", "OUT")},
	{name: "qpdf, to be read by men", make: rewritten(aContract, "qpdf", "--qdf", "IN", "OUT")},
	{name: "cairo", make: rewritten(aContract, "pdftocairo", "-pdf", "IN", "OUT")},
	{name: "poppler, two joined", sloppy: true, make: rewritten(aContract, "pdfunite", "IN", "IN", "OUT")},
	{name: "pdfsig, signed", earlier: 1, make: signedByPdfsig},
}

// signedByPdfsig: poppler's own writer, and its signature.
func signedByPdfsig(t testing.TB, w *workshop) []byte {
	t.Helper()
	dir, who := t.TempDir(), w.citizen(pki.RSA, 1)
	put(t, dir, "key.pem", privatePEM(t, who))
	put(t, dir, "signer.pem", inPEM(who.Certificate))
	put(t, dir, "ca.pem", inPEM(who.Issuer.Certificate))
	put(t, dir, "root.pem", inPEM(w.net.Of(pki.RSA).Root.Certificate))
	put(t, dir, "plain.pdf", aContract(t, w))
	put(t, dir, "nss/README", nil)
	for _, args := range [][]string{
		{"openssl", "pkcs12", "-export", "-inkey", "key.pem", "-in", "signer.pem", "-certfile", "ca.pem", "-name", "signer", "-passout", "pass:x", "-out", "s.p12"},
		{"certutil", "-N", "-d", "sql:nss", "--empty-password"},
		{"certutil", "-A", "-d", "sql:nss", "-n", "root", "-t", "CT,C,C", "-i", "root.pem"},
		{"pk12util", "-i", "s.p12", "-d", "sql:nss", "-W", "x", "-K", ""},
		{"pdfsig", "-nssdir", "sql:nss", "-nick", "signer", "-add-signature", "plain.pdf", "out.pdf"},
	} {
		mustRun(t, dir, args[0], args[1:]...)
	}
	return readFile(t, filepath.Join(dir, "out.pdf"))
}

// privatePEM is the key of a test PKI for programs.
func privatePEM(t testing.TB, who *pki.Issued) []byte {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(who.Key)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	return b.Bytes()
}

// TestRewrittenShapes: TestShapes for what quick programs write.
func TestRewrittenShapes(t *testing.T) {
	t.Parallel()
	holdAll(t, rewrittenShapes)
}

// holdAll signs shapes twice, each sixth at B-LTA, and has them judged.
func holdAll(t *testing.T, shapes []shape) {
	t.Helper()
	w := newWorkshop(t)
	w.nssdir(t)
	for i, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.hold(t, w, i%6 == 0)
		})
	}
}

// TestDocsShapes: docs/signing.md lists every shape.
func TestDocsShapes(t *testing.T) {
	var names []string
	for _, s := range slices.Concat(writtenShapes, rewrittenShapes) {
		names = append(names, s.name)
	}
	names = append(names, officeShapes...)
	sorted := slices.Sorted(slices.Values(names))
	if n := len(slices.Compact(sorted)); n != len(names) {
		t.Errorf("%d shapes, and %d names", len(names), n)
	}
	inDocs(t, "shapes", strings.Join(names, "; ")+".\n")
}

// officeShapes are the names of those in shapes_soak_test.go, which that test compares.
var officeShapes = []string{
	"LibreOffice, text", "LibreOffice, PDF/A-2b", "LibreOffice, tagged", "LibreOffice, form", "LibreOffice, signed",
	"Chromium, printed", "pdfTeX", "XeTeX (xdvipdfmx)", "dvips and Ghostscript", "groff and Ghostscript", "groff", "Apache FOP", "over 100 MB",
}
