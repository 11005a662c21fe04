package saved

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// TestSchemaExamplesInside: the examples are refused with a member that nobody knows or a value of another type anywhere in them,
// also in what another schema describes.
func TestSchemaExamplesInside(t *testing.T) {
	for name, schema := range schemas(t) {
		paths, err := filepath.Glob(filepath.Join(schemaFolder, "examples", name+"*.json"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("examples of %s: %q, %v", name, paths, err)
		}
		for _, path := range paths {
			example := parseJSONFile(t, path)
			eachObject(name, example, func(where string, object map[string]any) {
				object["unheardOf"] = "x"
				if schema.Validate(example) == nil {
					t.Errorf("%s fits with a member of %s that nobody knows", path, where)
				}
				delete(object, "unheardOf")
				for member, value := range object {
					object[member] = []any{json.Number("-1.5")}
					if schema.Validate(example) == nil {
						t.Errorf("%s fits with another type of %s.%s", path, where, member)
					}
					object[member] = value
				}
			})
		}
	}
}

// eachObject calls f with v and every object inside it.
func eachObject(where string, v any, f func(where string, object map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(where, v)
		for name, child := range v {
			eachObject(where+"."+name, child, f)
		}
	case []any:
		for _, child := range v {
			eachObject(where+" items", child, f)
		}
	}
}

// TestSchemaValues: values that the type of bundle.json and serve.json allows and their schema does not.
func TestSchemaValues(t *testing.T) {
	all := schemas(t)
	for _, tt := range []struct{ schema, member, value string }{
		{"bundle", "time", `"yesterday"`}, {"bundle", "cpus", `0`}, {"bundle", "version", `{"schema": 1}`},
		{"bundle", "environment", `{"LANG": 1}`}, {"bundle", "environment", `{"a b": "x"}`}, {"bundle", "diagnosis", `{"schema": 1, "ok": true}`},
		{"serve", "profile", `"No Name"`}, {"serve", "pin", `"123"`}, {"serve", "puk", `"12345678"`}, {"serve", "puk", `""`},
		{"serve", "root", `""`}, {"serve", "vpcd", `"127.0.0.1"`},
	} {
		example := parseJSONFile(t, filepath.Join(schemaFolder, "examples", tt.schema+".json")).(map[string]any)
		if err := all[tt.schema].Validate(example); err != nil {
			t.Errorf("%s: %v", tt.schema, err)
		}
		example[tt.member] = parseJSON(t, []byte(tt.value))
		if all[tt.schema].Validate(example) == nil {
			t.Errorf("%s fits with %s %s", tt.schema, tt.member, tt.value)
		}
	}
}
