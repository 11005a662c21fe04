//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
)

// serve runs `eid testcard serve` in this process until the test ends, and returns what it said of its cards.
func serve(t *testing.T, profiles ...string) []served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	args := []string{"testcard", "serve", "--json"}
	for _, p := range profiles {
		args = append(args, "--profile", p)
	}
	done := make(chan int)
	var errs bytes.Buffer
	go func() {
		done <- run(ctx, args, streams{strings.NewReader(""), writer, &errs})
		writer.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != exitOK {
			t.Errorf("eid testcard serve: exit code %d: %s", code, errs.String())
		}
	})
	lines := bufio.NewScanner(reader)
	var cards []served
	for range profiles {
		if !lines.Scan() {
			t.Fatalf("eid testcard serve: %s", errs.String())
		}
		validate(t, "serve.json", lines.Text())
		var s served
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		cards = append(cards, s)
	}
	waitForCards(t, len(profiles))
	return cards
}

// waitForCards waits until the service reports that many cards.
func waitForCards(t *testing.T, n int) {
	t.Helper()
	if !pcscdtest.Eventually(func() bool {
		_, out, _ := eid(t, "readers", "--json")
		return strings.Count(out, `"present"`) == n
	}) {
		t.Fatalf("pcscd does not report %d cards", n)
	}
}

// opensc runs a program of OpenSC's with a cache of its own, and returns what it printed.
func opensc(t *testing.T, stdin string, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// openscModule is OpenSC's PKCS#11 module in Debian.
const openscModule = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"

// TestSamePersonForEverybody: the card that eid serves is the same person to eid, to OpenSC's eidenv and to OpenSC's PKCS#11
// module.
func TestSamePersonForEverybody(t *testing.T) {
	for _, profile := range []string{"citizen-1.7", "citizen-1.8"} {
		t.Run(profile, func(t *testing.T) {
			pcscdtest.Start(t)
			card := serve(t, profile)[0]
			code, out, errs := eid(t, "read", "--json", "--trust", card.Root)
			wantCode(t, exitOK, code, out, errs)
			validate(t, "read.json", out)
			id := decode(t, out)["identity"].(map[string]any)
			if decode(t, out)["reading"].(map[string]any)["testCard"] != true {
				t.Error("a simulated card in a real reader is not marked as a test card")
			}

			env, _ := opensc(t, "", "eidenv") // its exit code is 1 for every Belgian card
			for _, field := range []string{"surname", "nationalNumber", "birthPlace"} {
				if !strings.Contains(env, fmt.Sprint(id[field])) {
					t.Errorf("eidenv does not know the %s that eid read:\n%s", field, env)
				}
			}
			objects, err := opensc(t, "", "pkcs11-tool", "--module", openscModule, "-O", "--login", "--pin", card.PIN)
			if err != nil {
				t.Fatalf("pkcs11-tool: %v\n%s", err, objects)
			}
			for _, want := range []string{"Certificate Object", "Private Key Object", "Authentication", "Signature", fmt.Sprint(id["surname"])} {
				if !strings.Contains(objects, want) {
					t.Errorf("OpenSC does not list %q:\n%s", want, objects)
				}
			}
		})
	}
}

// TestOpenSCSigns: OpenSC logs in to the 1.7 card and signs with its authentication key; openssl checks with the certificate that
// eid reads.
func TestOpenSCSigns(t *testing.T) {
	pcscdtest.Start(t)
	card := serve(t, "citizen-1.7")[0]
	dir := t.TempDir()
	in, sig := filepath.Join(dir, "in"), filepath.Join(dir, "sig")
	if err := os.WriteFile(in, []byte("to be signed"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := opensc(t, "", "pkcs11-tool", "--module", openscModule, "--login", "--pin", card.PIN, "-s", "-m", "SHA256-RSA-PKCS", "--id", "02", "-i", in, "-o", sig)
	if err != nil {
		t.Fatalf("pkcs11-tool: %v\n%s", err, out)
	}
	code, pem, errs := eid(t, "certs", "--pem", "authentication")
	wantCode(t, exitOK, code, pem, errs)
	pub := filepath.Join(dir, "pub.pem")
	x509 := exec.Command(tool(t, "openssl"), "x509", "-pubkey", "-noout", "-out", pub)
	x509.Stdin = strings.NewReader(pem)
	if out, err := x509.CombinedOutput(); err != nil {
		t.Fatalf("openssl x509: %v\n%s", err, out)
	}
	if out, err := exec.Command(tool(t, "openssl"), "dgst", "-sha256", "-verify", pub, "-signature", sig, in).CombinedOutput(); err != nil {
		t.Errorf("openssl does not verify OpenSC's signature: %v\n%s", err, out)
	}
}

// TestTwoCards: with two eIDs in, eid asks which; the hint's command works; readers lists both.
func TestTwoCards(t *testing.T) {
	pcscdtest.Start(t)
	serve(t, "citizen-1.7", "citizen-1.8")
	code, out, errs := eid(t, "read")
	if code != exitUsage || !strings.Contains(errs, "--reader") || !strings.Contains(errs, pcscdtest.Readers[1]) {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	code, out, errs = eid(t, "read", "--json", "--reader", pcscdtest.Readers[1])
	wantCode(t, exitIndeterminate, code, out, errs)
	if !strings.Contains(out, `"appletVersion": "1.8"`) {
		t.Error("another card was read than the one named")
	}
	code, out, errs = eid(t, "readers", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "readers.json", out)
	if strings.Count(out, "Belgian eID") != 2 {
		t.Errorf("readers: %s", out)
	}
}

// TestDoctor: each layer that fails is named, with something to do about it, and the bundle has nothing of a person.
func TestDoctor(t *testing.T) {
	daemon := pcscdtest.Start(t)
	first := func() string {
		code, out, errs := eid(t, "doctor", "--json")
		validate(t, "doctor.json", out)
		for _, c := range decode(t, out)["checks"].([]any) {
			c := c.(map[string]any)
			if c["status"] == checkFailed {
				want := exitNoCard
				if c["name"] == "clock" {
					want = exitFailure
				}
				if code != want || c["hint"] == nil {
					t.Errorf("exit code %d, check %v, stderr %s", code, c, errs)
				}
				return c["name"].(string)
			}
		}
		if code != exitOK {
			t.Errorf("nothing failed, exit code %d", code)
		}
		return ""
	}
	if got := first(); got != "card" {
		t.Errorf("without a card the doctor names %q", got)
	}
	sim, err := testcards.Open("citizen-1.8", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	daemon.Insert(t, 0, sim)
	if got := first(); got != "" {
		t.Errorf("with a card the doctor names %q", got)
	}
	path := filepath.Join(t.TempDir(), "bundle.json")
	code, out, errs := eid(t, "doctor", "--bundle", path)
	wantCode(t, exitOK, code, out, errs)
	bundle, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, "bundle.json", string(bundle))
	_, out, _ = eid(t, "read", "--json")
	doc := decode(t, out)
	for _, part := range []string{"identity", "address"} {
		for field, value := range doc[part].(map[string]any) {
			if s, ok := value.(string); ok && field != "nationality" && len(s) > 3 && strings.Contains(string(bundle), s) {
				t.Errorf("the bundle holds the %s %q", field, s)
			}
		}
	}
	if strings.Contains(string(bundle), doc["card"].(map[string]any)["chipNumber"].(string)) {
		t.Error("the bundle holds the chip number")
	}
	if daemon.Own() {
		daemon.Stop(t)
		if got := first(); got != "service" {
			t.Errorf("without pcscd the doctor names %q", got)
		}
		if code, _, errs := eid(t, "read"); code != exitNoCard || !strings.Contains(errs, "hint: start the smart card service") {
			t.Errorf("exit code %d: %s", code, errs)
		}
		daemon.StartAgain(t)
	}
}

// TestWatch: cards are read as they come, the same one again when it comes again.
func TestWatch(t *testing.T) {
	daemon := pcscdtest.Start(t)
	sim, err := testcards.Open("citizen-1.8", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"read", "--watch", "--json", "--no-photo"}, streams{strings.NewReader(""), writer, io.Discard})
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	lines.Buffer(nil, 1<<20)
	for range 2 {
		link := daemon.Insert(t, 0, sim)
		if !lines.Scan() {
			t.Fatal("no card was printed")
		}
		validate(t, "read.json", lines.Text())
		daemon.Remove(t, 0, link)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// TestServeIsInterrupted runs the command in a process of its own: Ctrl-C takes the card out and ends it well.
func TestServeIsInterrupted(t *testing.T) {
	pcscdtest.Start(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "testcard", "serve", "--profile", "citizen-1.8")
	cmd.Env = append(os.Environ(), envCommand+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	text := ""
	for !strings.Contains(text, "test root") {
		if !lines.Scan() {
			t.Fatalf("ended early: %s", text)
		}
		text += lines.Text() + "\n"
	}
	for _, want := range []string{"TEST CARD", "citizen-1.8", testcards.PIN} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}
	waitForCards(t, 1)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, stdout)
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		t.Errorf("exit code %d", exit.ExitCode())
	}
	waitForCards(t, 0)
}
