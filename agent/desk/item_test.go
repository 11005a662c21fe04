//go:build unix

package desk

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestItemSchema holds questions with everything in them against docs/schema/agent.json.
func TestItemSchema(t *testing.T) {
	t.Parallel()
	const base = "https://github.com/eidkit/eidkit/raw/main/docs/schema/"
	c := jsonschema.NewCompiler()
	paths, err := filepath.Glob("../../docs/schema/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(base+filepath.Base(path), doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile(base + "agent.json#/$defs/item")
	if err != nil {
		t.Fatal(err)
	}
	full := signing(t)
	full.Purpose, full.Reader, full.Card, full.TriesLeft, full.MayRemember, full.HashOnly = "to pay", "Reader 0", "eID", 2, true, true
	full.Fields = []string{"photo"}
	full.Documents[0].Active = []string{"script"}
	full.Documents[0].Place = &Place{Page: 2, Rect: [4]float64{10, 20.5, 30, 40}}
	for _, kind := range []string{StatementReason, StatementLocation, StatementContact, StatementRole} {
		full.Statements = append(full.Statements, Statement{kind, "words"})
	}
	full.Statements = append(full.Statements, Statement{StatementCertify, "1"})
	which := Choice{Client: full.Client, Operation: full.Operation, Options: []Option{{Reader: "Reader 0", Role: "patient", Card: "eID"}, {Reader: "Reader 1", Card: "eID"}}}
	for _, item := range []Item{consentItem(full), consentItem(login(t)), choiceItem(which)} {
		item.ID = "1"
		b, err := json.Marshal(item)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, b)
		}
	}
}
