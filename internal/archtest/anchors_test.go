package archtest

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// testRoots are the roots that simulated cards come with, as far as they are the same for everybody.
func testRoots(t *testing.T) map[string]*x509.Certificate {
	t.Helper()
	roots := map[string]*x509.Certificate{}
	for name, algorithm := range map[string]pki.Algorithm{"RSA": pki.RSA, "RSA1024": pki.RSA1024, "EC": pki.EC} {
		p, err := pki.New(pki.Options{Algorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		roots[name] = p.Root.Certificate
	}
	return roots
}

// TestNoTestRootIsTrusted holds the rule that a simulated card is never taken for a real one: its root counts only when added.
func TestNoTestRootIsTrusted(t *testing.T) {
	for name, root := range testRoots(t) {
		if (*verify.Anchors)(nil).Contains(root) || new(verify.Anchors).Contains(root) {
			t.Errorf("the test root %s is trusted by default", name)
		}
		var told verify.Anchors
		told.Add(root)
		if !told.Contains(root) {
			t.Errorf("the test root %s is not trusted when added: this test does not see what it looks for", name)
		}
	}
}

var certificate = regexp.MustCompile(`-----BEGIN CERTIFICATE` + `-----|//go:embed .*\.(pem|der|crt|cer)\b`)

// rootsInSource complains of certificates and files built into what is shipped as production code, and of the fingerprints given.
func rootsInSource(fingerprints map[string]string) func([]file) []string {
	return func(files []file) (complaints []string) {
		for _, f := range files {
			if f.syntax == nil || f.isTest() || strings.HasPrefix(f.path, "testcards/") {
				continue
			}
			found := ""
			if strings.Contains(f.text, "-----BEGIN") || strings.Contains(f.text, "go:embed") { // which is seen much faster than the rest
				found = certificate.FindString(f.text)
			}
			if found != "" {
				complaints = append(complaints, fmt.Sprintf("%s has %q: anchors are pinned by fingerprint, in package verify, and nothing is built in", f.path, found))
			}
			text := strings.ToLower(f.text)
			for name, print := range fingerprints {
				if strings.Contains(text, print) {
					complaints = append(complaints, fmt.Sprintf("%s has the fingerprint of the test root %s", f.path, name))
				}
			}
		}
		return complaints
	}
}

func TestNoRootInSource(t *testing.T) {
	fingerprints := map[string]string{}
	for name, root := range testRoots(t) {
		sum := sha256.Sum256(root.Raw)
		fingerprints[name] = hex.EncodeToString(sum[:])
	}
	check(t, rootsInSource(fingerprints))
}

func TestNoRootInSourceBites(t *testing.T) {
	bites(t, rootsInSource(map[string]string{"EC": "c0ffee"}), []sample{
		{"fingerprint", map[string]string{"verify/a.go": "package verify\nconst x = \"C0FFEE\"\n"}, []string{"test root EC"}},
		{"certificate", map[string]string{"verify/a.go": "package verify\nconst x = `-----BEGIN CERTIFICATE" + "-----`\n"}, []string{"pinned by fingerprint"}},
		{"embedded", map[string]string{"cmd/eid/a.go": "package main\n//go:embed root.pem\nvar x string\n"}, []string{"pinned by fingerprint"}},
		{"test PKI", map[string]string{"testcards/pki/a.go": "package pki\n//go:embed key.pem\nvar x string\n"}, nil},
	})
}
