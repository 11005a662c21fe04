package assurability

import (
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/niss"
)

// maxCached is how many answers are kept. A day at a big counter has some thousands.
const maxCached = 20_000

// cache has the positive answers of one day in Brussels (facts sheet c.8).
type cache struct {
	mu      sync.Mutex
	day     niss.Date
	answers map[cacheKey]cached
	order   []cacheKey // oldest first; some may be gone
}

// cacheKey is all of a question that its answer depends on. The provider is the client's.
type cacheKey struct {
	service     Service
	patient     Patient
	from, until niss.Date
	contact     Contact
	invoicing   bool
}

type cached struct {
	answer *Answer
	at     time.Time
}

func keyOf(s Service, q *Question) cacheKey {
	return cacheKey{s, q.Patient, q.From, q.last(), q.Contact, q.Invoicing}
}

// turn empties the cache when a day has gone by. The lock is held.
func (c *cache) turn(now time.Time) {
	if today := Today(now); c.day != today {
		c.day, c.answers, c.order = today, map[cacheKey]cached{}, nil
	}
}

// note keeps a positive answer, and forgets an older one when another answer came. One that did not come changes nothing.
func (c *cache) note(k cacheKey, a *Answer, now time.Time) {
	if a.Status == Unavailable {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	if a.Status != Insured {
		delete(c.answers, k)
		return
	}
	if _, known := c.answers[k]; !known {
		c.order = append(c.order, k)
	}
	c.answers[k] = cached{withoutPromise(a), now}
	for len(c.answers) > maxCached || len(c.order) > 2*maxCached {
		delete(c.answers, c.order[0])
		c.order = c.order[1:]
	}
}

// find returns an answer of earlier today, marked as such; nil: there is none.
func (c *cache) find(k cacheKey, now time.Time) *Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	found, ok := c.answers[k]
	if !ok {
		return nil
	}
	a := withoutPromise(found.answer)
	a.Age = max(0, now.Sub(found.at))
	a.warn(CachedAnswer)
	return a
}

// withoutPromise is a copy without what holds for one dispensing only.
func withoutPromise(a *Answer) *Answer {
	out := *a
	out.Approval = Approval{}
	out.Periods = slices.Clone(a.Periods)
	for i := range out.Periods {
		out.Periods[i].Approval = ""
	}
	out.MaximumBilling, out.Transfers, out.MedicalHouses = slices.Clone(a.MaximumBilling), slices.Clone(a.Transfers), slices.Clone(a.MedicalHouses)
	out.Insurers, out.Warnings = slices.Clone(a.Insurers), slices.Clone(a.Warnings)
	if a.SocialCategory != nil {
		flag := *a.SocialCategory
		out.SocialCategory = &flag
	}
	if a.Stay != nil {
		stay := *a.Stay
		out.Stay = &stay
	}
	return &out
}
