package signed_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

const attime = "1748779200" // noon, for openssl

var content = []byte("Ik verklaar dat dit een proef is.\n")

// options for a signer of a new PKI.
func options(t testing.TB, alg pki.Algorithm, level signed.Level) signed.Options {
	t.Helper()
	p, err := pki.New(pki.Options{Algorithm: alg})
	must(t, err)
	signer, err := signed.Citizen(p, pki.Request{})
	must(t, err)
	return signed.Options{PKI: p, Signer: signer, At: noon, Level: level}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func file(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

func pemFile(t testing.TB, certs ...*x509.Certificate) string {
	t.Helper()
	var buf bytes.Buffer
	for _, c := range certs {
		must(t, pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return file(t, "certs.pem", buf.Bytes())
}

// tool runs one of the judges: they are on every machine that runs the tests.
func tool(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed to judge our signatures: %v", name, err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err
}

func wants(t testing.TB, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %q in\n%s", what, want, text)
		}
	}
}

var levels = []signed.Level{signed.B, signed.T, signed.LT, signed.LTA}
