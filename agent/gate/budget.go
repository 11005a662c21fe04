package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
)

// What is refused costs its client something, so that nobody fills the log with
// refusals, nor has a question come up and go away for ever: so many at once, and
// then one each so often. What is allowed costs nothing.
const (
	refusalsAtOnce = 20
	refusalEach    = 15 * time.Second
	// Clients that neither policy nor grants nor a pairing know share one more
	// budget: a site has as many origins as it likes.
	strangersAtOnce = 60
	strangerEach    = 5 * time.Second

	maxBudgets = 4096 // clients remembered
)

// errExhausted is what a client hears that has used up its refusals.
var errExhausted = protocol.Errorf(protocol.RateLimited, "too many requests of this client were refused: wait")

// Question runs f, which asks the user something before Enter does, such as which
// card is meant: an error of it counts as a refusal, and without any left nobody
// is asked: RATE_LIMITED.
func (g *Gate) Question(c access.Client, f func() error) error {
	if over, _ := g.exhausted(c); over {
		return errExhausted
	}
	err := f()
	if err != nil {
		g.count(c)
	}
	return err
}

// stranger tells whether a site is one that neither policy nor grants know.
func (g *Gate) stranger(c access.Client) bool {
	return (c.Kind == access.Site || c.Kind == access.Extension) && g.authority.Connect(c).Verdict != access.Allow
}

func (g *Gate) exhausted(c access.Client) (over, first bool) {
	return g.budgets.exhausted(c, g.stranger(c), g.now())
}

func (g *Gate) count(c access.Client) { g.budgets.refused(c, g.stranger(c), g.now()) }

// dialogs tells whether a PIN will be asked, whoever allowed the operation; the
// user's own pages may ask for it as often as he likes.
func dialogs(r access.Request) bool {
	return r.Client.Kind != access.Page &&
		slices.Contains([]access.Operation{access.OpLogin, access.OpSignHash, access.OpSignDocument, access.OpPINChange}, r.Operation)
}

// closed tells whether a dialog ended without its answer: by the user, by the
// time, or by the client that wanted it.
func closed(err error) bool {
	code := protocol.CodeOf(err)
	return err != nil && (code == protocol.PINCancelled || code == protocol.PINTimeout || code == protocol.ConsentDenied || errors.Is(err, context.Canceled))
}

// budgets count refusals. The zero budgets are full.
type budgets struct {
	mu        sync.Mutex
	of        map[string]*budget
	strangers budget
}

// budget is what is used up, and since when it has been coming back.
type budget struct {
	used int
	at   time.Time
	told bool // that it is used up stands in the log
}

// refill gives back what has come since.
func (b *budget) refill(now time.Time, each time.Duration) {
	n := int(now.Sub(b.at) / each)
	if b.used -= n; b.used <= 0 {
		b.used, b.at = 0, now
		return
	}
	b.at = b.at.Add(time.Duration(n) * each)
}

// budgetKey tells clients apart as the dialogs do.
func budgetKey(c access.Client) string {
	if c.Kind == access.Program {
		return "program " + c.PairingID
	}
	return c.String()
}

// exhausted tells whether the client has had too many refusals, and whether that
// is to be written down, which it is once till some have come back.
func (s *budgets) exhausted(c access.Client, stranger bool, now time.Time) (over, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.of[budgetKey(c)]
	if b == nil {
		b = &budget{at: now}
	}
	b.refill(now, refusalEach)
	over = b.used >= refusalsAtOnce
	if s.strangers.refill(now, strangerEach); stranger && s.strangers.used >= strangersAtOnce {
		b, over = &s.strangers, true
	}
	if !over {
		return false, false
	}
	first = !b.told
	b.told = true
	return true, first
}

// refused counts one.
func (s *budgets) refused(c access.Client, stranger bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := budgetKey(c)
	b := s.of[key]
	if b == nil {
		s.forget(now)
		b = &budget{at: now}
		s.of[key] = b
	}
	b.refill(now, refusalEach)
	b.count()
	if stranger {
		s.strangers.refill(now, strangerEach)
		s.strangers.count()
	}
}

func (b *budget) count() {
	b.used++
	b.told = false
}

// forget makes room. The caller has the lock.
func (s *budgets) forget(now time.Time) {
	if s.of == nil {
		s.of = map[string]*budget{}
	}
	if len(s.of) < maxBudgets {
		return
	}
	for key, b := range s.of {
		if b.refill(now, refusalEach); b.used == 0 {
			delete(s.of, key)
		}
	}
}
