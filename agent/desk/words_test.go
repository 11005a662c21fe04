//go:build unix

package desk

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/eidkit/eidkit/agent/access"
)

// same are the texts that are rightly equal to the English ones, by language.
var same = map[string][]string{
	"nl": {"bytes"},
}

// Four languages are four.
func TestFourLanguages(t *testing.T) {
	t.Parallel()
	check := func(key string, row [4]string) {
		for i, text := range row {
			if strings.TrimSpace(text) == "" || text != strings.TrimSpace(text) {
				t.Errorf("%s: no text in %s: %q", key, languages[i], text)
			}
			if i > 0 && text == row[0] != slices.Contains(same[languages[i]], key) {
				t.Errorf("%s: %q in %s and in English: is that right?", key, text, languages[i])
			}
			if strings.Count(text, "%d") != strings.Count(row[0], "%d") {
				t.Errorf("%s: %q in %s has not the values of the English text", key, text, languages[i])
			}
		}
	}
	for key, row := range table {
		check(key, row)
	}
	for key, row := range fieldsOfTheEID {
		check("field "+key, row)
	}
}

func TestEverythingHasWords(t *testing.T) {
	t.Parallel()
	for _, f := range append(access.IdentityFields(), access.FieldPhoto) {
		if _, known := fieldsOfTheEID[f]; !known {
			t.Errorf("no words for the field %s", f)
		}
	}
	for f := range fieldsOfTheEID {
		if f != access.FieldPhoto && !slices.Contains(access.IdentityFields(), f) {
			t.Errorf("words for %s, which is no field", f)
		}
	}
	for _, o := range []access.Operation{access.OpReaders, access.OpIdentity, access.OpInsurability, access.OpLogin, access.OpCertificate, access.OpSignHash,
		access.OpSignDocument, access.OpVerify, access.OpPINStatus, access.OpPINChange, access.OpPair, access.OpOwn} {
		if strings.HasPrefix(operation(o, "en"), say("op.other", "en")) {
			t.Errorf("no words for the operation %s", o)
		}
	}
	if got := operation("new\noperation", "nl"); got != "wil: new operation" {
		t.Errorf("%q", got)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string]string{"": "en", "e": "en", "nl": "nl", "NL_be.UTF-8": "nl", "fr-BE": "fr", "de@euro": "de", "nlx": "en", "es": "en"} {
		if got := shortLanguage(locale); got != want {
			t.Errorf("%q: %s", locale, got)
		}
	}
}

func TestWho(t *testing.T) {
	t.Parallel()
	long := "https://portal.bank.example." + strings.Repeat("aaaaaaaa.", 20) + "evil.example:8443"
	program := access.Client{Kind: access.Program, Name: "Pharmacy\u202e\nhttps://portal.example", Executable: "/opt/ph\x1barm/bin"}
	extension := site(t, "https://portal.example")
	extension.Kind = access.Extension
	for name, test := range map[string]struct {
		client access.Client
		want   string
	}{
		"site":       {site(t, "https://portal.example"), "https://portal.example"},
		"A-label":    {site(t, "https://bücher.example"), "https://xn--bcher-kva.example"},
		"extension":  {extension, "https://portal.example\n(as the Web eID browser extension says)"},
		"program":    {program, "/opt/ph arm/bin"},
		"no program": {access.Client{Kind: access.Program, Name: "https://portal.example"}, "A program that could not be identified"},
		"own page":   {access.Client{Kind: access.Page}, "eidkit, on this computer"},
	} {
		if got := who(test.client, "en"); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(test.want, " ", "") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := who(site(t, long), "en"); !strings.HasPrefix(got, "https://…") || !strings.HasSuffix(got, "aaaa.evil.example:8443") || utf8.RuneCountInString(got) > maxOrigin {
		t.Errorf("%q", got)
	}
}

// What a client says stands below what the agent says, one line each, and looks like nothing else.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	c := Consent{Client: site(t, "https://evil.example"), Operation: access.OpSignHash, HashOnly: true, TriesLeft: 1,
		Purpose: "x\nhttps://portal.example\nReader: trusted \u202eevil\x00" + strings.Repeat("y", 1000)}
	p := permission(c, "en")
	want := "https://evil.example\nwants you to sign something.\n\nOnly a checksum was handed over: the content that you would sign cannot be shown.\n" +
		"Last try: a wrong PIN will block the card."
	if p.Text != want {
		t.Errorf("%q", p.Text)
	}
	if len(p.About) != 1 || !strings.HasPrefix(p.About[0], "The site says: “x https://portal.example Reader: trusted evil") || strings.ContainsAny(p.About[0], "\n\u202e\x00") {
		t.Errorf("%q", p.About)
	}
	if got := pinFrom(c, "en"); got != "https://evil.example\nOnly a checksum was handed over: the content that you would sign cannot be shown." {
		t.Errorf("%q", got)
	}
	program := Consent{Client: access.Client{Kind: access.Program, Name: "Ph", Executable: "/opt/ph"}, Operation: access.OpPair, Purpose: "p"}
	if p := permission(program, "fr"); !slices.Equal(p.About, []string{"Le programme dit : “p”", "Programme : Ph"}) {
		t.Errorf("%q", p.About)
	}
}

func TestDocumentWords(t *testing.T) {
	t.Parallel()
	c := signing(t)
	c.Documents[0].Active = []string{"script", "script", "unheard of"}
	p := permission(c, "de")
	want := "https://portal.example\nmöchte, dass Sie ein Dokument unterschreiben.\n\nDas Dokument enthält Programmcode (Skript).\n"
	if !strings.HasPrefix(p.Text, want) || !strings.HasSuffix(p.Text, "\nSHA-256 "+strings.Repeat("ab", 32)) || strings.Count(p.Text, "Das Dokument") != 2 {
		t.Errorf("%q", p.Text)
	}
	if !slices.Equal(p.About, []string{"contract.txt, 10 Byte"}) {
		t.Errorf("%q", p.About)
	}
	for range 4 {
		c.Documents = append(c.Documents, c.Documents[0])
	}
	if p = permission(c, "nl"); len(p.About) != 4 || p.About[3] != "en nog 2" || strings.Contains(p.Text, "SHA-256") {
		t.Errorf("%q", p)
	}
}

// Every set of fields that the card has fits in a dialog, in every language, with the longest origin.
func TestAllFieldsFit(t *testing.T) {
	t.Parallel()
	host := "https://" + strings.Repeat("a.", 120) + "example:65535"
	c := Consent{Client: site(t, host), Operation: access.OpInsurability, Fields: append(access.IdentityFields(), access.FieldPhoto), Purpose: strings.Repeat("é", 500),
		TriesLeft: 1, MayRemember: true}
	for _, l := range languages {
		p := permission(c, l)
		if len(p.Text) > 985-6*strings.Count(p.Text, "\n") {
			t.Errorf("%s: %d bytes do not fit in a line of the dialog program", l, len(p.Text))
		}
	}
	if got := fieldWords([]string{"birthDate", "birthDateText", "surname", "x\ny"}, "en"); !slices.Equal(got, []string{"date of birth", "surname", "x y"}) {
		t.Errorf("%q", got)
	}
}

func FuzzPermission(f *testing.F) {
	f.Add("prefill", "contract.pdf", "ACS ACR38U", "surname", "script", "/usr/bin/x")
	f.Add("\u202e\n\x00", "../../\u2028.pdf", "%0A", "\xff", "", "")
	f.Add(strings.Repeat("z\u0301", 3000), strings.Repeat("n", 3000), "", "photo", "unheard", "https://portal.example")
	f.Fuzz(func(t *testing.T, purpose, name, reader, field, active, executable string) {
		c := Consent{Client: access.Client{Kind: access.Program, Name: name, Executable: executable}, Operation: access.Operation(field), Fields: []string{field},
			Purpose: purpose, Reader: reader, Card: name, Documents: []Document{{Name: name, SHA256: purpose, Active: []string{active}}}, MayRemember: true}
		for _, l := range languages {
			p := permission(c, l)
			lines := strings.Split(p.Text, "\n")
			if lines[0] != who(c.Client, l) || lines[1] != operation(c.Operation, l) || len(lines) > 12 {
				t.Errorf("%q", p.Text)
			}
			for _, line := range append(lines, p.About...) {
				if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) || !utf8.ValidString(line) {
					t.Errorf("%q", line)
				}
			}
		}
		i := consentItem(c)
		for _, s := range []string{i.Purpose, i.Reader, i.Client.Name, i.Client.Executable, i.Documents[0].Name, i.Fields[0].Says["nl"]} {
			if strings.ContainsFunc(s, unicode.IsControl) || utf8.RuneCountInString(s) > maxPurpose {
				t.Errorf("%q", s)
			}
		}
	})
}

// A pairing says what it would give in the user's language, and a signature what is signed beside the document.
func TestPairAndStatementWords(t *testing.T) {
	t.Parallel()
	pair := Consent{Client: access.Client{Kind: access.Program, Executable: "/opt/ph"}, Operation: access.OpPair, Fields: []string{"readers", "identity", "insurability", "x\ny"}}
	if p := permission(pair, "nl"); !strings.Contains(p.Text, "alle gegevens van identiteitskaarten behalve de foto") || strings.Contains(p.Text, "readers") ||
		strings.Contains(p.Text, "insurability") || !strings.Contains(p.Text, "x y") {
		t.Errorf("%q", p.Text)
	}
	if i := consentItem(pair); i.Fields[1].Says["de"] != say("pair.identity", "de") {
		t.Errorf("%+v", i.Fields)
	}
	c := signing(t)
	c.Statements = []Statement{{StatementReason, "I owe\n\u202e a million"}, {"unheard of", "x"}, {StatementRole, ""}}
	want := []string{"Mitunterschrieben, Grund: “I owe a million”", "Mitunterschrieben: “x”", "contract.txt, 10 Byte"}
	if p := permission(c, "de"); !slices.Equal(p.About, want) {
		t.Errorf("%q", p.About)
	}
	for level, text := range map[string]string{"1": "darf nichts mehr daran geändert werden.", "2": "Formulare ausgefüllt und Unterschriften", "3": "Anmerkungen"} {
		c := signing(t)
		c.Statements = []Statement{{StatementCertify, level}}
		if p := permission(c, "de"); len(p.About) != 2 || !strings.Contains(p.About[0], text) || strings.Contains(p.About[0], level) {
			t.Errorf("certification %s: %q", level, p.About)
		}
		if i := consentItem(c); i.Statements[0].Text != "" || !strings.Contains(i.Statements[0].Says["de"], text) || i.Statements[0].Kind != "certify" {
			t.Errorf("certification %s: %+v", level, i.Statements)
		}
	}
	if i := consentItem(c); i.Statements[0].Text != "I owe a million" || i.Statements[0].Says["fr"] != say("signs.reason", "fr") {
		t.Errorf("%+v", i.Statements)
	}
}
