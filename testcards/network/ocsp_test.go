package network_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

func TestOCSPWithOpenSSL(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		n := start(t, network.Options{PKI: pki.Options{Algorithm: alg}})
		p, leaf := n.PKI, issue(t, n.PKI, pki.Request{})
		root, ca, cert := pemFile(t, p.Root.Certificate), pemFile(t, p.CitizenCA.Certificate), pemFile(t, leaf)
		ask := func(flags ...string) string {
			t.Helper()
			out, _ := openssl(t, append([]string{"ocsp", "-url", leaf.OCSPServer[0], "-issuer", ca, "-CAfile", root,
				"-attime", attime, "-validity_period", "2000000000"}, append(flags, "-cert", cert)...)...)
			return out
		}
		wants := func(what, text string, wants ...string) {
			t.Helper()
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("%v, %s: no %q in\n%s", alg, what, want, text)
				}
			}
		}
		wants("good", ask(), "Response verify OK", ": good", "Next Update: Jun  1 13:00:00 2025 GMT")
		wants("SHA-256", ask("-sha256"), "Response verify OK", ": good")
		must(t, n.Revoke(leaf, noon.Add(-time.Hour), pki.Superseded))
		wants("revoked", ask(), "Response verify OK", ": revoked", "Reason: superseded", "Revocation Time: Jun  1 11:00:00 2025 GMT")
		must(t, n.Hold(leaf, noon))
		wants("on hold", ask(), ": revoked", "Reason: certificateHold")
		must(t, n.Release(leaf))
		wants("released", ask(), ": good")
		must(t, n.Forget(leaf))
		wants("forgotten", ask(), ": unknown")
		must(t, n.Release(leaf))
		for fault, want := range map[network.Fault]string{
			network.ByName: "Response verify OK", network.Direct: "Response verify OK", network.Checked: "Response verify OK",
			network.Endless: "Response verify OK", network.Redirect: "code=307",
			network.NoNonce: "WARNING: no nonce in response", network.WrongNonce: "Nonce Verify error", network.WrongSignature: "Response Verify Failure",
			network.WrongSerial: "No Status found", network.WrongIssuer: "No Status found", network.Expired: "Response Verify Failure",
			network.Unauthorised: "Response Verify Failure", network.Foreign: "Response Verify Failure", network.TryLater: "trylater (3)",
			network.Denied: "unauthorized (6)", network.Unknowing: ": unknown", network.NoCertificate: "signer certificate not found",
			network.Replay: "This Update: May  2 12:00:00 2025 GMT", network.Future: "This Update: Jun  2 12:00:00 2025 GMT",
			network.Down: "rror", network.HTML: "rror", network.Empty: "rror", network.Malformed: "rror", network.Truncated: "rror", network.Status(503): "code=503",
		} {
			set(t, n, network.OCSP, fault)
			wants(string(fault), ask(), want)
		}
	}
}

// By GET, to a client that is not openssl; what was revoked later is good in
// an old answer.
func TestOCSPByGet(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	leaf, ca := issue(t, n.PKI, pki.Request{}), n.PKI.CitizenCA.Certificate
	ask := func(c, issuer *x509.Certificate) (*ocsp.Response, error) {
		t.Helper()
		raw, err := ocsp.CreateRequest(c, issuer, &ocsp.RequestOptions{Hash: crypto.SHA256})
		must(t, err)
		r, body, err := get(t, leaf.OCSPServer[0]+"/"+url.PathEscape(base64.StdEncoding.EncodeToString(raw)))
		must(t, err)
		if kind := r.Header.Get("Content-Type"); kind != "application/ocsp-response" {
			t.Errorf("type %s", kind)
		}
		return ocsp.ParseResponseForCert(body, c, issuer)
	}
	set(t, n, network.OCSP, network.Direct, network.NoCertificate)
	if r, err := ask(leaf, ca); err != nil || r.Status != ocsp.Good || !r.ProducedAt.Equal(noon) {
		t.Errorf("%+v, %v", r, err)
	}
	must(t, n.Revoke(leaf, noon.AddDate(0, 0, -1), 1))
	if r, err := ask(leaf, ca); err != nil || r.Status != ocsp.Revoked || r.RevocationReason != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	set(t, n, network.OCSP, network.Direct, network.NoCertificate, network.Replay)
	if r, err := ask(leaf, ca); err != nil || r.Status != ocsp.Good || r.NextUpdate.After(noon) {
		t.Errorf("replayed: %+v, %v", r, err)
	}
	if _, err := ask(n.PKI.TSA.Certificate, n.PKI.TimestampCA.Certificate); err != nil {
		t.Errorf("another CA: %v", err)
	}
	stranger := issue(t, start(t, network.Options{PKI: pki.Options{Seed: 5}}).PKI, pki.Request{})
	if _, err := ask(stranger, leaf); err == nil || !strings.Contains(err.Error(), "unauthorized") {
		t.Errorf("of no CA: %v", err)
	}
	for _, path := range []string{"/ocsp/!", "/ocsp/AAAA", "/ocsp/%zz"} {
		_, body, err := get(t, n.URL()+strings.ReplaceAll(path, "%zz", "//"))
		if err != nil || !bytes.Equal(body, ocsp.MalformedRequestErrorResponse) {
			t.Errorf("%s: % x, %v", path, body, err)
		}
	}
	// A double slash in the base64 reaches the service.
	if n.Requests()[network.OCSP] != 8 {
		t.Errorf("%v", n.Requests())
	}
}

// Answers of one network for all algorithms of its seed.
func TestOtherAlgorithms(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	for _, alg := range []pki.Algorithm{pki.RSA, pki.RSA1024} {
		p := n.Of(alg)
		leaf := issue(t, p, pki.Request{Issuer: p.ForeignerCA})
		must(t, n.Revoke(leaf, noon, 1))
		r, body, err := get(t, leaf.CRLDistributionPoints[0])
		if err != nil || r.StatusCode != 200 {
			t.Fatal(err)
		}
		list, err := x509.ParseRevocationList(body)
		if err != nil || len(list.RevokedCertificateEntries) != 1 {
			t.Errorf("%v: %v", alg, err)
		}
		raw, err := ocsp.CreateRequest(leaf, p.ForeignerCA.Certificate, nil)
		must(t, err)
		set(t, n, network.OCSP, network.Direct, network.NoCertificate)
		_, body, err = post(t, leaf.OCSPServer[0], "application/ocsp-request", raw)
		must(t, err)
		if single, err := ocsp.ParseResponseForCert(body, leaf, nil); err != nil || single.Status != ocsp.Revoked {
			t.Errorf("%v: %v", alg, err)
		}
	}
}
