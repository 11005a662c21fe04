//go:build soak && linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// browserFolder has the scripts that drive Chromium.
const browserFolder = "../../agent/client/test/browser"

// inBrowser builds the program and sees that what the scripts need is there, and gives a function that runs one.
func inBrowser(t *testing.T) func(t *testing.T, script string, args ...string) {
	t.Helper()
	for _, name := range []string{"node", "npm", "chromium", "Xvfb", "certutil"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	program := filepath.Join(t.TempDir(), "eid")
	runTool(t, ".", nil, "go", "build", "-o", program, ".")
	client := filepath.Join("..", "..", "agent", "client")
	if _, err := os.Stat(filepath.Join(client, "node_modules", "playwright-core")); err != nil {
		runTool(t, client, nil, "npm", "ci", "--no-fund", "--no-audit", "--no-progress")
	}
	shots := os.Getenv("EIDKIT_SHOTS")
	if shots == "" {
		shots = t.ArtifactDir()
	}
	shots, err := filepath.Abs(shots)
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, script string, args ...string) {
		t.Helper()
		runTool(t, browserFolder, []string{"EID=" + program, "SHOTS=" + shots}, "node", append([]string{script}, args...)...)
	}
}

// runTool runs a program; its output is the test's when it fails.
func runTool(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	t.Logf("%s %v\n%s", name, args, out)
}

// TestSoakBrowser runs every page and flow in Chromium, in four languages, light and dark, with pictures of all of them in EIDKIT_SHOTS
// or the test's artefacts; and what hostile pages and documents, and browsers that forbid, make of it.
func TestSoakBrowser(t *testing.T) {
	run := inBrowser(t)
	for _, lang := range []string{"en", "nl", "fr", "de"} {
		t.Run("flows-"+lang, func(t *testing.T) { run(t, "flows.mjs", lang) })
	}
	for _, script := range []string{"lna", "hostile", "webeid", "tls"} {
		t.Run(script, func(t *testing.T) { run(t, script+".mjs") })
	}
}
