//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/network"
)

// TestSign: every flag does what it says, by our own judge and by others.
func TestSign(t *testing.T) {
	b := newBench(t)
	write(t, "logo.png", string(tinyPNG(t)))
	write(t, "policy.txt", "Sign with care.")
	for _, test := range []struct {
		args, out string
		words     []string
	}{
		{"a.txt", "a.asice", []string{"(XAdES-B-B, ASiC-E): Pieter", "a.txt"}},
		{"a.txt --cms --out cms.asice", "cms.asice", []string{"(CAdES-B-B, ASiC-E)"}},
		{"a.txt b.csv --out both.asice --level lta", "both.asice", []string{"XAdES-B-LTA", "a.txt, b.csv"}},
		{"a.txt --detached", "a.txt.p7s", []string{"(CAdES-B-B)"}},
		{"a.txt --format CAdES --level t", "a.txt.p7m", []string{"(CAdES-B-T)"}},
		{"a.txt --format cades --out lt.p7m --level lt --hash sha512", "lt.p7m", []string{"(CAdES-B-LT)", "SHA-512"}},
		{"a.txt --format cades --out claims.p7m --role notary --commitment approval --commitment 1.2.3.4 --place Gent,BE --content-timestamp", "claims.p7m",
			[]string{"notary", "Gent", "time stamp (content)"}},
		{"report.pdf", "report-signed.pdf", []string{"(PAdES-B-B)", "the whole file"}},
		{"report.pdf --out lta.pdf --level lta", "lta.pdf", []string{"(PAdES-B-LTA)"}},
		{"report.pdf --out seen.pdf --visible --reason Approved --location Gent --contact desk --image logo.png --rect 50,50,250,110 --page -1", "seen.pdf",
			[]string{"Approved"}},
		{"report.pdf --out photo.pdf --photo --text One --text Two", "photo.pdf", nil},
		{"report.pdf --out certified.pdf --certify 1 --field Seal", "certified.pdf", []string{"Seal"}},
		{"report.pdf --format asice --out pdf.asice", "pdf.asice", []string{"report.pdf"}},
		{"decl.xml", "decl-signed.xml", []string{"(XAdES-B-B)"}},
		{"decl.xml --out lt.xml --level LT", "lt.xml", []string{"(XAdES-B-LT)"}},
		{"decl.xml --packaging enveloping --out around.xml", "around.xml", []string{"(XAdES-B-B)"}},
		{"a.txt --format xades", "a.txt.xades.xml", []string{"(XAdES-B-B)"}},
	} {
		t.Run(test.args, func(t *testing.T) {
			out := b.mustSign(t, append(strings.Fields(test.args), "--tsa", tsaURL)...)
			if !strings.HasPrefix(out, test.out+": SIGNED") || !strings.Contains(out, "Van den Broeck-Specimen") {
				t.Errorf("%s", out)
			}
			b.valid(t, test.out, test.words...)
		})
	}
	outside(t, "pdfsig", "-nocert", "report-signed.pdf")
	outside(t, "qpdf", "--check", "seen.pdf")
	outside(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "a.txt.p7s", "-content", "a.txt", "-CAfile", b.roots, "-purpose", "any", "-out", os.DevNull)
	outside(t, "unzip", "-t", "a.asice")
	if got := read(t, "decl-signed.xml"); !strings.HasPrefix(got, "<?xml version=\"1.0\"?>\n<!-- kept -->\n<declaration a='1'\n b=\"2\">yes<") {
		t.Errorf("the XML was changed: %s", got)
	}
	if info, err := os.Stat("a.asice"); err != nil || info.Mode() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if slices.ContainsFunc(files(t), func(f string) bool { return strings.Contains(f, ".tmp-") }) {
		t.Errorf("left behind: %q", files(t))
	}
}

// TestSignTime: at a time that is given, the RSA card signs the same twice; and by PSS, under a policy, with the EC card.
func TestSignTime(t *testing.T) {
	b := newBench(t)
	write(t, "policy.txt", "Sign with care.")
	for _, out := range []string{"one.p7s", "two.p7s"} {
		b.mustSign(t, "a.txt", "--detached", "--signing-time", "2026-11-20T14:00:00Z", "--out", out)
	}
	b.valid(t, "one.p7s", "2026-11-20 14:00:00 UTC", "RSA")
	if read(t, "one.p7s") != read(t, "two.p7s") {
		t.Error("two signatures at one time differ")
	}
	b.mustSign(t, "a.txt", "--detached", "--pss")
	b.valid(t, "a.txt.p7s", "PSS")
	b.mustSign(t, "decl.xml", "--policy", "1.2.3.4", "--policy-file", "policy.txt", "--policy-uri", "http://policy.example/p.txt")
	if got := read(t, "decl-signed.xml"); !strings.Contains(got, "1.2.3.4") || !strings.Contains(got, "http://policy.example/p.txt") {
		t.Errorf("no policy in %s", got)
	}
	code, stdout, errs := eid(t, append(b.card("citizen-1.8"), "report.pdf", "--level", "lt", "--tsa", tsaURL)...)
	wantCode(t, exitOK, code, stdout, errs)
	b.valid(t, "report-signed.pdf", "PAdES-B-LT", "ECDSA")
}

// TestSignUsage: mistakes are told before a card is looked for, and nothing is written.
func TestSignUsage(t *testing.T) {
	b := newBench(t)
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "other.txt", "x")
	before := files(t)
	for _, test := range []struct{ args, want string }{
		{"", "requires at least 1 arg"},
		{"a.txt --format docx", "--format takes"},
		{"a.txt --level x", "--level takes b, t, lt or lta"},
		{"a.txt --level lt", "needs a time stamp authority"},
		{"a.txt --content-timestamp", "needs a time stamp authority"},
		{"a.txt --level t --offline --tsa " + tsaURL, "--offline is for level b"},
		{"a.txt --level t --tsa tsa.example", "begins with http://"},
		{"a.txt --level t --tsa-policy x --tsa " + tsaURL, "--tsa-policy takes an OID"},
		{"a.txt --hash md5", "--hash takes"},
		{"a.txt --packaging around", "--packaging takes"},
		{"a.txt --format cades --packaging enveloped", "enveloped is for xades"},
		{"a.txt --format asice --detached", "--detached is for cades and xades"},
		{"a.txt --commitment love", "--commitment takes"},
		{"a.txt --place a,b,c", "--place takes"},
		{"a.txt --place planet=Earth", "--place:"},
		{"a.txt --policy 1.2.3", "needs the digest"},
		{"a.txt --policy-file a.txt", "--policy names"},
		{"a.txt --policy 1.2.3 --policy-digest sha256:00", "64 hexadecimal digits"},
		{"a.txt --signing-time yesterday", "--signing-time takes"},
		{"a.txt --visible", "--visible is for pades"},
		{"a.txt --reference #x", "--reference is for xades"},
		{"report.pdf --cms", "--cms is for asice"},
		{"report.pdf --content-timestamp --tsa " + tsaURL, "--content-timestamp is for"},
		{"report.pdf --certify 4", "--certify takes"},
		{"report.pdf --rect 1,2,3", "--rect takes"},
		{"report.pdf --rect 5,5,1,9", "left must be less"},
		{"report.pdf --rect NaN,5,1,9", "--rect takes"},
		{"report.pdf --image absent.png", "no such file"},
		{"report.pdf a.txt --preview p.png", "one PDF"},
		{"report.pdf --photo --key seal.p12", "no file seal.p12"},
		{"report.pdf --augment", "--augment needs the level"},
		{"report.pdf --augment --level t --reason x --tsa " + tsaURL, "--augment makes none"},
		{"report.pdf --augment --level t --key card", "[augment key]"},
		{"report.pdf --augment --countersign x", "none of the others can be"},
		{"decl.xml --countersign x --level lt --tsa " + tsaURL, "level b or t"},
		{"report.pdf --countersign x", "--countersign is for cades and xades"},
		{"report.pdf --id x", "--id is for --augment"},
		{"a.txt --content b.csv", "--content is for"},
		{"a.txt --container --format cades", "--container is for"},
		{"a.txt --container --augment --level t --tsa " + tsaURL, "--container is for a new container"},
		{"folder", "is a folder"},
		{"folder --recursive", "there is no file"},
		{"*.nothing", "no file has a name like"},
		{"a.txt --chain a.txt", "no certificate in a.txt"},
		{"a.txt --trust absent.pem", "absent.pem"},
		{"a.txt --key pkcs11:nonsense", "PKCS #11 URI"},
		{"a.txt --key pkcs11:token=x?pin-value=1234", "pin-value"},
		{"a.txt --passphrase-file a.txt", "--passphrase-file is for"},
		{"a.txt b.csv --out other.txt --container=false", "folder is needed"},
		{"a.txt folder/../a.txt --out x.asice --passphrase-file y", "--passphrase-file is for"},
	} {
		args := append([]string{"sign", "--reader", "no such reader", "--trust", b.roots}, strings.Fields(test.args)...)
		code, out, errs := eid(t, args...)
		if code != exitUsage || out != "" || !strings.Contains(errs, test.want) || !strings.Contains(errs, "eid: hint: ") || strings.Contains(errs, "1234") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %s", test.args, code, out, errs)
		}
	}
	if got := files(t); !slices.Equal(got, before) {
		t.Errorf("written: %q", got)
	}
	code, out, errs := eid(t, "sign", "absent.txt")
	wantCode(t, exitFailure, code, out, errs)
}

// TestSignExisting: what is there is not replaced unasked, and what is no file never.
func TestSignExisting(t *testing.T) {
	b := newBench(t)
	write(t, "a.asice", "mine")
	code, out, errs := b.sign(t, "a.txt")
	if code != exitUsage || !strings.Contains(errs, "a.asice is there already") || !strings.Contains(errs, "--force") || read(t, "a.asice") != "mine" {
		t.Errorf("%d %s%s", code, out, errs)
	}
	b.mustSign(t, "a.txt", "--force")
	b.valid(t, "a.asice")
	for _, path := range []string{os.DevNull, "/dev/full"} {
		if code, out, errs := b.sign(t, "a.txt", "--force", "--out", path); code != exitFailure || !strings.Contains(errs, "is no file") {
			t.Errorf("%s: %d %s%s", path, code, out, errs)
		}
	}
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	b.mustSign(t, "a.txt", "--out", "folder")
	b.valid(t, "folder/a.asice")
	if code, out, errs := b.sign(t, "b.csv", "--out", "folder/a.asice/x"); code != exitFailure || !strings.Contains(errs, "writing folder/a.asice/x") {
		t.Errorf("below a file: %d %s%s", code, out, errs)
	}
}

// TestSignPIN: the dialog says what is signed; what the holder does there decides.
func TestSignPIN(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		name, profile string
		confirm       bool
		typed         []string
		code          int
		stderr        string
		asked         int
	}{
		{"right", "citizen-1.8", true, []string{testcards.PIN}, exitOK, "", 1},
		{"wrong, then right", "citizen-1.7", true, []string{"9999", testcards.PIN}, exitOK, "", 2},
		{"wrong, no more", "citizen-1.8", false, []string{"9999"}, exitPIN, "2 tries left", 1},
		{"cancelled", "citizen-1.8", true, []string{"cancel"}, exitPIN, "cancelled", 1},
		{"timed out", "citizen-1.8", true, []string{"timeout"}, exitPIN, "in time", 1},
		{"blocked", "blocked-1.8", true, []string{testcards.PIN}, exitPIN, "blocked", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			program, log := fakePinentry(t, test.confirm, test.typed...)
			code, out, errs := eid(t, "sign", "a.txt", "--reader", testcardPrefix+test.profile, "--pinentry", program, "--trust", b.roots, "--trace")
			wantCode(t, test.code, code, out, errs)
			if strings.Contains(strings.NewReplacer(" ", "", "\n", "").Replace(errs+out), "241234FF") {
				t.Error("the PIN is in the trace")
			}
			if !strings.Contains(errs, test.stderr) {
				t.Errorf("stderr: %s", errs)
			}
			told, _ := os.ReadFile(log)
			if n := strings.Count(string(told), "GETPIN"); n != test.asked || n > 0 && !(strings.Contains(string(told), "Signature: a.txt") && strings.Contains(string(told), "binds you")) {
				t.Errorf("asked %d times:\n%s", n, told)
			}
			if code == exitOK {
				b.valid(t, "a.asice")
				if err := os.Remove("a.asice"); err != nil {
					t.Fatal(err)
				}
			}
			nothingWritten(t)
		})
	}
}

// TestSignPinpad: on a reader with keys the dialog says what is signed, and the PIN is typed there.
func TestSignPinpad(t *testing.T) {
	b := newBench(t)
	sim, err := testcards.Open("citizen-1.8", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader := testcards.NewReader("pad", testcards.ReaderOptions{Pinpad: true})
	reader.Insert(sim)
	program, log := fakePinentry(t, true)
	var errs bytes.Buffer
	a := &app{streams: streams{strings.NewReader(""), &bytes.Buffer{}, &errs}, lang: "fr"}
	s, err := a.openIn(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key, err := a.cardKey(t.Context(), s, keyFlags{dialog: dialogFlags{pinentry: program}}, func() []string { return []string{"Signature: a.txt"} })
	if err != nil {
		t.Fatal(err)
	}
	p := &signPlan{tasks: []*signTask{{inputs: []*inputFile{mustPick(t, "a.txt")}, format: "asice", out: "a.asice"}}}
	defer p.close()
	ended := make(chan error)
	go func() { ended <- (&signRun{app: a, plan: p, key: &signingKey{Key: key}}).all(t.Context()) }()
	told := ""
	if !pcscdtest.Eventually(func() bool {
		text, _ := os.ReadFile(log)
		told = string(text)
		return strings.Contains(told, "clavier du lecteur") && strings.Contains(told, "Signature: a.txt")
	}) {
		t.Errorf("%s", told)
	}
	reader.Type(testcards.PIN)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b.valid(t, "a.asice")
	if strings.Contains(read(t, log), "GETPIN") {
		t.Error("a PIN was asked for in the dialog too")
	}
}

// TestSignRemoved: a card that is taken out ends the batch, and what was signed stays.
func TestSignRemoved(t *testing.T) {
	b := newBench(t)
	sim, err := testcards.Open("citizen-1.7", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader := testcards.NewReader("slot", testcards.ReaderOptions{})
	reader.Insert(sim)
	program, _ := fakePinentry(t, true, testcards.PIN, testcards.PIN, testcards.PIN)
	var out, errs bytes.Buffer
	a := &app{streams: streams{strings.NewReader(""), &out, &errs}, lang: "en"}
	s, err := a.openIn(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	asked := 0
	key, err := a.cardKey(t.Context(), s, keyFlags{dialog: dialogFlags{pinentry: program}}, func() []string {
		if asked++; asked == 2 {
			reader.Remove()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &signPlan{}
	defer p.close()
	for _, name := range []string{"a.txt", "b.csv", "decl.xml"} {
		p.tasks = append(p.tasks, &signTask{inputs: []*inputFile{mustPick(t, name)}, format: "cades", out: name + ".p7m"})
	}
	err = (&signRun{app: a, plan: p, key: &signingKey{Key: key}}).all(t.Context())
	if code := report(&errs, err, ""); code != exitNoCard || !strings.Contains(out.String(), "– decl.xml: not tried") || !strings.Contains(out.String(), "1 done, 1 failed, 1 not tried") {
		t.Errorf("%d %s%s", code, out.String(), errs.String())
	}
	b.valid(t, "a.txt.p7m")
	if got := files(t); !slices.Equal(got, []string{"a.txt.p7m"}) {
		t.Errorf("files %q", got)
	}
}

func mustPick(t *testing.T, path string) *inputFile {
	t.Helper()
	p, err := pickOne(path)
	if err != nil {
		t.Fatal(err)
	}
	return p.input()
}

// TestSignServices: when a service fails, the error names it, nothing is left, and level b works.
func TestSignServices(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		service            network.Service
		fault              network.Fault
		file, level, named string
	}{
		{network.TSA, network.Down, "a.txt", "t", tsaURL},
		{network.TSA, network.Status(503), "decl.xml", "lta", tsaURL},
		{network.TSA, network.WrongImprint, "report.pdf", "t", tsaURL},
		{network.TSA, network.WrongNonce, "decl.xml", "t", tsaURL},
		{network.TSA, network.Unauthorised, "a.txt", "t", tsaURL},
		{network.OCSP, network.Down, "report.pdf", "lt", "OCSP"},
		{network.OCSP, network.WrongSignature, "a.txt", "lt", "OCSP"},
	} {
		t.Run(fmt.Sprint(test.service, test.fault), func(t *testing.T) {
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			for service, fault := range map[network.Service]network.Fault{network.CRL: network.Down, test.service: test.fault} {
				if err := b.net.Set(service, fault); err != nil {
					t.Fatal(err)
				}
				defer b.net.Set(service)
			}
			code, out, errs := b.sign(t, test.file, "--level", test.level, "--tsa", tsaURL)
			if code != exitUnavailable || out != "" || !strings.Contains(errs, test.named) || !strings.Contains(errs, "eid: hint: ") {
				t.Errorf("exit code %d, %s%s", code, out, errs)
			}
			nothingWritten(t)
			b.mustSign(t, "a.txt", "--level", "b")
			if err := os.Remove("a.asice"); err != nil {
				t.Fatal(err)
			}
		})
	}
	b.mustSign(t, "a.txt", "--level", "t", "--tsa", "http://127.0.0.1:24380/nobody", "--tsa", tsaURL) // the second answers
	b.valid(t, "a.asice", "XAdES-B-T")
	b.configure(t, "[sign]\ntsa = ["+fmt.Sprintf("%q", tsaURL)+"]\nlevel = \"lt\"\n")
	b.mustSign(t, "decl.xml")
	b.valid(t, "decl-signed.xml", "XAdES-B-LT")
	b.configure(t, "[sign]\nlevel = \"x\"\n")
	if code, _, errs := b.sign(t, "decl.xml", "--force"); code != exitUsage || !strings.Contains(errs, "sign.level") {
		t.Errorf("%d %s", code, errs)
	}
}

// TestSignRefusals: what would mislead or be worth nothing is refused before a PIN is asked.
func TestSignRefusals(t *testing.T) {
	b := newBench(t)
	signed := b.mustSign(t, "report.pdf", "--out", "good.pdf")
	broken := []byte(read(t, "good.pdf"))
	broken[bytes.Index(broken, []byte("bicycle"))] = 'B'
	write(t, "broken.pdf", string(broken))
	write(t, "doctype.xml", "<!DOCTYPE a><a/>")
	write(t, "not.pdf", "plain text")
	b.revoke(t, "revoked-1.8")
	before := files(t)
	for _, test := range []struct {
		profile, args string
		code          int
		stderr        string
	}{
		{"citizen-1.8", "broken.pdf", exitInvalid, "broken"},
		{"citizen-1.8", "doctype.xml", exitFailure, "DOCTYPE"},
		{"citizen-1.8", "not.pdf", exitFailure, "PDF"},
		{"expired-1.8", "a.txt --level lt --tsa " + tsaURL, exitInvalid, "not valid at that time"},
		{"revoked-1.8", "a.txt --level lt --tsa " + tsaURL, exitInvalid, "revoked"},
		{"kid-1.8", "a.txt", exitFailure, "certificate"},
		{"no-signature-1.8", "a.txt", exitFailure, "eid certs"},
	} {
		program, log := fakePinentry(t, true, testcards.PIN)
		args := append([]string{"sign", "--reader", testcardPrefix + test.profile, "--pinentry", program, "--trust", b.roots}, strings.Fields(test.args)...)
		code, out, errs := eid(t, args...)
		if code != test.code || out != "" || !strings.Contains(errs, test.stderr) {
			t.Errorf("%s %s: exit code %d, %s%s", test.profile, test.args, code, out, errs)
		}
		if told, err := os.ReadFile(log); err == nil && strings.Contains(string(told), "GETPIN") {
			t.Errorf("%s %s: a PIN was asked for:\n%s", test.profile, test.args, told)
		}
	}
	if got := files(t); !slices.Equal(got, before) || signed == "" {
		t.Errorf("written: %q", got)
	}
	code, out, errs := eid(t, "sign", "--reader", testcardPrefix+"citizen-1.8", "--auto-pin", "--only-trust", "--trust", b.otherRoot(t), "a.txt", "--level", "lt", "--tsa", tsaURL)
	if code != exitIndeterminate || !strings.Contains(errs, "--trust FILE") {
		t.Errorf("untrusted: %d %s%s", code, out, errs)
	}
}

// revoke has the services say that the signature certificate of a simulated card is revoked.
func (b *bench) revoke(t *testing.T, profile string) {
	t.Helper()
	code, out, errs := eid(t, "certs", "--pem", "signature", "--reader", testcardPrefix+profile)
	wantCode(t, exitOK, code, out, errs)
	if err := b.net.Apply(network.Command{Do: "revoke", Certificate: out, At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Reason: 1}); err != nil {
		t.Fatal(err)
	}
}

// otherRoot is a root that has nothing to do with the simulated cards of today: its certificates are RSA.
func (b *bench) otherRoot(t *testing.T) string {
	t.Helper()
	parts := strings.SplitAfter(read(t, b.roots), "-----END CERTIFICATE-----\n")
	path := filepath.Join(t.TempDir(), "other.pem")
	write(t, path, parts[1])
	return path
}

// TestSignDiskFull runs the real program where files may not grow: exit code 6, and nothing is left.
func TestSignDiskFull(t *testing.T) {
	newBench(t)
	write(t, "big.bin", strings.Repeat("x", 1<<20))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `ulimit -f 64; exec "$0" sign big.bin --format cades --reader testcard:citizen-1.8 --auto-pin --offline`, self)
	cmd.Env = append(os.Environ(), envCommand+"=1")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitFailure || !strings.Contains(string(out), "writing big.bin.p7m: file too large") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := files(t); !slices.Equal(got, []string{"big.bin"}) {
		t.Errorf("left behind: %q", got)
	}
}

// TestSignInterrupted: Ctrl-C while an authority does not answer leaves nothing.
func TestSignInterrupted(t *testing.T) {
	b := newBench(t)
	if err := b.net.Set(network.TSA, network.Silent); err != nil {
		t.Fatal(err)
	}
	asked := b.net.Requests()[network.TSA]
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		code      int
		out, errs string
	}
	ended := make(chan result)
	go func() {
		var out, errs bytes.Buffer
		code := run(ctx, append(b.card("citizen-1.8"), "a.txt", "--level", "t", "--tsa", tsaURL), streams{strings.NewReader(""), &out, &errs})
		ended <- result{code, out.String(), errs.String()}
	}()
	if !pcscdtest.Eventually(func() bool { return b.net.Requests()[network.TSA] > asked }) {
		t.Error("the authority was not asked")
	}
	cancel()
	if r := <-ended; r.code != exitFailure || !strings.Contains(r.errs, "eid: interrupted") || r.out != "" {
		t.Errorf("%+v", r)
	}
	nothingWritten(t)
}
