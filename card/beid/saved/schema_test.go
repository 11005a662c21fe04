package saved

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaBase = "https://github.com/eidkit/eidkit/raw/main/docs/schema/"

// schemas compiles all schemas of docs/schema, by name.
func schemas(t testing.TB) map[string]*jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.AssertContent()
	var names []string
	for _, path := range schemaFiles(t) {
		name := filepath.Base(path)
		names = append(names, name)
		if err := compiler.AddResource(schemaBase+name, parseJSONFile(t, path)); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]*jsonschema.Schema{}
	for _, name := range names {
		s, err := compiler.Compile(schemaBase + name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[strings.TrimSuffix(name, ".json")] = s
	}
	return all
}

func schemaFiles(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(schemaFolder, "*.json"))
	if err != nil || len(paths) < 9 {
		t.Fatalf("schemas found: %q, %v", paths, err)
	}
	return paths
}

func parseJSONFile(t testing.TB, path string) any {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parseJSON(t, b)
}

func parseJSON(t testing.TB, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSchemaExamples: each schema has an example that fits; no example fits with a member too many or, if required, too few.
func TestSchemaExamples(t *testing.T) {
	for name, schema := range schemas(t) {
		examples := []string{filepath.Join(schemaFolder, "examples", name+".json")}
		more, err := filepath.Glob(filepath.Join(schemaFolder, "examples", name+"-[0-9].json"))
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, more...)
		for _, path := range examples {
			example := parseJSONFile(t, path)
			if err := schema.Validate(example); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			member := example.(map[string]any)
			member["unheardOf"] = "x"
			if schema.Validate(example) == nil {
				t.Errorf("%s fits with a member that nobody knows", path)
			}
			delete(member, "unheardOf")
			for _, required := range schema.Required {
				value := member[required]
				delete(member, required)
				if schema.Validate(example) == nil {
					t.Errorf("%s fits without %s", path, required)
				}
				member[required] = value
			}
			member["schema"] = json.Number("2")
			if schema.Validate(example) == nil {
				t.Errorf("%s fits with schema 2", path)
			}
		}
	}
}

// TestSchemaStyle: draft 2020-12, an $id after the file's name, every object closed, every member described.
func TestSchemaStyle(t *testing.T) {
	for _, path := range schemaFiles(t) {
		root := parseJSONFile(t, path).(map[string]any)
		name := filepath.Base(path)
		if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" || root["$id"] != schemaBase+name || root["title"] == "" {
			t.Errorf("%s: $schema %v, $id %v", name, root["$schema"], root["$id"])
		}
		checkStyle(t, name, root)
	}
}

func checkStyle(t *testing.T, where string, node map[string]any) {
	t.Helper()
	if s, ok := node["description"].(string); !ok || s == "" {
		if where != "" && !strings.HasSuffix(where, "items") {
			t.Errorf("%s has no description", where)
		}
	}
	if node["type"] == "object" && node["additionalProperties"] != false {
		t.Errorf("%s: additionalProperties is not false", where)
	}
	for _, key := range []string{"properties", "patternProperties", "$defs"} {
		children, _ := node[key].(map[string]any)
		for name, child := range children {
			checkStyle(t, where+"."+name, child.(map[string]any))
		}
	}
	if items, ok := node["items"].(map[string]any); ok {
		checkStyle(t, where+".items", items)
	}
}

// TestSchemaReadme: docs/schema/README.md lists every schema.
func TestSchemaReadme(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(schemaFolder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range schemaFiles(t) {
		if name := filepath.Base(path); !bytes.Contains(b, []byte("]("+name+")")) {
			t.Errorf("README.md does not list %s", name)
		}
	}
}

// TestSchemaMatchesTypes: the members of Document and of read.json are the same, with the same types and the same ones required.
func TestSchemaMatchesTypes(t *testing.T) {
	root := parseJSONFile(t, filepath.Join(schemaFolder, "read.json")).(map[string]any)
	compareType(t, root, "read", root, reflect.TypeFor[Document]())
}

func compareType(t *testing.T, root map[string]any, where string, node map[string]any, typ reflect.Type) {
	t.Helper()
	if ref, ok := node["$ref"].(string); ok {
		node = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() == reflect.Slice && typ.Elem().Kind() != reflect.Uint8 {
		if node["type"] != "array" {
			t.Errorf("%s: %v, want an array", where, node["type"])
			return
		}
		compareType(t, root, where+" items", node["items"].(map[string]any), typ.Elem())
		return
	}
	if typ.Kind() != reflect.Struct {
		compareScalar(t, where, node, typ)
		return
	}
	properties, _ := node["properties"].(map[string]any)
	required := fmt.Sprint(node["required"])
	seen := 0
	for i := range typ.NumField() {
		name, option, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		child, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s: the schema has no %s", where, name)
			continue
		}
		seen++
		always := strings.Contains(" "+strings.Trim(required, "[]")+" ", " "+name+" ")
		if always == (option == "omitempty") {
			t.Errorf("%s.%s: required %t, tag option %q", where, name, always, option)
		}
		compareType(t, root, where+"."+name, child, typ.Field(i).Type)
	}
	if seen != len(properties) {
		t.Errorf("%s: the schema has %d members, %s %d", where, len(properties), typ, seen)
	}
}

func compareScalar(t *testing.T, where string, node map[string]any, typ reflect.Type) {
	t.Helper()
	want := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Uint8: "integer",
		reflect.Uint16: "integer", reflect.Float64: "number", reflect.Slice: "string"}[typ.Kind()]
	got := node["type"]
	if node["enum"] != nil {
		got = "string"
	}
	if node["const"] != nil {
		got = "integer"
	}
	if got != want {
		t.Errorf("%s: the schema has %v, the type %s", where, got, typ)
	}
}

// TestSchemaDocuments: what is written for every kind of card fits the schema, and so do the certificates alone.
func TestSchemaDocuments(t *testing.T) {
	all := schemas(t)
	for name, c := range everyPerson(t) {
		for _, o := range []Options{{}, {OmitFiles: true}, {OmitFiles: true, OmitPhoto: true}} {
			if err := all["read"].Validate(parseJSON(t, encode(t, c, o))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	b, err := json.Marshal(map[string]any{"schema": Schema, "certificates": NewCertificates(newCard(t, citizen(nil)).Files)})
	if err != nil {
		t.Fatal(err)
	}
	if err := all["certs"].Validate(parseJSON(t, b)); err != nil {
		t.Error(err)
	}
	if c, err := Read(sharedData(t, "specimen.eid")); err != nil {
		t.Error(err)
	} else if err := all["read"].Validate(parseJSON(t, encode(t, c, Options{}))); err != nil {
		t.Error(err)
	}
}
