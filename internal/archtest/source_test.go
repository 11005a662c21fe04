package archtest

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretName is how values that hold a PIN or PUK are called: the word, what may stand around it, and no more.
var secretName = regexp.MustCompile(`(?i)^(old|new|the|user|verify|repeated)?(pin|puk)s?(old|new|digits|bytes|block|text|string|value)?$|^(pin|puk|old|new)?(digits|block)$`)

// printers are the functions and methods that turn their arguments into text for people, logs or errors.
var printers = regexp.MustCompile(`^(Print|Printf|Println|Fprint|Fprintf|Fprintln|Sprint|Sprintf|Sprintln|Append|Appendf|Appendln|Errorf|printf|` +
	`Log|Logf|Debug|Debugf|Info|Infof|Warn|Warnf|Error|Fatal|Fatalf|Panicf|DebugContext|InfoContext|WarnContext|ErrorContext|LogAttrs|Write|WriteString|EncodeToString)$`)

// harmless are calls whose result tells nothing of a PIN they are given: lengths.
var harmless = map[string]bool{"len": true, "cap": true, "Len": true}

// exception is a place where a rule does not hold: a file, the name found there, and the reason.
type exception struct{ path, name, why string }

func excepted(list []exception, f file, name string) bool {
	return slices.ContainsFunc(list, func(e exception) bool { return e.path == f.path && e.name == name })
}

// mayPrint are the places where a name looks like a PIN and is printed all the same.
var mayPrint = []exception{
	{"cmd/eid/testcard.go", "PIN", "everybody may know the PIN of a simulated card"},
	{"cmd/eid/testcard.go", "PUK", "and its PUK"},
}

// maySleep are the functions that wait for a fixed time.
var maySleep = []exception{
	{"testcards/applet.go", "Transmit", "a simulated card at line speed takes the time that a real one takes"},
}

// printedSecrets complains of PINs, by the names of variables, handed to something that prints. It is a net for slips, beside the type
// card.PIN, which prints as REDACTED, and the tests that search everything written.
func printedSecrets(files []file) (complaints []string) {
	for _, f := range files {
		if f.syntax == nil || f.isTest() {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !(printers.MatchString(calledName(call)) || isCallOf(call, "errors", "New") || calledName(call) == "panic") {
				return true
			}
			for _, arg := range call.Args {
				for _, id := range secretsIn(arg) {
					if !excepted(mayPrint, f, id.Name) {
						complaints = append(complaints, fmt.Sprintf("%s: %s goes into %s: PINs and PUKs are never printed", f.at(id), id.Name, calledName(call)))
					}
				}
			}
			return true
		})
	}
	return complaints
}

// secretsIn finds the names in e that look like a PIN's and whose value can reach the outside.
func secretsIn(e ast.Expr) (found []*ast.Ident) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // its own calls are looked at by themselves
		case *ast.CallExpr:
			return !harmless[calledName(n)]
		case *ast.SelectorExpr: // a field of a block, such as those of pem.Block, is not the block
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "block" {
				return false
			}
		case *ast.KeyValueExpr: // of Struct{PIN: x} only x is a value
			found = append(found, secretsIn(n.Value)...)
			return false
		case *ast.Ident:
			if secretName.MatchString(n.Name) {
				found = append(found, n)
			}
		}
		return true
	})
	return found
}

// calledName is the last name of what is called: Printf of fmt.Printf.
func calledName(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	}
	return ""
}

// isCallOf tells whether call is pkg.name(...), or x.name(...) for a variable x called pkg.
func isCallOf(call *ast.CallExpr, pkg, name string) bool {
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := fun.X.(*ast.Ident)
	return ok && x.Name == pkg && fun.Sel.Name == name
}

// sleeps complains of fixed waits: in tests they are guesses that fail on a busy machine, elsewhere they make every user wait.
func sleeps(files []file) (complaints []string) {
	for _, f := range files {
		eachCall(f, func(fn *ast.FuncDecl, call *ast.CallExpr) {
			if isCallOf(call, "time", "Sleep") && !excepted(maySleep, f, fn.Name.Name) {
				complaints = append(complaints, f.at(call)+": time.Sleep: wait for what is awaited instead")
			}
		})
	}
	return complaints
}

// skips complains of tests that leave themselves out. A skip is right where the data beside the project are absent, or a tool is
// and this is not CI: the function that skips must then name the folder "shared" or ask for CI. Benchmarks may skip: they judge nothing.
func skips(files []file) (complaints []string) {
	for _, f := range files {
		eachCall(f, func(fn *ast.FuncDecl, call *ast.CallExpr) {
			if name := calledName(call); (name == "Skip" || name == "Skipf" || name == "SkipNow") && f.imports("testing") && !excused(fn) {
				complaints = append(complaints, fmt.Sprintf("%s: %s skips: only absent shared data or, outside CI, absent tools are a reason", f.at(call), fn.Name.Name))
			}
		})
	}
	return complaints
}

func excused(fn *ast.FuncDecl) bool {
	found := strings.HasPrefix(fn.Name.Name, "Benchmark")
	ast.Inspect(fn, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && (lit.Value == `"CI"` || strings.Contains(lit.Value, "shared")) {
			found = true
		}
		return true
	})
	return found
}

// eachCall calls visit for every call in the functions of f.
func eachCall(f file, visit func(*ast.FuncDecl, *ast.CallExpr)) {
	if f.syntax == nil {
		return
	}
	for _, d := range f.syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			ast.Inspect(fn, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					visit(fn, call)
				}
				return true
			})
		}
	}
}

// hiddenWork complains of functions called init: what they do happens to everyone who imports the package.
func hiddenWork(files []file) (complaints []string) {
	for _, f := range files {
		if f.syntax == nil {
			continue
		}
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				complaints = append(complaints, f.at(fn)+": init: let who needs it call it")
			}
		}
	}
	return complaints
}

// strayTests complains of long tests that no make target would run and of fuzz targets that begin with nothing.
func strayTests(files []file) (complaints []string) {
	for _, f := range files {
		if f.syntax == nil || !f.isTest() {
			continue
		}
		soak := onlyInSoak(f)
		for _, d := range f.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			named := strings.HasPrefix(fn.Name.Name, "TestSoak")
			if named && !soak {
				complaints = append(complaints, fmt.Sprintf("%s: %s belongs in a file with //go:build soak", f.at(fn), fn.Name.Name))
			}
			if soak && !named && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				complaints = append(complaints, fmt.Sprintf("%s: %s is run by no make target: in a soak file tests are named TestSoak...", f.at(fn), fn.Name.Name))
			}
			if strings.HasPrefix(fn.Name.Name, "Fuzz") && !seeded(fn) {
				complaints = append(complaints, fmt.Sprintf("%s: %s has no seeds", f.at(fn), fn.Name.Name))
			}
		}
	}
	return complaints
}

// onlyInSoak tells whether f is compiled with the build tag soak, and never without.
func onlyInSoak(f file) bool {
	for line := range strings.Lines(f.text) {
		if !constraint.IsGoBuild(line) {
			continue
		}
		expr, err := constraint.Parse(strings.TrimSpace(line))
		return err == nil && expr.Eval(func(string) bool { return true }) && !expr.Eval(func(tag string) bool { return tag != "soak" })
	}
	return false
}

// seeded tells whether a fuzz target adds seeds, itself or by handing its *testing.F to a helper.
func seeded(fn *ast.FuncDecl) bool {
	if len(fn.Type.Params.List) != 1 || len(fn.Type.Params.List[0].Names) != 1 {
		return false
	}
	f, found := fn.Type.Params.List[0].Names[0].Name, false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			found = found || isCallOf(call, f, "Add") || slices.ContainsFunc(call.Args, func(a ast.Expr) bool {
				id, ok := a.(*ast.Ident)
				return ok && id.Name == f
			})
		}
		return true
	})
	return found
}

func TestNoPrintedSecrets(t *testing.T) { check(t, printedSecrets) }
func TestNoSleeps(t *testing.T)         { check(t, sleeps) }
func TestNoSkips(t *testing.T)          { check(t, skips) }
func TestNoInit(t *testing.T)           { check(t, hiddenWork) }
func TestEveryTestRuns(t *testing.T)    { check(t, strayTests) }

// TestExceptionsAreUsed keeps the lists free of places that are gone.
func TestExceptionsAreUsed(t *testing.T) {
	check(t, func(files []file) (complaints []string) {
		for _, e := range slices.Concat(mayPrint, maySleep, mayHold, mayLogIn) {
			if !slices.ContainsFunc(files, func(f file) bool { return strings.HasPrefix(f.path, e.path) && strings.Contains(f.text, e.name) }) {
				complaints = append(complaints, fmt.Sprintf("%s no longer has %s: take it off the list", e.path, e.name))
			}
		}
		return complaints
	})
}

// body is a file with statements in a function.
func body(name, statements string) map[string]string {
	return map[string]string{name: "package a\nfunc f() {\n" + statements + "\n}\n"}
}

func TestNoPrintedSecretsBites(t *testing.T) {
	for _, bad := range []string{
		`fmt.Println(pin)`,
		`fmt.Errorf("wrong: %s", string(digits))`,
		`fmt.Fprintf(w, "%x", pinBlock)`,
		`fmt.Sprintf("%v", c.puk)`,
		`slog.Info("verify", "pin", newPIN)`,
		`logger.DebugContext(ctx, "x", slog.Any("b", block[:]))`,
		`t.printf("%X", hash(oldPin))`,
		`hex.EncodeToString(block)`,
		`errors.New("bad " + pin)`,
		`panic(puk)`,
		`fmt.Print(T{X: pin})`,
	} {
		bites(t, printedSecrets, []sample{{bad, body("a.go", bad), []string{"never printed"}}})
	}
	for _, good := range []string{
		`fmt.Errorf("a PIN of %d digits: %w", pin.Len(), card.ErrPINBlocked)`,
		`fmt.Println(len(pin), card.PINError{}, pinTries, redacted, blocked(cmd))`,
		`verify(pin, block)`,
		`fmt.Print(T{PIN: x}, block.Type)`,
		`fmt.Println("pin")`,
	} {
		bites(t, printedSecrets, []sample{{good, body("a.go", good), nil}})
	}
	bites(t, printedSecrets, []sample{{"in a test", body("a_test.go", `fmt.Println(pin)`), nil}})
}

func TestSourceRulesBite(t *testing.T) {
	bites(t, sleeps, []sample{
		{"test", body("a_test.go", "time.Sleep(1)"), []string{"a_test.go:3: time.Sleep"}},
		{"production", body("a.go", "go func() { time.Sleep(1) }()"), []string{"a.go:3"}},
		{"timer", body("a.go", "<-time.After(1)"), nil},
	})
	const header = "package a\nimport \"testing\"\n"
	bites(t, skips, []sample{
		{"bare", map[string]string{"a_test.go": header + `func f() { t.Skip("not today") }`}, []string{"f skips"}},
		{"short", map[string]string{"a_test.go": header + `func f() { if testing.Short() { t.SkipNow() } }`}, []string{"f skips"}},
		{"data", map[string]string{"a_test.go": header + `func f() { if !there("../shared/data") { t.Skipf("no data") } }`}, nil},
		{"tool", map[string]string{"a_test.go": header + `func f() { if os.Getenv("CI") != "" { t.Fatal("no openssl") }; t.Skip("no openssl") }`}, nil},
	})
	bites(t, skips, []sample{
		{"benchmark", map[string]string{"a_test.go": header + `func BenchmarkX(b *testing.B) { b.Skip("no peer") }`}, nil},
		{"other Skip", map[string]string{"a.go": "package a\nfunc f() { s.Skip(1) }\n"}, nil},
	})
	bites(t, hiddenWork, []sample{
		{"init", map[string]string{"a.go": "package a\nfunc init() {}\n"}, []string{"a.go:2: init"}},
		{"method", map[string]string{"a.go": "package a\nfunc (T) init() {}\n"}, nil},
	})
	bites(t, strayTests, []sample{
		{"soak test without tag", map[string]string{"a_test.go": "package a\nfunc TestSoakX(t *testing.T) {}\n"}, []string{"belongs in a file"}},
		{"other test with tag", map[string]string{"a_test.go": "//go:build soak\n\npackage a\nfunc TestX(t *testing.T) {}\n"}, []string{"run by no make target"}},
		{"soak test", map[string]string{"a_test.go": "//go:build soak\n\npackage a\nfunc TestSoakX(t *testing.T) {}\n"}, nil},
		{"soak test of one system", map[string]string{"a_test.go": "//go:build soak && linux\n\npackage a\nfunc TestSoakX(t *testing.T) {}\n"}, nil},
		{"tag that leaves soak out", map[string]string{"a_test.go": "//go:build soak || linux\n\npackage a\nfunc TestSoakX(t *testing.T) {}\n"}, []string{"belongs in a file"}},
		{"no seeds", map[string]string{"a_test.go": "package a\nfunc FuzzX(f *testing.F) { f.Fuzz(g) }\n"}, []string{"FuzzX has no seeds"}},
		{"seeds", map[string]string{"a_test.go": "package a\nfunc FuzzX(f *testing.F) { f.Add(1); f.Fuzz(g) }\nfunc FuzzY(f *testing.F) { seed(f); f.Fuzz(g) }\n"}, nil},
	})
}
