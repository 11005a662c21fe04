package cards

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
)

// entered is a gate with a pass for one card, for the agent's own page.
func entered(t *testing.T, w *world) (enter func(id string) *gate.Pass) {
	t.Helper()
	dir := t.TempDir()
	authority, err := access.Open(access.Options{PolicyPath: filepath.Join(dir, "policy.toml"), StateDir: filepath.Join(dir, "state")})
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(audit.Options{Dir: filepath.Join(dir, "audit"), Host: "host", User: "user"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	g := gate.New(authority, desk.New(desk.Options{}), log)
	return func(id string) *gate.Pass {
		t.Helper()
		p, err := g.Enter(t.Context(), gate.Request{Request: access.Request{Client: access.Client{Kind: access.Page}, Operation: access.OpIdentity, Reader: "reader"},
			Method: "identity.read", Insertion: id, Gone: w.hub.Gone(id)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// TestPass: a real pass is good for its card, once, and not beyond its card's leaving; what is refused reaches no card.
func TestPass(t *testing.T) {
	t.Parallel()
	sim, next := simulated(t, "citizen-1.8", 0), simulated(t, "citizen-1.8", 1)
	r := loaded("reader", sim)
	w := start(t, Options{}, r)
	id := w.cardID(t, "reader")
	enter := entered(t, w)
	p := enter(id)
	if err := w.hub.Use(t.Context(), p, id, surname()); err != nil {
		t.Fatal(err)
	}
	if err := p.Done(audit.Outcome{}, nil); err != nil {
		t.Fatal(err)
	}
	sim.ClearStats()
	refused := func(name string, p *gate.Pass, id string, want protocol.Code, cards ...*testcards.Card) {
		t.Helper()
		err := w.hub.Use(t.Context(), p, id, func(context.Context, *beid.Card) error { t.Errorf("%s: the card was given", name); return nil })
		if Fault(err).Code != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		for _, c := range cards {
			if n := c.Stats().Commands; n != 0 {
				t.Errorf("%s: %d commands", name, n)
			}
		}
	}
	refused("a pass that was used", p, id, protocol.NotAuthorised, sim)
	p = enter(id)
	r.Insert(next)
	w.next(t, CardRemoved)
	refused("a pass for the card before", p, id, protocol.CardRemoved, sim, next)
	refused("the same for the new card", p, w.cardID(t, "reader"), protocol.NotAuthorised, sim, next)
	if p.Check() == nil {
		t.Error("the pass outlives its card")
	}
	_ = p.Done(audit.Outcome{}, nil)
}
