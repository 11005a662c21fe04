package access

import (
	"slices"
	"sync"
	"time"
)

func (s snapshot) siteRules(o Origin) []*siteRule {
	return slices.DeleteFunc(slices.Clone(s.policy.sites[o]), func(r *siteRule) bool { return r.expired(s.now) })
}

// programRules are those that name the program of the pairing. False: they name
// another executable than that which was paired, or that which asks now; one that
// hides what it is counts as another.
func (s snapshot) programRules(c Client, p Pairing) (rules []*programRule, ok bool) {
	for i := range s.policy.Programs {
		r := &s.policy.Programs[i]
		if r.Name != p.Name {
			continue
		}
		if r.Executable != "" && (r.Executable != p.Executable || r.Executable != c.Executable) {
			return nil, false
		}
		if !r.expired(s.now) {
			rules = append(rules, r)
		}
	}
	return rules, true
}

func (s snapshot) pairing(id string) (Pairing, bool) {
	if s.given == nil || id == "" {
		return Pairing{}, false
	}
	i := slices.IndexFunc(s.given.Pairings, func(p Pairing) bool { return p.ID == id })
	if i < 0 {
		return Pairing{}, false
	}
	return s.given.Pairings[i], true
}

// grants are those of a client that are in force. The policy can switch them off.
func (s snapshot) grants(c Client) (all []Grant) {
	key := c.key()
	if key == "" || s.given == nil || s.policy.Grants != nil && !*s.policy.Grants {
		return nil
	}
	for _, g := range s.given.Grants {
		if g.Client == key && !g.expired(s.now) {
			all = append(all, g)
		}
	}
	return all
}

// How much refusing mutes, and for how long.
const (
	muteAfter = 2
	muteFor   = 10 * time.Minute
	maxMutes  = 4096 // clients remembered
)

// mutes counts what the user has refused.
type mutes struct {
	mu      sync.Mutex
	clients map[string]denials
}

type denials struct {
	count int
	last  time.Time
}

// muteKey is under which a client's refusals are counted. Programs without a
// token can call themselves anything, so they share one.
func muteKey(c Client) string {
	if c.Kind == Extension {
		return "extension " + c.Origin.String()
	}
	return c.Kind.String() + " " + c.key()
}

// Denied counts a refusal by the user. Two within ten minutes mute the client for
// ten from the second.
func (a *Authority) Denied(c Client) {
	m, now := &a.mutes, a.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.clients == nil {
		m.clients = map[string]denials{}
	}
	if len(m.clients) >= maxMutes {
		for k, d := range m.clients {
			if now.Sub(d.last) >= muteFor {
				delete(m.clients, k)
			}
		}
	}
	d := m.clients[muteKey(c)]
	if now.Sub(d.last) >= muteFor {
		d.count = 0
	}
	m.clients[muteKey(c)] = denials{d.count + 1, now}
}

// Muted tells whether the client must not ask now.
func (a *Authority) Muted(c Client) bool {
	a.mutes.mu.Lock()
	defer a.mutes.mu.Unlock()
	d := a.mutes.clients[muteKey(c)]
	return d.count >= muteAfter && a.now().Sub(d.last) < muteFor
}

// forget ends the count: the user has said yes.
func (m *mutes) forget(c Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.clients, muteKey(c))
}

// rates counts the free numbers of each rule.
type rates struct {
	mu   sync.Mutex
	seen map[string]*usage
}

type usage struct {
	minute, day     time.Time // when these began
	inMinute, inDay int
}

// take counts one more, unless that would be too many.
func (r *rates) take(id string, limit freeNumbers, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]*usage{}
	}
	u := r.seen[id]
	if u == nil {
		u = &usage{}
		r.seen[id] = u
	}
	if now.Sub(u.minute) >= time.Minute {
		u.minute, u.inMinute = now, 0
	}
	if now.Sub(u.day) >= 24*time.Hour {
		u.day, u.inDay = now, 0
	}
	if u.inMinute >= limit.PerMinute || u.inDay >= limit.PerDay {
		return false
	}
	u.inMinute++
	u.inDay++
	return true
}
