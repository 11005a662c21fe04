package revocation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/crl"
	"github.com/eidkit/eidkit/internal/fetch"
)

// publisher serves lists by path, and has a leaf that points to /base.
type publisher struct {
	*httptest.Server
	*chain
	lists map[string][]byte
	now   atomic.Int64 // seconds after pkitsTime
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{lists: map[string][]byte{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if list := p.lists[r.URL.Path]; list != nil {
			w.Write(list)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(p.Close)
	p.chain = newChain(t, points(point(fullName(urlName("ldap://directory.example/cn=x"), urlName(p.URL+"/base")))))
	return p
}

func (p *publisher) service(t *testing.T, dir string) *Service {
	t.Helper()
	client, err := fetch.New(fetch.Options{Allow: loopbackOnly})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	now := func() time.Time { return pkitsTime.Add(time.Duration(p.now.Load()) * time.Second) }
	store, err := crl.OpenStore(dir, crl.StoreOptions{Fetch: client, Now: now, Retry: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Fetch: client, Lists: store, Now: now})
}

func (p *publisher) check(t *testing.T, what string, s *Service, offline bool, status Status, origin Origin, problem error) []Answer {
	t.Helper()
	q := Question{Certificate: p.leaf, Issuer: p.ca.cert, At: pkitsTime.Add(time.Duration(p.now.Load()) * time.Second), Offline: offline}
	answers, problems := s.Check(t.Context(), q)
	got, from := Unknown, Origin("")
	if len(answers) > 0 {
		got, from = answers[0].Status, answers[0].Origin
	}
	if got != status || from != origin || len(problems) > 0 != (problem != nil) || problem != nil && !errors.Is(problems[0].Err, problem) {
		t.Errorf("%s: %v, %s, %v", what, got, from, problems)
	}
	for _, a := range answers {
		if der, err := a.Raw(); err != nil || len(der) == 0 {
			t.Errorf("%s: raw: %v", what, err)
		}
	}
	return answers
}

// deltaAt points to a delta.
func (p *publisher) deltaAt(path string) pkix.Extension {
	return extension(46, false, tlv(0x30, point(fullName(urlName(p.URL+path)))))
}

func TestListsFetched(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	fresh := func() *Service { return p.service(t, t.TempDir()) }
	p.check(t, "nothing there", fresh(), false, Unknown, "", fetch.ErrStatus)
	p.lists["/base"] = p.make(p.ca, spares())
	p.check(t, "complete list", fresh(), false, Good, Fetched, nil)
	p.lists["/base"] = p.make(p.ca, delta(5))
	p.check(t, "delta in place of a complete list", fresh(), false, Unknown, "", crl.ErrUnusable)
	p.lists["/base"] = p.make(p.ca, spares(unknownCritical))
	p.check(t, "unusable", fresh(), false, Unknown, "", crl.ErrUnusable)
	p.lists["/base"] = p.make(p.anchor, spares())
	p.check(t, "of another", fresh(), false, Unknown, "", crl.ErrSigner)
	p.lists["/base"] = p.make(p.ca, listOf{this: pkitsTime.AddDate(0, 0, -9), next: pkitsTime.AddDate(0, 0, -2)})
	p.check(t, "over", fresh(), false, Unknown, "", ErrStale)
	p.lists["/base"] = p.make(p.ca, listOf{this: pkitsTime.AddDate(0, 0, 1)})
	p.check(t, "from the future", fresh(), false, Unknown, "", ErrFuture)
	p.lists["/base"] = p.make(p.ca, spares(issuing(onlyCA)))
	p.check(t, "for other certificates", fresh(), false, Unknown, "", crl.ErrScope)
}

func TestDeltasFetched(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	p.lists["/base"] = p.make(p.ca, spares(p.deltaAt("/delta")))
	p.check(t, "delta missing", p.service(t, ""), false, Good, Fetched, fetch.ErrStatus)
	p.lists["/delta"] = p.make(p.ca, delta(5))
	answers := p.check(t, "nothing new", p.service(t, ""), false, Good, Fetched, nil)
	if len(answers) == 1 && len(answers[0].Also) != 1 {
		t.Errorf("rests on: %+v", answers[0].Also)
	}
	p.lists["/delta"] = p.make(p.ca, delta(5, entry(100, 1)))
	dir := t.TempDir()
	p.check(t, "revoked since", p.service(t, dir), false, Revoked, Fetched, nil)
	p.check(t, "another process, offline", p.service(t, dir), true, Revoked, Cached, nil)
	p.lists["/delta"] = p.make(p.ca, spares())
	p.check(t, "a complete list in place of a delta", p.service(t, ""), false, Good, Fetched, crl.ErrUnusable)
}

// TestListKept: a list that is kept answers when its service is down, as long as its time is not over, and never gives way to an older one.
func TestListKept(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	dir := t.TempDir()
	p.lists["/base"] = p.make(p.ca, listOf{number: 8, entries: []x509.RevocationListEntry{entry(100, 1)}})
	p.check(t, "first", p.service(t, dir), false, Revoked, Fetched, nil)
	s := p.service(t, dir)
	p.check(t, "kept", s, false, Revoked, Cached, nil)
	p.now.Store(5 * 3600)
	p.lists["/base"] = p.make(p.ca, listOf{number: 7})
	p.check(t, "an older one", s, false, Revoked, Cached, crl.ErrOlder)
	delete(p.lists, "/base")
	p.now.Add(10)
	p.check(t, "down", s, false, Revoked, Cached, fetch.ErrStatus)
	p.now.Store(40 * 24 * 3600)
	p.check(t, "down, and over", s, false, Unknown, "", fetch.ErrStatus)
	p.check(t, "over, offline: for the caller to judge", s, true, Revoked, Cached, nil)
	p.lists["/base"] = p.make(p.ca, listOf{number: 9, this: pkitsTime.AddDate(0, 0, 39), next: pkitsTime.AddDate(0, 0, 50)})
	p.now.Add(10)
	p.check(t, "a newer one", s, false, Good, Fetched, nil)
}

// TestPartialFetched needs two lists to know about all reasons.
func TestPartialFetched(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	a, b := fullName(urlName(p.URL+"/a")), fullName(urlName(p.URL+"/b"))
	p.leaf = issue(t, "User", big.NewInt(100), &p.ca, p.leafKey, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{points(point(a, reasons(0x81, 1, 2, 3)), point(b, reasons(0x81, 4, 5, 6, 7, 8)))}
	})
	p.lists["/a"] = p.make(p.ca, spares(issuing(a, someReasons(1, 2, 3))))
	p.check(t, "one of two", p.service(t, ""), false, Unknown, "", fetch.ErrStatus)
	p.lists["/b"] = p.make(p.ca, spares(issuing(b, someReasons(4, 5, 6, 7, 8))))
	p.check(t, "both", p.service(t, ""), false, Good, Fetched, nil)
	p.lists["/b"] = p.make(p.ca, revokes(issuing(b, someReasons(4, 5, 6, 7, 8))))
	p.check(t, "revoked in the second", p.service(t, ""), false, Revoked, Fetched, nil)
}
