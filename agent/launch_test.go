package agent

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

// page connects as one of the agent's own pages, without a session.
func (r *rig) page(t testing.TB) *websocket.Conn { return r.web(t, "http://"+r.address) }

// code fetches a launch code over the socket, as `eid agent open` does.
func (r *rig) code(t testing.TB) string {
	t.Helper()
	var got struct{ URL string }
	if err := r.onSocket(t).Call(t.Context(), "page.open", map[string]string{"page": "viewer"}, &got); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got.URL)
	if err != nil || u.Host != r.address || u.RawQuery != "" {
		t.Fatalf("address %q, %v", got.URL, err)
	}
	code, ok := strings.CutPrefix(u.Fragment, "code=")
	if !ok || len(code) < 40 {
		t.Fatalf("address %q", got.URL)
	}
	return code
}

func start(code string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"session.start","params":{"code":%q}}`, code)
}

// openSession begins one, and returns its token.
func openSession(t testing.TB, ws *websocket.Conn, code string) string {
	t.Helper()
	send(t, ws, start(code))
	var got sessionResult
	m := receive(t, ws)
	if err := json.Unmarshal(m.Result, &got); err != nil || got.Token == "" || got.Token == code || got.Language != "nl" {
		t.Fatalf("session.start: %+v, %v", m, err)
	}
	return got.Token
}

func TestOwnPage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.page(t)
	code := r.code(t)
	token := openSession(t, ws, code)
	send(t, ws, `{"jsonrpc":"2.0","id":2,"method":"log.read"}`)
	if m := receive(t, ws); m.Result == nil || r.ran.Load() != 1 {
		t.Errorf("log.read: %+v", m)
	}
	again := r.page(t) // the page was loaded again
	send(t, again, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"session.resume","params":{"token":%q}}`, token))
	if m := receive(t, again); m.Result == nil {
		t.Errorf("session.resume: %+v", m)
	}
	send(t, again, start("another"))
	wantCode(t, receive(t, again), "1", protocol.InvalidArgument)
	if strings.Contains(r.log.String(), code) || strings.Contains(r.log.String(), token) {
		t.Error("the log has a code or token")
	}
}

// TestOwnOriginProvesNothing: what a page on the agent's origin sends before it
// has shown a code reaches nothing, and it gets one try.
func TestOwnOriginProvesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	used := r.code(t)
	token := openSession(t, r.page(t), used)
	old := r.code(t)
	for range maxCodes { // newer ones take its place
		if _, err := r.PageURL("viewer"); err != nil {
			t.Fatal(err)
		}
	}
	resume := func(token string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"session.resume","params":{"token":%q}}`, token)
	}
	for name, message := range map[string]string{
		"a method":                `{"jsonrpc":"2.0","id":1,"method":"identity.read"}`,
		"its own method":          `{"jsonrpc":"2.0","id":1,"method":"log.read"}`,
		"agent.info":              `{"jsonrpc":"2.0","id":1,"method":"agent.info"}`,
		"no code":                 start(""),
		"a code replayed":         start(used),
		"a code pushed out":       start(old),
		"the token as a code":     start(token),
		"no token":                resume(""),
		"a wrong token":           resume(token[:len(token)-1]),
		"a code as a token":       resume(used),
		"an unused code as token": resume(r.code(t)),
		"unknown members":         `{"jsonrpc":"2.0","id":1,"method":"session.start","params":{"code":"x","user":"root"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			ws := r.page(t)
			send(t, ws, message)
			if m := receive(t, ws); string(m.ID) != "1" || m.Result != nil {
				t.Errorf("got %+v", m)
			}
			wantClosed(t, ws, websocket.ClosePolicyViolation)
			r.nothingRan(t)
		})
	}
}

// TestCodeOnce: of many who show one code at the same time, one gets a session.
func TestCodeOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.PerClient = 64 })
	code := r.code(t)
	got := make(chan bool)
	const many = 20
	for range many {
		ws := r.page(t)
		go func() {
			var m message
			ok := ws.WriteMessage(websocket.TextMessage, []byte(start(code))) == nil && ws.ReadJSON(&m) == nil && m.Result != nil
			got <- ok
		}()
	}
	sessions := 0
	for range many {
		if <-got {
			sessions++
		}
	}
	if sessions != 1 {
		t.Errorf("%d sessions of one code", sessions)
	}
}

func TestTimesOfPages(t *testing.T) {
	t.Parallel()
	clock := make(chan time.Time, 1)
	clock <- time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	now := func() time.Time {
		at := <-clock
		clock <- at
		return at
	}
	pass := func(d time.Duration) { clock <- (<-clock).Add(d) }
	l := Limits{}
	l.fill()
	p := newLaunches(l, now)
	code := p.code()
	pass(time.Minute)
	if s, _ := p.redeem(code); s != nil {
		t.Error("a code is good for longer than a minute")
	}
	code = p.code()
	pass(time.Minute - 1)
	s, token := p.redeem(code)
	if s == nil {
		t.Fatal("a code is not good for a minute")
	}
	pass(30*time.Minute - 1)
	if p.resume(token) != s {
		t.Error("a session is over before its time")
	}
	pass(30*time.Minute - 1) // it was used meanwhile
	if p.resume(token) != s {
		t.Error("use does not prolong the session")
	}
	pass(30 * time.Minute)
	if p.resume(token) != nil || p.left(s) > 0 {
		t.Error("an idle session is not over")
	}
}

func TestSilentPages(t *testing.T) {
	t.Parallel()
	silent := newRig(t, func(o *Options) { o.Limits.FirstMessage = 100 * time.Millisecond })
	wantClosed(t, silent.page(t), websocket.ClosePolicyViolation)
	silent.nothingRan(t)
	r := newRig(t, func(o *Options) { o.Limits.FirstMessage, o.Limits.SessionIdle = 5*time.Second, 500*time.Millisecond })
	code := r.code(t)
	idle := r.page(t)
	token := openSession(t, idle, code)
	wantClosed(t, idle, websocket.ClosePolicyViolation)
	ws := r.page(t)
	send(t, ws, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"session.resume","params":{"token":%q}}`, token))
	wantCode(t, receive(t, ws), "1", protocol.NotAuthorised)
}

// TestPagesClosed: a policy without launch has no own pages.
func TestPagesClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	code := r.code(t)
	r.write("launch = false\n" + policy)
	if err := r.o.Authority.Reload(); err != nil || r.o.Authority.PolicyError() != nil {
		t.Fatal(err, r.o.Authority.PolicyError())
	}
	if _, answer, err := r.dialWeb("http://" + r.address); err == nil || answer.StatusCode != 403 {
		t.Errorf("an own page connects: %v with code %s", err, code)
	}
	err := r.onSocket(t).Call(t.Context(), "page.open", map[string]string{"page": "viewer"}, nil)
	if protocol.CodeOf(err) != protocol.NotAuthorised {
		t.Errorf("page.open: %v", err)
	}
}

// TestSocket: a program without a token gets what only the socket has, and
// nothing else.
func TestSocket(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.onSocket(t)
	for _, name := range []string{"identity.read", "readers.list", "events.subscribe", "log.read", "document.open", "session.start"} {
		if err := c.Call(t.Context(), name, nil, nil); protocol.CodeOf(err) != protocol.NotAuthorised {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.nothingRan(t)
	var state state
	if err := c.Call(t.Context(), "agent.status", nil, &state); err != nil || state.Connections != 1 || len(state.Listening) < 2 || state.Version != "1.2.3" {
		t.Errorf("agent.status: %+v, %v", state, err)
	}
	for _, page := range []string{"", "../viewer", "nothing", "viewer#x"} {
		if err := c.Call(t.Context(), "page.open", map[string]string{"page": page}, nil); protocol.CodeOf(err) != protocol.InvalidArgument {
			t.Errorf("page %q: %v", page, err)
		}
	}
	var who struct{ Client string }
	if err := c.Call(t.Context(), "pair.request", nil, &who); err != nil || who.Client != "unpaired program" || r.ran.Load() != 1 {
		t.Errorf("pair.request: %+v, %v", who, err)
	}
	if err := c.Prove(t.Context(), r.PublicKey(), ""); err != nil {
		t.Error(err)
	}
	other, err := installationKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Prove(t.Context(), other.Public().(ed25519.PublicKey), ""); !errors.Is(err, dial.ErrProof) {
		t.Errorf("another key: %v", err)
	}
	if err := c.Prove(t.Context(), r.PublicKey(), site); !errors.Is(err, dial.ErrProof) {
		t.Errorf("for another client: %v", err)
	}
	paired := r.onSocket(t, dial.WithToken(r.token()))
	if err := paired.Call(t.Context(), "identity.read", nil, &who); err != nil || who.Client != "Pharmacy 1" {
		t.Errorf("a paired program: %+v, %v", who, err)
	}
	if _, err := dial.Unix(t.Context(), r.unix, dial.WithToken("x")); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong token: %v", err)
	}
}

// TestExtension: on the socket an Origin is one that the Web eID extension hands
// over, and is never taken for a page of ours.
func TestExtension(t *testing.T) {
	t.Parallel()
	var kind access.Kind
	r := newRig(t, func(o *Options) {
		o.Methods["auth.login"] = func(_ context.Context, c *service.Call) (any, error) {
			kind = c.Client.Kind
			return nil, nil
		}
	})
	c, err := dial.Unix(t.Context(), r.unix, dial.ForOrigin(site))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Call(t.Context(), "auth.login", nil, nil); err != nil || kind != access.Extension {
		t.Errorf("kind %v, %v", kind, err)
	}
	for _, origin := range []string{"http://" + r.address, "null", "http://desk.example", "https://evil.example"} {
		if _, err := dial.Unix(t.Context(), r.unix, dial.ForOrigin(origin)); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("%s: %v", origin, err)
		}
	}
	for _, name := range []string{"pair.request", "page.open", "agent.stop", "log.read"} {
		if err := c.Call(t.Context(), name, nil, nil); protocol.CodeOf(err) != protocol.NotAuthorised {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.nothingRan(t)
}
