package audit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func schema(t *testing.T, name string) (*jsonschema.Schema, []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", name))
	must(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	must(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	must(t, c.AddResource(name, doc))
	s, err := c.Compile(name)
	must(t, err)
	var members []string
	for m := range s.Properties {
		members = append(members, m)
	}
	slices.Sort(members)
	return s, members
}

func members(t reflect.Type) (all []string) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func fits(t *testing.T, s *jsonschema.Schema, line []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	must(t, err)
	if err := s.Validate(v); err != nil {
		t.Errorf("%s: %v", line, err)
	}
}

// TestSchema: every sort of line is as docs/schema/audit.json has it.
func TestSchema(t *testing.T) {
	t.Parallel()
	s, names := schema(t, "audit.json")
	if got := members(reflect.TypeFor[Line]()); !slices.Equal(got, names) {
		t.Errorf("a line has %v, the schema %v", got, names)
	}
	o := made(t, 1, nil)
	must(t, os.WriteFile(filepath.Join(o.Dir, fileName(1)), append(slices.Concat(fileLines(t, o.Dir, 1)...), "{torn"...), 0o600))
	l, err := Open(o)
	must(t, err)
	e, err := l.Intent(Event{Client: "Kassa", Operation: "insurability", By: "pairing", Mode: "manual"})
	must(t, err, e.Result(Outcome{Code: "NO_CARD", Reason: "forgotten", Digest: "ab", Mode: "barcode", Further: []string{"CD", "no digest"}}))
	e, err = l.Intent(Event{Client: "Kassa", Operation: "insurability", By: "policy", Mode: "vignette"})
	must(t, err, e.Result(Outcome{Mode: "vignette"}), l.Close())
	must(t, os.Truncate(filepath.Join(o.Dir, fileName(1)), 30))
	l, err = Open(o)
	must(t, err, l.Close())
	seen := map[string]bool{}
	for _, n := range []int{1, 2} {
		b, err := os.ReadFile(filepath.Join(o.Dir, fileName(n)))
		must(t, err)
		for line := range bytes.Lines(b) {
			if n == 1 && !bytes.HasSuffix(line, []byte("\n")) {
				continue
			}
			fits(t, s, line)
			var l Line
			must(t, json.Unmarshal(line, &l))
			seen[l.Event] = true
		}
	}
	if !seen[EventFault] {
		t.Errorf("events %v", seen)
	}
	o = made(t, 1, nil)
	for line := range strings.Lines(all(t, o.Dir)) {
		fits(t, s, []byte(line))
	}

	s, names = schema(t, "audit-report.json")
	if got := append(members(reflect.TypeFor[Report]()), "schema"); !slices.Equal(slices.Sorted(slices.Values(got)), names) {
		t.Errorf("a report has %v, the schema %v", got, names)
	}
	if got := members(reflect.TypeFor[Fault]()); len(s.Properties["fault"].Properties) != len(got) {
		t.Errorf("a fault has %v", got)
	}
}
