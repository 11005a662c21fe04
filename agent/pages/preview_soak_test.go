//go:build soak && unix

package pages

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// TestSoakPreviewInChromium runs test/preview.test.mjs: hostile documents in the real browser.
func TestSoakPreviewInChromium(t *testing.T) {
	for _, program := range []string{"node", "chromium"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v (make soak installs it)", err)
		}
	}
	if _, err := os.Stat("../client/node_modules/playwright-core"); err != nil {
		t.Fatalf("%v: run npm ci in agent/client", err)
	}
	h, err := New(Options{Client: os.DirFS("../client")})
	if err != nil {
		t.Fatal(err)
	}
	pages := httptest.NewServer(h)
	defer pages.Close()
	var asked atomic.Int64
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		t.Errorf("a document reached the network: %s %s", r.Method, r.URL)
	}))
	defer outside.Close()
	cmd := exec.CommandContext(t.Context(), "node", "--test", "test/preview.test.mjs")
	cmd.Env = append(os.Environ(), "EIDKIT_PAGES="+pages.URL, "EIDKIT_OUTSIDE="+outside.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests got out", asked.Load())
	}
}

// The vendored pdf.js is that of the npm package which scripts/pdfjs/package-lock.json names, byte for byte.
func TestSoakPDFJSIsThatOfNPM(t *testing.T) {
	for _, program := range []string{"npm", "node"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v (make soak installs it)", err)
			}
			t.Skip(err)
		}
	}
	fresh := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "../../scripts/vendor-pdfjs", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	names := map[string]bool{}
	for _, dir := range []string{fresh, "static/pdfjs"} {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			names[e.Name()] = true
		}
	}
	if len(names) < 8 {
		t.Errorf("only %d files", len(names))
	}
	for name := range names {
		want, err := os.ReadFile(filepath.Join(fresh, name))
		if err != nil {
			t.Errorf("too much: %v", err)
			continue
		}
		if got, err := os.ReadFile(filepath.Join("static/pdfjs", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the package's: %v", name, err)
		}
	}
}
