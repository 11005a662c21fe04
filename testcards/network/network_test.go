package network_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

var (
	noon   = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	holder = pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn", GivenNames: "Zoë Marie"}
)

const attime = "1748779200" // noon, for openssl

// start runs a network whose clock stands at noon.
func start(t testing.TB, o network.Options) *network.Network {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	n, err := network.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func issue(t testing.TB, p *pki.PKI, r pki.Request) *x509.Certificate {
	t.Helper()
	r.Subject = holder
	i, err := p.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return i.Certificate
}

func set(t testing.TB, n *network.Network, s network.Service, faults ...network.Fault) {
	t.Helper()
	if err := n.Set(s, faults...); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func file(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

func pemFile(t testing.TB, certs ...*x509.Certificate) string {
	t.Helper()
	var buf bytes.Buffer
	for _, c := range certs {
		must(t, pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return file(t, "certs.pem", buf.Bytes())
}

// openssl runs the tool, which is on every machine that runs the tests.
func openssl(t testing.TB, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed to judge our services: %v", err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err
}

// get fetches without following redirects; whatever goes wrong is the error.
func get(t testing.TB, url string, header ...string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	return do(r, header...)
}

func post(t testing.TB, url, kind string, body []byte) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	must(t, err)
	return do(r, "Content-Type", kind)
}

func do(r *http.Request, header ...string) (*http.Response, []byte, error) {
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

func TestCRLs(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	leaf := issue(t, n.PKI, pki.Request{})
	fetch := func() (string, string) {
		t.Helper()
		r, body, err := get(t, leaf.CRLDistributionPoints[0])
		must(t, err)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/pkix-crl" {
			t.Fatalf("%s %s", r.Status, body)
		}
		out, err := openssl(t, "crl", "-inform", "DER", "-in", file(t, "crl", body), "-noout", "-text", "-CAfile", pemFile(t, n.PKI.CitizenCA.Certificate))
		if err != nil || !strings.Contains(out, "verify OK") {
			t.Fatal(out)
		}
		return out, r.Header.Get("ETag")
	}
	wants := func(what, text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", what, want, text)
			}
		}
	}
	text, tag := fetch()
	wants("at first", text, "No Revoked Certificates", "Last Update: Jun  1 12:00:00 2025", "Next Update: Jun  8 12:00:00 2025", "CRL Number: \n                1")
	r, body, err := get(t, leaf.CRLDistributionPoints[0], "If-None-Match", tag)
	if err != nil || r.StatusCode != http.StatusNotModified || len(body) > 0 {
		t.Errorf("unchanged list: %v, %v", r.Status, err)
	}
	if r, _, err = get(t, leaf.CRLDistributionPoints[0], "If-Modified-Since", noon.Format(http.TimeFormat)); err != nil || r.StatusCode != http.StatusNotModified {
		t.Errorf("unchanged list: %v, %v", r.Status, err)
	}

	must(t, n.Hold(leaf, noon.Add(-time.Hour)))
	text, held := fetch()
	wants("on hold", text, "Certificate Hold", "Revocation Date: Jun  1 11:00:00 2025 GMT", "CRL Number: \n                2")
	if held == tag {
		t.Error("another list, the same ETag")
	}
	must(t, n.Release(leaf))
	text, _ = fetch()
	wants("released", text, "No Revoked Certificates", "CRL Number: \n                3")
	must(t, n.Revoke(leaf, noon.Add(time.Hour), pki.KeyCompromise))
	text, _ = fetch()
	wants("revoked in an hour", text, "No Revoked Certificates")
	n.SetNow(func() time.Time { return noon.AddDate(0, 0, 8) })
	text, _ = fetch()
	wants("a week later", text, "Key Compromise", "Last Update: Jun  9 12:00:00 2025")

	if got := n.Requests()[network.CRL]; got != 7 {
		t.Errorf("%d requests counted", got)
	}
	if err := n.Revoke(&x509.Certificate{RawIssuer: []byte("nobody")}, noon, 1); err == nil {
		t.Error("a foreign certificate revoked")
	}
	if r, _, err := get(t, n.URL()+"/crl/nobody-ec.crl"); err != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("%v %v", r.Status, err)
	}
}

// A list of each kind, with openssl deciding whether the leaf is revoked.
func TestDeltaAndIndirect(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{PKI: pki.Options{Algorithm: pki.RSA}})
	p := n.PKI
	plain, indirect := issue(t, p, pki.Request{}), issue(t, p, pki.Request{IndirectCRL: true})
	set(t, n, network.CRL, network.Delta)
	must(t, n.Hold(plain, noon))
	must(t, n.Revoke(indirect, noon, 4))
	judge := func(leaf *x509.Certificate, lists ...string) string {
		t.Helper()
		args := []string{"verify", "-attime", attime, "-crl_check", "-extended_crl", "-use_deltas", "-CAfile", pemFile(t, p.Root.Certificate),
			"-untrusted", pemFile(t, p.CitizenCA.Certificate, p.CRLIssuer.Certificate)}
		for _, url := range lists {
			r, body, err := get(t, url)
			if err != nil || r.StatusCode != 200 {
				t.Fatalf("%s: %v", url, err)
			}
			args = append(args, "-CRLfile", file(t, "crl", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: body})))
		}
		out, err := openssl(t, append(args, pemFile(t, leaf))...)
		switch {
		case err == nil:
			return "good"
		case strings.Contains(out, "certificate revoked"):
			return "revoked"
		}
		return out
	}
	full, delta := p.CRLURL(p.CitizenCA), p.DeltaURL(p.CitizenCA)
	if got := judge(plain, full); got != "good" {
		t.Errorf("frozen full list: %s", got)
	}
	if got := judge(plain, full, delta); got != "revoked" {
		t.Errorf("with the delta: %s", got)
	}
	must(t, n.Release(plain))
	if got := judge(plain, full, delta); got != "good" {
		t.Errorf("released: %s", got)
	}
	if got := judge(indirect, p.CRLURL(p.CRLIssuer), p.CRLURL(p.Root)); got != "revoked" {
		t.Errorf("indirect list: %s", got)
	}
	must(t, n.Hold(plain, noon))
	set(t, n, network.CRL)
	if got := judge(plain, full); got != "revoked" {
		t.Errorf("full list in force again: %s", got)
	}
	set(t, n, network.CRL, network.Delta)
	must(t, n.Release(plain))
	if got := judge(plain, full); got != "revoked" {
		t.Errorf("frozen while on hold: %s", got)
	}
	if got := judge(plain, full, delta); got != "good" {
		t.Errorf("frozen while on hold, removed by the delta: %s", got)
	}
}

func TestIssuers(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	leaf := issue(t, n.PKI, pki.Request{})
	_, body, err := get(t, leaf.IssuingCertificateURL[0])
	if err != nil || !bytes.Equal(body, n.PKI.CitizenCA.Certificate.Raw) {
		t.Errorf("CA certificate: %v, %d bytes", err, len(body))
	}
	_, body, err = get(t, strings.TrimSuffix(leaf.IssuingCertificateURL[0], ".crt")+".p7c")
	must(t, err)
	out, err := openssl(t, "pkcs7", "-inform", "DER", "-in", file(t, "p7c", body), "-print_certs", "-noout")
	if err != nil || !strings.Contains(out, "Citizen CA EC") || !strings.Contains(out, "Root CA EC") {
		t.Error(out)
	}
	set(t, n, network.Issuers, network.WrongIssuer, network.PEM)
	_, body, err = get(t, leaf.IssuingCertificateURL[0])
	block, _ := pem.Decode(body)
	if err != nil || block == nil || !bytes.Equal(block.Bytes, n.PKI.ForeignerCA.Certificate.Raw) {
		t.Errorf("wrong issuer as PEM: %v\n%s", err, body)
	}
	if r, _, err := get(t, n.URL()+"/crt/citizen-ec"); err != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("%v %v", r.Status, err)
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	for _, o := range []network.Options{{Addr: "0.0.0.0:0"}, {Addr: "192.0.2.1:80"}} {
		if _, err := network.Start(context.Background(), o); !errors.Is(err, network.ErrNotLoopback) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []network.Options{{Addr: "nowhere"}, {PKI: pki.Options{Algorithm: 9}}, {PKI: pki.Options{BaseURL: "x"}}} {
		if _, err := network.Start(context.Background(), o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
	n := start(t, network.Options{})
	if _, err := network.Start(context.Background(), network.Options{Addr: strings.TrimPrefix(n.URL(), "http://")}); err == nil {
		t.Error("two networks at one address")
	}
	if n.Of(9) != nil || n.Of(pki.RSA).Root == nil || n.Of(pki.EC) != n.PKI {
		t.Error("PKIs of the other algorithms")
	}
}

// Whatever the services are doing, Close and the end of the context stop it.
// Not parallel: it counts goroutines.
func TestNothingLeft(t *testing.T) {
	check := pcscdtest.CheckLeaks(t)
	for _, f := range []network.Fault{"", network.Silent, network.Slow, network.Huge, network.Down} {
		ctx, cancel := context.WithCancel(context.Background())
		n, err := network.Start(ctx, network.Options{Now: func() time.Time { return noon }})
		must(t, err)
		if f != "" {
			set(t, n, network.CRL, f)
		}
		done := make(chan error)
		go func() {
			_, _, err := get(t, n.PKI.CRLURL(n.PKI.CitizenCA))
			done <- err
		}()
		if !pcscdtest.Eventually(func() bool { return n.Requests()[network.CRL] > 0 }) {
			t.Error("no request came")
		}
		cancel()
		if err := <-done; err == nil && f != "" && f != network.Huge {
			t.Errorf("%s: an answer after all", f)
		}
		_ = n.Close() // closed by the context, perhaps
	}
	check()
}
