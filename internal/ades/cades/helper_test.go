package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

var signedAt = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// someone is a test PKI with somebody who can sign.
type someone struct {
	pki *pki.PKI
	who *pki.Issued
	err error
}

// people are made once: keys take long.
var people = map[pki.Algorithm]func() someone{pki.EC: sync.OnceValue(func() someone { return newPerson(pki.EC) }), pki.RSA: sync.OnceValue(func() someone { return newPerson(pki.RSA) })}

func newPerson(alg pki.Algorithm) someone {
	p, err := pki.New(pki.Options{Algorithm: alg})
	if err != nil {
		return someone{err: err}
	}
	who, err := signed.Citizen(p, pki.Request{})
	return someone{p, who, err}
}

func person(t testing.TB, alg pki.Algorithm) (*pki.PKI, *pki.Issued) {
	t.Helper()
	s := people[alg]()
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.pki, s.who
}

// made is a message of the independent maker.
func made(t testing.TB, content []byte, detached bool, signers ...signed.Options) []byte {
	t.Helper()
	raw, err := signed.CAdES(content, detached, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func file(name string, b []byte) ades.File {
	return ades.File{Name: name, Data: bytes.NewReader(b), Size: int64(len(b))}
}

// read reads a message with what lies beside it.
func read(t testing.TB, raw []byte, detached ...[]byte) []*ades.Signature {
	t.Helper()
	list, err := tryRead(raw, detached...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func tryRead(raw []byte, detached ...[]byte) ([]*ades.Signature, error) {
	in := ades.Input{File: file("message", raw)}
	for i, content := range detached {
		in.Detached = append(in.Detached, ades.Content{File: file(fmt.Sprintf("content-%d", i+1), content)})
	}
	return cades.Read(context.Background(), in)
}

// verifies tells whether the value of a signature fits its signer's key, and what it covers is what was signed.
func verifies(s *ades.Signature) bool {
	if s.Signer == nil || s.Digest == nil || s.AlgorithmError != nil {
		return false
	}
	for _, ref := range s.References {
		if !ref.Found || !ref.Intact {
			return false
		}
	}
	for _, digest := range append([][]byte{s.Digest}, s.AlternateDigests...) {
		if s.Algorithm.Verify(s.Signer.PublicKey, digest, s.Value) == nil {
			return true
		}
	}
	return false
}

// content reads what the first reference says was signed.
func contentOf(t testing.TB, s *ades.Signature) string {
	t.Helper()
	if len(s.References) == 0 || s.References[0].Content == nil {
		return "(none)"
	}
	in, err := s.References[0].Content()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func codes(list []ades.Finding) string {
	var text []string
	for _, f := range list {
		text = append(text, string(f.Code))
	}
	return strings.Join(text, " ")
}

// describe puts what matters of a signature into one line, for tables.
func describe(s *ades.Signature) string {
	line := fmt.Sprintf("%s %s %s %s %s", s.ID, s.Format, s.SubFormat, s.Level, s.Algorithm)
	for _, ref := range s.References {
		line += fmt.Sprintf("; %s %t %t", ref.Kind, ref.Found, ref.Intact)
	}
	if !verifies(s) {
		line += "; does not verify"
	}
	if len(s.Findings) > 0 {
		line += "; " + codes(s.Findings)
	}
	for i := range s.Timestamps {
		ts := &s.Timestamps[i]
		line += fmt.Sprintf("; %s%s %t %t", ts.Kind, ts.Version, ts.Found, ts.Intact)
		if ts.Token == nil || !verifies(ts.Token) {
			line += " bad token"
		}
		if len(ts.Findings) > 0 {
			line += " " + codes(ts.Findings)
		}
	}
	for _, c := range s.CounterSignatures {
		line += "; (" + describe(c) + ")"
	}
	return line
}

func check(t testing.TB, name string, list []*ades.Signature, want ...string) {
	t.Helper()
	var got []string
	for _, s := range list {
		got = append(got, describe(s))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// openssl runs the tool and returns what it wrote to -out.
func openssl(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is needed")
		}
		t.Skip("openssl is not installed")
	}
	cmd := exec.Command("openssl", append(args, "-out", "out")...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	out, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// writePEM writes a certificate and its key as NAME.crt and NAME.key.
func writePEM(t testing.TB, dir, name string, cert *x509.Certificate, key crypto.Signer) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, name+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	write(t, dir, name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func write(t testing.TB, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// shared reads a signature of the test data that lie outside the project.
func shared(t testing.TB, path string) []byte {
	t.Helper()
	root := filepath.Join("..", "..", "..", "..", "shared", "data")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the folder ../shared/data beside the project is absent")
	}
	b, err := os.ReadFile(filepath.Join(root, "signatures", "cades", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func isError(err, want error) bool { return errors.Is(err, want) }
