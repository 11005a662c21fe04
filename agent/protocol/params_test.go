package protocol

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sampleID is an embedded part, as some parameters have.
type sampleID struct {
	DocumentID DocumentID `json:"documentId"`
}

type sampleParams struct {
	sampleID
	CardID  string   `json:"cardId"`
	Fields  []string `json:"fields"`
	Visible *struct {
		Page int       `json:"page"`
		Rect []float64 `json:"rect"`
	} `json:"visible"`
	Parts []struct {
		Name string `json:"name"`
	} `json:"parts"`
	At    *time.Time        `json:"at"`
	Words map[string]string `json:"words"`
	ID    json.RawMessage   `json:"id"`
	Hash  []byte            `json:"hash"`
	Plain int
	Never string `json:"-"`
}

// TestParams: names count to the letter, and once, however deep they stand. What
// encoding/json alone would take for the field beside it is another name.
func TestParams(t *testing.T) {
	t.Parallel()
	good := `{"documentId":"000102030405060708090a0b0c0d0e0f","cardId":"c","fields":["surname","surname"],"visible":{"page":1,"rect":[1,2]},
		"parts":[{"name":"a"},{"name":"b"}],"at":"2026-11-22T00:00:00Z","words":{"a":"1","A":"2"},"id":{"any":{"Any":1}},"hash":"AAEC","Plain":1}`
	var p sampleParams
	if err := Params(json.RawMessage(good), &p); err != nil {
		t.Fatal(err)
	}
	if p.DocumentID[15] != 15 || p.CardID != "c" || p.Visible.Page != 1 || p.Parts[1].Name != "b" || p.Words["A"] != "2" || p.Hash[2] != 2 || p.Plain != 1 {
		t.Errorf("read %+v", p)
	}
	if err := Params(nil, &sampleParams{}); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{
		"another case":               `{"CardID":"c"}`,
		"another case beside it":     `{"cardId":"shown","CARDID":"taken"}`,
		"a folded letter":            `{"fieldſ":["photo"]}`,
		"twice":                      `{"cardId":"a","cardId":"b"}`,
		"twice, once escaped":        `{"cardId":"a","card\u0049d":"b"}`,
		"unknown":                    `{"origin":"https://bank.example"}`,
		"case of an embedded part":   `{"documentID":"000102030405060708090a0b0c0d0e0f"}`,
		"case below":                 `{"visible":{"Page":1}}`,
		"twice below":                `{"visible":{"page":1,"page":2}}`,
		"unknown below":              `{"visible":{"page":1,"image":"x"}}`,
		"case in a list":             `{"parts":[{"name":"a"},{"Name":"b"}]}`,
		"twice in a map":             `{"words":{"a":"1","a":"2"}}`,
		"twice in what is not read":  `{"id":{"any":1,"any":2}}`,
		"a field that has no member": `{"Never":"x"}`,
		"the name of a part":         `{"sampleID":{}}`,
		"a list":                     `[]`,
		"null":                       `null`,
		"something after it":         `{} {}`,
		"cut off":                    `{"cardId":"a"`,
		"nothing":                    ``,
		"the wrong kind":             `{"cardId":1}`,
		"too deep":                   `{"id":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
	} {
		if err := Params(json.RawMessage(bad), &sampleParams{}); CodeOf(err) != InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParams: what is read is what a strict reader of the same text would read.
func FuzzParams(f *testing.F) {
	for _, seed := range []string{`{}`, `{"cardId":"c","fields":["surname"]}`, `{"visible":{"page":1,"rect":[1,2,3,4]}}`, `{"cardId":"a","CardId":"b"}`,
		`{"parts":[{"name":"x"}],"words":{"a":"b"}}`, `{"id":[{"a":1},{"a":1}]}`, `{"at":"2026-11-22T00:00:00Z"}`, `[[[[]]]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, again sampleParams
		if err := Params(b, &p); err != nil {
			if CodeOf(err) != InvalidArgument {
				t.Fatal(err)
			}
			return
		}
		if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%v: %+v, %+v", err, p, again)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(b, &members); err != nil {
			t.Fatal(err)
		}
		fields := map[string]reflect.Type{}
		fieldsOf(reflect.TypeFor[sampleParams](), fields)
		for name := range members {
			if fields[name] == nil {
				t.Fatalf("%q was taken", name)
			}
		}
	})
}
