package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// loopback lets a Verifier reach the test services.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// services starts the services of a test PKI.
func services(t testing.TB) (*network.Network, *verify.Anchors) {
	t.Helper()
	n, err := network.Start(context.Background(), network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	a := &verify.Anchors{}
	a.Add(n.PKI.Root.Certificate)
	return n, a
}

// signature is a CAdES signature of the level by a citizen, an hour old.
func signature(t testing.TB, p *pki.PKI, level signed.Level, number string) ([]byte, *pki.Issued) {
	t.Helper()
	who, err := signed.Citizen(p, pki.Request{Subject: pki.Subject{NationalNumber: number, Surname: "Proefkonijn-Specimen", GivenNames: "Zoë Marie"}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := signed.CAdES([]byte("inhoud"), false, signed.Options{PKI: p, Signer: who, At: time.Now().Add(-time.Hour), Level: level})
	if err != nil {
		t.Fatal(err)
	}
	return data, who
}

// judge verifies data with a new Verifier, which has kept nothing.
func judge(t testing.TB, v *verify.Verifier, data []byte, o verify.Options) *verify.Report {
	t.Helper()
	if v == nil {
		v = &verify.Verifier{Allow: loopback}
		t.Cleanup(func() { v.Close() })
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	rep, err := v.File(ctx, bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func expect(t *testing.T, rep *verify.Report, indication verify.Indication, sub ...string) {
	t.Helper()
	if rep.Indication == indication && (len(sub) == 0 || slices.Contains(sub, rep.SubIndication)) {
		return
	}
	t.Errorf("%s %s %s, want %s %v", rep.Error, rep.Indication, rep.SubIndication, indication, sub)
	for _, s := range rep.Signatures {
		t.Logf("%v %v", short(s.Errors), short(s.Warnings))
	}
}

// TestRevocationOnline: what the services say decides, at every level.
func TestRevocationOnline(t *testing.T) {
	t.Parallel()
	n, anchors := services(t)
	o := verify.Options{Anchors: anchors}
	for i, level := range []signed.Level{signed.B, signed.T, signed.LT, signed.LTA} {
		number := fmt.Sprintf("7171510%04d", i)
		data, who := signature(t, n.PKI, level, number)
		expect(t, judge(t, nil, data, o), verify.TotalPassed)
		if err := n.Hold(who.Certificate, time.Now().Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		n.Publish()
		rep := judge(t, nil, data, o)
		if level < signed.LT {
			expect(t, rep, verify.Indeterminate, "TRY_LATER")
		} else { // what is embedded is fresh enough for the time stamp, so that nobody is asked
			expect(t, rep, verify.TotalPassed)
		}
		if err := n.Release(who.Certificate); err != nil {
			t.Fatal(err)
		}
		if err := n.Revoke(who.Certificate, time.Now().Add(-2*time.Hour), pki.KeyCompromise); err != nil {
			t.Fatal(err)
		}
		n.Publish()
		if rep = judge(t, nil, data, o); level < signed.LT {
			expect(t, rep, verify.Indeterminate, "REVOKED_NO_POE")
		}
	}
}

// TestRevokedAfterwards: a time stamp from before the revocation saves the
// signature, and without one it is lost.
func TestRevokedAfterwards(t *testing.T) {
	t.Parallel()
	n, anchors := services(t)
	for i, level := range []signed.Level{signed.B, signed.T} {
		data, who := signature(t, n.PKI, level, fmt.Sprintf("7171520%04d", i))
		if err := n.Revoke(who.Certificate, time.Now().Add(-time.Minute), pki.Superseded); err != nil {
			t.Fatal(err)
		}
		n.Publish()
		rep := judge(t, nil, data, verify.Options{Anchors: anchors})
		if level == signed.B {
			expect(t, rep, verify.Indeterminate, "REVOKED_NO_POE")
			expect(t, judge(t, nil, data, verify.Options{Anchors: anchors, ReceivedAt: []time.Time{time.Now().Add(-30 * time.Minute)}}), verify.TotalPassed)
			continue
		}
		expect(t, rep, verify.TotalPassed)
		if s := rep.Signatures[0]; s.Revocation[0].Status != "revoked" || s.BestSignatureTimeProof == "" {
			t.Errorf("%+v, proof %q", s.Revocation[0], s.BestSignatureTimeProof)
		}
	}
}

// TestServiceFaults: whatever both kinds of revocation services do wrong, the
// signature is not passed, with the reason, and in bounded time; what is only
// another right answer does no harm.
func TestServiceFaults(t *testing.T) {
	t.Parallel()
	harmless := []network.Fault{network.Redirect, network.NoNonce, network.ByName, network.Direct, network.Checked, network.Endless, network.PEM,
		network.Delta, network.Slow, network.NoCertificate}
	var faults []network.Fault
	for _, s := range []network.Service{network.OCSP, network.CRL} {
		for _, f := range network.Faults(s) {
			if !slices.Contains(faults, f) {
				faults = append(faults, f)
			}
		}
	}
	for i, fault := range faults {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			n, anchors := services(t)
			data, _ := signature(t, n.PKI, signed.B, fmt.Sprintf("7171530%04d", i))
			for _, s := range []network.Service{network.OCSP, network.CRL} {
				f := fault
				if !slices.Contains(network.Faults(s), f) {
					f = network.Down
				}
				if err := n.Set(s, f); err != nil {
					t.Fatal(err)
				}
			}
			v := &verify.Verifier{Allow: loopback}
			defer v.Close()
			if fault == network.Silent || fault == network.Slow { // there is nothing to wait for
				v.Timeout = time.Second
			}
			rep := judge(t, v, data, verify.Options{Anchors: anchors})
			if slices.Contains(harmless, fault) {
				return // may pass: package revocation tests that
			}
			expect(t, rep, verify.Indeterminate, "TRY_LATER")
			for _, s := range rep.Signatures {
				if len(s.Errors) == 0 || len(s.Errors[0].Text) != 4 {
					t.Errorf("no reason: %+v", s.Errors)
				}
			}
		})
	}
}

// TestMissingIntermediate: the CA's certificate is fetched from where the
// signer's says, and is not when offline.
func TestMissingIntermediate(t *testing.T) {
	t.Parallel()
	n, anchors := services(t)
	who, err := signed.Citizen(n.PKI, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := signed.CAdES([]byte("inhoud"), false, signed.Options{PKI: n.PKI, Signer: who, At: time.Now().Add(-time.Hour), OnlySigner: true})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, judge(t, nil, data, verify.Options{Anchors: anchors}), verify.TotalPassed)
	expect(t, judge(t, nil, data, verify.Options{Anchors: anchors, Offline: true}), verify.Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND")
	if err := n.Set(network.Issuers, network.Down); err != nil {
		t.Fatal(err)
	}
	expect(t, judge(t, nil, data, verify.Options{Anchors: anchors}), verify.Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND")
}

// TestOffline: nobody is asked, and the report says who would have been.
func TestOffline(t *testing.T) {
	t.Parallel()
	n, anchors := services(t)
	data, _ := signature(t, n.PKI, signed.B, "71715400001")
	rep := judge(t, nil, data, verify.Options{Anchors: anchors, Offline: true})
	expect(t, rep, verify.Indeterminate, "TRY_LATER")
	if e := rep.Signatures[0].Errors[0]; e.Code != "REVOCATION_OFFLINE" || !bytes.Contains([]byte(e.Detail), []byte(n.URL()+"/ocsp")) {
		t.Errorf("%+v", e)
	}
	if asked := n.Requests(); len(asked) > 0 && asked[network.OCSP]+asked[network.CRL]+asked[network.Issuers] > 0 {
		t.Errorf("asked although offline: %v", asked)
	}
	embedded, _ := signature(t, n.PKI, signed.LT, "71715400002")
	expect(t, judge(t, nil, embedded, verify.Options{Anchors: anchors, Offline: true}), verify.TotalPassed)
}

// TestCache: lists that were fetched are kept in the folder for the next
// process, which asks nobody.
func TestCache(t *testing.T) {
	t.Parallel()
	n, anchors := services(t)
	data, who := signature(t, n.PKI, signed.B, "71715400004")
	dir := t.TempDir()
	next := func() *verify.Verifier { // like another process: nothing in memory
		v := &verify.Verifier{Allow: loopback, CRLFirst: true, CacheDir: dir}
		t.Cleanup(func() { v.Close() })
		return v
	}
	expect(t, judge(t, next(), data, verify.Options{Anchors: anchors}), verify.TotalPassed)
	before := n.Requests()
	for _, offline := range []bool{false, true} {
		rep := judge(t, next(), data, verify.Options{Anchors: anchors, Offline: offline})
		expect(t, rep, verify.TotalPassed)
		if got := rep.Signatures[0].Revocation[0]; got.Origin != "cached" || got.Kind != "CRL" {
			t.Errorf("offline %v: %+v", offline, got)
		}
	}
	if after := n.Requests(); after[network.CRL] != before[network.CRL] || after[network.OCSP] != before[network.OCSP] {
		t.Errorf("asked again: %v, before %v", after, before)
	}
	// Somebody else under the same CA profits, and what the list says of him counts.
	other, _ := signature(t, n.PKI, signed.B, "71715400005")
	expect(t, judge(t, next(), other, verify.Options{Anchors: anchors, Offline: true}), verify.TotalPassed)
	if err := n.Revoke(who.Certificate, time.Now().Add(-2*time.Hour), pki.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	n.Publish()
	dir = t.TempDir()
	expect(t, judge(t, next(), data, verify.Options{Anchors: anchors}), verify.Indeterminate, "REVOKED_NO_POE")
	expect(t, judge(t, next(), data, verify.Options{Anchors: anchors, Offline: true}), verify.Indeterminate, "REVOKED_NO_POE")

	dir = filepath.Join(dir, "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if rep, err := next().File(context.Background(), bytes.NewReader(data), int64(len(data)), verify.Options{}); err == nil {
		t.Errorf("a cache that is no folder: %v", rep.Indication)
	}
}

// TestPrivateAddresses: services at loopback are not asked unless allowed.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	n, anchors := services(t)
	data, _ := signature(t, n.PKI, signed.B, "71715400003")
	var v verify.Verifier
	defer v.Close()
	expect(t, judge(t, &v, data, verify.Options{Anchors: anchors}), verify.Indeterminate, "TRY_LATER")
	if asked := n.Requests(); asked[network.OCSP]+asked[network.CRL] > 0 {
		t.Errorf("asked at a private address: %v", asked)
	}
}

// TestCertificateAlone: what --certificate says.
func TestCertificateAlone(t *testing.T) {
	t.Parallel()
	n, anchors := services(t)
	who, err := signed.Citizen(n.PKI, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	v := &verify.Verifier{Allow: loopback}
	defer v.Close()
	check := func(o verify.Options, indication verify.Indication, sub string) {
		t.Helper()
		o.Anchors = anchors
		rep, err := v.CheckCertificate(context.Background(), who.Certificate, o)
		if err != nil {
			t.Fatal(err)
		}
		if rep.Indication != indication || rep.SubIndication != sub || (len(rep.Errors) == 0) != (indication == verify.TotalPassed) {
			t.Errorf("%s %s %v, want %s %s", rep.Indication, rep.SubIndication, short(rep.Errors), indication, sub)
		}
		if rep.Holder.Surname != "Proefkonijn-Specimen" || rep.Holder.NISS == "" {
			t.Errorf("%+v", rep.Holder)
		}
	}
	check(verify.Options{}, verify.TotalPassed, "")
	check(verify.Options{At: who.Certificate.NotAfter.AddDate(0, 0, 1)}, verify.TotalFailed, "EXPIRED")
	check(verify.Options{At: who.Certificate.NotBefore.AddDate(0, 0, -1)}, verify.TotalFailed, "NOT_YET_VALID")
	if err := n.Revoke(who.Certificate, time.Now().Add(-time.Hour), pki.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	n.Publish()
	v = &verify.Verifier{Allow: loopback}
	check(verify.Options{}, verify.TotalFailed, "REVOKED")
	check(verify.Options{At: time.Now().Add(-24 * time.Hour)}, verify.TotalPassed, "")
	anchors = nil
	check(verify.Options{}, verify.Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND")
}
