//go:build unix

package service

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaBase = "https://github.com/eidkit/eidkit/raw/main/docs/schema/"

var schemas = struct {
	sync.Mutex
	compiler *jsonschema.Compiler
	root     map[string]any
	met      map[string]bool
}{met: map[string]bool{}}

// definition is a $def of docs/schema/agent.json.
func definition(name string) (*jsonschema.Schema, error) {
	if schemas.compiler == nil {
		c := jsonschema.NewCompiler()
		paths, err := filepath.Glob(filepath.Join("..", "..", "docs", "schema", "*.json"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
			if err != nil {
				return nil, err
			}
			if filepath.Base(path) == "agent.json" {
				schemas.root = doc.(map[string]any)
			}
			if err := c.AddResource(schemaBase+filepath.Base(path), doc); err != nil {
				return nil, err
			}
		}
		schemas.compiler = c
	}
	if schemas.root["$defs"].(map[string]any)[name] == nil {
		return nil, fmt.Errorf("docs/schema/agent.json has no %s", name)
	}
	return schemas.compiler.Compile(schemaBase + "agent.json#/$defs/" + name)
}

// checkSchema holds parameters, a result or a notification against its schema.
func (b *bench) checkSchema(name string, raw []byte) {
	b.t.Helper()
	schemas.Lock()
	defer schemas.Unlock()
	s, err := definition(name)
	if err != nil {
		b.t.Error(err)
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		b.t.Errorf("%s: %v\n%.2000s", name, err, raw)
	}
	schemas.met[name] = true
}

// TestMain adds that each method's result, and each notification of this package, was held against its schema by some test.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && !partial() {
		for name := range (&Service{}).Methods() {
			if !schemas.met[name+".result"] || !schemas.met[name+".params"] {
				fmt.Fprintf(os.Stderr, "no test holds %s against docs/schema/agent.json\n", name)
				code = 1
			}
		}
		for _, name := range []string{"operation.waiting", "operation.progress", "reader.added", "reader.removed", "card.inserted", "card.removed"} {
			if !schemas.met["notification."+name] {
				fmt.Fprintf(os.Stderr, "no test holds the notification %s against docs/schema/agent.json\n", name)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// partial tells whether only some tests were run, or none.
func partial() bool {
	for _, arg := range os.Args[1:] {
		for _, flag := range []string{"-test.run=", "-test.fuzz=", "-test.list=", "-test.skip=", "-test.short"} {
			if strings.HasPrefix(arg, flag) && arg != "-test.run=" {
				return true
			}
		}
	}
	return false
}

// TestSchemaBites: what is not in the schema does not fit.
func TestSchemaBites(t *testing.T) {
	t.Parallel()
	schemas.Lock()
	defer schemas.Unlock()
	for name, raw := range map[string]string{"identity.read.params": `{"fields":["surname"],"pin":"1234"}`, "sign.hash.params": `{"hash":"AA=="}`,
		"pin.status.result": `{"triesLeft":"3"}`, "notification.card.removed": `{"reader":"a"}`} {
		s, err := definition(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(v) == nil {
			t.Errorf("%s: %s fits", name, raw)
		}
	}
	if _, err := definition("nothing"); err == nil {
		t.Error("a definition that is not there was found")
	}
}
