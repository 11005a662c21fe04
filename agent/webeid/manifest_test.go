package webeid

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func setup(t *testing.T) Setup {
	t.Helper()
	program := filepath.Join(t.TempDir(), "eid")
	if err := os.WriteFile(program, []byte("program"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Setup{Program: program, Root: t.TempDir(), Home: "/home/els"}
}

func states(entries []Entry) string {
	var s []string
	for _, e := range entries {
		s = append(s, e.Browser+" "+string(e.State))
	}
	return strings.Join(s, ", ")
}

func all(state State) string {
	return "Chrome " + string(state) + ", Chromium " + string(state) + ", Edge " + string(state) + ", Firefox " + string(state)
}

func TestInstallAndRemove(t *testing.T) {
	t.Parallel()
	for _, machine := range []bool{false, true} {
		s := setup(t)
		s.Machine = machine
		for range 2 { // a second time changes nothing
			entries, err := Install(s)
			if err != nil || states(entries) != all(Installed) {
				t.Fatalf("Install: %s, %v", states(entries), err)
			}
			for _, e := range entries {
				checkManifest(t, s, e)
			}
		}
		entries, err := Remove(s)
		if err != nil || states(entries) != all(Removed) {
			t.Fatalf("Remove: %s, %v", states(entries), err)
		}
		left := 0
		if err := filepath.WalkDir(s.Root, func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				left++
			}
			return err
		}); err != nil || left != 0 {
			t.Errorf("%d files left, %v", left, err)
		}
		if entries, err = Remove(s); err != nil || states(entries) != all(Absent) {
			t.Errorf("Remove again: %s, %v", states(entries), err)
		}
	}
}

func checkManifest(t *testing.T, s Setup, e Entry) {
	t.Helper()
	b, err := os.ReadFile(e.Path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	path, _ := m["path"].(string)
	if m["name"] != Host || m["type"] != "stdio" || !filepath.IsAbs(path) || strings.HasPrefix(path, s.Root) || strings.TrimSuffix(filepath.Base(path), ".exe") != Link {
		t.Errorf("%s: %s", e.Browser, b)
	}
	program, err := os.ReadFile(filepath.Join(s.Root, path))
	if err != nil || string(program) != "program" {
		t.Errorf("%s starts %q, %v", e.Browser, program, err)
	}
	allowed, other := "allowed_origins", "allowed_extensions"
	if e.Browser == "Firefox" {
		allowed, other = other, allowed
	}
	if list, _ := m[allowed].([]any); len(list) == 0 || m[other] != nil {
		t.Errorf("%s lets %v and %v in", e.Browser, m[allowed], m[other])
	}
	info, err := os.Stat(e.Path)
	if err != nil || runtime.GOOS != "windows" && (info.Mode().Perm()&0o044 != 0) != s.Machine {
		t.Errorf("%s: %v, %v", e.Path, info.Mode(), err)
	}
}

// TestForeign: Web eID is installed for some browsers, in one way or another.
func TestForeign(t *testing.T) {
	t.Parallel()
	for _, content := range []string{`{"name":"eu.webeid","description":"Web eID Native Messaging Host","path":"/usr/bin/web-eid"}`, `not JSON`, ``} {
		s := setup(t)
		theirs := path(t, s, "Chromium")
		put(t, theirs, content)
		machine := s
		machine.Machine = true
		put(t, path(t, machine, "Firefox"), content) // the machine's, which the user's would hide
		want := "Chrome installed, Chromium foreign, Edge installed, Firefox foreign"
		if runtime.GOOS == "windows" {
			want = "Chrome installed, Chromium foreign, Edge installed, Firefox installed" // only the registry tells of the machine's
		}
		entries, err := Install(s)
		if err != nil || states(entries) != want {
			t.Errorf("Install: %s, %v", states(entries), err)
		}
		if entries, err = Remove(s); err != nil || !strings.HasPrefix(states(entries), "Chrome removed, Chromium foreign, Edge removed") {
			t.Errorf("Remove: %s, %v", states(entries), err)
		}
		if b, err := os.ReadFile(theirs); err != nil || string(b) != content {
			t.Errorf("the other's manifest is now %q, %v", b, err)
		}
	}
}

// TestForeignEverywhere leaves no link behind that nobody uses.
func TestForeignEverywhere(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, name := range []string{"Chrome", "Chromium", "Edge", "Firefox"} {
		put(t, path(t, s, name), `{}`)
	}
	entries, err := Install(s)
	if err != nil || states(entries) != all(Foreign) {
		t.Errorf("Install: %s, %v", states(entries), err)
	}
	if _, err := os.Lstat(s.linkPath()); !os.IsNotExist(err) {
		t.Errorf("the link is there: %v", err)
	}
}

func TestInstallNeedsAProgram(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, program := range []string{s.Program + ".none", s.Root} {
		s.Program = program
		if _, err := Install(s); err == nil {
			t.Errorf("%s was installed", program)
		}
	}
	if entries, err := os.ReadDir(s.Root); err != nil || len(entries) != 0 {
		t.Errorf("something was written: %v, %v", entries, err)
	}
}

func path(t *testing.T, s Setup, browser string) string {
	t.Helper()
	places, err := s.places()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(places, func(p place) bool { return p.browser == browser })
	return places[i].path
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
