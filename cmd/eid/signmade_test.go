//go:build unix

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// again is what a batch says of a file whose output is there.
func (b *bench) again(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	code, out, errs := b.sign(t, args...)
	wantCode(t, want, code, out, errs)
	return out, errs
}

// TestSignBatchAgain: a batch passes over what was made from the file as it is now, in every form, and over nothing else.
func TestSignBatchAgain(t *testing.T) {
	b := newBench(t)
	write(t, "c.xml", "<c/>")
	write(t, "d.pdf", onePage("d"))
	for _, form := range []string{"", "--format asice", "--format asice --cms", "--format cades", "--detached", "--detached --format xades", "--format xades --packaging enveloping"} {
		t.Run(form, func(t *testing.T) {
			dir := t.TempDir()
			args := append([]string{"decl.xml", "c.xml", "report.pdf", "d.pdf", "a.txt", "--container=false", "--out", dir}, strings.Fields(form)...)
			out := b.mustSign(t, args...)
			if !strings.Contains(out, "\n5 done\n") {
				t.Errorf("%s", out)
			}
			if out = b.mustSign(t, args...); !strings.HasSuffix(out, "\n5 there already\n") {
				t.Errorf("again: %s", out)
			}
			texts := map[string]string{}
			for _, file := range []string{"decl.xml", "c.xml", "report.pdf", "d.pdf", "a.txt"} {
				texts[file] = read(t, file)
				write(t, file, strings.NewReplacer("yes", "no!", "<c/>", "<d/>", "bicycle", "tricycl", "(d)", "(e)", "that", "This").Replace(texts[file]))
				if read(t, file) == texts[file] {
					t.Fatal(file)
				}
			}
			if out, errs := b.again(t, exitUsage, args...); !strings.Contains(out, "\n5 failed\n") || !strings.Contains(out, "was not made from c.xml as it is now") || !strings.Contains(errs, "--force") {
				t.Errorf("of other files: %s%s", out, errs)
			}
			for file, text := range texts {
				write(t, file, text)
			}
		})
	}
	write(t, "report-signed.pdf", "junk")
	out, errs := b.again(t, exitUsage, "report.pdf", "d.pdf")
	if !strings.Contains(out, "✗ report.pdf: report-signed.pdf is there already, and it was not made from report.pdf") || !strings.Contains(out, "✓ d.pdf") || !strings.Contains(errs, "--force") {
		t.Errorf("%s%s", out, errs)
	}
	if read(t, "report-signed.pdf") != "junk" {
		t.Error("it was replaced")
	}
	b.mustSign(t, "report.pdf", "d.pdf", "--force")
	b.valid(t, "report-signed.pdf")
}

// TestMadeAgain: the same of signatures that are added, raised or countersigned, and of time stamps.
func TestMadeAgain(t *testing.T) {
	b := newBench(t)
	b.mustSign(t, "report.pdf", "decl.xml", "a.txt")
	b.mustSign(t, "a.txt", "b.csv", "--format", "cades")
	for _, args := range []string{"a.asice a.txt.p7m --add", "a.txt.p7m b.csv.p7m --countersign signer-1",
		"report-signed.pdf decl-signed.xml a.asice a.txt.p7m --augment --level t --tsa " + tsaURL} {
		b.mustSign(t, strings.Fields(args)...)
		if out := b.mustSign(t, strings.Fields(args)...); !strings.HasSuffix(out, " there already\n") || strings.Contains(out, "done") {
			t.Errorf("%s: %s", args, out)
		}
		write(t, "kept", read(t, "a.txt.p7m"))
		b.mustSign(t, "a.txt", "--format", "cades", "--force", "--signing-time", "2026-11-20T14:00:00Z")
		if out, _ := b.again(t, exitUsage, strings.Fields(args)...); !strings.Contains(out, "✗ a.txt.p7m: ") || !strings.Contains(out, "1 failed") {
			t.Errorf("%s, of another file: %s", args, out)
		}
		write(t, "a.txt.p7m", read(t, "kept"))
	}
	stamp := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := eid(t, append([]string{"timestamp", "--tsa", tsaURL, "--trust", b.roots}, args...)...)
		wantCode(t, want, code, out, errs)
		return out
	}
	write(t, "d.pdf", onePage("d"))
	for _, args := range [][]string{{"a.txt", "d.pdf"}, {"report.pdf", "d.pdf", "--format", "pades"}} {
		stamp(exitOK, args...)
		if out := stamp(exitOK, args...); !strings.HasSuffix(out, "\n2 there already\n") {
			t.Errorf("%s", out)
		}
		write(t, "d.pdf", onePage(strings.Join(args, "")))
		if out := stamp(exitUsage, args...); !strings.Contains(out, "✗ d.pdf: ") {
			t.Errorf("%s", out)
		}
	}
}

// TestSignOthersOutput: in a folder, a file that is only named like an output is neither passed over nor replaced; named by itself it is signed.
func TestSignOthersOutput(t *testing.T) {
	b := newBench(t)
	if err := os.Mkdir("in", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "in/lease.pdf", onePage("ours"))
	b.mustSign(t, "report.pdf", "--out", "in/lease-signed.pdf") // what the other party sent
	b.mustSign(t, "report.pdf", "--out", "in/deed-signed.pdf")
	theirs := read(t, "in/lease-signed.pdf")
	for _, force := range []string{"--force=false", "--force"} {
		out, errs := b.again(t, exitUsage, "--recursive", "in", force)
		if !strings.Contains(out, "✗ in/lease-signed.pdf: ") || !strings.Contains(out, "✗ in/deed-signed.pdf: ") || !strings.Contains(out, "✗ in/lease.pdf: ") || !strings.Contains(errs, "eid: hint: ") {
			t.Errorf("%s: %s%s", force, out, errs)
		}
	}
	if read(t, "in/lease-signed.pdf") != theirs {
		t.Error("it was replaced")
	}
	b.mustSign(t, "in/lease-signed.pdf", "in/deed-signed.pdf")
	b.valid(t, "in/lease-signed-signed.pdf", "2.")
}

// TestSignOverInput: what is read is never replaced, by whatever name.
func TestSignOverInput(t *testing.T) {
	b := newBench(t)
	b.mustSign(t, "a.txt", "--detached")
	if err := os.Symlink("report.pdf", "link.pdf"); err != nil {
		t.Fatal(err)
	}
	if err := os.Link("report.pdf", "hard.pdf"); err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	list := append(files(t), "a.txt", "b.csv", "report.pdf")
	for _, f := range list {
		before[f] = read(t, f)
	}
	for _, args := range []string{"report.pdf --out report.pdf", "report.pdf --out link.pdf", "report.pdf --out hard.pdf", "link.pdf --out ./report.pdf", "a.txt b.csv --out b.csv",
		"a.txt.p7s --add --content a.txt --out a.txt", "report.pdf --preview report.pdf"} {
		code, out, errs := b.sign(t, append(strings.Fields(args), "--force")...)
		if code != exitUsage || !strings.Contains(errs, "replace") {
			t.Errorf("%s: %d %s%s", args, code, out, errs)
		}
	}
	for _, f := range list {
		if read(t, f) != before[f] {
			t.Errorf("%s was changed", f)
		}
	}
	if now := append(files(t), "a.txt", "b.csv", "report.pdf"); !slices.Equal(now, list) {
		t.Errorf("%q", now)
	}
}
