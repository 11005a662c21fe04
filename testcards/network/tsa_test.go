package network_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

func TestTSAWithOpenSSL(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		n := start(t, network.Options{PKI: pki.Options{Algorithm: alg}})
		root, data := pemFile(t, n.PKI.Root.Certificate), file(t, "data", []byte("what is stamped"))
		// stamp is what openssl says of the answer to its own request.
		stamp := func(url string, flags ...string) string {
			t.Helper()
			query := filepath.Join(t.TempDir(), "query")
			if out, err := openssl(t, append([]string{"ts", "-query", "-data", data, "-out", query}, flags...)...); err != nil {
				t.Fatal(out)
			}
			raw, err := os.ReadFile(query)
			must(t, err)
			r, body, err := post(t, url, "application/timestamp-query", raw)
			if err != nil || r.Header.Get("Content-Type") != "application/timestamp-reply" {
				t.Fatalf("%v, %s", err, body)
			}
			reply := file(t, "reply", body)
			text, _ := openssl(t, "ts", "-reply", "-in", reply, "-text")
			judged, _ := openssl(t, "ts", "-verify", "-in", reply, "-queryfile", query, "-CAfile", root, "-attime", attime,
				"-untrusted", pemFile(t, n.PKI.TSA.Certificate, n.PKI.TimestampCA.Certificate))
			return text + judged
		}
		wants := func(what, text string, wants ...string) {
			t.Helper()
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("%v, %s: no %q in\n%s", alg, what, want, text)
				}
			}
		}
		wants("ordinary", stamp(n.PKI.TSAURL(), "-sha256", "-cert"), "Verification: OK", "Policy OID: "+n.PKI.TimestampPolicy(), "Jun  1 12:00:00 2025 GMT")
		wants("SHA-512, no certificate", stamp(n.URL()+"/tsa", "-sha512"), "Verification: OK", "Serial number: 0x02")
		wants("other policy", stamp(n.URL()+"/tsa", "-sha384", "-tspolicy", "2.999.56.1"), "Verification: OK", "Policy OID: 2.999.56.1")
		wants("unknown policy", stamp(n.URL()+"/tsa", "-tspolicy", "2.999.7"), "Rejected", "unacceptedPolicy")
		wants("SHA-1", stamp(n.URL()+"/tsa", "-sha1"), "Rejected", "badAlg")
		for fault, want := range map[network.Fault]string{
			network.WrongImprint: "message imprint mismatch", network.WrongNonce: "nonce mismatch", network.NoNonce: "nonce not returned",
			network.Unauthorised: "unsuitable certificate purpose", network.Expired: "certificate has expired", network.WrongSignature: "signature failure",
			network.WrongPolicy: "policy mismatch", network.Rejection: "Rejected", network.ClockAhead: "Jun  2 12:00:00 2025 GMT",
			network.ClockBehind: "May 31 12:00:00 2025 GMT", network.Malformed: "asn1",
		} {
			set(t, n, network.TSA, fault)
			wants(string(fault), stamp(n.PKI.TSAURL(), "-sha256", "-cert", "-tspolicy", n.PKI.TimestampPolicy()), want)
		}
	}
}

func TestTSARefuses(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	if r, _, err := post(t, n.PKI.TSAURL(), "application/octet-stream", nil); err != nil || r.StatusCode != 415 {
		t.Errorf("%v, %v", r.Status, err)
	}
	if r, _, err := post(t, n.URL()+"/tsa/citizen-ec", "application/timestamp-query", nil); err != nil || r.StatusCode != 404 {
		t.Errorf("%v, %v", r.Status, err)
	}
	if r, _, err := get(t, n.PKI.TSAURL()); err != nil || r.StatusCode != 405 {
		t.Errorf("%v, %v", r.Status, err)
	}
	if _, body, err := post(t, n.PKI.TSAURL(), "application/timestamp-query", []byte("x")); err != nil || !strings.Contains(string(body), "reading time stamp request") {
		t.Errorf("%q, %v", body, err)
	}
}
