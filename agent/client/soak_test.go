//go:build soak

package client

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSoakDistIsBuilt builds dist anew from the source and compares it with the
// committed one.
func TestSoakDistIsBuilt(t *testing.T) {
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
