package client

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// tool is the path of a program; without it the test is skipped, except in CI.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

func run(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, program), args...)
	cmd.Dir = dir
	// npm must not take the settings of whoever runs the test for the package's.
	cmd.Env = append(os.Environ(), "npm_config_update_notifier=false", "npm_config_fund=false", "npm_config_audit=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

// TestClient runs the client's own tests, against an agent made up in them.
func TestClient(t *testing.T) {
	t.Parallel()
	tests, err := filepath.Glob("test/*.test.mjs")
	if err != nil || len(tests) < 5 {
		t.Fatalf("%d files of tests, %v", len(tests), err)
	}
	run(t, ".", "node", append([]string{"--test"}, tests...)...)
}
