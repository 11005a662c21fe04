package verify_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/libreoffice"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// shop is a signer with his key in files, a folder for the tools to work in,
// and the services of his PKI, whose clock is the tools' own: the real one.
type shop struct {
	t       *testing.T
	dir     string
	net     *network.Network
	signer  *pki.Issued
	options verify.Options
	flips   int // how many bytes of a file are changed, at most
}

const shopContent = "Ik verklaar dat dit een proef is.\n"

func newShop(t *testing.T, alg pki.Algorithm, flips int) *shop {
	t.Helper()
	n, err := network.Start(context.Background(), network.Options{PKI: pki.Options{Algorithm: alg}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	s := &shop{t: t, dir: t.TempDir(), net: n, flips: flips}
	if s.signer, err = signed.Citizen(n.PKI, pki.Request{NotAfter: time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(s.signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	s.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	for name, c := range map[string]*x509.Certificate{"signer.pem": s.signer.Certificate, "ca.pem": n.PKI.CitizenCA.Certificate, "root.pem": n.PKI.Root.Certificate} {
		s.write(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	s.write("content", []byte(shopContent))
	a := &verify.Anchors{}
	a.Add(n.PKI.Root.Certificate)
	s.options.Anchors = a
	return s
}

func (s *shop) write(name string, data []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) read(name string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// run runs a maker in the folder: they are on every machine that runs the
// tests.
func (s *shop) run(name string, args ...string) {
	s.t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		s.t.Fatalf("%s is needed to make signatures: %v", name, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// content is what detached signatures are for.
func (s *shop) content() []verify.Content {
	return []verify.Content{{Name: "content", Data: strings.NewReader(shopContent), Size: int64(len(shopContent))}}
}

// part is a piece of a file, any byte of which being changed must not pass.
type part struct{ from, to int }

func (p part) positions() (out []int) {
	for i := p.from; i < p.to; i++ {
		out = append(out, i)
	}
	return out
}

// judge wants the signature of a file passed, with the network's answers, and
// never with a byte of what is signed changed: all of them, or as many as the
// shop has patience for.
func (s *shop) judge(what string, data []byte, detached bool, format string, parts ...part) {
	s.t.Helper()
	v := &verify.Verifier{Allow: loopback}
	defer v.Close()
	o := s.options
	if detached {
		o.Detached = s.content()
	}
	rep := judge(s.t, v, data, o)
	if !rep.Passed() || len(rep.Signatures) == 0 || rep.Signatures[0].Format != format {
		s.t.Errorf("%s: %s %s %s %s", what, rep.Error, rep.Reason, rep.Indication, rep.SubIndication)
		for _, one := range rep.Signatures {
			s.t.Logf("%s %s: %v; warnings %v", one.Format, one.SubFormat, short(one.Errors), short(one.Warnings))
		}
		return
	}
	var positions []int
	for _, p := range parts {
		positions = append(positions, p.positions()...)
	}
	chance := rand.New(rand.NewPCG(1, uint64(len(data))))
	if len(positions) > s.flips {
		chance.Shuffle(len(positions), func(i, j int) { positions[i], positions[j] = positions[j], positions[i] })
		positions = positions[:s.flips]
	}
	if len(positions) == 0 {
		s.t.Errorf("%s: nothing to change", what)
	}
	o.Offline = true // whether it is revoked is known by now
	packed := what == "ODF" || what == "OOXML"
	want, _ := essence(s.t, v, data, o)
	for _, at := range positions {
		flipped := bytes.Clone(data)
		flipped[at] ^= byte(1 + chance.IntN(255))
		if rep := judge(s.t, v, flipped, o); rep.Passed() {
			// Other compressed bytes may unpack to the very same content.
			if got, _ := essence(s.t, v, flipped, o); packed && got == want {
				continue
			}
			s.t.Errorf("%s: passed with byte %d changed from %02x to %02x", what, at, data[at], flipped[at])
		}
	}
}

// cmsParts are the content, the signed attributes and the value of a CMS
// message with one signer, in DER or BER.
func (s *shop) cmsParts(data []byte, detached bool) (parts []part) {
	s.t.Helper()
	if !detached {
		parts = append(parts, s.find(data, []byte(shopContent)))
	}
	// The issuer's name stands in the certificate, in the signer identifier,
	// where the serial number follows, and maybe in an attribute after it.
	name := s.signer.Certificate.RawIssuer
	for from := 0; ; {
		next := bytes.Index(data[from:], name)
		if next < 0 {
			s.t.Fatal("no SignerInfo")
		}
		from += next + len(name)
		var serial, digest, attributes, algorithm, value asn1.RawValue
		rest, err := asn1.Unmarshal(data[from:], &serial)
		if err != nil || serial.Tag != asn1.TagInteger {
			continue
		}
		for _, one := range []*asn1.RawValue{&digest, &attributes} {
			if rest, err = asn1.Unmarshal(rest, one); err != nil {
				s.t.Fatal(err)
			}
		}
		if attributes.Class == asn1.ClassContextSpecific {
			parts = append(parts, s.find(data, attributes.Bytes))
			if rest, err = asn1.Unmarshal(rest, &algorithm); err != nil {
				s.t.Fatal(err)
			}
		}
		if _, err := asn1.Unmarshal(rest, &value); err != nil {
			s.t.Fatal(err)
		}
		return append(parts, s.find(data, value.Bytes))
	}
}

func (s *shop) find(data, piece []byte) part {
	s.t.Helper()
	at := bytes.LastIndex(data, piece)
	if at < 0 || len(piece) == 0 {
		s.t.Fatal("what is signed is not found in the file")
	}
	return part{at, at + len(piece)}
}

// outside are the makers of signatures, each with what it makes.
var outside = map[string]func(*shop){"openssl": byOpenSSL, "openssl ts": stampedByOpenSSL, "xmlsec1": byXmlsec, "poppler": byPoppler, "LibreOffice": byLibreOffice}

// TestMadeOutside: signatures that other programs make with keys of the test
// PKI pass, and never with a byte changed. TestSoakMadeOutside changes all.
func TestMadeOutside(t *testing.T) { madeOutside(t, 100) }

func madeOutside(t *testing.T, flips int) {
	t.Parallel()
	for name, make := range outside {
		for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
			t.Run(name+"/"+alg.String(), func(t *testing.T) {
				t.Parallel()
				make(newShop(t, alg, flips))
			})
		}
	}
}

// byOpenSSL: CMS and PKCS #7 as openssl makes them.
func byOpenSSL(s *shop) {
	pss := []string{"-keyopt", "rsa_padding_mode:pss"}
	for _, tt := range []struct {
		what, format string
		args         []string
		detached     bool
	}{
		{"CAdES, attached", "CAdES", []string{"-cades", "-nodetach", "-outform", "DER"}, false},
		{"CAdES, detached, PEM", "CAdES", []string{"-cades", "-outform", "PEM"}, true},
		{"CAdES, streamed", "CAdES", []string{"-cades", "-nodetach", "-stream", "-outform", "DER"}, false},
		{"CAdES, SHA-512", "CAdES", []string{"-cades", "-nodetach", "-md", "sha512", "-outform", "DER"}, false},
		{"CAdES, PSS", "CAdES", append([]string{"-cades", "-nodetach", "-outform", "DER"}, pss...), false},
		{"CMS", "CMS", []string{"-nodetach", "-outform", "DER"}, false},
		{"CMS by key identifier", "CMS", []string{"-keyid", "-nodetach", "-outform", "DER"}, false},
	} {
		if strings.HasSuffix(tt.what, "PSS") && s.net.PKI.Options().Algorithm == pki.EC {
			continue
		}
		s.run("openssl", slices.Concat([]string{"cms", "-sign", "-binary", "-in", "content", "-out", "signed", "-signer", "signer.pem", "-inkey", "key.pem",
			"-certfile", "ca.pem"}, tt.args)...)
		data := s.read("signed")
		block, _ := pem.Decode(data)
		switch {
		case block != nil:
			parts := s.cmsParts(block.Bytes, tt.detached)
			s.judge(tt.what, block.Bytes, tt.detached, tt.format, parts...)
			// The middle of the signature value, in lines of 64 characters.
			at := (parts[len(parts)-1].from + parts[len(parts)-1].to) / 2 * 4 / 3
			at += at/64 + len("-----BEGIN CMS-----\n")
			s.judge(tt.what, data, tt.detached, tt.format, part{at, at + 1})
		case strings.Contains(tt.what, "key identifier"):
			s.judge(tt.what, data, tt.detached, tt.format, s.find(data, []byte(shopContent)))
		default:
			s.judge(tt.what, data, tt.detached, tt.format, s.cmsParts(data, tt.detached)...)
		}
	}
	// Without attributes nothing says what was hashed: not for a passed
	// verdict, as in EU DSS.
	s.run("openssl", "cms", "-sign", "-binary", "-noattr", "-nodetach", "-in", "content", "-out", "signed", "-outform", "DER", "-signer", "signer.pem",
		"-inkey", "key.pem", "-certfile", "ca.pem")
	expect(s.t, judge(s.t, nil, s.read("signed"), s.options), verify.Indeterminate, "SIG_CONSTRAINTS_FAILURE")

	s.run("openssl", "smime", "-sign", "-binary", "-nodetach", "-in", "content", "-out", "signed", "-outform", "DER", "-signer", "signer.pem", "-inkey", "key.pem",
		"-certfile", "ca.pem")
	data := s.read("signed")
	s.judge("PKCS #7", data, false, "CMS", s.cmsParts(data, false)...)

	// Whoever signs alone in a container, with openssl and zip.
	s.run("openssl", "cms", "-sign", "-cades", "-binary", "-in", "content", "-out", "signature.p7s", "-signer", "signer.pem", "-inkey", "key.pem", "-certfile", "ca.pem",
		"-outform", "DER")
	s.write("mimetype", []byte("application/vnd.etsi.asic-s+zip"))
	if err := os.MkdirAll(filepath.Join(s.dir, "META-INF"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.write("META-INF/signature.p7s", s.read("signature.p7s"))
	s.run("zip", "-X", "-0", "container.asics", "mimetype", "content", "META-INF/signature.p7s")
	data = s.read("container.asics")
	s.judge("ASiC-S", data, false, "CAdES", append(s.cmsParts(data, true), s.find(data, []byte(shopContent)))...)
}

// stampedByOpenSSL: a time stamp token alone, which openssl has asked of the
// test service.
func stampedByOpenSSL(s *shop) {
	s.run("openssl", "ts", "-query", "-data", "content", "-sha256", "-cert", "-out", "query")
	answer, err := http.Post(s.net.PKI.TSAURL(), "application/timestamp-query", bytes.NewReader(s.read("query")))
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var reply bytes.Buffer
	if _, err := reply.ReadFrom(answer.Body); err != nil {
		s.t.Fatal(err)
	}
	s.write("reply", reply.Bytes())
	s.run("openssl", "ts", "-reply", "-in", "reply", "-token_out", "-out", "token")
	for _, name := range []string{"reply", "token"} {
		data := s.read(name)
		imprint := []byte("\x04\x20") // of a SHA-256 digest
		at := bytes.Index(data, imprint)
		s.judge(name, data, true, "TimestampToken", part{at + 2, at + 34})
	}
}

// unfilled is an XML signature for xmlsec1 to fill in.
func unfilled(method, uri, transforms string) string {
	return fmt.Sprintf(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>`+
		`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="%s"/>`+
		`<ds:Reference URI="%s"><ds:Transforms>%s</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>`+
		`</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo>`, method, uri, transforms)
}

// byXmlsec: XML signatures as xmlsec1 makes them.
func byXmlsec(s *shop) {
	method := "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	if s.net.PKI.Options().Algorithm == pki.RSA {
		method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	}
	const enveloped = `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`
	c14n := func(uri string) string { return fmt.Sprintf(`<ds:Transform Algorithm="%s"/>`, uri) }
	const text = `Ik  verklaar &amp; teken<x:b xmlns:x="urn:y" x:z="1" a="2"/><!-- ja -->`
	for what, document := range map[string]string{
		"enveloped":            `<a xmlns="urn:x">` + text + unfilled(method, "", enveloped) + `</ds:Signature></a>`,
		"enveloped, exclusive": `<a xmlns="urn:x">` + text + unfilled(method, "", enveloped+c14n("http://www.w3.org/2001/10/xml-exc-c14n#WithComments")) + `</ds:Signature></a>`,
		"enveloped, 1.1":       `<a xmlns="urn:x">` + text + unfilled(method, "", enveloped+c14n("http://www.w3.org/2006/12/xml-c14n11")) + `</ds:Signature></a>`,
		"enveloping":           unfilled(method, "#o", c14n("http://www.w3.org/TR/2001/REC-xml-c14n-20010315")) + `<ds:Object Id="o">` + text + `</ds:Object></ds:Signature>`,
		"detached":             unfilled(method, "content", "") + `</ds:Signature>`,
	} {
		document = strings.ReplaceAll(document, "<ds:Transforms></ds:Transforms>", "")
		s.write("template.xml", []byte(document))
		s.run("xmlsec1", "--sign", "--privkey-pem", "key.pem,signer.pem,ca.pem", "--output", "signed.xml", "template.xml")
		data := s.read("signed.xml")
		detached := what == "detached"
		parts := []part{s.between(data, "<ds:DigestValue>", "</ds:DigestValue>"), s.between(data, `SignatureMethod Algorithm="`, `"`)}
		if !detached {
			parts = append(parts, s.find(data, []byte("verklaar &amp; teken")), s.find(data, []byte(`urn:y`)))
		}
		s.judge(what, data, detached, "XMLDSig", parts...)
	}
}

// between is what stands between two marks, its last byte left out: of base64
// not every bit counts there.
func (s *shop) between(data []byte, from, to string) part {
	s.t.Helper()
	at := bytes.Index(data, []byte(from)) + len(from)
	end := at + bytes.Index(data[at:], []byte(to))
	if at < len(from) || end <= at {
		s.t.Fatalf("no %s in\n%s", from, data)
	}
	return part{at, strings.LastIndexFunc(string(data[:end]), func(r rune) bool { return r != '=' })}
}

// byPoppler: PDF signatures as pdfsig makes them, the key being in a database
// of NSS. It does so with RSA keys only.
func byPoppler(s *shop) {
	if s.net.PKI.Options().Algorithm != pki.RSA {
		return
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "nss"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.run("openssl", "pkcs12", "-export", "-inkey", "key.pem", "-in", "signer.pem", "-certfile", "ca.pem", "-name", "signer", "-passout", "pass:x", "-out", "s.p12")
	s.run("certutil", "-N", "-d", "sql:nss", "--empty-password")
	s.run("certutil", "-A", "-d", "sql:nss", "-n", "root", "-t", "CT,C,C", "-i", "root.pem")
	s.run("pk12util", "-i", "s.p12", "-d", "sql:nss", "-W", "x", "-K", "")
	pdf := signed.NewPDF(signed.PDFOptions{})
	s.write("plain.pdf", pdf.Bytes())
	field := pdf.New()
	pdf.Append(map[int]string{
		field:            "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Leeg) /F 132 /Rect [0 0 0 0] /P 4 0 R >>",
		signed.FirstPage: fmt.Sprintf("<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Annots [%d 0 R] >>", field),
		signed.Catalog:   fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%d 0 R] /SigFlags 3 >> >>", field),
	})
	s.write("field.pdf", pdf.Bytes())
	for what, args := range map[string][]string{"new field": {"-add-signature", "plain.pdf"}, "empty field": {"-sign", "1", "field.pdf"}} {
		s.run("pdfsig", slices.Concat([]string{"-nssdir", "sql:nss", "-nick", "signer", "-reason", "proef"}, args, []string{"out.pdf"})...)
		data := s.read("out.pdf")
		s.judge(what, data, false, "PKCS7", s.ranges(data)...)
	}
}

// ranges are the parts of a PDF that its last signature covers.
func (s *shop) ranges(data []byte) []part {
	s.t.Helper()
	at := bytes.LastIndex(data, []byte("/ByteRange"))
	var a, b, c, d int
	text := strings.NewReplacer("[", " ", "]", " ").Replace(string(data[at+len("/ByteRange") : at+80]))
	if _, err := fmt.Sscan(text, &a, &b, &c, &d); err != nil {
		s.t.Fatal(err)
	}
	return []part{{a, a + b}, {c, c + d}}
}

// byLibreOffice: OpenDocument, Office Open XML and PDF.
func byLibreOffice(s *shop) {
	who := libreoffice.Signer{Certificate: s.signer.Certificate, Key: s.signer.Key,
		Authorities: []*x509.Certificate{s.net.PKI.CitizenCA.Certificate, s.net.PKI.Root.Certificate}}
	load := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		return data
	}
	data := load(libreoffice.Document(s.t, "odt", who))
	s.judge("ODF", data, false, "XAdES", s.entry(data, "content.xml"), s.entry(data, "meta.xml"))
	data = load(libreoffice.Document(s.t, "docx", who))
	s.judge("OOXML", data, false, "XAdES", s.entry(data, "word/document.xml"))
	data = load(libreoffice.PDF(s.t, who))
	s.judge("PDF", data, false, "PKCS7", s.ranges(data)...)
}

// entry is the packed content of a file in a container, its last bytes left
// out: not every bit of them counts.
func (s *shop) entry(data []byte, name string) part {
	s.t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range z.File {
		if at, err := f.DataOffset(); err == nil && f.Name == name {
			return part{int(at), int(at) + int(f.CompressedSize64) - 2}
		}
	}
	s.t.Fatalf("%s is not in the container", name)
	return part{}
}
