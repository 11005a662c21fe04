package verify_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

func TestPinnedRoots(t *testing.T) {
	roots := verify.PinnedRoots()
	if len(roots) != 5 {
		t.Fatalf("%d pinned roots", len(roots))
	}
	for i, r := range roots {
		if !strings.HasPrefix(r.Name, "Belgium Root CA") || !r.NotBefore.Before(r.NotAfter) || strings.Contains(r.Name, "TEST") {
			t.Errorf("%+v", r)
		}
		for _, other := range roots[:i] {
			if other.SHA256 == r.SHA256 {
				t.Errorf("%s is there twice", r.Name)
			}
		}
		if wantWithdrawn := r.Name == "Belgium Root CA2"; r.Withdrawn.IsZero() == wantWithdrawn {
			t.Errorf("%s withdrawn %v", r.Name, r.Withdrawn)
		}
	}
	roots[0].Name = "changed"
	if verify.PinnedRoots()[0].Name == "changed" {
		t.Error("the caller can change the pinned roots")
	}
}

// No test root may be trusted by default (design.md section 6, rule 7).
func TestTestRootsAreNotPinned(t *testing.T) {
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024} {
		root := newPKI(t, pki.Options{Algorithm: alg}).Root.Certificate
		for _, a := range []*verify.Anchors{nil, {}} {
			if a.Contains(root) || len(a.Added()) != 0 {
				t.Errorf("%v: the test root is an anchor", alg)
			}
		}
	}
}

func TestAdd(t *testing.T) {
	a := &verify.Anchors{}
	one, two := newPKI(t, pki.Options{}).Root.Certificate, newPKI(t, pki.Options{Seed: 1}).Root.Certificate
	a.Add(one)
	a.Add(one)
	a.Add(nil)
	if !a.Contains(one) || a.Contains(two) || a.Contains(nil) || len(a.Added()) != 1 {
		t.Errorf("added %d", len(a.Added()))
	}
}

func TestLoadAnchors(t *testing.T) {
	p := newPKI(t, pki.Options{})
	root, ca := p.Root.Certificate, p.CitizenCA.Certificate
	pemFile := writePEM(t, "root.pem", root)
	bundle := writePEM(t, "bundle.txt", root, ca)
	der := writeFile(t, "root.bin", root.Raw)
	ders := writeFile(t, "both.der", slices.Concat(root.Raw, ca.Raw))
	pemText, err := os.ReadFile(pemFile)
	if err != nil {
		t.Fatal(err)
	}
	commented := writeFile(t, "c.pem", slices.Concat([]byte("subject: a root\n\n"), pemText, []byte("trailing words\n")))
	folder := t.TempDir()
	for name, data := range map[string][]byte{"a.PEM": pemText, "b.crt": ca.Raw, "README": []byte("not a certificate"), "sum.sha256": nil} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "old.pem"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		paths []string
		want  []*x509.Certificate
	}{
		{"none", nil, nil},
		{"PEM", []string{pemFile}, []*x509.Certificate{root}},
		{"PEM with comments", []string{commented}, []*x509.Certificate{root}},
		{"bundle", []string{bundle}, []*x509.Certificate{root, ca}},
		{"DER", []string{der}, []*x509.Certificate{root}},
		{"two DER", []string{ders}, []*x509.Certificate{root, ca}},
		{"folder", []string{folder}, []*x509.Certificate{root, ca}},
		{"all, twice", []string{pemFile, folder, der}, []*x509.Certificate{root, ca}},
	}
	for _, tt := range tests {
		a, err := verify.LoadAnchors(tt.paths...)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := a.Added(); !slices.EqualFunc(got, tt.want, (*x509.Certificate).Equal) {
			t.Errorf("%s: %d certificates", tt.name, len(got))
		}
	}
}

func TestLoadAnchorsRefuses(t *testing.T) {
	root := newPKI(t, pki.Options{}).Root.Certificate
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	large := writeFile(t, "large.pem", nil)
	if err := os.Truncate(large, 16<<20+1); err != nil {
		t.Fatal(err)
	}
	brokenFolder := t.TempDir()
	for name, data := range map[string][]byte{"a.pem": good, "b.cer": []byte("junk")} {
		if err := os.WriteFile(filepath.Join(brokenFolder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, path, want string
	}{
		{"absent", filepath.Join(t.TempDir(), "absent.pem"), "absent.pem"},
		{"empty folder", t.TempDir(), "no file there ends in"},
		{"folder with junk", brokenFolder, "b.cer"},
		{"empty file", writeFile(t, "e.pem", nil), "empty"},
		{"junk", writeFile(t, "j.pem", []byte("<html>not found</html>")), "neither PEM nor a DER certificate"},
		{"key", writeFile(t, "k.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})), `"PRIVATE KEY", not a certificate`},
		{"certificate and key", writeFile(t, "ck.pem", slices.Concat(good, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}))), "block 2"},
		{"broken certificate", writeFile(t, "b.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cut(root.Raw, 1)})), "certificate 1"},
		{"cut PEM", writeFile(t, "cut.pem", slices.Concat(good, cut(good, 30))), "2 PEM blocks begin, but only 1"},
		{"cut DER", writeFile(t, "cut.der", cut(root.Raw, 1)), "neither"},
		{"DER and junk", writeFile(t, "dj.der", append(slices.Clone(root.Raw), 0x30)), "neither"},
		{"too large", large, "larger than"},
		{"device", os.DevNull, "not a regular file"},
	}
	for _, tt := range tests {
		a, err := verify.LoadAnchors(tt.path)
		if err == nil || a != nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "loading trust anchors: ") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestOnlyAdded: without the pinned roots a set holds what was added and no more, and says so in its digest.
func TestOnlyAdded(t *testing.T) {
	t.Parallel()
	var all, only verify.Anchors
	only.OnlyAdded()
	if all.Digest() == only.Digest() {
		t.Error("the sets have one digest")
	}
	root := &x509.Certificate{Raw: []byte("root"), RawSubject: []byte{0x30, 0}}
	only.Add(root)
	if !only.Contains(root) {
		t.Error("what was added is no anchor")
	}
	before := only.Digest()
	only.AddPeriod(root, time.Time{}, time.Unix(1e9, 0))
	if only.Digest() == before {
		t.Error("a period of trust does not show in the digest")
	}
}
