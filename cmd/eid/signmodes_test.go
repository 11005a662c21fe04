//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/network"
)

// TestSignBatch: each file its own signature; a bad one does not stop the others; what was signed is not signed again.
func TestSignBatch(t *testing.T) {
	b := newBench(t)
	for _, dir := range []string{"in/below", "in/.hidden"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, "in/a.txt", "a")
	write(t, "in/a.csv", "a")
	write(t, "in/below/r.pdf", onePage("r"))
	write(t, "in/bad.pdf", "no PDF")
	write(t, "in/.hidden/x.txt", "x")
	write(t, "in/old.p7m", "x")
	if err := os.Symlink("a.txt", "in/link.txt"); err != nil {
		t.Fatal(err)
	}
	code, out, errs := b.sign(t, "--recursive", "in", "--out", "out")
	if code != exitFailure || !strings.Contains(errs, "eid: error: 1 of 4 files") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"✓ in/a.txt → out/a.txt.asice (ASiC-E, B-B)\n", "✓ in/a.csv → out/a.csv.asice", "✓ in/below/r.pdf → out/below/r-signed.pdf (PAdES-B-B)", "✗ in/bad.pdf: ", "3 done, 1 failed\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, file := range []string{"out/a.txt.asice", "out/a.csv.asice", "out/below/r-signed.pdf"} {
		b.valid(t, file)
	}
	if err := os.Remove("in/bad.pdf"); err != nil {
		t.Fatal(err)
	}
	out = b.mustSign(t, "--recursive", "in", "--out", "out")
	if !strings.Contains(out, "– in/a.txt: there already: out/a.txt.asice\n") || !strings.HasSuffix(out, "\n3 there already\n") {
		t.Errorf("again:\n%s", out)
	}
	b.mustSign(t, "--recursive", "in")
	out = b.mustSign(t, "--recursive", "in", "--out", "second", "--format", "cades")
	if !strings.Contains(out, "in/below/r-signed.pdf: signed before") {
		t.Errorf("what was signed in place:\n%s", out)
	}
	list, err := filepath.Glob("in/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	out = b.mustSign(t, append(list, "in/*.csv", "--json", "--format", "cades", "--detached")...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range lines {
		validate(t, "sign.json", l)
	}
	if len(lines) != 3 || decode(t, lines[2])["output"] != "in/a.csv.p7s" {
		t.Errorf("%s", out)
	}
}

// TestSignBatchEnds: when the holder cancels, the files after that are not tried.
func TestSignBatchEnds(t *testing.T) {
	b := newBench(t)
	program, log := fakePinentry(t, true, testcards.PIN, "cancel")
	args := []string{"sign", "--reader", testcardPrefix + "citizen-1.8", "--pinentry", program, "--trust", b.roots, "--lang", "nl"}
	code, out, errs := eid(t, append(args, "a.txt", "decl.xml", "report.pdf")...)
	if code != exitPIN || !strings.Contains(out, "✓ a.txt") || !strings.Contains(out, "✗ decl.xml: ") || !strings.Contains(out, "– report.pdf: niet geprobeerd") ||
		!strings.Contains(out, "1 klaar, 1 mislukt, 1 niet geprobeerd") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if told := read(t, log); !strings.Contains(told, "Handtekening: a.txt (1 van 3)") || !strings.Contains(told, "Handtekening: decl.xml (2 van 3)") || strings.Contains(told, "report.pdf") {
		t.Errorf("%s", told)
	}
	if got := files(t); !slices.Equal(got, []string{"a.asice"}) {
		t.Errorf("files %q", got)
	}
	program, _ = fakePinentry(t, true, "cancel")
	code, out, _ = eid(t, append(args, "decl.xml", "report.pdf", "--json", "--pinentry", program)...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range lines {
		validate(t, "sign.json", l)
	}
	if len(lines) != 2 || code != exitPIN || decode(t, lines[0])["error"].(map[string]any)["exitCode"] != 4.0 || decode(t, lines[1])["status"] != "notTried" {
		t.Errorf("%d %s", code, out)
	}
}

// TestSignCompletion: the shell is offered what flags take.
func TestSignCompletion(t *testing.T) {
	_, out, _ := eid(t, "__complete", "sign", "--level", "")
	if !strings.HasPrefix(out, "b\nt\nlt\nlta\n") {
		t.Errorf("%s", out)
	}
}

// TestSignJSON: one object, as the schema has it.
func TestSignJSON(t *testing.T) {
	b := newBench(t)
	out := b.mustSign(t, "a.txt", "b.csv", "--level", "lt", "--tsa", tsaURL, "--json")
	validate(t, "sign.json", out)
	d := decode(t, out)
	if d["status"] != "done" || d["level"] != "B-LT" || d["output"] != "a.asice" || len(d["files"].([]any)) != 2 || d["timestamp"].(map[string]any)["tsa"] != tsaURL {
		t.Errorf("%s", out)
	}
	if info, err := os.Stat("a.asice"); err != nil || float64(info.Size()) != d["bytes"] {
		t.Errorf("%v bytes, %v", d["bytes"], err)
	}
	code, out, errs := b.sign(t, "report.pdf", "--level", "t", "--tsa", "http://127.0.0.1:24380/nobody", "--json")
	wantCode(t, exitUnavailable, code, out, errs)
	validate(t, "sign.json", out)
}

// TestAugment raises signatures step by step, without a key; detached ones want their content.
func TestAugment(t *testing.T) {
	b := newBench(t)
	b.mustSign(t, "a.txt", "decl.xml", "report.pdf")
	b.mustSign(t, "a.txt", "--detached")
	raise := func(want int, args ...string) (string, string) {
		t.Helper()
		code, out, errs := eid(t, append([]string{"sign", "--augment", "--tsa", tsaURL, "--trust", b.roots, "--reader", "no reader is needed"}, args...)...)
		wantCode(t, want, code, out, errs)
		return out, errs
	}
	raise(exitOK, "--level", "t", "a.asice", "decl-signed.xml", "report-signed.pdf")
	for file, kind := range map[string]string{"a-t.asice": "XAdES-B-T", "decl-signed-t.xml": "XAdES-B-T", "report-signed-t.pdf": "PAdES"} {
		b.valid(t, file, kind)
	}
	raise(exitOK, "--level", "lta", "a-t.asice", "decl-signed-t.xml", "report-signed-t.pdf", "--out", "kept")
	for _, file := range []string{"kept/a-t-lta.asice", "kept/decl-signed-t-lta.xml", "kept/report-signed-t-lta.pdf"} {
		b.valid(t, file, "-LTA")
	}
	if _, errs := raise(exitFailure, "--level", "lta", "a.txt.p7s"); !strings.Contains(errs, "--content FILE") {
		t.Errorf("%s", errs)
	}
	raise(exitOK, "--level", "lta", "a.txt.p7s", "--content", "a.txt")
	b.valid(t, "a.txt-lta.p7s", "CAdES-B-LTA")
	raise(exitFailure, "--level", "t", "a.txt")
	if _, errs := raise(exitFailure, "--level", "lta", "report-signed.pdf", "--id", "Signature9"); !strings.Contains(errs, "Signature9") {
		t.Errorf("%s", errs)
	}
}

// TestAddAndCountersign put signatures beside and over those that are there.
func TestAddAndCountersign(t *testing.T) {
	b := newBench(t)
	b.mustSign(t, "a.txt", "b.csv")
	b.mustSign(t, "a.asice", "--add", "--level", "t", "--tsa", tsaURL)
	b.valid(t, "a-signed.asice", "XAdES-B-B", "XAdES-B-T")
	b.mustSign(t, "a.txt", "--format", "cades")
	b.mustSign(t, "a.txt.p7m", "--add")
	b.valid(t, "a.txt-signed.p7m", "signer-1", "signer-2")
	b.mustSign(t, "a.txt", "--detached")
	b.mustSign(t, "a.txt.p7s", "--add", "--content", "a.txt")
	b.valid(t, "a.txt-signed.p7s", "signer-2")
	out := b.mustSign(t, "a.txt.p7m", "--countersign", "signer-1")
	if !strings.HasPrefix(out, "a.txt-countersigned.p7m: COUNTERSIGNED (CAdES-B-B)") {
		t.Errorf("%s", out)
	}
	b.valid(t, "a.txt-countersigned.p7m", "counter-signature", "signer-1-counter-1")
	b.mustSign(t, "decl.xml")
	b.mustSign(t, "decl-signed.xml", "--add")
	b.valid(t, "decl-signed-signed.xml")
	var doc struct{ Signatures []struct{ ID string } }
	_, list, _ := eid(t, "verify", "--json", "--offline", "decl-signed.xml")
	if err := json.Unmarshal([]byte(list), &doc); err != nil {
		t.Fatal(err)
	}
	b.mustSign(t, "decl-signed.xml", "--countersign", doc.Signatures[0].ID, "--level", "t", "--tsa", tsaURL)
	b.valid(t, "decl-signed-countersigned.xml", "counter-signature", "XAdES-B-T")
	if code, out, errs := b.sign(t, "a.txt.p7m", "--countersign", "nobody", "--out", "x"); code == exitOK || !strings.Contains(errs, "nobody") {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

// TestXAdESOverSeveral: one signature over files beside it, and over an element.
func TestXAdESOverSeveral(t *testing.T) {
	b := newBench(t)
	b.mustSign(t, "a.txt", "b.csv", "--format", "xades", "--detached", "--container", "--out", "both.xml")
	code, out, errs := eid(t, "verify", "--only-trust", "--trust", b.roots, "both.xml", "--content", "a.txt", "--content", "b.csv")
	if code != exitOK || !strings.Contains(out, "a.txt, b.csv") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	b.mustSign(t, "decl.xml", "--alone")
	b.valid(t, "decl-signed.xml", "(XAdES-B-B)")
	if got := read(t, "decl-signed.xml"); !strings.Contains(got, "#enveloped-signature") || strings.Contains(got, "xmldsig-filter2") {
		t.Errorf("%s", got)
	}
	write(t, "parts.xml", `<d><p xml:id="one">1</p><q xml:id="two">2</q></d>`)
	b.mustSign(t, "parts.xml", "--reference", "#one", "--parent", "two")
	if got := read(t, "parts-signed.xml"); !strings.Contains(got, `URI="#one"`) || !strings.Contains(got, `<q xml:id="two">2<`) || strings.Contains(got, `2</q>`) {
		t.Errorf("%s", got)
	}
}

// TestPreview draws the page; the card is asked for nothing but certificate and photo.
func TestPreview(t *testing.T) {
	b := newBench(t)
	tool(t, "pdftoppm")
	program, log := fakePinentry(t, true, testcards.PIN)
	args := []string{"sign", "report.pdf", "--preview", "page.png", "--photo", "--rect", "60,500,330,600", "--reader", testcardPrefix + "citizen-1.8", "--trace",
		"--pinentry", program, "--trust", b.roots}
	code, out, errs := eid(t, args...)
	wantCode(t, exitOK, code, out, errs)
	img, err := png.Decode(strings.NewReader(read(t, "page.png")))
	if err != nil {
		t.Fatal(err)
	}
	inked := 0
	scale := float64(img.Bounds().Dx()) / 595
	for x := int(60 * scale); x < int(330*scale); x++ { // the stamp's place, from the top
		for y := int((842 - 600) * scale); y < int((842-500)*scale); y++ {
			if r, g, bl, _ := img.At(x, y).RGBA(); r+g+bl < 3*0x8000 {
				inked++
			}
		}
	}
	if inked < 1000 {
		t.Errorf("%d dark points where the stamp goes", inked)
	}
	if _, err := os.Stat(log); err == nil || strings.Contains(errs, ">> 002A9E9A") || strings.Contains(errs, ">> 0020") {
		t.Errorf("a PIN or the key was used: %s", errs)
	}
	if got := files(t); !slices.Equal(got, []string{"page.png"}) {
		t.Errorf("files %q", got)
	}
	if code, _, errs := eid(t, args...); code != exitUsage || !strings.Contains(errs, "page.png is there already") {
		t.Errorf("again: %d %s", code, errs)
	}
	t.Setenv("PATH", t.TempDir())
	if code, _, errs := eid(t, append(args, "--force")...); code != exitFailure || !strings.Contains(errs, "pdftoppm is not installed") || !strings.Contains(errs, "poppler-utils") {
		t.Errorf("without the program: %d %s", code, errs)
	}
}

// TestTimestamp: tokens that openssl takes, and PDFs; nothing without an authority.
func TestTimestamp(t *testing.T) {
	b := newBench(t)
	args := []string{"timestamp", "--tsa", tsaURL, "--trust", b.roots}
	code, out, errs := eid(t, append(args, "a.txt")...)
	wantCode(t, exitOK, code, out, errs)
	if !strings.HasPrefix(out, "a.txt.tst: TIME STAMPED (RFC 3161)\n") || !strings.Contains(out, tsaURL) {
		t.Errorf("%s", out)
	}
	if said := outside(t, "openssl", "ts", "-verify", "-in", "a.txt.tst", "-token_in", "-data", "a.txt", "-CAfile", b.roots); !strings.Contains(said, "Verification: OK") {
		t.Errorf("openssl: %s", said)
	}
	code, out, errs = eid(t, append(args, "report.pdf", "--format", "PAdES", "--hash", "sha512")...)
	wantCode(t, exitOK, code, out, errs)
	b.valid(t, "report-stamped.pdf", "DocTimestamp")
	code, out, errs = eid(t, append(args, "b.csv", "decl.xml", "--out", "tokens", "--json")...)
	wantCode(t, exitOK, code, out, errs)
	for _, l := range strings.Split(strings.TrimSpace(out), "\n") {
		validate(t, "sign.json", l)
	}
	outside(t, "openssl", "ts", "-verify", "-in", "tokens/b.csv.tst", "-token_in", "-data", "b.csv", "-CAfile", b.roots)

	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"timestamp", "a.txt"}, exitUsage, "--tsa URL"},
		{append(args, "a.txt"), exitUsage, "there already"},
		{append(args, "a.txt", "--format", "cades"), exitUsage, "--format takes pades"},
		{append(args, "a.txt", "--hash", "md5"), exitUsage, "--hash"},
		{append(args, "absent"), exitFailure, "absent"},
		{append(args, "a.txt", "--format", "pades"), exitFailure, "PDF"},
		{append(args, "a.txt", "--out", "x", "--tsa-policy", "1.2.3.4"), exitUnavailable, tsaURL},
	} {
		if code, out, errs := eid(t, test.args...); code != test.code || out != "" || !strings.Contains(errs, test.want) {
			t.Errorf("%q: %d %s%s", test.args, code, out, errs)
		}
	}
	if err := b.net.Set(network.TSA, network.WrongImprint); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := eid(t, append(args, "a.txt", "--force")...); code != exitUnavailable || !strings.Contains(errs, tsaURL) || !bytes.Contains([]byte(read(t, "a.txt.tst")), []byte{0x30}) {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if slices.ContainsFunc(files(t), func(f string) bool { return strings.Contains(f, ".tmp-") || f == "x" }) {
		t.Errorf("left behind: %q", files(t))
	}
}

// TestStampsInDoctor: the doctor tells what is configured, and asks nobody.
func TestStampsInDoctor(t *testing.T) {
	for urls, want := range map[string]check{
		"":                             {Status: checkOK, Detail: "no authority is configured: signatures have level b unless --tsa names one"},
		"http://a.example/x https://b": {Status: checkOK, Detail: "authorities, in turn: a.example, b"},
		"ftp://a":                      {Status: checkFailed},
	} {
		got := (&app{config: config{Sign: signConfig{TSA: strings.Fields(urls)}}}).checkStamps()
		if got.Status != want.Status || want.Detail != "" && got.Detail != want.Detail || (got.Hint == "") != (want.Status == checkOK) {
			t.Errorf("%q: %+v", urls, got)
		}
	}
}

// TestNames: what files are called, by format and mode.
func TestNames(t *testing.T) {
	for _, test := range []struct {
		n      naming
		in     string
		format sign.Format
		want   string
	}{
		{naming{}, "report.pdf", sign.FormatPAdES, "report-signed.pdf"},
		{naming{}, "REPORT.PDF", sign.FormatPAdES, "REPORT-signed.PDF"},
		{naming{}, "decl.xml", sign.FormatXAdES, "decl-signed.xml"},
		{naming{packaging: sign.Enveloping}, "decl.xml", sign.FormatXAdES, "decl.xml.xades.xml"},
		{naming{}, "a.txt", sign.FormatXAdES, "a.txt.xades.xml"},
		{naming{}, "a.txt", sign.FormatCAdES, "a.txt.p7m"},
		{naming{packaging: sign.Detached}, "a.txt", sign.FormatCAdES, "a.txt.p7s"},
		{naming{}, "a.txt", sign.FormatASiCE, "a.asice"},
		{naming{}, "a", sign.FormatASiCE, "a.asice"},
		{naming{}, ".bashrc", sign.FormatASiCE, ".bashrc.asice"},
		{naming{add: true}, "a.asice", sign.FormatASiCE, "a-signed.asice"},
		{naming{mode: modeAugment, level: sign.LTA}, "a.p7m", sign.FormatCAdES, "a-lta.p7m"},
		{naming{mode: modeCountersign}, "a.p7m", sign.FormatCAdES, "a-countersigned.p7m"},
		{naming{mode: modeTimestamp}, "a.pdf", sign.FormatCAdES, "a.pdf.tst"},
		{naming{mode: modeTimestamp}, "a.pdf", sign.FormatPAdES, "a-stamped.pdf"},
	} {
		if got := test.n.file(test.in, test.format, false); got != test.want {
			t.Errorf("%s as %s: %s, want %s", test.in, test.format, got, test.want)
		}
	}
}

// TestSignWords: every word in four languages, with the same places for numbers.
func TestSignWords(t *testing.T) {
	for key, row := range signWords {
		for i, w := range row {
			if w == "" || strings.Count(w, "%") != strings.Count(row[0], "%") {
				t.Errorf("%s, language %d: %q", key, i, w)
			}
		}
	}
	for _, step := range []string{"hash", "key", "timestamp", "evidence", "write"} {
		if _, ok := signWords["step-"+step]; !ok {
			t.Errorf("no word for the step %s", step)
		}
	}
}

// TestFileChangedMeanwhile: what was signed would not be what is there.
func TestFileChangedMeanwhile(t *testing.T) {
	newBench(t)
	task := &signTask{inputs: []*inputFile{mustPick(t, "a.txt")}, out: "a.p7m"}
	out, err := task.create(false)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(out, "signature")
	write(t, "a.txt", "another text")
	if err := out.Commit(); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("%v", err)
	}
	nothingWritten(t)
}
