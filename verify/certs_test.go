package verify_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// now is the time of all checks, inside the validity of the test PKI.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newPKI(t testing.TB, o pki.Options) *pki.PKI {
	t.Helper()
	p, err := pki.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// entity is a certificate with its key.
type entity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var serial int64

// template is a CA or a leaf, valid around now.
func template(name string, ca bool) *x509.Certificate {
	serial++
	t := &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.AddDate(-1, 0, 0),
		NotAfter:              now.AddDate(1, 0, 0),
		BasicConstraintsValid: true,
		IsCA:                  ca,
		MaxPathLen:            -1,
		KeyUsage:              x509.KeyUsageDigitalSignature,
	}
	if ca {
		t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	return t
}

// issue signs the template with the issuer, or with key when it is nil.
func issue(t testing.TB, tmpl *x509.Certificate, issuer *entity, key crypto.Signer) *entity {
	t.Helper()
	if key == nil {
		key = newKey(t)
	}
	parent, signer := tmpl, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &entity{cert, key}
}

func writePEM(t testing.TB, name string, certs ...*x509.Certificate) string {
	t.Helper()
	var buf bytes.Buffer
	for _, c := range certs {
		if err := pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	return writeFile(t, name, buf.Bytes())
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openssl runs the tool; it is on every machine that runs the tests.
func openssl(t testing.TB, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed as an independent judge: %v", err)
	}
	return exec.Command(path, args...).CombinedOutput()
}

// opensslVerify is openssl's verdict on a path.
func opensslVerify(t testing.TB, leaf *x509.Certificate, others, anchors []*x509.Certificate, at time.Time) bool {
	t.Helper()
	args := []string{"verify", "-auth_level", "0", "-no-CApath", "-no-CAstore", "-attime", strconv.FormatInt(at.Unix(), 10)}
	if len(anchors) > 0 {
		args = append(args, "-CAfile", writePEM(t, "anchors.pem", anchors...))
	} else {
		args = append(args, "-no-CAfile")
	}
	if len(others) > 0 {
		args = append(args, "-untrusted", writePEM(t, "others.pem", others...))
	}
	_, err := openssl(t, append(args, writePEM(t, "leaf.pem", leaf))...)
	return err == nil
}
