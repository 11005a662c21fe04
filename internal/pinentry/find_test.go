//go:build unix && !darwin

package pinentry

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// installed makes a folder of programs the only one in PATH; "a -> b" is a link to another of them.
func installed(t *testing.T, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range programs {
		name, target, isLink := strings.Cut(p, " -> ")
		var err error
		if isLink {
			err = os.Symlink(filepath.Join(dir, target), filepath.Join(dir, name))
		} else {
			err = os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/false\n"), 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", envProgram} {
		t.Setenv(name, "")
	}
	t.Setenv("PATH", dir)
	return dir
}

func TestFind(t *testing.T) {
	all := []string{"pinentry-gnome3", "pinentry-qt", "pinentry-curses", "pinentry-mac", "pinentry -> pinentry-curses"}
	tests := []struct {
		name             string
		programs         []string
		terminal, screen bool
		want             string // empty: none
	}{
		{"in a terminal", all, true, false, "pinentry"},
		{"on a screen without a terminal", all, false, true, "pinentry-gnome3"},
		{"link to a program with windows", []string{"pinentry-qt", "pinentry -> pinentry-qt", "pinentry-curses"}, false, true, "pinentry"},
		{"curses alone", []string{"pinentry-curses"}, true, true, "pinentry-curses"},
		{"curses without a terminal", []string{"pinentry-curses"}, false, true, ""},
		{"windows fall back to the terminal", []string{"pinentry-qt"}, true, false, "pinentry-qt"},
		{"neither screen nor terminal", all, false, false, ""},
		{"not for this system", []string{"pinentry-mac"}, true, true, ""},
		{"none", nil, true, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := installed(t, tt.programs...)
			if tt.screen {
				t.Setenv("WAYLAND_DISPLAY", "wayland-0")
			}
			got, err := find("", tt.terminal)
			if tt.want == "" {
				if !errors.Is(err, ErrNoProgram) || len(err.Error()) < 60 {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			if err != nil || got != filepath.Join(dir, tt.want) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestFindNamed(t *testing.T) {
	dir := installed(t, "pinentry-qt", "mine", "other")
	t.Setenv(envProgram, filepath.Join(dir, "mine"))
	for named, want := range map[string]string{"": "mine", filepath.Join(dir, "other"): "other", "other": "other"} {
		if got, err := Find(named); err != nil || got != filepath.Join(dir, want) {
			t.Errorf("%q: %q, %v", named, got, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, named := range []string{filepath.Join(dir, "absent"), filepath.Join(dir, "text"), dir, "absent\x1b[31m"} {
		if got, err := Find(named); !errors.Is(err, ErrNoProgram) {
			t.Errorf("%q: %q, %v", named, got, err)
		}
	}
	t.Setenv(envProgram, filepath.Join(dir, "absent"))
	if _, err := Find(""); !errors.Is(err, ErrNoProgram) || !strings.Contains(err.Error(), "absent") {
		t.Errorf("a wrong variable is passed over: %v", err)
	}
}

// TestCheck: a program that is refused is not run, though it was not refused before.
func TestCheck(t *testing.T) {
	d, _ := fake(t, fakeScript{})
	var refused error
	d.Check = func(path string) error {
		if path != d.Program {
			t.Errorf("asked about %s", path)
		}
		return refused
	}
	if got, err := d.Find(); err != nil || got != d.Program {
		t.Errorf("%q, %v", got, err)
	}
	refused = errors.New("not this one")
	if got, err := d.Find(); !errors.Is(err, ErrNoProgram) || !errors.Is(err, refused) || got != "" {
		t.Errorf("%q, %v", got, err)
	}
	u, err := d.open(t.Context())
	if err == nil {
		u.close()
	}
	if !errors.Is(err, ErrNoProgram) || !errors.Is(err, refused) {
		t.Errorf("it is run: %v", err)
	}
}

func TestOptions(t *testing.T) {
	installed(t)
	tty := filepath.Join(t.TempDir(), "tty")
	if err := os.WriteFile(tty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "")
	}
	t.Setenv("TERM", "xterm")
	got := Dialog{TTY: tty, NoGrab: true}.options()
	if want := []string{"ttyname=" + tty, "ttytype=xterm", "lc-ctype=C.UTF-8", "no-grab"}; !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
	t.Setenv("LANG", "nl_BE.UTF-8")
	t.Setenv("LC_MESSAGES", "fr_BE.UTF-8")
	t.Setenv("DISPLAY", ":0\nGETPIN") // no second command
	got = Dialog{TTY: tty + "/absent"}.options()
	if want := []string{"lc-ctype=nl_BE.UTF-8", "lc-messages=fr_BE.UTF-8"}; !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
	t.Setenv("DISPLAY", ":0")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	got = Dialog{TTY: tty + "/absent"}.options()
	if want := []string{"lc-ctype=de_DE.UTF-8", "lc-messages=de_DE.UTF-8", "display=:0"}; !slices.Equal(got, want) {
		t.Errorf("options %q, want %q", got, want)
	}
}
