package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

func random(t testing.TB, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// program connects as a paired one.
func (r *rig) program(t testing.TB) *dial.Conn {
	t.Helper()
	c, err := dial.Loopback(t.Context(), r.address, r.token())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestDocuments: there and back, by both ways in, for every size about which there
// is something.
func TestDocuments(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	sizes := []int{0, 1, pieceSize - 1, pieceSize, pieceSize + 1, sentSize, sentSize + 1, protocol.MaxChunk, protocol.MaxChunk + 1, 2*protocol.MaxChunk - 5}
	for i, c := range []*dial.Conn{r.program(t), r.onSocket(t, dial.WithToken(r.token()))} {
		for _, n := range append(sizes, []int{maxRead + 3, pieceSize - chunkHeader}[i]) {
			content := random(t, n)
			d, err := c.Send(t.Context(), "a.pdf", "application/pdf", int64(n), bytes.NewReader(content))
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			if sum := sha256.Sum256(content); d.SHA256 != hex.EncodeToString(sum[:]) || d.Name != "a.pdf" || d.Size != int64(n) {
				t.Errorf("%d bytes: %+v", n, d)
			}
			var back bytes.Buffer
			if err := c.Fetch(t.Context(), d.ID, &back); err != nil || !bytes.Equal(back.Bytes(), content) {
				t.Errorf("%d bytes: %d came back, %v", n, back.Len(), err)
			}
			if err := c.Call(t.Context(), "document.close", map[string]any{"documentId": d.ID}, nil); err != nil {
				t.Error(err)
			}
		}
	}
	r.nothingRan(t)
}

// TestDocumentFaults: pieces out of their place lose the document, and the client
// hears of it; other connections cannot name it.
func TestDocumentFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	open := func(size int) protocol.DocumentID {
		t.Helper()
		send(t, ws, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"document.open","params":{"name":"a.txt","size":%d}}`, size))
		var got documentID
		if err := json.Unmarshal(receive(t, ws).Result, &got); err != nil {
			t.Fatal(err)
		}
		return got.DocumentID
	}
	chunk := func(id protocol.DocumentID, offset uint64, n int) {
		t.Helper()
		if err := ws.WriteMessage(websocket.BinaryMessage, protocol.Chunk{Document: id, Offset: offset, Data: make([]byte, n)}.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string]func(id protocol.DocumentID){
		"a gap":                       func(id protocol.DocumentID) { chunk(id, 1, 1) },
		"twice":                       func(id protocol.DocumentID) { chunk(id, 0, 5); chunk(id, 0, 5) },
		"too much":                    func(id protocol.DocumentID) { chunk(id, 0, 11) },
		"after the end":               func(id protocol.DocumentID) { chunk(id, 0, 10); chunk(id, 10, 1) },
		"a large offset":              func(id protocol.DocumentID) { chunk(id, 1<<63, 1) },
		"changed when it is complete": func(id protocol.DocumentID) { chunk(id, 0, 10); chunk(id, 0, 10) },
	} {
		id := open(10)
		f(id)
		m := receive(t, ws)
		if m.Method != "document.failed" || !strings.Contains(string(m.Params), id.String()) || !strings.Contains(string(m.Params), "INVALID_ARGUMENT") {
			t.Errorf("%s: %s %s", name, m.Method, m.Params)
		}
		chunk(id, 0, 1) // passed over
		send(t, ws, fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"document.info","params":{"documentId":%q}}`, id))
		wantCode(t, receive(t, ws), "2", protocol.InvalidArgument)
	}
	id := open(10)
	for _, params := range []string{`{"name":"a/b","size":1}`, `{"name":"a","size":-1}`, `{"name":"a","size":600000000}`, `{"name":"a"}`, `{"name":"a","size":1,"path":"/etc"}`} {
		send(t, ws, `{"jsonrpc":"2.0","id":3,"method":"document.open","params":`+params+`}`)
		if m := receive(t, ws); m.Result != nil {
			t.Errorf("%s: %s", params, m.Result)
		}
	}
	for _, params := range []string{`"offset":-1,"length":1`, `"offset":0,"length":-1`, `"offset":0,"length":8388609`, `"offset":0,"length":1`} { // the last: not complete
		send(t, ws, fmt.Sprintf(`{"jsonrpc":"2.0","id":4,"method":"document.read","params":{"documentId":%q,%s}}`, id, params))
		wantCode(t, receive(t, ws), "4", protocol.InvalidArgument)
	}
	chunk(id, 0, 10)
	other := r.web(t, site)
	send(t, other, fmt.Sprintf(`{"jsonrpc":"2.0","id":5,"method":"document.read","params":{"documentId":%q,"offset":0,"length":1}}`, id))
	wantCode(t, receive(t, other), "5", protocol.InvalidArgument)
	send(t, ws, fmt.Sprintf(`{"jsonrpc":"2.0","id":6,"method":"document.read","params":{"documentId":%q,"offset":20,"length":1}}`, id))
	if m := receive(t, ws); string(m.Result) != `{"offset":20,"length":0}` {
		t.Errorf("beyond the end: %+v", m)
	}
	r.nothingRan(t)
}

// TestDocumentsEnd: nothing is left of a connection's documents, on the disk or of
// the quota.
func TestDocumentsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := r.program(t)
	if _, err := c.Send(t.Context(), "a.txt", "", 5, strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	if used := r.o.Spool.Used(); used != 5 {
		t.Errorf("%d bytes are taken", used)
	}
	c.Close()
	r.Close()
	left, err := filepath.Glob(filepath.Join(r.dir, "spool", "*"))
	if used := r.o.Spool.Used(); used != 0 || len(left) > 0 || err != nil {
		t.Errorf("%d bytes are taken, %v left, %v", used, left, err)
	}
}

// TestSlowReader: a client that takes nothing of its document is dropped.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.Write, o.Limits.Requests = time.Second, 1e9 })
	slow := r.web(t, site)
	if err := slow.NetConn().(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	const size = 4 << 20
	send(t, slow, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"document.open","params":{"name":"a","size":%d}}`, size))
	var got documentID
	if err := json.Unmarshal(receive(t, slow).Result, &got); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, protocol.MaxChunk)
	for at := 0; at < size; at += len(data) {
		if err := slow.WriteMessage(websocket.BinaryMessage, protocol.Chunk{Document: got.DocumentID, Offset: uint64(at), Data: data}.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		send(t, slow, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"document.read","params":{"documentId":%q,"offset":0,"length":%d}}`, i+2, got.DocumentID, maxRead))
	}
	watcher := r.onSocket(t)
	for dropped := ""; !strings.Contains(dropped, `eidkit_agent_closed_total{reason="slow"} 1`); {
		if err := watcher.Call(t.Context(), "agent.status", nil, nil); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		r.meters.set.WritePrometheus(&b)
		dropped = b.String()
	}
}

// fakeDesk has one question, with a document.
type fakeDesk struct {
	content  string
	sum      string
	changed  chan struct{}
	answered chan desk.Answer
	watched  chan string
}

func (d *fakeDesk) Available() error         { return nil }
func (d *fakeDesk) Pending() []desk.Item     { return nil }
func (d *fakeDesk) Changed() <-chan struct{} { return d.changed }
func (d *fakeDesk) Answer(id string, a desk.Answer) error {
	if id != "q1" {
		return desk.ErrNoItem
	}
	d.answered <- a
	return nil
}

func (d *fakeDesk) Document(id string, i int) (desk.Document, error) {
	if id != "q1" || i != 0 {
		return desk.Document{}, desk.ErrNoItem
	}
	return desk.Document{Name: "contract.txt", MediaType: "text/plain", SHA256: d.sum, Preview: strings.NewReader(d.content)}, nil
}

func (d *fakeDesk) Watch() func() {
	d.watched <- "watch"
	return func() { d.watched <- "left" }
}

func (d *fakeDesk) Attend() func() {
	d.watched <- "attend"
	return func() { d.watched <- "left" }
}

func TestDesk(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("I agree."))
	d := &fakeDesk{content: "I agree.", sum: hex.EncodeToString(sum[:]), changed: make(chan struct{}), answered: make(chan desk.Answer, 1), watched: make(chan string, 8)}
	r := newRig(t, func(o *Options) { o.Desk = d })
	ws := r.page(t)
	openSession(t, ws, r.code(t))
	call := func(method, params string) message {
		send(t, ws, `{"jsonrpc":"2.0","id":7,"method":"`+method+`","params":`+params+`}`)
		return receive(t, ws)
	}
	for _, params := range []string{`{}`, `{}`, `{"attend":true}`, `{"attend":true}`} {
		if m := call("desk.pending", params); string(m.Result) != `{"items":[]}` {
			t.Errorf("desk.pending %s: %+v", params, m)
		}
	}
	if first, second := <-d.watched, <-d.watched; first != "watch" || second != "attend" || len(d.watched) > 0 {
		t.Errorf("the desk hears %s, %s and %d more", first, second, len(d.watched))
	}
	d.changed <- struct{}{}
	if m := receive(t, ws); m.Method != "desk.changed" {
		t.Errorf("got %+v", m)
	}
	if m := call("desk.answer", `{"id":"q1","allowed":true,"always":true,"choice":2}`); string(m.Result) != "{}" {
		t.Errorf("desk.answer: %+v", m)
	}
	if a := <-d.answered; a != (desk.Answer{Allowed: true, Always: true, Choice: 2}) {
		t.Errorf("answered %+v", a)
	}
	wantCode(t, call("desk.answer", `{"id":"q2","allowed":true}`), "7", protocol.InvalidArgument)
	wantCode(t, call("desk.preview", `{"id":"q1","document":1}`), "7", protocol.InvalidArgument)
	var shown documentID
	if m := call("desk.preview", `{"id":"q1","document":0}`); json.Unmarshal(m.Result, &shown) != nil {
		t.Fatalf("desk.preview: %+v", m)
	}
	send(t, ws, fmt.Sprintf(`{"jsonrpc":"2.0","id":8,"method":"document.read","params":{"documentId":%q,"offset":0,"length":100}}`, shown.DocumentID))
	_, b, err := ws.ReadMessage()
	if err != nil || string(b[chunkHeader:]) != "I agree." {
		t.Errorf("the page sees %q, %v", b, err)
	}
	receive(t, ws)
	d.sum = strings.Repeat("0", 64) // the document is not the one that the question is about
	wantCode(t, call("desk.preview", `{"id":"q1","document":0}`), "7", protocol.Internal)
	ws.Close()
	if first, second := <-d.watched, <-d.watched; first != "left" || second != "left" {
		t.Errorf("the desk hears %s, %s", first, second)
	}
}

// TestMethodsSeeDocuments: a method uses the documents of its own connection, and
// gives new ones back.
func TestMethodsSeeDocuments(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) {
		o.Methods["identity.read"] = func(_ context.Context, c *service.Call) (any, error) {
			var p documentID
			if err := protocol.Params(c.Params, &p); err != nil {
				return nil, err
			}
			from, err := c.Documents.Get(p.DocumentID)
			if err != nil {
				return nil, err
			}
			to, err := c.Documents.Make("signed-"+from.Name(), "")
			if err != nil {
				return nil, err
			}
			if _, err := io.Copy(to, io.MultiReader(strings.NewReader("signed: "), io.NewSectionReader(from, 0, from.Size()))); err != nil {
				return nil, err
			}
			return documentID{to.ID()}, to.Seal()
		}
	})
	c := r.program(t)
	d, err := c.Send(t.Context(), "a.txt", "", 5, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	var made documentID
	if err := c.Call(t.Context(), "identity.read", map[string]any{"documentId": d.ID}, &made); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Fetch(t.Context(), made.DocumentID, &out); err != nil || out.String() != "signed: hello" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if err := c.Fetch(t.Context(), protocol.DocumentID{}, io.Discard); protocol.CodeOf(err) != protocol.InvalidArgument {
		t.Errorf("a document that is not there: %v", err)
	}
	if _, err := c.Send(t.Context(), "short.txt", "", 6, strings.NewReader("hello")); err == nil {
		t.Error("a document shorter than it was said to be")
	}
	if _, err := os.ReadDir(filepath.Join(r.dir, "spool")); err != nil {
		t.Error(err)
	}
}
