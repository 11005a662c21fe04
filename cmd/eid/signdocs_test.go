//go:build unix

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/network"
)

// printedTime is a time in what is printed: in the documentation it is always the same.
var printedTime = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)

// TestSignDocs: what docs/signing.md shows is what is printed.
func TestSignDocs(t *testing.T) {
	b := newBench(t)
	b.configure(t, fmt.Sprintf("[sign]\ntsa = [%q]\n", strings.Replace(tsaURL, "rsa", "ec", 1)))
	write(t, "letter.txt", "x")
	write(t, "broken.pdf", "no PDF")
	var want strings.Builder
	show := func(line string) {
		args := append(b.card("citizen-1.8"), strings.Fields(line)[1:]...)
		if strings.HasPrefix(line, "timestamp") {
			args = append([]string{"timestamp", "--trust", b.roots}, strings.Fields(line)[1:]...)
		}
		_, out, errs := eid(t, args...)
		fmt.Fprintf(&want, "    $ eid %s\n", line)
		for _, l := range strings.Split(strings.TrimRight(out+errs, "\n"), "\n") {
			want.WriteString(strings.TrimRight("    "+printedTime.ReplaceAllString(l, "2026-11-22 10:15:00 UTC"), " ") + "\n")
		}
		want.WriteString("\n")
	}
	show("sign report.pdf --visible --reason Approved")
	show("sign letter.txt --detached --level lt")
	show("sign --augment --level lta report-signed.pdf")
	show("sign letter.txt decl.xml broken.pdf --lang nl")
	show("timestamp letter.txt")
	if err := b.net.Set(network.TSA, network.Status(503)); err != nil {
		t.Fatal(err)
	}
	show("sign letter.txt --format cades --level t")
	doc := filepath.Join(b.home, "..", "..", "docs", "signing.md")
	_, rest, _ := strings.Cut(read(t, doc), "<!-- printed -->\n")
	if got, _, _ := strings.Cut(rest, "<!-- /printed -->\n"); strings.TrimSpace(got) != strings.TrimSpace(want.String()) {
		t.Errorf("between the marks \"printed\" %s must have:\n%s", doc, want.String())
	}
}
