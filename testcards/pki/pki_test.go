package pki_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

var holder = pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn", GivenNames: "Zoë Marie"}

func mustNew(t testing.TB, o pki.Options) *pki.PKI {
	t.Helper()
	p, err := pki.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustIssue(t testing.TB, p *pki.PKI, r pki.Request) *pki.Issued {
	t.Helper()
	i, err := p.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// openssl runs the tool, or fails: it is on every machine that runs the tests.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := opensslTry(t, args...)
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// opensslTry runs the tool where it may refuse.
func opensslTry(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed to judge our certificates: %v", err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err
}

func writePEM(t *testing.T, name string, certs ...*x509.Certificate) string {
	t.Helper()
	var buf bytes.Buffer
	for _, c := range certs {
		if err := pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var algorithms = []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024}

func TestChainsWithOpenSSL(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(alg.String(), func(t *testing.T) {
			p := mustNew(t, pki.Options{Algorithm: alg, Seed: 7})
			root := writePEM(t, "root.pem", p.Root.Certificate)
			for _, ca := range []*pki.Authority{p.CitizenCA, p.ForeignerCA, p.GovernmentCA} {
				for _, kind := range []pki.Kind{pki.Authentication, pki.Signature} {
					leaf := mustIssue(t, p, pki.Request{Issuer: ca, Subject: holder, Kind: kind})
					// Security level 0 lets SHA-1 and RSA 1024 through.
					openssl(t, "verify", "-x509_strict", "-auth_level", "0", "-attime", "1735689600",
						"-CAfile", root, "-untrusted", writePEM(t, "ca.pem", ca.Certificate), writePEM(t, "leaf.pem", leaf.Certificate))
				}
			}
			openssl(t, "verify", "-x509_strict", "-auth_level", "0", "-attime", "1735689600", "-CAfile", root,
				writePEM(t, "rrn.pem", p.RRN.Certificate))
		})
	}
}

func TestTextWithOpenSSL(t *testing.T) {
	tests := []struct {
		alg       pki.Algorithm
		kind      pki.Kind
		foreigner bool
		want      []string
		not       string
	}{
		{pki.EC, pki.Authentication, false, []string{
			"CN = Zo\\C3\\AB Proefkonijn (Authentication)", "SN = Proefkonijn", "serialNumber = 71715100070",
			"ecdsa-with-SHA384", "NIST CURVE: P-384", "Key Usage: critical\n                Digital Signature\n",
			"Policy: 2.999.56.13.6.2.1000", "URI:http://127.0.0.1:24380/crl/citizen-ec.crl",
			"OCSP - URI:http://127.0.0.1:24380/ocsp", "CA Issuers - URI:http://127.0.0.1:24380/crt/citizen-ec.crt",
		}, "qcStatements"},
		{pki.RSA, pki.Signature, true, []string{
			"(Signature)", "sha256WithRSAEncryption", "Public-Key: (2048 bit)",
			"Key Usage: critical\n                Non Repudiation\n", "Policy: 2.999.56.12.1.1.7.1",
			"/crl/foreigner-rsa.crl", "qcStatements",
		}, "Digital Signature"},
		{pki.RSA1024, pki.Signature, false, []string{
			"sha1WithRSAEncryption", "Public-Key: (1024 bit)", "Policy: 2.999.56.12.1.1.2.1", "/crl/citizen-rsa1024.crl",
		}, "Digital Signature"},
	}
	for _, tt := range tests {
		p := mustNew(t, pki.Options{Algorithm: tt.alg})
		ca := p.CitizenCA
		if tt.foreigner {
			ca = p.ForeignerCA
		}
		leaf := mustIssue(t, p, pki.Request{Issuer: ca, Subject: holder, Kind: tt.kind})
		text := openssl(t, "x509", "-noout", "-text", "-in", writePEM(t, "leaf.pem", leaf.Certificate))
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%v %v: no %q in\n%s", tt.alg, tt.kind, want, text)
			}
		}
		if strings.Contains(text, tt.not) {
			t.Errorf("%v %v: %q in\n%s", tt.alg, tt.kind, tt.not, text)
		}
	}
}

func TestAuthorityText(t *testing.T) {
	p := mustNew(t, pki.Options{Algorithm: pki.EC})
	tests := []struct {
		a    *pki.Authority
		want []string
	}{
		{p.Root, []string{"CN = eidkit TEST Belgium Root CA EC", "CA:TRUE, pathlen:1", "Certificate Sign, CRL Sign"}},
		{p.CitizenCA, []string{"CN = eidkit TEST Citizen CA EC", "CA:TRUE, pathlen:0", "TLS Web Client Authentication, E-mail Protection", "X509v3 Any Policy"}},
		{p.RRN, []string{"CN = eidkit TEST RRN EC", "CA:FALSE", "Digital Signature, Non Repudiation", "Policy: 2.999.56.12.1.1.4", "/crl/root-ec.crl"}},
	}
	for _, tt := range tests {
		text := openssl(t, "x509", "-noout", "-text", "-in", writePEM(t, "a.pem", tt.a.Certificate))
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", tt.a.Name, want, text)
			}
		}
	}
}

func TestDeterministic(t *testing.T) {
	for _, alg := range algorithms {
		a := allBytes(t, pki.Options{Algorithm: alg, Seed: 3})
		if b := allBytes(t, pki.Options{Algorithm: alg, Seed: 3}); !bytes.Equal(a, b) {
			t.Errorf("%v: same options, other bytes", alg)
		}
		if b := allBytes(t, pki.Options{Algorithm: alg, Seed: 4}); bytes.Equal(a, b) {
			t.Errorf("%v: other seed, same bytes", alg)
		}
	}
}

func allBytes(t *testing.T, o pki.Options) []byte {
	p := mustNew(t, o)
	leaf := mustIssue(t, p, pki.Request{Subject: holder})
	sig, err := p.SignFile([]byte("identity"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join([][]byte{
		p.Root.Certificate.Raw, p.CitizenCA.Certificate.Raw, p.ForeignerCA.Certificate.Raw,
		p.GovernmentCA.Certificate.Raw, p.RRN.Certificate.Raw, leaf.Certificate.Raw, sig,
	}, nil)
}

// The fingerprints pin the output across Go releases: saved cards and recorded
// sessions of others depend on it. Change them only with a note in CHANGELOG.
func TestPinnedRoots(t *testing.T) {
	want := map[pki.Algorithm]string{
		pki.EC:      "f110c0c96fd7f6e5b81f95721744de33e119385ce42493b01503ce15fb2411f6",
		pki.RSA:     "0c342021491475038e66c1e4da8b9283fab18e6891d807639ae6976960035820",
		pki.RSA1024: "58b9290e68542bdcf188cedad6322c48f0c140940e2e607680da2d47822ca86d",
	}
	for _, alg := range algorithms {
		p := mustNew(t, pki.Options{Algorithm: alg})
		sum := sha256.Sum256(p.Root.Certificate.Raw)
		if got := hex.EncodeToString(sum[:]); got != want[alg] {
			t.Errorf("%v root: %s", alg, got)
		}
	}
}

// A re-keyed 1.7 card: RSA leaf under EC authorities.
func TestRekeyed(t *testing.T) {
	p := mustNew(t, pki.Options{Algorithm: pki.EC})
	leaf := mustIssue(t, p, pki.Request{Subject: holder, Key: p.LeafKeyOf(pki.RSA, pki.Signature, "x"), Kind: pki.Signature})
	if leaf.Certificate.PublicKeyAlgorithm != x509.RSA || leaf.Certificate.SignatureAlgorithm != x509.ECDSAWithSHA384 {
		t.Errorf("key %v, signature %v", leaf.Certificate.PublicKeyAlgorithm, leaf.Certificate.SignatureAlgorithm)
	}
}

func TestSerials(t *testing.T) {
	p := mustNew(t, pki.Options{})
	seen := map[string]bool{}
	for _, kind := range []pki.Kind{pki.Authentication, pki.Signature} {
		for _, nn := range []string{"71715100070", "00000000097"} {
			leaf := mustIssue(t, p, pki.Request{Subject: pki.Subject{NationalNumber: nn, Surname: "Proef"}, Kind: kind})
			n := leaf.Certificate.SerialNumber
			if n.Sign() <= 0 || n.BitLen() > 127 || seen[n.String()] {
				t.Errorf("serial %x", n)
			}
			seen[n.String()] = true
		}
	}
	leaf := mustIssue(t, p, pki.Request{Subject: holder, Serial: big.NewInt(42)})
	if leaf.Certificate.SerialNumber.Int64() != 42 {
		t.Errorf("serial %v, asked for 42", leaf.Certificate.SerialNumber)
	}
}

func TestValidityOverride(t *testing.T) {
	p := mustNew(t, pki.Options{BaseURL: "https://pki.test/x/"})
	end := time.Date(2021, 6, 1, 12, 0, 0, 0, time.UTC)
	leaf := mustIssue(t, p, pki.Request{Subject: holder, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end})
	if !leaf.Certificate.NotAfter.Equal(end) {
		t.Errorf("ends %v", leaf.Certificate.NotAfter)
	}
	if got := leaf.Certificate.OCSPServer[0]; got != "https://pki.test/x/ocsp" {
		t.Errorf("OCSP at %s", got)
	}
}

func TestRefused(t *testing.T) {
	for _, o := range []pki.Options{{Algorithm: 9}, {Algorithm: -1}, {BaseURL: "ftp://x"}, {BaseURL: "/x"}, {BaseURL: "http://"}, {BaseURL: "%"}} {
		if _, err := pki.New(o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
	p := mustNew(t, pki.Options{})
	late := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, r := range map[string]pki.Request{
		"no surname":    {},
		"basic key":     {Subject: holder, Kind: pki.Basic},
		"issuer no CA":  {Subject: holder, Issuer: p.RRN},
		"ends too soon": {Subject: holder, NotBefore: late},
		"serial":        {Subject: holder, Serial: big.NewInt(0)},
	} {
		if _, err := p.Issue(r); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

// Nothing made here may pass for the real thing.
func TestNamesSayTest(t *testing.T) {
	for _, alg := range algorithms {
		p := mustNew(t, pki.Options{Algorithm: alg})
		for _, a := range []*pki.Authority{p.Root, p.CitizenCA, p.ForeignerCA, p.GovernmentCA, p.RRN} {
			if !strings.HasPrefix(a.Certificate.Subject.CommonName, "eidkit TEST ") {
				t.Errorf("%s is called %q", a.Name, a.Certificate.Subject.CommonName)
			}
		}
	}
}
