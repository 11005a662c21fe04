//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eidkit/eidkit/testcards"
)

// fakePinentry writes a pinentry program that answers GETPIN with the digits given, one after the other, and CONFIRM with yes or
// no. The word "cancel" among the digits cancels, "timeout" times out. What it is told is logged in the file returned.
func fakePinentry(t *testing.T, confirm bool, digits ...string) (program, log string) {
	t.Helper()
	dir := t.TempDir()
	program, log = filepath.Join(dir, "pinentry-fake"), filepath.Join(dir, "log")
	if err := os.WriteFile(filepath.Join(dir, "answers"), []byte(strings.Join(digits, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer := "OK"
	if !confirm {
		answer = "ERR 83886179 Operation cancelled <Pinentry>"
	}
	script := fmt.Sprintf(`#!/bin/sh
cd %q || exit 1
echo "OK ready"
while read -r line; do
	echo "$line" >> log
	case "$line" in
	GETPIN*)
		pin=$(head -n 1 answers); tail -n +2 answers > rest; mv rest answers
		case "$pin" in
		cancel|"") echo "ERR 83886179 Operation cancelled <Pinentry>" ;;
		timeout) echo "ERR 83886142 Timeout <Pinentry>" ;;
		*) echo "D $pin"; echo OK ;;
		esac ;;
	CONFIRM*) echo %q ;;
	BYE*) echo OK; exit 0 ;;
	*) echo OK ;;
	esac
done
`, dir, answer)
	writeProgram(t, program, script)
	return program, log
}

// writeProgram writes a script that can be run at once.
func writeProgram(t testing.TB, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock() // a process begun meanwhile would hold the file open for writing, and nobody could run it (ETXTBSY)
	err := os.WriteFile(path, []byte(script), 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPIN(t *testing.T) {
	for _, test := range []struct {
		name     string
		args     []string
		confirm  bool
		typed    []string
		code     int
		stderr   string
		dialogue string // what the dialog program must have been told, somewhere
	}{
		{"right", []string{"verify", "--reader", "testcard:citizen-1.8"}, true, []string{testcards.PIN}, exitOK, "the PIN is right", ""},
		{"wrong, no more", []string{"verify", "--reader", "testcard:citizen-1.8"}, false, []string{"9999"}, exitPIN, "2 tries left", "2"},
		{"wrong, then right", []string{"verify", "--reader", "testcard:citizen-1.7"}, true, []string{"9999", testcards.PIN}, exitOK, "the PIN is right", "2"},
		{"wrong until blocked", []string{"verify", "--reader", "testcard:citizen-1.8"}, true, []string{"9999", "9998", "9997", "9996"}, exitPIN, "blocked", "Last try"},
		{"cancelled", []string{"verify", "--reader", "testcard:citizen-1.8"}, true, []string{"cancel"}, exitPIN, "cancelled", ""},
		{"timed out", []string{"verify", "--reader", "testcard:citizen-1.8"}, true, []string{"timeout"}, exitPIN, "in time", ""},
		{"blocked", []string{"verify", "--reader", "testcard:blocked-1.8"}, true, []string{testcards.PIN}, exitPIN, "blocked", ""},
		{"changed", []string{"change", "--reader", "testcard:citizen-1.8"}, true, []string{testcards.PIN, "24680", "24680"}, exitOK, "the PIN is changed", ""},
		{"unblocked", []string{"unblock", "--reader", "testcard:blocked-1.7"}, true, []string{testcards.PUK}, exitOK, "all its tries", ""},
		{"no PUK", []string{"unblock", "--reader", "testcard:blocked-1.8"}, true, []string{testcards.PUK}, exitFailure, "municipality", ""},
		{"automatic", []string{"verify", "--reader", "testcard:citizen-1.8", "--auto-pin"}, true, nil, exitOK, "the PIN is right", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			program, log := fakePinentry(t, test.confirm, test.typed...)
			code, out, errs := eid(t, append([]string{"pin", "--trace", "--pinentry", program}, test.args...)...)
			wantCode(t, test.code, code, out, errs)
			if !strings.Contains(errs, test.stderr) {
				t.Errorf("stderr lacks %q: %s", test.stderr, errs)
			}
			told, _ := os.ReadFile(log)
			if !strings.Contains(string(told), test.dialogue) {
				t.Errorf("the dialog lacks %q:\n%s", test.dialogue, told)
			}
			if test.name == "blocked" && strings.Contains(string(told), "GETPIN") {
				t.Error("asked for a PIN that the card does not take any more")
			}
		})
	}
}

// TestNoPINIsWritten runs every command that knows a PIN, traced, right and wrong, and searches all that was written for it: as
// digits and as the block that goes to the card.
func TestNoPINIsWritten(t *testing.T) {
	const right, wrong, fresh = testcards.PIN, "739182", "604713"
	searched := 0
	search := func(text string) {
		searched += len(text)
		flat := strings.NewReplacer(" ", "", "\n", "").Replace(text)
		for _, secret := range []string{wrong, fresh, "26739182", "26604713", "241234FF"} {
			if strings.Contains(flat, secret) {
				t.Errorf("%s is in what was written:\n%s", secret, text)
			}
		}
	}
	for _, args := range [][]string{
		{"pin", "verify", right}, {"pin", "verify", wrong, wrong, wrong}, {"pin", "change", right, fresh, fresh},
		{"pin", "change", wrong, fresh, fresh}, {"pin", "change", right, fresh, wrong}, {"pin", "status"},
	} {
		for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
			program, log := fakePinentry(t, true, args[2:]...)
			line := append([]string{"--trace", "--reader", testcardPrefix + profile}, args[:2]...)
			if args[1] != "status" {
				line = append(line, "--pinentry", program)
			}
			_, out, errs := eid(t, line...)
			told, _ := os.ReadFile(log)
			search(out)
			search(errs)
			search(string(told))
		}
	}
	if searched < 1000 {
		t.Errorf("only %d bytes were searched", searched)
	}
}

func TestPINStatus(t *testing.T) {
	for profile, want := range map[string]struct {
		tries any
		code  int
	}{
		"citizen-1.8": {3.0, exitOK}, "one-try-left-1.8": {1.0, exitOK}, "one-try-left-1.7": {1.0, exitOK},
		"blocked-1.8": {0.0, exitPIN}, "blocked-1.7": {0.0, exitPIN}, "citizen-1.1": {nil, exitOK},
	} {
		code, out, errs := eid(t, "pin", "status", "--json", "--reader", testcardPrefix+profile)
		wantCode(t, want.code, code, out, errs)
		validate(t, "pin-status.json", out)
		if got := decode(t, out)["triesLeft"]; got != want.tries {
			t.Errorf("%s: %v tries, want %v", profile, got, want.tries)
		}
	}
}

// TestAutoPINIsForTestCards: no flag makes a real reader's card get a PIN by itself.
func TestAutoPINIsForTestCards(t *testing.T) {
	a := &app{}
	if _, err := a.newDialog(dialogFlags{autoPIN: true}, &session{}, nil); err == nil {
		t.Error("--auto-pin was accepted for a card in a real reader")
	}
}
