//go:build unix

package attacks

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/protocol"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// wire is a page that sends what it likes in the order that it likes.
type wire struct {
	*websocket.Conn
	t       *testing.T
	id      int
	answers map[int]json.RawMessage // that came before they were asked for
	heard   bytes.Buffer
}

func (r *rig) wire(t *testing.T, origin string) *wire {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{protocol.Subprotocol}}
	ws, answer, err := d.DialContext(t.Context(), "ws://"+r.address+protocol.Path, http.Header{"Origin": {origin}})
	if err != nil {
		t.Fatal(err, answer)
	}
	t.Cleanup(func() { ws.Close() })
	return &wire{Conn: ws, t: t, answers: map[int]json.RawMessage{}}
}

func (w *wire) send(method string, params any) (id int) {
	w.t.Helper()
	w.id++
	if err := w.WriteJSON(m{"jsonrpc": "2.0", "id": w.id, "method": method, "params": params}); err != nil {
		w.t.Fatal(err)
	}
	return w.id
}

// answer is the whole answer to a request, read into result where that is wanted.
func (w *wire) answer(id int, result any) string {
	w.t.Helper()
	for w.answers[id] == nil {
		kind, b, err := w.ReadMessage()
		if err != nil {
			w.t.Fatal(err)
		}
		var got struct{ ID *int }
		if kind == websocket.BinaryMessage || json.Unmarshal(b, &got) != nil || got.ID == nil {
			w.heard.Write(append(b, '\n'))
			continue
		}
		w.answers[*got.ID] = b
	}
	if result != nil {
		var got struct{ Result json.RawMessage }
		if err := json.Unmarshal(w.answers[id], &got); err != nil || json.Unmarshal(got.Result, result) != nil {
			w.t.Fatalf("got %s", w.answers[id])
		}
	}
	return string(w.answers[id])
}

func (w *wire) chunk(id protocol.DocumentID, at uint64, data string) {
	w.t.Helper()
	if err := w.WriteMessage(websocket.BinaryMessage, protocol.Chunk{Document: id, Offset: at, Data: []byte(data)}.Bytes()); err != nil {
		w.t.Fatal(err)
	}
}

// document sends one.
func (w *wire) document(name, content string) protocol.DocumentID {
	w.t.Helper()
	var opened struct{ DocumentID protocol.DocumentID }
	w.answer(w.send("document.open", m{"name": name, "mediaType": "text/plain", "size": len(content)}), &opened)
	w.chunk(opened.DocumentID, 0, content)
	return opened.DocumentID
}

// TestDocumentChanged: what the user was shown is what is signed, whatever the
// client does with its documents meanwhile, and its documents are its own.
func TestDocumentChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "hold")
	const shown, other = "I owe you one euro.\n", "I owe you a million\n"
	page, thief := r.wire(t, evil), r.wire(t, evil)
	id := page.document("promise.txt", shown)
	params := m{"documentIds": []protocol.DocumentID{id}, "format": "cades", "level": "b", "purpose": "p"}

	// Another connection, though of the same site, has no use for the ID.
	for method, p := range map[string]m{"document.info": {"documentId": id}, "document.read": {"documentId": id, "offset": 0, "length": 10}, "sign.document": params} {
		if got := thief.answer(thief.send(method, p), nil); !strings.Contains(got, string(protocol.InvalidArgument)) {
			t.Errorf("%s: %s", method, got)
		}
	}
	thief.chunk(id, 0, "I owe you a m")
	thief.answer(thief.send("document.close", m{"documentId": id}), nil)
	if got := page.answer(page.send("document.info", m{"documentId": id}), nil); !strings.Contains(got, hexSum(shown)) {
		t.Errorf("the document is %s", got)
	}
	untouched(t, r.card)

	// While the user reads: pieces on top and behind; closed; one of the same name and size; and the same signature once more.
	signing := page.send("sign.document", params)
	<-r.person.ups
	for _, at := range []uint64{0, 7, uint64(len(shown))} {
		page.chunk(id, at, "a million")
	}
	page.answer(page.send("document.close", m{"documentId": id}), nil)
	second := page.document("promise.txt", other)
	if got := page.answer(page.send("sign.document", params), nil); !strings.Contains(got, string(protocol.InvalidArgument)) {
		t.Errorf("a document that is closed: %s", got)
	}
	untouched(t, r.card)
	r.person.says(t, "allow")
	var signed struct{ DocumentID protocol.DocumentID }
	page.answer(signing, &signed)
	all := r.logged(t, evil)
	if last := all[len(all)-1]; last.Digest != hexSum(shown) || last.Result != "done" {
		t.Errorf("the log has %+v", last)
	}
	page.heard.Reset()
	page.answer(page.send("document.read", m{"documentId": signed.DocumentID, "offset": 0, "length": 1 << 20}), nil)
	if got := page.heard.String(); !strings.Contains(got, shown) || strings.Contains(got, "million") {
		t.Errorf("something else was signed: %q", got)
	}
	if told := strings.Join(r.person.told(t), "\n"); !strings.Contains(told, hexSum(shown)) || strings.Contains(told, hexSum(other)) {
		t.Errorf("the dialogs do not name the digest: %s", told)
	}
	if got := page.answer(page.send("document.info", m{"documentId": second}), nil); !strings.Contains(got, hexSum(other)) {
		t.Errorf("the other document is %s", got)
	}
}

func hexSum(s string) string { h := sha256.Sum256([]byte(s)); return fmt.Sprintf("%x", h) }
