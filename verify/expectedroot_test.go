package verify_test

import (
	"archive/zip"
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"io"
	"regexp"
	"strings"
	"testing"
)

var encapsulated = regexp.MustCompile(`Certificate>([A-Za-z0-9+/=\s]+)<`)

// rootIn returns the self-signed certificate in a file of a container.
func rootIn(t testing.TB, data []byte, name string) *x509.Certificate {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	xml, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range encapsulated.FindAllSubmatch(xml, -1) {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
		if err != nil {
			t.Fatal(err)
		}
		if c, err := x509.ParseCertificate(der); err == nil && c.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	t.Fatal("no root in it")
	return nil
}
