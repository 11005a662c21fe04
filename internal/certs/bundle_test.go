package certs_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/certs"
)

func pemOf(list ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range list {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}

// p7b has openssl put certificates into PKCS #7.
func p7b(t testing.TB, form string, list ...*x509.Certificate) []byte {
	t.Helper()
	return mustOpenSSL(t, "crl2pkcs7", "-nocrl", "-certfile", writeFile(t, "list.pem", pemOf(list...)), "-outform", form)
}

func TestParseAll(t *testing.T) {
	t.Parallel()
	key := signKey(t)
	a, b := ordinary(t, key), ordinary(t, signKey(t))
	p := take(t, a)
	p.serial = []byte{2, 1, 0xff}
	odd := p.sign(t, key)
	indefinite := p7b(t, "DER", a, b)
	stream := filepath.Join(t.TempDir(), "stream.p7")
	mustOpenSSL(t, "cms", "-sign", "-noattr", "-stream", "-nodetach", "-in", writeFile(t, "text", []byte("text")), "-signer",
		writeFile(t, "signer.pem", slices.Concat(pemOf(a), keyPEM(t, key))), "-outform", "DER", "-out", stream)
	tests := []struct {
		name string
		data []byte
		want []*x509.Certificate
		odd  string
	}{
		{"PEM", pemOf(a, b), []*x509.Certificate{a, b}, ""},
		{"PEM with text", slices.Concat([]byte("subject: x\n"), pemOf(a), []byte("between\n"), pemOf(b)), []*x509.Certificate{a, b}, ""},
		{"old PEM", bytes.ReplaceAll(pemOf(a), []byte("CERTIFICATE"), []byte("X509 CERTIFICATE")), []*x509.Certificate{a}, ""},
		{"DER", slices.Concat(a.Raw, b.Raw), []*x509.Certificate{a, b}, ""},
		{"PKCS #7", indefinite, []*x509.Certificate{a, b}, ""},
		{"PKCS #7 as PEM", p7b(t, "PEM", a, b), []*x509.Certificate{a, b}, ""},
		{"PKCS #7 of a signature, indefinite lengths", readFile(t, stream), []*x509.Certificate{a}, ""},
		{"odd one", slices.Concat(a.Raw, odd), nil, "certificate 2: serial number is negative"},
	}
	for _, tt := range tests {
		list, odd, err := certs.ParseAll(tt.data)
		if err != nil || tt.want != nil && !slices.EqualFunc(list, tt.want, (*x509.Certificate).Equal) || strings.Join(odd, "; ") != tt.odd {
			t.Errorf("%s: %d certificates, %q, %v", tt.name, len(list), odd, err)
		}
	}
}

func TestParseAllRefuses(t *testing.T) {
	t.Parallel()
	a := ordinary(t, signKey(t))
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	crl := mustOpenSSL(t, "crl2pkcs7", "-nocrl", "-outform", "DER")
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":              {nil, "empty"},
		"text":                 {[]byte("<html>"), "neither PEM nor a DER certificate"},
		"key":                  {slices.Concat(pemOf(a), block("PRIVATE KEY", []byte{1})), `block 2 is "PRIVATE KEY"`},
		"broken PEM":           {slices.Concat(pemOf(a), []byte("-----BEGIN CERTIFICATE-----\n???\n")), "2 PEM blocks begin, but only 1"},
		"broken certificate":   {slices.Concat(pemOf(a), block("CERTIFICATE", []byte{0x30, 0})), "certificate 2"},
		"cut DER":              {a.Raw[:len(a.Raw)-1], "neither"},
		"DER and more":         {append(bytes.Clone(a.Raw), 0), "neither"},
		"PKCS #7 of nothing":   {crl, "neither"},
		"PKCS #7 that is none": {block("PKCS7", a.Raw), "PKCS #7"},
	} {
		list, odd, err := certs.ParseAll(tt.data)
		if list != nil || odd != nil || err == nil || !strings.Contains(err.Error(), tt.want) || !(errors.Is(err, certs.ErrBundle) || errors.Is(err, certs.ErrMalformed)) {
			t.Errorf("%s: %d, %v", name, len(list), err)
		}
	}
}

func TestMixedPKCS7(t *testing.T) {
	t.Parallel()
	a := ordinary(t, signKey(t))
	// What stands among the certificates of PKCS #7 and is none, here an attribute certificate, is not passed over.
	raw := p7b(t, "DER", a)
	i := bytes.Index(raw, a.Raw)
	raw[i] = 0xa2
	if list, _, err := certs.ParseAll(raw); err == nil {
		t.Errorf("%d certificates", len(list))
	}
}

func FuzzParse(f *testing.F) {
	key := signKey(f)
	plain := ordinary(f, key)
	f.Add(plain.Raw)
	for _, change := range []func(p *parts){
		func(p *parts) { p.serial = []byte{2, 1, 0xff} },
		func(p *parts) {
			p.validity = der(0x30, der(0x17, []byte("2001010000Z")), der(0x18, []byte("20300101000000.5Z")))
		},
		func(p *parts) { p.version = nil },
		func(p *parts) {
			p.spki = made(f, []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1", "-pkeyopt", "ec_param_enc:explicit"}).RawSubjectPublicKeyInfo
		},
		func(p *parts) {
			p.spki = made(f, []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"}, "-sha1").RawSubjectPublicKeyInfo
		},
		func(p *parts) { p.serial = []byte{2, 0x81, 1, 7} },
	} {
		p := take(f, plain)
		change(p)
		f.Add(p.sign(f, key))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, _, err := certs.Parse(raw)
		if err != nil {
			if c != nil || !errors.Is(err, certs.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(c.Raw, raw) || !bytes.Contains(raw, c.RawTBSCertificate) || c.SerialNumber == nil {
			t.Fatal("not the bytes that were given")
		}
		again, _, err := certs.Parse(c.Raw)
		if err != nil || !again.Equal(c) {
			t.Fatalf("second time: %v", err)
		}
		// Whatever was read may be looked at without harm.
		_, _ = certs.SignatureAlgorithm(c)
		_ = certs.CheckSignature(c, c)
		_, _ = certs.Policies(c)
		_, _ = certs.PolicyMappings(c)
		_, _ = certs.PolicyConstraints(c)
		_, _ = certs.NameConstraintsOf(c)
		_, _ = certs.AuthorityInfo(c)
		_, _ = certs.CRLDistributionPoints(c)
		_, _ = certs.FreshestCRL(c)
		_, _ = certs.QCStatementsOf(c)
		if !certs.EqualName(c.RawSubject, c.RawSubject) || certs.NameKey(c.RawIssuer) == "" {
			t.Fatal("a name is not its own equal")
		}
	})
}

func FuzzParseAll(f *testing.F) {
	key := signKey(f)
	a := ordinary(f, key)
	for _, seed := range [][]byte{a.Raw, pemOf(a, a), slices.Concat(a.Raw, a.Raw), p7b(f, "DER", a), p7b(f, "PEM", a), a.Raw[:100]} {
		f.Add(seed)
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, _, err := certs.ParseAll(data)
		if (err == nil) != (len(list) > 0) {
			t.Fatalf("%d certificates, %v", len(list), err)
		}
		// What was read can be written and read again.
		if len(list) > 0 {
			again, _, err := certs.ParseAll(pemOf(list...))
			if err != nil || !slices.EqualFunc(again, list, (*x509.Certificate).Equal) {
				t.Fatalf("read back %d of %d: %v", len(again), len(list), err)
			}
		}
	})
}

func FuzzName(f *testing.F) {
	for _, raw := range [][]byte{name(f, one("6:19:BE"), one("3:12:Proef", "5:19:1")), name(f), name(f, one("3:30:\x00R\x00\xe9")), name(f, one("3:2:\x05"))} {
		f.Add(raw, certs.NameString(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		if strings.ContainsAny(certs.NameString(raw), "\n\r\x00") {
			t.Fatal("a name of several lines")
		}
		_ = certs.MatchNameString(text, raw)
		list, ok := certs.NameAttributes(raw)
		if !ok || len(list) == 0 {
			return
		}
		if s := certs.NameString(raw); !certs.MatchNameString(s, raw) {
			// Invalid strings are shown in hexadecimal and must still be found.
			t.Fatalf("%q does not match itself", s)
		}
	})
}
