//go:build unix

package webeid

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestLinkInTheWay does not replace a program that somebody put there.
func TestLinkInTheWay(t *testing.T) {
	t.Parallel()
	s := setup(t)
	put(t, s.linkPath(), "a program")
	if _, err := Install(s); err == nil {
		t.Error("it was replaced")
	}
	if b, err := os.ReadFile(s.linkPath()); err != nil || string(b) != "a program" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestRemoveLeavesNoFolders: what Install made for a user is gone, what was there before stays, be it a link to another place.
func TestRemoveLeavesNoFolders(t *testing.T) {
	t.Parallel()
	s := setup(t)
	home := filepath.Join(s.Root, s.Home)
	elsewhere := t.TempDir()
	put(t, filepath.Join(home, ".mozilla", "firefox", "profiles.ini"), "[Profile0]")
	if runtime.GOOS == "linux" {
		put(t, filepath.Join(home, ".config", "other", "file"), "")
		if err := os.Symlink(elsewhere, filepath.Join(home, ".config", "google-chrome")); err != nil {
			t.Fatal(err)
		}
	}
	before := paths(t, s.Root)
	if _, err := Install(s); err != nil {
		t.Fatal(err)
	}
	if _, err := Remove(s); err != nil {
		t.Fatal(err)
	}
	after := paths(t, s.Root)
	if !slices.Equal(slices.DeleteFunc(after, func(p string) bool {
		return strings.HasSuffix(p, "/.local") || strings.HasSuffix(p, "/share") || strings.Contains(p, "Library") // many programs' own
	}), before) {
		t.Errorf("before %q\nafter %q", before, after)
	}
}

// paths are all files, links and folders below a folder.
func paths(t *testing.T, root string) (all []string) {
	t.Helper()
	if err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
