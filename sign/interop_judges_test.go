package sign_test

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.mozilla.org/pkcs7"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// made is a signed file and what its judges need to know of it.
type made struct {
	kind    *packaging
	level   sign.Level
	alg     pki.Algorithm // of the time stamp authority, and mostly of the key
	data    []byte
	w       *workshop
	entries map[string][]byte // of a container
	names   []string          // of its entries, in their order
	stamped int               // how many time stamps there are
}

// judge is a program, or a part of one, that says whether a signed file is right. It gives its own words when it refuses.
type judge struct {
	name string
	of   func(k *packaging, level sign.Level) bool
	says func(t testing.TB, m *made) error
}

var judges = []judge{
	{"eid verify", func(*packaging, sign.Level) bool { return true }, byVerify},
	{"openssl cms", func(k *packaging, _ sign.Level) bool { return k.cms }, byOpenSSLCMS},
	{"openssl ts", func(_ *packaging, l sign.Level) bool { return l >= sign.T }, byOpenSSLTS},
	{"pkcs7", func(k *packaging, _ sign.Level) bool { return k.cms }, byPKCS7},
	{"pdfsig", func(k *packaging, _ sign.Level) bool { return k.format == sign.FormatPAdES }, byPdfsig},
	{"pdfsig, whole document", func(k *packaging, _ sign.Level) bool { return k.format == sign.FormatPAdES }, byPdfsigTotal},
	{"qpdf", func(k *packaging, _ sign.Level) bool { return k.format == sign.FormatPAdES }, byQpdf},
	{"xmlsec1", func(k *packaging, _ sign.Level) bool { return k.xml }, byXmlsec},
	{"unzip", func(k *packaging, _ sign.Level) bool { return k.format == sign.FormatASiCE }, byUnzip},
	{"ASiC rules", func(k *packaging, _ sign.Level) bool { return k.format == sign.FormatASiCE }, byRules},
}

// byVerify: passed, as what it was to be; from B-LT on offline and by one who has seen nothing before, too.
func byVerify(t testing.TB, m *made) error {
	var beside []verify.Content
	if m.kind.detached {
		beside = append(beside, verify.Content{Name: contentName, Data: strings.NewReader(contentText), Size: int64(len(contentText))})
	}
	for _, offline := range []bool{false, true} {
		if offline && m.level < sign.LT {
			continue
		}
		rep := m.w.judged(t, m.data, offline, beside...)
		if err := complaint(rep, 1); err != nil {
			return fmt.Errorf("offline %v: %w", offline, err)
		}
		if s := rep.Signatures[0]; s.Format != m.kind.says || s.Level != m.level.String() || !s.CoversWholeFile && m.level == sign.B {
			return fmt.Errorf("called %s %s, whole file %v", s.Format, s.Level, s.CoversWholeFile)
		}
	}
	return nil
}

// message is the CMS message with the signature, and what it is over.
func (m *made) message(t testing.TB) (raw, content []byte) {
	t.Helper()
	switch m.kind.format {
	case sign.FormatPAdES:
		p := pdfParts(t, m.data)[0]
		return p.value, p.data
	case sign.FormatASiCE:
		name := m.named(t, "META-INF/", ".p7s")
		// The manifest that refers to it is found by byRules as well.
		for _, manifest := range m.manifests(t) {
			if manifest.SigReference.URI == name {
				return m.entries[name], m.entries[manifest.name]
			}
		}
		t.Fatalf("no manifest names %s", name)
	}
	return m.data, []byte(contentText)
}

func byOpenSSLCMS(t testing.TB, m *made) error {
	raw, content := m.message(t)
	dir := t.TempDir()
	put(t, dir, "message", raw)
	put(t, dir, "content", content)
	args := []string{"cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "message", "-out", "out", "-CAfile", m.w.roots}
	if m.kind.format != sign.FormatCAdES || m.kind.detached {
		args = append(args, "-content", "content")
	}
	out, err := runTool(t, dir, "openssl", args...)
	if err != nil {
		return err
	}
	got, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil || !bytes.Equal(got, content) || !strings.Contains(out, "CAdES Verification successful") {
		return fmt.Errorf("content of %d bytes, %d given: %v\n%s", len(got), len(content), err, out)
	}
	return nil
}

// stamps are all time stamps of a file.
func (m *made) stamps(t testing.TB) (out []stamp) {
	t.Helper()
	if m.kind.cms {
		raw, content := m.message(t)
		out = cmsStamps(t, raw, content)
	}
	switch {
	case m.kind.format == sign.FormatPAdES:
		for _, p := range pdfParts(t, m.data) {
			if p.stamp {
				out = append(out, stamp{"document time stamp", p.value, p.data})
			}
		}
	case m.kind.format == sign.FormatASiCE && m.kind.cms:
		for _, manifest := range m.manifests(t) {
			if strings.HasSuffix(manifest.SigReference.URI, ".tst") {
				out = append(out, stamp{"archive manifest's time stamp", m.entries[manifest.SigReference.URI], m.entries[manifest.name]})
			}
		}
	case m.kind.xml:
		out = xmlStamps(t, m.document(t))
	}
	return out
}

func byOpenSSLTS(t testing.TB, m *made) error {
	all := m.stamps(t)
	if len(all) != m.stamped {
		return fmt.Errorf("%d time stamps, want %d", len(all), m.stamped)
	}
	for _, s := range all {
		dir := t.TempDir()
		put(t, dir, "token", s.token)
		args := []string{"ts", "-verify", "-token_in", "-in", "token", "-CAfile", m.w.roots}
		if s.data != nil {
			put(t, dir, "data", s.data)
			args = append(args, "-data", "data")
		} else {
			args = append(args, "-digest", hex.EncodeToString(cutTSTInfo(t, s.token).Imprint.Digest))
		}
		if _, err := runTool(t, dir, "openssl", args...); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return nil
}

func byPKCS7(t testing.TB, m *made) error {
	raw, content := m.message(t)
	p7, err := pkcs7.Parse(raw)
	if err != nil {
		return fmt.Errorf("pkcs7: %w", err)
	}
	if len(p7.Content) == 0 {
		p7.Content = content
	}
	pool := x509.NewCertPool()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		pool.AddCert(m.w.net.Of(alg).Root.Certificate)
	}
	if err := p7.VerifyWithChain(pool); err != nil {
		return fmt.Errorf("pkcs7: %w", err)
	}
	if !bytes.Equal(p7.Content, content) {
		return errors.New("pkcs7: other content")
	}
	return nil
}

// pdfsigOf is all that pdfsig says, and what of it is about the first signature and about the last.
func pdfsigOf(t testing.TB, m *made) (all, first, last string) {
	t.Helper()
	all, _ = runTool(t, "", "pdfsig", "-nssdir", m.w.nss, inFile(t, "signed.pdf", m.data))
	each := strings.Split(all, "Signature #")
	if len(each) < 2 {
		t.Fatalf("pdfsig finds no signature:\n%s", all)
	}
	return all, each[1], each[len(each)-1]
}

func byPdfsig(t testing.TB, m *made) error {
	all, first, _ := pdfsigOf(t, m)
	for _, want := range []string{"Signature Type: ETSI.CAdES.detached", "Signature is Valid.", "Certificate is Trusted."} {
		if !strings.Contains(first, want) {
			return fmt.Errorf("pdfsig:\n%s", all)
		}
	}
	return nil
}

// byPdfsigTotal: nothing stands outside what the last signature covers, and that is valid.
func byPdfsigTotal(t testing.TB, m *made) error {
	all, _, last := pdfsigOf(t, m)
	if m.level == sign.LTA && !strings.Contains(last, "- Total document signed") {
		return fmt.Errorf("pdfsig: the document time stamp is not over the whole document:\n%s", all)
	}
	if !strings.Contains(last, "- Total document signed") || !strings.Contains(last, "Signature is Valid.") {
		return fmt.Errorf("pdfsig:\n%s", all)
	}
	return nil
}

func byQpdf(t testing.TB, m *made) error {
	out, err := runTool(t, "", "qpdf", "--check", inFile(t, "signed.pdf", m.data))
	if err == nil && (strings.Contains(out, "WARNING") || !strings.Contains(out, "No syntax or stream encoding errors found")) {
		err = errors.New(out)
	}
	return err
}

// document is the XML with the signature.
func (m *made) document(t testing.TB) []byte {
	t.Helper()
	if m.kind.format == sign.FormatASiCE {
		return m.entries[m.named(t, "META-INF/signatures", ".xml")]
	}
	return m.data
}

// byXmlsec: what a signature names is put beside it, under the escaped names too, since xmlsec1 does not unescape them.
func byXmlsec(t testing.TB, m *made) error {
	dir := t.TempDir()
	put(t, dir, contentName, []byte(contentText))
	for name, data := range m.entries {
		put(t, dir, name, data)
		put(t, dir, (&url.URL{Path: name}).EscapedPath(), data)
	}
	put(t, dir, "signature.xml", m.document(t))
	out, err := runTool(t, dir, "xmlsec1", "--verify", "--enabled-key-data", "x509", "--trusted-pem", m.w.root[m.alg], "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "signature.xml")
	if err == nil && !strings.Contains(out, "OK") {
		err = errors.New(out)
	}
	return err
}

func byUnzip(t testing.TB, m *made) error {
	out, err := runTool(t, "", "unzip", "-t", inFile(t, "container.asice", m.data))
	if err == nil && !strings.Contains(out, "No errors detected") {
		err = errors.New(out)
	}
	return err
}

// unpack has the entries of a container.
func (m *made) unpack(t testing.TB) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(m.data), int64(len(m.data)))
	if err != nil {
		t.Fatal(err)
	}
	m.entries = map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := m.entries[f.Name]; twice {
			t.Fatalf("%s is there twice", f.Name)
		}
		m.entries[f.Name], m.names = data, append(m.names, f.Name)
	}
}

// named is the one entry whose name begins and ends so.
func (m *made) named(t testing.TB, prefix, suffix string) string {
	t.Helper()
	var found []string
	for _, name := range m.names {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d entries %s...%s in %v", len(found), prefix, suffix, m.names)
	}
	return found[0]
}

func put(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
