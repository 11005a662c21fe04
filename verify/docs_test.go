package verify_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/validation"
	"github.com/eidkit/eidkit/verify"
)

var update = flag.Bool("update", false, "write the tables into docs/verifying.md")

// between compares what stands in docs/verifying.md between the marks of a
// table with what it must be, or writes it with -update.
func between(t *testing.T, mark, want string) {
	t.Helper()
	path := filepath.Join("..", "docs", "verifying.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->\n"
	head, rest, ok := strings.Cut(string(doc), begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q", path, begin)
	}
	if table == want {
		return
	}
	if !*update {
		t.Fatalf("the table %s of %s is out of date: go test ./verify -run %s -update\nwant:\n%s", mark, path, t.Name(), want)
	}
	if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDocsCodes: the codes, what follows from them and their sentences stand
// in docs/verifying.md as in the program.
func TestDocsCodes(t *testing.T) {
	var b strings.Builder
	b.WriteString("| code | level | verdict | sentence |\n|---|---|---|---|\n")
	for _, code := range validation.Codes() {
		row := validation.Lookup(code)
		level := string(row.Level)
		if row.Fixed {
			level = "always"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s/%s | %s |\n", code, level, strings.TrimPrefix(string(row.Verdict.Indication), "TOTAL-"), row.Verdict.SubIndication, row.Text[0])
	}
	between(t, "codes", b.String())
}

// TestDocsExpected: so does what the program says of the files of others.
func TestDocsExpected(t *testing.T) {
	var b strings.Builder
	b.WriteString("| file | expected | `eid verify` says | authentic |\n|---|---|---|---|\n")
	for _, e := range expectations(t) {
		data := sharedSignature(t, e.file)
		o := e.options(t, data)
		rep, err := verify.File(context.Background(), bytes.NewReader(data), int64(len(data)), o)
		if err != nil {
			t.Fatal(err)
		}
		said, authentic := rep.Error, "-"
		if said == "" {
			said = strings.TrimSuffix(string(rep.Indication)+"/"+rep.SubIndication, "/")
			authentic = "yes"
			for _, s := range rep.Signatures {
				if !s.CryptographicallyValid {
					authentic = "no"
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", e.file, e.expected, said, authentic)
	}
	between(t, "files", b.String())
}

// options are those under which a row holds: nobody trusted and no network,
// unless the row is pinned.
func (e expectation) options(t *testing.T, data []byte) verify.Options {
	t.Helper()
	o := verify.Options{Offline: true, Anchors: &verify.Anchors{}, Name: randomName(t)}
	if p, ok := pinned[e.file]; ok {
		o.At, _ = time.Parse(time.RFC3339, p.at)
		o.Anchors.Add(rootIn(t, data, p.root))
	}
	for _, d := range e.detached {
		b := sharedSignature(t, d)
		o.Detached = append(o.Detached, verify.Content{Name: filepath.Base(d), Data: bytes.NewReader(b), Size: int64(len(b))})
	}
	return o
}
