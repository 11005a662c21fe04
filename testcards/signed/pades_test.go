package signed_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// pdfsig judges each signature of a document, the chain apart.
func pdfsig(t testing.TB, pdf []byte) string {
	t.Helper()
	path := file(t, "document.pdf", pdf)
	if out, err := tool(t, "qpdf", "--check", path); err != nil || strings.Contains(out, "WARNING") {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	out, _ := tool(t, "pdfsig", "-nocert", path)
	return out
}

func TestPAdESWithPdfsig(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		for _, level := range levels {
			o := options(t, alg, level)
			raw, err := signed.PAdES(o)
			must(t, err)
			out := pdfsig(t, raw)
			wants(t, fmt.Sprint(alg, level), out, "Signature #1:", "Signer Certificate Common Name: Zoë Proefkonijn-Specimen (Signature)",
				"Signature Type: ETSI.CAdES.detached", "Signature Validation: Signature is Valid.")
			if part := strings.Contains(out, "Not total document signed"); part != (level >= signed.LT) {
				t.Errorf("%v: not the whole document %v\n%s", level, part, out)
			}
			if got := bytes.Count(raw, []byte("%%EOF")); got != map[signed.Level]int{signed.B: 2, signed.T: 2, signed.LT: 3, signed.LTA: 4}[level] {
				t.Errorf("%v: %d revisions", level, got)
			}
			if again, err := signed.PAdES(o); err != nil || !bytes.Equal(again, raw) {
				t.Errorf("%v: other bytes the second time (%v)", level, err)
			}
		}
	}
}

func TestPDFVariants(t *testing.T) {
	t.Parallel()
	o := options(t, pki.RSA, signed.B)
	plain := o
	plain.Plain = true
	sha1 := plain
	sha1.Hash = crypto.SHA1
	for name, tt := range map[string]struct {
		options signed.Options
		pdf     signed.PDFOptions
		field   signed.Field
		want    []string
	}{
		"detached":  {plain, signed.PDFOptions{}, signed.Field{SubFilter: signed.PKCS7Detached}, []string{"Signature Type: adbe.pkcs7.detached", "Signing Time: Jun 01 2025"}},
		"SHA-1":     {sha1, signed.PDFOptions{}, signed.Field{SubFilter: signed.PKCS7SHA1}, []string{"Signature Type: adbe.pkcs7.sha1"}},
		"streams":   {o, signed.PDFOptions{XRefStreams: true}, signed.Field{}, nil},
		"padded":    {o, signed.PDFOptions{Padding: 1 << 20}, signed.Field{}, nil},
		"visible":   {o, signed.PDFOptions{Pages: []string{"one", "two (2) \\"}}, signed.Field{Page: 2, Rect: [4]int{72, 72, 272, 132}, Name: "Handtekening"}, []string{"Signature Field Name: Handtekening"}},
		"certified": {o, signed.PDFOptions{}, signed.Field{Certify: 2, Reason: "proef €", Place: "Gent", Contact: "nobody@example.org"}, []string{"Total document signed"}},
		"PSS":       {func() signed.Options { o := o; o.PSS = true; return o }(), signed.PDFOptions{}, signed.Field{}, nil},
	} {
		p := signed.NewPDF(tt.pdf)
		must(t, p.Sign(tt.options, tt.field))
		wants(t, name, pdfsig(t, p.Bytes()), append(tt.want, "Signature Validation: Signature is Valid.")...)
	}
}

// Several signatures, time stamps and changes in one document.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	for _, streams := range []bool{false, true} {
		o := options(t, pki.EC, signed.B)
		p := signed.NewPDF(signed.PDFOptions{XRefStreams: streams})
		for range 9 {
			must(t, p.Sign(o, signed.Field{}))
		}
		o.Level = signed.LTA
		must(t, p.Sign(o, signed.Field{}))
		must(t, p.Timestamp(o, signed.Stamp{At: noon.AddDate(1, 0, 0)}))
		p.Append(map[int]string{p.New(): "<< /Nothing (of interest) >>"})
		out := pdfsig(t, p.Bytes())
		if n := strings.Count(out, "Signature Validation: Signature is Valid."); n != 12 && n != 10 { // time stamps are signatures to some versions
			t.Errorf("%d valid signatures\n%s", n, out)
		}
	}
}

// pdfsig sees every flipped byte of what is signed.
func TestPDFFlipped(t *testing.T) {
	t.Parallel()
	raw, err := signed.PAdES(options(t, pki.EC, signed.B))
	must(t, err)
	at := bytes.Index(raw, []byte("(Proef"))
	raw[at+1] ^= 1
	wants(t, "flipped", pdfsig(t, raw), "Digest Mismatch")
}

// The chain and OCSP, with the root that pdfsig is told to trust. It judges
// the present, so the network's clock is the real one.
func TestPDFChain(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		n, err := network.Start(context.Background(), network.Options{PKI: pki.Options{Algorithm: alg}})
		must(t, err)
		defer n.Close()
		signer, err := signed.Citizen(n.PKI, pki.Request{NotAfter: time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC)})
		must(t, err)
		raw, err := signed.PAdES(signed.Options{PKI: n.PKI, Signer: signer, At: noon})
		must(t, err)
		dir := t.TempDir()
		if out, err := tool(t, "certutil", "-N", "-d", "sql:"+dir, "--empty-password"); err != nil {
			t.Fatal(out)
		}
		root := file(t, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.PKI.Root.Certificate.Raw}))
		if out, err := tool(t, "certutil", "-A", "-d", "sql:"+dir, "-n", "root", "-t", "CT,C,C", "-i", root); err != nil {
			t.Fatal(out)
		}
		path := file(t, "document.pdf", raw)
		out, _ := tool(t, "pdfsig", "-nssdir", "sql:"+dir, path)
		wants(t, "chain", out, "Signature is Valid.", "Certificate is Trusted.")
		must(t, n.Revoke(signer.Certificate, noon, pki.KeyCompromise))
		out, _ = tool(t, "pdfsig", "-nssdir", "sql:"+dir, path)
		wants(t, "revoked", out, "Certificate has been Revoked")
	}
}

func TestPDFRefused(t *testing.T) {
	t.Parallel()
	o := options(t, pki.EC, signed.B)
	p := signed.NewPDF(signed.PDFOptions{})
	must(t, p.Sign(o, signed.Field{}))
	mime := o
	mime.MIMEType = "text/plain"
	for name, err := range map[string]error{
		"certifying second": p.Sign(o, signed.Field{Certify: 1}),
		"SubFilter":         p.Sign(o, signed.Field{SubFilter: "adbe.x509.rsa_sha1"}),
		"properties":        p.Sign(mime, signed.Field{}),
		"no PKI":            p.Timestamp(signed.Options{}, signed.Stamp{At: noon}),
	} {
		if !errors.Is(err, signed.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
