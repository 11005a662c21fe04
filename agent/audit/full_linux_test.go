package audit

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const fullVar = "EIDKIT_TEST_AUDIT_FULL"

// TestFullDisk: when nothing more can be written no operation begins and no answer
// leaves; when there is room again the log goes on, and nothing is missing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(fullVar); dir != "" {
		full(t, dir)
		return
	}
	dir := filepath.Join(t.TempDir(), "audit")
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v") // a limit holds for a whole process
	cmd.Env = append(os.Environ(), fullVar+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "refused while full") {
		t.Fatalf("%v\n%s", err, out)
	}
	r := sound(t, dir)
	if r.Torn != 0 || r.Unconfirmed != 0 {
		t.Errorf("%+v", r)
	}
}

func full(t *testing.T, dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	l, err := Open(Options{Dir: dir})
	must(t, err)
	var was syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	open := e(t, l)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 3000, Max: was.Max}))
	begun := 0
	for ; ; begun++ {
		x, err := l.Intent(Event{Operation: "identity", Purpose: strings.Repeat("p", 300)})
		if err != nil {
			break
		}
		if begun > 100 {
			t.Fatal("the disk does not fill up")
		}
		open = append(open, x)
	}
	// A short line may still fit where a long one did not.
	waiting := open
	for len(waiting) > 0 {
		if err := waiting[0].Result(Outcome{Digest: strings.Repeat("ab", 60)}); err != nil {
			break
		}
		waiting = waiting[1:]
	}
	if len(waiting) == 0 {
		t.Fatal("all answers left though the disk is full")
	}
	for range 3 {
		if _, err := l.Intent(Event{Operation: "identity", Purpose: strings.Repeat("p", 300)}); err == nil {
			t.Fatal("an operation begins")
		}
	}
	fmt.Println("refused while full")
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was))
	for _, x := range waiting {
		must(t, x.Result(Outcome{}))
	}
	must(t, l.Close())
	lines, err := Read(dir, Filter{Limit: -1})
	must(t, err)
	results := 0
	for _, line := range lines {
		if line.Event == EventResult {
			results++
		}
	}
	if results != len(open) {
		t.Errorf("%d results of %d", results, len(open))
	}
}

func e(t *testing.T, l *Log) []*Entry {
	x, err := l.Intent(Event{Operation: "identity"})
	must(t, err)
	return []*Entry{x}
}
