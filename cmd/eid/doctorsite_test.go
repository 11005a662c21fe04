//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
)

// TestDoctorSite goes from nothing to a site that works, and looks at each step whether the doctor names what is missing.
func TestDoctorSite(t *testing.T) {
	headers := http.Header{}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range headers {
			w.Header()[name] = values
		}
	}))
	defer site.Close()
	look := func(port string) map[string]check {
		t.Helper()
		_, out, errs := eid(t, "doctor", "--site", site.URL+"/login", "--port", port, "--json")
		validate(t, "doctor.json", out)
		checks := map[string]check{}
		for _, c := range decode(t, out)["checks"].([]any) {
			m := c.(map[string]any)
			hint, _ := m["hint"].(string)
			detail, _ := m["detail"].(string)
			checks[m["name"].(string)] = check{Status: m["status"].(string), Detail: detail, Hint: hint}
		}
		if len(checks) < 8 {
			t.Fatalf("%s%s", out, errs)
		}
		return checks
	}
	want := func(c check, status, about string) {
		t.Helper()
		if c.Status != status || !strings.Contains(c.Detail+" "+c.Hint, about) {
			t.Errorf("want %s about %q: %+v", status, about, c)
		}
	}

	p := newPlace(t)
	c := look("1")
	want(c["origin"], checkWarning, "--developer")
	want(c["port"], checkFailed, "eid agent")
	want(c["handshake"], checkFailed, "does not answer")
	want(c["page"], checkOK, "let it connect")

	listening := func(args ...string) (port string, stop func() string) {
		t.Helper()
		stop = p.startAgent(t, append(args, "--port", "0")...)
		b, err := os.ReadFile(dial.PortPath(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "eidkit")))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b)), stop
	}
	port, stop := listening()
	c = look(port)
	want(c["port"], checkOK, "belongs to")
	want(c["handshake"], checkFailed, "403") // an http site, and no developer
	stop()
	port, _ = listening("--developer") // another one: somebody may have taken that one by now
	c = look(port)
	want(c["handshake"], checkOK, "takes")
	want(c["rights"], checkOK, "ask: ")

	headers.Set("Content-Security-Policy", "default-src 'self'")
	want(look(port)["page"], checkFailed, "connect-src ws://127.0.0.1:"+port)
	headers.Set("Content-Security-Policy", "default-src 'self'; connect-src ws://127.0.0.1:"+port)
	want(look(port)["page"], checkOK, "")
	headers.Set("Permissions-Policy", "loopback-network=( )")
	want(look(port)["page"], checkFailed, "Permissions-Policy")

	grants := filepath.Join(os.Getenv("XDG_STATE_HOME"), "eidkit", "grants.toml")
	if err := os.WriteFile(grants, []byte("edited = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(look(port)["grants"], checkFailed, "eid grants reset")
}

func TestDoctorSiteAddress(t *testing.T) {
	newPlace(t)
	for address, about := range map[string]string{"nonsense": "no address", "http://portal.example": "without TLS", "https://user@portal.example.:0/": "origin"} {
		code, out, errs := eid(t, "doctor", "--site", address)
		wantCode(t, exitFailure, code, out, errs)
		if !strings.Contains(out, about) {
			t.Errorf("%s: %s", address, out)
		}
	}
}

func TestConnects(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]bool{
		"":                                              true,
		"img-src 'none'":                                true,
		"default-src 'self'":                            false,
		"default-src *":                                 true,
		"default-src *; connect-src 'self'":             false,
		"connect-src ws://127.0.0.1:24340":              true,
		"connect-src ws://127.0.0.1:24341":              false,
		"connect-src http://localhost:24340":            true,
		"connect-src ws://127.0.0.1:*":                  true,
		"connect-src WS:":                               true,
		"connect-src 'none'; connect-src ws:":           false, // the first counts
		"connect-src wss://127.0.0.1:24340 https://x.y": false,
	} {
		if got := connects(policy, 24340); got != want {
			t.Errorf("%q: %v", policy, got)
		}
	}
}

func TestBrowserPolicyFiles(t *testing.T) {
	t.Parallel()
	origin, err := access.ParseOrigin("https://portal.example")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	want := func(status, about string) {
		t.Helper()
		if c := checkBrowsers(origin, root); c.Status != status || !strings.Contains(c.Detail, about) {
			t.Errorf("want %s about %s: %+v", status, about, c)
		}
	}
	want(checkOK, "asks once")
	places := map[string]string{"chrome": filepath.Join(managed["Chromium"], "eidkit.json"), "firefox": managedFirefox}
	for _, f := range access.BrowserPolicies([]access.Origin{origin}) {
		if f.Format != "json" || places[f.Browser] == "" {
			continue
		}
		path := filepath.Join(root, places[f.Browser])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write0600(t, path, string(f.Content))
	}
	want(checkOK, "allowed by policy in Chromium, Firefox;")
	dir := filepath.Join(root, managed["Edge"])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "no.json"), []byte(`{"LoopbackNetworkBlockedForUrls": ["https://portal.example:443"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	want(checkFailed, "in Edge")
}
