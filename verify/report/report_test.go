package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// sample is a report with everything in it, hostile text included.
func sample() *verify.Report {
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	revoked := at.Add(-time.Hour)
	fp := func(n int) string { return fmt.Sprintf("%064x", n) }
	leaf := verify.Certificate{Subject: `CN=Hanne\, Test <b>(Signature)</b>,C=BE`, Issuer: "CN=TEST Citizen CA", SHA256: fp(1), Key: "EC P-384", NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(9, 0, 0)}
	root := verify.Certificate{Subject: "CN=TEST Root", Issuer: "CN=TEST Root", SHA256: fp(2), Key: "EC P-384", NotBefore: at.AddDate(-5, 0, 0), NotAfter: at.AddDate(9, 0, 0), Anchor: true, DER: []byte{0x30, 0}}
	message := verify.Message{Code: "REVOKED", Text: map[string]string{"en": "The certificate was revoked.", "nl": "Het certificaat is ingetrokken.", "fr": "Le certificat est révoqué.", "de": "Das Zertifikat ist widerrufen."}, Object: "</p><script>alert(1)</script>", Detail: "a\u202eb"}
	s := verify.Signature{
		ID: "Signature1", Format: "PAdES", SubFormat: "ETSI.CAdES.detached", Level: "B-LT", Indication: verify.TotalFailed, SubIndication: "REVOKED",
		Signer: &verify.Signer{NISS: "85073100166", Surname: "Test", GivenNames: "Hanne", CommonName: "Hanne Test", Country: "BE", Kind: "citizen"}, SigningCertificate: &leaf,
		ClaimedSigningTime: &at, BestSignatureTime: &at, CryptographicallyValid: true, Algorithm: "ECDSA with SHA-384",
		Covered:           []verify.Covered{{Kind: "content", Name: "bytes 0-10", Found: true, Intact: true, Digest: "SHA-256:" + fp(7)}},
		Claims:            &verify.Claims{Signed: true, Roles: []string{"nurse"}, Commitments: []string{"1.2.840.113549.1.9.16.6.1"}, Place: "Gent", Reason: "approval", Policy: "urn:oid:2.16.56.1"},
		PDF:               &verify.PDFSignature{Field: "Signature1", Page: 1, Rect: [4]float64{100, 100, 300, 200}, PageSize: [2]float64{595, 842}, Changes: []verify.Change{{Revision: 2, Object: "4 0 R", What: "content-replaced"}}},
		Timestamps:        []verify.Timestamp{{ID: "t", Kind: "signature", SHA256: fp(8), Time: at, Indication: verify.TotalPassed, Authority: "CN=TEST TSA", Chain: []verify.Certificate{root}}},
		Chain:             []verify.Certificate{leaf, root},
		Revocation:        []verify.Revocation{{Certificate: leaf.SHA256, Kind: "OCSP", Status: "revoked", Origin: "embedded", SHA256: fp(9), ThisUpdate: &at, RevokedAt: &revoked, Reason: "keyCompromise"}},
		Errors:            []verify.Message{message},
		CounterSignatures: []verify.Signature{{ID: "c", Format: "CAdES", Indication: verify.Indeterminate, SubIndication: "NO_CERTIFICATE_CHAIN_FOUND", Chain: []verify.Certificate{leaf}}},
	}
	return &verify.Report{Schema: 1, File: `"><img src=x>.pdf`, ValidationTime: at, Tool: "eidkit", Indication: verify.TotalFailed, SubIndication: "REVOKED", Signatures: []verify.Signature{s}}
}

func TestHTMLSaysItAll(t *testing.T) {
	t.Parallel()
	for _, lang := range Languages {
		var b bytes.Buffer
		if err := HTML(&b, sample(), HTMLOptions{Language: lang, Pages: []Page{{Number: 1, PNG: []byte("png"), Width: 595, Height: 842}}}); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, want := range []string{labels["failed"].in(lang), labels["citizen"].in(lang), sample().Signatures[0].Errors[0].Text[lang],
			"Hanne Test", "85073100166", "Hanne, Test", "TEST Root", "TEST TSA", changeLabels["content-replaced"].in(lang), "left:16.81%;bottom:11.88%;width:33.61%;height:11.88%", `class="field bad"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", lang, want)
			}
		}
		for _, never := range []string{"<script", "<img src=x", "<b>(Sig", "\u202e"} {
			if strings.Contains(page, never) {
				t.Errorf("%s: the page holds %q from the file", lang, never)
			}
		}
	}
}

func TestHTMLOfFilesWithoutVerdict(t *testing.T) {
	t.Parallel()
	for code, name := range map[string]string{"NO_SIGNATURE_FOUND": "none", "PARSE_REFUSED": "refused"} {
		var b bytes.Buffer
		if err := HTML(&b, &verify.Report{Error: code, Reason: "the reason"}, HTMLOptions{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), labels[name].en) || !strings.Contains(b.String(), "the reason") {
			t.Errorf("%s: the page does not say so", code)
		}
	}
}

// TestLabels holds every label in every language, and every label that the template asks for.
func TestLabels(t *testing.T) {
	t.Parallel()
	for name, l := range labels {
		if l.en == "" || l.nl == "" || l.fr == "" || l.de == "" {
			t.Errorf("label %q is not there in all languages", name)
		}
	}
	for code, l := range changeLabels {
		if l.en == "" || l.nl == "" || l.fr == "" || l.de == "" {
			t.Errorf("change %q is not there in all languages", code)
		}
	}
	source, err := os.ReadFile("../../internal/pdf/pdfdiff/pdfdiff.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`Kind = "([a-z-]+)"`).FindAllSubmatch(source, -1)
	if len(codes) < 30 {
		t.Errorf("%d kinds of changes found in the source", len(codes))
	}
	for _, c := range codes {
		if _, ok := changeLabels[string(c[1])]; !ok {
			t.Errorf("change %q has no label", c[1])
		}
	}
	for _, part := range strings.Split(pageSource, `{{t "`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if _, ok := labels[name]; !ok {
			t.Errorf("the page asks for the label %q, which is not there", name)
		}
	}
}

func TestETSI(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := ETSI(&b, sample()); err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("EIDKIT_ETSI_OUT"); path != "" { // to look at, or to check against ETSI's own schema
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var doc struct {
		Signatures []struct {
			Main string `xml:"SignatureValidationStatus>MainIndication"`
			Sub  string `xml:"SignatureValidationStatus>SubIndication"`
			Ref  struct {
				V string `xml:"VOReference,attr"`
			} `xml:"SignerInformation>SignerCertificate"`
		} `xml:"http://uri.etsi.org/19102/v1.2.1# SignatureValidationReport"`
		Objects []struct {
			ID string `xml:"id,attr"`
		} `xml:"SignatureValidationObjects>ValidationObject"`
	}
	if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Signatures) != 2 || doc.Signatures[0].Main != "urn:etsi:019102:mainindication:total-failed" || doc.Signatures[0].Sub != "urn:etsi:019102:subindication:REVOKED" {
		t.Errorf("signatures: %+v", doc.Signatures)
	}
	if doc.Signatures[1].Main != "urn:etsi:019102:mainindication:indeterminate" {
		t.Errorf("counter-signature: %+v", doc.Signatures[1])
	}
	ids := map[string]bool{}
	for _, o := range doc.Objects {
		if ids[o.ID] {
			t.Errorf("object %s stands twice", o.ID)
		}
		ids[o.ID] = true
	}
	if len(ids) != 4 || !ids[doc.Signatures[0].Ref.V] { // two certificates, a time stamp, an OCSP answer
		t.Errorf("objects %v do not hold the signer's certificate %q, or are not 4", ids, doc.Signatures[0].Ref.V)
	}
	if err := ETSI(io.Discard, &verify.Report{Error: "PARSE_REFUSED"}); !errors.Is(err, ErrNothingToReport) {
		t.Errorf("report without signatures: %v", err)
	}
}

// TestPDFPages draws a page that pdftoppm must be there for.
func TestPDFPages(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pdftoppm"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("pdftoppm is not installed: make test installs it")
	}
	file := filepath.Join(t.TempDir(), "-page.pdf")
	body := "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\ntrailer<</Root 1 0 R/Size 4>>\n%%EOF\n"
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	rep := &verify.Report{Signatures: []verify.Signature{{PDF: &verify.PDFSignature{Page: 1, Rect: [4]float64{1, 2, 3, 4}}}}}
	pages, err := PDFPages(context.Background(), file, rep)
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 1 || pages[0].Number != 1 || pages[0].Width < 199 || pages[0].Width > 201 || pages[0].Height < 99 || pages[0].Height > 101 {
		t.Errorf("pages: %d, first %v x %v", len(pages), pages[0].Width, pages[0].Height)
	}
	rep.Signatures[0].PDF.Page = 7
	if _, err := PDFPages(context.Background(), file, rep); err == nil {
		t.Error("a page that is not there was drawn")
	}
	if pages, err := PDFPages(context.Background(), file, &verify.Report{}); pages != nil || err != nil {
		t.Errorf("nothing to draw: %v, %v", pages, err)
	}
}
