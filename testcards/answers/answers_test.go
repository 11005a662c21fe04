package answers_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/pki"
)

var (
	now    = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	holder = pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn", GivenNames: "Zoë Marie"}
)

func newPKI(t testing.TB, alg pki.Algorithm) (*pki.PKI, *x509.Certificate) {
	t.Helper()
	p, err := pki.New(pki.Options{Algorithm: alg})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := p.Issue(pki.Request{Subject: holder})
	if err != nil {
		t.Fatal(err)
	}
	return p, leaf.Certificate
}

func responder(t testing.TB, p *pki.PKI, ca *pki.Authority) *pki.Authority {
	t.Helper()
	r, err := p.Responder(ca, pki.Service{At: now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pemFile(t *testing.T, certs ...*x509.Certificate) string {
	t.Helper()
	var buf bytes.Buffer
	for _, c := range certs {
		if err := pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	return file(t, "certs.pem", buf.Bytes())
}

// openssl runs the tool, which is on every machine that runs the tests.
func openssl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed to judge our answers: %v", err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err
}

func TestOCSPWithOpenSSL(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, leaf := newPKI(t, alg)
		ca := p.CitizenCA
		r := responder(t, p, ca)
		answer := func(change func(*answers.OCSP)) []byte {
			o := answers.OCSP{Responder: r, Certificates: []*x509.Certificate{ca.Certificate, r.Certificate}, ProducedAt: now,
				Singles: []answers.Single{{Serial: leaf.SerialNumber, Issuer: ca.Certificate, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}}
			change(&o)
			raw, err := o.Response()
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		for name, tt := range map[string]struct {
			change func(*answers.OCSP)
			want   []string
		}{
			"good": {func(*answers.OCSP) {}, []string{"Response verify OK", ": good"}},
			"by name, revoked, nonce": {func(o *answers.OCSP) {
				o.ByName, o.Nonce = true, []byte("twelve bytes")
				o.Singles[0].Status, o.Singles[0].At, o.Singles[0].Reason = answers.Revoked, now.AddDate(0, 0, -1), pki.KeyCompromise
			}, []string{"Response verify OK", ": revoked", "Reason: keyCompromise", "Revocation Time: May 31 12:00:00 2025 GMT"}},
			"direct, unknown": {func(o *answers.OCSP) {
				o.Responder, o.Certificates = ca, []*x509.Certificate{ca.Certificate}
				o.Singles[0].Status, o.Singles[0].ArchiveCutoff = answers.Unknown, now.AddDate(-7, 0, 0)
			}, []string{"Response verify OK", ": unknown"}},
			"corrupt": {func(o *answers.OCSP) { o.Corrupt = true }, []string{"Response Verify Failure"}},
		} {
			raw := answer(tt.change)
			out, _ := openssl(t, "ocsp", "-respin", file(t, "answer", raw), "-issuer", pemFile(t, ca.Certificate), "-cert", pemFile(t, leaf),
				"-CAfile", pemFile(t, p.Root.Certificate), "-attime", "1748779200", "-validity_period", "2000000000", "-no_nonce")
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("%v, %s: no %q in\n%s", alg, name, want, out)
				}
			}
			if again := answer(tt.change); !bytes.Equal(again, raw) {
				t.Errorf("%v, %s: other bytes the second time", alg, name)
			}
		}
	}
}

func TestOCSPText(t *testing.T) {
	t.Parallel()
	p, leaf := newPKI(t, pki.EC)
	r := responder(t, p, p.CitizenCA)
	raw, err := answers.OCSP{Responder: r, ProducedAt: now, Nonce: []byte{0xab, 0xcd}, Singles: []answers.Single{
		{Serial: leaf.SerialNumber, Issuer: p.CitizenCA.Certificate, ThisUpdate: now, ArchiveCutoff: now.AddDate(-7, 0, 0)},
		{Serial: big.NewInt(7), Issuer: p.CitizenCA.Certificate, ThisUpdate: now, Status: answers.Revoked, At: now},
	}}.Response()
	if err != nil {
		t.Fatal(err)
	}
	out, err := openssl(t, "ocsp", "-respin", file(t, "answer", raw), "-resp_text", "-noverify")
	for _, want := range []string{"Archive Cutoff", "Jun  1 12:00:00 2018 GMT", "Serial Number: 07", "Cert Status: revoked", "0402ABCD"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("no %q in (%v)\n%s", want, err, out)
		}
	}
}

// The requests of golang.org/x/crypto and of openssl are understood.
func TestParseOCSPRequest(t *testing.T) {
	t.Parallel()
	p, leaf := newPKI(t, pki.EC)
	ca := p.CitizenCA.Certificate
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		raw, err := ocsp.CreateRequest(leaf, ca, &ocsp.RequestOptions{Hash: h})
		if err != nil {
			t.Fatal(err)
		}
		list, nonce, err := answers.ParseOCSPRequest(raw)
		if err != nil || len(list) != 1 || nonce != nil || list[0].Serial.Cmp(leaf.SerialNumber) != 0 || list[0].Hash != h {
			t.Fatalf("%v, nonce %x, %v", list, nonce, err)
		}
		if !list[0].Is(ca) || list[0].Is(p.ForeignerCA.Certificate) {
			t.Errorf("%v: issuer not told apart", h)
		}
		if id, err := answers.CertID(h, ca, leaf.SerialNumber); err != nil || len(id) == 0 {
			t.Error(err)
		}
	}
	path := filepath.Join(t.TempDir(), "request")
	if out, err := openssl(t, "ocsp", "-reqout", path, "-issuer", pemFile(t, ca), "-cert", pemFile(t, leaf), "-serial", "7"); err != nil {
		t.Fatal(out)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	list, nonce, err := answers.ParseOCSPRequest(raw)
	if err != nil || len(list) != 2 || len(nonce) != 16 || list[1].Serial.Int64() != 7 {
		t.Errorf("%v, nonce %x, %v", list, nonce, err)
	}
}

func TestTimestampWithOpenSSL(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, _ := newPKI(t, alg)
		data := []byte("what is stamped")
		for name, tt := range map[string]struct {
			change func(*answers.Timestamp)
			ok     bool
		}{
			"ordinary": {func(*answers.Timestamp) {}, true},
			"everything": {func(s *answers.Timestamp) {
				s.Name, s.Ordering, s.Accuracy, s.Policy = true, true, 1500*time.Millisecond, "2.999.4"
			}, true},
			"SHA-1 reference": {func(s *answers.Timestamp) { s.SHA1Reference = true }, true},
			"other data":      {func(s *answers.Timestamp) { s.Imprint[0] ^= 1 }, false},
			"corrupt":         {func(s *answers.Timestamp) { s.Corrupt = true }, false},
			"no reference":    {func(s *answers.Timestamp) { s.NoReference = true }, false},
		} {
			stamp := answers.Timestamp{TSA: p.TSA, Certificates: []*x509.Certificate{p.TSA.Certificate, p.TimestampCA.Certificate},
				Hash: crypto.SHA384, Imprint: cms.Digest(crypto.SHA384, data), Time: now, Nonce: big.NewInt(99)}
			tt.change(&stamp)
			token, err := stamp.Token()
			if err != nil {
				t.Fatal(err)
			}
			response, err := stamp.Response()
			if err != nil {
				t.Fatal(err)
			}
			for in, flag := range map[string]string{file(t, "token", token): "-token_in", file(t, "response", response): "-partial_chain"} {
				out, err := openssl(t, "ts", "-verify", "-in", in, flag, "-data", file(t, "data", data),
					"-CAfile", pemFile(t, p.Root.Certificate), "-attime", "1748779200")
				if good := err == nil && strings.Contains(out, "Verification: OK"); good != tt.ok {
					t.Errorf("%v, %s: %v\n%s", alg, name, err, out)
				}
			}
		}
	}
}

func TestTimestampText(t *testing.T) {
	t.Parallel()
	p, _ := newPKI(t, pki.EC)
	response, err := answers.Timestamp{TSA: p.TSA, Hash: crypto.SHA256, Imprint: make([]byte, 32), Time: now, Accuracy: 1500 * time.Millisecond,
		Policy: p.TimestampPolicy(), Serial: big.NewInt(0x1234), Nonce: big.NewInt(0xbeef), Name: true, Ordering: true}.Response()
	if err != nil {
		t.Fatal(err)
	}
	out, err := openssl(t, "ts", "-reply", "-in", file(t, "response", response), "-text")
	for _, want := range []string{"Status: Granted.", "Policy OID: 2.999.56.13.6.3.1000", "Hash Algorithm: sha256", "Serial number: 0x1234",
		"Time stamp: Jun  1 12:00:00 2025 GMT", "0x01 seconds, 0x01F4 millis", "Ordering: yes", "Nonce: 0xBEEF", "CN=eidkit TEST TSU EC"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("no %q in (%v)\n%s", want, err, out)
		}
	}
	out, err = openssl(t, "ts", "-reply", "-in", file(t, "response", answers.TimestampError(2, 15, "not this policy")), "-text")
	for _, want := range []string{"Status: Rejected.", "not this policy", "unacceptedPolicy|the requested TSA policy is not supported"} {
		if a, b, _ := strings.Cut(want, "|"); err != nil || !strings.Contains(out, a) && !strings.Contains(out, b) {
			t.Errorf("no %q in (%v)\n%s", want, err, out)
		}
	}
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "request")
	if out, err := openssl(t, "ts", "-query", "-data", file(t, "data", []byte("x")), "-sha512", "-tspolicy", "2.999.4", "-cert", "-out", path); err != nil {
		t.Fatal(out)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := answers.ParseRequest(raw)
	if err != nil || r.Hash != crypto.SHA512 || r.Policy != "2.999.4" || r.Nonce == nil || !r.Certificates || !bytes.Equal(r.Imprint, cms.Digest(crypto.SHA512, []byte("x"))) {
		t.Errorf("%+v, %v", r, err)
	}
	for name, bad := range map[string][]byte{"empty": {}, "trailing": append(raw, 0), "cut": raw[:len(raw)-3]} {
		if _, err := answers.ParseRequest(bad); err == nil {
			t.Errorf("%s accepted", name)
		}
		if _, _, err := answers.ParseOCSPRequest(bad); err == nil {
			t.Errorf("%s accepted as OCSP request", name)
		}
	}
}
