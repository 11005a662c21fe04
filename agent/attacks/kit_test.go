//go:build unix

// Package attacks is the hostile page, the hostile program and the hostile other
// user, against a whole agent: the real server on real sockets, the real rules,
// log, desk and gate, a PIN dialog that a test answers, and a simulated card that
// counts its commands. docs/security.md lists the threats, each with its tests;
// many of those stand beside the parts that ward them off.
//
// Start with newRig. It has tests only.
package attacks

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent"
	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
	"github.com/eidkit/eidkit/agent/spool"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/assurability"
)

// Sites: one that the policy knows, one that nobody knows.
const (
	desk1 = "https://desk.example"
	evil  = "https://evil.example"

	openPolicy   = `unknown_origins = "ask"` + rules
	closedPolicy = `unknown_origins = "refuse"` + rules
	rules        = `
[[site]]
id = "desk"
origin = "https://desk.example"
operations = ["readers", "identity", "login", "sign.certificate"]
fields = ["surname"]

[[program]]
name = "pharmacy"
operations = ["insurability", "readers"]
free_numbers = { per_minute = 2, per_day = 3 }
`
)

type m = map[string]any

// rig is a whole agent with a card in its reader.
type rig struct {
	t       testing.TB
	agent   *agent.Agent
	auth    *access.Authority
	hub     *cards.Hub
	card    *testcards.Card
	reader  *testcards.Reader
	system  *testcards.System
	person  *person
	log     *lines
	dir     string
	address string // on IPv4
	unix    string
	insurer *insurer
	stop    func()
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

// insurer answers in place of the network, and counts.
type insurer struct {
	mu    sync.Mutex
	asked int
}

func (i *insurer) Ask(_ context.Context, q assurability.Question) (*assurability.Answer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked++
	return &assurability.Answer{Status: assurability.Insured, Tariff: assurability.Ordinary, Service: assurability.GenIns, From: assurability.Today(time.Now()),
		Until: assurability.Today(time.Now()), Time: time.Now(), Person: assurability.Person{NISS: q.Patient.NISS, Surname: "Peeters"}}, nil
}

// person is who sits at the computer: a pinentry program whose answers are in files.
type person struct {
	dir  string
	ups  chan struct{} // one for each question that is held
	held *os.File      // what to answer it
}

// pinentryScript notes all that it is told. Of a question it answers what the file
// confirm has: allow presses the button that permits, deny closes the window, hold
// says so on one pipe and waits on the other for what to answer.
const pinentryScript = `#!/bin/sh
cd "%s"
echo OK
while IFS= read -r line; do
	printf '%%s\n' "$line" >>told
	case "$line" in
	GETINFO*) echo "D qt"; echo OK ;;
	CONFIRM*)
		read -r a <confirm
		if [ "$a" = hold ]; then echo up >up; read -r a <held; fi
		echo "answered $a" >>told
		case "$a" in
		allow) echo "ERR 83886194 Not confirmed" ;;
		ok) echo OK ;;
		*) echo "ERR 83886179 Operation cancelled" ;;
		esac ;;
	GETPIN*)
		read -r a <pin
		if [ "$a" = hold ]; then echo up >up; read -r a <held; fi
		echo "answered PIN" >>told
		case "$a" in
		right) echo "D ` + testcards.PIN + `"; echo OK ;;
		wrong) echo "D 4321"; echo OK ;;
		*) echo "ERR 83886179 Operation cancelled" ;;
		esac ;;
	BYE*) echo OK; exit 0 ;;
	*) echo OK ;;
	esac
done
`

func newPerson(t testing.TB, dir string) *person {
	t.Helper()
	p := &person{dir: dir, ups: make(chan struct{}, 1000)}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	pipe := func(name string) *os.File {
		path := filepath.Join(dir, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0) // of both ends, so that opening waits for nobody
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	up := bufio.NewScanner(pipe("up"))
	go func() {
		for up.Scan() {
			p.ups <- struct{}{}
		}
	}()
	p.held = pipe("held")
	syscall.ForkLock.RLock() // a process begun meanwhile would hold the file open for writing, and nobody could run it (ETXTBSY)
	err := errors.Join(os.WriteFile(filepath.Join(dir, "told"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "pinentry"), fmt.Appendf(nil, pinentryScript, dir), 0o700))
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	p.will(t, "confirm", "allow")
	p.will(t, "pin", "right")
	return p
}

// will has the person answer that from now on: confirm or pin.
func (p *person) will(t testing.TB, what, answer string) {
	t.Helper()
	path := filepath.Join(p.dir, what)
	if err := os.WriteFile(path+".new", []byte(answer+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// says answers a question that is held.
func (p *person) says(t testing.TB, answer string) {
	t.Helper()
	if _, err := p.held.WriteString(answer + "\n"); err != nil {
		t.Fatal(err)
	}
}

// told is all that dialogs have said, and "answered" after each answer.
func (p *person) told(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "told"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// asked counts dialogs: CONFIRM, or GETPIN.
func (p *person) asked(t testing.TB, command string) (n int) {
	t.Helper()
	for _, line := range p.told(t) {
		if strings.HasPrefix(line, command) {
			n++
		}
	}
	return n
}

// newRig starts a whole agent.
func newRig(t testing.TB, policy string, change ...func(*agent.Options)) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "eidkit-attack-") // a short path: it has a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: dir, card: testcards.New(testcards.Citizen18), system: &testcards.System{}, log: &lines{}, insurer: &insurer{},
		person: newPerson(t, filepath.Join(dir, "person"))}
	r.reader = testcards.NewReader("Reader 1", testcards.ReaderOptions{})
	r.reader.Insert(r.card)
	r.system.AddReader(r.reader)
	r.writePolicy(policy, 0o644)
	r.start(change)
	return r
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) writePolicy(policy string, mode fs.FileMode) {
	r.t.Helper()
	path := r.path("policy.toml")
	if err := errors.Join(os.WriteFile(path+".new", []byte(policy), mode), os.Chmod(path+".new", mode), os.Rename(path+".new", path)); err != nil {
		r.t.Fatal(err)
	}
}

// start puts the parts together, as the command does.
func (r *rig) start(change []func(*agent.Options)) {
	r.t.Helper()
	must := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	var err error
	logger := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.auth, err = access.Open(access.Options{PolicyPath: r.path("policy.toml"), StateDir: r.path("state"), OwnerUID: os.Geteuid(), Log: logger})
	must(err)
	must(r.auth.PolicyError())
	r.hub = cards.New(cards.Options{System: r.system, Open: func(name string) card.Reader { return named{r.system, name} }, Log: logger})
	questions := desk.New(desk.Options{Dialog: pinentry.Dialog{Program: r.path("person/pinentry")}, Language: "en"})
	written, err := audit.Open(audit.Options{Dir: r.path("audit"), Host: "here", User: "user"})
	must(err)
	documents, err := spool.New(r.path("documents"), 64<<20)
	must(err)
	anchors := &verify.Anchors{}
	anchors.Add(r.card.Root())
	work, err := service.New(service.Options{Hub: r.hub, Gate: gate.New(r.auth, questions, written), Desk: questions, Authority: r.auth, Anchors: anchors,
		Log:         func(f audit.Filter) ([]audit.Line, error) { return audit.Read(r.path("audit"), f) },
		SignOptions: func() sign.Options { return sign.Options{Anchors: anchors, Offline: true} }, Insurance: r.insurer, Language: "en", Version: "0"})
	must(err)
	all, err := agent.Listen(context.Background(), 0)
	must(err)
	socket, err := agent.ListenUnix(context.Background(), r.path("run"))
	must(err)
	r.address, r.unix = all[0].Addr().String(), socket.Addr().String()
	o := agent.Options{Base: "http://" + r.address, Authority: r.auth, Spool: documents, StateDir: r.path("state"), Log: logger, Methods: work.Methods(), Events: work,
		Desk: questions, Pages: http.NotFoundHandler(), PCSC: r.hub.Available, Version: "0", Language: "en"}
	o.Limits.Handshake, o.Limits.FirstMessage = time.Minute, time.Minute // a machine that is slow is no fault
	for _, f := range change {
		f(&o)
	}
	r.agent, err = agent.New(o)
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var ends sync.WaitGroup
	ends.Go(func() {
		if err := r.hub.Run(ctx); !errors.Is(err, context.Canceled) {
			r.t.Error(err)
		}
	})
	ends.Go(func() {
		if err := r.agent.Serve(ctx, append(all, socket)...); err != nil {
			r.t.Error(err)
		}
	})
	<-r.hub.Ready()
	r.stop = sync.OnceFunc(func() {
		cancel()
		ends.Wait()
		if err := written.Close(); err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(r.stop)
}

// named is the reader of a name, at the moment of connecting.
type named struct {
	system *testcards.System
	name   string
}

func (n named) Name() string { return n.name }

func (n named) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	r, err := n.system.Reader(n.name)
	if err != nil {
		return nil, err
	}
	return r.Connect(ctx, mode)
}

// client is a connection with what it was notified of.
type client struct {
	*dial.Conn
	t     testing.TB
	mu    sync.Mutex
	notes []string
	waits chan string // what operation.waiting says
}

func (r *rig) connect(t testing.TB, dialled func(...dial.Option) (*dial.Conn, error), o ...dial.Option) *client {
	t.Helper()
	c := &client{t: t, waits: make(chan string, 1000)}
	var err error
	c.Conn, err = dialled(append(o, dial.OnNotification(func(method string, params json.RawMessage) {
		c.mu.Lock()
		c.notes = append(c.notes, method+" "+string(params))
		c.mu.Unlock()
		var p struct{ For string }
		if json.Unmarshal(params, &p) == nil && method == "operation.waiting" {
			c.waits <- p.For
		}
	}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// site connects as a page of that origin does.
func (r *rig) site(t testing.TB, origin string) *client {
	t.Helper()
	return r.connect(t, func(o ...dial.Option) (*dial.Conn, error) {
		return dial.Loopback(t.Context(), r.address, "", append(o, dial.ForOrigin(origin))...)
	})
}

// socket connects as a program on the Unix socket does.
func (r *rig) socket(t testing.TB, o ...dial.Option) *client {
	t.Helper()
	return r.connect(t, func(o ...dial.Option) (*dial.Conn, error) { return dial.Unix(t.Context(), r.unix, o...) }, o...)
}

// program is one that is paired.
func (r *rig) program(t testing.TB, name string, ops ...access.Operation) *client {
	t.Helper()
	token, _, err := r.auth.Pair(name, "", ops)
	if err != nil {
		t.Fatal(err)
	}
	return r.socket(t, dial.WithToken(token))
}

// page is one of the agent's own pages, with a session.
func (r *rig) page(t testing.TB) *client {
	t.Helper()
	url, err := r.agent.PageURL("viewer")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(url, "#code=")
	c := r.site(t, "http://"+r.address)
	c.must("session.start", m{"code": code})
	return c
}

func (c *client) notified() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.notes, "\n")
}

// must is a request that succeeds.
func (c *client) must(method string, params any) m {
	c.t.Helper()
	var got m
	if err := c.Call(c.t.Context(), method, params, &got); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	return got
}

// refused is one that fails so; true if it does.
func (c *client) refused(method string, params any, codes ...protocol.Code) bool {
	c.t.Helper()
	var got m
	if err := c.Call(c.t.Context(), method, params, &got); err == nil || !slices.Contains(codes, protocol.CodeOf(err)) {
		c.t.Errorf("%s: %v, %v; want %v", method, got, err, codes)
		return false
	}
	return true
}

// untouched fails when a card got a command or lost a try.
func untouched(t testing.TB, chips ...*testcards.Card) {
	t.Helper()
	for _, c := range chips {
		if n := c.Stats().Commands; n != 0 || len(c.Exchanges()) != 0 || c.PINTries() != 3 {
			t.Errorf("the card got %d commands, %d tries are left: %X", n, c.PINTries(), c.Exchanges())
		}
	}
}

// noKey fails when a PIN was shown to a card, or a key used.
func noKey(t testing.TB, c *testcards.Card) {
	t.Helper()
	if has(c, insVerify) || has(c, insSign) || c.PINTries() != 3 {
		t.Errorf("a key was used: %X", c.Exchanges())
	}
}

// Instructions.
const (
	insVerify = 0x20
	insSign   = 0x2A
)

func has(c *testcards.Card, ins byte) bool {
	return slices.ContainsFunc(c.Exchanges(), func(e testcards.Exchange) bool { return len(e.Command) > 1 && e.Command[1] == ins })
}

// logged are the lines of the audit log of one client; "": of all.
func (r *rig) logged(t testing.TB, client string) []audit.Line {
	t.Helper()
	all, err := audit.Read(r.path("audit"), audit.Filter{Limit: -1, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(l audit.Line) bool { return l.Event == audit.EventBegin })
}

// wantLogged wants, of the client, an intent and this result as the last lines.
func (r *rig) wantLogged(t testing.TB, client, operation, result string) {
	t.Helper()
	all := r.logged(t, client)
	if n := len(all); n < 2 || all[n-2].Event != audit.EventIntent || all[n-2].Operation != operation || all[n-1].Event != audit.EventResult || all[n-1].Result != result {
		t.Errorf("the log has %+v, want %s of %s", all, result, operation)
	}
}

// wantNothingLogged wants no line of anybody.
func (r *rig) wantNothingLogged(t testing.TB) {
	t.Helper()
	if all := r.logged(t, ""); len(all) != 0 {
		t.Errorf("the log has %+v", all)
	}
}

// socketTo is a raw connection.
func socketTo(t testing.TB, network, address string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// dialRefused wants a site's handshake to be refused with that status.
func (r *rig) dialRefused(t testing.TB, origin string, status int) {
	t.Helper()
	c, err := dial.Loopback(t.Context(), r.address, "", dial.ForOrigin(origin))
	if err == nil {
		c.Close()
	}
	var refused *dial.HandshakeError
	if !errors.As(err, &refused) || refused.Status != status {
		t.Errorf("%s: %v, want %d", origin, err, status)
	}
}
