package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, address string) *http.Response {
	t.Helper()
	h, err := New(Options{Client: fstest.MapFS{"dist/eidkit.js": {Data: []byte("export {};")}}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:24340"+address, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d", address, w.Code)
	}
	return w.Result()
}

// The frame in which documents are shown is a sandbox without a network, a
// session or anything else, and nobody but our pages may have it.
func TestPreviewIsASandbox(t *testing.T) {
	t.Parallel()
	r := get(t, "/preview.html")
	directives := map[string]string{}
	for _, d := range strings.Split(r.Header.Get("Content-Security-Policy"), "; ") {
		name, value, _ := strings.Cut(d, " ")
		directives[name] = value
	}
	want := map[string]string{"sandbox": "allow-scripts", "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "blob:",
		"worker-src": "blob:", "frame-ancestors": "'self'", "base-uri": "'none'", "form-action": "'none'"}
	for name, value := range want {
		if directives[name] != value {
			t.Errorf("%s %q, want %q", name, directives[name], value)
		}
	}
	if len(directives) != len(want) {
		t.Errorf("more than that: %v", directives)
	}
	for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "no-referrer",
		"Access-Control-Allow-Origin": "", "Set-Cookie": "", "Content-Type": "text/html; charset=utf-8"} {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}

// What the frame loads is given to a document without an origin; nothing else is.
func TestOnlyTheFramesFilesAreShared(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"/preview.js": "null", "/previewpdf.js": "null", "/preview.css": "null", "/pdfjs/pdf.min.mjs": "null",
		"/pdfjs/fonts.js": "null", "/consent.html": "", "/consent.js": "", "/looking.js": "", "/common.js": "", "/index.html": "", "/app.css": "", "/lib/eidkit.js": ""} {
		r := get(t, address)
		if got := r.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
		if strings.HasSuffix(address, ".mjs") && r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%s is %s", address, r.Header.Get("Content-Type"))
		}
		if address != "/preview.html" && r.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s can be framed", address)
		}
	}
}
