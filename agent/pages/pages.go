// Package pages serves the agent's own pages: viewer, pharmacy, log, consent.
//
// The pages are static files built into the program, plain ES modules without a
// build step, together with the JavaScript client of agent/client. They hold no
// data: a page gets its data over the agent's WebSocket, after it has exchanged
// the single-use launch code in the fragment of its address for a session. To be
// on the agent's origin therefore proves nothing.
//
// Start with New for the handler and Address for the address to open. Every
// answer carries a Content-Security-Policy that allows scripts and styles of
// this origin only and connections to this agent only; there are no cookies and
// no methods but GET and HEAD. The texts of the pages, in English, Dutch,
// French and German, are tables under static/texts.
//
// Sessions, launch codes and methods are not here but in package agent.
//
// References: Content Security Policy Level 3; Fetch (Cross-Origin-Resource-Policy,
// nosniff); HTML (Cross-Origin-Opener-Policy); RFC 9110 and 9111.
package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed static
var static embed.FS

// ErrUnknownPage means that there is no page of that name to be opened.
var ErrUnknownPage = errors.New("pages: no such page")

// Options of the handler.
type Options struct {
	// Client holds the JavaScript client, dist/eidkit.js (agent/client.FS).
	Client fs.FS
}

// file is what one address answers with.
type file struct {
	body      []byte
	mediaType string
	etag      string
	policy    policy
}

type handler struct {
	files map[string]file // by path
}

// New makes the handler. It fails if the client is missing or a file is of a
// kind that has no media type here.
func New(o Options) (http.Handler, error) {
	h := &handler{files: map[string]file{}}
	tree, err := fs.Sub(static, "static")
	if err != nil {
		return nil, fmt.Errorf("opening the pages: %w", err)
	}
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return h.add("/"+name, tree, name)
	})
	if err != nil {
		return nil, fmt.Errorf("loading the pages: %w", err)
	}
	if o.Client == nil {
		return nil, errors.New("pages: no JavaScript client")
	}
	if err := h.add("/lib/eidkit.js", o.Client, "dist/eidkit.js"); err != nil {
		return nil, fmt.Errorf("loading the JavaScript client: %w", err)
	}
	h.files["/"] = h.files["/index.html"]
	return h, nil
}

// add loads a file for an address.
func (h *handler) add(address string, tree fs.FS, name string) error {
	body, err := fs.ReadFile(tree, name)
	if err != nil {
		return err
	}
	kind := mediaType(name)
	if kind == "" {
		return fmt.Errorf("%s: a kind of file that is not served", name)
	}
	sum := sha256.Sum256(body)
	h.files[address] = file{
		body: body, mediaType: kind, policy: policyOf(address),
		etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`,
	}
	return nil
}

// mediaType does not ask the system's tables, which a user's programs change.
func mediaType(name string) string {
	return map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
		".svg": "image/svg+xml", ".png": "image/png", ".txt": "text/plain; charset=utf-8",
		".wasm": "application/wasm", ".bcmap": "application/octet-stream",
		".pfb": "application/octet-stream", ".ttf": "font/ttf", ".icc": "application/octet-stream",
	}[path.Ext(name)]
}

// ServeHTTP answers GET and HEAD for the files, and nothing else.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, found := h.files[r.URL.Path]
	p := f.policy
	if !found {
		p = strict
	}
	if !loopback(r.Host) {
		p.set(w.Header(), "", false)
		refuse(w, http.StatusMisdirectedRequest)
		return
	}
	p.set(w.Header(), r.Host, r.TLS != nil)
	if retire(w, r) {
		return
	}
	forFrame(w.Header(), r.URL.Path)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	if !found {
		refuse(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", f.mediaType)
	w.Header().Set("ETag", f.etag)
	if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(f.body)))
	if r.Method == http.MethodHead {
		return
	}
	w.Write(f.body) //nolint:errcheck // the browser went away
}

// refuse answers with a status and its name, nothing of the request repeated.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, http.StatusText(status))
}

// Names are the pages that can be opened: "index", "viewer", and so on.
func Names() []string { return []string{"index", "viewer", "pharmacy", "log", "consent"} }

// Address is the address of a page (one of Names) on an agent, with the launch
// code in its fragment, which browsers do not send. base is the agent's origin,
// such as http://127.0.0.1:24340.
func Address(base, page, code string) (string, error) {
	if !slices.Contains(Names(), page) {
		return "", fmt.Errorf("%w: %q", ErrUnknownPage, page)
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || !loopback(u.Host) {
		return "", fmt.Errorf("pages: %q is no address of an agent", base)
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if page != "index" {
		at.Path = "/" + page + ".html"
	}
	if code != "" {
		at.Fragment = "code=" + code
	}
	return at.String(), nil
}
