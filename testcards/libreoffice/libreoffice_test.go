package libreoffice_test

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"io/fs"
	"os"
	"testing"

	"github.com/eidkit/eidkit/testcards/libreoffice"
	"github.com/eidkit/eidkit/testcards/pki"
)

func signer(t *testing.T, a pki.Algorithm) libreoffice.Signer {
	t.Helper()
	p, err := pki.New(pki.Options{Algorithm: a})
	if err != nil {
		t.Fatal(err)
	}
	i, err := p.Issue(pki.Request{Subject: pki.Subject{NationalNumber: "85073003328", Surname: "Voorbeeld", GivenNames: "Eva"}, Kind: pki.Signature})
	if err != nil {
		t.Fatal(err)
	}
	return libreoffice.Signer{Certificate: i.Certificate, Key: i.Key, Authorities: []*x509.Certificate{p.CitizenCA.Certificate, p.Root.Certificate}}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		format, part string
		algorithm    pki.Algorithm
	}{
		{"odt", "META-INF/documentsignatures.xml", pki.EC}, {"docx", "_xmlsignatures/sig1.xml", pki.RSA},
	} {
		t.Run(test.format, func(t *testing.T) {
			t.Parallel()
			z, err := zip.OpenReader(libreoffice.Document(t, test.format, signer(t, test.algorithm)))
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			if raw, err := fs.ReadFile(z, test.part); err != nil || !bytes.Contains(raw, []byte("SignatureValue")) {
				t.Errorf("%d bytes, %v", len(raw), err)
			}
		})
	}
}

func TestPDF(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(libreoffice.PDF(t, signer(t, pki.RSA)))
	if err != nil || !bytes.HasPrefix(raw, []byte("%PDF-")) || !bytes.Contains(raw, []byte("/ByteRange")) {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}
