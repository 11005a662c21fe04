package signed_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

var files = []signed.File{{Name: "verklaring één.txt", Data: content, MIMEType: "text/plain"}, {Name: "bijlagen/plan.bin", Data: []byte{0, 1, 2, 3}}}

// unzip has unzip test a container and unpack it into a folder.
func unzip(t testing.TB, raw []byte) string {
	t.Helper()
	dir := t.TempDir()
	path := file(t, "container", raw)
	if out, err := tool(t, "unzip", "-t", path); err != nil {
		t.Fatal(out)
	}
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	must(t, err)
	for _, f := range r.File {
		in, err := f.Open()
		must(t, err)
		data, err := io.ReadAll(in)
		must(t, err)
		must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(f.Name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, f.Name), data, 0o600))
	}
	return dir
}

func TestASiCWithTools(t *testing.T) {
	t.Parallel()
	for _, level := range levels {
		o := options(t, pki.EC, level)
		root := pemFile(t, o.PKI.Root.Certificate)
		for _, form := range []signed.ContainerForm{signed.ASiCE, signed.ASiCECAdES, signed.ASiCS, signed.ASiCSCAdES, signed.ASiCSToken} {
			in, what := files, fmt.Sprint(level, " form ", form)
			mime := "application/vnd.etsi.asic-e+zip"
			if form >= signed.ASiCS {
				in, mime = files[:1], "application/vnd.etsi.asic-s+zip"
			}
			raw, err := signed.ASiC(in, form, o)
			must(t, err)
			if !bytes.Equal(raw[30:38+len(mime)], []byte("mimetype"+mime)) {
				t.Errorf("%s: begins with %q", what, raw[30:80])
			}
			if again, err := signed.ASiC(in, form, o); err != nil || !bytes.Equal(raw, again) {
				t.Errorf("%s: other bytes the second time", what)
			}
			dir := unzip(t, raw)
			at := func(name string) string { return filepath.Join(dir, name) }
			var out string
			switch form {
			case signed.ASiCE:
				out, err = inDir(t, dir, "xmlsec1", xmlsecArgs(root, "META-INF/signatures1.xml")...)
			case signed.ASiCS:
				out, err = inDir(t, dir, "xmlsec1", xmlsecArgs(root, "META-INF/signatures.xml")...)
			case signed.ASiCECAdES:
				out, err = cmsVerify(t, root, at("META-INF/signature1.p7s"), at("META-INF/ASiCManifest1.xml"))
				manifest, readErr := os.ReadFile(at("META-INF/ASiCManifest1.xml"))
				must(t, readErr)
				for _, f := range in {
					sum := sha512.Sum384(f.Data)
					wants(t, what, string(manifest), base64.StdEncoding.EncodeToString(sum[:]), `URI="verklaring%20%C3%A9%C3%A9n.txt"`)
				}
				if level == signed.LTA {
					if out, err := tool(t, "openssl", "ts", "-verify", "-token_in", "-in", at("META-INF/timestamp1-1.tst"), "-data", at("META-INF/ASiCArchiveManifest1-1.xml"),
						"-CAfile", root, "-attime", attime); err != nil {
						t.Errorf("%s: %s", what, out)
					}
				}
			case signed.ASiCSCAdES:
				out, err = cmsVerify(t, root, at("META-INF/signature.p7s"), at(files[0].Name))
			case signed.ASiCSToken:
				out, err = tool(t, "openssl", "ts", "-verify", "-token_in", "-in", at("META-INF/timestamp.tst"), "-data", at(files[0].Name), "-CAfile", root, "-attime", attime)
			}
			if err != nil {
				t.Errorf("%s: %v\n%s", what, err, out)
			}
		}
	}
}

func xmlsecArgs(root, name string) []string {
	return []string{"--verify", "--enabled-key-data", "x509", "--trusted-pem", root, "--verification-gmt-time", "2025-06-01 12:00:00",
		"--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", name}
}

func cmsVerify(t testing.TB, root, signature, data string) (string, error) {
	t.Helper()
	return tool(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", signature, "-content", data, "-CAfile", root, "-attime", attime,
		"-out", filepath.Join(t.TempDir(), "out"))
}

// inDir runs a tool in a folder: what detached signatures name is there. The
// names in them are escaped, so xmlsec1 finds copies under those names.
func inDir(t testing.TB, dir, name string, args ...string) (string, error) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, "verklaring%20%C3%A9%C3%A9n.txt"), content, 0o600))
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed to judge our signatures: %v", name, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestASiCRefused(t *testing.T) {
	t.Parallel()
	o := options(t, pki.EC, signed.B)
	for name, err := range map[string]error{
		"two files": second(signed.ASiC(files, signed.ASiCS, o)),
		"two hands": second(signed.ASiC(files[:1], signed.ASiCS, o, o)),
		"form":      second(signed.ASiC(files[:1], 9, o)),
		"options":   second(signed.ASiC(files, signed.ASiCECAdES, signed.Options{})),
		"token":     second(signed.ASiC(files[:1], signed.ASiCSToken, signed.Options{})),
		"XAdES":     second(signed.ASiC(files, signed.ASiCE, signed.Options{})),
	} {
		if !errors.Is(err, signed.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := signed.ASiC(nil, signed.ASiCE, o); err == nil {
		t.Error("nothing signed")
	}
}

func TestWebEID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		alg  pki.Algorithm
		pss  bool
		want string
	}{{pki.EC, false, "ES384"}, {pki.RSA, false, "RS256"}, {pki.RSA, true, "PS256"}} {
		p, err := pki.New(pki.Options{Algorithm: tt.alg})
		must(t, err)
		subject := pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn"}
		signer, err := p.Issue(pki.Request{Subject: subject})
		must(t, err)
		signing, err := signed.Citizen(p, pki.Request{Subject: subject})
		must(t, err)
		raw, err := signed.WebEID(signed.Login{Signer: signer, Origin: "https://pharmacy.example", Nonce: "nonce", PSS: tt.pss, Signing: signing, Format: "web-eid:1.1"})
		must(t, err)
		var got struct {
			UnverifiedCertificate         []byte
			UnverifiedSigningCertificates []struct{ Certificate []byte }
			Algorithm, Format, AppVersion string
			Signature                     []byte
		}
		must(t, json.Unmarshal(raw, &got))
		if got.Algorithm != tt.want || got.Format != "web-eid:1.1" || !bytes.Equal(got.UnverifiedCertificate, signer.Certificate.Raw) ||
			!bytes.Equal(got.UnverifiedSigningCertificates[0].Certificate, signing.Certificate.Raw) {
			t.Errorf("%s", raw)
		}
		if !loginFits(signer.Certificate, got.Signature, "https://pharmacy.example", "nonce", tt.pss) || loginFits(signer.Certificate, got.Signature, "https://other.example", "nonce", tt.pss) {
			t.Errorf("%s: the signature is over something else", tt.want)
		}
	}
	if _, err := signed.WebEID(signed.Login{}); !errors.Is(err, signed.ErrOptions) {
		t.Error(err)
	}
}

// loginFits checks a login as facts sheet "local agents" 2.3 has it.
func loginFits(c *x509.Certificate, signature []byte, origin, nonce string, pss bool) bool {
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
		a, b := sha512.Sum384([]byte(origin)), sha512.Sum384([]byte(nonce))
		sum := sha512.Sum384(slices.Concat(a[:], b[:]))
		return len(signature) == 96 && ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:48]), new(big.Int).SetBytes(signature[48:]))
	}
	a, b := sha256.Sum256([]byte(origin)), sha256.Sum256([]byte(nonce))
	sum := sha256.Sum256(slices.Concat(a[:], b[:]))
	key := c.PublicKey.(*rsa.PublicKey)
	if pss {
		return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil) == nil
	}
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}

// Every story can be made in every format.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, err := pki.New(pki.Options{Algorithm: alg})
		must(t, err)
		all, err := signed.Scenarios(p)
		must(t, err)
		names := map[string]bool{}
		passed := 0
		for _, s := range all {
			if names[s.Name] || s.Passed == (len(s.Reasons) > 0) {
				t.Errorf("%q is there twice, or has a reason for success", s.Name)
			}
			names[s.Name] = true
			if s.Passed {
				passed++
			}
			_, err := signed.CAdES(content, false, s.Options)
			must(t, err)
			_, err = signed.XAdES([]byte(statement), signed.XML{}, s.Options)
			must(t, err)
			_, err = signed.ASiC(files, signed.ASiCECAdES, s.Options)
			must(t, err)
			if _, err = signed.PAdES(s.Options); err != nil && s.Options.ContentStamp.At.IsZero() {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
		if len(all) < 20 || passed < 8 || !slices.ContainsFunc(all, func(s signed.Scenario) bool { return strings.Contains(s.Name, "revoked") }) {
			t.Errorf("%d stories, %d of them happy", len(all), passed)
		}
	}
}
