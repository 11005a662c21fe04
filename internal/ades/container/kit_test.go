package container_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
)

// maker makes signatures with openssl and xmlsec1.
type maker struct {
	t      testing.TB
	pki    *pki.PKI
	signer *pki.Issued
	dir    string
}

func newMaker(t testing.TB, a pki.Algorithm) *maker {
	t.Helper()
	p, err := pki.New(pki.Options{Algorithm: a})
	if err != nil {
		t.Fatal(err)
	}
	return newMakerOf(t, p)
}

func newMakerOf(t testing.TB, p *pki.PKI) *maker {
	t.Helper()
	signer, err := p.Issue(pki.Request{Subject: pki.Subject{NationalNumber: "85073003328", Surname: "Voorbeeld", GivenNames: "Eva"}, Kind: pki.Signature})
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{t: t, pki: p, signer: signer, dir: t.TempDir()}
	key, err := x509.MarshalPKCS8PrivateKey(signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	m.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	m.write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signer.Certificate.Raw}))
	return m
}

func (m *maker) write(name string, b []byte) {
	m.t.Helper()
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// run runs a tool of another maker: without it the test fails in CI and is skipped elsewhere.
func (m *maker) run(tool string, args ...string) {
	m.t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") != "" {
			m.t.Fatal(err)
		}
		m.t.Skip(err)
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = m.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
}

func (m *maker) read(name string) string {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// cms has openssl make a detached CAdES signature.
func (m *maker) cms(content string) string {
	m.t.Helper()
	m.write("content", []byte(content))
	m.run("openssl", "cms", "-sign", "-cades", "-binary", "-in", "content", "-outform", "DER", "-out", "content.p7s",
		"-signer", "cert.pem", "-inkey", "key.pem", "-md", "sha384", "-nosmimecap")
	return m.read("content.p7s")
}

// object is one thing that an XML signature is over: a file, by its URI.
type object struct {
	name, body string
	uri        string // as written; empty: the name
	transform  string // element, may be empty
}

// xades has xmlsec1 make a detached XAdES signature over files.
func (m *maker) xades(id string, objects ...object) string {
	m.t.Helper()
	var refs strings.Builder
	for _, o := range objects {
		m.write(o.name, []byte(o.body))
		if o.uri == "" {
			o.uri = o.name
		}
		fmt.Fprintf(&refs, `<ds:Reference URI="%s">%s<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>`, o.uri, o.transform)
	}
	sum := sha256.Sum256(m.signer.Certificate.Raw)
	algorithm := "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	if m.pki.Options().Algorithm == pki.EC {
		algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	}
	m.write("template.xml", fmt.Appendf(nil, `<asic:XAdESSignatures xmlns:asic="http://uri.etsi.org/02918/v1.2.1#"><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="%[1]s"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="%[2]s"/>%[3]s
<ds:Reference URI="#%[1]s-props" Type="http://uri.etsi.org/01903#SignedProperties"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>
<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%[4]s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
<ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#%[1]s"><xades:SignedProperties Id="%[1]s-props"><xades:SignedSignatureProperties>
<xades:SigningTime>2026-06-01T12:00:00Z</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
<ds:DigestValue>%[5]s</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object>
</ds:Signature></asic:XAdESSignatures>`, id, algorithm, refs.String(), base64.StdEncoding.EncodeToString(m.signer.Certificate.Raw), base64.StdEncoding.EncodeToString(sum[:])))
	m.run("xmlsec1", "--sign", "--privkey-pem", "key.pem", "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "--output", "signed.xml", "template.xml")
	return m.read("signed.xml")
}

// stamp makes a time stamp token over content.
func (m *maker) stamp(content string, at time.Time) string {
	m.t.Helper()
	sum := sha256.Sum256([]byte(content))
	token, err := answers.Timestamp{TSA: m.pki.TSA, Certificates: []*x509.Certificate{m.pki.TSA.Certificate, m.pki.TimestampCA.Certificate},
		Hash: crypto.SHA256, Imprint: sum[:], Time: at}.Token()
	if err != nil {
		m.t.Fatal(err)
	}
	return string(token)
}

// manifestOver is an ASiCManifest.
func manifestOver(signature, mimeType string, files ...file) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?><asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><asic:SigReference URI="%s" MimeType="%s"/>`, signature, mimeType)
	for _, f := range files {
		sum := sha256.Sum256([]byte(f.body))
		fmt.Fprintf(&b, `<asic:DataObjectReference URI="%s"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>%s</ds:DigestValue></asic:DataObjectReference>`,
			f.name, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return b.String() + `</asic:ASiCManifest>`
}

// file is one file of a container.
type file struct{ name, body string }

const (
	asicS = "application/vnd.etsi.asic-s+zip"
	asicE = "application/vnd.etsi.asic-e+zip"
)

// pack makes a container; nothing in it is compressed, so that tests can
// change what is signed.
func pack(t testing.TB, mime string, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if mime != "" {
		files = append([]file{{"mimetype", mime}}, files...)
	}
	for _, f := range files {
		fw, err := w.CreateRaw(&zip.FileHeader{Name: f.name, Method: zip.Store, CRC32: crcOf(f.body), CompressedSize64: uint64(len(f.body)), UncompressedSize64: uint64(len(f.body))})
		if err == nil {
			_, err = fw.Write([]byte(f.body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func input(raw []byte) ades.Input {
	return ades.Input{File: ades.File{Name: "container", Data: bytes.NewReader(raw), Size: int64(len(raw))}}
}

func read(t testing.TB, raw []byte) []*ades.Signature {
	t.Helper()
	list, err := container.Read(context.Background(), input(raw))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// wrong says what is wrong with a signature, "" if nothing is: every
// reference found and intact, the value right, nothing found but oddities and
// files that are not covered.
func wrong(s *ades.Signature) string {
	for _, f := range s.Findings {
		switch f.Code {
		case ades.ContainerOddity, ades.FileNotSigned, ades.EncodingOddity:
		default:
			return fmt.Sprintf("finding %v", f)
		}
	}
	if len(s.References) == 0 {
		return "no references"
	}
	for _, r := range s.References {
		if !r.Found || !r.Intact {
			return fmt.Sprintf("%s %s: found %t, intact %t", r.Kind, r.Name, r.Found, r.Intact)
		}
	}
	if s.Signer == nil || s.Digest == nil {
		return "no signer or no digest"
	}
	if err := s.Algorithm.Verify(s.Signer.PublicKey, s.Digest, s.Value); err != nil {
		return err.Error()
	}
	return ""
}

// codes are the findings but the oddities of the container, "CODE object".
func codes(s *ades.Signature) string {
	var list []string
	for _, f := range s.Findings {
		if f.Code != ades.ContainerOddity {
			list = append(list, strings.TrimSpace(string(f.Code)+" "+f.Object))
		}
	}
	return strings.Join(list, ", ")
}

func reference(s *ades.Signature, name string) *ades.Reference {
	for i := range s.References {
		if s.References[i].Name == name {
			return &s.References[i]
		}
	}
	return &ades.Reference{}
}
