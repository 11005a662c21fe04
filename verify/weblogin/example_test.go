package weblogin_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

// site is a server where people log in with their card: two addresses, which
// the JavaScript of the page calls.
type site struct {
	nonces  weblogin.NonceStore
	options weblogin.Options
	// loggedIn begins the session of a person: a new cookie, never the one of
	// the challenge.
	loggedIn func(w http.ResponseWriter, r *http.Request, who *weblogin.Person)
}

// The name's prefix has browsers insist on Secure, on this host, on path "/".
const challengeCookie = "__Host-challenge"

// routes returns the handler. The pages themselves are the caller's.
func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/challenge", s.challenge)
	mux.HandleFunc("POST /auth/login", s.login)
	return mux
}

// challenge gives the page a nonce for the browser extension or the agent:
// webeid.authenticate(nonce).
func (s *site) challenge(w http.ResponseWriter, r *http.Request) {
	session := rand.Text()
	nonce, err := weblogin.Challenge(r.Context(), s.nonces, session)
	if err != nil {
		fail(w, r, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: challengeCookie, Value: session, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 300})
	w.Header().Set("Cache-Control", "no-store")
	reply(w, http.StatusOK, map[string]string{"nonce": nonce})
}

// login takes the token that the extension returned, as the body.
func (s *site) login(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(challengeCookie)
	if err != nil {
		fail(w, r, weblogin.ErrNonce)
		return
	}
	token, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		fail(w, r, weblogin.ErrToken)
		return
	}
	who, err := weblogin.Login(r.Context(), token, s.nonces, cookie.Value, s.options)
	if err != nil {
		fail(w, r, err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: challengeCookie, Path: "/", Secure: true, HttpOnly: true, MaxAge: -1})
	s.loggedIn(w, r, who)
}

// fail answers with the code alone; the reason is for the log.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	code, status := weblogin.Code(err)
	slog.InfoContext(r.Context(), "login refused", "code", code, "reason", err)
	reply(w, status, map[string]string{"error": code})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// A server, and the browser of somebody who logs in with a simulated card. In
// production there are the site's own origin, no Anchors (the Belgian roots
// are known) and a kept Verifier:
//
//	v := &verify.Verifier{CacheDir: "/var/cache/site"}
//	options := weblogin.Options{Origin: "https://site.example", Issuers: v.Issuers, Revocation: weblogin.Online(v)}
func ExampleLogin() {
	quiet := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	defer slog.SetDefault(quiet)
	p, err := pki.New(pki.Options{})
	if err != nil {
		panic(err)
	}
	anchors := &verify.Anchors{}
	anchors.Add(p.Root.Certificate)
	s := &site{
		nonces: &weblogin.MemoryNonces{},
		options: weblogin.Options{Anchors: anchors, Intermediates: []*x509.Certificate{p.CitizenCA.Certificate},
			Revocation: &answerGood{}},
		loggedIn: func(w http.ResponseWriter, _ *http.Request, who *weblogin.Person) {
			reply(w, http.StatusOK, map[string]string{"welcome": who.GivenNames + " " + who.Surname, "number": who.NISS})
		},
	}
	server := httptest.NewTLSServer(s.routes())
	defer server.Close()
	s.options.Origin = server.URL

	browser := server.Client()
	browser.Jar, _ = cookiejar.New(nil)
	var challenge struct{ Nonce string }
	get, err := browser.Get(server.URL + "/auth/challenge")
	if err != nil {
		panic(err)
	}
	_ = json.NewDecoder(get.Body).Decode(&challenge)
	get.Body.Close()
	token := cardSigns(p, server.URL, challenge.Nonce)
	for range 2 { // the second time the nonce is used up
		post, err := browser.Post(server.URL+"/auth/login", "application/json", bytes.NewReader(token))
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(post.Body)
		post.Body.Close()
		fmt.Println(post.StatusCode, string(bytes.TrimSpace(body)))
	}
	// Output:
	// 200 {"number":"85073003328","welcome":"Eva Maria Voorbeeld"}
	// 401 {"error":"NONCE_UNKNOWN"}
}

// cardSigns is what happens on the other side: page, extension, card.
func cardSigns(p *pki.PKI, origin, nonce string) []byte {
	card, err := p.Issue(pki.Request{Subject: eva})
	if err != nil {
		panic(err)
	}
	token, err := json.Marshal(map[string]string{
		"format": "web-eid:1.0", "unverifiedCertificate": b64(card.Certificate.Raw), "algorithm": "ES384",
		"signature": b64(signToken(card.Key, "ES384", origin, nonce)), "appVersion": "https://example.be/app",
	})
	if err != nil {
		panic(err)
	}
	return token
}
