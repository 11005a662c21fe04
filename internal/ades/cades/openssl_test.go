package cades_test

import (
	"bytes"
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// workshop is a folder with keys and content for openssl.
func workshop(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	_, rsa := person(t, pki.RSA)
	_, ec := person(t, pki.EC)
	writePEM(t, dir, "rsa", rsa.Certificate, rsa.Key)
	writePEM(t, dir, "ec", ec.Certificate, ec.Key)
	write(t, dir, "content", text)
	write(t, dir, "large", bytes.Repeat(text, 5000)) // more than one chunk
	return dir
}

// Messages that openssl makes: everything it can vary.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	dir := workshop(t)
	const rsa, ec = "-signer rsa.crt -inkey rsa.key ", "-signer ec.crt -inkey ec.key "
	for _, test := range []struct{ args, want string }{
		{"cms " + rsa + "-nodetach -outform DER", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true"},
		{"cms " + rsa + "-outform DER", "signer-1 CMS detached  RSA with SHA-256; messageDigest true true"},
		{"cms " + rsa + "-cades -nodetach -outform DER", "signer-1 CAdES attached B-B RSA with SHA-256; messageDigest true true"},
		{"cms " + ec + "-cades -outform DER -md sha384", "signer-1 CAdES detached B-B ECDSA with SHA-384; messageDigest true true"},
		{"cms " + ec + "-cades -nodetach -stream -outform DER -md sha512", "signer-1 CAdES attached B-B ECDSA with SHA-512; messageDigest true true"},
		{"cms " + rsa + "-nodetach -stream -outform PEM", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true"},
		{"cms " + rsa + "-nodetach -outform SMIME", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true"},
		{"cms " + rsa + "-nodetach -stream -outform SMIME", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true"},
		{"cms " + rsa + "-outform SMIME", "signer-1 CMS detached  RSA with SHA-256; messageDigest true true"},
		{"smime " + rsa + "-outform SMIME", "signer-1 CMS detached  RSA with SHA-256; messageDigest true true"},
		{"smime " + rsa + "-nodetach -outform DER", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true"},
		{"smime " + rsa + "-nodetach -stream -outform PEM", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true"},
		{"cms " + ec + "-keyid -nodetach -outform DER", "signer-1 CMS attached  ECDSA with SHA-256; messageDigest true true"},
		{"cms " + rsa + "-noattr -nodetach -outform DER", "signer-1 CMS attached  RSA with SHA-256; content true true; NO_MESSAGE_DIGEST"},
		{"cms " + ec + "-noattr -nodetach -stream -outform DER", "signer-1 CMS attached  ECDSA with SHA-256; content true true; NO_MESSAGE_DIGEST"},
		{"cms " + ec + "-noattr -outform SMIME", "signer-1 CMS detached  ECDSA with SHA-256; content true true; NO_MESSAGE_DIGEST"},
		{"cms " + rsa + "-nocerts -nodetach -outform DER", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true; does not verify"},
		{"cms " + rsa + "-md sha3-256 -nodetach -outform DER", "signer-1 CMS attached  RSA with SHA3-256; messageDigest true true"},
		{"cms " + rsa + "-md sha1 -cades -nodetach -outform DER", "signer-1 CAdES attached B-B RSA with SHA-1; messageDigest true true"},
		{"cms " + rsa + "-keyopt rsa_padding_mode:pss -md sha384 -nodetach -outform DER", "signer-1 CMS attached  RSA-PSS with SHA-384, salt 206; messageDigest true true"},
		{"cms -econtent_type 1.2.840.113549.1.9.16.1.2 " + rsa + "-nodetach -outform DER", "signer-1 CMS attached  RSA with SHA-256; messageDigest true true"},
		{"cms -cades -econtent_type 1.2.840.113549.1.9.16.1.2 " + rsa + "-nodetach -outform DER", "signer-1 CAdES attached BES RSA with SHA-256; messageDigest true true"},
	} {
		for _, content := range []string{"content", "large"} {
			args := strings.Fields(test.args)
			raw := openssl(t, dir, append([]string{args[0], "-sign", "-binary", "-in", content}, args[1:]...)...)
			want := text
			if content == "large" {
				want = bytes.Repeat(text, 5000)
			}
			var beside [][]byte
			if strings.Contains(test.want, "detached") && !strings.Contains(test.args, "SMIME") {
				beside = append(beside, want)
			}
			list := read(t, raw, beside...)
			check(t, test.args, list, test.want)
			if got := contentOf(t, list[0]); strings.TrimSpace(got) != strings.TrimSpace(string(want)) && !strings.Contains(test.args, "SMIME") {
				t.Errorf("%s: content of %d bytes, want %d", test.args, len(got), len(want))
			}
			if strings.Contains(test.args, "-keyid") != (list[0].SignerID.KeyID != nil) {
				t.Errorf("%s: signer %+v", test.args, list[0].SignerID)
			}
			if strings.Contains(test.args, "-noattr") != (list[0].SigningTime == nil) {
				t.Errorf("%s: signing time %v", test.args, list[0].SigningTime)
			}
		}
	}
}

// Without -binary, openssl writes clear-signed text, whose digest is of its lines with CR LF.
func TestOpenSSLClearText(t *testing.T) {
	t.Parallel()
	dir := workshop(t)
	for _, tool := range []string{"cms", "smime"} {
		raw := openssl(t, dir, tool, "-sign", "-text", "-in", "content", "-signer", "rsa.crt", "-inkey", "rsa.key")
		list := read(t, raw)
		check(t, tool, list, "signer-1 CMS detached  RSA with SHA-256; messageDigest true true")
		if got := contentOf(t, list[0]); !strings.HasSuffix(got, strings.ReplaceAll(string(text), "\n", "\r\n")) {
			t.Errorf("%s: content %q", tool, got)
		}
		changed := bytes.Replace(raw, []byte("undersigned"), []byte("overdesigned"), 1)
		check(t, tool+" changed", read(t, changed), "signer-1 CMS detached  RSA with SHA-256; messageDigest true false; does not verify")
	}
}

func TestOpenSSLSeveral(t *testing.T) {
	t.Parallel()
	dir := workshop(t)
	p, _ := person(t, pki.EC)
	third, err := signed.Citizen(p, pki.Request{Subject: pki.Subject{NationalNumber: "00000000097", Surname: "Specimen"}})
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, dir, "third", third.Certificate, third.Key)
	writePEM(t, dir, "ca", p.CitizenCA.Certificate, p.CitizenCA.Key)
	raw := openssl(t, dir, "cms", "-sign", "-binary", "-in", "content", "-nodetach", "-cades", "-outform", "DER", "-md", "sha384",
		"-signer", "rsa.crt", "-inkey", "rsa.key", "-signer", "ec.crt", "-inkey", "ec.key", "-certfile", "ca.crt")
	list := read(t, raw)
	check(t, "two signers", list, "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true", "signer-2 CAdES attached B-B RSA with SHA-384; messageDigest true true")
	if n := len(list[0].Certificates); n != 3 {
		t.Errorf("%d certificates", n)
	}
	write(t, dir, "signed", raw)
	raw = openssl(t, dir, "cms", "-resign", "-inform", "DER", "-in", "signed", "-nodetach", "-outform", "DER", "-signer", "third.crt", "-inkey", "third.key", "-md", "sha384")
	check(t, "a third", read(t, raw), "signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true", "signer-2 CAdES attached B-B ECDSA with SHA-384; messageDigest true true",
		"signer-3 CAdES attached B-B RSA with SHA-384; messageDigest true true")
}

// What has no signature, and what is no message at all.
func TestOpenSSLOthers(t *testing.T) {
	t.Parallel()
	dir := workshop(t)
	for name, raw := range map[string][]byte{
		"certificates alone": openssl(t, dir, "crl2pkcs7", "-nocrl", "-certfile", "rsa.crt", "-outform", "DER"),
		"in PEM":             openssl(t, dir, "crl2pkcs7", "-nocrl", "-certfile", "rsa.crt"),
		"data":               openssl(t, dir, "cms", "-data_create", "-in", "content", "-outform", "DER"),
		"encrypted":          openssl(t, dir, "cms", "-encrypt", "-in", "content", "-outform", "DER", "-recip", "rsa.crt"),
	} {
		if list, err := tryRead(raw); !isNoSignature(err) {
			t.Errorf("%s: %d signatures, %v", name, len(list), err)
		}
	}
}

// Time stamps of openssl's authority: alone, as a response, and what they say of the content.
func TestOpenSSLTimestamp(t *testing.T) {
	t.Parallel()
	dir := workshop(t)
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, _ := person(t, alg)
		writePEM(t, dir, "tsa", p.TSA.Certificate, p.TSA.Key)
		writePEM(t, dir, "tsaca", p.TimestampCA.Certificate, p.TimestampCA.Key)
		write(t, dir, "serial", []byte("0A\n"))
		write(t, dir, "ts.cnf", []byte(`[tsa]
default_tsa = t
[t]
serial = ./serial
signer_cert = ./tsa.crt
certs = ./tsaca.crt
signer_key = ./tsa.key
signer_digest = sha384
default_policy = 2.999.1
digests = sha256, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`))
		write(t, dir, "request", openssl(t, dir, "ts", "-query", "-data", "content", "-sha512", "-cert"))
		response := openssl(t, dir, "ts", "-reply", "-config", "ts.cnf", "-queryfile", "request")
		token := openssl(t, dir, "ts", "-reply", "-config", "ts.cnf", "-queryfile", "request", "-token_out")
		name := map[pki.Algorithm]string{pki.EC: "ECDSA with SHA-384", pki.RSA: "RSA with SHA-384"}[alg]
		for kind, raw := range map[string][]byte{"token": token, "response": response} {
			list := read(t, raw, text)
			check(t, kind, list, "timestamp TimestampToken attached  "+name+"; content true true; messageDigest true true")
			s := list[0]
			if s.SigningTime == nil || time.Since(*s.SigningTime) > time.Hour || s.References[0].Hash != crypto.SHA512 || s.References[0].Name != "content-1" || contentOf(t, s) != string(text) {
				t.Errorf("%s: %v, %+v", kind, s.SigningTime, s.References[0])
			}
			if !s.HasCertRefs || len(s.CertRefs) != 1 || !s.Signer.Equal(p.TSA.Certificate) {
				t.Errorf("%s: %+v", kind, s.CertRefs)
			}
			check(t, kind+", other content", read(t, raw, []byte("other")),
				"timestamp TimestampToken attached  "+name+"; content true false; messageDigest true true; does not verify")
			check(t, kind+", no content", read(t, raw), "timestamp TimestampToken attached  "+name+"; content false false; messageDigest true true; does not verify")
			check(t, kind+", one of two", read(t, raw, []byte("other"), text), "timestamp TimestampToken attached  "+name+"; content true true; messageDigest true true")
		}
		refused := openssl(t, dir, "ts", "-query", "-data", "content", "-sha1", "-no_nonce")
		write(t, dir, "request", refused)
		if _, err := tryRead(openssl(t, dir, "ts", "-reply", "-config", "ts.cnf", "-queryfile", "request"), text); !isNoSignature(err) {
			t.Errorf("refusal: %v", err)
		}
	}
}

func isNoSignature(err error) bool { return isError(err, ades.ErrNoSignature) }
