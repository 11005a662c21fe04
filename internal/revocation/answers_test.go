package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	peer "golang.org/x/crypto/ocsp"

	"github.com/eidkit/eidkit/internal/crl"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/ocsp"
)

var loopbackOnly = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// responder is an OCSP service without nonces, which answers with what golang.org/x/crypto/ocsp makes.
type responder struct {
	*httptest.Server
	ca       ca
	leaf     *x509.Certificate
	begin    time.Time
	now      atomic.Int64 // seconds after begin
	mu       sync.Mutex
	template peer.Response
	hold     chan struct{} // if not nil, answers wait for it
	requests atomic.Int32
	hash     atomic.Int32 // of the last request
	method   atomic.Pointer[string]
	picky    atomic.Bool // malformedRequest for requests with a nonce
}

func newResponder(t testing.TB) *responder {
	t.Helper()
	r := &responder{ca: ca{key: newKey(t)}, begin: time.Now().Truncate(time.Second)} // x/crypto/ocsp always says that it was produced now
	r.ca.cert = issue(t, "Good CA", big.NewInt(2), nil, r.ca.key, asCA)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		body, err := io.ReadAll(req.Body)
		if req.Method == http.MethodGet {
			body, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(req.URL.Path, "/"))
		}
		if err != nil {
			t.Error(err)
		}
		if r.picky.Load() && bytes.Contains(body, []byte{0x2b, 6, 1, 5, 5, 7, 48, 1, 2}) { // a nonce
			w.Write([]byte{0x30, 3, 0x0a, 1, 1})
			return
		}
		r.method.Store(&req.Method)
		asked, err := peer.ParseRequest(body)
		if err != nil || asked.SerialNumber.Cmp(r.leaf.SerialNumber) != 0 {
			t.Errorf("request: %v", err)
			return
		}
		r.hash.Store(int32(asked.HashAlgorithm))
		r.mu.Lock()
		template, hold := r.template, r.hold
		r.mu.Unlock()
		if hold != nil {
			<-hold
		}
		template.SerialNumber, template.IssuerHash = r.leaf.SerialNumber, asked.HashAlgorithm
		der, err := peer.CreateResponse(r.ca.cert, r.ca.cert, template, r.ca.key)
		if err != nil {
			t.Error(err)
		}
		w.Write(der)
	}))
	t.Cleanup(r.Close)
	r.leaf = issue(t, "User", big.NewInt(100), &r.ca, newKey(t), func(c *x509.Certificate) { c.OCSPServer = []string{"ldap://x", r.URL} })
	return r
}

func (r *responder) time() time.Time { return r.begin.Add(time.Duration(r.now.Load()) * time.Second) }

// says sets what it answers: status, and ages of thisUpdate and nextUpdate, 0 for none.
func (r *responder) says(status int, this, next time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.template = peer.Response{Status: status, ThisUpdate: r.time().Add(this), RevokedAt: r.begin.AddDate(0, -1, 0), RevocationReason: peer.KeyCompromise}
	if next != 0 {
		r.template.NextUpdate = r.time().Add(next)
	}
}

func (r *responder) service(t testing.TB, o Options) *Service {
	t.Helper()
	client, err := fetch.New(fetch.Options{Allow: loopbackOnly})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	o.Fetch, o.Now = client, r.time
	return New(o)
}

func (r *responder) question() Question {
	return Question{Certificate: r.leaf, Issuer: r.ca.cert, At: r.time()}
}

// check wants one status from one origin and a problem, or none.
func (r *responder) check(t *testing.T, what string, s *Service, q Question, status Status, origin Origin, problem error) {
	t.Helper()
	answers, problems := s.Check(t.Context(), q)
	got, from := Unknown, Origin("")
	if len(answers) > 0 {
		got, from = answers[0].Status, answers[0].Origin
	}
	if got != status || from != origin || len(problems) > 0 != (problem != nil) || problem != nil && !errors.Is(problems[0].Err, problem) {
		t.Errorf("%s: %v, %s, %v", what, got, from, problems)
	}
	for _, a := range answers {
		if der, err := a.Raw(); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if again, err := ocsp.Parse(der); err != nil || !again.ProducedAt.Equal(a.ProducedAt) {
			t.Errorf("%s: raw: %v", what, err)
		}
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	for name, test := range map[string]struct {
		status     int
		this, next time.Duration
		o          Options
		want       Status
		problem    error
	}{
		"good":                         {peer.Good, -h, h, Options{}, Good, nil},
		"revoked":                      {peer.Revoked, -h, h, Options{}, Revoked, nil},
		"unknown":                      {peer.Unknown, -h, h, Options{}, Unknown, nil},
		"over":                         {peer.Good, -3 * h, -h, Options{}, Unknown, ErrStale},
		"over, a little":               {peer.Good, -3 * h, -time.Minute, Options{}, Good, nil},
		"over, no skew":                {peer.Good, -3 * h, -time.Minute, Options{Skew: time.Second}, Unknown, ErrStale},
		"from the future":              {peer.Good, h, 2 * h, Options{}, Unknown, ErrFuture},
		"from the future, a little":    {peer.Good, time.Minute, 2 * h, Options{}, Good, nil},
		"endless, new":                 {peer.Good, -h, 0, Options{}, Good, nil},
		"endless, old":                 {peer.Good, -25 * h, 0, Options{}, Unknown, ErrStale},
		"endless, old, longer allowed": {peer.Good, -25 * h, 0, Options{MaxAge: 48 * h}, Good, nil},
		"old but not over":             {peer.Good, -100 * h, h, Options{}, Good, nil},
		"old, MaxAge":                  {peer.Good, -100 * h, h, Options{MaxAge: h}, Unknown, ErrStale},
		"nonce wanted":                 {peer.Good, -h, h, Options{Nonce: RequireNonce}, Unknown, ocsp.ErrNonce},
		"no nonce sent":                {peer.Good, -h, h, Options{Nonce: NoNonce}, Good, nil},
		"SHA-256":                      {peer.Good, -h, h, Options{IDHash: crypto.SHA256}, Good, nil},
	} {
		r := newResponder(t)
		r.says(test.status, test.this, test.next)
		origin := Fetched
		if test.want == Unknown && test.problem != nil {
			origin = ""
		}
		r.check(t, name, r.service(t, test.o), r.question(), test.want, origin, test.problem)
		if want := max(test.o.IDHash, crypto.SHA1); crypto.Hash(r.hash.Load()) != want && max(test.o.IDHash, 0) != 0 {
			t.Errorf("%s: asked with %v", name, crypto.Hash(r.hash.Load()))
		}
	}
}

// TestRequests: by POST and by GET, and without a nonce for services that cannot do with one.
func TestRequests(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	r.says(peer.Good, 0, time.Hour)
	for _, get := range []bool{false, true} {
		r.check(t, "method", r.service(t, Options{Nonce: NoNonce, GET: get}), r.question(), Good, Fetched, nil)
		if want := map[bool]string{false: http.MethodPost, true: http.MethodGet}[get]; *r.method.Load() != want {
			t.Errorf("asked by %s, want %s", *r.method.Load(), want)
		}
	}
	r.picky.Store(true)
	r.check(t, "picky", r.service(t, Options{}), r.question(), Good, Fetched, nil)
	r.check(t, "picky, nonce required", r.service(t, Options{Nonce: RequireNonce}), r.question(), Unknown, "", ocsp.ErrStatus)
}

// TestTooMuch: not everything is checked that somebody puts into a file.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	q := r.question()
	s := &chain{t: t}
	other := ca{issue(t, "Good CA", big.NewInt(2), nil, newKey(t), asCA), newKey(t)}
	for i := range int64(maxChecks + 5) {
		q.Evidence.CRLs = append(q.Evidence.CRLs, s.make(other, listOf{number: i + 1}))
	}
	answers, problems := New(Options{Now: r.time}).Check(t.Context(), q)
	if len(answers) != 0 || len(problems) != maxChecks+5 || !errors.Is(problems[0].Err, crl.ErrSigner) || !errors.Is(problems[maxChecks].Err, ErrTooMuch) {
		t.Errorf("%d answers, %d problems: %v", len(answers), len(problems), problems)
	}
}

// TestAnswersKept: in memory and on disk, for as long as they are right.
func TestAnswersKept(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", t.TempDir()} {
		r := newResponder(t)
		s := r.service(t, Options{Answers: dir})
		r.says(peer.Good, 0, time.Hour)
		r.check(t, "first", s, r.question(), Good, Fetched, nil)
		earlier := r.question()
		r.now.Store(600)
		r.check(t, "kept", s, r.question(), Good, Cached, nil)
		fresh := r.question()
		fresh.Fresh = time.Minute
		r.says(peer.Good, 0, time.Hour)
		r.check(t, "a fresh one wanted", s, fresh, Good, Fetched, nil)
		r.now.Store(2 * 3600)
		r.check(t, "over, but asked about then", s, earlier, Good, Cached, nil)
		r.says(peer.Revoked, 0, time.Hour)
		r.check(t, "over", s, r.question(), Revoked, Fetched, nil)
		r.check(t, "kept again", s, r.question(), Revoked, Cached, nil)
		if n := r.requests.Load(); n != 3 {
			t.Errorf("%d requests", n)
		}
		second := r.service(t, Options{Answers: dir})
		offline := r.question()
		offline.Offline = true
		want, origin := Revoked, Cached
		if dir == "" {
			want, origin = Unknown, ""
		}
		r.check(t, "another process", second, offline, want, origin, nil)
	}
}

// TestOlderAnswer replays an answer whose time is not over.
func TestOlderAnswer(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", t.TempDir()} {
		r := newResponder(t)
		s := r.service(t, Options{Answers: dir})
		q := r.question()
		q.Fresh = time.Nanosecond
		r.says(peer.Revoked, 0, time.Hour)
		r.check(t, "first", s, q, Revoked, Fetched, nil)
		r.now.Store(30)
		r.says(peer.Good, -10*time.Minute, time.Hour)
		r.check(t, "replayed", s, q, Unknown, "", ErrStale)
		if dir != "" {
			r.check(t, "replayed to another process", r.service(t, Options{Answers: dir}), q, Unknown, "", ErrStale)
		}
		r.says(peer.Revoked, -time.Minute, time.Hour)
		r.check(t, "an older one that says the same", s, q, Revoked, Fetched, nil)
		r.now.Store(90)
		r.says(peer.Good, 0, time.Hour)
		r.check(t, "a newer one", s, q, Good, Fetched, nil)
	}
}

// TestDamagedAnswers flips each byte of a file that holds an answer.
func TestDamagedAnswers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newResponder(t)
	r.says(peer.Revoked, 0, time.Hour)
	r.check(t, "first", r.service(t, Options{Answers: dir}), r.question(), Revoked, Fetched, nil)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"+answerSuffix))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	der, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	offline := r.question()
	offline.Offline = true
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 1
		if err := os.WriteFile(files[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, a := range first(New(Options{Answers: dir, Now: r.time}).Check(t.Context(), offline)) {
			if a.Status != Revoked {
				t.Fatalf("byte %d: %+v", i, a)
			}
		}
	}
	for _, bad := range [][]byte{nil, der[:len(der)/2], make([]byte, maxOCSP+1)} {
		if err := os.WriteFile(files[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		r.check(t, "torn", r.service(t, Options{Answers: dir}), r.question(), Revoked, Fetched, nil)
	}
}

func first[A, B any](a A, _ B) A { return a }

// TestAnswerFolder: what cannot be written is told, and the answer given; old files go.
func TestAnswerFolder(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	r.says(peer.Good, 0, time.Hour)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	answers, problems := r.service(t, Options{Answers: file}).Check(t.Context(), r.question())
	if len(answers) != 1 || answers[0].Status != Good || len(problems) != 1 {
		t.Errorf("%+v, %v", answers, problems)
	}
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"old" + answerSuffix: 2 * maxAnswerAge, "new" + answerSuffix: 0, "notes.txt": 2 * maxAnswerAge} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, r.time().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	r.check(t, "sweeping", r.service(t, Options{Answers: dir}), r.question(), Good, Fetched, nil)
	for name, want := range map[string]bool{"old" + answerSuffix: false, "new" + answerSuffix: true, "notes.txt": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLeftAlone: a service that does not answer is not asked again at once.
func TestLeftAlone(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	r.says(peer.Good, 0, time.Hour)
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	r.leaf = issue(t, "User", big.NewInt(100), &r.ca, newKey(t), func(c *x509.Certificate) { c.OCSPServer = []string{down.URL} })
	s := r.service(t, Options{})
	r.check(t, "down", s, r.question(), Unknown, "", fetch.ErrUnavailable)
	if err := s.failed.lately(down.URL); !errors.Is(err, fetch.ErrUnavailable) {
		t.Errorf("not remembered: %v", err)
	}
	r.check(t, "down, not asked", s, r.question(), Unknown, "", fetch.ErrUnavailable)
	r.now.Store(60)
	if err := s.failed.lately(down.URL); err != nil {
		t.Errorf("remembered for too long: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Check(ctx, r.question())
	if err := s.failed.lately(down.URL); err != nil {
		t.Errorf("a caller who gave up is no failure: %v", err)
	}
}

// TestOneRequest: those who ask about one certificate at one time share the answer.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	r.says(peer.Good, 0, time.Hour)
	r.hold = make(chan struct{})
	s := r.service(t, Options{})
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if answers, problems := s.Check(t.Context(), r.question()); len(answers) != 1 || answers[0].Status != Good {
				t.Errorf("%+v, %v", answers, problems)
			}
		})
	}
	close(r.hold)
	wg.Wait()
	if n := r.requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestTamperedEvidence flips every byte of embedded evidence that says Good.
func TestTamperedEvidence(t *testing.T) {
	t.Parallel()
	r := newResponder(t)
	answer, err := peer.CreateResponse(r.ca.cert, r.ca.cert, peer.Response{Status: peer.Good, SerialNumber: r.leaf.SerialNumber, ThisUpdate: r.begin,
		NextUpdate: r.begin.AddDate(0, 0, 1), IssuerHash: crypto.SHA1}, r.ca.key)
	if err != nil {
		t.Fatal(err)
	}
	list := (&chain{t: t}).make(r.ca, listOf{this: r.begin, next: r.begin.AddDate(0, 0, 1), entries: spares().entries})
	s := New(Options{Now: r.time})
	ask := func(e Evidence) []Answer {
		q := r.question()
		q.Evidence = e
		return first(s.Check(t.Context(), q))
	}
	if len(ask(Evidence{CRLs: [][]byte{list}})) != 1 || len(ask(Evidence{OCSPs: [][]byte{answer}})) != 1 {
		t.Fatal("not Good to begin with")
	}
	for i := range list {
		bad := bytes.Clone(list)
		bad[i] ^= 1
		if a := ask(Evidence{CRLs: [][]byte{bad}}); len(a) > 0 {
			t.Errorf("byte %d of the list: %+v", i, a)
		}
	}
	for i := range answer {
		bad := bytes.Clone(answer)
		bad[i] ^= 1
		if a := ask(Evidence{OCSPs: [][]byte{bad}}); len(a) > 0 {
			t.Errorf("byte %d of the answer: %+v", i, a)
		}
	}
}

// BenchmarkWarm asks about a certificate whose embedded evidence was seen before.
func BenchmarkWarm(b *testing.B) {
	r := newResponder(b)
	answer, err := peer.CreateResponse(r.ca.cert, r.ca.cert, peer.Response{Status: peer.Good, SerialNumber: r.leaf.SerialNumber, ThisUpdate: r.begin,
		NextUpdate: r.begin.AddDate(0, 0, 1), IssuerHash: crypto.SHA1}, r.ca.key)
	if err != nil {
		b.Fatal(err)
	}
	for name, e := range map[string]Evidence{"ocsp": {OCSPs: [][]byte{answer}}, "crl": {CRLs: [][]byte{benchList(b, r)}}} {
		b.Run(name, func(b *testing.B) {
			s := New(Options{Now: r.time})
			q := r.question()
			q.Evidence = e
			for b.Loop() {
				if answers, problems := s.Check(b.Context(), q); len(answers) != 1 {
					b.Fatal(problems)
				}
			}
		})
	}
	b.Run("one-public-key-operation", func(b *testing.B) {
		for b.Loop() {
			if err := r.leaf.CheckSignatureFrom(r.ca.cert); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchList(b *testing.B, r *responder) []byte {
	b.Helper()
	var entries []x509.RevocationListEntry
	for i := range int64(9000) {
		entries = append(entries, x509.RevocationListEntry{SerialNumber: big.NewInt(1000 + i), RevocationTime: r.begin})
	}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: r.begin, NextUpdate: r.begin.AddDate(0, 0, 7), RevokedCertificateEntries: entries}, r.ca.cert, r.ca.key)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := crl.PackBytes(der); err != nil {
		b.Fatal(err)
	}
	return der
}
