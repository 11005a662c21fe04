package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// TestOldWorkers: whatever address another program's service worker had, the
// browser finds one there that takes itself away; no page is answered so.
func TestOldWorkers(t *testing.T) {
	t.Parallel()
	h, err := New(Options{Client: fstest.MapFS{"dist/eidkit.js": {Data: []byte("export {}")}}})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, worker, host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = host
		if worker != "" {
			r.Header.Set("Service-Worker", worker)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, path := range []string{"/sw.js", "/", "/viewer.html", "/lib/eidkit.js", "/assets/worker.js?v=2"} {
		w := get(path, "script", "127.0.0.1:24340")
		if w.Code != http.StatusOK || w.Body.String() != retiring || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") ||
			w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
		if w := get(path, "", "127.0.0.1:24340"); strings.Contains(w.Body.String(), "unregister") {
			t.Errorf("%s: a page gets the worker", path)
		}
	}
	if w := get("/sw.js", "script", "evil.example:24340"); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d", w.Code)
	}
}
