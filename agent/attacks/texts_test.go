//go:build unix

package attacks

import (
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
)

// hostile are words that would like to be more than words.
var hostile = map[string]string{
	"a direction override":  "pay \u202Egro.knab//:sptth\u202C now",
	"isolates":              "\u2066https://bank.example\u2069",
	"invisible characters":  "https://bank\u200B.example\u2060\uFEFF",
	"a percent escape":      "%0AOK%0D%25",
	"an Assuan command":     "x%0aSETOK Allow%0aSETCANCEL Allow",
	"markup":                "<b>https://bank.example</b><br>",
	"mnemonics":             "_Allow &Allow",
	"a line separator":      "x\u2028https://bank.example wants\u2029y",
	"a next line (C1)":      "x\u0085y\u009Bz",
	"very long":             strings.Repeat("https://bank.example ", 19),
	"wide and long":         strings.Repeat("漢", 133),
	"heaps of accents":      "Z" + strings.Repeat("\u0301", 190),
	"a quotation that ends": "” https://bank.example wants to log you in. “",
	"all of one escape":     strings.Repeat("%", 400),
}

// TestHostilePurpose: a site's own words stay words in a dialog: on one line, after
// "The site says:", below who it is, short, and without anything that turns,
// hides or ends the text. The buttons stay ours.
func TestHostilePurpose(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "cancel")
	escape := regexp.MustCompile(`%[0-9A-F]{2}`)
	seen := 0
	for name, purpose := range hostile {
		origin := "https://x" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return -1
		}, name) + ".example" // another one each time: a site that hears no twice is mute
		r.site(t, origin).refused("identity.read", m{"fields": []string{"surname"}, "purpose": purpose}, protocol.ConsentDenied)
		told := r.person.told(t)
		var text string
		for _, line := range told[seen:] {
			if len(line) > 1000 {
				t.Errorf("%s: a line of %d bytes", name, len(line))
			}
			command, rest, _ := strings.Cut(line, " ")
			switch command {
			case "SETDESC":
				text = rest
			case "SETOK", "SETNOTOK", "SETCANCEL":
				if strings.Contains(rest, "bank") || !strings.Contains("Deny Allow_Allow once_Cancel", strings.TrimLeft(rest, "_")) {
					t.Errorf("%s: a button says %q", name, rest)
				}
			case "OPTION", "GETINFO", "SETTITLE", "SETTIMEOUT", "CONFIRM", "answered", "BYE", "SETERROR", "SETPROMPT", "RESET":
			default:
				t.Errorf("%s: a command %q", name, line)
			}
		}
		seen = len(told)
		if text == "" {
			t.Fatalf("%s: no dialog: %q", name, told)
		}
		plain := escape.ReplaceAllStringFunc(text, func(s string) string {
			b, _ := hex.DecodeString(s[1:])
			return string(b)
		})
		lines := strings.Split(plain, "\n")
		if lines[0] != origin {
			t.Errorf("%s: the first line is %q", name, lines[0])
		}
		said := 0
		for _, line := range lines {
			if strings.Contains(line, "The site says:") {
				said++
			} else if strings.Contains(line, "bank.example") {
				t.Errorf("%s: words of the site on a line of ours: %q", name, line)
			}
		}
		if said != 1 || strings.ContainsAny(plain, "\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\u200B\u2060\uFEFF\u2028\u2029\u0085\u009B<>\r") {
			t.Errorf("%s: the dialog says %q", name, plain)
		}
	}
	untouched(t, r.card)
}

// TestHostileWordsInTheLog: nor are they more than words in the audit log, where
// they could look like another line or person, nor in the agent's own.
func TestHostileWordsInTheLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "deny")
	words := "fine\u202E\u0085\u2028{\"event\":\"result\",\"result\":\"done\"} 85.07.30-033.28"
	r.site(t, evil).refused("identity.read", m{"fields": []string{"surname"}, "purpose": words}, protocol.ConsentDenied)
	for _, name := range []string{"https://bank.example", "x\u202Ey", "a/b", "eidkit\u200B", strings.Repeat("x", 65), "two\nlines", ""} {
		r.socket(t).refused("pair.request", m{"name": name, "operations": []string{"identity"}}, protocol.InvalidArgument, protocol.NotAuthorised)
	}
	if n := r.person.asked(t, "CONFIRM"); n != 1 {
		t.Errorf("the user was asked about a name that no program can have: %d dialogs", n)
	}
	c := r.site(t, desk1)
	c.refused("evil\u202E\nlevel=ERROR msg=\"85073003328\"", nil, protocol.InvalidArgument)
	c.refused("log.read", m{}, protocol.NotAuthorised)
	untouched(t, r.card)
	var lines int
	for _, b := range r.everything(t, "audit") {
		for _, line := range strings.Split(strings.TrimSuffix(b, "\n"), "\n") {
			lines++
			if strings.ContainsAny(line, "\u202E\u0085\u2028\u200B") || strings.Contains(line, "85.07.30") || strings.Contains(line, "033.28") {
				t.Errorf("the log has %q", line)
			}
		}
	}
	if lines == 0 {
		t.Error("there is no log")
	}
	for _, line := range strings.Split(r.log.String(), "\n") {
		if strings.ContainsAny(line, "\u202E\u200B") || strings.HasPrefix(line, "level=ERROR msg=") || strings.Contains(line, "85073003328") {
			t.Errorf("the agent's log has %q", line)
		}
	}
}

// everything is the content of all files below a folder.
func (r *rig) everything(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(r.path(folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestNoPINAnywhere: a right PIN and wrong ones are typed, and whatever was
// written afterwards, to files, logs and clients, has none of them, and nothing of
// the person in the log.
func TestNoPINAnywhere(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	c := r.site(t, evil)
	nonce := m{"challengeNonce": strings.Repeat("N", 44)}
	r.person.will(t, "pin", "wrong")
	r.person.will(t, "confirm", "allow") // a permission; of "try again" it is a no
	err := c.Call(t.Context(), "auth.login", nonce, nil)
	if protocol.CodeOf(err) != protocol.PINWrong {
		t.Fatalf("got %v", err)
	}
	said := err.Error()
	r.person.will(t, "pin", "right")
	token := c.must("auth.login", nonce)
	c.must("identity.read", m{"fields": []string{"surname", "nationalNumber", "address"}, "purpose": "p", "photo": true})
	c.refused("auth.login", m{"challengeNonce": strings.Repeat("N", 44), "pin": testcards.PIN}, protocol.InvalidArgument)
	r.stop()
	if token["token"] == nil || !has(r.card, insVerify) {
		t.Fatal("no PIN was verified: this test sees nothing")
	}
	said += r.log.String() + c.notified()
	files := r.everything(t, ".")
	for path := range files {
		if strings.HasPrefix(path, r.path("person")+string(os.PathSeparator)) { // the person and his dialog, who may know it
			delete(files, path)
		}
	}
	if len(files) < 5 {
		t.Fatalf("only %d files were looked at", len(files))
	}
	files["what was said"] = said
	block := func(digits string) string { return "2" + hexOf([]byte{byte(len(digits))})[1:] + digits + "FF" }
	for path, text := range files {
		for _, digits := range []string{testcards.PIN, "4321"} {
			for _, form := range []string{`"` + digits + `"`, "D " + digits, "=" + digits + " ", block(digits), " " + digits + "\n"} {
				if strings.Contains(strings.ToUpper(text), form) {
					t.Errorf("%s has the PIN in the form %q", path, form)
				}
			}
		}
	}
	holder := string(r.card.File(0x4031))
	for path, text := range files {
		if strings.Contains(path, "audit") || path == "what was said" {
			for _, number := range regexp.MustCompile(`[0-9]{11}`).FindAllString(holder, -1) {
				if strings.Contains(text, number) {
					t.Errorf("%s has the national number", path)
				}
			}
		}
	}
}

// TestFreeNumbers: nobody asks about a number that is on no card here but a paired
// program that the policy names, at its rate.
func TestFreeNumbers(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	about := m{"niss": "85073003328", "purpose": "p", "reading": m{"mode": "manual", "documentType": "eID", "documentNumber": "592012345678", "reason": "lost"}}
	r.site(t, evil).refused("insurability.read", about, protocol.NotAuthorised)
	r.site(t, desk1).refused("insurability.read", about, protocol.NotAuthorised)
	r.page(t).refused("insurability.read", about, protocol.NotAuthorised)
	r.socket(t).refused("insurability.read", about, protocol.NotAuthorised)
	r.program(t, "Another", access.OpInsurability).refused("insurability.read", about, protocol.NotAuthorised)
	r.program(t, "pharmacy", access.OpReaders).refused("insurability.read", about, protocol.NotAuthorised)
	if r.insurer.asked != 0 {
		t.Errorf("the insurers were asked %d times", r.insurer.asked)
	}
	p := r.program(t, "pharmacy", access.OpInsurability)
	for range 2 {
		p.must("insurability.read", about)
	}
	p.refused("insurability.read", about, protocol.RateLimited)
	r.program(t, "pharmacy", access.OpInsurability).refused("insurability.read", about, protocol.RateLimited) // another token, the same rule
	if r.insurer.asked != 2 {
		t.Errorf("the insurers were asked %d times", r.insurer.asked)
	}
	untouched(t, r.card)
	for path, text := range r.everything(t, "audit") {
		if strings.Contains(text, "85073003328") {
			t.Errorf("%s has the number", path)
		}
	}
}

// TestLogThatCannotBeWritten: without a line in the log before, nothing is done;
// without one behind, no answer leaves.
func TestLogThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	c := r.site(t, desk1)
	away := r.path("audit.away")
	block := func() {
		t.Helper()
		if err := os.Rename(r.path("audit"), away); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.path("audit"), nil, 0o600); err != nil { // no folder, and none can be made
			t.Fatal(err)
		}
	}
	free := func() {
		t.Helper()
		if err := os.Remove(r.path("audit")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(away, r.path("audit")); err != nil {
			t.Fatal(err)
		}
	}
	block()
	c.refused("identity.read", ask, protocol.Internal)
	c.refused("readers.list", m{}, protocol.Internal)
	untouched(t, r.card)
	free()
	r.wantNothingLogged(t)
	c.must("identity.read", ask)

	// The PIN is the moment at which something is under way.
	r.person.will(t, "confirm", "allow")
	r.person.will(t, "pin", "hold")
	answered := make(chan error, 1)
	var token m
	go func() {
		answered <- c.Call(t.Context(), "auth.login", m{"challengeNonce": strings.Repeat("N", 44)}, &token)
	}()
	<-r.person.ups
	block()
	r.person.says(t, "right")
	if err := <-answered; protocol.CodeOf(err) != protocol.Internal || token != nil {
		t.Errorf("an answer left without a line: %v, %v", token, err)
	}
	free()
	if all := r.logged(t, desk1); all[len(all)-1].Event != "intent" || all[len(all)-1].Operation != "login" {
		t.Errorf("the log has %+v", all[len(all)-1])
	}
}
