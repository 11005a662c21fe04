package archtest

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// How big things may get before a reader loses the thread.
const (
	maxFileLines = 400
	maxFuncLines = 80
	maxExported  = 40
)

// packageComments wants exactly one package comment in each folder of Go files, beginning as go doc expects.
func packageComments(files []file) (complaints []string) {
	with := map[string][]file{} // folder to the files with a comment
	tests := map[string]bool{}  // folder to: nothing but tests seen so far
	for _, f := range files {
		if f.syntax == nil || strings.Contains(f.path, "testdata/") {
			continue
		}
		onlyTests, seen := tests[f.dir()]
		tests[f.dir()] = f.isTest() && (onlyTests || !seen)
		if f.syntax.Doc != nil {
			with[f.dir()] = append(with[f.dir()], f)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(tests)) {
		if n := len(with[dir]); n != 1 {
			complaints = append(complaints, fmt.Sprintf("%s: %d package comments, want one", dir, n))
			continue
		}
		f := with[dir][0]
		if f.isTest() && !tests[dir] {
			complaints = append(complaints, f.path+": the package comment stands in a test, where go doc does not see it")
		}
		if name := f.syntax.Name.Name; name != "main" && !strings.HasPrefix(f.syntax.Doc.Text(), "Package "+name+" ") {
			complaints = append(complaints, fmt.Sprintf("%s: the package comment does not begin with \"Package %s \"", f.path, name))
		}
	}
	return complaints
}

// tooLong complains of files and functions that have grown too long, tests excepted.
func tooLong(files []file) (complaints []string) {
	for _, f := range files {
		if f.syntax == nil || f.isTest() {
			continue
		}
		if n := strings.Count(f.text, "\n"); n > maxFileLines {
			complaints = append(complaints, fmt.Sprintf("%s: %d lines, at most %d: split it by subject", f.path, n, maxFileLines))
		}
		for _, d := range f.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.line(fn.End()) - f.line(fn.Pos()) + 1; n > maxFuncLines {
				complaints = append(complaints, fmt.Sprintf("%s: %s has %d lines, at most %d", f.at(fn), fn.Name.Name, n, maxFuncLines))
			}
		}
	}
	return complaints
}

// tooWide complains of packages that promise too much. Functions and types count one each; a const or var block, such as an
// enumeration or the errors of a package, counts as the one thing it is to a reader. Methods, tests, commands and internal packages
// do not count.
func tooWide(files []file) (complaints []string) {
	exported := map[string]int{}
	for _, f := range files {
		if f.syntax == nil || f.isTest() || f.syntax.Name.Name == "main" || strings.HasPrefix(f.path, "internal/") {
			continue
		}
		for _, d := range f.syntax.Decls {
			exported[f.dir()] += exportedIn(d)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(exported)) {
		if n := exported[dir]; n > maxExported {
			complaints = append(complaints, fmt.Sprintf("%s: %d exported names, at most %d: what need not be promised goes to internal/", dir, n, maxExported))
		}
	}
	return complaints
}

// exportedIn is the number of exported names in one top-level declaration, a const or var block counting once.
func exportedIn(d ast.Decl) int {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.IsExported() {
			return 1
		}
	case *ast.GenDecl:
		types := 0
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					types++
				}
			case *ast.ValueSpec:
				if slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
					return 1
				}
			}
		}
		return types
	}
	return 0
}

// undocumented complains of exported functions, types, constants and variables without a comment. One comment serves a block.
// Methods are left to review: String and Error need none.
func undocumented(files []file) (complaints []string) {
	for _, f := range files {
		if f.syntax == nil || f.isTest() || f.syntax.Name.Name == "main" {
			continue
		}
		for _, d := range f.syntax.Decls {
			if exportedIn(d) == 0 {
				continue
			}
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil {
					complaints = append(complaints, fmt.Sprintf("%s: %s has no comment", f.at(d), d.Name.Name))
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
						complaints = append(complaints, fmt.Sprintf("%s: %s has no comment", f.at(s), s.Name.Name))
					}
					if s, ok := s.(*ast.ValueSpec); ok && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						complaints = append(complaints, fmt.Sprintf("%s: %s has no comment", f.at(s), s.Names[0].Name))
					}
				}
			}
		}
	}
	return complaints
}

func TestPackageComments(t *testing.T) { check(t, packageComments) }
func TestLengths(t *testing.T)         { check(t, tooLong) }
func TestExportedNames(t *testing.T)   { check(t, tooWide) }
func TestDocumented(t *testing.T)      { check(t, undocumented) }

func TestPackageCommentsBite(t *testing.T) {
	const good, none = "// Package a is good.\npackage a\n", "package a\n"
	bites(t, packageComments, []sample{
		{"one", map[string]string{"a/a.go": good, "a/b.go": none, "a/a_test.go": none}, nil},
		{"none", map[string]string{"a/a.go": none}, []string{"a: 0 package comments"}},
		{"two", map[string]string{"a/a.go": good, "a/b.go": good}, []string{"a: 2 package comments"}},
		{"per system", map[string]string{"a/a_linux.go": good, "a/a_windows.go": good}, []string{"a: 2 package comments"}},
		{"in a test", map[string]string{"a/a.go": none, "a/a_test.go": good}, []string{"stands in a test"}},
		{"tests only", map[string]string{"a/a_test.go": good}, nil},
		{"other beginning", map[string]string{"a/a.go": "// This package is good.\npackage a\n"}, []string{"does not begin"}},
		{"command", map[string]string{"cmd/a.go": "// The command a.\npackage main\n"}, nil},
	})
}

func TestLengthsBite(t *testing.T) {
	long := "package a\nfunc f() {\n" + strings.Repeat("\n", maxFuncLines-1) + "}\n"
	bites(t, tooLong, []sample{
		{"file", map[string]string{"a/a.go": "package a\n" + strings.Repeat("\n", maxFileLines)}, []string{"a/a.go: 401 lines"}},
		{"file at the limit", map[string]string{"a/a.go": "package a\n" + strings.Repeat("\n", maxFileLines-1)}, nil},
		{"test file", map[string]string{"a/a_test.go": "package a\n" + strings.Repeat("\n", maxFileLines)}, nil},
		{"function", map[string]string{"a/a.go": long}, []string{"a/a.go:2: f has 81 lines"}},
	})
}

func TestExportedNamesBite(t *testing.T) {
	var funcs strings.Builder
	for i := range maxExported {
		fmt.Fprintf(&funcs, "func F%d() {}\nfunc f%d() {}\ntype t%d int\nfunc (t%d) M() {}\n", i, i, i, i)
	}
	full := "package a\n" + funcs.String()
	bites(t, tooWide, []sample{
		{"full", map[string]string{"a/a.go": full}, nil},
		{"one more", map[string]string{"a/a.go": full, "a/b.go": "package a\ntype T int\n"}, []string{"a: 41 exported names"}},
		{"a block counts once", map[string]string{"a/a.go": full, "a/b.go": "package a\nconst (\n\tA = iota\n\tB\n)\n"}, []string{"a: 41 exported names"}},
		{"internal", map[string]string{"internal/a/a.go": full + "type T int\n"}, nil},
	})
}

func TestDocumentedBites(t *testing.T) {
	bites(t, undocumented, []sample{
		{"documented", map[string]string{"a.go": "package a\n// F is good.\nfunc F() {}\n// The values.\nconst (\n\tA = 1\n\tB = 2 \n)\n// T is a type.\ntype T int\nfunc (T) String() string { return \"\" }\nfunc g() {}\n"}, nil},
		{"not", map[string]string{"a.go": "package a\nfunc F() {}\ntype T int\nvar V int\n"}, []string{"F has", "T has", "V has"}},
	})
}
