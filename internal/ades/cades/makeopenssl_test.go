package cades_test

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/testcards/pki"
)

// opensslVerify has openssl check the value, the content and the attributes of CAdES, with the PKI's root, at the time of signing.
func opensslVerify(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is needed")
		}
		t.Skip("openssl is not installed")
	}
	cmd := exec.Command("openssl", append([]string{"cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-attime", "1709294400"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// shop is a folder with the root of a PKI as root.pem and the content.
func shop(t testing.TB, p *pki.PKI) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Root.Certificate.Raw}))
	write(t, dir, "content", statement)
	write(t, dir, "other", append(bytes.Clone(statement), ' '))
	return dir
}

// openssl verifies what we make with every kind of key, attached and detached, at the lowest and the highest level, CAdES attributes included, and not over other
// content.
func TestMakeForOpenSSL(t *testing.T) {
	t.Parallel()
	for i, h := range hands(t) {
		for _, level := range []ades.Level{ades.LevelB, ades.LevelLTA} {
			if i > 1 && level > ades.LevelB {
				continue
			}
			dir := shop(t, h.pki)
			r := newServices(h.pki, signedAt).raising(level)
			write(t, dir, "attached", makeMessage(t, h.making(), h.who.Key, statement, cades.MakeOptions{}, &r))
			write(t, dir, "detached", makeMessage(t, h.making(), h.who.Key, statement, cades.MakeOptions{Detached: true}, &r))
			out, err := opensslVerify(t, dir, "-cades", "-in", "attached", "-CAfile", "root.pem", "-out", "signed")
			content, _ := os.ReadFile(filepath.Join(dir, "signed"))
			if err != nil || !bytes.Equal(content, statement) {
				t.Errorf("%s, %v, attached: %v\n%s", h.name, level, err, out)
			}
			if out, err := opensslVerify(t, dir, "-cades", "-in", "detached", "-content", "content", "-CAfile", "root.pem", "-out", "signed"); err != nil {
				t.Errorf("%s, %v, detached: %v\n%s", h.name, level, err, out)
			}
			if out, err := opensslVerify(t, dir, "-cades", "-in", "detached", "-content", "other", "-CAfile", "root.pem", "-out", "signed"); err == nil {
				t.Errorf("%s, %v, other content: %s", h.name, level, out)
			}
		}
	}
}

// What openssl signed is raised to every level, in whatever encoding it stands; openssl still verifies it, and so do we.
func TestRaiseOpenSSL(t *testing.T) {
	t.Parallel()
	dir := workshop(t)
	for _, test := range []struct {
		args     string
		alg      pki.Algorithm
		detached bool
		want     string
	}{
		{"-signer rsa.crt -inkey rsa.key -certfile rsa-ca.pem -cades -nodetach -outform DER", pki.RSA, false, "signer-1 CAdES attached B-LTA RSA with SHA-256"},
		{"-signer rsa.crt -inkey rsa.key -certfile rsa-ca.pem -cades -outform DER", pki.RSA, true, "signer-1 CAdES detached B-LTA RSA with SHA-256"},
		{"-signer ec.crt -inkey ec.key -certfile ec-ca.pem -cades -nodetach -stream -outform DER -md sha384", pki.EC, false, "signer-1 CAdES attached B-LTA ECDSA with SHA-384"},
		{"-signer ec.crt -inkey ec.key -certfile ec-ca.pem -cades -nodetach -outform PEM -md sha384", pki.EC, false, "signer-1 CAdES attached B-LTA ECDSA with SHA-384"},
		{"-signer ec.crt -inkey ec.key -certfile ec-ca.pem -cades -keyid -nodetach -outform DER -md sha512", pki.EC, false, "signer-1 CAdES attached B-LTA ECDSA with SHA-512"},
		{"-signer rsa.crt -inkey rsa.key -certfile rsa-ca.pem -cades -keyopt rsa_padding_mode:pss -md sha512 -nodetach -outform DER", pki.RSA, false,
			"signer-1 CAdES attached B-LTA RSA-PSS with SHA-512, salt 190"},
	} {
		p, who := person(t, test.alg)
		name := strings.ToLower(test.alg.String())
		write(t, dir, name+"-ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: who.Issuer.Certificate.Raw}))
		raw := openssl(t, dir, append([]string{"cms", "-sign", "-binary", "-in", "large"}, strings.Fields(test.args)...)...)
		content := bytes.Repeat(text, 5000)
		var beside [][]byte
		if test.detached {
			beside = [][]byte{content}
		}
		before := read(t, raw, beside...)[0]
		// openssl signs by the clock: the answers come after it.
		s := newServices(p, before.SigningTime.Add(0))
		high := raised(t, s.raising(ades.LevelLTA), raw, beside...)
		list := read(t, high, beside...)
		check(t, test.args, list, test.want+"; messageDigest true true; signature true true; archiveATSv3 true true")
		if !bytes.Equal(list[0].Value, before.Value) || !bytes.Equal(list[0].Digest, before.Digest) {
			t.Errorf("%s: what is signed has changed", test.args)
		}
		if rep := judged(t, p, s.at.Add(1e9), high, beside...); !rep.Passed() {
			t.Errorf("%s: %s %s", test.args, rep.Indication, rep.SubIndication)
		}
		write(t, dir, "high", high)
		write(t, dir, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Root.Certificate.Raw}))
		args := []string{"-cades", "-in", "high", "-CAfile", "root.pem", "-out", "signed"}
		if test.detached {
			args = append(args, "-content", "large")
		}
		if out, err := opensslVerify(t, dir, args...); err != nil {
			t.Errorf("%s: %v\n%s", test.args, err, out)
		}
	}
	// A mail in several parts is more than its signature.
	mail := openssl(t, dir, "cms", "-sign", "-binary", "-in", "content", "-signer", "rsa.crt", "-inkey", "rsa.key", "-outform", "SMIME")
	if err := tryRaise(newServices(nil, signedAt).raising(ades.LevelT), mail); !isError(err, ades.ErrUnsuitable) {
		t.Error(err)
	}
}

// A signature of ours in a message of openssl's, and one of openssl's in ours.
func TestAddOpenSSL(t *testing.T) {
	t.Parallel()
	dir := workshop(t)
	rsa, _ := person(t, pki.RSA)
	p, who := person(t, pki.EC)
	write(t, dir, "root.pem", append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rsa.Root.Certificate.Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Root.Certificate.Raw})...))
	_, other := person(t, pki.RSA)
	write(t, dir, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Issuer.Certificate.Raw}))
	for _, more := range []string{"-outform DER -nodetach", "-outform DER -nodetach -stream", "-outform DER"} {
		raw := openssl(t, dir, append([]string{"cms", "-sign", "-cades", "-binary", "-in", "content", "-signer", "rsa.crt", "-inkey", "rsa.key", "-certfile", "ca.pem"}, strings.Fields(more)...)...)
		var beside [][]byte
		args := []string{"-cades", "-in", "both", "-CAfile", "root.pem", "-out", "signed"}
		if !strings.Contains(more, "nodetach") {
			beside = [][]byte{text}
			args = append(args, "-content", "content")
		}
		both, id := added(t, makingOf(p, who), who.Key, nil, raw, beside...)
		write(t, dir, "both", both)
		if out, err := opensslVerify(t, dir, args...); err != nil {
			t.Errorf("%s: %v\n%s", more, err, out)
		}
		list := read(t, both, beside...)
		if len(list) != 2 || !verifies(list[0]) || !verifies(list[1]) {
			t.Fatalf("%s: %d signatures", more, len(list))
		}
		for _, s := range list {
			if ours := s.Algorithm == (sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA384}); ours != (s.ID == id) {
				t.Errorf("%s: %s, ours is told to be %s", more, describe(s), id)
			}
		}
	}
	write(t, dir, "ours", makeMessage(t, makingOf(p, who), who.Key, text, cades.MakeOptions{}, nil))
	both := openssl(t, dir, "cms", "-resign", "-inform", "DER", "-in", "ours", "-signer", "rsa.crt", "-inkey", "rsa.key", "-outform", "DER", "-nodetach", "-binary", "-cades", "-md", "sha384")
	if list := read(t, both); len(list) != 2 || !verifies(list[0]) || !verifies(list[1]) {
		t.Errorf("%d signatures", len(list))
	}
}
