package revocation

import (
	"context"
	"crypto/x509"
	"net/netip"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

// world is a running test network and a certificate whose services it is.
type world struct {
	net          *network.Network
	cert, issuer *x509.Certificate
	client       *fetch.Client
	limit        time.Duration
}

func newWorld(t testing.TB) *world {
	t.Helper()
	n, err := network.Start(context.Background(), network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	issued, err := n.PKI.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{NationalNumber: "85073100166", Surname: "Specimen", GivenNames: "Test"}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{net: n, cert: issued.Certificate, issuer: issued.Issuer.Certificate}
	w.patience(t, 5*time.Minute)
	return w
}

// patience sets how long services are waited for.
func (w *world) patience(t testing.TB, limit time.Duration) {
	t.Helper()
	client, err := fetch.New(fetch.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: limit, StepTimeout: limit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.client, w.limit = client, limit
}

func (w *world) service(o Options) *Service {
	o.Fetch, o.Timeout = w.client, 4*w.limit
	return New(o)
}

func (w *world) question() Question {
	return Question{Certificate: w.cert, Issuer: w.issuer, At: time.Now()}
}

func (w *world) set(t testing.TB, s network.Service, faults ...network.Fault) {
	t.Helper()
	if err := w.net.Set(s, faults...); err != nil {
		t.Fatal(err)
	}
}

// best is the answer that a caller without wishes would take.
func best(answers []Answer) Status {
	for _, a := range answers {
		if a.Status != Unknown {
			return a.Status
		}
	}
	return Unknown
}

func TestStatusFromServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	revoked := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, crlFirst := range []bool{false, true} {
		kind := map[bool]string{false: "OCSP", true: "CRL"}[crlFirst]
		check := func(what string, want Status, reason int) {
			t.Helper()
			answers, problems := w.service(Options{CRLFirst: crlFirst}).Check(context.Background(), w.question())
			if len(answers) != 1 || len(problems) != 0 || answers[0].Kind != kind || answers[0].Status != want || answers[0].Origin != Fetched || answers[0].Reason != reason {
				t.Errorf("%s, %s: %+v, %v", kind, what, answers, problems)
			}
			if want == Revoked && len(answers) == 1 && !answers[0].RevokedAt.Equal(revoked.UTC()) {
				t.Errorf("%s, %s: at %v", kind, what, answers[0].RevokedAt)
			}
		}
		check("not revoked", Good, -1)
		if err := w.net.Revoke(w.cert, revoked, 1); err != nil {
			t.Fatal(err)
		}
		w.net.Publish()
		check("revoked", Revoked, 1)
		if err := w.net.Hold(w.cert, revoked); err != nil {
			t.Fatal(err)
		}
		w.net.Publish()
		check("on hold", Revoked, 6)
		if err := w.net.Release(w.cert); err != nil {
			t.Fatal(err)
		}
		w.net.Publish()
		check("released", Good, -1)
	}
}

// TestLyingServices sets every fault for both services, and for each alone: what comes out is never a wrong Good, and never late.
func TestLyingServices(t *testing.T) {
	t.Parallel()
	harmless := map[network.Fault]bool{
		network.Redirect: true, network.NoNonce: true, network.ByName: true, network.Direct: true, network.Checked: true, network.Endless: true,
		network.PEM: true, network.Delta: true, network.NoCertificate: true,
	}
	for _, service := range []network.Service{network.CRL, network.OCSP} {
		for _, fault := range append(network.Faults(service), network.Status(404), network.Status(503)) {
			t.Run(string(service)+"/"+string(fault), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				if err := w.net.Revoke(w.cert, time.Now().Add(-40*24*time.Hour), 1); err != nil {
					t.Fatal(err)
				}
				w.set(t, service, fault)
				other := network.CRL
				if service == network.CRL {
					other = network.OCSP
				}
				w.set(t, other, network.Down)
				if fault == network.Silent || fault == network.Slow {
					w.patience(t, 500*time.Millisecond)
				}
				answers, problems := w.service(Options{}).Check(context.Background(), w.question())
				if best(answers) == Good {
					t.Fatalf("a revoked certificate was called good: %+v", answers)
				}
				if !harmless[fault] && best(answers) != Unknown {
					t.Errorf("an answer was taken from a service that misbehaves: %+v", answers)
				}
				if !harmless[fault] && len(problems) < 2 && !(fault == network.Unknowing) {
					t.Errorf("problems: %v", problems)
				}
				w.set(t, other) // the other service is right: it is asked too
				answers, _ = w.service(Options{CRLFirst: service == network.CRL}).Check(context.Background(), w.question())
				for best(answers) == Unknown && w.limit < 5*time.Minute { // on a busy machine one that is right may be slow, too
					w.patience(t, 2*w.limit)
					answers, _ = w.service(Options{CRLFirst: service == network.CRL}).Check(context.Background(), w.question())
				}
				if best(answers) != Revoked {
					t.Errorf("the other service was not believed: %+v", answers)
				}
			})
		}
	}
}

// TestKept: what was fetched is not asked for again, offline it is all there is, and Fresh has it asked for anew.
func TestKept(t *testing.T) {
	t.Parallel()
	for _, crlFirst := range []bool{false, true} {
		w := newWorld(t)
		s := w.service(Options{CRLFirst: crlFirst})
		q := w.question()
		q.Offline = true
		if answers, _ := s.Check(context.Background(), q); len(answers) != 0 {
			t.Errorf("offline, with nothing: %+v", answers)
		}
		if n := len(w.net.Requests()); n != 0 && w.net.Requests()[network.OCSP]+w.net.Requests()[network.CRL] != 0 {
			t.Errorf("offline, and %v were asked", w.net.Requests())
		}
		q.Offline = false
		if answers, problems := s.Check(context.Background(), q); best(answers) != Good {
			t.Fatalf("%+v %v", answers, problems)
		}
		asked := w.net.Requests()[network.OCSP] + w.net.Requests()[network.CRL]
		q.Offline, q.At = true, time.Now()
		answers, _ := s.Check(context.Background(), q)
		if best(answers) != Good || answers[0].Origin != Cached {
			t.Errorf("offline, afterwards: %+v", answers)
		}
		q.Offline = false
		s.Check(context.Background(), q)
		if now := w.net.Requests()[network.OCSP] + w.net.Requests()[network.CRL]; now != asked {
			t.Errorf("asked %d times, then %d", asked, now)
		}
		q.Fresh = time.Nanosecond
		q.Enough = func(a []Answer) bool { return len(a) > 0 && a[0].Origin == Fetched }
		s.Check(context.Background(), q)
		if now := w.net.Requests()[network.OCSP] + w.net.Requests()[network.CRL]; now == asked {
			t.Error("a fresh answer was wanted, and nobody asked")
		}
	}
}

// TestWithoutLoopback: the address rules hold for what stands in certificates.
func TestWithoutLoopback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	answers, problems := New(Options{Fetch: client}).Check(context.Background(), w.question())
	if len(answers) != 0 || len(problems) != 2 {
		t.Errorf("%+v, %v", answers, problems)
	}
	if n := w.net.Requests(); n[network.OCSP]+n[network.CRL] != 0 {
		t.Errorf("a service at a private address was reached: %v", n)
	}
}

// TestCancelled: a caller who gives up is not kept waiting by a service that says nothing.
func TestCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(t, network.OCSP, network.Silent)
	w.set(t, network.CRL, network.Silent)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan []Answer)
	go func() {
		answers, _ := w.service(Options{}).Check(ctx, w.question())
		done <- answers
	}()
	cancel()
	if answers := <-done; len(answers) != 0 {
		t.Errorf("%+v", answers)
	}
}
