// Package fetch is the one HTTP client for what stands in certificates and lists: CRLs, OCSP and timestamp services, issuers'
// certificates. Whoever made the input chose the address, and whoever answers chose the bytes: both are hostile.
//
// Start with [New]. [Client.Get] gives a small answer whole, identical requests at one time sharing one download; [Client.Stream] hands
// a large one on as it comes; [Client.Post] asks a service, also by SOAP. All are bounded in size, time, redirects and number at once.
//
// Addresses are http or https without credentials. They are checked after name resolution, at the moment of connecting, so that a name
// that resolves differently the second time gains nothing: private, loopback, link-local, shared (CGNAT), multicast and reserved
// ranges are refused, also inside IPv4-mapped, NAT64 and 6to4 addresses, unless [Options.Allow] has them. Behind a proxy it is the
// proxy that resolves and connects: literal addresses are still checked here, and names that this machine can resolve; what only the
// proxy can resolve is left to the proxy's own rules.
//
// Whether an answer is authentic is for the packages that read it; nothing is cached here.
//
// References: RFC 9110 (HTTP), RFC 9111 (caching), RFC 6890 (special-purpose addresses), RFC 6052 (NAT64), RFC 3056 (6to4).
package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// What a request can fail with. Every error of this package but the caller's own context.Canceled wraps one of them.
var (
	// ErrForbiddenURL: not http or https, with credentials, without a host, or too long.
	ErrForbiddenURL = errors.New("address is refused")
	// ErrForbiddenAddress: the host is, or resolves to, an address that is not public and not allowed.
	ErrForbiddenAddress = errors.New("network address is refused")
	// ErrRedirect: too many redirects, or one that may not be followed.
	ErrRedirect = errors.New("redirect is refused")
	// ErrTooLarge: more bytes than the limit, counted after decompression.
	ErrTooLarge = errors.New("answer is too large")
	// ErrStatus: an HTTP status other than 200; see [StatusError].
	ErrStatus = errors.New("service refused the request")
	// ErrTimeout: the whole took too long, or nothing came for too long.
	ErrTimeout = errors.New("service took too long")
	// ErrUnavailable: no connection, or one that broke.
	ErrUnavailable = errors.New("service is unavailable")
)

// StatusError is an HTTP status that is no success. It wraps ErrStatus.
type StatusError struct {
	Code int // 404
	URL  string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s", e.URL, e.Code, http.StatusText(e.Code))
}

// Unwrap returns ErrStatus.
func (e *StatusError) Unwrap() error { return ErrStatus }

// Options say how to reach the world. The zero value is safe: directly, to public addresses only.
type Options struct {
	// Proxy is an http or https URL, credentials in it allowed; empty: none. The environment is not looked at.
	Proxy string
	// CABundle are the roots for TLS; nil: the system's.
	CABundle *x509.CertPool
	// Allow are ranges that may be reached although they are not public, such as 127.0.0.0/8 for tests or an intranet's.
	Allow []netip.Prefix
	// Timeout is for a whole request with its redirects and answer; zero: 30 s.
	Timeout time.Duration
	// StepTimeout is for each step: connecting, TLS, waiting for the answer's head, and between two pieces of it; zero: 10 s.
	StepTimeout time.Duration
	// ConnectTimeout, if above 0, replaces StepTimeout for connecting and for TLS.
	ConnectTimeout time.Duration
	// MaxBytes is for answers whose request does not say; zero: 10 MiB.
	MaxBytes int64
	// MaxParallel is how many requests run at one time, the others waiting; zero: 16.
	MaxParallel int
	// MaxPerHost is how many connections a host gets at one time; zero: 6, as from browsers.
	MaxPerHost int
	// UserAgent is sent with each request; empty: "eidkit".
	UserAgent string
	// SameHost refuses redirects to another host or port: for services that somebody named himself, Allow with them.
	SameHost bool
}

// Limits that nobody needs to set.
const (
	maxRedirects   = 5
	maxURL         = 4096     // as long as an OCSP request by GET with a 20-byte serial number, several times over
	maxHeaderBytes = 64 << 10 // of an answer's head
)

// Client makes requests. It is safe for concurrent use.
type Client struct {
	opts  Options
	proxy *url.URL
	http  *http.Client
	slots chan struct{}

	mu      sync.Mutex
	flights map[string]*flight
}

// New checks the options and returns a client.
func New(opts Options) (*Client, error) {
	setDefault(&opts.Timeout, 30*time.Second)
	setDefault(&opts.StepTimeout, 10*time.Second)
	setDefault(&opts.ConnectTimeout, opts.StepTimeout)
	setDefault(&opts.MaxBytes, 10<<20)
	setDefault(&opts.MaxParallel, 16)
	setDefault(&opts.MaxPerHost, 6)
	setDefault(&opts.UserAgent, "eidkit")
	c := &Client{opts: opts, slots: make(chan struct{}, opts.MaxParallel), flights: map[string]*flight{}}
	tr := &http.Transport{
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{RootCAs: opts.CABundle, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    opts.ConnectTimeout,
		ResponseHeaderTimeout:  opts.StepTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxConnsPerHost:        opts.MaxPerHost,
		MaxIdleConnsPerHost:    opts.MaxPerHost,
		IdleConnTimeout:        30 * time.Second,
		Protocols:              new(http.Protocols),
	}
	tr.Protocols.SetHTTP1(true) // one request a connection at a time: limits mean what they say
	if opts.Proxy != "" {
		p, err := url.Parse(opts.Proxy)
		if err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" {
			return nil, errors.New("the proxy is not an http or https URL") // without the text: it may hold a password
		}
		c.proxy, tr.Proxy = p, http.ProxyURL(p)
	}
	c.http = &http.Client{Transport: tr, CheckRedirect: c.checkRedirect}
	return c, nil
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Close ends idle connections. The client may still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// hostPort is the address a proxy is dialled at.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
