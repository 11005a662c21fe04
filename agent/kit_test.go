package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
	"github.com/eidkit/eidkit/agent/spool"
)

const (
	site   = "https://desk.example"
	policy = `
unknown_origins = "refuse"

[[site]]
id = "desk"
origin = "https://desk.example"
operations = ["readers", "identity"]
fields = ["surname"]
`
)

// rig is an agent that listens, with methods that count how often they run.
type rig struct {
	*Agent
	t       testing.TB
	dir     string
	port    string // of both addresses
	address string // on IPv4
	unix    string // the socket's path
	ran     atomic.Int64
	held    chan struct{} // one more for each call of test.hold that has begun
	gone    chan error    // why each of them ended
	events  *fakeEvents
	log     *lines
	served  chan error

	listeners []net.Listener
}

// fakeEvents are events that a test makes happen.
type fakeEvents struct {
	mu   sync.Mutex
	subs map[int]func(string, any)
	last int
}

func (e *fakeEvents) Subscribe(_ access.Client, f func(string, any)) func() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.subs == nil {
		e.subs = map[int]func(string, any){}
	}
	e.last++
	n := e.last
	e.subs[n] = f
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.subs, n)
	}
}

func (e *fakeEvents) happen(name string, params any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.subs {
		f(name, params)
	}
}

func (e *fakeEvents) subscribed() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.subs)
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newRig starts an agent on a port and a socket of its own.
func newRig(t testing.TB, change func(*Options)) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "eidkit-agent-") // a short path: it has a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &rig{t: t, dir: dir, held: make(chan struct{}, 1024), gone: make(chan error, 1024), events: &fakeEvents{}, log: &lines{}, served: make(chan error, 1)}
	r.write(policy)
	store, err := spool.New(filepath.Join(dir, "spool"), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Authority: r.authority(), Spool: store, StateDir: filepath.Join(dir, "state"), Version: "1.2.3", Language: "nl",
		Log: slog.New(slog.NewTextHandler(r.log, nil)), Events: r.events, Methods: r.methods(), Pages: http.NotFoundHandler()}
	o.Limits.Handshake, o.Limits.FirstMessage = time.Minute, time.Minute // a machine that is slow is no fault
	if change != nil {
		change(&o)
	}
	if r.Agent, err = New(o); err != nil {
		t.Fatal(err)
	}
	r.serve()
	return r
}

func (r *rig) serve() {
	r.t.Helper()
	all, err := Listen(context.Background(), 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.address = all[0].Addr().String()
	_, r.port, _ = net.SplitHostPort(r.address)
	socket, err := ListenUnix(context.Background(), filepath.Join(r.dir, "run"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.unix = socket.Addr().String()
	r.listeners = append(all, socket)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.served <- r.Serve(ctx, r.listeners...) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-r.served; err != nil && !errors.Is(err, ErrClosed) {
			r.t.Error(err)
		}
	})
}

func (r *rig) authority() *access.Authority {
	r.t.Helper()
	dir, err := filepath.EvalSymlinks(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := access.Open(access.Options{PolicyPath: filepath.Join(dir, "policy.toml"), StateDir: filepath.Join(dir, "access"), OwnerUID: os.Geteuid()})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := a.PolicyError(); err != nil {
		r.t.Fatal(err)
	}
	return a
}

// write puts a policy in force.
func (r *rig) write(policy string) {
	r.t.Helper()
	path := filepath.Join(r.dir, "policy.toml")
	if err := os.WriteFile(path+".new", []byte(policy), 0o644); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		r.t.Fatal(err)
	}
}

// methods stand for those over cards.
func (r *rig) methods() map[string]service.Method {
	counted := func(m service.Method) service.Method {
		return func(ctx context.Context, c *service.Call) (any, error) {
			r.ran.Add(1)
			return m(ctx, c)
		}
	}
	return map[string]service.Method{
		"readers.list": counted(func(context.Context, *service.Call) (any, error) {
			return map[string][]string{"readers": {"Reader 00 00"}}, nil
		}),
		"identity.read": counted(func(_ context.Context, c *service.Call) (any, error) {
			return map[string]string{"client": c.Client.String()}, nil
		}),
		"sign.document": counted(func(ctx context.Context, c *service.Call) (any, error) { // takes till it is cancelled
			c.Notify("operation.waiting", map[string]any{"id": json.RawMessage(c.ID), "for": "consent"})
			r.held <- struct{}{}
			<-ctx.Done()
			r.gone <- context.Cause(ctx)
			return nil, ctx.Err()
		}),
		"verify.document": counted(func(context.Context, *service.Call) (any, error) {
			return nil, fmt.Errorf("reading 85.07.30-033.28: %w", os.ErrPermission)
		}),
		"pin.status": counted(func(context.Context, *service.Call) (any, error) { panic("85073003328") }),
		"log.read":   counted(func(context.Context, *service.Call) (any, error) { return nil, nil }),
		"pair.request": counted(func(_ context.Context, c *service.Call) (any, error) {
			return map[string]string{"client": c.Client.String()}, nil
		}),
	}
}

// nothingRan checks that what was refused reached no method.
func (r *rig) nothingRan(t testing.TB) {
	t.Helper()
	if n := r.ran.Load(); n != 0 {
		t.Errorf("%d methods ran", n)
	}
}

// token pairs a program.
func (r *rig) token() string {
	r.t.Helper()
	token, _, err := r.o.Authority.Pair("Pharmacy 1", "/usr/bin/pharmacy", []access.Operation{access.OpReaders, access.OpIdentity})
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// headers of a handshake, changed by pairs of name and value: "-" takes one away.
func (r *rig) headers(change ...string) http.Header {
	h := http.Header{"Host": {r.address}, "Origin": {site}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {protocol.Subprotocol}}
	for i := 0; i < len(change); i += 2 {
		if change[i+1] == "-" {
			h.Del(change[i])
		} else {
			h.Set(change[i], change[i+1])
		}
	}
	return h
}

// raw sends a request by hand, which no client library would send, and reads the
// answer's head.
func (r *rig) raw(t testing.TB, network, address, line string, h http.Header) (*http.Response, net.Conn) {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	var b strings.Builder
	b.WriteString(line + " HTTP/1.1\r\n")
	for name, values := range h {
		for _, v := range values {
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	if _, err := c.Write([]byte(b.String() + "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer, c
}

// web connects as a site would.
func (r *rig) web(t testing.TB, origin string) *websocket.Conn {
	t.Helper()
	ws, _, err := r.dialWeb(origin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

func (r *rig) dialWeb(origin string) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: []string{protocol.Subprotocol}}
	return d.Dial("ws://"+r.address+protocol.Path, http.Header{"Origin": {origin}})
}

// onSocket connects by the Unix socket.
func (r *rig) onSocket(t testing.TB, o ...dial.Option) *dial.Conn {
	t.Helper()
	c, err := dial.Unix(t.Context(), r.unix, o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t testing.TB, ws *websocket.Conn, text string) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// message is what the agent sends.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  struct {
		Message string
		Data    struct{ Code protocol.Code }
	} `json:"error"`
}

func receive(t testing.TB, ws *websocket.Conn) message {
	t.Helper()
	_, b, err := ws.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// wantCode checks a failure.
func wantCode(t testing.TB, m message, id string, code protocol.Code) {
	t.Helper()
	if string(m.ID) != id || m.Error.Data.Code != code {
		t.Errorf("got id %s, code %q (%s), want id %s, code %q", m.ID, m.Error.Data.Code, m.Error.Message, id, code)
	}
}

// wantClosed reads to the end of the connection, which must have been closed
// with that code; 0: without a word.
func wantClosed(t testing.TB, ws *websocket.Conn, code int) {
	t.Helper()
	for {
		_, _, err := ws.ReadMessage()
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		switch {
		case code == 0 && errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure, code != 0 && !websocket.IsCloseError(err, code):
			t.Errorf("closed with %v, want code %d", err, code)
		}
		return
	}
}
