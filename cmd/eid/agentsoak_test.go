//go:build soak && linux

package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/vpcd"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

const (
	soakClients = 20                     // half of them sites, half programs
	soakResults = 1000                   // operations that were done; those that ended in an error are not counted
	soakPace    = 15                     // results between two strikes
	soakQuiet   = 300 * time.Millisecond // without a result, till all cards are put back
)

// mayFail are the errors that what happens to readers and cards may end in. Nothing else is ever answered.
var mayFail = []protocol.Code{protocol.CardRemoved, protocol.NoCard, protocol.NoReader, protocol.CardBusy, protocol.Busy, protocol.ReaderError}

// needRoot skips a test that is about processes of others, or dialogs that belong to root; in CI it fails.
func needRoot(t testing.TB) {
	t.Helper()
	switch {
	case os.Getuid() == 0:
	case os.Getenv("CI") == "true":
		t.Fatal("needs root")
	default:
		t.Skip("needs root")
	}
}

// world is what the clients' operations happen in.
type world interface {
	start() *process          // an agent
	strike(r *rand.Rand) bool // something happens to readers or cards
	calm()                    // all cards are back
	tries() map[string]int    // of all cards
}

// soak is twenty clients and what they heard.
type soak struct {
	t       *testing.T
	world   world
	holders map[string]cardHolder // by national number
	anchors *verify.Anchors
	issuers []*x509.Certificate // between them and the cards
	log     string              // folder of the audit log

	mu       sync.Mutex
	address  string        // of the agent; empty: it is down
	changed  chan struct{} // closed at the next answer, strike or start
	results  int
	good     map[string]int        // by method
	failed   map[protocol.Code]int // by code
	done     map[[2]string]int     // results by client and method: each has its line in the log
	purposes map[string]string     // of answered operations that named one: the client
	cards    map[string]string     // by cardId: whose it is, as the first answer said
	again    int                   // connections after the first of a client
	over     bool
}

// TestSoakAgentSimulated: readers and cards are simulated inside the agent's process.
func TestSoakAgentSimulated(t *testing.T) {
	names := []string{"citizen-1.8#11", "citizen-1.8#12", "citizen-1.7#13", "patient-ordinary"}
	s := newSoak(t, names)
	s.run(&simulatedWorld{s: s, names: names, pinentry: obliging(t), policy: policyFile(t, soakPolicy())})
}

// TestSoakAgentPCSC: `eid agent` on the machine's PC/SC service, with the cards outside its process.
func TestSoakAgentPCSC(t *testing.T) {
	names := []string{"citizen-1.8#11", "citizen-1.8#12", "citizen-1.7#13", "patient-ordinary"}
	daemon := pcscdtest.Start(t)
	s := newSoak(t, names)
	w := &pcscWorld{s: s, daemon: daemon, names: names, cards: map[string]*testcards.Card{}, pinentry: obliging(t), policy: policyFile(t, soakPolicy())}
	for _, name := range names {
		c, err := simulatedCard(name)
		if err != nil {
			t.Fatal(err)
		}
		w.cards[name] = c
	}
	w.calm()
	s.run(w)
}

// soakPolicy knows the twenty clients.
func soakPolicy() string {
	var b strings.Builder
	b.WriteString("unknown_origins = \"refuse\"\nunknown_programs = \"refuse\"\n")
	for i := range soakClients / 2 {
		fmt.Fprintf(&b, "[[site]]\norigin = %q\noperations = [\"readers\", \"identity\", \"insurability\", \"login\", \"sign.certificate\", \"sign.hash\", \"sign.document\", \"pin.status\"]\nfields = [\"all\"]\n", siteName(i))
		fmt.Fprintf(&b, "[[program]]\nname = %q\noperations = [\"readers\", \"identity\", \"insurability\"]\nfields = [\"all\"]\n", programName(i))
	}
	return b.String()
}

func siteName(i int) string    { return fmt.Sprintf("https://site-%d.example", i) }
func programName(i int) string { return fmt.Sprintf("Program %d", i) }

// newSoak sets up folders, trust and the insurers' services, with an open session.
func newSoak(t *testing.T, names []string) *soak {
	needRoot(t)
	counter := newCounter(t, "pharmacy")
	counter.open(t, titularCard)
	homes(t, true)
	s := &soak{t: t, holders: map[string]cardHolder{}, anchors: &verify.Anchors{}, log: filepath.Join(os.Getenv("XDG_STATE_HOME"), "eidkit", "audit"), changed: make(chan struct{}),
		good: map[string]int{}, failed: map[protocol.Code]int{}, done: map[[2]string]int{}, purposes: map[string]string{}, cards: map[string]string{}}
	roots := rootsOf(t, names...)
	code, out, errs := eid(t, "trust", "add", "--yes", roots)
	wantCode(t, exitOK, code, out, errs)
	for _, name := range names {
		h := holderOf(t, name)
		s.holders[h.number] = h
		sim, err := simulatedCard(name)
		if err != nil {
			t.Fatal(err)
		}
		s.anchors.Add(sim.Root())
		s.issuers = append(s.issuers, sim.PKI().CitizenCA.Certificate)
	}
	return s
}

// run has the clients work while things happen.
func (s *soak) run(w world) {
	t := s.t
	const seed = 6
	t.Logf("seed %d", seed)
	s.world = w
	random := rand.New(rand.NewPCG(seed, seed))
	authority, err := access.Open(access.Options{StateDir: filepath.Dir(s.log), PolicyPath: filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	tokens := make([]string, soakClients/2)
	for i := range tokens {
		if tokens[i], _, err = authority.Pair(programName(i), "", []access.Operation{access.OpReaders, access.OpIdentity, access.OpInsurability}); err != nil {
			t.Fatal(err)
		}
	}
	agent := w.start()
	defer func() {
		said := agent.kill()
		if t.Failed() {
			t.Logf("the agent said: %s", tail(said, 6000))
		}
	}()
	s.up(agent.address)
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	var clients sync.WaitGroup
	for i := range soakClients / 2 {
		site := &soakClient{s: s, name: siteName(i), random: rand.New(rand.NewPCG(seed, uint64(i)))}
		program := &soakClient{s: s, name: programName(i), token: tokens[i], random: rand.New(rand.NewPCG(seed, uint64(100+i)))}
		clients.Go(func() { site.work(ctx) })
		clients.Go(func() { program.work(ctx) })
	}
	kills, strikes := 0, 0
	for at := soakPace; s.await(ctx, at); at += soakPace {
		if random.IntN(4) > 0 {
			if w.strike(random) {
				strikes++
			}
		} else {
			kills++
			s.up("")
			agent.kill()
			s.checkLog()
			agent = w.start()
			s.up(agent.address)
		}
		s.stir()
	}
	w.calm()
	s.stop()
	clients.Wait()
	for name, left := range w.tries() {
		if left != 3 {
			t.Errorf("%s has %d PIN tries left", name, left)
		}
	}
	agent.kill()
	s.checkLog()
	s.judge(kills, strikes)
}

// judge looks whether enough happened to mean anything.
func (s *soak) judge(kills, strikes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Logf("%d results %v, errors %v; %d kills of the agent, %d other strikes, %d reconnections, %d insertions", s.results, s.good, s.failed,
		kills, strikes, s.again, len(s.cards))
	if s.results < soakResults || kills < 4 || s.again < soakClients {
		s.t.Error("too little happened to mean anything")
	}
	for _, o := range operationsOf("") {
		if o.method != "cancel" && s.good[o.method] < 5 {
			s.t.Errorf("%s had %d results", o.method, s.good[o.method])
		}
	}
}

// up tells the clients where the agent is; empty: nowhere.
func (s *soak) up(address string) {
	s.mu.Lock()
	s.address = address
	s.mu.Unlock()
	s.stir()
}

func (s *soak) stir() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *soak) stop() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.stir()
}

// await waits for so many results, and has the world calm down while none come; false: it is enough, or time is up, which is a fault.
func (s *soak) await(ctx context.Context, results int) bool {
	quiet := time.NewTimer(soakQuiet)
	defer quiet.Stop()
	for {
		s.mu.Lock()
		now, changed := s.results, s.changed
		s.mu.Unlock()
		switch {
		case s.t.Failed() || now >= soakResults:
			return false
		case now >= results:
			return true
		}
		select {
		case <-changed:
		case <-quiet.C:
			s.world.calm()
			quiet.Reset(soakQuiet)
		case <-ctx.Done():
			s.t.Errorf("after %d results nothing comes any more", now)
			return false
		}
	}
}

// checkLog looks at the log of an agent that was killed: nothing is wrong with it, and every result that a client has heard is in it.
func (s *soak) checkLog() {
	s.t.Helper()
	code, out, errs := eid(s.t, "audit", "verify")
	if code != exitOK {
		s.t.Errorf("eid audit verify: %d %s%s", code, out, errs)
	}
	lines, err := audit.Read(s.log, audit.Filter{Limit: -1})
	if err != nil {
		s.t.Fatal(err)
	}
	intents := map[uint64]audit.Line{}
	written, named := map[[2]string]int{}, map[string]string{}
	for _, l := range lines {
		switch {
		case l.Event == audit.EventIntent:
			intents[l.Seq] = l
		case l.Event == audit.EventResult && l.Result == "done":
			of := intents[l.Intent]
			written[[2]string{of.Client, of.Method}]++
			named[of.Purpose] = of.Client
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for what, n := range s.done {
		if written[what] < n {
			s.t.Errorf("%s: %d results of %s were answered, %d are in the log", what[0], n, what[1], written[what])
		}
	}
	for purpose, client := range s.purposes {
		if named[purpose] != client {
			s.t.Errorf("%q of %s was answered and has no line of its result", purpose, client)
		}
	}
}

// simulatedWorld has its readers in the agent.
type simulatedWorld struct {
	s                *soak
	names            []string
	pinentry, policy string
	port             uint16
	agent            *process
	inside           [2]string // cards; empty: none
	out, stopped     bool      // of the second reader, of the service
}

var simulatedSlots = []string{"Soak reader A", "Soak reader B"}

func (w *simulatedWorld) start() *process {
	t := w.s.t
	t.Helper()
	cmd, err := simulatedAgent(simulationOptions{Port: w.port, Policy: w.policy, Pinentry: w.pinentry, Cards: map[string]string{simulatedSlots[0]: w.names[0], simulatedSlots[1]: w.names[3]}})
	if err != nil {
		t.Fatal(err)
	}
	if w.agent, err = launch(cmd); err != nil {
		t.Fatal(err)
	}
	w.port, w.out, w.stopped = portOf(t, w.agent.address), false, false
	w.inside = [2]string{w.names[0], w.names[3]}
	return w.agent
}

func portOf(t testing.TB, address string) (port uint16) {
	t.Helper()
	if _, err := fmt.Sscanf(address, "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}

func (w *simulatedWorld) tell(line string) map[string]int {
	tries, err := w.agent.obey(line)
	if err != nil {
		w.s.t.Errorf("%s: %v", line, err)
	}
	return tries
}

// put puts a card into a reader, in the place of the one that is there; no name: none.
func (w *simulatedWorld) put(slot int, name string) {
	if name != "" && w.inside[1-slot] == name {
		return // it is in the other reader
	}
	w.tell("insert " + simulatedSlots[slot] + "|" + name)
	w.inside[slot] = name
}

func (w *simulatedWorld) strike(r *rand.Rand) bool {
	slot, name := r.IntN(2), w.names[r.IntN(len(w.names))]
	switch what := r.IntN(10); {
	case w.out || w.stopped || w.inside == [2]string{}:
		w.calm()
		return false
	case what < 4:
		w.put(slot, name)
	case what < 6:
		w.put(slot, "")
	case what < 8:
		w.tell("unplug " + simulatedSlots[1])
		w.out = true
	default:
		w.tell("stop")
		w.stopped = true
	}
	return true
}

func (w *simulatedWorld) calm() {
	if w.stopped {
		w.tell("start")
	}
	if w.out {
		w.tell("plug " + simulatedSlots[1])
	}
	w.out, w.stopped = false, false
	for slot, name := range w.inside {
		if name == "" {
			w.put(slot, w.names[3*slot])
		}
	}
}

func (w *simulatedWorld) tries() map[string]int { return w.tell("tries") }

// pcscWorld has the cards in this process, in two slots of the PC/SC service.
type pcscWorld struct {
	s                *soak
	daemon           *pcscdtest.Daemon
	names            []string
	cards            map[string]*testcards.Card
	links            [2]*vpcd.Link
	inside           [2]string
	pinentry, policy string
	port             uint16
}

func (w *pcscWorld) start() *process {
	w.s.t.Helper()
	p, err := launch(eidAgent("--port", fmt.Sprint(w.port), "--developer", "--policy", w.policy, "--pinentry", w.pinentry))
	if err != nil {
		w.s.t.Fatal(err)
	}
	w.port = portOf(w.s.t, p.address)
	return p
}

func (w *pcscWorld) put(slot int, name string) {
	w.take(slot)
	if other := 1 - slot; w.links[other] != nil && w.inside[other] == name {
		return // it is in the other reader
	}
	w.links[slot], w.inside[slot] = w.daemon.Insert(w.s.t, slot, w.cards[name]), name
}

func (w *pcscWorld) take(slot int) {
	if w.links[slot] != nil {
		w.daemon.Remove(w.s.t, slot, w.links[slot])
		w.links[slot] = nil
	}
}

func (w *pcscWorld) strike(r *rand.Rand) bool {
	slot, name := r.IntN(2), w.names[r.IntN(len(w.names))]
	switch what := r.IntN(10); {
	case what < 4:
		w.put(slot, name)
	case what < 6:
		w.take(slot)
	case what < 8 && w.daemon.Own():
		w.daemon.Kill(w.s.t)
		w.links = [2]*vpcd.Link{}
		w.daemon.StartAgain(w.s.t)
		w.calm()
	default:
		w.calm()
		return false
	}
	return true
}

func (w *pcscWorld) calm() {
	for slot := range w.links {
		if w.links[slot] == nil {
			w.put(slot, w.names[3*slot])
		}
	}
}

func (w *pcscWorld) tries() map[string]int {
	left := map[string]int{}
	for name, c := range w.cards {
		left[name] = c.PINTries()
	}
	return left
}

// soakClient is a site or a program.
type soakClient struct {
	s      *soak
	name   string
	token  string // of a program
	random *rand.Rand

	conn    *dial.Conn
	waiting chan json.RawMessage // IDs of requests that wait for something
	cards   []string             // as readers.list said last
	serial  int
}

// soakOperation is one kind of operation: its share of all, and what is right about the answer.
type soakOperation struct {
	method string
	share  int
	do     func(c *soakClient, ctx context.Context, card string) error
}

// operationsOf are those of a client: programs have fewer.
func operationsOf(token string) []soakOperation {
	all := []soakOperation{{"readers.list", 4, (*soakClient).readers}, {"identity.read", 5, (*soakClient).identity}, {"insurability.read", 3, (*soakClient).insured},
		{"cancel", 2, (*soakClient).cancel}}
	if token != "" {
		return all
	}
	return append(all, soakOperation{"auth.login", 5, (*soakClient).login}, soakOperation{"sign.hash", 5, (*soakClient).signHash},
		soakOperation{"sign.document", 4, (*soakClient).signDocument}, soakOperation{"pin.status", 4, (*soakClient).pin})
}

// work does operations until it is enough.
func (c *soakClient) work(ctx context.Context) {
	defer func() {
		if c.conn != nil {
			c.conn.Close()
		}
	}()
	all := operationsOf(c.token)
	var deck []soakOperation
	for _, o := range all {
		for range o.share {
			deck = append(deck, o)
		}
	}
	for c.connected(ctx) {
		o, card := deck[c.random.IntN(len(deck))], ""
		look := len(c.cards) == 0 // first: that does not count
		if look {
			o = all[0]
		} else {
			card = c.cards[c.random.IntN(len(c.cards))]
		}
		err := o.do(c, ctx, card)
		var fault *protocol.Error
		switch {
		case errors.Is(err, errWrong):
			c.s.t.Errorf("%s: %s: %v", c.name, o.method, err)
		case errors.As(err, &fault):
			if !slices.Contains(mayFail, fault.Code) && o.method != "cancel" {
				c.s.t.Errorf("%s: %s: %v", c.name, o.method, err)
			}
			c.cards = nil
			c.s.heard(o.method, fault.Code)
			c.pause(ctx)
		case err != nil: // the connection broke
			c.conn.Close()
			c.conn, c.cards = nil, nil
		case !look:
			c.s.heard(o.method, "")
		}
	}
}

// pause waits for something to happen, but not for long: it may have happened already.
func (c *soakClient) pause(ctx context.Context) {
	c.s.mu.Lock()
	changed := c.s.changed
	c.s.mu.Unlock()
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// connected sees that there is a connection; false: it is enough.
func (c *soakClient) connected(ctx context.Context) bool {
	for {
		c.s.mu.Lock()
		address, over, changed := c.s.address, c.s.over, c.s.changed
		c.s.mu.Unlock()
		if over || ctx.Err() != nil {
			return false
		}
		if c.conn != nil {
			return true
		}
		if address != "" && c.connect(ctx, address) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (c *soakClient) connect(ctx context.Context, address string) bool {
	waiting := make(chan json.RawMessage, 16)
	notify := dial.OnNotification(func(method string, params json.RawMessage) {
		var p struct{ ID json.RawMessage }
		if method == "operation.waiting" && json.Unmarshal(params, &p) == nil {
			select {
			case waiting <- p.ID:
			default:
			}
		}
	})
	more := []dial.Option{notify}
	if c.token == "" {
		more = append(more, dial.ForOrigin(c.name))
	}
	conn, err := dial.Loopback(ctx, address, c.token, more...)
	var refused *dial.HandshakeError
	switch {
	case errors.As(err, &refused):
		c.s.t.Errorf("%s: %v", c.name, err)
		return false
	case err != nil: // it was killed meanwhile
		return false
	}
	if c.waiting != nil {
		c.s.mu.Lock()
		c.s.again++
		c.s.mu.Unlock()
	}
	c.conn, c.waiting, c.cards = conn, waiting, nil
	return true
}

// heard counts an answer: a result, or an error.
func (s *soak) heard(method string, code protocol.Code) {
	s.mu.Lock()
	if code == "" {
		s.results++
		s.good[method]++
	} else {
		s.failed[code]++
	}
	s.mu.Unlock()
	s.stir()
}

// call notes a result, for which there has to be a line in the log from then on.
func (c *soakClient) call(ctx context.Context, method string, params map[string]any, result any) error {
	purpose := ""
	if method == "identity.read" || method == "insurability.read" || method == "sign.document" {
		c.serial++
		purpose = fmt.Sprintf("soak %s %d", strings.ReplaceAll(c.name, "https://", ""), c.serial)
		params["purpose"] = purpose
	}
	if err := c.conn.Call(ctx, method, params, result); err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.done[[2]string{c.name, method}]++
	if purpose != "" {
		c.s.purposes[purpose] = c.name
	}
	return nil
}

// errWrong is an answer that is not right.
var errWrong = errors.New("wrong answer")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errWrong}, args...)...)
}

// belongs checks that a card is always the same person's, and somebody's that there is.
func (s *soak) belongs(card, number string) (cardHolder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, known := s.holders[number]
	if !known {
		return h, wrong("nobody has the number %q", number)
	}
	if before, ok := s.cards[card]; ok && before != number {
		return h, wrong("the card %s was of %s, now of %s", card, before, number)
	}
	s.cards[card] = number
	return h, nil
}

func (c *soakClient) readers(ctx context.Context, _ string) error {
	var got struct {
		Readers []struct {
			Name string
			Card *struct{ CardID, Kind string }
		}
	}
	if err := c.call(ctx, "readers.list", map[string]any{}, &got); err != nil {
		return err
	}
	c.cards = nil
	for _, r := range got.Readers {
		if r.Card != nil && r.Card.Kind == "eid" {
			c.cards = append(c.cards, r.Card.CardID)
		}
	}
	if len(got.Readers) > 2 {
		return wrong("%+v", got)
	}
	if len(c.cards) == 0 {
		c.pause(ctx)
	}
	return nil
}

func (c *soakClient) identity(ctx context.Context, card string) error {
	var got struct {
		CardID   string
		Identity map[string]string
		Verified map[string]struct{ Status string }
		TestCard bool
	}
	if err := c.call(ctx, "identity.read", map[string]any{"cardId": card, "fields": []string{"surname", "givenNames", "nationalNumber"}}, &got); err != nil {
		return err
	}
	h, err := c.s.belongs(card, digits(got.Identity["nationalNumber"]))
	if err == nil && (got.CardID != card || got.Identity["surname"] != h.surname || got.Identity["givenNames"] != h.given || len(got.Identity) != 3 ||
		got.Verified["identity"].Status != "held" || got.Verified["chain"].Status != "held" || !got.TestCard) {
		err = wrong("%+v, the card is %s's", got, h.surname)
	}
	return err
}

func (c *soakClient) insured(ctx context.Context, card string) error {
	var got struct {
		Status string
		Asked  struct{ NationalNumber string }
		Test   bool
	}
	if err := c.call(ctx, "insurability.read", map[string]any{"cardId": card}, &got); err != nil {
		return err
	}
	h, err := c.s.belongs(card, got.Asked.NationalNumber)
	if err == nil && (h.patient != (got.Status == "INSURED") || !got.Test || !h.patient && got.Status != "UNKNOWN") {
		err = wrong("%+v, the card is %s's", got, h.surname)
	}
	return err
}

func (c *soakClient) login(ctx context.Context, card string) error {
	nonce := weblogin.NewNonce()
	var got struct {
		Token  json.RawMessage
		CardID string
	}
	if err := c.call(ctx, "auth.login", map[string]any{"cardId": card, "challengeNonce": nonce}, &got); err != nil {
		return err
	}
	who, err := weblogin.Validate(ctx, got.Token, nonce, weblogin.Options{Origin: c.name, Anchors: c.s.anchors, Intermediates: c.s.issuers, Mode: weblogin.SkipRevocation})
	if err != nil {
		return wrong("%v", err)
	}
	_, err = c.s.belongs(card, who.NISS)
	return err
}

func (c *soakClient) signHash(ctx context.Context, card string) error {
	var given struct{ Certificate []byte }
	if err := c.call(ctx, "sign.certificate", map[string]any{"cardId": card}, &given); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(c.name + fmt.Sprint(c.random.Uint64())))
	var got struct{ Signature []byte }
	if err := c.call(ctx, "sign.hash", map[string]any{"cardId": card, "certificate": given.Certificate, "hash": digest[:], "hashFunction": "SHA-256"}, &got); err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(given.Certificate)
	if err != nil {
		return wrong("%v", err)
	}
	if !holds(cert, digest[:], got.Signature) {
		return wrong("the signature does not hold")
	}
	return c.s.signedBy(card, given.Certificate)
}

// signedBy checks that a certificate is that of the card.
func (s *soak) signedBy(card string, certificate []byte) error {
	for number, h := range s.holders {
		if bytes.Equal(h.signing, certificate) {
			_, err := s.belongs(card, number)
			return err
		}
	}
	return wrong("nobody has that certificate")
}

func holds(cert *x509.Certificate, digest, signature []byte) bool {
	switch pub := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest, signature) == nil
	case *ecdsa.PublicKey:
		n := len(signature) / 2
		return n == 48 && ecdsa.Verify(pub, digest, new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
	}
	return false
}

func (c *soakClient) signDocument(ctx context.Context, card string) error {
	text := []byte(fmt.Sprintf("declaration %d of %s\n", c.random.Uint64(), c.name))
	d, err := c.conn.Send(ctx, "declaration.txt", "text/plain", int64(len(text)), bytes.NewReader(text))
	if err != nil {
		return err
	}
	var got struct {
		DocumentID protocol.DocumentID
		SHA256     string
	}
	err = c.call(ctx, "sign.document", map[string]any{"cardId": card, "documentIds": []any{d.ID}, "format": "cades", "level": "b"}, &got)
	if err != nil {
		_ = c.conn.Call(ctx, "document.close", map[string]any{"documentId": d.ID}, nil) // the connection may be over
		return err
	}
	var signed bytes.Buffer
	if err := c.conn.Fetch(ctx, got.DocumentID, &signed); err != nil {
		return err
	}
	for _, id := range []protocol.DocumentID{d.ID, got.DocumentID} {
		if err := c.conn.Call(ctx, "document.close", map[string]any{"documentId": id}, nil); err != nil {
			return err
		}
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(signed.Bytes())); sum != got.SHA256 {
		return wrong("the signed document has the digest %s, not %s", sum, got.SHA256)
	}
	var v verify.Verifier
	defer v.Close()
	r, err := v.File(ctx, bytes.NewReader(signed.Bytes()), int64(signed.Len()), verify.Options{Anchors: c.s.anchors, Offline: true})
	if err != nil || len(r.Signatures) != 1 || !r.Signatures[0].CryptographicallyValid || !bytes.Contains(signed.Bytes(), text) {
		return wrong("%v %+v", err, r)
	}
	_, err = c.s.belongs(card, r.Signatures[0].Signer.NISS)
	return err
}

func (c *soakClient) pin(ctx context.Context, card string) error {
	var got struct{ TriesLeft *int }
	if err := c.call(ctx, "pin.status", map[string]any{"cardId": card}, &got); err != nil {
		return err
	}
	if got.TriesLeft != nil && *got.TriesLeft != 3 {
		return wrong("%d tries are left", *got.TriesLeft)
	}
	return nil
}

// cancel begins something and thinks better of it: when it waits for somebody, or at once.
func (c *soakClient) cancel(ctx context.Context, card string) error {
	for len(c.waiting) > 0 {
		<-c.waiting
	}
	method, params := "identity.read", map[string]any{"cardId": card, "fields": []string{"surname"}}
	if c.token == "" {
		method, params = "auth.login", map[string]any{"cardId": card, "challengeNonce": weblogin.NewNonce()}
	}
	if c.random.IntN(2) == 0 {
		short, cancel := context.WithCancel(ctx)
		cancel()
		if err := c.conn.Call(short, method, params, nil); !errors.Is(err, context.Canceled) {
			return err
		}
		return ctx.Err()
	}
	ended := make(chan error, 1)
	go func() { ended <- c.conn.Call(ctx, method, params, nil) }()
	select {
	case id := <-c.waiting:
		var got struct{ Cancelled bool }
		if err := c.conn.Call(ctx, "operation.cancel", map[string]any{"id": id}, &got); err != nil {
			<-ended
			return err
		}
		return <-ended
	case err := <-ended:
		return err
	}
}
