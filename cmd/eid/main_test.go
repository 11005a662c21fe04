package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// envCommand has the test program be the command itself, for tests that want a process of its own.
const envCommand = "EIDKIT_TEST_COMMAND"

// TestMain keeps the tests off the user's configuration and language.
func TestMain(m *testing.M) {
	if os.Getenv(envCommand) != "" {
		main()
	}
	if o := os.Getenv(envSimulation); o != "" {
		os.Exit(simulation(o))
	}
	dir, err := os.MkdirTemp("", "eidkit-test")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	os.Setenv("LC_ALL", "C")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// eid runs the command in this process and returns its exit code and what it wrote.
func eid(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return eidContext(t, context.Background(), args...)
}

func eidContext(t *testing.T, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(ctx, args, streams{strings.NewReader(""), &out, &errs})
	return code, out.String(), errs.String()
}

// wantCode fails the test unless the command ended as it should.
func wantCode(t *testing.T, want, code int, stdout, stderr string) {
	t.Helper()
	if code != want {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, want, stdout, stderr)
	}
}

// schemaBase is where the schemas say that they are.
const schemaBase = "https://github.com/eidkit/eidkit/raw/main/docs/schema/"

// schemaFolder is found before a test goes to another folder.
var schemaFolder, _ = filepath.Abs(filepath.Join("..", "..", "docs", "schema"))

// validate checks a JSON document against its published schema.
func validate(t *testing.T, schema, document string) {
	t.Helper()
	c := jsonschema.NewCompiler()
	names := map[string]bool{schema: true, "read.json": true, "verify.json": true, "doctor.json": true, "version.json": true} // others refer to these
	for name := range names {
		b, err := os.ReadFile(filepath.Join(schemaFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(schemaBase+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile(schemaBase + schema)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatalf("not JSON: %v\n%s", err, document)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", schema, err, document)
	}
}

// decode parses JSON output into generic values.
func decode(t *testing.T, document string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(document), &m); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return m
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--nonsense"}, {"nonsense"}, {"read", "extra"}, {"read", "--json", "--xml"}, {"certs", "nonsense"},
		{"--lang", "xx", "version"}, {"testcard", "serve"}, {"testcard", "serve", "--profile", "nobody"},
		{"read", "--reader", "testcard:nobody"}, {"demo", "--tamper", "nothing"}, {"read", "--trust", "/does/not/exist"},
		{"pin", "verify", "--auto-pin=true", "extra"},
	} {
		code, out, errs := eid(t, args...)
		if code != exitUsage || !strings.Contains(errs, "eid: error: ") || !strings.Contains(errs, "eid: hint: ") || out != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, errs := eid(t, "version", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "version.json", out)
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, out, errs := eid(t, "completion", shell)
		wantCode(t, exitOK, code, out, errs)
		if !strings.Contains(out, "eid") {
			t.Errorf("%s: no completion script", shell)
		}
	}
}

func TestTestcardList(t *testing.T) {
	code, out, errs := eid(t, "testcard", "list", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "testcards.json", out)
	for _, name := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8", "kid-1.8", "foreigner-1.8"} {
		if !strings.Contains(out, `"name": "`+name+`"`) {
			t.Errorf("%s is not listed", name)
		}
	}
}

func TestConfiguration(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	path := filepath.Join(dir, "eidkit", "config.toml")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		content, want string
		code          int
	}{
		{"[readers]\nignore = [\"SIM\"]\npinentry = 1\n", "", exitFailure},
		{"[readers]\nignore = [\"SIM\"]\n", "", exitOK},
		{"nonsense = 1\n", "nonsense", exitFailure},
		{"[readers\n", "line 1", exitFailure},
	} {
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := eid(t, "version")
		wantCode(t, test.code, code, out, errs)
		if !strings.Contains(errs, test.want) {
			t.Errorf("%q: %s", test.content, errs)
		}
	}
}
