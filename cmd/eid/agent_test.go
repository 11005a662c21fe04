//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/localtls"
)

// place is the home of an agent under test.
type place struct {
	dir string
	env []string
}

// newPlace also points this process at it, so that commands find the agent.
func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{dir: t.TempDir()}
	for _, name := range []string{"XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"} {
		folder := filepath.Join(p.dir, strings.ToLower(name))
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, folder)
		p.env = append(p.env, name+"="+folder)
	}
	return p
}

// permitting writes a dialog program that presses the button given to every question: 83886194 is the one in the middle, which permits.
func permitting(t *testing.T, code int) string {
	t.Helper()
	script := fmt.Sprintf("#!/bin/sh\necho OK ready\nwhile read -r line; do\ncase \"$line\" in GETINFO*) echo 'D qt'; echo OK ;; CONFIRM*) echo 'ERR %d Not confirmed <Pinentry>' ;; BYE*) echo OK; exit 0 ;; *) echo OK ;; esac\ndone\n", code)
	program := filepath.Join(t.TempDir(), "pinentry-fake")
	writeProgram(t, program, script)
	return program
}

const (
	buttonPermit = 83886194 // GPG_ERR_NOT_CONFIRMED
	buttonDeny   = 83886179 // GPG_ERR_CANCELED
)

// startAgent runs `eid agent` in a process of its own and returns when it listens. stop ends it and returns what it said.
func (p *place) startAgent(t *testing.T, args ...string) (stop func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{"agent", "--no-broker", "--browser", "none"}, args...)...)
	cmd.Env = append(append(os.Environ(), envCommand+"=1"), p.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	listening := make(chan struct{})
	go func() {
		var all strings.Builder
		lines := bufio.NewScanner(errs)
		open := listening
		for lines.Scan() {
			fmt.Fprintln(&all, lines.Text())
			if open != nil && strings.Contains(lines.Text(), "127.0.0.1:") {
				close(open)
				open = nil
			}
		}
		said <- all.String()
	}()
	var once string
	done := false
	stop = func() string {
		if !done {
			done = true
			cancel()
			once = <-said
			_ = cmd.Wait() // interrupted
		}
		return once
	}
	t.Cleanup(func() { stop() })
	select {
	case <-listening:
	case text := <-said:
		t.Fatalf("the agent ended: %s", text)
	}
	return stop
}

func TestAgentCommands(t *testing.T) {
	p := newPlace(t)
	for _, args := range [][]string{{"agent", "status"}, {"agent", "open"}, {"agent", "stop"}, {"pair", "X"}} {
		code, out, errs := eid(t, args...)
		wantCode(t, exitUnavailable, code, out, errs)
		if !strings.Contains(errs, "no agent is running") || !strings.Contains(errs, "eid: hint: start it with: eid agent") {
			t.Errorf("%v: %s", args, errs)
		}
	}
	stop := p.startAgent(t, "--port", "0", "--pinentry", permitting(t, buttonPermit))
	code, out, errs := eid(t, "agent", "status", "--json")
	wantCode(t, exitOK, code, out, errs)
	if d := decode(t, out); d["version"] == "" || len(d["listening"].([]any)) < 2 {
		t.Errorf("%s", out)
	}
	port, err := os.ReadFile(dial.PortPath(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "eidkit")))
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strings.TrimSpace(string(port))
	code, out, errs = eid(t, "agent", "open", "viewer", "--browser", "none")
	wantCode(t, exitOK, code, out, errs)
	if !strings.HasPrefix(out, "http://"+address+"/viewer.html#code=") {
		t.Errorf("%q", out)
	}
	resp, err := http.Get("http://" + address + "/healthz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	code, out, errs = eid(t, "agent", "open", "nonsense", "--browser", "none")
	wantCode(t, exitUsage, code, out, errs)

	code, out, errs = eid(t, "agent", "--port", "0", "--no-broker")
	wantCode(t, exitFailure, code, out, errs)
	if !strings.Contains(errs, "an agent is running already") || !strings.Contains(errs, "eid agent stop") {
		t.Errorf("a second one: %s", errs)
	}
	p.pairing(t, address)
	code, out, errs = eid(t, "agent", "stop")
	wantCode(t, exitOK, code, out, errs)
	if said := stop(); strings.Contains(said, "ERROR") {
		t.Errorf("the agent said: %s", said)
	}
}

// pairing gives a program a token, uses it, and withdraws it.
func (p *place) pairing(t *testing.T, address string) {
	t.Helper()
	code, out, errs := eid(t, "pair", "Pharmacy desk", "--operation", "login") // is for sites
	wantCode(t, exitUsage, code, out, errs)
	code, out, errs = eid(t, "pair", "Pharmacy desk", "--operation", "readers", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "pair.json", out)
	made := decode(t, out)
	token := made["token"].(string)
	c, err := dial.Loopback(t.Context(), address, token)
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Client struct{ Kind, Name string } `json:"client"`
	}
	if err := c.Call(t.Context(), "agent.info", struct{}{}, &info); err != nil || info.Client.Name != "Pharmacy desk" {
		t.Errorf("%+v, %v", info, err)
	}
	c.Close()
	code, out, errs = eid(t, "grants", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "grants.json", out)
	if strings.Contains(out, token) {
		t.Error("the token is listed")
	}
	programs := decode(t, out)["programs"].([]any)
	if len(programs) != 1 {
		t.Fatalf("%s", out)
	}
	id := programs[0].(map[string]any)["id"].(string)
	if id != made["id"] {
		t.Errorf("eid pair calls it %v, eid grants %s", made["id"], id)
	}
	code, out, errs = eid(t, "grants")
	wantCode(t, exitOK, code, out, errs)
	if !strings.Contains(out, id) || !strings.Contains(out, "Pharmacy desk") {
		t.Errorf("%s", out)
	}
	code, out, errs = eid(t, "grants", "withdraw", id)
	wantCode(t, exitOK, code, out, errs)
	if c, err := dial.Loopback(t.Context(), address, token); err == nil {
		c.Close()
		t.Error("the token works after it was withdrawn")
	}
	code, out, errs = eid(t, "grants", "withdraw", id)
	wantCode(t, exitUsage, code, out, errs)
	code, out, errs = eid(t, "audit", "verify")
	wantCode(t, exitOK, code, out, errs)
}

// TestPairDenied: the dialog's other answers give no token.
func TestPairDenied(t *testing.T) {
	p := newPlace(t)
	p.startAgent(t, "--port", "0", "--pinentry", permitting(t, buttonDeny))
	code, out, errs := eid(t, "pair", "Pharmacy desk")
	wantCode(t, exitPIN, code, out, errs)
	if out != "" || !strings.Contains(errs, "CONSENT_DENIED") {
		t.Errorf("%s%s", out, errs)
	}
	authority, err := access.Open(access.Options{StateDir: filepath.Join(os.Getenv("XDG_STATE_HOME"), "eidkit")})
	if err != nil || len(authority.Pairings()) != 0 {
		t.Errorf("%v %v", authority.Pairings(), err)
	}
}

func TestAgentUsage(t *testing.T) {
	newPlace(t)
	code, out, errs := eid(t, "agent", "--log", "loud")
	wantCode(t, exitUsage, code, out, errs)
	code, out, errs = eid(t, "agent", "--policy", policyFile(t, "")) // in the place of the administrator's
	wantCode(t, exitUsage, code, out, errs)
	if !strings.Contains(errs, "--developer") {
		t.Errorf("%s", errs)
	}
	missing := filepath.Join(t.TempDir(), "policy.toml")
	for _, args := range [][]string{{"agent", "--developer", "--policy", missing}, {"demo", "--policy", missing, "--port", "0"}} {
		code, out, errs = eid(t, args...)
		wantCode(t, exitUsage, code, out, errs)
		if !strings.Contains(errs, missing) {
			t.Errorf("%s", errs)
		}
	}
	for _, args := range [][]string{{"agent", "--auto-pin"}, {"--reader", "testcard:citizen-1.8", "agent"}} {
		code, out, errs = eid(t, args...)
		wantCode(t, exitUsage, code, out, errs)
		if !strings.Contains(errs, "simulated cards is: eid demo") {
			t.Errorf("%s", errs)
		}
	}
}

// TestNoStateFolder: commands that need the state folder say what is wrong with it, and what to do.
func TestNoStateFolder(t *testing.T) {
	newPlace(t)
	file := filepath.Join(t.TempDir(), "file")
	write0600(t, file, "")
	t.Setenv("XDG_STATE_HOME", file)
	for _, args := range [][]string{{"agent", "--port", "0"}, {"grants"}, {"audit", "show"}, {"audit", "verify"}, {"agent", "tls", "status"}} {
		code, out, errs := eid(t, args...)
		wantCode(t, exitFailure, code, out, errs)
		if !strings.Contains(errs, "the folder for the program's state: mkdir "+file) || !strings.Contains(errs, "eid: hint: it has to be yours to write in; XDG_STATE_HOME") {
			t.Errorf("%v: %s", args, errs)
		}
	}
}

// TestSetupDocuments: what is set up in browsers is told to programs too.
func TestSetupDocuments(t *testing.T) {
	p := newPlace(t)
	t.Setenv("HOME", p.dir)
	for _, do := range []string{"install", "remove"} {
		code, out, errs := eid(t, "agent", "native-messaging", do, "--json")
		wantCode(t, exitOK, code, out, errs)
		validate(t, "native-messaging.json", out)
		if !strings.Contains(out, p.dir) {
			t.Errorf("%s", out)
		}
	}
	var out bytes.Buffer
	a := &app{streams: streams{out: &out}}
	err := a.showTLS(&localtls.Report{Certificate: &x509.Certificate{NotAfter: time.Now()}, SHA256: strings.Repeat("0a", 32),
		Stores: []localtls.Store{{Name: "Firefox", Path: "/profile", Trusted: true}, {Name: "Chrome", Path: "/nssdb", Err: errors.New("locked")}}}, true)
	if err == nil {
		t.Error("a store that failed is no error")
	}
	validate(t, "tls.json", out.String())
}

// TestForeignDialog: a dialog program that the user could have written gets no PIN from an agent.
func TestForeignDialog(t *testing.T) {
	newPlace(t)
	program := permitting(t, buttonPermit)
	if err := os.Chmod(program, 0o777); err != nil {
		t.Fatal(err)
	}
	code, out, errs := eid(t, "agent", "--port", "0", "--no-broker", "--pinentry", program)
	wantCode(t, exitFailure, code, out, errs)
	if !strings.Contains(errs, "others than root can change it") {
		t.Errorf("%s", errs)
	}
}

// TestForeignDialogLater: nor does one that was put there when the agent was already running.
func TestForeignDialogLater(t *testing.T) {
	p := newPlace(t)
	program := permitting(t, buttonPermit)
	if err := errors.Join(os.Chmod(program, 0o777), os.Rename(program, program+".later")); err != nil {
		t.Fatal(err)
	}
	p.startAgent(t, "--port", "0", "--pinentry", program)
	if err := os.Rename(program+".later", program); err != nil {
		t.Fatal(err)
	}
	code, out, errs := eid(t, "pair", "Pharmacy desk")
	wantCode(t, exitFailure, code, out, errs)
	if !strings.Contains(errs, "others than root can change it") {
		t.Errorf("%s", errs)
	}
}

func TestPortTaken(t *testing.T) {
	p := newPlace(t)
	p.startAgent(t, "--port", "0")
	runtime := os.Getenv("XDG_RUNTIME_DIR")
	port, err := os.ReadFile(dial.PortPath(filepath.Join(runtime, "eidkit")))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir()) // somebody else's agent
	code, out, errs := eid(t, "agent", "--no-broker", "--port", strings.TrimSpace(string(port)))
	wantCode(t, exitFailure, code, out, errs)
	if !strings.Contains(errs, "is taken by") || !strings.Contains(errs, filepath.Base(os.Args[0])) {
		t.Errorf("%s", errs)
	}
}

func TestUnits(t *testing.T) {
	dir := t.TempDir()
	if err := writeUnits(dir, "/opt/100% eid/bin/eid"); err != nil {
		t.Fatal(err)
	}
	service, err := os.ReadFile(filepath.Join(dir, "eidkit-agent.service"))
	if err != nil || !strings.Contains(string(service), "ExecStart=\"/opt/100%% eid/bin/eid\" agent\n") {
		t.Errorf("%s %v", service, err)
	}
	socket, err := os.ReadFile(filepath.Join(dir, "eidkit-agent.socket"))
	if err != nil || !strings.Contains(string(socket), "ListenStream=127.0.0.1:24340\n") || !strings.Contains(string(socket), "ListenStream=[::1]:24340\n") {
		t.Errorf("%s %v", socket, err)
	}
	if err := writeUnits(dir, "/opt/\n[Service]\nExecStart=/bin/evil"); err == nil {
		t.Error("a path that would be another line was written")
	}
}

// TestAutostartBesideBroker: the units would want the port that the broker has.
func TestAutostartBesideBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := noBroker(filepath.Join(dir, "broker.sock")); err != nil {
		t.Error(err)
	}
	var h hinted
	if err := noBroker(dir); !errors.As(err, &h) || !strings.Contains(h.hint, "terminal-servers.md") {
		t.Errorf("%v", err)
	}
}
