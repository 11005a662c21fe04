// Package libreoffice has LibreOffice make documents and sign them with keys of
// the test PKI: an independent maker of signatures in OpenDocument, Office Open
// XML and PDF for tests.
//
// Document makes an OpenDocument or Office Open XML file, PDF a PDF. Both take
// about a second and may run at the same time.
//
// LibreOffice has no command that signs a document. Document goes through its
// C interface, LibreOfficeKit, with a Python script that needs nothing but
// ctypes; PDF uses an option of the export, with the key in a database of NSS.
//
// Out of scope: signing twice, macros, time stamps, spreadsheets.
//
// References: LibreOfficeKit.h of LibreOffice 7.4, Debian packages
// libreoffice-writer-nogui and libnss3-tools.
package libreoffice

import (
	"crypto"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed sign.py
var script []byte

// Signer is who signs: RSA or EC. Authorities are the certificates of the CAs, the
// root among them, which LibreOffice puts into the signature.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	Authorities []*x509.Certificate
}

// Document makes a small signed document and returns its path in a temporary
// folder. format is odt or docx.
func Document(t testing.TB, format string, s Signer) string {
	t.Helper()
	program := installed(t, "python3")
	dir := t.TempDir()
	source := filepath.Join(dir, "source.txt")
	write(t, source, []byte("A document, to be signed\nby LibreOffice, in a test\n"))
	key, err := x509.MarshalPKCS8PrivateKey(s.Key)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		return path
	}
	target := filepath.Join(dir, "signed."+format)
	args := []string{file("sign.py", script), program, filepath.Join(dir, "profile"), source, target, format,
		file("certificate.der", s.Certificate.Raw), file("key.der", key)}
	for i, ca := range s.Authorities {
		args = append(args, file(fmt.Sprintf("ca%d.der", i), ca.Raw))
	}
	run(t, dir, "python3", args...)
	return target
}

// PDF makes a small signed PDF and returns its path in a temporary folder.
func PDF(t testing.TB, s Signer) string {
	t.Helper()
	program := installed(t, "certutil", "pk12util", "openssl")
	dir := t.TempDir()
	database := newDatabase(t, dir)
	key, err := x509.MarshalPKCS8PrivateKey(s.Key)
	if err != nil {
		t.Fatal(err)
	}
	bundle := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for _, c := range append([]*x509.Certificate{s.Certificate}, s.Authorities...) {
		bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	write(t, filepath.Join(dir, "bundle.pem"), bundle)
	run(t, dir, "openssl", "pkcs12", "-export", "-in", "bundle.pem", "-out", "bundle.p12", "-passout", "pass:test", "-name", "signer")
	run(t, dir, "pk12util", "-d", database, "-i", "bundle.p12", "-W", "test", "-K", "")
	write(t, filepath.Join(dir, "signed.txt"), []byte("A document, to be signed by LibreOffice, in a test\n"))
	filter := fmt.Sprintf(`pdf:writer_pdf_Export:{"SignPDF":{"type":"boolean","value":"true"},"SignCertificateSubjectName":{"type":"string","value":%q}}`,
		subject(s.Certificate))
	run(t, dir, filepath.Join(program, "soffice"), "--headless", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--convert-to", filter, "signed.txt")
	return filepath.Join(dir, "signed.pdf")
}

// subject is the name of a certificate's holder in the way in which NSS writes
// and LibreOffice compares it: the last part first.
func subject(c *x509.Certificate) string {
	short := map[string]string{"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.42": "givenName"}
	name := ""
	for _, a := range c.Subject.Names {
		name = fmt.Sprintf(",%s=%v", short[a.Type.String()], a.Value) + name
	}
	return name[1:]
}

// installed returns LibreOffice's program folder. Without it, or without one
// of the tools, the test is skipped, in CI it fails.
func installed(t testing.TB, tools ...string) string {
	t.Helper()
	missing := func(err error) {
		t.Helper()
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			missing(err)
		}
	}
	office, err := exec.LookPath("soffice")
	if err == nil {
		office, err = filepath.EvalSymlinks(office)
	}
	if err == nil {
		_, err = os.Stat(filepath.Join(filepath.Dir(office), "libmergedlo.so"))
	}
	if err != nil {
		missing(err)
	}
	return filepath.Dir(office)
}

// newDatabase makes an empty database of NSS without a password.
func newDatabase(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "nss")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "certutil", "-N", "-d", "sql:"+path, "--empty-password")
	return "sql:" + path
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a tool with its home, and LibreOffice's keys, in the folder.
func run(t testing.TB, dir, name string, args ...string) {
	t.Helper()
	nss := filepath.Join(dir, "nss")
	if err := os.MkdirAll(nss, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "MOZILLA_CERTIFICATE_FOLDER=sql:"+nss, "SAL_USE_VCLPLUGIN=svp")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
