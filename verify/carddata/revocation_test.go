package carddata_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// TestAskRevocation: the register's certificate is asked about only when
// wanted, and what the services say, or do not, counts.
func TestAskRevocation(t *testing.T) {
	t.Parallel()
	n, err := network.Start(context.Background(), network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	c := newTestCard(t, testCard{network: n.PKI})
	ask := func(v *verify.Verifier) carddata.Check {
		t.Helper()
		defer v.Close()
		o := carddata.Options{Anchors: c.anchors()}
		r := carddata.Verify(c.files, o)
		if !r.Trusted() {
			t.Fatalf("%+v", r.Checks())
		}
		if err := r.AskRevocation(context.Background(), v, o); err != nil {
			t.Fatal(err)
		}
		if r.Trusted() != (r.Chain.Status == carddata.Held) || r.Failed() {
			t.Errorf("trusted %v, failed %v, chain %+v", r.Trusted(), r.Failed(), r.Chain)
		}
		return r.Chain
	}
	local := func() *verify.Verifier {
		return &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	}
	if got := ask(local()); got.Status != carddata.Held {
		t.Errorf("good: %+v", got)
	}
	if got := ask(&verify.Verifier{}); got.Status != carddata.Untrusted { // services at loopback are not asked
		t.Errorf("nobody answers: %+v", got)
	}
	if err := n.Revoke(c.pki.RRN.Certificate, time.Now().Add(-time.Hour), pki.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	n.Publish()
	if got := ask(local()); got.Status != carddata.Untrusted || got.Reason != "A certificate of the national register's chain has been revoked." {
		t.Errorf("revoked: %+v", got)
	}
	r := carddata.Verify(c.files, carddata.Options{}) // the test root is not trusted
	before := r.Chain
	if err := r.AskRevocation(context.Background(), local(), carddata.Options{}); err != nil || r.Chain.Status != before.Status || r.Chain.Reason != before.Reason {
		t.Errorf("%v %+v, before %+v", err, r.Chain, before)
	}
}
