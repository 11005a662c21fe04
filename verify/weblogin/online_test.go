package weblogin_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

// TestOnline logs in against the services of the test PKI: certificates and
// revocation are fetched, and what is not known is refused.
func TestOnline(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*network.Network, *pki.Issued) error
		want   error
	}{
		{"good", func(*network.Network, *pki.Issued) error { return nil }, nil},
		{"revoked", func(n *network.Network, i *pki.Issued) error {
			return n.Revoke(i.Certificate, time.Now().Add(-time.Hour), 1)
		}, weblogin.ErrRevoked},
		{"suspended", func(n *network.Network, i *pki.Issued) error {
			return n.Hold(i.Certificate, time.Now().Add(-time.Hour))
		}, weblogin.ErrRevoked},
		{"CA revoked", func(n *network.Network, i *pki.Issued) error {
			return n.Revoke(n.PKI.CitizenCA.Certificate, time.Now().Add(-time.Hour), 2)
		}, weblogin.ErrRevoked},
		{"services down", func(n *network.Network, i *pki.Issued) error {
			return errors.Join(n.Set(network.OCSP, network.Status(503)), n.Set(network.CRL, network.Status(503)))
		}, weblogin.ErrRevocationUnknown},
		{"no certificate of the CA", func(n *network.Network, i *pki.Issued) error { return n.Set(network.Issuers, network.Status(404)) }, weblogin.ErrUntrusted},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n, err := network.Start(context.Background(), network.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { n.Close() })
			card := issue(t, n.PKI, pki.Request{Subject: eva})
			if err := test.change(n, card); err != nil {
				t.Fatal(err)
			}
			n.Publish()
			v := &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
			t.Cleanup(func() { v.Close() })
			o := options(n.PKI)
			o.Now, o.Intermediates, o.Issuers, o.Revocation = nil, nil, v.Issuers, weblogin.Online(v)
			who, err := validate(newToken(t, card, "ES384"), t, o)
			if !errors.Is(err, test.want) {
				t.Errorf("%v, %v", who, err)
			}
			if test.want == nil && n.Requests()[network.OCSP]+n.Requests()[network.CRL] == 0 {
				t.Error("nobody was asked")
			}
		})
	}
}
