package validation

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
)

// codesIn reads the constants of type Code from a source file.
func codesIn(t *testing.T, path ...string) []ades.Code {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), filepath.Join(path...), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []ades.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil || len(spec.Values) != 1 {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || lit.Kind != gotoken.STRING {
			return true
		}
		list = append(list, ades.Code(constant.StringVal(constant.MakeFromLiteral(lit.Value, lit.Kind, 0))))
		return true
	})
	if len(list) < 15 {
		t.Fatalf("only %d codes in %v", len(list), path)
	}
	return list
}

// TestCatalogueIsWhole: every code of the readers and of the engine has its
// row, and no row is for a code that is gone.
func TestCatalogueIsWhole(t *testing.T) {
	t.Parallel()
	known := slices.Concat(codesIn(t, "..", "ades", "codes.go"), codesIn(t, "codes.go"))
	for _, code := range known {
		if _, ok := catalogue[code]; !ok {
			t.Errorf("%s has no row", code)
		}
	}
	for _, code := range Codes() {
		if !slices.Contains(known, code) {
			t.Errorf("the row %s is for no code", code)
		}
	}
}

// TestNoCodeTwice: of two rows for a code the later would win in silence.
func TestNoCodeTwice(t *testing.T) {
	t.Parallel()
	rows := 0
	for _, part := range []map[ades.Code]Row{formatRows, cryptoRows, chainRows, acceptanceRows, timeRows} {
		rows += len(part)
	}
	if rows != len(catalogue) {
		t.Errorf("%d rows for %d codes", rows, len(catalogue))
	}
}

// TestSentences: one sentence in each language, and a verdict against.
func TestSentences(t *testing.T) {
	t.Parallel()
	seen := map[string]ades.Code{}
	for _, code := range Codes() {
		row := Lookup(code)
		if row.Verdict.Indication != Failed && row.Verdict.Indication != Indeterminate || row.Verdict.SubIndication == "" || row.Block == 0 {
			t.Errorf("%s: block %d, verdict %v", code, row.Block, row.Verdict)
		}
		for i, text := range row.Text {
			switch {
			case len(text) < 20 || !strings.HasSuffix(text, ".") || strings.Count(text, ". ") > 0:
				t.Errorf("%s, %s: %q is not one sentence", code, Languages[i], text)
			case seen[text] != "":
				t.Errorf("%s and %s say the same: %q", code, seen[text], text)
			}
			seen[text] = code
		}
		if row.Fixed && row.Level != policy.Fail {
			t.Errorf("%s is fixed at %s", code, row.Level)
		}
	}
}

// TestDefaultPolicyIsWhole: the policy that is printed for people to change
// names every constraint that can be set, at its usual level.
func TestDefaultPolicyIsWhole(t *testing.T) {
	t.Parallel()
	var doc struct{ Constraints map[ades.Code]policy.Level }
	if err := json.Unmarshal(policy.Default().Source(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, code := range Codes() {
		row := Lookup(code)
		level, named := doc.Constraints[code]
		if named == row.Fixed || named && level != row.Level {
			t.Errorf("%s: usual level %s, fixed %v; in the policy: %s", code, row.Level, row.Fixed, level)
		}
		delete(doc.Constraints, code)
	}
	if len(doc.Constraints) > 0 {
		t.Errorf("no such constraints: %v", doc.Constraints)
	}
	if _, err := policy.Parse(policy.Default().Source(), Known); err != nil {
		t.Error(err)
	}
}

// TestLevels: each settable constraint decides as the policy says.
func TestLevels(t *testing.T) {
	t.Parallel()
	for _, code := range Codes() {
		row := Lookup(code)
		for _, level := range []policy.Level{policy.Fail, policy.Warn, policy.Ignore} {
			source := []byte(`{"schema":1,"id":"x","constraints":{` + strconv.Quote(string(code)) + `:"` + string(level) + `"}}`)
			p, err := policy.Parse(source, Known)
			if row.Fixed && level != policy.Fail {
				if err == nil {
					t.Errorf("%s can be set to %s", code, level)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", code, err)
				continue
			}
			w := newWorld(t)
			w.signer = w.issue("signer", w.ca)
			w.good(w.signer, now)
			w.good(w.ca, now)
			w.engine.Policy = p
			s := w.sign(w.signer)
			s.Findings = []ades.Finding{{Code: code, Object: "x", Detail: "y"}}
			results, err := w.engine.Validate(context.Background(), []*ades.Signature{s})
			if err != nil {
				t.Fatal(err)
			}
			want, errors, warnings := passed, 0, 0
			switch level {
			case policy.Fail:
				want, errors = row.Verdict, 1
			case policy.Warn:
				warnings = 1
			}
			res := results[0]
			if res.Verdict != want || len(res.Errors) != errors || len(res.Warnings) != warnings {
				t.Errorf("%s at %s: %v, errors %v, warnings %v", code, level, res.Verdict, res.Errors, res.Warnings)
			}
		}
	}
}
