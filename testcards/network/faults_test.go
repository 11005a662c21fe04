package network_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

func TestHTTPFaults(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	url := n.PKI.CRLURL(n.PKI.CitizenCA)
	_, right, err := get(t, url)
	must(t, err)
	with := func(faults ...network.Fault) (*http.Response, []byte, error) {
		t.Helper()
		set(t, n, network.CRL, faults...)
		return get(t, url)
	}
	if _, _, err := with(network.Down); err == nil {
		t.Error("down: an answer")
	}
	if _, body, err := with(network.Truncated); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != len(right)/2 {
		t.Errorf("truncated: %d bytes, %v", len(body), err)
	}
	if r, body, err := with(network.Malformed); err != nil || r.StatusCode != 200 || len(body) != len(right) || bytes.Equal(body, right) {
		t.Errorf("malformed: %d bytes, %v", len(body), err)
	}
	if r, body, err := with(network.HTML); err != nil || !strings.HasPrefix(string(body), "<!DOCTYPE html>") || r.StatusCode != 200 {
		t.Errorf("HTML: %q, %v", body, err)
	}
	if _, body, err := with(network.Empty); err != nil || len(body) != 0 {
		t.Errorf("empty: %q, %v", body, err)
	}
	if r, _, err := with(network.Status(410)); err != nil || r.StatusCode != 410 {
		t.Errorf("status: %v, %v", r, err)
	}
	if _, body, err := with(network.Huge); err != nil || len(body) < 60_000_000 || body[0] != 0x30 {
		t.Errorf("huge: %d bytes, %v", len(body), err)
	}
	if _, body, err := with(network.PEM); err != nil || !strings.HasPrefix(string(body), "-----BEGIN X509 CRL-----") {
		t.Errorf("PEM: %q, %v", body, err)
	}
	for fault, want := range map[network.Fault]string{network.RedirectFile: "file:", network.RedirectPrivate: "http://169.254.169.254/",
		network.RedirectLoop: "/crl/citizen-ec.crl", network.Redirect: "/crl/citizen-ec.crl?redirected"} {
		if r, _, err := with(fault); err != nil || r.StatusCode != 307 || !strings.HasPrefix(r.Header.Get("Location"), want) {
			t.Errorf("%s: %v, %v", fault, r, err)
		}
	}
	set(t, n, network.CRL, network.Redirect)
	if _, body, err := get(t, url+"?redirected"); err != nil || !bytes.Equal(body, right) {
		t.Errorf("after the redirection: %v", err)
	}
}

func TestBomb(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	set(t, n, network.CRL, network.Bomb)
	_, body, err := get(t, n.PKI.CRLURL(n.PKI.Root), "Accept-Encoding", "identity")
	if err != nil || len(body) > 200_000 {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	must(t, err)
	if size, err := io.Copy(io.Discard, z); err != nil || size < 60_000_000 {
		t.Errorf("%d bytes, %v", size, err)
	}
}

// Slow and silent services answer something, or nothing, until the client
// gives up.
func TestSlow(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	set(t, n, network.CRL, network.Slow)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.PKI.CRLURL(n.PKI.Root), nil)
	must(t, err)
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	must(t, err)
	defer answer.Body.Close()
	first := make([]byte, 2)
	if _, err := io.ReadFull(answer.Body, first); err != nil || first[0] != 0x30 {
		t.Errorf("% x, %v", first, err)
	}
	cancel()
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("the end came after all")
	}
}

func TestCRLFaults(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	ca := pemFile(t, n.PKI.CitizenCA.Certificate)
	must(t, n.Revoke(issue(t, n.PKI, pki.Request{}), noon.AddDate(0, 0, -1), 1))
	for fault, want := range map[network.Fault]string{
		network.WrongIssuer: "CN = eidkit TEST Foreigner CA EC", network.WrongSignature: "verify failure", network.Replay: "Next Update: May  9 12:00:00 2025",
		network.Future: "Last Update: Jun  2 12:00:00 2025", network.Critical: "2.999.13: critical",
	} {
		set(t, n, network.CRL, fault)
		_, body, err := get(t, n.PKI.CRLURL(n.PKI.CitizenCA))
		must(t, err)
		out, _ := openssl(t, "crl", "-in", file(t, "crl", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: body})), "-noout", "-text", "-CAfile", ca)
		if fault == network.WrongIssuer { // without -CAfile, or openssl prints nothing
			out, _ = openssl(t, "crl", "-inform", "DER", "-in", file(t, "crl", body), "-noout", "-issuer")
		}
		if !strings.Contains(out, want) {
			t.Errorf("%s: no %q in\n%s", fault, want, out)
		}
		if fault == network.Replay && strings.Contains(out, "Serial Number") {
			t.Errorf("the old list knows what came later\n%s", out)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	set(t, n, network.TSA, network.Rejection)
	for s, f := range map[network.Service]network.Fault{"smtp": network.Down, network.TSA: network.TryLater, network.CRL: network.Status(42), network.OCSP: "status:x"} {
		if err := n.Set(s, f); !errors.Is(err, network.ErrNoFault) {
			t.Errorf("%s %s: %v", s, f, err)
		}
	}
	if got := n.State().Faults[network.TSA]; !slices.Equal(got, []network.Fault{network.Rejection}) {
		t.Errorf("changed all the same: %v", got)
	}
	if network.Faults("smtp") != nil {
		t.Error("faults of no service")
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	leaf := issue(t, n.PKI, pki.Request{})
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))
	send := func(command string) (int, string, network.State) {
		t.Helper()
		r, body, err := post(t, n.URL()+network.ControlPath, "application/json", []byte(command))
		must(t, err)
		var s network.State
		if r.StatusCode == 200 {
			must(t, json.Unmarshal(body, &s))
		}
		return r.StatusCode, string(body), s
	}
	quoted, err := json.Marshal(text)
	must(t, err)
	_, body, s := send(`{"do": "revoke", "certificate": ` + string(quoted) + `, "at": "2025-05-01T00:00:00Z", "reason": 1}`)
	if got := s.Revoked["citizen-ec"]; len(got) != 1 || got[0] != strings.ToUpper(leaf.SerialNumber.Text(16)) {
		t.Errorf("%v\n%s", got, body)
	}
	if _, body, s = send(`{"do": "release", "serial": "` + leaf.SerialNumber.Text(16) + `"}`); len(s.Revoked["citizen-ec"]) != 0 {
		t.Errorf("not released: %s", body)
	}
	if _, body, s = send(`{"do": "hold", "serial": "0A", "issuer": "root-rsa", "publish": true}`); !slices.Equal(s.Revoked["root-rsa"], []string{"A"}) {
		t.Errorf("not on hold: %s", body)
	}
	if code, body, _ := send(`{"do": "forget", "serial": "0A"}`); code != 200 {
		t.Errorf("%s", body)
	}
	if _, body, s = send(`{"service": "ocsp", "faults": ["slow", "status:503"]}`); !slices.Equal(s.Faults["ocsp"], []network.Fault{"slow", "status:503"}) {
		t.Errorf("faults not set: %s", body)
	}
	if _, body, s = send(`{"service": "ocsp"}`); len(s.Faults["ocsp"]) != 0 || !slices.Contains(s.Known["tsa"], network.Rejection) {
		t.Errorf("faults not taken away: %s", body)
	}
	for _, bad := range []string{``, `[]`, `{"x": 1}`, `{"service": "smtp"}`, `{"do": "praise", "serial": "1"}`, `{"do": "hold"}`, `{"do": "hold", "serial": "xyz"}`,
		`{"do": "hold", "certificate": "AAAA"}`, `{"do": "hold", "serial": "1", "issuer": "nobody"}`} {
		if code, _, _ := send(bad); code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, code)
		}
	}
}

// No page in a browser can steer it.
func TestControlRefusesStrangers(t *testing.T) {
	t.Parallel()
	n := start(t, network.Options{})
	if r, _, err := post(t, n.URL()+network.ControlPath, "text/plain", []byte("{}")); err != nil || r.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("%v, %v", r, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL()+network.ControlPath, nil)
	must(t, err)
	r.Host = "rebound.example:80"
	if answer, _, err := do(r); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("%v, %v", answer, err)
	}
	if r, err = http.NewRequestWithContext(t.Context(), http.MethodPut, n.URL()+network.ControlPath, nil); err != nil {
		t.Fatal(err)
	}
	if answer, _, err := do(r); err != nil || answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%v, %v", answer, err)
	}
}
