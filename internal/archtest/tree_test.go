// Package archtest holds the project to its own rules by reading its source: who may import whom and why, what a package must look
// like, what may not stand in a file. It has tests only; `go test ./internal/archtest` runs them. A rule that is in the way is changed
// here, together with its reason, in the change that needs it.
//
// Every check is a function from files to complaints, and every one is also run on a sample that breaks the rule, so that a check that
// no longer sees anything is noticed.
//
// Out of scope: what gofmt, go vet and staticcheck find (make lint).
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/eidkit/eidkit"

// root is the repository, from this folder.
var root = filepath.Join("..", "..")

// file is one file of the repository. syntax is nil unless it is Go source.
type file struct {
	path   string // from the root, with slashes
	text   string
	fset   *token.FileSet
	syntax *ast.File
}

func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// dir is the folder of f from the root, "." for the root itself.
func (f file) dir() string { return path.Dir(f.path) }

// at is where n begins, as file:line.
func (f file) at(n ast.Node) string {
	return f.path + ":" + strconv.Itoa(f.line(n.Pos()))
}

func (f file) line(p token.Pos) int { return f.fset.Position(p).Line }

// imports tells whether f, which is Go source, imports the package itself.
func (f file) imports(path string) bool {
	return slices.ContainsFunc(f.syntax.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == strconv.Quote(path) })
}

// newFile parses text if path says that it is Go.
func newFile(path, text string) (file, error) {
	f := file{path: path, text: text, fset: token.NewFileSet()}
	if strings.HasSuffix(path, ".go") {
		var err error
		f.syntax, err = parser.ParseFile(f.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return file{}, err
		}
	}
	return f, nil
}

// tree is every file of the repository but what git and the build made.
var tree = sync.OnceValues(func() ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == ".git" || rel == "bin" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := newFile(rel, string(text))
		if err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	return files, err
})

// check runs one rule over the repository.
func check(t *testing.T, rule func([]file) []string) {
	t.Helper()
	files, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d files found: this test does not see the repository", len(files))
	}
	for _, complaint := range rule(files) {
		t.Error(complaint)
	}
}

// sample is a small set of files, as path and text, and the complaints a rule must have about them: each a part of one, in order.
type sample struct {
	name  string
	files map[string]string
	want  []string
}

// bites runs rule on samples.
func bites(t *testing.T, rule func([]file) []string, samples []sample) {
	t.Helper()
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			var files []file
			for _, name := range slices.Sorted(maps.Keys(s.files)) {
				f, err := newFile(name, s.files[name])
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, f)
			}
			compare(t, rule(files), s.want)
		})
	}
}

// compare fails t unless got has as many complaints as want and each contains its part.
func compare(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d complaints, want %d: %q", len(got), len(want), got)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("complaint %q does not say %q", got[i], want[i])
		}
	}
}
