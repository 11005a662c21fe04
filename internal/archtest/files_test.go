package archtest

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// left is what must not stay in the repository, and why. The words are put together here so that this file does not hold them.
var left = []struct {
	words []string // one of them is in every text that matches, and is found much faster than that
	what  *regexp.Regexp
	why   string
}{
	{[]string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"}, regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`), "work left over belongs in an issue"},
	{[]string{"<<<<" + "<<<", ">>>>" + ">>>", "====" + "==="}, regexp.MustCompile(`(?m)^(<{7}|>{7}|={7})( |$)`), "a merge was not finished"},
	{[]string{"/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/", `:\Us` + `ers\`},
		regexp.MustCompile(`(^|[\s"'` + "`" + `(=:])(/wo` + `rk|/root|/home/\w+|/Users/\w+)/|[A-Z]:\\Users\\`), "a path of one machine"},
	{[]string{"ipsum", "Ipsum", "IPSUM"}, regexp.MustCompile(`(?i)lorem` + ` ipsum`), "text nobody wrote"},
	{[]string{"PRIVATE" + " KEY"}, regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE` + ` KEY-----`), "a private key: those for tests are in testcards/pki, and nowhere else"},
}

// mayHold are the files that may, by the beginning of their path.
var mayHold = []exception{
	{"testcards/pki/", "PRIVATE" + " KEY", "RSA keys take long to make, so the test PKI has a pool of them"},
	{"agent/pages/static/pdfjs/", "X" + "XX", "pdf.js is in the tree byte for byte as its makers publish it"},
}

// leftovers complains of text that must not be committed.
func leftovers(files []file) (complaints []string) {
	for _, f := range files {
		for _, l := range left {
			if !slices.ContainsFunc(l.words, func(w string) bool { return strings.Contains(f.text, w) }) {
				continue
			}
			at := l.what.FindStringIndex(f.text)
			if at == nil {
				continue
			}
			found := strings.TrimSpace(f.text[at[0]:at[1]])
			if !slices.ContainsFunc(mayHold, func(e exception) bool { return strings.HasPrefix(f.path, e.path) && strings.Contains(found, e.name) }) {
				line := 1 + strings.Count(f.text[:at[0]], "\n")
				complaints = append(complaints, fmt.Sprintf("%s:%d: %q: %s", f.path, line, found, l.why))
			}
		}
	}
	return complaints
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// deadLinks complains of links in Markdown files to files that are not there.
func deadLinks(files []file) (complaints []string) {
	there := map[string]bool{}
	for _, f := range files {
		for p := f.path; p != "."; p = path.Dir(p) {
			there[p] = true
		}
	}
	for _, f := range files {
		if !strings.HasSuffix(f.path, ".md") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(f.text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, ":") {
				continue
			}
			if p := path.Join(f.dir(), target); !there[p] {
				complaints = append(complaints, fmt.Sprintf("%s: link to %s, which is not there", f.path, m[1]))
			}
		}
	}
	return complaints
}

// modules are those that go.mod may name. Direct ones have their reason in docs/design.md; of the others it is said here who needs them.
var modules = map[string]string{
	"filippo.io/age":                           "",
	"github.com/ebfe/scard":                    "",
	"github.com/spf13/cobra":                   "",
	"github.com/pelletier/go-toml/v2":          "",
	"github.com/santhosh-tekuri/jsonschema/v6": "",
	"golang.org/x/crypto":                      "",
	"golang.org/x/net":                         "",
	"golang.org/x/sys":                         "",
	"golang.org/x/term":                        "",
	"github.com/ProtonMail/go-crypto":          "",
	"golang.org/x/text":                        "",
	"golang.org/x/image":                       "",
	"github.com/VictoriaMetrics/metrics":       "",
	"github.com/gorilla/websocket":             "",
	"github.com/miekg/pkcs11":                  "",
	"software.sslmate.com/src/go-pkcs12":       "",
	"go.mozilla.org/pkcs7":                     "",
	"github.com/russellhaering/goxmldsig":      "",
	"github.com/beevik/etree":                  "",
	"github.com/jonboulle/clockwork":           "the clock of goxmldsig",
	"github.com/valyala/fastrand":              "the quantiles of metrics",
	"github.com/valyala/histogram":             "the quantiles of metrics",
	"github.com/spf13/pflag":                   "cobra's flags",
	"github.com/inconshreveable/mousetrap":     "cobra on Windows",
}

// requirement is one line of go.mod.
type requirement struct {
	Path     string
	Indirect bool
}

// strayModules complains of modules in go.mod that nobody gave a reason for, and of reasons for modules that are gone.
func strayModules(required []requirement, design string) (complaints []string) {
	named := map[string]bool{}
	for _, r := range required {
		named[r.Path] = true
		why, known := modules[r.Path]
		switch {
		case !known:
			complaints = append(complaints, r.Path+": a new module: say in docs/design.md why it is needed, and add it here")
		case (why == "" || !r.Indirect) && !strings.Contains(design, r.Path):
			complaints = append(complaints, r.Path+": docs/design.md does not say why it is needed")
		}
	}
	var gone []string
	for m := range modules {
		if !named[m] {
			gone = append(gone, m+": not in go.mod any more: take it off the list")
		}
	}
	slices.Sort(gone)
	return append(complaints, gone...)
}

func TestNothingLeftOver(t *testing.T) { check(t, leftovers) }
func TestLinks(t *testing.T)           { check(t, deadLinks) }

func TestModules(t *testing.T) {
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []requirement
		Replace []struct{ Old struct{ Path string } }
		Tool    []struct{ Path string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	files, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(files, func(f file) bool { return f.path == "docs/design.md" })
	if i < 0 {
		t.Fatal("docs/design.md is not there")
	}
	for _, complaint := range strayModules(mod.Require, files[i].text) {
		t.Error(complaint)
	}
	for _, r := range mod.Replace {
		t.Errorf("go.mod replaces %s: who imports this module would not get the replacement", r.Old.Path)
	}
	for _, tool := range mod.Tool {
		t.Errorf("go.mod names the tool %s: who imports this module would get its requirements; scripts/lint builds tools apart", tool.Path)
	}
}

func TestFileRulesBite(t *testing.T) {
	one := func(text string) map[string]string { return map[string]string{"docs/a.md": text} }
	bites(t, leftovers, []sample{
		{"left over", one("// TO" + "DO: later"), []string{"belongs in an issue"}},
		{"machine", one("see /wo" + "rk/main/x"), []string{"docs/a.md:1: "}},
		{"home", one("`/ho" + "me/jan/x`"), []string{"a path"}},
		{"windows", one(`C:\Us` + `ers\jan`), []string{"a path"}},
		{"merge", one("a\n<<<" + "<<<< HEAD\n"), []string{"docs/a.md:2"}},
		{"key", one("-----BEGIN RSA PRIVATE" + " KEY-----"), []string{"private key"}},
		{"key of the test PKI", map[string]string{"testcards/pki/a.pem": "-----BEGIN PRIVATE" + " KEY-----"}, nil},
		{"plain words", one("our work/home balance, framework/, todo list, https://example.be/work/"), nil},
	})
	bites(t, deadLinks, []sample{
		{"dead", map[string]string{"docs/a.md": "[x](b.md)"}, []string{"link to b.md"}},
		{"alive", map[string]string{"docs/a.md": "[x](b.md#part) [y](../niss) [z](https://a.be/c) [w](#here)", "docs/b.md": "", "niss/n.txt": ""}, nil},
	})
	var all []requirement
	design := ""
	for m, why := range modules {
		all = append(all, requirement{Path: m, Indirect: why != ""})
		design += m + "\n"
	}
	compare(t, strayModules(all, design), nil)
	compare(t, strayModules(append(all, requirement{Path: "example.com/new"}), design), []string{"example.com/new: a new module"})
	compare(t, strayModules(all, strings.ReplaceAll(design, "golang.org/x/term", "")), []string{"golang.org/x/term: docs/design.md"})
	compare(t, strayModules(all[1:], design), []string{all[0].Path + ": not in go.mod"})
}
