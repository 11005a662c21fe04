//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

// bench is a folder to sign in, with the services of the simulated cards. The test's working directory is that folder.
type bench struct {
	home, roots string
	net         *network.Network
}

// tsaURL is a time stamp authority of the simulated cards, with an RSA key as most tests have: the race detector makes P-384 slow.
const tsaURL = pki.DefaultBaseURL + "/tsa/tsa-rsa"

// benchNetwork are the services, started once for all tests. They listen on a port of their own and are their own proxy, so that what
// the certificates of simulated cards name is found although tests of other packages run.
var benchNetwork = sync.OnceValues(func() (*network.Network, error) {
	return network.Start(context.Background(), network.Options{PKI: pki.Options{BaseURL: pki.DefaultBaseURL}})
})

// newBench makes the folder. The faults of services are gone when the test ends.
func newBench(t *testing.T) *bench {
	t.Helper()
	n, err := benchNetwork()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range network.Services() {
			if err := n.Set(s); err != nil {
				t.Error(err)
			}
		}
	})
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	b := &bench{home: home, net: n, roots: filepath.Join(t.TempDir(), "roots.pem")}
	var roots bytes.Buffer
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024} {
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: n.Of(alg).Root.Certificate.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, b.roots, roots.String())
	b.configure(t, "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	write(t, "a.txt", "I declare that this is so.\n")
	write(t, "b.csv", "1;2\n")
	write(t, "decl.xml", "<?xml version=\"1.0\"?>\n<!-- kept -->\n<declaration a='1'\n b=\"2\">yes</declaration>\n")
	write(t, "report.pdf", onePage("Lease of a bicycle shed"))
	return b
}

// configure writes the configuration: the way to the services and what a test adds.
func (b *bench) configure(t *testing.T, more string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	if err := os.Mkdir(filepath.Join(dir, "eidkit"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "eidkit", "config.toml"), fmt.Sprintf("[network]\nproxy = %q\nallow = [\"127.0.0.0/8\"]\n%s", b.net.URL(), more))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// onePage is a PDF with a line of text.
func onePage(text string) string {
	content := "BT /F1 24 Tf 72 760 Td (" + text + ") Tj ET"
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	var at []int
	for i, o := range []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.String()
}

// card are the arguments by which a simulated card signs.
func (b *bench) card(profile string) []string {
	return []string{"sign", "--reader", testcardPrefix + profile, "--auto-pin", "--trust", b.roots}
}

// sign runs `eid sign` with the card of applet 1.7.
func (b *bench) sign(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return eid(t, append(b.card("citizen-1.7"), args...)...)
}

// mustSign fails the test unless all went well.
func (b *bench) mustSign(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := b.sign(t, args...)
	wantCode(t, exitOK, code, out, errs)
	return out
}

// valid has `eid verify` judge a file and wants what it says to hold some words.
func (b *bench) valid(t *testing.T, file string, words ...string) {
	t.Helper()
	args := []string{"verify", "--only-trust", "--trust", b.roots, file}
	if strings.HasSuffix(file, ".p7s") {
		args = append(args, "--content", "a.txt")
	}
	code, out, errs := eid(t, args...)
	if code != exitOK {
		t.Errorf("%s: exit code %d: %s%s", file, code, out, errs)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("%s: no %q in\n%s", file, w, out)
		}
	}
}

// outside has another program judge a file.
func outside(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(tool(t, name), args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// files are the names of everything in the working directory and below, but for the files that every bench begins with.
func files(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(".", func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !slices.Contains([]string{"a.txt", "b.csv", "decl.xml", "report.pdf"}, path) {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// nothingWritten wants no file in the working directory beside those that were there.
func nothingWritten(t *testing.T) {
	t.Helper()
	if list := files(t); len(list) > 0 {
		t.Errorf("left behind: %q", list)
	}
}

// tinyPNG is a picture of a few pixels.
func tinyPNG(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 8, 4))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
