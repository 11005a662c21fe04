//go:build linux

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
)

// samples are the programs in examples/clients that need nothing but their interpreter.
var samples = []struct{ program, file string }{{"node", "client.mjs"}, {"python3", "client.py"}}

// sampleFolder is found before a test goes to another folder.
var sampleFolder, _ = filepath.Abs(filepath.Join("..", "..", "examples", "clients"))

// sampleAgent runs an agent with a simulated card, and gives its address and the token of a paired program.
func sampleAgent(t *testing.T, card string) (address, token string) {
	t.Helper()
	state := homes(t, false)
	authority, err := access.Open(access.Options{StateDir: filepath.Join(os.Getenv("XDG_STATE_HOME"), "eidkit"), PolicyPath: filepath.Join(state, "none")})
	if err != nil {
		t.Fatal(err)
	}
	if token, _, err = authority.Pair("Example", "", []access.Operation{access.OpReaders, access.OpIdentity}); err != nil {
		t.Fatal(err)
	}
	cmd, err := simulatedAgent(simulationOptions{Policy: filepath.Join(state, "none"), Cards: map[string]string{"Sample reader": card}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	return p.address, token
}

// sampleTool is the path of a program that CI must have.
func sampleTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed", name)
	default:
		t.Skipf("%s is not installed", name)
	}
	return path
}

// runSample runs a sample and checks what it prints: the reader and the holder with the right token, an error with a wrong one.
func runSample(t *testing.T, address, token string, h cardHolder, program string, args ...string) {
	t.Helper()
	run := func(token string) (lines []map[string]any, err error) {
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "EIDKIT_AGENT=ws://"+address+"/v1", "EIDKIT_TOKEN="+token)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		for line := range strings.Lines(string(out)) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			lines = append(lines, m)
		}
		if errs.Len() > 0 {
			t.Errorf("%s: %s", program, errs.String())
		}
		return lines, err
	}
	lines, err := run(token)
	if err != nil || len(lines) != 2 {
		t.Fatalf("%v: %v", lines, err)
	}
	reader := lines[0]["readers"].([]any)[0].(map[string]any)
	id, _ := lines[1]["identity"].(map[string]any)
	if reader["name"] != "Sample reader" || reader["card"].(map[string]any)["cardId"] != lines[1]["cardId"] || id["surname"] != h.surname || id["givenNames"] != h.given {
		t.Errorf("%v", lines)
	}
	lines, err = run("nonsense")
	if err == nil || len(lines) != 1 || lines[0]["error"] == nil {
		t.Errorf("with a wrong token: %v %v", lines, err)
	}
}

// TestSamples: what is in examples/clients works against an agent.
func TestSamples(t *testing.T) {
	const card = "citizen-1.8#3"
	h := holderOf(t, card)
	address, token := sampleAgent(t, card)
	for _, s := range samples {
		t.Run(s.program, func(t *testing.T) {
			t.Parallel()
			runSample(t, address, token, h, sampleTool(t, s.program), filepath.Join(sampleFolder, s.file))
		})
	}
}
