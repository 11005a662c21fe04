package sign_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// TestShapes: PDFs as their makers differ are signed, twice, and stay what
// they were: to our own verify, to pdfsig, to qpdf and to the eye.
func TestShapes(t *testing.T) {
	t.Parallel()
	holdAll(t, writtenShapes)
}

// hold signs a shape twice and has it judged.
func (s shape) hold(t *testing.T, w *workshop, archived bool) {
	t.Helper()
	plain := s.make(t, w)
	level := sign.B
	if archived {
		level = sign.LTA
	}
	file := plain
	before, out := qpdfCheck(t, inFile(t, "plain.pdf", plain))
	if (before > 0) != s.sloppy {
		t.Errorf("qpdf ends with %d before it was signed:\n%s", before, out)
	}
	for round, alg := range []pki.Algorithm{pki.RSA, pki.EC} {
		o := w.options(alg, level)
		once, _, err := signFile(context.Background(), sign.FormatPAdES, []sign.Source{source("plain.pdf", "application/pdf", file)}, w.software(alg, round), o)
		if err != nil {
			t.Fatalf("round %d: %v", round+1, err)
		}
		if !bytes.HasPrefix(once, file) {
			t.Fatalf("round %d: earlier bytes were changed", round+1)
		}
		file = once
		if err := complaint(w.judged(t, file, false), s.earlier+round+1); err != nil {
			t.Errorf("round %d: verify: %v", round+1, err)
		}
	}
	outside(t, file, before, level, s.earlier+2)
	if looks, again := seen(t, plain), seen(t, file); again != looks {
		t.Errorf("it looks or reads otherwise than before: %d bytes shown, before %d", len(again), len(looks))
	}
}

// outside has qpdf and pdfsig judge a file with n signatures; before is how qpdf ended with the file as it was.
func outside(t *testing.T, file []byte, before int, level sign.Level, n int) {
	t.Helper()
	path := inFile(t, "signed.pdf", file)
	if after, out := qpdfCheck(t, path); after > before {
		t.Errorf("qpdf ends with %d, and %d before it was signed:\n%s", after, before, out)
	}
	out, _ := runTool(t, "", "pdfsig", "-nocert", path)
	valid, total := 0, 0
	for line := range strings.Lines(out) {
		switch line = strings.TrimSpace(line); {
		case line == "- Signature Validation: Signature is Valid.":
			valid++
		case line == "- Total document signed":
			total++
		case strings.HasPrefix(line, "- Signature Validation:") && !strings.HasSuffix(line, "Signature has not yet been verified."): // a document time stamp
			t.Errorf("pdfsig: %s", line)
		}
	}
	if valid != n || total != 1 && level == sign.B {
		t.Errorf("pdfsig finds %d valid signatures of %d, %d of them over the whole document:\n%s", valid, n, total, out)
	}
}

// qpdfCheck is how qpdf --check ends: 0, 3 with warnings, 2 with errors, told as 0, 1 and 2.
func qpdfCheck(t testing.TB, path string) (int, string) {
	t.Helper()
	out, err := runTool(t, "", "qpdf", "--check", path)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, out
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		return 1, out
	}
	return 2, out
}

// seen is the text of a PDF and how its pages look.
func seen(t testing.TB, file []byte) string {
	t.Helper()
	path := inFile(t, "seen.pdf", file)
	dir := filepath.Dir(path)
	mustRun(t, dir, "pdftotext", "seen.pdf", "seen.txt")
	text, err := os.ReadFile(filepath.Join(dir, "seen.txt"))
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir, "pdftoppm", "-r", "30", "-l", "5", "seen.pdf", "page")
	pages, err := filepath.Glob(filepath.Join(dir, "page*.ppm"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	all := string(text)
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	return all
}

// TestRefusedShapes: what must not be signed is refused, and nothing is written.
func TestRefusedShapes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	key := w.software(pki.EC, 0)
	before := w.signedBefore(t, signed.B, signed.PDFOptions{})
	encrypted := func(args ...string) []byte {
		return rewritten(changed(sheet{}, nil), "qpdf", append(append([]string{"--allow-weak-crypto", "--encrypt"}, args...), "--", "IN", "OUT")...)(t, w)
	}
	certified := signed.NewPDF(signed.PDFOptions{})
	if err := certified.Sign(signed.Options{PKI: w.net.Of(pki.EC), Signer: w.citizen(pki.EC, 1), At: time.Now().Add(-time.Hour)}, signed.Field{Certify: 1}); err != nil {
		t.Fatal(err)
	}
	covered := bytes.Replace(before, []byte("(Proef"), []byte("(Troef"), 1)
	shadow := append(bytes.Clone(before), bytes.Replace(before, []byte("(Proef"), []byte("(Troef"), 1)...)
	for name, tt := range map[string]struct {
		file []byte
		want error
	}{
		"encrypted, with a password":         {encrypted("user", "owner", "256"), sign.ErrUnsuitable},
		"encrypted, opens without":           {encrypted("", "owner", "256"), sign.ErrUnsuitable},
		"encrypted, RC4":                     {encrypted("", "owner", "128", "--use-aes=n"), sign.ErrUnsuitable},
		"earlier signature broken":           {covered, sign.ErrBroken},
		"earlier signature over other bytes": {shadow, sign.ErrBroken},
		"certified, no changes allowed":      {certified.Bytes(), sign.ErrUnsuitable},
		"no PDF":                             {[]byte("Ik verklaar dat dit een proef is.\n"), sign.ErrUnsuitable},
		"empty":                              {nil, sign.ErrUnsuitable},
		"no pages":                           {sheet{}.write(letter(map[int]string{1: "<< /Type /Catalog >>", 2: ""})), sign.ErrUnsuitable},
	} {
		out, _, err := signFile(context.Background(), sign.FormatPAdES, []sign.Source{source("plain.pdf", "application/pdf", tt.file)}, key, w.options(pki.EC, sign.B))
		if !errors.Is(err, tt.want) || len(out) > 0 {
			t.Errorf("%s: %v, %d bytes written", name, err, len(out))
		}
		t.Logf("%s: %v", name, err)
	}
}
