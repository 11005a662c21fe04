package pages

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/internal/beidfile"
)

var languages = []string{"en", "nl", "fr", "de"}

// textTable is the tables of texts by key, each text in the order of languages.
func textTable(t *testing.T) map[string][4]string {
	t.Helper()
	all := map[string][4]string{}
	for name, body := range sources(t, "static/texts/", ".js") {
		object := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(body), "export default "), ";")
		var rows map[string][]string
		if err := json.Unmarshal([]byte(object), &rows); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := len(regexp.MustCompile(`(?m)^  "[^"]+": \[`).FindAllString(object, -1)); n != len(rows) {
			t.Errorf("%s: %d rows for %d keys: a key stands there twice", name, n, len(rows))
		}
		for key, row := range rows {
			if _, twice := all[key]; twice {
				t.Errorf("%s: %s stands in another table too", name, key)
			}
			if len(row) != len(languages) {
				t.Errorf("%s: %s has %d texts, not one in each language", name, key, len(row))
				continue
			}
			all[key] = [4]string(row)
		}
	}
	if len(all) < 300 {
		t.Fatalf("only %d texts were found", len(all))
	}
	return all
}

// sources are the static files below a folder with an ending; what others wrote is left out.
func sources(t *testing.T, folder, ending string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(static, strings.TrimSuffix(folder, "/"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ending && ending != "" || strings.HasPrefix(name, "static/pdfjs/") {
			return err
		}
		b, err := fs.ReadFile(static, name)
		found[name] = string(b)
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s under %s: %v", ending, folder, err)
	}
	return found
}

// sameEverywhere are the words that another language has in the spelling of the
// English one, by key and language; "*" is every language.
var sameEverywhere = map[string]string{
	// names, and terms of the field
	"index.title": "*", "sign.digest": "*", "difference.ct1": "fr de", "difference.ct2": "fr de", "insurance.codes": "fr de", "pin.heading": "de",
	// words that the languages share
	"nav.index": "nl de", "nav.label": "fr", "nav.messages": "fr", "index.agent": "*", "mode.chip": "nl de", "mode.vignette": "fr",
	"paper.vignette": "fr", "certname.root": "nl", "certname.signature": "fr",
	"certificate.status": "nl de", "log.filter": "nl de", "insurance.patient": "fr de", "insurance.source": "fr", "insurance.sourceTitle": "fr",
	"report.form": "de", "sign.format": "de", "report.organisation": "de", "stamp.document": "nl fr",
	"stamp.signature": "fr", "stamp.archive": "fr", "stamp.container": "nl de", "card.photoField": "fr",
	"property.photo": "fr", "report.signatures.other": "fr", "ask.frame": "nl",
}

// TestTexts: each text is there in each language and is a translation, not a copy.
func TestTexts(t *testing.T) {
	t.Parallel()
	table := textTable(t)
	needed := map[string]bool{}
	for key, row := range table {
		same := strings.Fields(sameEverywhere[key])
		for i, text := range row {
			switch lang := languages[i]; {
			case strings.TrimSpace(text) == "" || text != strings.TrimSpace(text):
				t.Errorf("%s has no text in %s, or one with spaces around it", key, lang)
			case !slices.Equal(placeholders(text), placeholders(row[0])):
				t.Errorf("%s has in %s the values %v, in English %v", key, lang, placeholders(text), placeholders(row[0]))
			case strings.Contains(text, "'"):
				t.Errorf("%s has in %s a typewriter's apostrophe", key, lang)
			case i > 0 && text == row[0]:
				needed[key] = true
				if !slices.Contains(same, lang) && !slices.Contains(same, "*") && !ofTheCards(key, i, text) {
					t.Errorf("%s is in %s the same as in English: %q", key, lang, text)
				}
			}
		}
	}
	for key := range sameEverywhere {
		if !needed[key] {
			t.Errorf("%s is among the exceptions and needs none", key)
		}
	}
}

// placeholders are the {names} in a text, sorted.
func placeholders(text string) []string {
	found := regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1)
	slices.Sort(found)
	return found
}

// ofTheCards tells whether a text is the label that internal/beidfile has, where
// they are compared by its own test.
func ofTheCards(key string, language int, text string) bool {
	label, known := cardLabel(key, languages[language])
	return known && label == text
}

// cardLabel is what internal/beidfile says for a key of the table of the card.
func cardLabel(key, lang string) (string, bool) {
	prefix, code, _ := strings.Cut(key, ".")
	typographic := func(s string) (string, bool) { return strings.ReplaceAll(s, "'", "’"), true }
	switch prefix {
	case "field":
		return typographic(beidfile.Label(strings.Replace(code, "Vat", "VAT", 1), lang))
	case "document":
		return typographic(beidfile.DocumentType(code).Label(lang))
	case "status":
		return typographic(beidfile.SpecialStatus(code).Label(lang))
	case "workPermit", "brexitMention1", "brexitMention2", "cardAMention1", "cardAMention2", "specialOrganisation":
		return typographic(beidfile.CodeLabel(prefix, code, lang))
	}
	return "", false
}

// TestCardTexts: the pages say of a card what the command says.
func TestCardTexts(t *testing.T) {
	t.Parallel()
	compared := 0
	for key, row := range textTable(t) {
		for i, lang := range languages {
			if want, known := cardLabel(key, lang); known {
				compared++
				if row[i] != want {
					t.Errorf("%s in %s is %q, the command says %q", key, lang, row[i], want)
				}
			}
		}
	}
	if compared < 300 {
		t.Errorf("only %d texts were compared", compared)
	}
	table := textTable(t)
	for _, name := range access.IdentityFields() {
		if _, there := table["field."+name]; !there && !slices.Contains(unshown, name) {
			t.Errorf("the field %s of the identity has no text", name)
		}
	}
}

// unshown are the fields that pages name together with another, or as they are: digests and versions, for programs.
var unshown = []string{"birthDateText", "validFrom", "validUntil", "graphicalVersion", "photoHash", "basicKeyHash", "structureVersion", "data"}

// TestFaultTexts: the log says of a code what the agent says.
func TestFaultTexts(t *testing.T) {
	t.Parallel()
	table := textTable(t)
	for _, f := range protocol.Faults() {
		for i, lang := range languages {
			if got := table["code."+string(f.Code)][i]; got != f.Text[lang] {
				t.Errorf("%s in %s is %q, the agent says %q", f.Code, lang, got, f.Text[lang])
			}
		}
	}
}

var (
	quoted   = regexp.MustCompile(`['"]([\w-]+(?:\.[^'"\s]+)+)['"]`)
	direct   = regexp.MustCompile(`\bt\(\s*'([^']+)'\s*[,)]|data-t(?:-label|-title|-placeholder)?="([^"]+)"`)
	plural   = regexp.MustCompile(`\btn\(\s*'([^']+)'`)
	prefixed = regexp.MustCompile(`\b(?:(?:tv|known|coded)\(\s*'([^']+\.)'|t\(\s*'([^']+\.)'\s*\+)`)
)

// TestTextsUsed: every key that a page names is there, and every key that is there is named.
func TestTextsUsed(t *testing.T) {
	t.Parallel()
	table := textTable(t)
	used, prefixes := map[string]bool{}, map[string]bool{}
	for name, body := range sources(t, "static", "") {
		if strings.HasPrefix(name, "static/texts/") || name == "static/i18n.js" || path.Ext(name) != ".js" && path.Ext(name) != ".html" {
			continue // i18n.js speaks of texts and has none
		}
		for _, m := range direct.FindAllStringSubmatch(body, -1) {
			if key := m[1] + m[2]; table[key] == [4]string{} {
				t.Errorf("%s names the text %s, which is not there", name, key)
			}
		}
		for _, m := range plural.FindAllStringSubmatch(body, -1) {
			for _, form := range []string{".one", ".other"} {
				used[m[1]+form] = true
				if table[m[1]+form] == [4]string{} {
					t.Errorf("%s names the text %s, which is not there", name, m[1]+form)
				}
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(body, -1) {
			used[m[1]] = true
		}
		for _, m := range prefixed.FindAllStringSubmatch(body, -1) {
			prefixes[m[1]+m[2]] = true
		}
	}
	for key := range table {
		of := slices.ContainsFunc(slices.Collect(maps.Keys(prefixes)), func(p string) bool { return strings.HasPrefix(key, p) })
		if !used[key] && !of {
			t.Errorf("no page uses the text %s", key)
		}
	}
	for p := range prefixes {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(table)), func(key string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("pages look for texts that begin with %s, and there are none", p)
		}
	}
}

// TestSchemaTexts: each word that a schema allows has a text where a page shows it.
func TestSchemaTexts(t *testing.T) {
	t.Parallel()
	table := textTable(t)
	for _, c := range []struct{ file, pointer, prefix string }{
		{"insurability", "properties/status", "answer."},
		{"insurability", "properties/status", "do."},
		{"insurability", "properties/tariff", "tariff."},
		{"insurability", "properties/service", "service."},
		{"insurability", "properties/event", "event."},
		{"insurability", "properties/warnings/items", "warning."},
		{"insurability", "properties/transfers/items/properties/direction", "transfer."},
		{"insurability", "properties/differences/items/properties/field", "difference."},
		{"insurability", "properties/asked/properties/reading/properties/mode", "mode."},
		{"insurability", "properties/person/properties/sex", "sex."},
		{"read", "properties/identity/properties/sex", "sex."},
		{"read", "$defs/check/properties/status", "check."},
		{"verify", "$defs/indication", "indication."},
		{"verify", "$defs/indication", "fileverdict."},
		{"verify", "$defs/indication", "fileverdictText."},
		{"verify", "$defs/indication", "certstatus."},
		{"verify", "properties/error", "fileverdict."},
		{"verify", "properties/error", "fileverdictText."},
		{"verify", "$defs/revocation/properties/status", "revocation."},
		{"verify", "$defs/timestamp/properties/kind", "stamp."},
	} {
		words := enum(t, c.file, c.pointer)
		for _, w := range words {
			key := c.prefix + w
			if w == "CACHED_ANSWER" { // it has a box of its own
				key = "insurance.cached"
			}
			if table[key] == [4]string{} {
				t.Errorf("docs/schema/%s.json allows %s, and there is no text %s", c.file, w, key)
			}
		}
	}
}

// enum is the words that a schema allows in a place.
func enum(t *testing.T, file, pointer string) []string {
	t.Helper()
	b, err := os.ReadFile("../../docs/schema/" + file + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var node any
	if err := json.Unmarshal(b, &node); err != nil {
		t.Fatal(err)
	}
	for _, step := range strings.Split(pointer, "/") {
		object, _ := node.(map[string]any)
		node = object[step]
	}
	object, _ := node.(map[string]any)
	list, _ := object["enum"].([]any)
	if len(list) == 0 {
		t.Fatalf("docs/schema/%s.json has no words at %s", file, pointer)
	}
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = fmt.Sprint(w)
	}
	return words
}

// TestReasons: the sentences that have a translation are still those of verify/carddata.
func TestReasons(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	files, err := fs.Glob(os.DirFS("../../verify/carddata"), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile("../../verify/carddata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	var said string
	for _, what := range []string{"identity", "address", "photo"} {
		said += strings.ReplaceAll(all.String(), `"+what+"`, what)
	}
	n := 0
	for key := range textTable(t) {
		if sentence, is := strings.CutPrefix(key, "reason."); is {
			n++
			if !strings.Contains(said, `"`+sentence+`"`) {
				t.Errorf("verify/carddata no longer says %q", sentence)
			}
		}
	}
	if n == 0 {
		t.Error("no sentence has a translation")
	}
}

// goSource is the Go code of a package of this module, without its tests.
func goSource(t *testing.T, dir string) string {
	t.Helper()
	files, err := fs.Glob(os.DirFS("../../"+dir), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(dir, files, err)
	}
	var all strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile("../../" + dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// TestCodesHaveTexts: what signing warns of and what was changed in a PDF, by code, have words in each language.
func TestCodesHaveTexts(t *testing.T) {
	t.Parallel()
	table := textTable(t)
	for _, c := range []struct{ prefix, dir, code string }{
		{"signwarning.", "sign", `(?:\.warn\(|code, text = )"([A-Z_]+)"`},
		{"signwarning.", "internal/ades/pades", `Code:\s+"([A-Z_]+)"`},
		{"change.", "internal/pdf/pdfdiff", `Kind\s+= "([a-z-]+)"`},
	} {
		found := map[string]bool{}
		for _, m := range regexp.MustCompile(c.code).FindAllStringSubmatch(goSource(t, c.dir), -1) {
			found[m[1]] = true
			if table[c.prefix+m[1]] == [4]string{} {
				t.Errorf("%s has the code %s, and there is no text %s", c.dir, m[1], c.prefix+m[1])
			}
		}
		if len(found) == 0 {
			t.Errorf("no code was found in %s", c.dir)
		}
	}
}

// TestOddities: the sentences about odd cards that the viewer knows again are still those that are said.
func TestOddities(t *testing.T) {
	t.Parallel()
	for dir, sentence := range map[string]string{"agent/reading": `"the card is no longer valid"`, "niss": `"national number: %w"`,
		"card/beid": `"applet version %X.%X is newer than this program knows`} {
		if !strings.Contains(goSource(t, dir), sentence) {
			t.Errorf("%s no longer says %s", dir, sentence)
		}
	}
	if !strings.Contains(goSource(t, "card/beid"), `"the %s is not activated"`) {
		t.Error("card/beid no longer says what is not activated")
	}
}
