package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// threats are those that a local agent for cards has to answer, as the rows of docs/security.md begin. A row may be added there; one
// that is gone is noticed.
var threats = []string{
	"Any web page drives the agent", "Wrong origin comparison", "Origin or address shown to the user is supplied by the caller", "Login relay",
	"Custom URL scheme hijack", "Raw digest signing with the authentication key", "PIN phishing", "PIN blocking by retry loops", "DNS rebinding",
	"Another local user reaches loopback", "Another local process impersonates a browser", "Port squatting", "Local CA misuse", "Malicious update",
	"What you see is not what you sign", "Silent reading of identity", "Resource exhaustion", "Card transaction capture", "Log leaks",
	"Replay of the token", "Consent fatigue",
}

// attacks is the package whose tests all stand in the table.
const attacks = "agent/attacks"

var (
	namedTest = regexp.MustCompile("`([a-z][a-z0-9/]*)\\.(Test[A-Za-z0-9]+)(?:/([^`]+))?`")
	nothing   = "none: " // instead of tests, with the reason
)

// securityTable complains of threats without a row, rows without a test, tests that are not there, and attacks that no row names.
func securityTable(files []file) (complaints []string) {
	page := ""
	tests := map[string]map[string]*ast.FuncDecl{} // by folder and name
	words := map[string]map[string]bool{}          // by folder: all strings in its tests
	for _, f := range files {
		if f.path == "docs/security.md" {
			page = f.text
		}
		if f.syntax == nil || !f.isTest() {
			continue
		}
		dir := path.Dir(f.path)
		if tests[dir] == nil {
			tests[dir], words[dir] = map[string]*ast.FuncDecl{}, map[string]bool{}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && strings.HasPrefix(n.Name.Name, "Test") && n.Name.Name != "TestMain" {
					tests[dir][n.Name.Name] = n
				}
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					words[dir][s] = true
				}
			}
			return true
		})
	}
	_, table, found := strings.Cut(page, "| threat | defence | tests |\n|---|---|---|\n")
	if !found {
		return []string{"docs/security.md: there is no table of threats"}
	}
	table, _, _ = strings.Cut(table, "\n\n")
	named := map[string]bool{}
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 3 {
			complaints = append(complaints, "docs/security.md: not three cells: "+row)
			continue
		}
		all := namedTest.FindAllStringSubmatch(cells[2], -1)
		if len(all) == 0 && !strings.HasPrefix(cells[2], nothing) {
			complaints = append(complaints, fmt.Sprintf("docs/security.md: %q has no test", cells[0]))
		}
		if strings.Count(cells[2], "`") != 2*len(all) {
			complaints = append(complaints, fmt.Sprintf("docs/security.md: %q has something that is no test: %s", cells[0], cells[2]))
		}
		for _, m := range all {
			named[m[1]+"."+m[2]] = true
			if tests[m[1]][m[2]] == nil {
				complaints = append(complaints, fmt.Sprintf("docs/security.md: %q: there is no test %s in %s", cells[0], m[2], m[1]))
			} else if m[3] != "" && !words[m[1]][m[3]] {
				complaints = append(complaints, fmt.Sprintf("docs/security.md: %q: %s of %s has no case %q", cells[0], m[2], m[1], m[3]))
			}
		}
	}
	for _, t := range threats {
		if !strings.Contains("\n"+table, "\n| "+t) {
			complaints = append(complaints, fmt.Sprintf("docs/security.md: there is no row for %q", t))
		}
	}
	for name := range tests[attacks] {
		if !named[attacks+"."+name] {
			complaints = append(complaints, fmt.Sprintf("docs/security.md: no row names %s.%s", attacks, name))
		}
	}
	return complaints
}

func TestSecurityTable(t *testing.T) { check(t, securityTable) }

func TestSecurityTableBites(t *testing.T) {
	rows := ""
	for _, threat := range threats {
		rows += "| " + threat + " | d | `agent/attacks.TestA` |\n"
	}
	head := "text\n\n| threat | defence | tests |\n|---|---|---|\n"
	source := "package attacks\n\nfunc TestA(t *testing.T) { t.Run(\"one case\", nil) }\n"
	page := func(more string) map[string]string {
		return map[string]string{"docs/security.md": head + rows + more + "\nmore\n", "agent/attacks/a_test.go": source}
	}
	bites(t, securityTable, []sample{
		{"all is there", page("| x | d | `agent/attacks.TestA/one case` |\n| y | d | none: for a reason |\n"), nil},
		{"no page", map[string]string{"agent/attacks/a_test.go": source}, []string{"no table"}},
		{"a test that is gone", page("| x | d | `agent/attacks.TestB` |\n"), []string{"no test TestB in agent/attacks"}},
		{"another package's", page("| x | d | `agent.TestA` |\n"), []string{"no test TestA in agent"}},
		{"a case that is gone", page("| x | d | `agent/attacks.TestA/another` |\n"), []string{`no case "another"`}},
		{"no test", page("| x | d | soon |\n"), []string{"has no test"}},
		{"a name misspelt", page("| x | d | `agent/attacks.TestA`, `agent/attacks TestA` |\n"), []string{"something that is no test"}},
		{"a cell missing", page("| x | `agent/attacks.TestA` |\n"), []string{"not three cells"}},
		{"a threat missing", map[string]string{"docs/security.md": head + strings.Replace(rows, "| DNS rebinding", "| DNS", 1) + "\nmore\n", "agent/attacks/a_test.go": source},
			[]string{`no row for "DNS rebinding"`}},
		{"an attack that no row names", map[string]string{"docs/security.md": head + rows + "\nmore\n",
			"agent/attacks/a_test.go": source + "\nfunc TestOther(t *testing.T) {}\n"}, []string{"no row names agent/attacks.TestOther"}},
	})
}
