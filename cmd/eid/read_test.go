package main

import (
	"bytes"
	"encoding/pem"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
)

// rootOf writes the test root of a profile and returns the file.
func rootOf(t *testing.T, profile string) string {
	t.Helper()
	sim, err := testcards.Open(profile, testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sim.Root().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReadEveryProfile reads each simulated card as a user would: trusted with its root, not trusted without, and the JSON is as
// the schema says.
func TestReadEveryProfile(t *testing.T) {
	for _, p := range testcards.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			reader := testcardPrefix + p.Name
			code, out, errs := eid(t, "read", "--reader", reader, "--trust", rootOf(t, p.Name), "--json")
			wantCode(t, exitOK, code, out, errs)
			validate(t, "read.json", out)
			doc := decode(t, out)
			verification := doc["verification"].(map[string]any)
			if verification["trusted"] != true || doc["reading"].(map[string]any)["testCard"] != true {
				t.Errorf("verification %v, reading %v", verification, doc["reading"])
			}
			code, out, errs = eid(t, "read", "--reader", reader)
			wantCode(t, exitIndeterminate, code, out, errs)
			if !strings.Contains(out, "NOT TRUSTED") || !strings.Contains(out, "TEST CARD") {
				t.Errorf("untrusted test card is not marked:\n%s", out)
			}
		})
	}
}

// TestReadNoticesChanges: each file tampered with is a verdict against, in words that name it.
func TestReadNoticesChanges(t *testing.T) {
	code, out, errs := eid(t, "demo", "--once")
	wantCode(t, exitOK, code, out, errs)
	for _, name := range tamperNames {
		code, out, errs := eid(t, "demo", "--once", "--tamper", name)
		wantCode(t, exitInvalid, code, out, errs)
		if !strings.Contains(out, "✗ NOT TRUE") {
			t.Errorf("%s: no failed check shown:\n%s", name, out)
		}
	}
}

func TestDemo(t *testing.T) {
	code, out, errs := eid(t, "demo", "--once")
	wantCode(t, exitOK, code, out, errs)
	for _, want := range []string{"TEST CARD", "commands", "The agent and the portal answer", ">> 80E400001C", "chip proved that it is no copy", "trusted root"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestLanguages(t *testing.T) {
	for lang, want := range map[string]string{"en": "Given names", "nl": "Voornamen", "fr": "Prénoms", "de": "Vornamen"} {
		code, out, errs := eid(t, "read", "--reader", "testcard:citizen-1.8", "--lang", lang)
		wantCode(t, exitIndeterminate, code, out, errs)
		if !strings.Contains(out, want) {
			t.Errorf("%s: %q is missing in\n%s", lang, want, out)
		}
	}
	t.Setenv("LC_ALL", "nl_BE.UTF-8")
	if _, out, _ := eid(t, "read", "--reader", "testcard:citizen-1.8"); !strings.Contains(out, "Rijksregisternummer") {
		t.Error("the environment's language is not used")
	}
}

// TestSavedFiles writes each form and reads it back.
func TestSavedFiles(t *testing.T) {
	dir := t.TempDir()
	eidFile, photoFile := filepath.Join(dir, "card.eid"), filepath.Join(dir, "photo.jpg")
	code, out, errs := eid(t, "read", "--reader", "testcard:citizen-1.7", "--no-verify", "--eid", eidFile, "--photo", photoFile)
	wantCode(t, exitOK, code, out, errs)
	if !strings.Contains(out, "nothing was verified") {
		t.Errorf("--no-verify is not said:\n%s", out)
	}
	b, err := os.ReadFile(eidFile)
	if err != nil {
		t.Fatal(err)
	}
	back, err := saved.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if back.Signed || len(back.Notes) == 0 {
		t.Errorf("a file without signatures must say so: %v, %v", back.Signed, back.Notes)
	}
	photo, err := os.ReadFile(photoFile)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(photo)); err != nil || c.Width != 140 || c.Height != 200 {
		t.Errorf("photo: %+v, %v", c, err)
	}
	for _, file := range []string{eidFile, photoFile} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: personal data for others to read: %v, %v", file, info.Mode(), err)
		}
	}
	for _, flag := range []string{"--xml", "--csv", "--json"} {
		code, out, errs := eid(t, "read", "--reader", "testcard:citizen-1.7", "--no-verify", flag)
		wantCode(t, exitOK, code, out, errs)
		back, err := saved.Read([]byte(out))
		if err != nil || back.Identity.Surname == "" {
			t.Errorf("%s cannot be read back: %v", flag, err)
		}
	}
}

// TestReadFile prints saved cards: one with signatures is checked, one without is nobody's word but the file's.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		profile, form string
		code          int
		says          string
	}{
		{"citizen-1.8", "--json", exitOK, "✓ identity signed"}, {"citizen-1.7", "--csv", exitOK, "✓ identity signed"},
		{"citizen-1.8", "--csv", exitIndeterminate, "NOT PROVEN: chip key"}, // the form has no room for the chip's key
		{"citizen-1.8", "--xml", exitIndeterminate, "no signatures"},
	} {
		code, out, errs := eid(t, "read", "--reader", testcardPrefix+test.profile, "--no-verify", test.form)
		wantCode(t, exitOK, code, out, errs)
		file := filepath.Join(dir, "card"+test.form)
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs = eid(t, "read", "--file", file, "--trust", rootOf(t, test.profile))
		wantCode(t, test.code, code, out, errs)
		if !strings.Contains(out, test.says) {
			t.Errorf("%s: %q is missing in\n%s", test.form, test.says, out)
		}
		_, out, _ = eid(t, "read", "--file", file, "--json")
		validate(t, "read.json", out)
	}
	if code, _, _ := eid(t, "read", "--file", filepath.Join(dir, "absent")); code != exitFailure {
		t.Errorf("absent file: exit code %d", code)
	}
	specimen := filepath.Join("..", "..", "..", "shared", "data", "cards", "specimen.eid")
	if _, err := os.Stat(specimen); err != nil {
		t.Skip("../shared/data is absent: the specimen file is not read")
	}
	code, out, errs := eid(t, "read", "--file", specimen)
	wantCode(t, exitIndeterminate, code, out, errs)
	for _, want := range []string{"SPECIMEN", "Hamont-Achel", "? identity signed", "? address signed", "✓ photo", "NOT TRUSTED", "SHA-1"} {
		if !strings.Contains(out, want) {
			t.Errorf("specimen.eid: %q is missing in\n%s", want, out)
		}
	}
}

// TestChallenge: a chip that was to prove itself and did not is not trusted, whatever it says why.
func TestChallenge(t *testing.T) {
	for profile, want := range map[string]int{"citizen-1.8": exitOK, "citizen-1.7": exitIndeterminate, "citizen-1.1": exitIndeterminate} {
		code, out, errs := eid(t, "read", "--challenge", "--reader", testcardPrefix+profile, "--trust", rootOf(t, profile))
		wantCode(t, want, code, out, errs)
		if want != exitOK && !strings.Contains(out, "NOT PROVEN: chip proved that it is no copy") {
			t.Errorf("%s: the missing proof is not shown:\n%s", profile, out)
		}
	}
}

// TestReadRevocation: a card whose register's certificate nobody can be asked
// about is not trusted when it was to be asked about, and the hint on roots
// stays away.
func TestReadRevocation(t *testing.T) {
	args := []string{"read", "--json", "--reader", testcardPrefix + "citizen-1.8", "--trust", rootOf(t, "citizen-1.8")}
	code, out, errs := eid(t, args...)
	wantCode(t, exitOK, code, out, errs)
	code, out, errs = eid(t, append(args, "--revocation")...)
	wantCode(t, exitIndeterminate, code, out, errs)
	validate(t, "read.json", out)
	if !strings.Contains(out, "has been revoked could not be found out") || strings.Contains(errs, "--trust") {
		t.Errorf("%s\n%s", out, errs)
	}
	code, out, errs = eid(t, append(args, "--revocation", "--no-verify")...)
	wantCode(t, exitUsage, code, out, errs)
}

// TestDamagedCards reads cards with something missing or broken, through the same path as whole ones.
func TestDamagedCards(t *testing.T) {
	for name, test := range map[string]struct {
		damage func(*testcards.Card)
		code   int
		says   string
	}{
		"whole":                 {func(*testcards.Card) {}, exitOK, "✓ identity signed"},
		"no photo":              {func(c *testcards.Card) { c.SetFile(0x4035, nil) }, exitIndeterminate, "MISSING: the identity names a photo"},
		"no address":            {func(c *testcards.Card) { c.SetFile(0x4033, nil) }, exitIndeterminate, "MISSING: the card has a signature over an address"},
		"no chip key":           {func(c *testcards.Card) { c.SetFile(0x4040, nil) }, exitIndeterminate, "NOT PROVEN: chip key"},
		"no identity signature": {func(c *testcards.Card) { c.SetFile(0x4032, nil) }, exitIndeterminate, "NOT PROVEN: identity signed"},
		"broken identity": {func(c *testcards.Card) {
			b := c.File(0x4031)
			b[1] = 0xFE
			c.SetFile(0x4031, b)
		}, exitInvalid, "fail their checks"},
		"broken register certificate": {func(c *testcards.Card) {
			b := c.File(0x503C)
			b[0] = 0x31
			c.SetFile(0x503C, b)
		}, exitInvalid, "NOT TRUE"},
		"broken holder's certificate": {func(c *testcards.Card) { c.SetFile(0x5038, []byte{0x30, 0x82, 0xFF, 0xFF, 1}) }, exitOK, "✓ identity signed"},
	} {
		t.Run(name, func(t *testing.T) {
			sim, err := testcards.Open("citizen-1.8", testcards.Options{})
			if err != nil {
				t.Fatal(err)
			}
			test.damage(sim)
			var out, errs bytes.Buffer
			a := &app{streams: streams{strings.NewReader(""), &out, &errs}, lang: "en"}
			s, err := a.openIn(t.Context(), sim.Reader())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			anchors := &verify.Anchors{}
			anchors.Add(sim.Root())
			code := report(&errs, a.readOne(t.Context(), s, readFlags{}, anchors), "")
			wantCode(t, test.code, code, out.String(), errs.String())
			if text := out.String() + errs.String(); !strings.Contains(text, test.says) {
				t.Errorf("%q is missing in\n%s", test.says, text)
			}
		})
	}
}

// TestNothingMoreThanAsked: without the photo no photo is read, and a plain read leaves the holder's certificates alone.
func TestNothingMoreThanAsked(t *testing.T) {
	_, _, trace := eid(t, "read", "--reader", "testcard:citizen-1.8", "--no-photo", "--trace")
	for name, path := range map[string]string{"photo": "DF014035", "authentication certificate": "DF005038", "signature certificate": "DF005039"} {
		if strings.Contains(trace, path) {
			t.Errorf("the %s was read", name)
		}
	}
	if !strings.Contains(trace, "DF014031") {
		t.Error("no trace")
	}
}

// TestCertsVerifyWithOpenSSL: what eid certs writes is a chain that openssl accepts.
func TestCertsVerifyWithOpenSSL(t *testing.T) {
	openssl := tool(t, "openssl")
	for _, profile := range []string{"citizen-1.7", "citizen-1.8", "foreigner-1.8", "rekeyed-1.7"} {
		dir := t.TempDir()
		code, out, errs := eid(t, "certs", "--reader", testcardPrefix+profile, "--out", dir)
		wantCode(t, exitOK, code, out, errs)
		pem := func(name string) string { return filepath.Join(dir, name+".pem") }
		for _, args := range [][]string{
			{"verify", "-CAfile", pem("root"), "-untrusted", pem("ca"), pem("authentication")},
			{"verify", "-CAfile", pem("root"), "-untrusted", pem("ca"), pem("signature")},
			{"verify", "-CAfile", pem("root"), pem("rrn")},
		} {
			if out, err := exec.Command(openssl, args...).CombinedOutput(); err != nil {
				t.Errorf("%s: openssl %s: %v\n%s", profile, strings.Join(args, " "), err, out)
			}
		}
	}
	code, out, errs := eid(t, "certs", "--reader", "testcard:citizen-1.8", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "certs.json", out)
	code, out, errs = eid(t, "certs", "--reader", "testcard:kid-1.8", "signature")
	wantCode(t, exitFailure, code, out, errs)
}

func TestPhoto(t *testing.T) {
	code, out, errs := eid(t, "photo", "--reader", "testcard:citizen-1.8")
	wantCode(t, exitOK, code, out, errs)
	if c, err := jpeg.DecodeConfig(strings.NewReader(out)); err != nil || c.Width != 150 || c.Height != 195 {
		t.Errorf("%+v, %v", c, err)
	}
}

// tool finds an outside program; in CI it must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed: make test installs it", name)
		}
		t.Skipf("%s is not here: make test installs it", name)
	}
	return path
}
