package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// made are a test PKI and what its citizen signed, at level LT so that nothing needs to be asked.
type made struct {
	anchors            *verify.Anchors
	attached, detached []byte
	content            []byte
	pdf                []byte
	at                 time.Time
}

func makeFiles(t testing.TB) made {
	t.Helper()
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	m := made{anchors: &verify.Anchors{}, content: []byte("I agree."), at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	m.anchors.Add(p.Root.Certificate)
	o := signed.Options{PKI: p, Signer: signer, At: m.at, Level: signed.LT}
	if m.attached, err = signed.CAdES(m.content, false, o); err != nil {
		t.Fatal(err)
	}
	if m.detached, err = signed.CAdES(m.content, true, o); err != nil {
		t.Fatal(err)
	}
	doc := signed.NewPDF(signed.PDFOptions{})
	if err := doc.Sign(o, signed.Field{Page: 1, Rect: [4]int{100, 100, 300, 200}}); err != nil {
		t.Fatal(err)
	}
	m.pdf = doc.Bytes()
	return m
}

func (m made) options() Options {
	return Options{Verify: verify.Options{Anchors: m.anchors, Offline: true}, AllowTimes: true}
}

// start serves until the test ends.
func start(t testing.TB, o Options) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := New(o)
	go func() { done <- s.Serve(ctx, l, 5*time.Second) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// part is one of a form.
type part struct {
	field, file string
	data        []byte
}

func form(t testing.TB, parts ...part) (body io.Reader, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		var to io.Writer
		var err error
		if p.file != "" {
			to, err = w.CreateFormFile(p.field, p.file)
		} else {
			to, err = w.CreateFormField(p.field)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, w.FormDataContentType()
}

// ask sends a request and returns status, headers and body.
func ask(t testing.TB, url, contentType, accept string, body io.Reader) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequest("POST", url, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, got
}

func reportOf(t testing.TB, body []byte) verify.Report {
	t.Helper()
	var rep verify.Report
	if err := json.Unmarshal(body, &rep); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return rep
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	m := makeFiles(t)
	base := start(t, m.options()) + "/v1/verify?at=" + m.at.Add(time.Hour).Format(time.RFC3339)
	digest := sha256.Sum256(m.content)
	digest384 := "sha-256:" + hex.EncodeToString(digest[:])
	flipped := bytes.Replace(m.attached, []byte("agree"), []byte("agree"[:4]+"d"), 1)
	for _, c := range []struct {
		name  string
		parts []part
		want  verify.Indication
	}{
		{"attached", []part{{"file", `C:\x\a.p7m`, m.attached}}, verify.TotalPassed},
		{"detached with its content", []part{{"content", "b.txt", m.content}, {"file", "b.p7s", m.detached}}, verify.TotalPassed},
		{"detached alone", []part{{"file", "b.p7s", m.detached}}, verify.Indeterminate},
		{"detached with a digest of another kind", []part{{"digest", "", []byte(digest384)}, {"file", "b.p7s", m.detached}}, verify.Indeterminate},
		{"changed", []part{{"file", "a.p7m", flipped}}, verify.TotalFailed},
		{"PDF", []part{{"file", "a.pdf", m.pdf}}, verify.TotalPassed},
	} {
		body, kind := form(t, c.parts...)
		status, _, got := ask(t, base, kind, "", body)
		rep := reportOf(t, got)
		if status != 200 || rep.Indication != c.want {
			t.Errorf("%s: %d %s/%s, want %s\n%s", c.name, status, rep.Indication, rep.SubIndication, c.want, got)
		}
	}
	status, _, got := ask(t, base+"&name=../dir/x.p7m", "application/octet-stream", "application/json", bytes.NewReader(m.attached))
	if rep := reportOf(t, got); status != 200 || rep.Indication != verify.TotalPassed || rep.File != "x.p7m" {
		t.Errorf("as the body alone: %d %s", status, got)
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	m := makeFiles(t)
	base := start(t, m.options()) + "/v1/verify?language=fr&at=" + m.at.Add(time.Hour).Format(time.RFC3339)
	for accept, want := range map[string][2]string{
		"text/html,application/xhtml+xml": {"text/html; charset=utf-8", "Valide"},
		"application/xml":                 {"application/xml", "urn:etsi:019102:mainindication:total-passed"},
		"*/*":                             {"application/json", `"indication":"TOTAL-PASSED"`},
		"image/png":                       {"application/json", "error"},
	} {
		status, header, got := ask(t, base, "application/pdf", accept, bytes.NewReader(m.pdf))
		if header.Get("Content-Type") != want[0] || !strings.Contains(string(got), want[1]) || (status == 200) == (accept == "image/png") {
			t.Errorf("%s: %d %s\n%.300s", accept, status, header.Get("Content-Type"), got)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: headers %v", accept, header)
		}
	}
}

// TestMistakes: each is told, with its own status.
func TestMistakes(t *testing.T) {
	t.Parallel()
	o := Options{MaxUpload: 1 << 20, Verify: verify.Options{Offline: true}}
	base := start(t, o)
	big := bytes.Repeat([]byte{'x'}, 1<<20+1)
	bigForm, bigKind := form(t, part{"file", "a", big[:1<<19]}, part{"content", "b", big[:1<<19+1]})
	twice, twiceKind := form(t, part{"file", "a", []byte("x")}, part{"file", "b", []byte("x")})
	longField, longKind := form(t, part{"name", "", bytes.Repeat([]byte{'n'}, 5000)})
	many := make([]part, 70)
	for i := range many {
		many[i] = part{"name", "", []byte("n")}
	}
	manyForm, manyKind := form(t, many...)
	for _, c := range []struct {
		name, query, kind string
		body              io.Reader
		want              int
	}{
		{"empty", "", "", http.NoBody, 400},
		{"unknown parameter", "?pin=1", "", strings.NewReader("x"), 400},
		{"bad time", "?at=yesterday", "", strings.NewReader("x"), 400},
		{"bad digest", "?digest=sha-256:00", "", strings.NewReader("x"), 400},
		{"times not taken", "?at=2026-01-01T00:00:00Z", "", strings.NewReader("x"), 403},
		{"too large", "", "", bytes.NewReader(big), 413},
		{"too large, length not said", "", "", iotest.OneByteReader(io.MultiReader(bytes.NewReader(big[:10]), iotest.HalfReader(bytes.NewReader(big)))), 413},
		{"too large together", "", bigKind, bigForm, 413},
		{"two files", "", twiceKind, twice, 400},
		{"long field", "", longKind, longField, 400},
		{"many parts", "", manyKind, manyForm, 400},
		{"no boundary", "", "multipart/form-data", strings.NewReader("x"), 400},
		{"broken form", "", "multipart/form-data; boundary=b", strings.NewReader("--b\r\nnonsense"), 400},
		{"no signature in it", "", "", strings.NewReader("x"), 200},
	} {
		status, _, got := ask(t, base+"/v1/verify"+c.query, c.kind, "", c.body)
		if status != c.want || !json.Valid(got) {
			t.Errorf("%s: %d, want %d: %s", c.name, status, c.want, got)
		}
	}
	resp, err := http.Get(base + "/v1/verify")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", resp.StatusCode)
	}
}

// TestSlowUpload: a client that stops sending is cut off, and holds no place.
func TestSlowUpload(t *testing.T) {
	t.Parallel()
	base := start(t, Options{Pause: 50 * time.Millisecond, Uploads: 1})
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
	got, err := io.ReadAll(conn) // ends when the server gives up
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(got), "HTTP/1.1 408") {
		t.Errorf("answer: %.100s", got)
	}
	if status, _, _ := ask(t, base+"/v1/verify", "", "", strings.NewReader("x")); status != 200 {
		t.Errorf("the next client: %d", status)
	}
}

// TestGate: places, a queue, and nobody else.
func TestGate(t *testing.T) {
	t.Parallel()
	g := newGate(1, 1, time.Minute)
	ctx, cancel := context.WithCancel(context.Background())
	if err := g.enter(ctx); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() { waited <- g.enter(ctx) }()
	for g.queued() == 0 { // until the second one waits
		if g.inside() != 1 {
			t.Fatal("more inside than there are places")
		}
	}
	if err := g.enter(ctx); !errors.Is(err, errBusy) {
		t.Errorf("third: %v", err)
	}
	g.leave()
	if err := <-waited; err != nil {
		t.Errorf("the one who waited: %v", err)
	}
	go func() { waited <- g.enter(ctx) }()
	cancel()
	if err := <-waited; !errors.Is(err, context.Canceled) {
		t.Errorf("whose client left: %v", err)
	}
	g.leave()
	if g.inside() != 0 || g.queued() != 0 {
		t.Errorf("%d inside, %d waiting", g.inside(), g.queued())
	}
	short := newGate(1, 1, time.Nanosecond)
	if err := short.enter(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := short.enter(context.Background()); !errors.Is(err, errBusy) {
		t.Errorf("out of patience: %v", err)
	}
}

// TestOverload: with all places taken a request is answered 503, and nothing else suffers.
func TestOverload(t *testing.T) {
	t.Parallel()
	s := New(Options{Judged: 1, Queue: 1, Patience: time.Nanosecond, Verify: verify.Options{Offline: true}})
	if err := s.judging.enter(context.Background()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(deadlines{w}, httptest.NewRequest("POST", "/v1/verify", strings.NewReader("x")))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("overload: %d %s", w.Code, w.Body)
	}
	s.judging.leave()
	w = httptest.NewRecorder()
	s.ServeHTTP(deadlines{w}, httptest.NewRequest("POST", "/v1/verify", strings.NewReader("x")))
	if w.Code != 200 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`eidkit_requests_total{code="503"} 1`, `eidkit_requests_total{code="200"} 1`, `eidkit_verdicts_total{verdict="NO_SIGNATURE_FOUND"} 1`, "eidkit_judging 0"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics do not say %s", want)
		}
	}
}

// deadlines lets a recorder pass for a connection.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetReadDeadline(time.Time) error  { return nil }
func (deadlines) SetWriteDeadline(time.Time) error { return nil }

// TestSpoolBudget: uploads at rest take no more than is allowed together, and give it back.
func TestSpoolBudget(t *testing.T) {
	t.Parallel()
	s := New(Options{MaxSpool: 1 << 20, SpoolFolder: t.TempDir(), Verify: verify.Options{Offline: true}})
	big := bytes.Repeat([]byte{'x'}, 700<<10)
	first, err := s.spool(bytes.NewReader(big), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.spool(bytes.NewReader(big), 1<<20); !errors.Is(err, errBusy) {
		t.Errorf("the second: %v", err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(deadlines{w}, httptest.NewRequest("POST", "/v1/verify", bytes.NewReader(big)))
	if w.Code != 503 {
		t.Errorf("over HTTP: %d", w.Code)
	}
	first.Close()
	again, err := s.spool(bytes.NewReader(big), 1<<20)
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	again.Close()
	if used := s.disk.used.Load(); used != 0 {
		t.Errorf("%d bytes are still counted", used)
	}
}

// TestSlowReader: a client that does not take his answer holds no place.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	s := New(Options{Judged: 1, Queue: 1, Patience: time.Nanosecond, Verify: verify.Options{Offline: true}})
	w := &stuck{ResponseRecorder: httptest.NewRecorder(), begun: make(chan struct{}), end: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeHTTP(w, httptest.NewRequest("POST", "/v1/verify", strings.NewReader("x")))
	}()
	<-w.begun
	if s.judging.inside() != 0 {
		t.Error("the place is held while the answer is written")
	}
	close(w.end)
	<-done
}

// stuck is a connection whose client does not read.
type stuck struct {
	*httptest.ResponseRecorder
	begun, end chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	close(s.begun)
	<-s.end
	return len(p), nil
}
func (*stuck) SetReadDeadline(time.Time) error  { return nil }
func (*stuck) SetWriteDeadline(time.Time) error { return nil }

// TestStop: a server that stops says so, and no file of an upload stays.
func TestStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{SpoolFolder: dir, Verify: verify.Options{Offline: true}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l, time.Second) }()
	base := "http://" + l.Addr().String()
	if status, _, got := ask(t, base+"/v1/verify", "", "", bytes.NewReader(bytes.Repeat([]byte("x"), 1<<20))); status != 200 {
		t.Errorf("a long upload: %d %s", status, got)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/nothing": 404} {
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != 503 {
		t.Errorf("ready after the end: %d", w.Code)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
