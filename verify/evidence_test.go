package verify_test

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// proven gathers evidence with a new Verifier and holds it to its promise: offline, with the anchor alone, it is enough.
func proven(t *testing.T, v *verify.Verifier, c *x509.Certificate, o verify.Options) *verify.Evidence {
	t.Helper()
	t.Cleanup(func() { v.Close() })
	e, err := v.Evidence(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	o = verify.Options{Anchors: o.Anchors, Offline: true, CRLs: e.CRLs, OCSPs: e.OCSPs, Intermediates: e.Certificates}
	rep, err := new(verify.Verifier).CheckCertificate(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Indication != verify.TotalPassed {
		t.Errorf("offline: %s %s %v", rep.Indication, rep.SubIndication, short(rep.Errors))
	}
	again, err := new(verify.Verifier).Evidence(t.Context(), c, o)
	if err != nil {
		t.Fatalf("from itself: %v", err)
	}
	if len(again.CRLs) != len(e.CRLs) || len(again.OCSPs) != len(e.OCSPs) || len(again.Certificates) != len(e.Certificates) {
		t.Errorf("from itself: %d, %d and %d objects, at first %d, %d and %d", len(again.Certificates), len(again.CRLs), len(again.OCSPs), len(e.Certificates), len(e.CRLs), len(e.OCSPs))
	}
	for i, raw := range append(slices.Clone(e.CRLs), e.OCSPs...) {
		for _, other := range append(slices.Clone(e.CRLs), e.OCSPs...)[:i] {
			if string(raw) == string(other) {
				t.Error("an object is there twice")
			}
		}
	}
	return e
}

// rsaServices are services whose signatures take little time to check.
func rsaServices(t *testing.T) (*network.Network, *verify.Anchors) {
	t.Helper()
	n, err := network.Start(context.Background(), network.Options{PKI: pki.Options{Algorithm: pki.RSA}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	a := &verify.Anchors{}
	a.Add(n.PKI.Root.Certificate)
	return n, a
}

// TestEvidence: what is gathered, in all ways in which services answer rightly.
func TestEvidence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		ocsp, crl   network.Fault
		crlFirst    bool
		indirect    bool
		crls, ocsps int
		signers     int // certificates beside the path of three
	}{
		{name: "OCSP", ocsps: 2, signers: 2},
		{name: "lists", crlFirst: true, crls: 2},
		{name: "OCSP by the CAs themselves", ocsp: network.Direct, ocsps: 2},
		{name: "responders that only themselves speak for", ocsp: network.Checked, crls: 2},
		{name: "delta lists", crl: network.Delta, crlFirst: true, crls: 3},
		{name: "an indirect list", crlFirst: true, indirect: true, crls: 2, signers: 1},
		{name: "OCSP down", ocsp: network.Down, crls: 2},
		{name: "lists down", crl: network.Down, crlFirst: true, ocsps: 2, signers: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, anchors := rsaServices(t)
			for s, f := range map[network.Service]network.Fault{network.OCSP: tt.ocsp, network.CRL: tt.crl} {
				if f == "" {
					continue
				}
				if err := n.Set(s, f); err != nil {
					t.Fatal(err)
				}
			}
			if tt.crl == network.Delta { // there is one once something has changed
				other, err := signed.Citizen(n.PKI, pki.Request{Subject: pki.Subject{NationalNumber: "71715600009", Surname: "Ander-Specimen"}})
				if err != nil {
					t.Fatal(err)
				}
				if err := n.Revoke(other.Certificate, time.Now().Add(-time.Hour), pki.Superseded); err != nil {
					t.Fatal(err)
				}
			}
			who, err := signed.Citizen(n.PKI, pki.Request{IndirectCRL: tt.indirect})
			if err != nil {
				t.Fatal(err)
			}
			e := proven(t, &verify.Verifier{Allow: loopback, CRLFirst: tt.crlFirst}, who.Certificate,
				verify.Options{Anchors: anchors, Intermediates: []*x509.Certificate{n.PKI.CRLIssuer.Certificate}})
			if len(e.CRLs) != tt.crls || len(e.OCSPs) != tt.ocsps || len(e.Certificates) != 3+tt.signers {
				t.Errorf("%d certificates, %d lists, %d answers", len(e.Certificates), len(e.CRLs), len(e.OCSPs))
			}
			if !e.Certificates[0].Equal(who.Certificate) || !e.Certificates[2].Equal(n.PKI.Root.Certificate) {
				t.Error("the path does not come first")
			}
		})
	}
}

// TestEvidenceResponder: an answer by a responder that has to be asked about brings what the CA says of that, and lists for some reasons
// bring each other. Nothing but what the caller gives is used.
func TestEvidenceResponder(t *testing.T) {
	t.Parallel()
	n, anchors := rsaServices(t)
	who, err := signed.Citizen(n.PKI, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	responder, err := n.PKI.Responder(n.PKI.CitizenCA, pki.Service{Checked: true})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	answer, err := answers.OCSP{Responder: responder, Certificates: []*x509.Certificate{responder.Certificate}, ProducedAt: now,
		Singles: []answers.Single{{Serial: who.Certificate.SerialNumber, Issuer: n.PKI.CitizenCA.Certificate, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}}.Response()
	if err != nil {
		t.Fatal(err)
	}
	list := func(ca *pki.Authority, reasons ...int) []byte {
		t.Helper()
		l := pki.List{Number: 7, ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour), Scope: pki.Scope{Reasons: reasons}}
		if reasons != nil {
			l.Scope.URL = n.PKI.CRLURL(ca)
		}
		raw, err := n.PKI.CRL(ca, l)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	root, citizens := list(n.PKI.Root), list(n.PKI.CitizenCA)
	some, rest := list(n.PKI.CitizenCA, 1, 2, 3, 4), list(n.PKI.CitizenCA, 5, 6, 7, 8)
	for _, tt := range []struct {
		name        string
		crls, ocsps [][]byte
		uses, all   int
	}{
		{"responder asked about", [][]byte{citizens, root}, [][]byte{answer}, 2, 4},
		{"lists for some reasons", [][]byte{some, rest, root}, nil, 3, 3},
	} {
		o := verify.Options{Anchors: anchors, Offline: true, CRLs: tt.crls, OCSPs: tt.ocsps, Intermediates: []*x509.Certificate{n.PKI.CitizenCA.Certificate}}
		e := proven(t, &verify.Verifier{}, who.Certificate, o)
		if len(e.CRLs) != tt.uses || len(e.OCSPs) != len(tt.ocsps) || len(e.Certificates) != tt.all {
			t.Errorf("%s: %d certificates, %d lists, %d answers", tt.name, len(e.Certificates), len(e.CRLs), len(e.OCSPs))
		}
		o.CRLs = tt.crls[1:] // the first is needed
		if _, err := new(verify.Verifier).Evidence(t.Context(), who.Certificate, o); !errors.Is(err, verify.ErrRevocationUnknown) {
			t.Errorf("%s, one less: %v", tt.name, err)
		}
	}
}

// TestEvidenceAgainst: what stands against a certificate is said, with who says so.
func TestEvidenceAgainst(t *testing.T) {
	t.Parallel()
	n, anchors := rsaServices(t)
	who, err := signed.Citizen(n.PKI, pki.Request{Subject: pki.Subject{NationalNumber: "71715610001", Surname: "Proefkonijn-Specimen"}})
	if err != nil {
		t.Fatal(err)
	}
	gather := func(o verify.Options) error {
		t.Helper()
		v := &verify.Verifier{Allow: loopback}
		defer v.Close()
		e, err := v.Evidence(t.Context(), who.Certificate, o)
		if (e == nil) != (err != nil) {
			t.Errorf("%v with %v", e, err)
		}
		if err != nil && (!errors.Is(err, verify.ErrVerification) || strings.Contains(err.Error(), "Proefkonijn")) {
			t.Errorf("%v", err)
		}
		return err
	}
	expect := func(err error, reason error, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v: no word of %q", err, w)
			}
		}
		if !errors.Is(err, reason) {
			t.Errorf("%v, want %v", err, reason)
		}
	}
	expect(gather(verify.Options{Anchors: anchors, At: who.Certificate.NotAfter.Add(time.Hour)}), verify.ErrExpired, "2032")
	expect(gather(verify.Options{Anchors: anchors, At: who.Certificate.NotBefore.Add(-time.Hour)}), verify.ErrExpired)
	expect(gather(verify.Options{}), verify.ErrUntrusted, "TEST")
	expect(gather(verify.Options{Anchors: anchors, Offline: true, Intermediates: []*x509.Certificate{n.PKI.CitizenCA.Certificate}}), verify.ErrRevocationUnknown, n.URL()+"/ocsp", "would have asked")

	if err := n.Hold(who.Certificate, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	n.Publish()
	expect(gather(verify.Options{Anchors: anchors}), verify.ErrRevoked, "suspended", n.URL()+"/ocsp")
	if err := gather(verify.Options{Anchors: anchors, At: time.Now().Add(-2 * time.Hour)}); err != nil {
		t.Errorf("used before: %v", err)
	}
	if err := n.Release(who.Certificate); err != nil {
		t.Fatal(err)
	}
	if err := n.Revoke(n.PKI.CitizenCA.Certificate, time.Now().Add(-time.Hour), pki.CACompromise); err != nil {
		t.Fatal(err)
	}
	n.Publish()
	for _, at := range []time.Time{{}, time.Now().Add(-2 * time.Hour)} { // an authority is never forgiven
		expect(gather(verify.Options{Anchors: anchors, At: at}), verify.ErrRevoked, "CA", n.URL()+"/ocsp")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := new(verify.Verifier).Evidence(cancelled, who.Certificate, verify.Options{Anchors: anchors}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := new(verify.Verifier).Evidence(t.Context(), nil, verify.Options{}); err == nil {
		t.Error("evidence about nobody")
	}
}

// TestEvidenceServices: each fault of both services at once is told with the addresses.
func TestEvidenceServices(t *testing.T) {
	t.Parallel()
	n, anchors := rsaServices(t)
	for fault, reason := range map[network.Fault]error{
		network.Down: fetch.ErrUnavailable, network.Status(503): fetch.ErrStatus, network.HTML: nil, network.Empty: nil, network.WrongSignature: nil,
		network.Replay: nil, network.RedirectPrivate: fetch.ErrRedirect, network.Truncated: fetch.ErrUnavailable,
	} {
		t.Run(string(fault), func(t *testing.T) {
			for _, s := range []network.Service{network.OCSP, network.CRL} {
				if err := n.Set(s, fault); err != nil {
					t.Fatal(err)
				}
			}
			who, err := signed.Citizen(n.PKI, pki.Request{})
			if err != nil {
				t.Fatal(err)
			}
			v := &verify.Verifier{Allow: loopback}
			defer v.Close()
			_, err = v.Evidence(t.Context(), who.Certificate, verify.Options{Anchors: anchors})
			var service *fetch.ServiceError
			if !errors.Is(err, verify.ErrRevocationUnknown) || !errors.As(err, &service) || reason != nil && !errors.Is(err, reason) {
				t.Fatalf("%v", err)
			}
			for _, url := range []string{n.URL() + "/ocsp", n.PKI.CRLURL(n.PKI.CitizenCA)} {
				if !strings.Contains(err.Error(), url) {
					t.Errorf("%v: no word of %s", err, url)
				}
			}
		})
	}
}
