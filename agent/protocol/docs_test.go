package protocol

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocumentedFaults keeps the page's table of errors equal to Faults.
func TestDocumentedFaults(t *testing.T) {
	t.Parallel()
	_, rest, ok := strings.Cut(page(t), "| code | number | Web eID | retry | text |\n|---|---|---|---|---|\n")
	if !ok {
		t.Fatal("the page has no table of errors")
	}
	rows := strings.Split(rest, "\n")
	for i, f := range Faults() {
		retry := "no"
		if f.Retry {
			retry = "yes"
		}
		if want := fmt.Sprintf("| `%s` | %d | `%s` | %s | %s |", f.Code, f.Number, f.WebEID, retry, f.Text["en"]); rows[i] != want {
			t.Errorf("row %d is %s\nwant     %s", i, rows[i], want)
		}
	}
	if rows[len(Faults())] != "" {
		t.Errorf("a row too many: %s", rows[len(Faults())])
	}
}

var name = regexp.MustCompile("`([a-z]+\\.[a-z]+)`")

// documentedMethods are those of the page's tables of methods.
func documentedMethods(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, table := range strings.Split(page(t), "| method | params | result |\n")[1:] {
		for _, row := range strings.Split(table, "\n")[1:] {
			if !strings.HasPrefix(row, "| `") {
				break
			}
			for _, m := range name.FindAllStringSubmatch(strings.SplitN(row, " | ", 2)[0], -1) {
				all = append(all, m[1])
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestDocumentedMethods keeps the page's tables equal to the methods that the server and the service have.
func TestDocumentedMethods(t *testing.T) {
	t.Parallel()
	method := regexp.MustCompile(`"([a-z]+\.[a-z]+)":\s+[a-z][A-Za-z.]+`)
	there := map[string]bool{}
	for _, file := range []string{"../methods.go", "../service/service.go"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range method.FindAllStringSubmatch(string(b), -1) {
			there[m[1]] = true
		}
	}
	documented := documentedMethods(t)
	if len(there) < 30 {
		t.Fatalf("only %d methods were found in the source", len(there))
	}
	for _, m := range documented {
		if !there[m] {
			t.Errorf("%s is documented and not there", m)
		}
		delete(there, m)
	}
	for m := range there {
		t.Errorf("%s is there and not documented", m)
	}
}

// TestDocumentedConversation checks that what the page shows is what would be said.
func TestDocumentedConversation(t *testing.T) {
	t.Parallel()
	_, talk, ok := strings.Cut(page(t), "## A conversation\n")
	if !ok {
		t.Fatal("the page has no conversation")
	}
	methods := documentedMethods(t)
	asked, answered, errors, frames := map[string]bool{}, map[string]bool{}, 0, 0
	for _, line := range strings.Split(talk, "\n") {
		switch {
		case strings.HasPrefix(line, "    > {"):
			r, err := ParseRequest([]byte(line[6:]))
			if err != nil {
				t.Errorf("%s: %v", line, err)
			} else if !slices.Contains(methods, r.Method) {
				t.Errorf("%s: the method is not documented", line)
			}
			asked[r.Call()] = true
		case strings.HasPrefix(line, "    < {"):
			id, failed := checkAnswer(t, line[6:])
			if id != "" {
				answered[id] = true
			}
			if failed {
				errors++
			}
		case strings.HasPrefix(line, "    > binary: "):
			b, err := hex.DecodeString(strings.ReplaceAll(line[14:], " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			if c, err := ParseChunk(b); err != nil || c.Offset != 0 || len(c.Data) != 11 || !strings.Contains(talk, `"documentId":"`+c.Document.String()+`"`) {
				t.Errorf("%s: %+v, %v", line, c, err)
			}
			frames++
		}
	}
	if len(asked) < 5 || !reflect.DeepEqual(asked, answered) || errors == 0 || frames == 0 {
		t.Errorf("asked %v, answered %v, %d errors, %d frames", asked, answered, errors, frames)
	}
}

// checkAnswer checks a message of the agent: the request that it answers, and whether that failed.
func checkAnswer(t *testing.T, line string) (id string, failed bool) {
	t.Helper()
	var m struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
			Data    struct {
				Code Code `json:"code"`
			} `json:"data"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil || m.Version != "2.0" {
		t.Fatalf("%s: %v", line, err)
	}
	var want []byte
	var err error
	switch {
	case m.Method != "":
		want, err = Notification(m.Method, m.Params)
	case m.Error != nil:
		e := &Error{Code: m.Error.Data.Code}
		if m.Error.Message != FaultOf(e.Code).Text["en"] {
			e.Detail = m.Error.Message
		}
		want = Failure(m.ID, e)
	default:
		want, err = Result(m.ID, m.Result)
	}
	if err != nil || string(want) != line {
		t.Errorf("the page has  %s\nthe agent says %s %v", line, want, err)
	}
	if strings.Contains(line, `"installation"`) {
		var info struct {
			Installation struct {
				Key string `json:"key"`
			} `json:"installation"`
		}
		if err := json.Unmarshal(m.Result, &info); err != nil {
			t.Fatal(err)
		}
		if key, err := base64.StdEncoding.DecodeString(info.Installation.Key); err != nil || len(key) != 32 {
			t.Errorf("no Ed25519 key: %v, %v", key, err)
		}
	}
	return string(m.ID), m.Error != nil
}
