//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/eidkit/eidkit/agent/patient"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/testcards/insurers"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify/assurability"
)

// counter is a counter with the simulated insurers behind it: the configuration of a provider, and an open session.
type counter struct {
	net   *insurers.Network
	dir   string // of configuration and state
	roots string
}

// titularCard is the eID card of the titular of the test pharmacy.
const titularCard = testcardPrefix + patientPrefix + "two-periods"

// newCounter starts the services and configures the provider of that name.
func newCounter(t *testing.T, provider string) *counter {
	t.Helper()
	n, err := insurers.Start(context.Background(), insurers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	c := &counter{net: n, dir: t.TempDir()}
	c.roots = filepath.Join(c.dir, "roots.pem")
	var roots bytes.Buffer
	if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: n.PKI.Root.Certificate.Raw}); err != nil {
		t.Fatal(err)
	}
	cards, err := pki.New(pki.Options{Algorithm: pki.RSA})
	if err != nil {
		t.Fatal(err)
	}
	if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: cards.Root.Certificate.Raw}); err != nil {
		t.Fatal(err)
	}
	write0600(t, c.roots, roots.String())
	t.Setenv("XDG_CONFIG_HOME", c.dir)
	t.Setenv("XDG_STATE_HOME", filepath.Join(c.dir, "state"))
	if err := os.Mkdir(filepath.Join(c.dir, "eidkit"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.configure(t, provider, "", "")
	return c
}

func write0600(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// configure writes the configuration: more goes in [insurance], end behind it.
func (c *counter) configure(t *testing.T, provider, more, end string) {
	t.Helper()
	all := insurers.Providers()
	p := all[slices.IndexFunc(all, func(p insurers.Provider) bool { return p.Name == provider })]
	licence := filepath.Join(c.dir, "licence.toml")
	write0600(t, licence, fmt.Sprintf("user = %q\npassword = %q\n", p.LicenceUser, p.LicencePassword))
	text := fmt.Sprintf("[network]\nca_bundle = %q\n\n[insurance]\nquality = %q\nnihii = %q\nname = \"Example %s\"\norganisation = %t\npackage = %q\ntest = true\nlicence_file = %q\nsts = %q\n%s\n",
		c.roots, p.Quality, p.NIHII, provider, p.Organisation, p.Package, licence, c.net.Address(insurers.STS), more)
	if p.Person != "" {
		text += fmt.Sprintf("[insurance.titular]\nname = %q\nnihii = %q\nniss = %q\n", p.TitularName, p.TitularNIHII, p.Person)
	}
	text += fmt.Sprintf("[insurance.endpoints]\ngenins = %q\npharmacist = %q\nmemberdata = %q\n%s", c.net.Address(insurers.GenIns), c.net.Address(insurers.Pharmacist), c.net.Address(insurers.MemberData), end)
	write0600(t, filepath.Join(c.dir, "eidkit", "config.toml"), text)
}

// open opens the session with an eID card.
func (c *counter) open(t *testing.T, card string) {
	t.Helper()
	code, out, errs := eid(t, "--reader", card, "session", "open", "--auto-pin")
	wantCode(t, exitOK, code, out, errs)
}

// patientNamed is the patient of that name.
func patientNamed(t *testing.T, name string) insurers.Patient {
	t.Helper()
	all := insurers.Patients()
	i := slices.IndexFunc(all, func(p insurers.Patient) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no patient %q", name)
	}
	return all[i]
}

func TestSessionWithCard(t *testing.T) {
	c := newCounter(t, "pharmacy")
	code, out, errs := eid(t, "session", "status", "--json")
	wantCode(t, exitInvalid, code, out, errs)
	validate(t, "session.json", out)
	code, out, errs = eid(t, "insurability", patientNamed(t, "ordinary").Number, "--reading", "barcode")
	if code != exitUnavailable || !strings.Contains(errs, "eid: hint: "+sessionCommandHint) {
		t.Errorf("without a session: exit code %d, %s%s", code, out, errs)
	}
	code, out, errs = eid(t, "--reader", titularCard, "session", "open", "--auto-pin", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "session.json", out)
	file, _ := decode(t, out)["file"].(string)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(file, c.dir) {
		t.Errorf("session file %s: %v %v", file, info, err)
	}
	for lang, word := range map[string]string{"en": "session is open", "nl": "sessie is open", "fr": "session est ouverte", "de": "Sitzung ist offen"} {
		code, out, errs = eid(t, "session", "status", "--lang", lang)
		wantCode(t, exitOK, code, out, errs)
		if !strings.Contains(out, word) || !strings.Contains(out, "29999823") {
			t.Errorf("%s: %s", lang, out)
		}
	}
	code, out, errs = eid(t, "session", "close")
	wantCode(t, exitOK, code, out, errs)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("after closing: %v", err)
	}
	code, out, errs = eid(t, "session", "status")
	wantCode(t, exitInvalid, code, out, errs)
	if !strings.Contains(out, "no session") {
		t.Error(out)
	}
}

// openWithFile opens the session of a provider with a PKCS #12 file, and nobody is asked.
func (c *counter) openWithFile(t *testing.T, provider, more string) {
	t.Helper()
	credential, err := c.net.Credential(provider)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(credential.Key)
	if err != nil {
		t.Fatal(err)
	}
	both := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	both = append(both, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: credential.Certificate.Raw})...)
	pemFile, file, pass := filepath.Join(c.dir, "key.pem"), filepath.Join(c.dir, "provider.p12"), filepath.Join(c.dir, "passphrase")
	write0600(t, pemFile, string(both))
	write0600(t, pass, "geheim\n")
	if out, err := exec.Command(tool(t, "openssl"), "pkcs12", "-export", "-in", pemFile, "-passout", "pass:geheim", "-out", file).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v: %s", err, out)
	}
	c.configure(t, provider, fmt.Sprintf("credential = %q\npassphrase_file = %q\n%s", file, pass, more), "")
	code, out, errs := eid(t, "session", "open")
	wantCode(t, exitOK, code, out, errs)
}

// answerOf asks and returns what the JSON says.
func answerOf(t *testing.T, args ...string) (patient.Document, int) {
	t.Helper()
	code, out, errs := eid(t, append(args, "--json")...)
	if out == "" {
		t.Fatalf("%q: exit code %d: %s", args, code, errs)
	}
	var d patient.Document
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d, code
}

// validateAll checks documents of one kind against their schema.
func validateAll(t *testing.T, schema string, documents []any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(schemaFolder, schema))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaBase+schema, parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(schemaBase + schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(v); err != nil {
			t.Errorf("%s: %v\n%s", schema, err, text)
		}
	}
}

// exitCodes are those of the statuses, as docs/assurability.md promises them.
var exitCodes = map[assurability.Status]int{assurability.Insured: 0, assurability.NotInsured: 1, assurability.ThirdPartyRefused: 1, assurability.Deceased: 1,
	assurability.Unknown: 10, assurability.Conflict: 10, assurability.Unavailable: 5}

// outcomeOf is an answer in the words of the table of patients.
func outcomeOf(d patient.Document) insurers.Outcome {
	o := insurers.Outcome{Status: string(d.Status), Tariff: string(d.Tariff)}
	for _, w := range d.Warnings {
		o.Warnings = append(o.Warnings, string(w))
	}
	return o
}

// cell is an outcome in a table.
func cell(o insurers.Outcome) string {
	return strings.Join(strings.Fields(o.Status+" "+o.Tariff+" "+strings.Join(o.Warnings, " ")), " ")
}

// TestInsurabilityPatients: what comes of each patient's card and number, over each service, is what the table of patients says, and
// stands in docs/assurability.md.
func TestInsurabilityPatients(t *testing.T) {
	c := newCounter(t, "pharmacy")
	c.open(t, titularCard)
	type row struct{ cells []string }
	rows := map[string]*row{}
	documents := []any{} // checked against the schema all at once: compiling it takes longer than asking
	for _, p := range insurers.Patients() {
		r := &row{}
		rows[p.Name] = r
		card, args := "none", []string(nil)
		switch {
		case p.SIS != "":
			card, args = "`"+p.SIS+"`", []string{"--reader", testcardPrefix + p.SIS, "insurability", "--sis", "--sam", "testcard:10000101"}
		case p.Number != "":
			card, args = "`"+patientPrefix+p.Name+"`", []string{"--reader", testcardPrefix + patientPrefix + p.Name, "insurability", "--card"}
		default:
			args = []string{"insurability", "--affiliate", p.Affiliate, "--mutuality", p.Mutuality, "--reading", "barcode"}
		}
		number := fmt.Sprintf("none; %s at mutuality %s", p.Affiliate, p.Mutuality)
		if n, err := niss.Parse(p.Number); err == nil {
			number = n.Format()
		}
		r.cells = append(r.cells, p.Name, p.Description, number, card)
		var differences []string
		for _, s := range []insurers.Service{insurers.Pharmacist, insurers.GenIns, insurers.MemberData} {
			d, code := answerOf(t, append(slices.Clone(args), "--service", string(s))...)
			documents = append(documents, d)
			got := outcomeOf(d)
			if cell(got) != cell(p.Expected[s]) || code != exitCodes[d.Status] {
				t.Errorf("%s, %s: %s, exit code %d; want %s", p.Name, s, cell(got), code, cell(p.Expected[s]))
			}
			r.cells = append(r.cells, cell(got))
			for _, x := range d.Differences {
				if !slices.Contains(differences, x.Field) {
					differences = append(differences, x.Field)
				}
			}
		}
		slices.Sort(differences)
		r.cells = append(r.cells, strings.Join(differences, ", "))
	}
	validateAll(t, "insurability.json", documents)
	c.openWithFile(t, "hospital", "")
	now := assurability.Today(time.Now())
	month := time.Date(now.Year, time.Month(now.Month), now.Day-29, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	for _, p := range insurers.Patients() {
		args := []string{"insurability", p.Number, "--date", month, "--until", now.String(), "--reading", "barcode"}
		if p.Number == "" {
			args = append([]string{"insurability", "--affiliate", p.Affiliate, "--mutuality", p.Mutuality}, args[2:]...)
		}
		d, _ := answerOf(t, args...)
		if cell(outcomeOf(d)) != cell(p.Month) {
			t.Errorf("%s, month: %s; want %s", p.Name, cell(outcomeOf(d)), cell(p.Month))
		}
		rows[p.Name].cells = append(rows[p.Name].cells, cell(outcomeOf(d)))
	}
	var b strings.Builder
	b.WriteString("| patient | situation | number | card | pharmacist | GenIns | MemberData | card and network differ in | hospital, 30 days, GenIns |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range insurers.Patients() {
		b.WriteString("| " + strings.Join(rows[p.Name].cells, " | ") + " |\n")
	}
	inDocs(t, "patients", b.String())
}

var updateDocs = flag.Bool("update", false, "write what stands between marks in docs/assurability.md")

// docsFolder is found before a test goes to another folder.
var docsFolder, _ = filepath.Abs(filepath.Join("..", "..", "docs"))

// inDocs compares what stands in docs/assurability.md between marks with what it must be, or writes it with -update.
func inDocs(t *testing.T, mark, want string) {
	t.Helper()
	path := filepath.Join(docsFolder, "assurability.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->\n"
	head, rest, ok := strings.Cut(string(doc), begin)
	part, tail, ok2 := strings.Cut(rest, end)
	switch {
	case !ok || !ok2:
		t.Fatalf("%s has no %q", path, begin)
	case part == want:
	case *updateDocs:
		if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s of %s is out of date: go test ./cmd/eid -run %s -args -update\nwant:\n%s", mark, path, t.Name(), want)
	}
}

// TestInsurabilityScreens: what a counter must not overlook stands out, in every language.
func TestInsurabilityScreens(t *testing.T) {
	c := newCounter(t, "pharmacy")
	c.open(t, titularCard)
	for _, s := range []struct {
		patient string
		code    int
		words   [4]string
	}{
		{"ordinary", exitOK, [4]string{">>> ✓ INSURED <<<", ">>> ✓ VERZEKERD <<<", ">>> ✓ ASSURÉ <<<", ">>> ✓ VERSICHERT <<<"}},
		{"increased", exitOK, [4]string{">>> ! INCREASED INTERVENTION", ">>> ! VERHOOGDE TEGEMOETKOMING", ">>> ! INTERVENTION MAJORÉE", ">>> ! ERHÖHTE"}},
		{"refused", exitInvalid, [4]string{">>> ✗ THIRD-PARTY PAYMENT REFUSED", ">>> ✗ DERDEBETALER GEWEIGERD", ">>> ✗ TIERS PAYANT REFUSÉ", ">>> ✗ DRITTZAHLER ABGELEHNT"}},
		{"deceased", exitInvalid, [4]string{">>> ✗ DECEASED", ">>> ✗ OVERLEDEN", ">>> ✗ DÉCÉDÉ", ">>> ✗ VERSTORBEN"}},
		{"unknown", exitIndeterminate, [4]string{">>> ! NOT KNOWN", ">>> ! NIET GEKEND", ">>> ! INCONNU", ">>> ! UNBEKANNT"}},
		{"conflict", exitIndeterminate, [4]string{">>> ! CONFLICT", ">>> ! CONFLICT", ">>> ! CONFLIT", ">>> ! WIDERSPRUCH"}},
	} {
		for i, lang := range []string{"en", "nl", "fr", "de"} {
			code, out, errs := eid(t, "insurability", patientNamed(t, s.patient).Number, "--reading", "barcode", "--lang", lang)
			wantCode(t, s.code, code, out, errs)
			if !strings.Contains(out, s.words[i]) || !strings.Contains(out, " TEST ") {
				t.Errorf("%s in %s:\n%s", s.patient, lang, out)
			}
		}
	}
	if err := c.net.Set(insurers.Pharmacist, insurers.Down); err != nil {
		t.Fatal(err)
	}
	code, out, errs := eid(t, "insurability", patientNamed(t, "ordinary").Number, "--reading", "barcode")
	wantCode(t, exitUnavailable, code, out, errs)
	if !strings.Contains(out, ">>> ! NO ANSWER") || !strings.Contains(out, "annex 30") {
		t.Error(out)
	}
	d, code := answerOf(t, "insurability", patientNamed(t, "ordinary").Number, "--reading", "barcode")
	if code != exitUnavailable || d.Cause == "" {
		t.Errorf("exit code %d, %+v", code, d)
	}
	validateAll(t, "insurability.json", []any{d})
}

// TestInsurabilityCached: an answer of earlier today is shown as what it is. A program that asks once has none: the client of a till does.
func TestInsurabilityCached(t *testing.T) {
	r := &insured{Result: patient.Result{Answer: &assurability.Answer{Status: assurability.Insured, Tariff: assurability.Ordinary, Service: assurability.GenIns, Time: time.Now(),
		Warnings: []assurability.Warning{assurability.CachedAnswer}, Age: 35 * time.Minute, References: assurability.References{Input: "26112200000001"},
		From: niss.Date{Year: 2026, Month: 11, Day: 22}, Until: niss.Date{Year: 2026, Month: 11, Day: 22}},
		Question: assurability.Question{Reading: assurability.Reading{Mode: "barcode"}}}}
	for lang, word := range map[string]string{"en": "NO GUARANTEE OF PAYMENT", "nl": "GEEN BETALINGSGARANTIE", "fr": "SANS GARANTIE DE PAIEMENT", "de": "KEINE ZAHLUNGSGARANTIE"} {
		var out bytes.Buffer
		a := &app{lang: lang, streams: streams{out: &out}}
		if err := a.printInsurability(r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), word) || !strings.Contains(out.String(), "35m0s") {
			t.Errorf("%s: %s", lang, out.String())
		}
	}
	raw, err := json.Marshal(r.Document())
	if err != nil {
		t.Fatal(err)
	}
	validate(t, "insurability.json", string(raw))
	if d := decode(t, string(raw)); d["ageSeconds"] != 2100.0 {
		t.Errorf("age %v", d["ageSeconds"])
	}
}

// TestInsurabilityUsage: what cannot be asked is the caller's mistake, and asks nobody.
func TestInsurabilityUsage(t *testing.T) {
	c := newCounter(t, "pharmacy")
	number := patientNamed(t, "ordinary").Number
	for _, args := range [][]string{
		{}, {number, "--card"}, {"--card", "--sis"}, {number + "1"}, {"71050120405"}, {number, "--reading", "chip"}, {number, "--reading", "manual"},
		{number, "--reading", "vignette"}, {"--card", "--reading", "barcode"}, {number, "--sam", "x"}, {number, "--trust", "x"}, {number, "--date", "yesterday"},
		{number, "--contact", "zoo"}, {number, "--service", "zoo"}, {number, "--affiliate", "1", "--mutuality", "319"}, {number, "--reading", "barcode", "--date", "2026-02-30"},
	} {
		code, out, errs := eid(t, append([]string{"insurability"}, args...)...)
		if code != exitUsage || out != "" || !strings.Contains(errs, "eid: hint: ") {
			t.Errorf("%q: exit code %d, %s%s", args, code, out, errs)
		}
	}
	code, out, errs := eid(t, "--reader", testcardPrefix+"sis-checkdigits", "insurability", "--sis") // nobody's number
	if code != exitInvalid || out != "" || !strings.Contains(errs, "national number on the card") {
		t.Errorf("wrong check digits: exit code %d, %s%s", code, out, errs)
	}
	if n := c.net.Requests(); n[insurers.Pharmacist]+n[insurers.STS] != 0 {
		t.Errorf("asked: %v", n)
	}
}

// TestInsurabilityConfiguration: what is missing or wrong is told with its name, and secrets are not.
func TestInsurabilityConfiguration(t *testing.T) {
	c := newCounter(t, "pharmacy")
	number := patientNamed(t, "ordinary").Number
	check := func(want string, code int) {
		t.Helper()
		got, out, errs := eid(t, "insurability", number, "--reading", "barcode")
		if got != code || !strings.Contains(errs, want) || strings.Contains(errs, "demo-secret") {
			t.Errorf("exit code %d, %s%s; want %q", got, out, errs, want)
		}
	}
	c.configure(t, "pharmacy", "lifetime = \"soon\"", "")
	check("line ", exitFailure)
	c.configure(t, "pharmacy", "nonsense = 1", "")
	check("nonsense", exitFailure)
	for _, card := range []string{"", "credential = \"card\"\n"} { // which asks its holder each time, and is reached by the agent alone
		c.configure(t, "pharmacy", card+"unattended = true", "")
		check("insurance.unattended", exitFailure)
	}
	c.configure(t, "pharmacy", "", "zoo = \"https://x.example/\"\n")
	check(`no service "zoo"`, exitFailure)
	c.configure(t, "pharmacy", "log_key_file = \""+filepath.Join(c.dir, "licence.toml")+"x\"", "")
	check("insurance.log_key_file", exitFailure)
	c.configure(t, "pharmacy", fmt.Sprintf("evidence = %q\nevidence_keys = [\"nobody\"]", c.dir), "")
	check("configuration: insurance", exitFailure)
	c.configure(t, "pharmacy", "service = \"zoo\"", "")
	check("configuration: insurance", exitFailure)
	c.configure(t, "pharmacy", "", "")
	if err := os.Chmod(filepath.Join(c.dir, "licence.toml"), 0o644); err != nil {
		t.Fatal(err)
	}
	check("chmod 600", exitFailure)
	if err := os.Chmod(filepath.Join(c.dir, "licence.toml"), 0o600); err != nil {
		t.Fatal(err)
	}
	write0600(t, filepath.Join(c.dir, "licence.toml"), "user = demo-secret")
	check("two lines", exitFailure)
	c.configure(t, "pharmacy", "", "")
	broken := filepath.Join(c.dir, "broken.p12")
	write0600(t, broken, "nothing")
	c.configure(t, "pharmacy", fmt.Sprintf("credential = %q\npassphrase_file = %q", broken, broken), "")
	if code, out, errs := eid(t, "session", "open"); code == exitOK || strings.Contains(errs, "claims") {
		t.Errorf("a key that cannot be used: exit code %d, %s%s", code, out, errs)
	}
	write0600(t, filepath.Join(c.dir, "eidkit", "config.toml"), "")
	check("not set: insurance.quality, insurance.nihii, insurance.sts", exitFailure)
	check(filepath.Join(c.dir, "eidkit", "config.toml"), exitFailure)
}

// TestInsurabilityLog: each question leaves a line that names no patient, in a file that others cannot read.
func TestInsurabilityLog(t *testing.T) {
	c := newCounter(t, "pharmacy")
	c.open(t, titularCard)
	p := patientNamed(t, "ordinary")
	for range 2 {
		code, out, errs := eid(t, "insurability", p.Number, "--reading", "manual", "--reason", "chip broken", "--user", "till 3", "--reference", "line 12")
		wantCode(t, exitOK, code, out, errs)
	}
	path := filepath.Join(c.dir, "state", "eidkit", "insurability.jsonl")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	text := read(t, path)
	for _, secret := range []string{p.Number, p.Surname, "demo-secret", "Assertion"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q stands in the log: %s", secret, text)
		}
	}
	var calls []assurability.Call
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var call assurability.Call
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, call)
	}
	if len(calls) != 2 || calls[0].Patient != calls[1].Patient || calls[0].Reading == nil || calls[0].Reading.Reason != "chip broken" || calls[0].User != "till 3" || calls[0].UserReference != "LINE 12" {
		t.Errorf("%+v", calls)
	}
	c.configure(t, "pharmacy", "call_log = \"off\"", "")
	code, out, errs := eid(t, "insurability", p.Number)
	wantCode(t, exitOK, code, out, errs)
	if !strings.Contains(errs, "--reason") || read(t, path) != text {
		t.Errorf("%s; the log has grown by %d", errs, len(read(t, path))-len(text))
	}
	// what cannot be logged is not asked
	asked := c.net.Requests()[insurers.Pharmacist]
	c.configure(t, "pharmacy", fmt.Sprintf("call_log = %q", c.dir), "")
	code, out, errs = eid(t, "insurability", p.Number, "--reading", "barcode")
	wantCode(t, exitFailure, code, out, errs)
	if n := c.net.Requests()[insurers.Pharmacist]; n != asked {
		t.Errorf("asked %d times without a log", n-asked)
	}
}

// ending interrupts the command as soon as it says something.
type ending struct {
	*bytes.Buffer
	interrupt func()
}

func (e ending) Write(b []byte) (int, error) {
	defer e.interrupt()
	return e.Buffer.Write(b)
}

// TestSessionUnattended: a session with a key that needs nobody opens itself, and one that needs somebody is announced before it ends.
func TestSessionUnattended(t *testing.T) {
	c := newCounter(t, "hospital")
	c.openWithFile(t, "hospital", "unattended = true\nlifetime = \"20m\"\n")
	number := patientNamed(t, "ordinary").Number
	code, out, errs := eid(t, "session", "close")
	wantCode(t, exitOK, code, out, errs)
	code, out, errs = eid(t, "insurability", number, "--reading", "barcode")
	wantCode(t, exitOK, code, out, errs)
	if strings.Contains(errs, "ends at") {
		t.Errorf("announced although it is renewed: %s", errs)
	}
	c.openWithFile(t, "hospital", "lifetime = \"20m\"\n")
	code, out, errs = eid(t, "session", "status", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "session.json", out)
	if !strings.Contains(out, `"ending"`) {
		t.Error(out)
	}
	code, out, errs = eid(t, "insurability", number, "--reading", "barcode")
	wantCode(t, exitOK, code, out, errs)
	if !strings.Contains(errs, "the session ends at") || !strings.Contains(errs, "eid session open") {
		t.Errorf("not announced: %s", errs)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code, _, errs := eidContext(t, ctx, "session", "open", "--keep"); code != exitFailure || !strings.Contains(errs, "interrupted") {
		t.Errorf("interrupted while opening: %d %s", code, errs)
	}
	ctx, cancel = context.WithCancel(context.Background())
	var shown, said bytes.Buffer
	if code := run(ctx, []string{"session", "open", "--keep"}, streams{strings.NewReader(""), &shown, ending{&said, cancel}}); code != exitOK ||
		!strings.Contains(said.String(), "the session ends at") {
		t.Errorf("keeping it: %d %s%s", code, shown.String(), said.String())
	}
	cancel()
	if err := c.net.Set(insurers.STS, insurers.Down); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := eid(t, "session", "open"); code != exitUnavailable || strings.Contains(errs, sessionCommandHint) {
		t.Errorf("without the platform: %d %s%s", code, out, errs)
	}
}

// TestInsuranceWords: every word in four languages.
func TestInsuranceWords(t *testing.T) {
	for key, row := range insuranceWords {
		for i, w := range row {
			if w == "" || strings.Count(w, "%s") != strings.Count(row[0], "%s") {
				t.Errorf("%s, language %d: %q", key, i, w)
			}
		}
	}
	for key, row := range causeWords {
		for i, w := range row {
			if w == "" || slices.Contains(row[:i], w) {
				t.Errorf("cause %s, language %d: %q", key, i, w)
			}
		}
	}
	for code, key := range faultKeys {
		if causeWords[key][0] == "" && insuranceWords[key][0] == "" {
			t.Errorf("fault %s: no words for %q", code, key)
		}
	}
	for _, w := range []assurability.Warning{assurability.CodesDiffer, assurability.CodeUnknown, assurability.NoCodes, assurability.PartlyCovered, assurability.InsurerChanged,
		assurability.Truncated, assurability.InMedicalHouse, assurability.DiedSince, assurability.PartialAnswer, assurability.OldInformation, assurability.CachedAnswer, assurability.NumberNotEchoed, assurability.Contradiction} {
		if insuranceWords[string(w)][0] == "" {
			t.Errorf("no words for %s", w)
		}
	}
}

// TestInsurabilityCauses: why there is no answer is told in the language of the counter, with the code, and in English in the JSON.
func TestInsurabilityCauses(t *testing.T) {
	c := newCounter(t, "pharmacy")
	c.open(t, titularCard)
	number := patientNamed(t, "ordinary").Number
	for _, x := range []struct {
		service insurers.Service
		fault   insurers.Fault
		args    []string
		words   [4]string
		code    string
	}{
		{insurers.Pharmacist, insurers.Unavailable, nil, [4]string{"cannot be reached", "niet bereikbaar", "injoignable", "nicht erreichbar"}, "[SOA-02001]"},
		{insurers.Pharmacist, insurers.WrongPerson, nil, [4]string{"was not used", "niet gebruikt", "pas été utilisé", "nicht verwendet"}, ""},
		{insurers.Pharmacist, insurers.Status(503), nil, [4]string{"cannot be reached", "niet bereikbaar", "injoignable", "nicht erreichbar"}, "[status 503]"},
		{insurers.TLS, insurers.ForeignCA, nil, [4]string{"does not prove to be", "bewijst niet", "ne prouve pas", "weist sich nicht"}, ""},
		{"", "", []string{"--service", "genins", "--contact", "hospital"}, [4]string{"not in hospital", "niet in het ziekenhuis", "pas hospitalisé", "nicht im Krankenhaus"}, "[INPUT_ERROR 42: Not"},
		{"", "", []string{"--service", "memberdata", "--date", "2015-01-01"}, [4]string{"that far back", "zo lang geleden", "aussi anciennes", "so weit zurück"}, "PERIOD_TOO_FAR_IN_PAST"},
		{"", "", []string{"--date", "2015-01-01"}, [4]string{"not public", "niet openbaar", "pas publique", "nicht öffentlich"}, "[01/40/00040]"},
	} {
		if x.service != "" {
			if err := c.net.Set(x.service, x.fault); err != nil {
				t.Fatal(err)
			}
		}
		args := append([]string{"insurability", number, "--reading", "barcode"}, x.args...)
		for i, lang := range []string{"en", "nl", "fr", "de"} {
			_, out, errs := eid(t, append(args, "--lang", lang)...)
			flat := strings.Join(strings.Fields(strings.NewReplacer("│", " ", "\n", " ").Replace(out)), " ")
			if !strings.Contains(flat, x.words[i]) || !strings.Contains(flat, x.code) {
				t.Errorf("%v, %s: %s%s", x, lang, out, errs)
			}
		}
		if d, _ := answerOf(t, args...); d.Cause == "" && d.Fault == nil {
			t.Errorf("%v: %+v", x, d)
		}
		if x.service != "" {
			if err := c.net.Set(x.service); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var (
	shownTime      = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)
	shownReference = regexp.MustCompile(`\b\d{14}\b`)
	shownApproval  = regexp.MustCompile(`\bTEST\d{28}\b`)
)

// steady is what was printed as if it were about the day in the documentation.
func (c *counter) steady(out string) string {
	out = strings.ReplaceAll(out, c.net.URL(), "https://127.0.0.1:24381")
	out = shownTime.ReplaceAllStringFunc(out, func(s string) string {
		if at, err := time.ParseInLocation(time.DateTime, s, time.Local); err == nil && time.Until(at) > 12*time.Hour {
			return "2026-11-23 10:15:00"
		}
		return "2026-11-22 10:15:00"
	})
	out = strings.ReplaceAll(out, assurability.Today(time.Now()).String(), "2026-11-22")
	out = shownReference.ReplaceAllString(out, "26112200000001")
	return shownApproval.ReplaceAllString(out, "TEST0000000000000026112299000001")
}

// TestInsurabilityTry: what docs/assurability.md says to type without a provider's credentials works as it stands there, but for
// addresses and folders.
func TestInsurabilityTry(t *testing.T) {
	c := newCounter(t, "pharmacy")
	doc, err := os.ReadFile(filepath.Join(docsFolder, "assurability.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(doc), "<!-- try -->\n")
	part, _, ok := strings.Cut(part, "<!-- /try -->\n")
	if !ok {
		t.Fatal("docs/assurability.md has nothing to try")
	}
	home := t.TempDir()
	part = strings.NewReplacer("https://127.0.0.1:24381", c.net.URL(), "$HOME/.cache/eidkit/testcards/network-0-roots.pem", c.roots, "$HOME", home).Replace(part)
	config, licence := filepath.Join(home, ".config", "eidkit"), filepath.Join(home, ".config", "eidkit", "licence.toml")
	if err := os.MkdirAll(config, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	var lines []string
	for l := range strings.Lines(part) {
		lines = append(lines, strings.TrimSpace(strings.TrimPrefix(l, "    ")))
	}
	ran := 0
	for i := 0; i < len(lines); i++ {
		name, isFile := strings.CutPrefix(lines[i], "cat > ~/.config/eidkit/")
		command, isCommand := strings.CutPrefix(lines[i], "eid ")
		switch {
		case isFile:
			name = strings.Fields(name)[0]
			end := i + slices.Index(lines[i:], "END")
			write0600(t, filepath.Join(config, name), strings.Join(lines[i+1:end], "\n"))
			i = end
		case isCommand && !strings.HasPrefix(command, "testcard"):
			args := strings.Fields(strings.Split(command, "   ")[0])
			code, out, errs := eid(t, args...)
			wantCode(t, exitOK, code, out, errs)
			ran++
		}
	}
	if _, err := os.Stat(licence); err != nil || ran < 4 {
		t.Errorf("%d commands, %v", ran, err)
	}
}

// TestInsurabilityDocs: what docs/assurability.md shows is what is printed.
func TestInsurabilityDocs(t *testing.T) {
	c := newCounter(t, "pharmacy")
	var want strings.Builder
	show := func(reader, line string) {
		t.Helper()
		args := strings.Fields(line)
		if reader != "" {
			args = append([]string{"--reader", reader}, args...)
		}
		if args[len(args)-1] == "open" {
			args = append(args, "--auto-pin")
		}
		code, out, errs := eid(t, args...)
		if out == "" {
			t.Fatalf("%q: exit code %d: %s", args, code, errs)
		}
		fmt.Fprintf(&want, "    $ eid %s\n", line)
		for _, l := range strings.Split(strings.TrimRight(c.steady(out+errs), "\n"), "\n") {
			want.WriteString(strings.TrimRight("    "+l, " ") + "\n")
		}
		if code != exitOK {
			fmt.Fprintf(&want, "    (exit code %d)\n", code)
		}
		want.WriteString("\n")
	}
	show(titularCard, "session open")
	show("", "insurability "+patientNamed(t, "increased").Number+" --reading barcode --document ISI+")
	show(testcardPrefix+patientNamed(t, "transfer").SIS, "insurability --sis --sam testcard:10000101 --service genins")
	show("", "insurability "+patientNamed(t, "refused").Number+" --reading barcode --lang nl")
	if err := c.net.Set(insurers.Pharmacist, insurers.Unavailable); err != nil {
		t.Fatal(err)
	}
	show("", "insurability "+patientNamed(t, "ordinary").Number+" --reading barcode --lang fr")
	inDocs(t, "printed", want.String())
}
