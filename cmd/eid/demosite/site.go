// Package demosite is the portal of `eid demo`: a citizen logs in with his card,
// fills in a declaration, has it signed, and gets an acknowledgement of receipt.
// It is a site like any other: it knows the agent by its JavaScript client
// alone, and believes a login and a signed document only after verify has.
//
// Start with New; the Site is an http.Handler.
//
// Out of scope: a database, TLS, more than one server. Sessions are in memory.
//
// References: facts sheet "local agents" 2.4 (logins), ETSI EN 319 102-1 (the
// verdict on what was signed).
package demosite

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdfdiff"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

//go:embed static
var static embed.FS

// Options say what the site believes and where it is.
type Options struct {
	Origin   string           // its own, as the browser has it
	Agent    string           // the agent's addresses, for the content policy: "ws://127.0.0.1:24340 http://127.0.0.1:24340"
	Client   fs.FS            // the JavaScript client: eidkit.js
	Anchors  *verify.Anchors  // for logins and signatures
	Verifier *verify.Verifier // with caches and ways to the network
	Config   map[string]any   // what the page is told: the agent's port
	Now      func() time.Time // nil: time.Now
}

// Site is the portal.
type Site struct {
	o        Options
	nonces   weblogin.MemoryNonces
	mux      *http.ServeMux
	mu       sync.Mutex
	sessions map[string]*session
}

// session is one browser's.
type session struct {
	person *weblogin.Person
	issued map[string][]byte // declarations made for it, by number
	begun  time.Time
}

const (
	cookie      = "eidkit_demo"
	maxSessions = 1000
	maxIssued   = 50
	sessionLife = time.Hour
	maxSigned   = 16 << 20 // bytes of a signed declaration
)

// New makes the portal.
func New(o Options) *Site {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Site{o: o, mux: http.NewServeMux(), sessions: map[string]*session{}}
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the name stands above
	}
	s.mux.Handle("GET /", http.FileServerFS(files))
	s.mux.Handle("GET /lib/", http.StripPrefix("/lib/", http.FileServerFS(o.Client)))
	s.mux.HandleFunc("GET /api/config", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, o.Config) })
	s.mux.HandleFunc("POST /api/challenge", s.challenge)
	s.mux.HandleFunc("POST /api/login", s.login)
	s.mux.HandleFunc("POST /api/declaration", s.declare)
	s.mux.HandleFunc("POST /api/submit", s.submit)
	return s
}

// ServeHTTP answers with headers that let the page talk to the agent and to
// nobody else.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; frame-src blob:; connect-src 'self' "+
		s.o.Agent+"; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodPost && r.Header.Get("Origin") != s.o.Origin { // another site's form
		answer(w, http.StatusForbidden, failure{"FOREIGN_ORIGIN"})
		return
	}
	s.mux.ServeHTTP(w, r)
}

type failure struct {
	Code string `json:"code"`
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone hears nothing
}

// challenge begins a login.
func (s *Site) challenge(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	s.mu.Lock()
	for old, have := range s.sessions {
		if s.o.Now().Sub(have.begun) > sessionLife {
			delete(s.sessions, old)
		}
	}
	full := len(s.sessions) >= maxSessions
	if !full {
		s.sessions[id] = &session{begun: s.o.Now(), issued: map[string][]byte{}}
	}
	s.mu.Unlock()
	if full {
		answer(w, http.StatusServiceUnavailable, failure{"TOO_MANY_SESSIONS"})
		return
	}
	nonce, err := weblogin.Challenge(r.Context(), &s.nonces, id)
	if err != nil {
		answer(w, http.StatusInternalServerError, failure{"INTERNAL"})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	answer(w, http.StatusOK, map[string]string{"nonce": nonce})
}

// of is the session of a request, or nil.
func (s *Site) of(r *http.Request) (string, *session) {
	c, err := r.Cookie(cookie)
	if err != nil {
		return "", nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.sessions[c.Value]
	if have == nil || s.o.Now().Sub(have.begun) > sessionLife {
		return "", nil
	}
	return c.Value, have
}

// login judges a token.
func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	id, have := s.of(r)
	token, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 20<<10))
	if err != nil || have == nil {
		answer(w, http.StatusUnauthorized, failure{"NONCE_UNKNOWN"})
		return
	}
	person, err := weblogin.Login(r.Context(), token, &s.nonces, id, weblogin.Options{Origin: s.o.Origin, LoopbackHTTP: true,
		Anchors: s.o.Anchors, Issuers: s.o.Verifier.Issuers, Revocation: weblogin.Online(s.o.Verifier), Now: s.o.Now})
	if err != nil {
		code, status := weblogin.Code(err)
		answer(w, status, failure{code})
		return
	}
	s.mu.Lock()
	have.person = person
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]string{"surname": person.Surname, "givenNames": person.GivenNames, "algorithm": person.Algorithm})
}

// person is who is logged in.
func (s *Site) person(have *session) *weblogin.Person {
	if have == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return have.person
}

// declare makes the document that is to be signed.
func (s *Site) declare(w http.ResponseWriter, r *http.Request) {
	_, have := s.of(r)
	person := s.person(have)
	if person == nil {
		answer(w, http.StatusUnauthorized, failure{"NOT_LOGGED_IN"})
		return
	}
	var in struct {
		Address  string `json:"address"`
		Persons  int    `json:"persons"`
		Language string `json:"language"`
		Format   string `json:"format"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || words[in.Language].title == "" || in.Format != "pdf" && in.Format != "xml" {
		answer(w, http.StatusBadRequest, failure{"INVALID_DECLARATION"})
		return
	}
	made := Declaration{Surname: person.Surname, GivenNames: person.GivenNames, NISS: person.NISS, Address: in.Address, Persons: in.Persons,
		Language: in.Language, Number: "D-" + rand.Text()[:12], Day: s.o.Now()}
	if err := made.check(); err != nil {
		answer(w, http.StatusBadRequest, failure{"INVALID_DECLARATION"})
		return
	}
	body, kind := made.PDF(), "application/pdf"
	if in.Format == "xml" {
		body, kind = made.XML(), "application/xml"
	}
	s.mu.Lock()
	full := len(have.issued) >= maxIssued
	if !full {
		have.issued[made.Number] = body
	}
	s.mu.Unlock()
	if full {
		answer(w, http.StatusTooManyRequests, failure{"TOO_MANY_DECLARATIONS"})
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Declaration", made.Number)
	_, _ = w.Write(body) // a client that is gone hears nothing
}

// Receipt is the acknowledgement.
type Receipt struct {
	Number   string    `json:"number"` // of the declaration
	Received time.Time `json:"received"`
	SHA256   string    `json:"sha256"` // of the signed file
	Signer   string    `json:"signer"`
	Level    string    `json:"level"`
	Format   string    `json:"format"`
	Verdict  string    `json:"verdict"`
}

// refusal is a signed declaration that is not taken.
type refusal struct {
	Code   string `json:"code"`
	Reason string `json:"reason,omitempty"`
}

func (e refusal) Error() string { return e.Code + " " + e.Reason }

// submit verifies what came back, and acknowledges it.
func (s *Site) submit(w http.ResponseWriter, r *http.Request) {
	_, have := s.of(r)
	person := s.person(have)
	if person == nil {
		answer(w, http.StatusUnauthorized, failure{"NOT_LOGGED_IN"})
		return
	}
	number := r.Header.Get("X-Declaration")
	s.mu.Lock()
	issued := have.issued[number]
	s.mu.Unlock()
	signed, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSigned))
	if err != nil || issued == nil {
		answer(w, http.StatusBadRequest, failure{"INVALID_DECLARATION"})
		return
	}
	receipt, err := s.receive(r.Context(), signed, issued, person)
	var refused refusal
	switch {
	case errors.As(err, &refused):
		answer(w, http.StatusUnprocessableEntity, refused)
		return
	case err != nil:
		answer(w, http.StatusInternalServerError, failure{"INTERNAL"})
		return
	}
	receipt.Number = number
	s.mu.Lock()
	_, first := have.issued[number] // not taken meanwhile
	delete(have.issued, number)     // taken once
	s.mu.Unlock()
	if !first {
		answer(w, http.StatusBadRequest, failure{"INVALID_DECLARATION"})
		return
	}
	answer(w, http.StatusOK, receipt)
}

// receive judges a signed declaration: the signature holds, it is of the person
// who is logged in, and it covers what this site had made.
func (s *Site) receive(ctx context.Context, signed, issued []byte, person *weblogin.Person) (*Receipt, error) {
	now := s.o.Now()
	report, err := s.o.Verifier.File(ctx, bytes.NewReader(signed), int64(len(signed)), verify.Options{Anchors: s.o.Anchors, At: now})
	if err != nil {
		return nil, err
	}
	if report.Indication != verify.TotalPassed || len(report.Signatures) != 1 {
		return nil, refusal{"SIGNATURE_NOT_ACCEPTED", string(report.Indication) + " " + report.SubIndication}
	}
	made := &report.Signatures[0]
	switch {
	case made.Signer == nil || made.Signer.NISS != person.NISS:
		return nil, refusal{Code: "SIGNED_BY_ANOTHER"}
	case !covers(made, signed, issued):
		return nil, refusal{Code: "ANOTHER_DOCUMENT"}
	}
	digest := sha256.Sum256(signed)
	return &Receipt{Received: now.UTC().Truncate(time.Second), SHA256: hex.EncodeToString(digest[:]), Verdict: string(report.Indication),
		Signer: person.GivenNames + " " + person.Surname, Level: made.Level, Format: made.Format}, nil
}

// additions are the changes after a signature that say nothing themselves: what validating it later takes.
var additions = []string{"validation-data-added", "timestamp-added", "metadata-changed"}

// covers tells whether the signature is over the document that was issued: of a
// PDF the signed bytes begin with it, since signing adds behind it, nothing but
// the signature was added before signing, and nothing but validation data after;
// XML is the same again without the signature.
func covers(made *verify.Signature, signed, issued []byte) bool {
	content := made.SignedContent()
	if len(content) == 0 {
		return false
	}
	r, err := content[0].Open()
	if err != nil {
		return false
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxSigned))
	if err != nil {
		return false
	}
	if made.PDF != nil {
		return bytes.HasPrefix(b, issued) && signedOnly(issued, signed) && !slices.ContainsFunc(made.PDF.Changes, func(c verify.Change) bool { return !slices.Contains(additions, c.What) })
	}
	return bytes.Equal(b, issued)
}

// signedOnly tells whether a PDF is another one that was signed, and not changed
// otherwise.
func signedOnly(before, after []byte) bool {
	views := [2]*pdf.View{}
	for i, b := range [][]byte{before, after} {
		f, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return false
		}
		views[i] = f.Last()
	}
	signing := pdfdiff.Rules{DocMDP: 2} // ISO 32000-2, table 257: forms and signatures
	return !slices.ContainsFunc(pdfdiff.Compare(views[0], views[1]), func(c pdfdiff.Change) bool { return !signing.Allow(c) })
}
