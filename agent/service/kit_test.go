//go:build unix

package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/spool"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/assurability"
)

const siteOrigin = "https://site.example"

// askingPolicy has everybody asked about everything; namedPolicy names a site and a program.
const (
	askingPolicy = ``
	namedPolicy  = `
[[site]]
origin = "https://named.example"
operations = ["identity", "insurability", "readers", "sign.certificate", "pin.status", "verify"]
fields = ["surname", "nationalNumber"]

[[program]]
name = "pharmacy"
operations = ["insurability"]
free_numbers = { per_minute = 2, per_day = 10 }
`
)

// person is who sits at the computer: he allows everything and types the right
// PIN unless a test says otherwise.
type person struct {
	*desk.Desk // for PINs, typed in a program of the test
	answers    string
	told       string

	mu       sync.Mutex
	consents []desk.Consent
	choices  []desk.Choice
	consent  func(desk.Consent) (desk.Answer, error)
	choose   func(desk.Choice) (int, error)
}

// pinentryScript stands for a pinentry program: its answers are lines of a file, each for one dialog.
const pinentryScript = `#!/bin/sh
answer() {
	line=$(head -n 1 "%[1]s")
	sed -i 1d "%[1]s"
	case "$line" in
	wrong) echo "D 4321"; echo OK ;;
	cancel) echo "ERR 83886179 Operation cancelled" ;;
	ok) echo OK ;;
	*) echo "D %[2]s"; echo OK ;;
	esac
}
echo OK
while read -r line; do
	echo "$line" >>"%[3]s"
	case "$line" in
	GETPIN*) answer ;;
	CONFIRM*) answer ;;
	BYE*) echo OK; exit 0 ;;
	*) echo OK ;;
	esac
done
`

func newPerson(t testing.TB) *person {
	t.Helper()
	dir := t.TempDir()
	p := &person{answers: filepath.Join(dir, "answers"), told: filepath.Join(dir, "told")}
	program := filepath.Join(dir, "pinentry")
	script := fmt.Sprintf(pinentryScript, p.answers, testcards.PIN, p.told)
	syscall.ForkLock.RLock() // a process begun meanwhile would hold the file open for writing, and nobody could run it (ETXTBSY)
	err := errors.Join(os.WriteFile(p.answers, nil, 0o600), os.WriteFile(p.told, nil, 0o600), os.WriteFile(program, []byte(script), 0o700))
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	p.Desk = desk.New(desk.Options{Dialog: pinentry.Dialog{Program: program}, Language: "en", Timeout: time.Minute})
	return p
}

// types has the person answer the next PIN dialogs so: right, wrong, cancel, or ok to a question.
func (p *person) types(t *testing.T, answers ...string) {
	t.Helper()
	if err := os.WriteFile(p.answers, []byte(strings.Join(answers, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// heard is what the dialogs said.
func (p *person) heard(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(p.told)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (p *person) Consent(ctx context.Context, c desk.Consent) (desk.Answer, error) {
	p.mu.Lock()
	p.consents = append(p.consents, c)
	answer := p.consent
	p.mu.Unlock()
	if answer != nil {
		return answer(c)
	}
	return desk.Answer{Allowed: true}, ctx.Err()
}

func (p *person) Choose(_ context.Context, c desk.Choice) (int, error) {
	p.mu.Lock()
	p.choices = append(p.choices, c)
	choose := p.choose
	p.mu.Unlock()
	if choose != nil {
		return choose(c)
	}
	return 0, nil
}

func (p *person) asked() []desk.Consent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.consents)
}

// benchQuota is that of a bench's documents, in bytes.
const benchQuota = 64 << 20

// bench is an agent without its server, over simulated readers.
type bench struct {
	*Service
	t        testing.TB
	system   *testcards.System
	person   *person
	auth     *access.Authority
	store    *spool.Store
	anchors  *verify.Anchors
	insurer  *insurer
	auditDir string
	audit    *audit.Log

	mu     sync.Mutex
	notes  []note
	left   int    // commands until strike is run
	strike func() // nil: nothing is to happen
}

type note struct {
	method string
	params map[string]any
}

func newBench(t testing.TB, policy string, chips ...testcards.Chip) *bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, system: &testcards.System{}, person: newPerson(t), anchors: &verify.Anchors{}, auditDir: filepath.Join(dir, "audit"),
		insurer: &insurer{}}
	policyPath := filepath.Join(dir, "policy.toml")
	if err := os.WriteFile(policyPath, []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	if b.auth, err = access.Open(access.Options{PolicyPath: policyPath, StateDir: filepath.Join(dir, "state"), OwnerUID: os.Geteuid()}); err != nil {
		t.Fatal(err)
	}
	if err := b.auth.PolicyError(); err != nil {
		t.Fatal(err)
	}
	if b.store, err = spool.New(filepath.Join(dir, "documents"), benchQuota); err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(audit.Options{Dir: b.auditDir, Host: "here", User: "user"})
	if err != nil {
		t.Fatal(err)
	}
	b.audit = log
	t.Cleanup(func() { log.Close() })
	for i, c := range chips {
		b.insert(fmt.Sprintf("Reader %d", i+1), c)
	}
	hub := b.runHub()
	b.Service, err = New(Options{Hub: hub, Gate: gate.New(b.auth, b.person, log), Desk: b.person, Authority: b.auth, Anchors: b.anchors,
		Log:       func(f audit.Filter) ([]audit.Line, error) { return audit.Read(b.auditDir, f) },
		Insurance: b.insurer, Language: "en", Version: "0",
		SignOptions: b.signOptions})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) runHub() *cards.Hub {
	hub := cards.New(cards.Options{System: b.system, Open: func(name string) card.Reader { return named{b.system, name, b.command} },
		Roles: map[string]string{"Patient": "patient"}})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := hub.Run(ctx); !errors.Is(err, context.Canceled) {
			b.t.Error(err)
		}
	}()
	b.t.Cleanup(func() { stop(); <-done })
	<-hub.Ready()
	return hub
}

// named is the reader of a name, at the moment of connecting.
type named struct {
	system  *testcards.System
	name    string
	command func() // before each
}

func (n named) Name() string { return n.name }

func (n named) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	r, err := n.system.Reader(n.name)
	if err != nil {
		return nil, err
	}
	tr, err := r.Connect(ctx, mode)
	if err != nil {
		return nil, err
	}
	return struck{tr, n.command}, nil
}

// struck is a connection with something before each command.
type struck struct {
	card.Transport
	command func()
}

func (s struck) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	s.command()
	return s.Transport.Transmit(ctx, command)
}

// strikeAt has do run just before the nth command from now on.
func (b *bench) strikeAt(n int, do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left, b.strike = n, do
}

func (b *bench) command() {
	b.mu.Lock()
	do := b.strike
	if b.left--; b.left > 0 {
		do = nil
	}
	if do != nil {
		b.strike = nil
	}
	b.mu.Unlock()
	if do != nil {
		do()
	}
}

// insert puts a card into a new reader.
func (b *bench) insert(reader string, c testcards.Chip) *testcards.Reader {
	return b.insertWith(reader, c, testcards.ReaderOptions{})
}

func (b *bench) insertWith(reader string, c testcards.Chip, o testcards.ReaderOptions) *testcards.Reader {
	r := testcards.NewReader(reader, o)
	r.Insert(c)
	b.system.AddReader(r)
	if eid, ok := c.(*testcards.Card); ok {
		b.anchors.Add(eid.Root())
	}
	return r
}

// cardID waits for the card in a reader.
func (b *bench) cardID(reader string) string {
	b.t.Helper()
	changed := make(chan struct{}, 100)
	now, stop := b.o.Hub.Subscribe(func(cards.Event) { changed <- struct{}{} })
	defer stop()
	for {
		for _, r := range now {
			if r.Name == reader && r.Card != nil {
				return r.Card.ID
			}
		}
		<-changed
		now = b.o.Hub.Readers()
	}
}

// changed is closed when there are readers.
func (b *bench) changed() <-chan struct{} {
	changed := make(chan struct{})
	once := sync.OnceFunc(func() { close(changed) })
	now, stop := b.o.Hub.Subscribe(func(cards.Event) { once() })
	b.t.Cleanup(stop)
	if len(now) > 0 {
		once()
	}
	return changed
}

// gone waits till a card has left.
func (b *bench) gone(id string) { <-b.o.Hub.Gone(id) }

func (b *bench) site(origin string) access.Client {
	b.t.Helper()
	o, err := access.ParseOrigin(origin)
	if err != nil {
		b.t.Fatal(err)
	}
	return access.Client{Kind: access.Site, Origin: o, User: "user", Session: "s-" + origin}
}

func (b *bench) page() access.Client {
	return access.Client{Kind: access.Page, User: "user", Session: "page"}
}

// program is a paired program.
func (b *bench) program(name string, ops ...access.Operation) access.Client {
	b.t.Helper()
	_, p, err := b.auth.Pair(name, "", ops)
	if err != nil {
		b.t.Fatal(err)
	}
	return access.Client{Kind: access.Program, Name: name, PairingID: p.ID, User: "user", Session: "program"}
}

// call is a request of a client, with a shelf of its own.
func (b *bench) call(c access.Client, params any) *Call {
	b.t.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	shelf := b.store.Shelf()
	b.t.Cleanup(shelf.Close)
	return &Call{ID: `"r1"`, Client: c, Params: raw, Documents: shelf, Notify: b.notify}
}

func (b *bench) notify(method string, params any) {
	raw, err := json.Marshal(params)
	if err != nil {
		b.t.Error(err)
	}
	n := note{method: method}
	if err := json.Unmarshal(raw, &n.params); err != nil {
		b.t.Error(err)
	}
	b.checkSchema("notification."+method, raw)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, n)
}

// waits are what operation.waiting has told so far.
func (b *bench) waits() (list []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.notes {
		if n.method == "operation.waiting" {
			list = append(list, n.params["for"].(string))
		}
	}
	return list
}

type (
	m          = map[string]any
	cardsEvent = cards.Event
)

// do makes a request. Parameters and result are held against docs/schema/agent.json.
func (b *bench) do(c access.Client, method string, params any) (m, error) {
	b.t.Helper()
	return b.doCall(b.t.Context(), b.call(c, params), method)
}

func (b *bench) doCall(ctx context.Context, call *Call, method string) (m, error) {
	b.t.Helper()
	result, err := b.Methods()[method](ctx, call)
	if err != nil {
		var known *protocol.Error
		if !errors.As(err, &known) && !errors.Is(err, context.Canceled) {
			b.t.Errorf("%s: %v is no error of the protocol", method, err)
		}
		return nil, err
	}
	b.checkSchema(method+".params", call.Params)
	if result == nil {
		result = struct{}{}
	}
	raw, err := json.Marshal(result)
	if err != nil {
		b.t.Fatal(err)
	}
	b.checkSchema(method+".result", raw)
	var got m
	if err := json.Unmarshal(raw, &got); err != nil {
		b.t.Fatal(err)
	}
	return got, nil
}

// must is do that succeeds.
func (b *bench) must(c access.Client, method string, params any) m {
	b.t.Helper()
	got, err := b.do(c, method, params)
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	return got
}

// refused is do that fails, and the test too if it does not fail so.
func (b *bench) refused(c access.Client, method string, params any, code protocol.Code) {
	b.t.Helper()
	got, err := b.do(c, method, params)
	if err == nil || protocol.CodeOf(err) != code {
		b.t.Errorf("%s %v: %v, %v; want %s", method, params, got, err, code)
	}
}

// untouched fails when a card got a command, lost a try, or a connection stayed.
func untouched(t *testing.T, chips ...*testcards.Card) {
	t.Helper()
	for _, c := range chips {
		if n := c.Stats().Commands; n != 0 {
			t.Errorf("the card got %d commands: %X", n, c.Exchanges())
		}
		if n := c.PINTries(); n != 3 {
			t.Errorf("%d tries are left", n)
		}
	}
}

// has tells whether a card got a command with this instruction.
func has(c *testcards.Card, ins byte) bool {
	return slices.ContainsFunc(c.Exchanges(), func(e testcards.Exchange) bool { return len(e.Command) > 1 && e.Command[1] == ins })
}

// Instructions.
const (
	insVerify  = 0x20
	insSign    = 0x2A
	insLogOff  = 0xE6
	insInitial = 0xE4 // GET CARD DATA
)

func keys(v any) []string {
	if v == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(v.(m)))
}

// insurer answers in place of the network; testcards/insurers plays it in whole elsewhere.
type insurer struct {
	mu    sync.Mutex
	asked []assurability.Question
	err   error
	with  func(assurability.Question) *assurability.Answer
}

func (i *insurer) Ask(_ context.Context, q assurability.Question) (*assurability.Answer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, q)
	if i.err != nil {
		return nil, i.err
	}
	if i.with != nil {
		return i.with(q), nil
	}
	return &assurability.Answer{Status: assurability.Insured, Tariff: assurability.Ordinary, Service: assurability.GenIns, From: assurability.Today(time.Now()),
		Until: assurability.Today(time.Now()), Time: time.Now(), Person: assurability.Person{NISS: q.Patient.NISS, Surname: "Peeters"},
		References: assurability.References{Input: "20260101000000"}}, nil
}
