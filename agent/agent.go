// Package agent is the server that browsers and programs of this machine reach
// the card through: HTTP and WebSocket on both loopback addresses, the same
// protocol on a Unix socket, and the checks of who may connect at all.
//
// Start with Harden, Listen (or Activated, under systemd), ListenUnix, New and
// Agent.Serve. What requests do is in Options.Methods, who may ask for it in
// Options.Authority, and documents are in Options.Spool: this package checks,
// counts, carries and cancels. Agent.PageURL gives the address of one of the
// agent's own pages, with the code that makes it more than a static file.
//
// Out of scope: consent, cards and the audit log, which the methods pass through
// package agent/gate; TLS (give Serve a TLS listener).
//
// References: RFC 6455 (WebSocket), RFC 9110 (HTTP), RFC 6454 (origins), RFC 6750
// (bearer tokens), Fetch (Cross-Origin-Resource-Policy), sd_listen_fds(3).
package agent

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/peer"
	"github.com/eidkit/eidkit/agent/service"
	"github.com/eidkit/eidkit/agent/spool"
)

// Events are the comings and goings of readers and cards.
type Events interface {
	// Subscribe calls f for each of them, with the method and the parameters of
	// the notification, till cancel: those only that the client may hear of. f
	// does not wait.
	Subscribe(c access.Client, f func(method string, params any)) (cancel func())
}

// Desk has the questions that the agent's own pages show; *desk.Desk is one.
type Desk interface {
	Available() error
	Pending() []desk.Item
	Changed() <-chan struct{}
	Answer(id string, a desk.Answer) error
	Document(id string, index int) (desk.Document, error)
	Watch() (done func())
	Attend() (done func())
}

// Options are the parts of an agent. Authority, Spool, StateDir and Log must be
// there.
type Options struct {
	Authority *access.Authority
	Spool     *spool.Store
	StateDir  string // for the installation's key
	Log       *slog.Logger

	// Methods beside those of the connection itself (session, events, documents,
	// questions). Those that are in no list of this package are for the agent's
	// own pages alone.
	Methods map[string]service.Method
	Events  Events       // nil: nothing ever comes or goes
	Desk    Desk         // nil: nobody can be asked
	Pages   http.Handler // the static pages; nil: there are none
	PCSC    func() bool  // tells whether readers can be had at all; nil: no

	Base      string // address of the pages, such as http://127.0.0.1:24340; empty: the first listener's
	Version   string
	Language  string // of the pages
	Developer bool   // pages of this machine by http are sites too
	Limits    Limits
	Now       func() time.Time // nil: time.Now

	// PeerCheck looks up who is at the other end of a TCP or Unix connection,
	// and refuses him by an error. nil: it must be the user of this process.
	PeerCheck func(net.Conn) (peer.Peer, error)
}

// Limits of what clients may do; zero is the default of each.
type Limits struct {
	Connections int     // in all: 1,024
	PerClient   int     // of one client: 32
	Handshakes  int     // connections that are no WebSocket yet; beyond, the oldest goes: 256
	Calls       int     // requests of a connection under way: 8
	Requests    float64 // of one client, a second: 50, and four times as many at once

	Handshake    time.Duration // till a request's header is there: 5 s
	FirstMessage time.Duration // till an own page has shown its code: 5 s
	Message      time.Duration // from a message's first byte to its last: 20 s
	Ping         time.Duration // between pings: 20 s
	Silence      time.Duration // after which a client that sends nothing, not even pongs, is gone: 45 s
	Write        time.Duration // till a client has taken a message: 10 s
	LaunchCode   time.Duration // that a launch code is good for: 60 s
	SessionIdle  time.Duration // without a request, till an own page's session ends: 30 min
}

func (l *Limits) fill() {
	def(&l.Connections, 1024)
	def(&l.PerClient, 32)
	def(&l.Handshakes, 256)
	def(&l.Calls, 8)
	def(&l.Requests, 50)
	def(&l.Handshake, 5*time.Second)
	def(&l.FirstMessage, 5*time.Second)
	def(&l.Message, 20*time.Second)
	def(&l.Ping, 20*time.Second)
	def(&l.Silence, 45*time.Second)
	def(&l.Write, 10*time.Second)
	def(&l.LaunchCode, time.Minute)
	def(&l.SessionIdle, 30*time.Minute)
}

func def[T int | float64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Agent is a server. It is safe for concurrent use.
type Agent struct {
	o       Options
	limits  Limits
	log     *refusals
	key     ed25519.PrivateKey
	self    peer.Peer
	meters  *meters
	pages   *launches
	clients *clients
	methods map[string]method
	pending [2]*pending // connections that are no WebSocket yet: the user's, and strangers'
	began   time.Time

	ctx  context.Context // ends with the agent
	stop context.CancelFunc

	mu        sync.Mutex
	listening []net.Addr
	closed    bool
	wg        sync.WaitGroup // the connections
}

// ErrClosed is Serve's error after Close or agent.stop.
var ErrClosed = errors.New("the agent was stopped")

// New puts an agent together. Nothing listens before Serve. Errors: a part is
// missing, or the installation's key cannot be had.
func New(o Options) (*Agent, error) {
	switch {
	case o.Authority == nil:
		return nil, errors.New("agent: no authority")
	case o.Spool == nil:
		return nil, errors.New("agent: no document store")
	case o.StateDir == "":
		return nil, errors.New("agent: no state folder")
	case o.Log == nil:
		return nil, errors.New("agent: no log")
	}
	o.Limits.fill()
	if o.Now == nil {
		o.Now = time.Now
	}
	key, err := installationKey(o.StateDir)
	if err != nil {
		return nil, fmt.Errorf("opening the installation's key: %w", err)
	}
	self, err := peer.Self()
	if err != nil {
		return nil, fmt.Errorf("finding out who runs the agent: %w", err)
	}
	a := &Agent{o: o, limits: o.Limits, key: key, self: self, began: o.Now(), log: newRefusals(o.Log, o.Now),
		pages: newLaunches(o.Limits, o.Now), clients: newClients(o.Limits, o.Now),
		pending: [2]*pending{newPending(o.Limits.Handshakes), newPending(strangers)}}
	a.ctx, a.stop = context.WithCancel(context.Background())
	a.meters = newMeters(a)
	if a.o.PeerCheck == nil {
		a.o.PeerCheck = a.sameUser
	}
	return a, a.collectMethods()
}

// sameUser is the default PeerCheck.
func (a *Agent) sameUser(c net.Conn) (peer.Peer, error) {
	var p peer.Peer
	var err error
	if u, ok := c.(*net.UnixConn); ok {
		p, err = peer.OfUnix(u)
	} else {
		p, err = peer.OfTCP(c.LocalAddr(), c.RemoteAddr())
	}
	if err != nil {
		return p, err
	}
	if !p.Same(a.self) {
		return p, errOtherUser
	}
	return p, nil
}

var errOtherUser = errors.New("the program at the other end is another user's")

// Close ends Serve, with every connection and everything that runs on it.
func (a *Agent) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.stop()
	a.wait()
}
