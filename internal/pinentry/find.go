package pinentry

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// envProgram names the pinentry program where nothing else does.
const envProgram = "EIDKIT_PINENTRY"

// candidates are the names under which programs are looked for, best first.
var candidates = []string{"pinentry", "pinentry-gnome3", "pinentry-qt", "pinentry-curses", "pinentry-mac"}

// Find returns the path of the pinentry program that is used for a Dialog with that Program: the one named, by it or by the
// variable EIDKIT_PINENTRY, else the first in PATH that fits: one that draws on a terminal needs a terminal. On Windows, where none
// is named, it is "the Windows credential dialog". Errors wrap ErrNoProgram.
func Find(named string) (string, error) { return find(named, hasTerminal("")) }

// Find returns the path of the program that d would run now, which d.Check has nothing against. Errors wrap ErrNoProgram.
func (d Dialog) Find() (string, error) {
	path, err := find(d.Program, hasTerminal(d.TTY))
	if err != nil || path == builtIn || d.Check == nil {
		return path, err
	}
	if err := d.Check(path); err != nil {
		return "", fmt.Errorf("%w: the dialog program %s: %w", ErrNoProgram, Clean(path, maxAboutRunes), err)
	}
	return path, nil
}

func find(named string, terminal bool) (string, error) {
	if named == "" {
		named = os.Getenv(envProgram)
	}
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%w: pinentry program %s: %w", ErrNoProgram, Clean(named, maxAboutRunes), err)
		}
		return path, nil
	}
	if builtIn != "" {
		return builtIn, nil
	}
	unfit := ""
	for _, name := range candidates {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if fits(path, terminal) {
			return path, nil
		}
		unfit = path
	}
	if unfit != "" {
		return "", fmt.Errorf("%w: %s needs a terminal or a screen, and there is none (no /dev/tty, no DISPLAY or WAYLAND_DISPLAY): "+
			"run this in a terminal or on a desktop", ErrNoProgram, unfit)
	}
	return "", fmt.Errorf("%w: no pinentry program in PATH: install one (Debian: apt install pinentry-gnome3, pinentry-qt or "+
		"pinentry-curses), or name one in %s", ErrNoProgram, envProgram)
}

// fits tells whether the program can show a dialog here. What it is called in the end counts: "pinentry" is mostly a link.
func fits(path string, terminal bool) bool {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	screen := os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
	switch name := filepath.Base(path); {
	case strings.HasSuffix(name, "-curses"), strings.HasSuffix(name, "-tty"):
		return terminal
	case strings.HasSuffix(name, "-mac"):
		return runtime.GOOS == "darwin"
	}
	return screen || terminal || runtime.GOOS == "darwin" // those with windows fall back to curses
}

const devTTY = "/dev/tty"

// hasTerminal tells whether tty, or this process's own terminal if it is empty, can be opened.
func hasTerminal(tty string) bool {
	if tty == "" {
		tty = devTTY
	}
	f, err := os.OpenFile(tty, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// options are those of an Assuan session: the terminal, if there is one, and the character set.
func (d Dialog) options() []string {
	var o []string
	if hasTerminal(d.TTY) {
		tty := d.TTY
		if tty == "" {
			tty = devTTY
		}
		o = append(o, "ttyname="+tty)
		if term := os.Getenv("TERM"); term != "" {
			o = append(o, "ttytype="+term)
		}
	}
	locale := localeFor("LC_CTYPE")
	if locale == "" || locale == "C" || locale == "POSIX" {
		locale = "C.UTF-8" // the texts are UTF-8, and so are today's terminals
	}
	o = append(o, "lc-ctype="+locale)
	if m := localeFor("LC_MESSAGES"); m != "" {
		o = append(o, "lc-messages="+m)
	}
	if v := os.Getenv("DISPLAY"); v != "" {
		o = append(o, "display="+v)
	}
	if d.NoGrab {
		o = append(o, "no-grab")
	}
	return plain(o)
}

// localeFor is a locale category as POSIX finds it.
func localeFor(category string) string {
	for _, name := range []string{"LC_ALL", category, "LANG"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// plain drops the options that would not stay one line: their values are not escaped.
func plain(options []string) []string {
	var kept []string
	for _, o := range options {
		if o == escape(o) && len(o) <= maxText {
			kept = append(kept, o)
		}
	}
	return kept
}
