package client

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/protocol"
)

// example is a program of examples/clients.
type example struct {
	name    string
	command []string
}

func examples(t *testing.T) []example {
	t.Helper()
	dir := filepath.Join("..", "..", "examples", "clients")
	list := []example{
		{"node", []string{tool(t, "node"), filepath.Join(dir, "client.mjs")}},
		{"python", []string{tool(t, "python3"), filepath.Join(dir, "client.py")}},
	}
	// Mono is the compiler of C# that Debian has; where it is missing, CI of another system is not held up by it.
	mcs, err := exec.LookPath("mcs")
	if err != nil {
		return list
	}
	program := filepath.Join(t.TempDir(), "Client.exe")
	run(t, ".", mcs, "-warnaserror", "-r:System.Web.Extensions.dll", "-out:"+program, filepath.Join(dir, "Client.cs"))
	return append(list, example{"csharp", []string{tool(t, "mono"), program}})
}

// TestExamples runs the programs against an agent that pings, notifies, and answers or refuses.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, e := range examples(t) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			agent := httptest.NewServer(http.HandlerFunc(answer))
			defer agent.Close()
			address := "ws" + strings.TrimPrefix(agent.URL, "http") + protocol.Path
			for _, test := range []struct{ address, token, want string }{
				{address, "good", `[{"readers":[{"name":"R","card":null}]},{"cardId":"k","identity":{"surname":"Peeters","givenNames":"Zoë Ann"},"trusted":true}]`},
				{address, "no card", `[{"readers":[{"name":"R","card":null}]},{"error":{"code":"NO_CARD","retry":true,"text":"Er zit geen kaart in de lezer."}}]`},
				{address, "bad", `[{"error":{"code":"AGENT_ABSENT","retry":true}}]`},
				{"ws://127.0.0.1:1/v1", "good", `[{"error":{"code":"AGENT_ABSENT","retry":true}}]`},
			} {
				cmd := exec.CommandContext(t.Context(), e.command[0], e.command[1:]...)
				cmd.Env = append(os.Environ(), "EIDKIT_AGENT="+test.address, "EIDKIT_TOKEN="+test.token)
				var stderr strings.Builder
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				var got, want []map[string]any
				for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
					var line map[string]any
					if err := d.Decode(&line); err != nil {
						t.Fatalf("%v in %s%s", err, out, &stderr)
					}
					if absent, ok := line["error"].(map[string]any); ok && absent["code"] == "AGENT_ABSENT" {
						delete(absent, "text") // the system's words
					}
					got = append(got, line)
				}
				if err := json.Unmarshal([]byte(test.want), &want); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) || stderr.Len() > 0 || (err == nil) != (len(want) == 2 && test.token == "good") {
					t.Errorf("token %q: %v, %s%s", test.token, err, out, &stderr)
				}
			}
		})
	}
}

// answer is the agent: a handshake with a token, then readers.list and identity.read.
func answer(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	upgrader := websocket.Upgrader{Subprotocols: []string{protocol.Subprotocol}}
	if r.URL.Path != protocol.Path || r.Header.Get("Origin") != "" || token == "bad" || len(websocket.Subprotocols(r)) != 1 {
		w.Header().Set("Connection", "close") // as the agent does
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	for {
		_, b, err := ws.ReadMessage()
		if err != nil {
			return
		}
		q, err := protocol.ParseRequest(b)
		if err != nil {
			return
		}
		note, _ := protocol.Notification("reader.added", map[string]string{"reader": strings.Repeat("R", 300)})
		var p struct {
			Fields  []string `json:"fields"`
			Purpose string   `json:"purpose"`
		}
		reply := protocol.Failure(q.ID, protocol.Errorf(protocol.InvalidArgument, "not in this test"))
		switch {
		case q.Method == "readers.list":
			reply, _ = protocol.Result(q.ID, json.RawMessage(`{"readers":[{"name":"R","card":null}]}`))
		case protocol.Params(q.Params, &p) != nil || len(p.Fields) != 2 || p.Purpose == "":
		case token == "no card":
			reply = protocol.Failure(q.ID, protocol.Errorf(protocol.NoCard, "detail"))
		case q.Method == "identity.read":
			filler := strings.Repeat("w", 70_000) // a frame with the longest form of length
			reply, _ = protocol.Result(q.ID, json.RawMessage(`{"cardId":"k","identity":{"surname":"Peeters","givenNames":"Zoë Ann"},"trusted":true,"warnings":["`+filler+`"]}`))
		}
		ws.WriteMessage(websocket.PingMessage, []byte("?"))
		ws.WriteMessage(websocket.TextMessage, note)
		ws.WriteMessage(websocket.TextMessage, reply)
	}
}
