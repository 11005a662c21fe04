//go:build unix

package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
)

// issue makes a person's signing certificate and puts certificate, key and chain into files: key.pem, cert.pem, cert.der, ca.pem.
func (b *bench) issue(t *testing.T, alg pki.Algorithm, kind pki.Kind) {
	t.Helper()
	who, err := b.net.Of(alg).Issue(pki.Request{Kind: kind,
		Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn-Specimen", GivenNames: "Zoë Marie"}})
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(who.Key)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, kind string, der []byte) {
		write(t, name, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	put("key.pem", "PRIVATE KEY", der)
	put("cert.pem", "CERTIFICATE", who.Certificate.Raw)
	put("ca.pem", "CERTIFICATE", who.Issuer.Certificate.Raw)
	write(t, "cert.der", string(who.Certificate.Raw))
}

const passphrase = "geheim woord"

// keyFile has openssl make seal.p12.
func (b *bench) keyFile(t *testing.T, alg pki.Algorithm, kind pki.Kind) {
	t.Helper()
	b.issue(t, alg, kind)
	outside(t, "openssl", "pkcs12", "-export", "-inkey", "key.pem", "-in", "cert.pem", "-certfile", "ca.pem", "-passout", "pass:"+passphrase, "-out", "seal.p12")
}

// TestSignWithFile: the passphrase is typed in a dialog, or read from a file that nobody else may read.
func TestSignWithFile(t *testing.T) {
	b := newBench(t)
	b.keyFile(t, pki.RSA, pki.Signature)
	program, log := fakePinentry(t, true, "wrong", passphrase)
	args := []string{"sign", "a.txt", "--detached", "--key", "seal.p12", "--level", "lt", "--tsa", tsaURL, "--trust", b.roots}
	code, out, errs := eid(t, append(args, "--pinentry", program)...)
	wantCode(t, exitOK, code, out, errs)
	b.valid(t, "a.txt.p7s", "CAdES-B-LT", "Proefkonijn")
	if told := read(t, log); !strings.Contains(told, "Key: seal.p12") || !strings.Contains(told, "Signature: a.txt") || !strings.Contains(told, "Wrong passphrase.") ||
		strings.Contains(told, passphrase) {
		t.Errorf("%s", told)
	}
	program, _ = fakePinentry(t, true, "cancel")
	code, out, errs = eid(t, append(args, "--pinentry", program, "--force")...)
	wantCode(t, exitPIN, code, out, errs)

	write(t, "pass", passphrase+"\n")
	args = append(args, "--passphrase-file", "pass", "--force")
	code, out, errs = eid(t, args...)
	if code != exitFailure || !strings.Contains(errs, "hint: chmod 600 pass") {
		t.Errorf("readable by all: %d %s%s", code, out, errs)
	}
	if err := os.Chmod("pass", 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = eid(t, args...)
	wantCode(t, exitOK, code, out, errs)
	b.valid(t, "a.txt.p7s")
	b.configure(t, "[sign]\nkey = \"seal.p12\"\n")
	code, out, errs = eid(t, "sign", "b.csv", "--passphrase-file", "pass", "--trust", b.roots)
	wantCode(t, exitOK, code, out, errs)
	write(t, "pass", "other")
	if code, _, errs := eid(t, args...); code != exitPIN || !strings.Contains(errs, "password") {
		t.Errorf("wrong: %d %s", code, errs)
	}
	write(t, "junk.p12", "junk")
	if code, _, errs := eid(t, "sign", "a.txt", "--key", "junk.p12", "--passphrase-file", "pass", "--out", "x"); code != exitFailure || !strings.Contains(errs, "junk.p12") {
		t.Errorf("junk: %d %s", code, errs)
	}
	if code, _, errs := eid(t, "sign", "report.pdf", "--photo", "--key", "seal.p12", "--passphrase-file", "pass"); code == exitOK || !strings.Contains(errs, "password") && !strings.Contains(errs, "--image") {
		t.Errorf("photo: %d %s", code, errs)
	}
}

// TestSignWithAuthenticationKey: a key for logging in signs no document.
func TestSignWithAuthenticationKey(t *testing.T) {
	b := newBench(t)
	b.keyFile(t, pki.EC, pki.Authentication)
	write(t, "pass", passphrase)
	if err := os.Chmod("pass", 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := eid(t, "sign", "a.txt", "--key", "seal.p12", "--passphrase-file", "pass", "--trust", b.roots)
	if code != exitUsage || !strings.Contains(errs, "not for signing documents") || !strings.Contains(errs, "eid: hint: ") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if _, err := os.Stat("a.asice"); err == nil {
		t.Error("something was signed")
	}
}

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// token makes a token of SoftHSM with two keys.
func (b *bench) token(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "softhsm2.conf"), "directories.tokendir = "+dir+"\nlog.level = ERROR\n")
	t.Setenv("SOFTHSM2_CONF", filepath.Join(dir, "softhsm2.conf"))
	outside(t, "softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", "123456", "--pin", "ab cd-12")
	for id, alg := range map[string]pki.Algorithm{"01": pki.RSA, "02": pki.EC} {
		b.issue(t, alg, pki.Signature)
		outside(t, "softhsm2-util", "--import", "key.pem", "--token", "bench", "--label", "key "+id, "--id", id, "--pin", "ab cd-12")
		outside(t, "pkcs11-tool", "--module", softHSM, "--token-label", "bench", "--login", "--pin", "ab cd-12", "--write-object", "cert.der", "--type", "cert", "--id", id, "--label", "key "+id)
	}
}

// TestSignWithToken: a key on a PKCS #11 token, its PIN by dialog and by file; with several keys the hint has their addresses.
func TestSignWithToken(t *testing.T) {
	b := newBench(t)
	b.token(t)
	uri := "pkcs11:token=bench?module-path=" + softHSM
	code, out, errs := eid(t, "sign", "a.txt", "--key", uri, "--trust", b.roots)
	if code != exitUsage || strings.Count(errs, "--key 'pkcs11:token=bench") != 2 || !strings.Contains(errs, "id=%02") {
		t.Fatalf("two keys: %d %s%s", code, out, errs)
	}
	var one string
	for _, word := range strings.Split(errs, "'") {
		if strings.Contains(word, "id=%02") {
			one = word
		}
	}
	program, log := fakePinentry(t, true, "wrong", "ab cd-12")
	code, out, errs = eid(t, "sign", "decl.xml", "--key", one, "--pinentry", program, "--level", "t", "--tsa", tsaURL, "--trust", b.roots)
	wantCode(t, exitOK, code, out, errs)
	b.valid(t, "decl-signed.xml", "XAdES-B-T", "ECDSA")
	if told := read(t, log); !strings.Contains(told, "Token: bench") || !strings.Contains(told, "Signature: decl.xml") || strings.Contains(told, "cd-12") {
		t.Errorf("%s", told)
	}
	write(t, "pin", "ab cd-12\n")
	if err := os.Chmod("pin", 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	fromFile := "pkcs11:token=bench;id=%01?module-path=" + softHSM + "&pin-source=file:" + here + "/pin"
	code, out, errs = eid(t, "sign", "report.pdf", "a.txt", "--key", fromFile, "--trust", b.roots)
	wantCode(t, exitOK, code, out, errs)
	b.valid(t, "report-signed.pdf", "RSA")
	b.valid(t, "a.asice")
	write(t, "pin", "zzzz\n")
	code, out, errs = eid(t, "sign", "report.pdf", "a.txt", "--key", fromFile, "--trust", b.roots, "--force")
	if code != exitPIN || !strings.Contains(out, "a.txt: not tried") {
		t.Errorf("wrong PIN in the file: %d %s%s", code, out, errs)
	}
	program, _ = fakePinentry(t, true, "cancel")
	for args, want := range map[string]int{
		"pkcs11:token=nobody?module-path=" + softHSM:        exitNoCard,
		"pkcs11:token=bench?module-path=/does/not/exist.so": exitFailure, one: exitPIN,
	} {
		if code, out, errs := eid(t, "sign", "b.csv", "--key", args, "--trust", b.roots, "--pinentry", program); code != want {
			t.Errorf("%s: exit code %d, want %d: %s%s", args, code, want, out, errs)
		}
	}
	if _, err := os.Stat("b.asice"); err == nil {
		t.Error("something was signed")
	}
}
