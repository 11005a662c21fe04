package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// archive is a folder with files signed by an invented person.
type archive struct {
	dir, root string
	home      string // the folder of the test
	pki       *pki.PKI
	signer    *pki.Issued
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := signed.Citizen(p, pki.Request{NotBefore: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{dir: t.TempDir(), home: home, pki: p, signer: who}
	a.root = a.put(t, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Root.Certificate.Raw}))
	return a
}

func (a *archive) put(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (a *archive) options(l signed.Level) signed.Options {
	return signed.Options{PKI: a.pki, Signer: a.signer, At: time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC), Level: l}
}

// made puts what a maker gives into a file.
func (a *archive) made(t *testing.T, name string, data []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return a.put(t, name, data)
}

// theDayAfter is when the signatures of an archive are judged.
const theDayAfter = "2025-06-02T12:00:00Z"

func TestVerify(t *testing.T) {
	a := newArchive(t)
	data, err := signed.PAdES(a.options(signed.LTA))
	pdf := a.made(t, "contract.pdf", data, err)
	data, err = signed.CAdES([]byte("inhoud"), true, a.options(signed.LT))
	p7s := a.made(t, "letter.p7s", data, err)
	letter := a.put(t, "letter.txt", []byte("inhoud"))
	other := a.put(t, "other.txt", []byte("andere inhoud"))
	base := []string{"verify", "--offline", "--at", theDayAfter}
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stdout []string
	}{
		{"valid", []string{"--trust", a.root, pdf}, exitOK, []string{"contract.pdf: VALID", "✓ Signature1 (PAdES-B-LTA): Zoë Marie Proefkonijn-Specimen", "the document as of revision 2, later additions are allowed ones",
			"proven to exist on 2025-06-01 12:01:00 UTC", "eidkit TEST Belgium Root CA EC (trusted)", "time stamp (document)"}},
		{"not trusted", []string{pdf}, exitIndeterminate, []string{"contract.pdf: NOT PROVEN", "[NO_CERTIFICATE_CHAIN_FOUND]"}},
		{"Dutch", []string{"--language", "nl", pdf}, exitIndeterminate, []string{"NIET BEWEZEN", "Het certificaat leidt niet tot een instantie die hier vertrouwd wordt."}},
		{"French", []string{"--lang", "fr", pdf}, exitIndeterminate, []string{"NON PROUVÉ"}},
		{"German", []string{"--language", "de", pdf}, exitIndeterminate, []string{"NICHT ERWIESEN"}},
		{"detached alone", []string{"--trust", a.root, p7s}, exitIndeterminate, []string{"[SIGNED_DATA_NOT_FOUND]"}}, // letter.txt beside it is not picked up
		{"detached", []string{"--trust", a.root, p7s, "--content", other, "--content", letter}, exitOK, []string{"letter.p7s: VALID"}},
		{"detached, other file", []string{"--trust", a.root, p7s, "--content", other}, exitInvalid, []string{"NOT VALID", "[HASH_FAILURE]"}},
		{"no signature", []string{letter}, exitInvalid, []string{"letter.txt: NO SIGNATURE"}},
		{"worst of several", []string{"--trust", a.root, pdf, letter, p7s}, exitInvalid, []string{"VALID", "NO SIGNATURE", "NOT PROVEN"}},
		{"after the certificate, received in time", []string{"--trust", a.root, p7s, "--content", letter, "--at", "2026-06-01T00:00:00Z", "--received-at", "2025-06-03T00:00:00Z"},
			exitOK, []string{"VALID"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := eid(t, append(base, test.args...)...)
			wantCode(t, test.code, code, out, errs)
			for _, s := range test.stdout {
				if !strings.Contains(out, s) {
					t.Errorf("no %q in\n%s", s, out)
				}
			}
			if strings.Contains(out, "\x1b") {
				t.Errorf("colours without a terminal: %q", out)
			}
		})
	}
}

func TestVerifyJSON(t *testing.T) {
	a := newArchive(t)
	data, err := signed.XAdES([]byte("<a>inhoud</a>"), signed.XML{}, a.options(signed.LTA))
	xml := a.made(t, "letter.xml", data, err)
	text := a.put(t, "letter.txt", []byte("inhoud"))
	refused := a.put(t, "refused.xml", []byte("<!DOCTYPE a><a/>"))
	code, out, errs := eid(t, "verify", "--json", "--offline", "--at", theDayAfter, "--trust", a.root, xml)
	wantCode(t, exitOK, code, out, errs)
	validate(t, "verify.json", out)
	doc := decode(t, out)
	signature := doc["signatures"].([]any)[0].(map[string]any)
	if doc["indication"] != "TOTAL-PASSED" || doc["file"] != xml || signature["level"] != "B-LTA" || signature["signer"].(map[string]any)["kind"] != "citizen" {
		t.Errorf("%s", out)
	}

	code, out, errs = eid(t, "verify", "--json", "--offline", xml, text, refused)
	wantCode(t, exitInvalid, code, out, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want one a file:\n%s", len(lines), out)
	}
	for i, want := range []any{nil, "NO_SIGNATURE_FOUND", "PARSE_REFUSED"} {
		validate(t, "verify.json", lines[i])
		if got := decode(t, lines[i])["error"]; got != want {
			t.Errorf("line %d: error %v, want %v", i, got, want)
		}
	}
}

func TestVerifyStandardInput(t *testing.T) {
	a := newArchive(t)
	data, err := signed.CAdES([]byte("inhoud"), false, a.options(signed.LT))
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"verify", "--offline", "--at", theDayAfter, "--trust", a.root, "-"}, streams{bytes.NewReader(data), &out, &errs})
	wantCode(t, exitOK, code, out.String(), errs.String())
}

func TestVerifyCertificate(t *testing.T) {
	a := newArchive(t)
	var bundle bytes.Buffer
	for _, c := range []*x509.Certificate{a.signer.Certificate, a.pki.CitizenCA.Certificate} {
		if err := pem.Encode(&bundle, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	file := a.put(t, "somebody.pem", bundle.Bytes())
	code, out, errs := eid(t, "verify", "--certificate", "--json", "--offline", "--at", theDayAfter, "--trust", a.root, file)
	wantCode(t, exitIndeterminate, code, out, errs) // nobody says whether it was revoked
	validate(t, "certificate.json", out)
	code, out, errs = eid(t, "verify", "--certificate", "--offline", "--at", "2027-01-01T00:00:00Z", "--trust", a.root, file)
	wantCode(t, exitInvalid, code, out, errs)
	if !strings.Contains(out, "[EXPIRED]") || !strings.Contains(out, "Proefkonijn-Specimen") {
		t.Errorf("%s", out)
	}
	code, out, errs = eid(t, "verify", "--certificate", a.put(t, "none.pem", []byte("nothing")))
	wantCode(t, exitUsage, code, out, errs)
}

func TestVerifyPolicy(t *testing.T) {
	a := newArchive(t)
	code, out, errs := eid(t, "verify", "--print-policy")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "policy.json", out)
	printed := a.put(t, "printed.json", []byte(out))
	data, err := signed.XAdES([]byte("<a>inhoud</a>"), signed.XML{}, a.options(signed.LT))
	xml := a.made(t, "letter.xml", data, err)
	args := []string{"verify", "--json", "--offline", "--at", theDayAfter, "--trust", a.root, xml, "--policy"}
	code, out, errs = eid(t, append(args, printed)...)
	wantCode(t, exitOK, code, out, errs)
	own := a.put(t, "own.json", []byte(`{"schema": 1, "id": "own", "timestampDelay": "1s"}`))
	code, out, errs = eid(t, append(args, own)...)
	wantCode(t, exitIndeterminate, code, out, errs)
	var rep struct {
		SubIndication string
		Policy        struct{ ID, SHA256 string }
	}
	if err := json.Unmarshal([]byte(out), &rep); err != nil || rep.SubIndication != "SIG_CONSTRAINTS_FAILURE" || rep.Policy.ID != "own" || len(rep.Policy.SHA256) != 64 {
		t.Errorf("%v %+v", err, rep)
	}
}

func TestVerifyRefusals(t *testing.T) {
	a := newArchive(t)
	text := a.put(t, "letter.txt", []byte("inhoud"))
	for _, args := range [][]string{
		{"verify"}, {"verify", text, "--at", "yesterday"}, {"verify", text, "--received-at", "2025-06-01"}, {"verify", text, "--language", "xx"},
		{"verify", text, "--policy", text}, {"verify", text, "--trust", text}, {"verify", "--print-policy", text},
	} {
		code, out, errs := eid(t, args...)
		if code != exitUsage || out != "" || !strings.Contains(errs, "eid: hint: ") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
	absent := filepath.Join(a.dir, "absent.pdf")
	code, out, errs := eid(t, "verify", absent)
	wantCode(t, exitFailure, code, out, errs)
	code, out, errs = eid(t, "verify", absent, a.dir, text)
	wantCode(t, exitInvalid, code, out, errs)
	if !strings.Contains(out, "letter.txt: NO SIGNATURE") || strings.Count(errs, "eid: error: ") != 2 {
		t.Errorf("stdout %q, stderr %q", out, errs)
	}
}

// TestVerifyDocs: what docs/verifying.md shows is what is printed.
func TestVerifyDocs(t *testing.T) {
	a := newArchive(t)
	data, err := signed.PAdES(a.options(signed.LT))
	a.made(t, "contract.pdf", data, err)
	data = bytes.Clone(data)
	data[bytes.Index(data, []byte("/MediaBox"))+len("/MediaBox")+2]++
	a.put(t, "changed.pdf", data)
	data, err = signed.CAdES([]byte("inhoud"), true, a.options(signed.LT))
	a.made(t, "letter.p7s", data, err)
	t.Chdir(a.dir)
	var want strings.Builder
	for _, line := range []string{"contract.pdf --trust root.pem", "changed.pdf --trust root.pem", "letter.p7s --trust root.pem --language nl", "contract.pdf"} {
		_, out, _ := eid(t, append([]string{"verify", "--offline", "--at", theDayAfter}, strings.Fields(line)...)...)
		fmt.Fprintf(&want, "    $ eid verify %s\n", line)
		for _, l := range strings.Split(strings.TrimRight(out, "\n"), "\n") {
			want.WriteString(strings.TrimRight("    "+l, " ") + "\n")
		}
		want.WriteString("\n")
	}
	doc := filepath.Join(a.home, "..", "..", "docs", "verifying.md")
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- printed -->\n")
	if got, _, _ := strings.Cut(rest, "<!-- /printed -->\n"); strings.TrimSpace(got) != strings.TrimSpace(want.String()) {
		t.Errorf("between the marks \"printed\" %s must have:\n%s", doc, want.String())
	}
}

// TestNetworkConfiguration: what the doctor says of it.
func TestNetworkConfiguration(t *testing.T) {
	a := newArchive(t)
	for _, test := range []struct {
		config networkConfig
		status string
		detail string
	}{
		{networkConfig{}, checkOK, "services are reached directly"},
		{networkConfig{Proxy: "http://user:secret@proxy.example:3128", CABundle: a.root, Allow: []string{"10.0.0.0/8"}}, checkOK,
			"services are reached through proxy.example:3128, TLS roots are those of root.pem, also at private addresses in 10.0.0.0/8"},
		{networkConfig{Proxy: "ftp://proxy.example"}, checkFailed, ""},
		{networkConfig{Allow: []string{"10.0.0.0"}}, checkFailed, ""},
		{networkConfig{CABundle: filepath.Join(a.dir, "absent")}, checkFailed, ""},
		{networkConfig{CABundle: a.put(t, "empty.pem", nil)}, checkFailed, ""},
	} {
		got := (&app{config: config{Network: test.config}}).checkNetwork()
		if got.Status != test.status || test.detail != "" && got.Detail != test.detail || (got.Hint == "") != (test.status == checkOK) {
			t.Errorf("%+v: %+v", test.config, got)
		}
	}
}

// TestVerifyWords: every word of the text report in four languages.
func TestVerifyWords(t *testing.T) {
	for key, row := range verifyWords {
		for i, w := range row {
			if w == "" || strings.Count(w, "%") != strings.Count(row[0], "%") {
				t.Errorf("%s, language %d: %q", key, i, w)
			}
		}
	}
}

// TestVerifyReports: the page and the ETSI report are written beside what is printed.
func TestVerifyReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	file, err := signed.PAdES(signed.Options{PKI: p, Signer: who, At: at, Level: signed.LT})
	if err != nil {
		t.Fatal(err)
	}
	name := func(s string) string { return filepath.Join(dir, s) }
	for path, data := range map[string][]byte{"a.pdf": file, "root.der": p.Root.Certificate.Raw, "none.xml": []byte("<a/>")} {
		if err := os.WriteFile(name(path), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := eid(t, "verify", "--offline", "--only-trust", "--trust", name("root.der"), "--at", "2026-03-01T13:00:00Z", "--language", "de",
		"--html", name("a.html"), "--etsi", name("a.xml"), name("a.pdf"))
	if code != exitOK {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	for path, want := range map[string]string{"a.html": "Gültig", "a.xml": "total-passed"} {
		data, err := os.ReadFile(name(path))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s does not say %q: %v", path, want, err)
		}
	}
	if code, _, errs := eid(t, "verify", "--html", name("b.html"), name("a.pdf"), name("a.pdf")); code != exitUsage {
		t.Errorf("two files: %d %s", code, errs)
	}
	if code, _, errs := eid(t, "verify", "--etsi", name("b.xml"), name("none.xml")); code != exitFailure || !strings.Contains(errs, "no signature") {
		t.Errorf("ETSI about nothing: %d %s", code, errs)
	}
}
