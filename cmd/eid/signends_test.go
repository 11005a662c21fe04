//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/network"
)

// stopped is a run over files, with what it prints.
func stopped(mode signMode, paths ...string) (r *signRun, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	p := &signPlan{mode: mode}
	for _, path := range paths {
		p.tasks = append(p.tasks, &signTask{inputs: []*inputFile{{path: path}}, format: sign.FormatPAdES, out: path + "-signed"})
	}
	return &signRun{app: &app{streams: streams{strings.NewReader(""), out, errs}, lang: "en"}, plan: p}, out, errs
}

// TestBatchInterrupted: a batch that did not do all is no success, whatever came of the files that it did.
func TestBatchInterrupted(t *testing.T) {
	done, over := &sign.Report{Format: sign.FormatPAdES}, context.Canceled
	for _, test := range []struct {
		name     string
		outcomes []signOutcome
		code     verdict
		said     string
	}{
		{"between two files", []signOutcome{{report: done}, {skipped: true, err: over}}, exitFailure, "eid: interrupted\n"},
		{"no reason", []signOutcome{{report: done}, {skipped: true}}, exitFailure, "eid: interrupted\n"},
		{"after a failed service", []signOutcome{{err: sign.ErrTimestamp}, {skipped: true, err: over}}, exitFailure, "eid: interrupted\n"},
		{"after a failed service that ended it", []signOutcome{{err: sign.ErrTimestamp}, {skipped: true, err: sign.ErrTimestamp}}, exitUnavailable, "1 of 2 files"},
		{"PIN", []signOutcome{{err: errors.Join(card.ErrPINCancelled, over)}, {skipped: true, err: over}}, exitPIN, ""},
	} {
		r, out, errs := stopped(modeSign, "a.pdf", "b.pdf")
		for i := range test.outcomes {
			test.outcomes[i].task = r.plan.tasks[i]
		}
		if err := r.finish(test.outcomes); err != test.code || !strings.Contains(errs.String(), test.said) || !strings.Contains(out.String(), "1 not tried") {
			t.Errorf("%s: %v\n%s%s", test.name, err, out, errs)
		}
	}
	// The other modes too, and they say why.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, out, errs := stopped(modeAugment, "a.pdf", "b.pdf")
	if err := r.all(ctx); err != verdict(exitFailure) || errs.String() != "eid: interrupted\n" || !strings.Contains(out.String(), "2 not tried") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
	r.work(ctx, []int{0}, func(_ int, o sign.Outcome) {
		if !o.Skipped || !errors.Is(o.Err, context.Canceled) {
			t.Errorf("%+v", o)
		}
	})
}

// untilThere is a context that ends when a file has its name.
type untilThere struct {
	context.Context
	path string
}

func (c untilThere) Err() error {
	if _, err := os.Stat(c.path); err == nil {
		return context.Canceled
	}
	return c.Context.Err()
}

// TestInterruptedAfterCommit: a file that has its name is told of, also when Ctrl-C comes at that moment.
func TestInterruptedAfterCommit(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		args, out string
		code      int
		said      string
	}{
		{"a.txt", "a.asice", exitOK, "a.asice: SIGNED"},
		{"decl.xml report.pdf", "decl-signed.xml", exitFailure, "✓ decl.xml → decl-signed.xml"},
	} {
		var out, errs bytes.Buffer
		ctx := untilThere{t.Context(), test.out}
		code := run(ctx, append(b.card("citizen-1.8"), append(strings.Fields(test.args), "--offline")...), streams{strings.NewReader(""), &out, &errs})
		if code != test.code || !strings.Contains(out.String(), test.said) || ctx.Err() == nil || strings.Contains(errs.String(), "interrupted") != (code != exitOK) {
			t.Errorf("%s: %d %s%s", test.args, code, out.String(), errs.String())
		}
	}
	if got := files(t); !slices.Equal(got, []string{"a.asice", "decl-signed.xml"}) {
		t.Errorf("%q", got)
	}
}

// TestBatchWithoutStamps: when no authority answers, no further PIN is asked, unless the user wants to go on.
func TestBatchWithoutStamps(t *testing.T) {
	b := newBench(t)
	if err := b.net.Set(network.TSA, network.Down); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		more  []string
		asked int
		said  string
	}{
		{nil, 1, "\n1 failed, 2 not tried\n"},
		{[]string{"--keep-going"}, 3, "\n3 failed\n"},
	} {
		program, log := fakePinentry(t, true, testcards.PIN, testcards.PIN, testcards.PIN)
		args := append([]string{"sign", "--reader", testcardPrefix + "citizen-1.8", "--pinentry", program, "--trust", b.roots, "a.txt", "decl.xml", "report.pdf",
			"--level", "t", "--tsa", tsaURL}, test.more...)
		code, out, errs := eid(t, args...)
		if n := strings.Count(read(t, log), "GETPIN"); code != exitUnavailable || n != test.asked || !strings.HasSuffix(out, test.said) || !strings.Contains(errs, tsaURL) {
			t.Errorf("%q: %d, asked %d times, %s%s", test.more, code, n, out, errs)
		}
		nothingWritten(t)
	}
	code, out, _ := eid(t, "timestamp", "--tsa", tsaURL, "--trust", b.roots, "a.txt", "b.csv")
	if code != exitUnavailable || !strings.HasSuffix(out, "\n1 failed, 1 not tried\n") {
		t.Errorf("%d %s", code, out)
	}
}

// TestSecretsOfAuthorities: what an address holds of secrets is printed nowhere.
func TestSecretsOfAuthorities(t *testing.T) {
	b := newBench(t)
	out := b.mustSign(t, "a.txt", "--level", "t", "--tsa", tsaURL+"?apikey=hunter2", "--json")
	if d := decode(t, out); d["timestamp"].(map[string]any)["tsa"] != tsaURL+"?..." {
		t.Errorf("%s", out)
	}
	b.mustSign(t, "a.txt", "--level", "t", "--tsa", strings.Replace(tsaURL, "http", "HTTP", 1), "--force")
	if err := b.net.Set(network.TSA, network.Down); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"HTTPS://me:hunter2@tsa.example/", "me:hunter2@tsa.example", "http://hunter2%zz/", "http:///hunter2", tsaURL + "?apikey=hunter2", "http://me:hunter2@[/", "ftp://hunter2/"} {
		for _, json := range []string{"--json=false", "--json"} {
			code, out, errs := b.sign(t, "b.csv", "--level", "t", "--tsa", address, json)
			if code == exitOK || strings.Contains(out+errs, "hunter2") {
				t.Errorf("%s: %d %s%s", address, code, out, errs)
			}
		}
		if c := (&app{config: config{Sign: signConfig{TSA: []string{address}}}}).checkStamps(); strings.Contains(c.Detail+c.Hint, "hunter2") {
			t.Errorf("%s: %+v", address, c)
		}
	}
}

// TestMode: a container may be read by those who may read everything in it.
func TestMode(t *testing.T) {
	b := newBench(t)
	write(t, "secret.txt", "hunter2")
	for path, mode := range map[string]os.FileMode{"secret.txt": 0o600, "b.csv": 0o750, "decl.xml": 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for out, test := range map[string]struct {
		args string
		mode os.FileMode
	}{
		"three.asice": {"a.txt b.csv secret.txt", 0o600},
		"two.asice":   {"a.txt b.csv", 0o640},
		"two.xml":     {"a.txt secret.txt --container --format xades --packaging enveloping", 0o600},
	} {
		b.mustSign(t, append(strings.Fields(test.args), "--out", out)...)
		if info, err := os.Stat(out); err != nil || info.Mode() != test.mode {
			t.Errorf("%s: %v, %v", out, info.Mode(), err)
		}
	}
}

// TestNoFoldersLeft: what was made for a file that did not come is taken away, and nothing else.
func TestNoFoldersLeft(t *testing.T) {
	b := newBench(t)
	if err := os.Mkdir("there", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "bad.pdf", "no PDF")
	for _, out := range []string{"new/a/x.pdf", "there/a/x.pdf", "there/x.pdf"} {
		if code, _, errs := b.sign(t, "bad.pdf", "--out", out); code != exitFailure {
			t.Errorf("%s: %d %s", out, code, errs)
		}
	}
	if list, err := os.ReadDir("there"); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := os.Stat("new"); err == nil {
		t.Error("a folder was left")
	}
	b.again(t, exitFailure, "bad.pdf", "report.pdf", "--out", "new/b")
	b.valid(t, "new/b/report-signed.pdf")
}

// TestSignLinkedFolder: a folder that a link names is walked, and an --out below it is not, by whatever name.
func TestSignLinkedFolder(t *testing.T) {
	b := newBench(t)
	if err := os.MkdirAll("real/out", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "real/a.txt", "a")
	write(t, "real/a.csv", "a")
	write(t, "real/out/b.txt", "b")
	for link, target := range map[string]string{"link": "real", "gone": "nowhere", "elsewhere": "real/out", "real/more": "out"} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	out := b.mustSign(t, "--recursive", "link", "--out", "elsewhere")
	if !strings.Contains(out, "✓ link/a.txt → elsewhere/a.txt.asice") || !strings.Contains(out, "✓ link/a.csv") || strings.Contains(out, "b.txt") {
		t.Errorf("%s", out)
	}
	b.valid(t, "real/out/a.txt.asice")
	if code, _, errs := b.sign(t, "--recursive", "gone"); code != exitFailure {
		t.Errorf("%d %s", code, errs)
	}
}

// TestAugmentNothing: what has the level is not called raised.
func TestAugmentNothing(t *testing.T) {
	b := newBench(t)
	b.mustSign(t, "report.pdf", "--level", "lta", "--tsa", tsaURL)
	args := []string{"sign", "--augment", "--level", "lt", "--tsa", tsaURL, "--trust", b.roots, "report-signed.pdf"}
	code, out, errs := eid(t, args...)
	wantCode(t, exitOK, code, out, errs)
	if !strings.Contains(out, "UNCHANGED (PAdES-B-LTA)") || read(t, "report-signed-lt.pdf") != read(t, "report-signed.pdf") {
		t.Errorf("%s", out)
	}
	code, out, errs = eid(t, append(args, "--json", "--force")...)
	wantCode(t, exitOK, code, out, errs)
	validate(t, "sign.json", out)
	if d := decode(t, out); d["level"] != "B-LTA" || d["timestamp"] != nil {
		t.Errorf("%s", out)
	}
}
