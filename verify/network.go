package verify

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/crl"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/revocation"
	"github.com/eidkit/eidkit/internal/validation"
)

// Verifier holds what verifications share: the way to the network, the cache
// of revocation information, and what was computed before. The zero value is
// ready: it asks revocation services at public addresses, directly, and keeps
// their answers in memory. Set the fields before the first use; then it may be
// used from several goroutines, and should be kept: each one begins with
// nothing.
type Verifier struct {
	// CacheDir is the folder in which revocation lists and OCSP answers are
	// kept, shared by processes; empty: in memory only.
	CacheDir string
	// Proxy is the URL of an HTTP proxy for all requests; empty: none.
	Proxy string
	// CABundle are the roots for TLS; nil: the system's.
	CABundle *x509.CertPool
	// Allow are ranges in which services may be although they are not public.
	Allow []netip.Prefix
	// Timeout is for one request; zero: 30 s.
	Timeout time.Duration
	// CRLFirst asks for revocation lists before OCSP.
	CRLFirst bool

	cache validation.Cache
	once  sync.Once
	net   network
	err   error
}

// network is what a Verifier makes of its settings.
type network struct {
	client  *fetch.Client
	checker revocation.Checker

	mu         sync.Mutex
	last       *Anchors // whose digest is lastSum
	lastSize   int
	lastSum    [sha256.Size]byte
	issued     map[string]fetchedIssuers
	issuedSize int
}

func (v *Verifier) network() (*network, error) {
	v.once.Do(func() { v.err = v.open() })
	return &v.net, v.err
}

func (v *Verifier) open() (err error) {
	n := &v.net
	if n.client, err = fetch.New(fetch.Options{Proxy: v.Proxy, CABundle: v.CABundle, Allow: v.Allow, Timeout: v.Timeout}); err != nil {
		return fmt.Errorf("setting up the network: %w", err)
	}
	o := revocation.Options{Fetch: n.client, CRLFirst: v.CRLFirst}
	if v.CacheDir != "" {
		if o.Lists, err = crl.OpenStore(v.CacheDir, crl.StoreOptions{Fetch: n.client}); err != nil {
			return fmt.Errorf("opening the cache: %w", err)
		}
		o.Answers = filepath.Join(v.CacheDir, "ocsp")
	}
	n.checker, n.issued = revocation.New(o), map[string]fetchedIssuers{}
	return nil
}

// Close ends idle connections. The Verifier
// must not be used any more.
func (v *Verifier) Close() error {
	if v.net.client != nil {
		v.net.client.Close()
	}
	return nil
}

// digest identifies the anchors; that of the set used last is remembered,
// since sets of thousands are common.
func (n *network) digest(a *Anchors) [sha256.Size]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	size := 0
	if a != nil {
		size = len(a.added)
	}
	if n.last != a || n.lastSize != size || n.lastSum == [sha256.Size]byte{} {
		n.last, n.lastSize, n.lastSum = a, size, a.Digest()
	}
	return n.lastSum
}

// Bounds on fetching issuers' certificates.
const (
	maxIssuers    = 256 << 10 // bytes of an answer
	maxIssuerURLs = 3         // addresses tried for one certificate
	maxIssued     = 1000      // addresses remembered
	maxIssuedSize = 16 << 20  // bytes of certificates remembered
	maxIssuerList = 16        // certificates of one answer
	issuedFor     = time.Hour
	failedFor     = time.Minute
)

// fetchedIssuers is what came from an address; nothing, if it failed.
type fetchedIssuers struct {
	list  []*x509.Certificate
	until time.Time
}

// issuers fetches what a certificate names as its issuer's (RFC 5280 section
// 4.2.2.1, caIssuers). Nothing that comes is believed: it has to fit a chain.
func (n *network) issuers(ctx context.Context, c *x509.Certificate) []*x509.Certificate {
	access, _ := certs.AuthorityInfo(c)
	var list []*x509.Certificate
	for i, url := range access.CAIssuers {
		if i == maxIssuerURLs || ctx.Err() != nil {
			break
		}
		list = append(list, n.issuersAt(ctx, url)...)
	}
	return list
}

func (n *network) issuersAt(ctx context.Context, url string) []*x509.Certificate {
	n.mu.Lock()
	kept, ok := n.issued[url]
	n.mu.Unlock()
	if ok && time.Now().Before(kept.until) {
		return kept.list
	}
	got := fetchedIssuers{until: time.Now().Add(failedFor)}
	r, err := n.client.Get(ctx, url, fetch.Request{MaxBytes: maxIssuers})
	if ctx.Err() != nil { // one caller who left says nothing about the service
		return nil
	}
	if err == nil {
		if list, _, err := certs.ParseAll(r.Body); err == nil {
			got = fetchedIssuers{list[:min(len(list), maxIssuerList)], time.Now().Add(issuedFor)}
		}
	}
	n.remember(url, got)
	return got.list
}

// remember keeps what came from an address, within bounds: addresses and
// answers are chosen by whoever made the files.
func (n *network) remember(url string, got fetchedIssuers) {
	size := len(url)
	for _, c := range got.list {
		size += 4 * len(c.Raw) // parsed, a certificate takes a few times its DER
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.issued) >= maxIssued || n.issuedSize+size > maxIssuedSize {
		clear(n.issued)
		n.issuedSize = 0
	}
	n.issued[url] = got
	n.issuedSize += size
}
