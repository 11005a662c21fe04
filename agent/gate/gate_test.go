package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
)

const rules = `
[[site]]
origin = "https://known.example"
operations = ["login", "readers"]
`

// asker answers as a test says.
type asker struct {
	asked  int
	answer desk.Answer
	during func() // while the question is open; nil: nothing
}

func (a *asker) Consent(context.Context, desk.Consent) (desk.Answer, error) {
	a.asked++
	if a.during != nil {
		a.during()
	}
	return a.answer, nil
}

// newGate is a gate whose time the test has.
func newGate(t *testing.T) (g *Gate, who *asker, dir string, now *time.Time) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "policy.toml"), []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	authority, err := access.Open(access.Options{PolicyPath: filepath.Join(dir, "policy.toml"), StateDir: filepath.Join(dir, "state"), OwnerUID: os.Geteuid()})
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.PolicyError(); err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(audit.Options{Dir: filepath.Join(dir, "audit"), Host: "h", User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	who, at := &asker{}, time.Now()
	g = New(authority, who, log)
	g.now = func() time.Time { return at }
	return g, who, filepath.Join(dir, "audit"), &at
}

func site(t *testing.T, origin string) access.Client {
	t.Helper()
	o, err := access.ParseOrigin(origin)
	if err != nil {
		t.Fatal(err)
	}
	return access.Client{Kind: access.Site, Origin: o, Session: "s"}
}

func written(t *testing.T, dir string) int {
	t.Helper()
	all, err := audit.Read(dir, audit.Filter{Limit: -1})
	if err != nil {
		t.Fatal(err)
	}
	return len(all) - 1 // the first says that the log begins
}

// TestRefusalsComeBack: a client's refusals are written so many at once, then one
// line that there were more, and one each so often; what is allowed is not touched.
func TestRefusalsComeBack(t *testing.T) {
	t.Parallel()
	g, who, dir, now := newGate(t)
	refused := Request{Request: access.Request{Client: site(t, "https://stranger.example"), Operation: access.OpIdentity, Fields: []string{"no such field"}}}
	enter := func(r Request, want protocol.Code) {
		t.Helper()
		if _, err := g.Enter(t.Context(), r); protocol.CodeOf(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for range refusalsAtOnce {
		enter(refused, protocol.NotAuthorised)
	}
	for range 1000 {
		enter(refused, protocol.RateLimited)
	}
	asked := refused
	asked.Fields = []string{"surname"}
	enter(asked, protocol.RateLimited)
	if n := written(t, dir); n != 2*(refusalsAtOnce+1) || who.asked != 0 {
		t.Errorf("%d lines, %d questions", n, who.asked)
	}
	if err := g.Question(refused.Client, func() error { t.Error("asked all the same"); return nil }); protocol.CodeOf(err) != protocol.RateLimited {
		t.Errorf("got %v", err)
	}
	pass, err := g.Enter(t.Context(), Request{Request: access.Request{Client: site(t, "https://known.example"), Operation: access.OpReaders}})
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Done(audit.Outcome{}, nil); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(refusalEach)
	who.answer.Allowed = true
	pass, err = g.Enter(t.Context(), asked) // one came back, and a yes costs none
	if err != nil {
		t.Fatal(err)
	}
	if err := pass.Done(audit.Outcome{}, nil); err != nil {
		t.Fatal(err)
	}
	enter(refused, protocol.NotAuthorised)
	enter(refused, protocol.RateLimited)
	*now = now.Add(time.Hour)
	for range refusalsAtOnce {
		enter(refused, protocol.NotAuthorised)
	}
	enter(refused, protocol.RateLimited)
}

// TestStrangersShare: unknown sites have one budget together, and are remembered
// no longer than it takes; a known one has its own.
func TestStrangersShare(t *testing.T) {
	t.Parallel()
	g, _, _, now := newGate(t)
	wrong := func(origin string) protocol.Code {
		_, err := g.Enter(t.Context(), Request{Request: access.Request{Client: site(t, origin), Operation: access.OpPair}})
		return protocol.CodeOf(err)
	}
	for i := range strangersAtOnce {
		if code := wrong(fmt.Sprintf("https://n%d.example", i)); code != protocol.NotAuthorised {
			t.Fatalf("stranger %d: %s", i, code)
		}
	}
	for i := range 3 * strangersAtOnce {
		if code := wrong(fmt.Sprintf("https://m%d.example", i)); code != protocol.RateLimited {
			t.Fatalf("one more stranger: %s", code)
		}
	}
	if n := len(g.budgets.of); n != strangersAtOnce {
		t.Errorf("%d clients are remembered", n)
	}
	if code := wrong("https://known.example"); code != protocol.NotAuthorised {
		t.Errorf("a known site: %s", code)
	}
	*now = now.Add(strangerEach)
	if code := wrong("https://k.example"); code != protocol.NotAuthorised {
		t.Errorf("after a while: %s", code)
	}
	for i := range maxBudgets + 100 { // all of them long over
		*now = now.Add(time.Hour)
		g.count(site(t, fmt.Sprintf("https://o%d.example", i)))
	}
	if n := len(g.budgets.of); n > maxBudgets {
		t.Errorf("%d clients are remembered", n)
	}
}

// TestDialogsThatAreClosed: a site that the policy lets log in without a question
// brings up a PIN dialog each time; closed often enough, there is none any more.
// The user's own page is not counted.
func TestDialogsThatAreClosed(t *testing.T) {
	t.Parallel()
	g, _, _, _ := newGate(t)
	for _, why := range []error{protocol.Errorf(protocol.PINCancelled, "x"), fmt.Errorf("x: %w", context.Canceled)} {
		g.budgets = budgets{}
		login := Request{Request: access.Request{Client: site(t, "https://known.example"), Operation: access.OpLogin}}
		for range refusalsAtOnce {
			pass, err := g.Enter(t.Context(), login)
			if err != nil {
				t.Fatal(err)
			}
			if err := pass.Done(audit.Outcome{}, why); !errors.Is(err, why) {
				t.Errorf("got %v", err)
			}
		}
		if _, err := g.Enter(t.Context(), login); protocol.CodeOf(err) != protocol.RateLimited {
			t.Errorf("got %v", err)
		}
		login.Operation = access.OpReaders // which no dialog belongs to
		pass, err := g.Enter(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Done(audit.Outcome{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	page := Request{Request: access.Request{Client: access.Client{Kind: access.Page}, Operation: access.OpPINChange}}
	for range 2 * refusalsAtOnce {
		pass, err := g.Enter(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Done(audit.Outcome{}, protocol.Errorf(protocol.PINCancelled, "x")); protocol.CodeOf(err) != protocol.PINCancelled {
			t.Errorf("got %v", err)
		}
	}
}

// TestRefusalCountsOnce: a question that goes away is one refusal, also where a PIN dialog would have followed.
func TestRefusalCountsOnce(t *testing.T) {
	t.Parallel()
	g, who, _, _ := newGate(t)
	who.answer.Earlier = true // so that nobody is muted
	for _, op := range []access.Operation{access.OpIdentity, access.OpLogin} {
		g.budgets = budgets{}
		r := Request{Request: access.Request{Client: site(t, "https://stranger.example"), Operation: op}}
		for i := range refusalsAtOnce {
			if _, err := g.Enter(t.Context(), r); protocol.CodeOf(err) != protocol.ConsentDenied {
				t.Fatalf("%s %d: got %v", op, i, err)
			}
		}
		if _, err := g.Enter(t.Context(), r); protocol.CodeOf(err) != protocol.RateLimited {
			t.Errorf("%s: got %v", op, err)
		}
	}
}

// TestOneNoIsOne: a no that answers the questions behind it too is one no, and mutes nobody.
func TestOneNoIsOne(t *testing.T) {
	t.Parallel()
	g, who, _, _ := newGate(t)
	r := Request{Request: access.Request{Client: site(t, "https://stranger.example"), Operation: access.OpIdentity, Fields: []string{"surname"}}}
	for _, earlier := range []bool{false, true, true} {
		who.answer.Earlier = earlier
		if _, err := g.Enter(t.Context(), r); protocol.CodeOf(err) != protocol.ConsentDenied {
			t.Errorf("got %v", err)
		}
	}
	if g.authority.Muted(r.Client) {
		t.Error("muted after one no")
	}
	who.answer.Earlier = false
	if _, err := g.Enter(t.Context(), r); protocol.CodeOf(err) != protocol.ConsentDenied || !g.authority.Muted(r.Client) {
		t.Errorf("got %v, not muted after two", err)
	}
}

// TestPolicyChangesWhileAsked: what the administrator forbids while the question is open stays forbidden.
func TestPolicyChangesWhileAsked(t *testing.T) {
	t.Parallel()
	g, who, dir, _ := newGate(t)
	who.answer.Allowed = true
	who.during = func() {
		denied := rules + "[[site]]\norigin = \"https://stranger.example\"\ndeny = [\"all\"]\n"
		if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "policy.toml"), []byte(denied), 0o644); err != nil {
			t.Error(err)
		}
	}
	r := Request{Request: access.Request{Client: site(t, "https://stranger.example"), Operation: access.OpIdentity, Fields: []string{"surname"}}}
	if _, err := g.Enter(t.Context(), r); protocol.CodeOf(err) != protocol.NotAuthorised || who.asked != 1 {
		t.Errorf("got %v", err)
	}
}

// TestAbsent: that there is no card is told to who would have to ask as a refusal
// is: written down, and not for ever; to who is allowed it costs nothing.
func TestAbsent(t *testing.T) {
	t.Parallel()
	g, who, dir, _ := newGate(t)
	no := protocol.Errorf(protocol.NoCard, "no card in the reader")
	login := func(origin string) error {
		_, err := g.Enter(t.Context(), Request{Request: access.Request{Client: site(t, origin), Operation: access.OpLogin}, Absent: no})
		return err
	}
	for n := range refusalsAtOnce {
		if err := login("https://other.example"); !errors.Is(err, no) && protocol.CodeOf(err) != protocol.NoCard {
			t.Fatalf("try %d: %v", n+1, err)
		}
	}
	if err := login("https://other.example"); protocol.CodeOf(err) != protocol.RateLimited {
		t.Errorf("after %d tries: %v", refusalsAtOnce, err)
	}
	if n := written(t, dir); n != 2*(refusalsAtOnce+1) || who.asked != 0 {
		t.Errorf("%d lines, asked %d times", n, who.asked)
	}
	for n := range 2 * refusalsAtOnce {
		if err := login("https://known.example"); protocol.CodeOf(err) != protocol.NoCard {
			t.Fatalf("allowed, try %d: %v", n+1, err)
		}
	}
}
