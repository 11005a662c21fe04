package agent

import (
	"container/list"
	"net"
	"sync"
	"time"
)

// strangers is how many connections of other users are kept while they hear that
// they are refused.
const strangers = 16

// bucket is a token bucket: so many a second, four times as many at once.
type bucket struct {
	rate  float64
	level float64
	last  time.Time
}

func newBucket(rate float64, now time.Time) *bucket { return &bucket{rate, burst * rate, now} }

const burst = 4

func (b *bucket) take(now time.Time) bool {
	b.level = min(burst*b.rate, b.level+b.rate*max(0, now.Sub(b.last).Seconds()))
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// clients counts connections and requests, for each client and in all. A client
// is an origin, a pairing, the agent's own pages together, or the programs
// without a token together.
type clients struct {
	limits Limits
	now    func() time.Time

	mu     sync.Mutex
	all    int
	asking int // of them, those of clients that nobody knows yet
	of     map[string]*count
}

type count struct {
	connections int
	requests    *bucket
}

// keptCounts is how many clients without a connection are remembered, so that a
// new connection does not begin with a full bucket.
const keptCounts = 4096

func newClients(l Limits, now func() time.Time) *clients {
	return &clients{limits: l, now: now, of: map[string]*count{}}
}

// full says why there is no place.
type full int

const (
	place     full = iota
	fullOfIts      // this client has all that one may have
	fullOfAll
)

// enter takes a place for a connection of that client, for leave to give back. Of
// all places, half are for clients that policy, grants or a pairing know: a site
// has as many origins as it likes.
func (c *clients) enter(key string, known bool) full {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[key]
	if n == nil {
		c.forget()
		n = &count{requests: newBucket(c.limits.Requests, c.now())}
		c.of[key] = n
	}
	switch {
	case n.connections >= c.limits.PerClient:
		return fullOfIts
	case c.all >= c.limits.Connections, !known && c.asking >= c.limits.Connections/2:
		return fullOfAll
	}
	n.connections++
	c.all++
	if !known {
		c.asking++
	}
	return place
}

func (c *clients) leave(key string, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[key].connections--
	c.all--
	if !known {
		c.asking--
	}
}

// request counts one, and tells whether it may go on.
func (c *clients) request(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[key]
	return n != nil && n.requests.take(c.now())
}

// forget makes room. The caller has the lock.
func (c *clients) forget() {
	if len(c.of) < keptCounts {
		return
	}
	for key, n := range c.of {
		if n.connections == 0 {
			delete(c.of, key)
		}
	}
}

func (c *clients) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// pending are connections that are no WebSocket yet. When there are too many the
// oldest is closed: who means it is through in a moment.
type pending struct {
	max int

	mu    sync.Mutex
	order *list.List // of net.Conn
	at    map[net.Conn]*list.Element
}

func newPending(limit int) *pending {
	return &pending{max: limit, order: list.New(), at: map[net.Conn]*list.Element{}}
}

func (p *pending) add(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[c] = p.order.PushBack(c)
	if p.order.Len() > p.max {
		oldest := p.order.Remove(p.order.Front()).(net.Conn)
		delete(p.at, oldest)
		oldest.Close()
	}
}

func (p *pending) remove(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.at[c]; e != nil {
		p.order.Remove(e)
		delete(p.at, c)
	}
}
