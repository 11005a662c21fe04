package client

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// TestDistIsBuilt builds dist anew from the source and compares it with the
// committed one.
func TestDistIsBuilt(t *testing.T) {
	t.Parallel()
	tool(t, "npm")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "tsconfig.json", "build.mjs"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "src"), os.DirFS("src")); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "npm", "ci", "--no-progress")
	run(t, dir, "npm", "run", "build")

	built, committed := files(t, os.DirFS(dir)), files(t, FS)
	if !slices.Equal(built, committed) {
		t.Fatalf("the source gives the files %q, committed are %q: run npm run build", built, committed)
	}
	for _, name := range built {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the source gives: run npm run build", name)
		}
	}
}

func files(t *testing.T, from fs.FS) []string {
	t.Helper()
	names, err := fs.Glob(from, "dist/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("dist: %q, %v", names, err)
	}
	return names
}
