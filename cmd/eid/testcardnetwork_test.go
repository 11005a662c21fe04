package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serveNetwork runs `eid testcard network` in this process until the test ends, and returns what it printed.
func serveNetwork(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	ended := make(chan int)
	var errs strings.Builder
	go func() {
		code := run(ctx, append([]string{"testcard", "network", "--port", "0"}, args...), streams{strings.NewReader(""), writer, &errs})
		writer.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d: %s", code, errs.String())
		}
	})
	buffered := bufio.NewReader(reader)
	line, err := buffered.ReadString('\n')
	if err != nil {
		t.Fatal(err, errs.String())
	}
	go io.Copy(io.Discard, buffered)
	return line
}

func TestTestcardNetwork(t *testing.T) {
	roots := filepath.Join(t.TempDir(), "made", "roots.pem")
	line := serveNetwork(t, "--json", "--root", roots)
	validate(t, "network.json", line)
	var r running
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(roots)
	if err != nil || r.Roots != roots {
		t.Fatal(err, r.Roots)
	}
	count := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		count++
	}
	if count != 3 {
		t.Errorf("%d roots", count)
	}
	if r.Insurers.URL == "" || !strings.HasPrefix(r.Insurers.Pharmacist, r.Insurers.URL+"/") {
		t.Errorf("%+v", r.Insurers)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	secured := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer secured.CloseIdleConnections()
	state, err := secured.Get(r.Insurers.Control)
	if err != nil || state.StatusCode != http.StatusOK {
		t.Fatal(err, state)
	}
	state.Body.Close()
	for address, want := range map[string]string{r.CRL: "application/pkix-crl", r.Issuer: "application/pkix-cert", r.Control: "application/json"} {
		answer, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Header.Get("Content-Type"); got != want {
			t.Errorf("%s: %s", address, got)
		}
		answer.Body.Close()
	}
	answer, err := http.Post(r.Control, "application/json", strings.NewReader(`{"service": "crl", "faults": ["status:503"]}`))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer, err = http.Get(r.CRL); err != nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	taken := r.URL[strings.LastIndexByte(r.URL, ':')+1:]
	if code, _, errs := eid(t, "testcard", "network", "--port", taken); code != exitFailure || !strings.Contains(errs, "hint: another one may be running") {
		t.Errorf("port taken: exit code %d, %s", code, errs)
	}
}

func TestTestcardNetworkText(t *testing.T) {
	first := serveNetwork(t)
	if !strings.HasPrefix(first, "TEST NETWORK  http://127.0.0.1:") {
		t.Errorf("%q", first)
	}
}

// TestPatientCards: the eID card of a patient whom the insurers know is read as any other.
func TestPatientCards(t *testing.T) {
	for name, number := range map[string]string{"patient-ordinary": "71050120431", "patient-bis": "87420302665"} {
		code, out, errs := eid(t, "read", "--json", "--no-verify", "--reader", testcardPrefix+name)
		if code != exitOK || !strings.Contains(out, number) {
			t.Errorf("%s: %d %s %s", name, code, out, errs)
		}
	}
	if code, _, _ := eid(t, "read", "--no-verify", "--reader", testcardPrefix+"patient-newborn"); code != exitUsage {
		t.Errorf("a card of one who has none: %d", code)
	}
	_, out, _ := eid(t, "testcard", "list", "--json")
	validate(t, "testcards.json", out)
	if !strings.Contains(out, `"patient-transfer"`) || !strings.Contains(out, `"sis-transfer"`) {
		t.Error(out)
	}
}
