package certs_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// parts are the elements of a certificate, to be put together in odd ways and signed again.
type parts struct {
	version, serial, alg, issuer, validity, subject, spki []byte
	behindSPKI                                            []byte
	extensions                                            [][]byte
	behindExtensions                                      []byte
	outer                                                 []byte // the algorithm beside the signature; nil: alg
	behindSignature                                       []byte
}

func der(tag byte, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) {
		for _, p := range parts {
			b.AddBytes(p)
		}
	})
	return b.BytesOrPanic()
}

func signKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ordinary is a self-signed CA certificate with the usual extensions.
func ordinary(t testing.TB, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{Country: []string{"BE"}, CommonName: "Proef CA"},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: 1, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, UnknownExtKeyUsage: []asn1.ObjectIdentifier{{1, 2, 3}},
		DNSNames: []string{"ca.example.org"}, EmailAddresses: []string{"ca@example.org"},
		CRLDistributionPoints: []string{"http://crl.example.org/1.crl"}, OCSPServer: []string{"http://ocsp.example.org"},
		IssuingCertificateURL: []string{"http://crt.example.org/1.crt"},
		Policies:              []x509.OID{oid(t, "2.16.56.13.6.1.1000")},
	}
	b, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func oid(t testing.TB, s string) x509.OID {
	t.Helper()
	o, err := x509.ParseOID(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// take takes a certificate apart.
func take(t testing.TB, c *x509.Certificate) *parts {
	t.Helper()
	p := &parts{}
	tbs := cryptobyte.String(c.RawTBSCertificate)
	var ext cryptobyte.String
	element := func(out *[]byte) bool {
		var e cryptobyte.String
		var tag cbasn1.Tag
		ok := tbs.ReadAnyASN1Element(&e, &tag)
		*out = e
		return ok
	}
	ok := tbs.ReadASN1(&tbs, cbasn1.SEQUENCE) && element(&p.version) && element(&p.serial) && element(&p.alg) && element(&p.issuer) &&
		element(&p.validity) && element(&p.subject) && element(&p.spki) && tbs.ReadASN1(&ext, 0xa3) && ext.ReadASN1(&ext, cbasn1.SEQUENCE)
	for ok && !ext.Empty() {
		var e cryptobyte.String
		ok = ext.ReadASN1Element(&e, cbasn1.SEQUENCE)
		p.extensions = append(p.extensions, e)
	}
	if !ok {
		t.Fatal("certificate cannot be taken apart")
	}
	return p
}

// sign puts the certificate together.
func (p *parts) sign(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	body := [][]byte{p.version, p.serial, p.alg, p.issuer, p.validity, p.subject, p.spki, p.behindSPKI}
	if p.extensions != nil {
		body = append(body, der(0xa3, der(0x30, p.extensions...)))
	}
	tbs := der(0x30, append(body, p.behindExtensions)...)
	d := sha256.Sum256(tbs)
	sig, err := ecdsa.SignASN1(rand.Reader, key, d[:])
	if err != nil {
		t.Fatal(err)
	}
	outer := p.outer
	if outer == nil {
		outer = p.alg
	}
	return der(0x30, tbs, outer, der(0x03, []byte{0}, sig), p.behindSignature)
}

// extension encodes one.
func extension(critical bool, value []byte, id ...int) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(id)
	if critical {
		b.AddASN1Boolean(true)
	}
	b.AddASN1OctetString(value)
	return der(0x30, b.BytesOrPanic())
}

// without leaves out an extension of id-ce.
func (p *parts) without(number byte) {
	var rest [][]byte
	for _, e := range p.extensions {
		if !strings.Contains(string(e), string([]byte{6, 3, 0x55, 0x1d, number})) {
			rest = append(rest, e)
		}
	}
	p.extensions = rest
}

// openssl runs the tool; it is on every machine that runs the tests.
func openssl(t testing.TB, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed as an independent maker: %v", err)
	}
	return exec.Command(path, args...).CombinedOutput()
}

func mustOpenSSL(t testing.TB, args ...string) []byte {
	t.Helper()
	out, err := openssl(t, args...)
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func keyPEM(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}
