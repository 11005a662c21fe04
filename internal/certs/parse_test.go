package certs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseOrdinary(t *testing.T) {
	t.Parallel()
	want := ordinary(t, signKey(t))
	c, odd, err := certs.Parse(want.Raw)
	if err != nil || len(odd) != 0 || !reflect.DeepEqual(c, want) {
		t.Errorf("%v %v", odd, err)
	}
}

// What the lenient parser reads of a certificate with one oddity must be what crypto/x509 reads of the same without.
func TestParseOdd(t *testing.T) {
	t.Parallel()
	key := signKey(t)
	plain := ordinary(t, key)
	utc := func(s string) []byte { return der(0x17, []byte(s)) }
	gen := func(s string) []byte { return der(0x18, []byte(s)) }
	last := plain.NotAfter.Format("20060102150405Z")
	tests := []struct {
		name   string
		change func(p *parts)
		odd    string
		// differs: fields that are rightly not those of the ordinary certificate
		differs []string
	}{
		{"negative serial number", func(p *parts) { p.serial = unhex(t, "0202ff01") }, "serial number is negative", []string{"SerialNumber"}},
		{"serial number zero", func(p *parts) { p.serial = unhex(t, "020100") }, "serial number is zero", []string{"SerialNumber"}},
		{"serial number of 21 bytes", func(p *parts) { p.serial = unhex(t, "0215 01"+strings.Repeat("00", 20)) }, "longer than 20", []string{"SerialNumber"}},
		{"UTCTime without seconds", func(p *parts) { p.validity = der(0x30, utc("2001010000Z"), gen(last)) }, "a time is not", nil},
		{"UTCTime with offset", func(p *parts) { p.validity = der(0x30, utc("200101020000+0200"), gen(last)) }, "a time is not", nil},
		{"GeneralizedTime before 2050", func(p *parts) { p.validity = der(0x30, gen("20200101000000Z"), gen(last)) }, "a time is not", nil},
		{"GeneralizedTime with fraction", func(p *parts) { p.validity = der(0x30, gen("20200101000000.0Z"), gen(last)) }, "a time is not", nil},
		{"GeneralizedTime without zone", func(p *parts) { p.validity = der(0x30, gen("20200101000000"), gen(last)) }, "a time is not", nil},
		{"BER length", func(p *parts) { p.serial = unhex(t, "02810107") }, "lengths are not DER", nil},
		{"long BER length", func(p *parts) { p.serial = unhex(t, "0284000000 01 07") }, "lengths are not DER", nil},
		{"BER boolean", func(p *parts) {
			p.without(0x13)
			p.extensions = append(p.extensions, der(0x30, unhex(t, "0603551d13 010101 0408 30060101ff020101")))
		}, "a boolean is not DER", []string{"Extensions"}},
		{"malformed policies", func(p *parts) {
			p.without(0x20)
			p.extensions = append(p.extensions, extension(false, unhex(t, "3003020101"), 2, 5, 29, 32))
		}, "extension 2.5.29.32 cannot be read", []string{"Extensions", "Policies", "PolicyIdentifiers"}},
		{"malformed SAN", func(p *parts) {
			p.without(0x11)
			p.extensions = append(p.extensions, extension(false, unhex(t, "3003 8205 61"), 2, 5, 29, 17))
		}, "extension 2.5.29.17 cannot be read", []string{"Extensions", "DNSNames", "EmailAddresses"}},
		{"URI that is none", func(p *parts) {
			p.without(0x11)
			p.extensions = append(p.extensions, extension(false, der(0x30, der(0x86, []byte("http://[::1/%zz"))), 2, 5, 29, 17))
		}, "crypto/x509 refuses it", []string{"Extensions", "DNSNames", "EmailAddresses"}},
		{"unknown malformed extension", func(p *parts) {
			p.extensions = append(p.extensions, extension(false, []byte{0xff}, 1, 2, 3, 4))
		}, "", []string{"Extensions"}},
		{"behind the extensions", func(p *parts) { p.behindExtensions = []byte{5, 0} }, "data behind the extensions", nil}, // crypto/x509 passes over it
		{"behind the signature", func(p *parts) { p.behindSignature = []byte{5, 0} }, "data behind the signature", nil},
		{"version 1 with extensions", func(p *parts) { p.version = nil }, "version 1 with extensions", []string{"Version"}},
		{"two algorithms", func(p *parts) { p.outer = unhex(t, "300a 06082a8648ce3d040303") }, "two signature algorithms", []string{"SignatureAlgorithm"}},
		{"string that is no UTF-8", func(p *parts) {
			p.subject = der(0x30, der(0x31, der(0x30, unhex(t, "0603550403"), der(0x0c, []byte("a\xff")))))
		}, "a string of the subject", []string{"Subject", "RawSubject"}},
		{"printable string that is not", func(p *parts) {
			p.subject = der(0x30, der(0x31, der(0x30, unhex(t, "0603550403"), der(0x13, []byte("a@\xe9")))))
		}, "crypto/x509 refuses it", []string{"Subject", "RawSubject"}},
		{"unknown kind of key", func(p *parts) {
			p.spki = der(0x30, der(0x30, unhex(t, "06032a0304")), unhex(t, "03020001"))
		}, "public key cannot be used", []string{"RawSubjectPublicKeyInfo", "PublicKey", "PublicKeyAlgorithm"}},
		{"unknown curve", func(p *parts) {
			p.spki = der(0x30, der(0x30, unhex(t, "06072a8648ce3d0201 06052b8104000a")), unhex(t, "03020004"))
		}, "elliptic curve 1.3.132.0.10", []string{"RawSubjectPublicKeyInfo", "PublicKey", "PublicKeyAlgorithm"}},
		{"unique identifiers", func(p *parts) { p.behindSPKI = unhex(t, "81020055 82020055") }, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := take(t, plain)
			tt.change(p)
			raw := p.sign(t, key)
			c, odd, err := certs.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if tt.odd == "" && len(odd) != 0 || tt.odd != "" && !slices.ContainsFunc(odd, func(s string) bool { return strings.Contains(s, tt.odd) }) {
				t.Errorf("oddities %q, want %q", odd, tt.odd)
			}
			got, want := reflect.ValueOf(*c), reflect.ValueOf(*plain)
			for i := range got.NumField() {
				name := got.Type().Field(i).Name
				if slices.Contains([]string{"Raw", "RawTBSCertificate", "Signature"}, name) {
					continue
				}
				if same := reflect.DeepEqual(got.Field(i).Interface(), want.Field(i).Interface()); same == slices.Contains(tt.differs, name) {
					t.Errorf("%s: %v, ordinarily %v", name, got.Field(i), want.Field(i))
				}
			}
			want2 := error(nil)
			if tt.name == "two algorithms" {
				want2 = certs.ErrAlgorithms
			}
			if err := certs.CheckSignature(c, plain); !errors.Is(err, want2) {
				t.Errorf("signature: %v", err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	key := signKey(t)
	plain := ordinary(t, key)
	made := func(change func(p *parts)) []byte {
		p := take(t, plain)
		change(p)
		return p.sign(t, key)
	}
	deep := bytes.Repeat([]byte{0x30, 0x80}, 1000)
	for name, raw := range map[string][]byte{
		"nothing":             nil,
		"text":                []byte("certificate"),
		"cut":                 plain.Raw[:len(plain.Raw)-1],
		"trailing":            append(bytes.Clone(plain.Raw), 0),
		"extension twice":     made(func(p *parts) { p.extensions = append(p.extensions, p.extensions[0]) }),
		"empty serial number": made(func(p *parts) { p.serial = []byte{2, 0} }),
		"no validity":         made(func(p *parts) { p.validity = []byte{0x30, 0} }),
		"no time": made(func(p *parts) {
			p.validity = der(0x30, der(0x17, []byte("201301000000Z")), der(0x17, []byte("300101000000Z")))
		}),
		"version 4":              made(func(p *parts) { p.version = unhex(t, "a003020103") }),
		"extension without OID":  made(func(p *parts) { p.extensions = [][]byte{unhex(t, "3002 0400")} }),
		"no extensions inside":   made(func(p *parts) { p.extensions, p.behindExtensions = nil, unhex(t, "a3020500") }),
		"indefinite":             append([]byte{0x30, 0x80}, plain.Raw[4:]...),
		"nested indefinite":      deep,
		"too large":              make([]byte, certs.MaxCertificate+1),
		"length beyond the data": unhex(t, "3088 7fffffffffffffff 00"),
		"CRL":                    der(0x30, der(0x30, plain.RawSubject), unhex(t, "3000 030100")),
	} {
		c, odd, err := certs.Parse(raw)
		if c != nil || odd != nil || !errors.Is(err, certs.ErrMalformed) {
			t.Errorf("%s: %v %v", name, odd, err)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	key := signKey(t)
	plain := ordinary(t, key)
	for _, tt := range []struct {
		tag        byte
		text, want string // want empty: refused
	}{
		{0x17, "500101000000Z", "1950-01-01T00:00:00Z"},
		{0x17, "491231235959Z", "2049-12-31T23:59:59Z"},
		{0x17, "4912312359Z", "2049-12-31T23:59:00Z"},
		{0x17, "700101000000-0130", "1970-01-01T01:30:00Z"},
		{0x17, "690229000000Z", ""},
		{0x17, "680229000000Z", "1968-02-29T00:00:00Z"},
		{0x17, "20200101000000Z", ""},
		{0x17, "200101000000", ""},
		{0x17, "200101000000+01", ""},
		{0x17, "200101000000+2400", ""},
		{0x17, "2001010000 0Z", ""},
		{0x17, "200101000000.5Z", ""},
		{0x17, "", ""},
		{0x18, "20500101000000Z", "2050-01-01T00:00:00Z"},
		{0x18, "99991231235959Z", "9999-12-31T23:59:59Z"},
		{0x18, "20200101000000.123456789012Z", "2020-01-01T00:00:00.123456789Z"},
		{0x18, "20200101000000,5Z", "2020-01-01T00:00:00.5Z"},
		{0x18, "202001010000Z", "2020-01-01T00:00:00Z"},
		{0x18, "20200101000000.Z", ""},
		{0x18, "20200101000000.5.5Z", ""},
		{0x18, "20200230000000Z", ""},
		{0x18, strings.Repeat("2", 100), ""},
	} {
		p := take(t, plain)
		p.validity = der(0x30, der(tt.tag, []byte(tt.text)), der(0x18, []byte("99991231235959Z")))
		c, _, err := certs.Parse(p.sign(t, key))
		switch {
		case tt.want == "" && !errors.Is(err, certs.ErrMalformed):
			t.Errorf("%q: %v", tt.text, err)
		case tt.want != "" && (err != nil || c.NotBefore.Format(time.RFC3339Nano) != tt.want):
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

// made has openssl make a self-signed certificate.
func made(t testing.TB, genpkey []string, req ...string) *x509.Certificate {
	t.Helper()
	dir := t.TempDir()
	key, out := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	mustOpenSSL(t, append(append([]string{"genpkey"}, genpkey...), "-out", key)...)
	mustOpenSSL(t, append([]string{"req", "-x509", "-new", "-key", key, "-subj", "/C=BE/CN=Proef", "-days", "10", "-out", out}, req...)...)
	return parseFile(t, out)
}

func parseFile(t testing.TB, path string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := certs.ParseAll(data)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d certificates: %v", len(list), err)
	}
	return list[0]
}

// Keys of kinds that crypto/x509 does not know: openssl makes the certificates and signs them.
func TestKeysOfOpenSSL(t *testing.T) {
	t.Parallel()
	ec := func(curve string, more ...string) []string {
		return append([]string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + curve}, more...)
	}
	dsa := filepath.Join(t.TempDir(), "dsa.pem")
	mustOpenSSL(t, "genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-pkeyopt", "dsa_paramgen_q_bits:160", "-out", dsa)
	pss := []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:20"}
	tests := []struct {
		name     string
		key      []string
		req      []string
		keyName  string
		alg      string
		goKnows  bool // crypto/x509 names the algorithm
		oddities int
	}{
		{"P-256", ec("P-256"), nil, "EC P-256", "ECDSA with SHA-256", true, 0},
		{"brainpoolP256r1", ec("brainpoolP256r1"), nil, "EC brainpoolP256r1", "ECDSA with SHA-256", true, 1},
		{"brainpoolP384r1", ec("brainpoolP384r1"), []string{"-sha384"}, "EC brainpoolP384r1", "ECDSA with SHA-384", true, 1},
		{"brainpoolP512t1", ec("brainpoolP512t1"), []string{"-sha512"}, "EC brainpoolP512t1", "ECDSA with SHA-512", true, 1},
		{"P-192", ec("prime192v1"), nil, "EC P-192", "ECDSA with SHA-256", true, 1},
		{"P-384 written out", ec("P-384", "-pkeyopt", "ec_param_enc:explicit"), nil, "EC P-384", "ECDSA with SHA-256", true, 1},
		{"brainpool written out", ec("brainpoolP384r1", "-pkeyopt", "ec_param_enc:explicit"), nil, "EC brainpoolP384r1", "ECDSA with SHA-256", true, 1},
		{"SHA-3", ec("P-256"), []string{"-sha3-256"}, "EC P-256", "ECDSA with SHA3-256", false, 0},
		{"DSA", []string{"-paramfile", dsa}, []string{"-sha256"}, "DSA 1024", "DSA with SHA-256", true, 0},
		{"RSA-PSS", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, pss, "RSA 2048", "RSA-PSS with SHA-256, salt 20", false, 0},
		{"RSA-PSS key", []string{"-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"}, pss, "RSA 2048", "RSA-PSS with SHA-256, salt 20", false, 0},
		{"RSA 512 SHA-1", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"}, []string{"-sha1"}, "RSA 512", "RSA with SHA-1", true, 0},
		{"RSA MD5", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"}, []string{"-md5"}, "RSA 1024", "RSA with MD5", true, 0},
		{"Ed25519", []string{"-algorithm", "ED25519"}, nil, "Ed25519", "Ed25519", true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := made(t, tt.key, tt.req...)
			again, odd, err := certs.Parse(c.Raw)
			if err != nil || len(odd) != tt.oddities || again.IsCA != true || again.Subject.CommonName != "Proef" {
				t.Errorf("%q %v", odd, err)
			}
			if got := sigalg.KeyName(c.PublicKey); got != tt.keyName {
				t.Errorf("key %s", got)
			}
			alg, err := certs.SignatureAlgorithm(c)
			if err != nil || alg.String() != tt.alg {
				t.Errorf("algorithm %v %v", alg, err)
			}
			if known := c.SignatureAlgorithm != x509.UnknownSignatureAlgorithm; known != tt.goKnows {
				t.Errorf("crypto/x509 calls it %v", c.SignatureAlgorithm)
			}
			if err := certs.CheckSignature(c, c); err != nil {
				t.Error(err)
			}
			bad := *c
			bad.Signature = slices.Clone(c.Signature)
			bad.Signature[len(bad.Signature)/2] ^= 1
			if err := certs.CheckSignature(&bad, c); !errors.Is(err, sigalg.ErrBadSignature) {
				t.Errorf("changed: %v", err)
			}
		})
	}
}

// A key for RSASSA-PSS alone is held to that.
func TestPSSKeyIsHeldToIt(t *testing.T) {
	t.Parallel()
	pss := made(t, []string{"-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha256",
		"-pkeyopt", "rsa_pss_keygen_mgf1_md:sha256", "-pkeyopt", "rsa_pss_keygen_saltlen:32"}, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")
	key, ok := pss.PublicKey.(*rsa.PublicKey)
	if !ok {
		t.Fatalf("key %T", pss.PublicKey)
	}
	digest, value := make([]byte, 32), make([]byte, key.Size())
	for uri, want := range map[string]error{
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256":      sigalg.ErrMismatch,
		"http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1":   sigalg.ErrMismatch,
		"http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": sigalg.ErrBadSignature,
	} {
		alg, err := sigalg.ByURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		if err := certs.CheckDigest(alg, pss, digest[:alg.Hash.Size()], value); !errors.Is(err, want) {
			t.Errorf("%v: %v", alg, err)
		}
	}
}

// A curve written out with a generator of one's own is the trick of CVE-2020-0601.
func TestExplicitCurveMustBeWhole(t *testing.T) {
	t.Parallel()
	c := made(t, []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"})
	g := c.PublicKey.(*ecdsa.PublicKey).Curve.Params().Gx.FillBytes(make([]byte, 32))
	for name, change := range map[string][2][]byte{
		"generator":   {g, append([]byte{g[0] ^ 1}, g[1:]...)},
		"coefficient": {unhex(t, "5ac635d8aa3a93e7"), unhex(t, "5ac635d8aa3a93e8")},
		"order":       {unhex(t, "bce6faada7179e84"), unhex(t, "bce6faada7179e85")},
	} {
		spki := bytes.Replace(c.RawSubjectPublicKeyInfo, change[0], change[1], 1)
		if bytes.Equal(spki, c.RawSubjectPublicKeyInfo) {
			t.Fatalf("%s: not found", name)
		}
		if pub, _, err := certs.ParsePublicKey(spki); pub != nil || !errors.Is(err, certs.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPoints(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := filepath.Join(dir, "key.pem")
	for _, curve := range []string{"P-256", "P-384", "P-521", "secp224r1"} {
		mustOpenSSL(t, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+curve, "-out", key)
		var keys []*ecdsa.PublicKey
		for _, form := range []string{"uncompressed", "compressed", "hybrid"} {
			spki := mustOpenSSL(t, "ec", "-in", key, "-pubout", "-conv_form", form, "-outform", "PEM")
			block, _ := pem.Decode(spki[bytes.Index(spki, []byte("-----BEGIN")):])
			pub, _, err := certs.ParsePublicKey(block.Bytes)
			if err != nil {
				t.Fatalf("%s, %s: %v", curve, form, err)
			}
			keys = append(keys, pub.(*ecdsa.PublicKey))
			block.Bytes[len(block.Bytes)-1] ^= 1
			if pub, _, err := certs.ParsePublicKey(block.Bytes); form != "compressed" && !errors.Is(err, certs.ErrKey) {
				t.Errorf("%s, %s: %v for a point beside the curve", curve, form, pub)
			}
		}
		if !keys[0].Equal(keys[1]) || !keys[0].Equal(keys[2]) {
			t.Errorf("%s: the forms of the point differ", curve)
		}
	}
}
