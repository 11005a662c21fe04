package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newLog opens a log in a folder of its own.
func newLog(t testing.TB, change func(*Options)) (*Log, Options) {
	t.Helper()
	o := Options{Dir: filepath.Join(t.TempDir(), "audit"), Host: "counter-3", User: "an"}
	if change != nil {
		change(&o)
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, o
}

// note writes an operation with its result.
func note(t testing.TB, l *Log, n int) *Entry {
	t.Helper()
	e, err := l.Intent(Event{Session: "s1", Client: "https://clinic.example", Operation: "identity", Fields: []string{"surname"}, Purpose: fmt.Sprintf("Visit %d", n), By: "grant", Rule: "g-1", Reader: "R", Method: "identity.read"})
	if err == nil {
		err = e.Result(Outcome{NISS: "85073003328", CardKind: "eid", Mode: "chip"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// made is a closed log of some operations.
func made(t testing.TB, n int, change func(*Options)) Options {
	t.Helper()
	l, o := newLog(t, change)
	for i := range n {
		note(t, l, i)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

func sound(t testing.TB, dir string) *Report {
	t.Helper()
	r, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Fault != nil {
		t.Fatalf("%+v", *r.Fault)
	}
	return r
}

// first is the first file's lines, each with its line feed.
func fileLines(t testing.TB, dir string, number int) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, fileName(number)))
	if err != nil {
		t.Fatal(err)
	}
	all := bytes.SplitAfter(b, []byte("\n"))
	return all[:len(all)-1]
}

func putLines(t testing.TB, dir string, number int, lines [][]byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, fileName(number)), bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyDir makes a second log of the same content.
func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func all(t testing.TB, dir string) string {
	t.Helper()
	var text strings.Builder
	numbers, err := fileNumbers(dir)
	must(t, err)
	for _, n := range numbers {
		text.Write(bytes.Join(fileLines(t, dir, n), nil))
	}
	return text.String()
}
