// Package network runs the services of a test PKI on loopback: CRLs, OCSP, CA
// certificates and time stamps, with revocation at will and with faults that
// can be switched while they run.
//
// Start listens, then makes a PKI whose certificates point to the address it
// got, so any number of networks can run at once; Network.PKI issues.
// Network.Revoke, Hold and Release change what the lists and answers say,
// Network.Set makes a service misbehave, Network.Requests counts what was
// asked. `eid testcard network` runs the same and is steered over HTTP
// (ControlPath).
//
// The keys are public: it refuses to listen anywhere but on loopback.
//
// It is an independent maker and shares no code with the clients that it
// tests.
//
// Out of scope: TLS, authentication of clients, signed OCSP requests, other
// addresses than those in the certificates.
//
// References: RFC 5280 (CRL), RFC 6960 and RFC 5019 (OCSP over HTTP), RFC 3161
// section 3.4 (time stamps over HTTP), RFC 4387 (certificates over HTTP).
package network

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// Options say what Start runs. The zero value is the EC PKI of seed 0 on a
// free port.
type Options struct {
	// PKI is the test PKI; an empty BaseURL becomes the address listened on.
	PKI pki.Options
	// Addr is host:port; empty means 127.0.0.1:0, a free port.
	Addr string
	// Now is the clock of all services; nil means the real one.
	Now func() time.Time
	// CRLLife and OCSPLife are from thisUpdate to nextUpdate; 0 means 7 days
	// and 1 hour.
	CRLLife, OCSPLife time.Duration
}

// Network is a running set of services. All methods may be called from
// several goroutines.
type Network struct {
	// PKI is the PKI of Options. The services also serve those of the other
	// algorithms, see Of.
	PKI *pki.PKI

	opts     Options
	pkis     map[pki.Algorithm]func() (*pki.PKI, error)
	listener net.Listener
	server   *http.Server
	stop     context.CancelFunc
	running  sync.WaitGroup // the listener and its connections

	mu       sync.Mutex
	now      func() time.Time
	states   map[string]*state // by name of the CA
	faults   map[Service][]Fault
	requests map[Service]int
	lists    map[string]published
	serial   int64 // of the last time stamp
}

// ErrNotLoopback is returned by Start for an address that others could reach.
var ErrNotLoopback = errors.New("test services listen on loopback only")

// Start listens and serves until Close is called or ctx ends.
func Start(ctx context.Context, o Options) (*Network, error) {
	n := &Network{opts: o, now: o.Now, states: map[string]*state{}, faults: map[Service][]Fault{}, requests: map[Service]int{}, lists: map[string]published{}}
	if n.now == nil {
		n.now = time.Now
	}
	if n.opts.CRLLife == 0 {
		n.opts.CRLLife = 7 * 24 * time.Hour
	}
	if n.opts.OCSPLife == 0 {
		n.opts.OCSPLife = time.Hour
	}
	if err := n.listen(ctx); err != nil {
		return nil, fmt.Errorf("starting test network: %w", err)
	}
	if err := n.makePKIs(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting test network: %w", err), n.listener.Close())
	}
	base, cancel := context.WithCancel(ctx)
	n.stop = cancel
	n.server = &http.Server{Handler: n.routes(), BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second, ConnState: n.connState}
	n.running.Go(func() { _ = n.server.Serve(n.listener) }) // ends with ErrServerClosed
	context.AfterFunc(base, func() { _ = n.server.Close() })
	return n, nil
}

func (n *Network) listen(ctx context.Context) error {
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

// makePKIs makes the PKI asked for; the others wait until they are needed.
func (n *Network) makePKIs() error {
	o := n.opts.PKI
	if o.BaseURL == "" {
		o.BaseURL = n.URL()
	}
	n.pkis = map[pki.Algorithm]func() (*pki.PKI, error){}
	for _, a := range []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024} {
		one := o
		one.Algorithm = a
		n.pkis[a] = sync.OnceValues(func() (*pki.PKI, error) { return pki.New(one) })
	}
	if n.pkis[o.Algorithm] == nil {
		return fmt.Errorf("unknown algorithm %v", o.Algorithm)
	}
	var err error
	n.PKI, err = n.pkis[o.Algorithm]()
	return err
}

// Of is the PKI with the same seed and addresses and the given algorithm,
// which the same services serve: nil if there is no such algorithm.
func (n *Network) Of(a pki.Algorithm) *pki.PKI {
	if n.pkis[a] == nil {
		return nil
	}
	p, err := n.pkis[a]()
	if err != nil {
		return nil // not reached: the options were good for the first PKI
	}
	return p
}

// URL is the address listened on, without a slash at its end.
func (n *Network) URL() string { return "http://" + n.listener.Addr().String() }

// Close stops the services and waits until all of them have ended.
func (n *Network) Close() error {
	n.stop()
	err := n.server.Close()
	n.running.Wait()
	return err
}

// connState counts the connections. A new one is reported before Serve can
// end, a closed one after its handler has.
func (n *Network) connState(_ net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		n.running.Add(1)
	case http.StateHijacked, http.StateClosed:
		n.running.Done()
	}
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
		out[s] = n.requests[s]
	}
	return out
}

// clock is the time of the services, in whole seconds as ASN.1 has it.
func (n *Network) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now().UTC().Truncate(time.Second)
}

// authority finds an authority by its file name, such as "citizen-ec".
func (n *Network) authority(name string) (*pki.PKI, *pki.Authority) {
	for _, a := range []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024} {
		if !strings.HasSuffix(name, "-"+strings.ToLower(a.String())) {
			continue
		}
		p := n.Of(a)
		all := append(p.CAs(), p.CRLIssuer, p.TSA, p.RRN)
		if i := slices.IndexFunc(all, func(x *pki.Authority) bool { return x.Name == name }); i >= 0 {
			return p, all[i]
		}
	}
	return nil, nil
}

// issuer finds the CA of a certificate.
func (n *Network) issuer(c *x509.Certificate) (*pki.PKI, *pki.Authority, error) {
	if c == nil {
		return nil, nil, errors.New("no certificate")
	}
	for _, a := range []pki.Algorithm{n.PKI.Options().Algorithm, pki.EC, pki.RSA, pki.RSA1024} {
		p := n.Of(a)
		for _, ca := range p.CAs() {
			if string(ca.Certificate.RawSubject) == string(c.RawIssuer) {
				return p, ca, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("%s: not issued by this test PKI", c.Issuer)
}
