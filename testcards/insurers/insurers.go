// Package insurers runs the side of the Belgian mutualities' network on
// loopback, over TLS under a test PKI: a security token service, and the three
// services that say whether a patient is insured.
//
// Start listens; Network.Address names each service, Network.PKI has the root
// for TLS. Patients are those whom the services know, each in one situation,
// Providers the care providers who may ask, with their licences, and
// Network.Credential what they sign with. Network.Set makes a service
// misbehave, Network.Requests counts what was asked. `eid testcard network`
// runs the same and is steered over HTTP (ControlPath).
//
// Every request is really checked: freshness, signature over Body and
// Timestamp, a valid token of the test service that names the key, licence and
// role, the service's schema. Everything says that it is a test. It is an
// independent maker and judge and shares no code with the client that it tests.
// It refuses to listen anywhere but on loopback.
//
// Out of scope: encrypted messages of MemberData (answered with SOA-03007), records
// of fixed width (SOA-02001), batch services, signatures in answers.
//
// References: facts sheet "assurability"; the schemas of GenericInsurability
// v1, Insurability v2, MemberData v1; WS-Trust 1.3; SAML 1.1 and 2.0; WSS 1.1.1.
package insurers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // days are those of Brussels, on Windows too

	"github.com/eidkit/eidkit/testcards/pki"
)

// Options say what Start runs. The zero value is that of the test PKI of seed 0 on a free port.
type Options struct {
	// PKI has the root of the TLS certificate and of the providers' certificates; eID cards of the PKI with the same seed and RSA keys
	// are accepted too. Nil: the EC PKI of seed 0.
	PKI *pki.PKI
	// Addr is host:port; empty means 127.0.0.1:0, a free port.
	Addr string
	// Now is the clock of all services; nil means the real one.
	Now func() time.Time
	// Skew is how far clocks may differ; 0: one minute.
	Skew time.Duration
	// TokenLife is the longest that a token holds; 0: 24 hours.
	TokenLife time.Duration
}

// Network is a running set of services. All methods may be called from several goroutines.
type Network struct {
	// PKI is that of Options.
	PKI *pki.PKI

	opts     Options
	own      *certificates
	listener net.Listener
	server   *http.Server
	stop     context.CancelFunc
	running  sync.WaitGroup // the listener and its connections

	mu       sync.Mutex
	now      func() time.Time
	faults   map[Service][]Fault
	requests map[Service]int
	last     map[Service][]byte // body of the last answer
	open     map[net.Conn]bool  // true: to be closed when its request is answered
	idle     map[net.Conn]bool
	counter  int // of messages, for references
}

// ErrNotLoopback is returned by Start for an address that others could reach.
var ErrNotLoopback = errors.New("test services listen on loopback only")

// Start listens and serves until Close is called or ctx ends.
func Start(ctx context.Context, o Options) (*Network, error) {
	n := &Network{PKI: o.PKI, opts: o, now: o.Now, faults: map[Service][]Fault{}, requests: map[Service]int{}, last: map[Service][]byte{}, open: map[net.Conn]bool{}, idle: map[net.Conn]bool{}}
	if n.now == nil {
		n.now = time.Now
	}
	if n.opts.Skew == 0 {
		n.opts.Skew = time.Minute
	}
	if n.opts.TokenLife == 0 {
		n.opts.TokenLife = 24 * time.Hour
	}
	if err := n.prepare(ctx); err != nil {
		return nil, fmt.Errorf("starting the test insurers: %w", err)
	}
	base, cancel := context.WithCancel(ctx)
	n.stop = cancel
	n.server = &http.Server{Handler: n.routes(), BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second, ConnState: n.connState, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	secured := tls.NewListener(n.listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: n.tlsCertificate})
	n.running.Go(func() { _ = n.server.Serve(secured) }) // ends with ErrServerClosed
	context.AfterFunc(base, func() { _ = n.server.Close() })
	return n, nil
}

// prepare makes the certificates and listens.
func (n *Network) prepare(ctx context.Context) error {
	var err error
	if n.PKI != nil {
		n.own, err = makeCertificates(n.PKI)
	} else {
		n.own, err = ordinary()
	}
	if err != nil {
		return err
	}
	n.PKI = n.own.pki
	addr := n.opts.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return err
	}
	if !resolved.IP.IsLoopback() {
		return fmt.Errorf("%s: %w", addr, ErrNotLoopback)
	}
	n.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", resolved.String())
	return err
}

// URL is the address listened on, without a slash at its end.
func (n *Network) URL() string { return "https://" + n.listener.Addr().String() }

// Address is that of a service; empty for TLS, which has none.
func (n *Network) Address(s Service) string {
	if paths[s] == "" {
		return ""
	}
	return n.URL() + paths[s]
}

// Close stops the services and waits until all of them have ended.
func (n *Network) Close() error {
	n.stop()
	err := n.server.Close()
	n.running.Wait()
	return err
}

// connState counts the connections. A new one is reported before Serve can end, a closed one after its handler has.
func (n *Network) connState(c net.Conn, s http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.idle[c] = s == http.StateIdle
	switch s {
	case http.StateNew:
		n.open[c] = false
		n.running.Add(1)
	case http.StateIdle:
		if n.open[c] {
			_ = c.Close()
		}
	case http.StateHijacked, http.StateClosed:
		delete(n.open, c)
		delete(n.idle, c)
		n.running.Done()
	}
}

// closeAll ends the connections there are, those in use after the answer.
func (n *Network) closeAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.open {
		n.open[c] = true
		if n.idle[c] {
			_ = c.Close()
		}
	}
}

// hardClose closes a connection without the orderly end of TLS.
func hardClose(c net.Conn) {
	if s, ok := c.(*tls.Conn); ok {
		c = s.NetConn()
	}
	_ = c.Close()
}

// SetNow replaces the clock of all services.
func (n *Network) SetNow(now func() time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = now
}

// Requests tells how many requests each service got, faults included.
func (n *Network) Requests() map[Service]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := map[Service]int{}
	for _, s := range Services() {
		if s != TLS {
			out[s] = n.requests[s]
		}
	}
	return out
}

// clock is the time of the services.
func (n *Network) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now()
}

// number is the next one for references.
func (n *Network) number() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.counter++
	return n.counter
}

// remember keeps an answer for the fault Replay and returns the one before it; nil: there was none.
func (n *Network) remember(s Service, body []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.last[s]
	n.last[s] = slices.Clone(body)
	return before
}
