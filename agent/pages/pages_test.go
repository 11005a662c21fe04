package pages

import (
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/eidkit/eidkit/agent/access"
)

const host = "127.0.0.1:24340"

// shared is one handler for all tests: it keeps nothing of a request.
var shared = sync.OnceValues(func() (http.Handler, error) {
	return New(Options{Client: fstest.MapFS{"dist/eidkit.js": {Data: []byte("export const connect = 1;\n")}}})
})

func newHandler(t *testing.T) http.Handler {
	t.Helper()
	h, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends a request and gives the answer; changes are made to the request before.
func ask(t *testing.T, h http.Handler, method, target string, changes ...func(*http.Request)) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://"+host+target, nil)
	r.Method = method
	for _, change := range changes {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func withHost(host string) func(*http.Request) { return func(r *http.Request) { r.Host = host } }

// TestPages: every page and what it names is served, with its media type.
func TestPages(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	kinds := map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	names := regexp.MustCompile(`(?:src|href)="([^"]+)"|from '([^']+)'`)
	for name, body := range sources(t, "static", "") {
		if kind, known := kinds[path.Ext(name)]; known {
			resp := ask(t, h, http.MethodGet, strings.TrimPrefix(name, "static"))
			got, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != kind || string(got) != body {
				t.Errorf("%s: %d %s, %d bytes", name, resp.StatusCode, resp.Header.Get("Content-Type"), len(got))
			}
		}
		for _, m := range names.FindAllStringSubmatch(body, -1) {
			target := m[1] + m[2]
			if !strings.HasPrefix(target, "/") {
				target = path.Join("/", strings.TrimPrefix(path.Dir(name), "static"), target)
			}
			target, _, _ = strings.Cut(target, "?")
			if resp := ask(t, h, http.MethodGet, target); resp.StatusCode != http.StatusOK {
				t.Errorf("%s names %s: %d", name, target, resp.StatusCode)
			}
		}
	}
	for _, page := range Names() {
		address, err := Address("http://"+host, page, "")
		if err != nil {
			t.Fatal(err)
		}
		resp := ask(t, h, http.MethodGet, strings.TrimPrefix(address, "http://"+host))
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d", address, resp.StatusCode)
		}
	}
}

// TestHeaders: each answer, refusals too, keeps the page to itself.
func TestHeaders(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src ws://127.0.0.1:24340; " +
			"frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache, private",
		"Access-Control-Allow-Origin": "", "Set-Cookie": "",
	}
	for _, target := range []string{"/", "/viewer.html", "/pharmacy.html", "/log.html", "/consent.html", "/app.css", "/common.js", "/texts/common.js", "/lib/eidkit.js", "/icon.svg", "/nowhere"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			resp := ask(t, h, method, target)
			for name, value := range want {
				if got := resp.Header.Get(name); got != value {
					t.Errorf("%s %s: %s is %q, want %q", method, target, name, got, value)
				}
			}
		}
	}
}

// TestFrame: of the preview alone the policy is another, and it is tighter: no connections, an origin of its own.
func TestFrame(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	for address := range h.(*handler).files {
		policy := ask(t, h, http.MethodGet, address).Header.Get("Content-Security-Policy")
		framed := !strings.Contains(policy, "frame-ancestors 'none'")
		if framed != (address == "/preview.html") {
			t.Errorf("%s may be framed: %v", address, framed)
		}
		for _, loose := range []string{"unsafe-", "*", "http:", "https:"} {
			if strings.Contains(policy, loose) {
				t.Errorf("%s: policy %q has %s", address, policy, loose)
			}
		}
		if framed && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "connect-src") || strings.Contains(policy, "allow-same-origin")) {
			t.Errorf("%s: policy of the frame is %q", address, policy)
		}
	}
}

// TestConnectTo: the page may reach the agent by the name that it was opened with, and over TLS if it came so.
func TestConnectTo(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	encrypted := func(r *http.Request) { r.TLS = &tls.ConnectionState{} }
	for _, c := range []struct {
		changes []func(*http.Request)
		want    string
	}{
		{[]func(*http.Request){withHost("localhost:24340")}, "connect-src ws://localhost:24340;"},
		{[]func(*http.Request){withHost("[::1]:9")}, "connect-src ws://[::1]:9;"},
		{[]func(*http.Request){withHost("127.0.0.1:24340"), encrypted}, "connect-src wss://127.0.0.1:24340;"},
	} {
		if got := ask(t, h, http.MethodGet, "/", c.changes...).Header.Get("Content-Security-Policy"); !strings.Contains(got, c.want) {
			t.Errorf("policy %q, want %q in it", got, c.want)
		}
	}
}

// TestHosts: a name that is not this machine gets nothing and writes nothing into a header.
func TestHosts(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	for _, bad := range []string{"", "evil.example", "evil.example:24340", "127.0.0.1.evil.example:24340", "127.0.0.2:24340", "[::2]:24340", "::1",
		"localhost:24340; script-src *", "localhost:", "localhost:0", "localhost:99999", "localhost:024340", "LOCALHOST.:24340", "0.0.0.0:24340",
		"[::ffff:127.0.0.1]:24340", "[::1%25lo]:24340", "user@localhost:24340", "localhost:24340:1", "127.1:24340"} {
		resp := ask(t, h, http.MethodGet, "/viewer.html", withHost(bad))
		body, _ := io.ReadAll(resp.Body)
		policy := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode != http.StatusMisdirectedRequest || strings.Contains(string(body), "<") || !strings.Contains(policy, "connect-src 'none';") {
			t.Errorf("Host %q: %d, policy %q, body %q", bad, resp.StatusCode, policy, body)
		}
	}
	for _, good := range []string{"localhost", "127.0.0.1", "[::1]", "localhost:1"} {
		if resp := ask(t, h, http.MethodGet, "/", withHost(good)); resp.StatusCode != http.StatusOK {
			t.Errorf("Host %q: %d", good, resp.StatusCode)
		}
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"localhost:24340", "127.0.0.1", "[::1]:9", "evil.example:1", "[::1", "localhost:+1", "127.0.0.1:80 x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if loopback(s) && !regexp.MustCompile(`^(localhost|127\.0\.0\.1|\[::1\])(:[1-9][0-9]{0,4})?$`).MatchString(s) {
			t.Errorf("%q passes for this machine", s)
		}
	})
}

// TestMethods: nothing but GET and HEAD.
func TestMethods(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "get"} {
		resp := ask(t, h, method, "/viewer.html")
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	resp := ask(t, h, http.MethodHead, "/viewer.html")
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || len(body) != 0 || resp.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d bytes", resp.StatusCode, len(body))
	}
}

// TestUnknown: paths are looked up as they are, and there are no folders.
func TestUnknown(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	for _, target := range []string{"/static/viewer.html", "/texts", "/texts/", "/lib", "/lib/", "/viewer", "/viewer.html/", "//viewer.html", "/./viewer.html",
		"/texts/../viewer.html", "/%2e%2e/pages.go", "/viewer.html%00", "/VIEWER.HTML", "/..%5cpages.go", "/pages.go", "/v1"} {
		resp := ask(t, h, http.MethodGet, target)
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusNotFound || string(body) != "Not Found\n" {
			t.Errorf("%s: %d %q", target, resp.StatusCode, body)
		}
	}
}

// TestETag: a browser that has the file gets no second copy, one that has another does.
func TestETag(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	tag := ask(t, h, http.MethodGet, "/app.css").Header.Get("ETag")
	known := func(v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("If-None-Match", v) }
	}
	for v, status := range map[string]int{tag: http.StatusNotModified, `"x", ` + tag: http.StatusNotModified, `"x"`: http.StatusOK} {
		if resp := ask(t, h, http.MethodGet, "/app.css", known(v)); resp.StatusCode != status || resp.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("If-None-Match %s: %d", v, resp.StatusCode)
		}
	}
	if other := ask(t, h, http.MethodGet, "/icon.svg").Header.Get("ETag"); other == tag || tag == "" {
		t.Errorf("tags %q and %q", tag, other)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}); err == nil {
		t.Error("a handler without the client")
	}
	if _, err := New(Options{Client: fstest.MapFS{}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a client without its file: %v", err)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, page, code, want string }{
		{"http://127.0.0.1:24340", "index", "", "http://127.0.0.1:24340/"},
		{"http://127.0.0.1:24340", "viewer", "a-Z_9", "http://127.0.0.1:24340/viewer.html#code=a-Z_9"},
		{"https://localhost:24340/", "log", "x", "https://localhost:24340/log.html#code=x"},
		{"http://[::1]:7", "consent", "x", "http://[::1]:7/consent.html#code=x"},
	} {
		if got, err := Address(c.base, c.page, c.code); err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v, want %q", c.base, c.page, got, err, c.want)
		}
	}
	for _, page := range []string{"", "preview", "../viewer", "viewer.html"} {
		if _, err := Address("http://127.0.0.1:24340", page, "x"); !errors.Is(err, ErrUnknownPage) {
			t.Errorf("page %q: %v", page, err)
		}
	}
	for _, base := range []string{"", "127.0.0.1:24340", "http://evil.example", ":"} {
		if got, err := Address(base, "viewer", "x"); err == nil {
			t.Errorf("base %q: %q", base, got)
		}
	}
}

var (
	outside = regexp.MustCompile(`(?:\bhttps?:|\bwss?:|\bftp:)?//[A-Za-z0-9.-]+\.[A-Za-z]{2,}|@import|\burl\(['"]?[^'")]`)
	inline  = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|<style|\sstyle\s*=|\son[a-z]+\s*=\s*["']|javascript:`)
	dynamic = regexp.MustCompile(`\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function|setHTMLUnsafe|srcdoc|DOMParser|document\.cookie)\b|setTimeout\(\s*['"]`)
)

// TestSelfContained: no file of ours names an address elsewhere, has scripts or
// styles within markup, or makes markup or code of data.
func TestSelfContained(t *testing.T) {
	t.Parallel()
	for name, body := range sources(t, "static", "") {
		code := strings.ReplaceAll(body, "http://www.w3.org/2000/svg", "") // the name of a language, which nobody fetches
		if found := outside.FindString(code); found != "" {
			t.Errorf("%s has the address %q", name, found)
		}
		if found := dynamic.FindString(code); found != "" {
			t.Errorf("%s uses %q", name, found)
		}
		if path.Ext(name) == ".html" {
			if found := inline.FindString(code); found != "" {
				t.Errorf("%s has within it %q", name, found)
			}
		}
	}
}

// TestPatterns: what TestSelfContained looks for is found.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern *regexp.Regexp
		text    string
	}{
		{outside, `fetch("https://cdn.example/x.js")`}, {outside, `src="//cdn.example/x"`}, {outside, `@import "x.css"`}, {outside, "background: url(x.png)"},
		{inline, "<script>alert(1)</script>"}, {inline, `<script type="module">x`}, {inline, `<p style="color: red">`}, {inline, `<a onclick="x()">`}, {inline, "<style>"},
		{dynamic, "e.innerHTML = x"}, {dynamic, "eval(x)"}, {dynamic, "setTimeout('x()', 1)"},
	} {
		if !c.pattern.MatchString(c.text) {
			t.Errorf("%q is not found", c.text)
		}
	}
}

// TestFieldsAsked: the viewer asks for fields that there are, and leaves none out that a person wants to see.
func TestFieldsAsked(t *testing.T) {
	t.Parallel()
	body := sources(t, "static", ".js")["static/cardview.js"]
	_, list, _ := strings.Cut(body, "CARD_FIELDS = [")
	list, _, _ = strings.Cut(list, "]")
	known := access.IdentityFields()
	asked := regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(list, -1)
	for _, m := range asked {
		if !slices.Contains(known, m[1]) {
			t.Errorf("the viewer asks for the field %s, which there is not", m[1])
		}
	}
	for _, name := range known {
		if !slices.ContainsFunc(asked, func(m []string) bool { return m[1] == name }) && !slices.Contains(unshown, name) {
			t.Errorf("the viewer does not ask for the field %s", name)
		}
	}
}
