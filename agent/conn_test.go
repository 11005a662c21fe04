package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

// frame is a client's frame by hand: first byte, then a masked payload.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...) // a mask of zeros
}

// length is the head of a frame of so many bytes.
func length(n uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{finText, 0xff}, n), 0, 0, 0, 0)
}

// Opcodes with the bit FIN, of RFC 6455, section 5.2.
const (
	finText, finBinary, finClose, finPing = 0x81, 0x82, 0x88, 0x89
	text, continuation, finContinuation   = 0x01, 0x00, 0x80
)

const request = `{"jsonrpc":"2.0","id":1,"method":"identity.read"}`

// TestFrames: what is no message ends the connection, and nothing runs.
func TestFrames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		send []byte
		code int
	}{
		{"too much text", frame(finText, bytes.Repeat([]byte(" "), protocol.MaxMessage+1)), websocket.CloseMessageTooBig},
		{"more than any frame", frame(finBinary, make([]byte, chunkHeader+protocol.MaxChunk+1)), websocket.CloseMessageTooBig},
		{"a length alone", frame(finBinary, nil)[:1:1], websocket.CloseNormalClosure},
		{"the length of a disk", length(1 << 62), websocket.CloseMessageTooBig},
		{"a negative length", length(1 << 63), websocket.CloseMessageTooBig},
		{"in pieces, too much", append(frame(text, make([]byte, 200<<10)), frame(finContinuation, make([]byte, 200<<10))...), websocket.CloseMessageTooBig},
		{"not masked", []byte{finText, 2, '{', '}'}, websocket.CloseProtocolError},
		{"reserved bits", frame(finText|0x40, []byte("{}")), websocket.CloseProtocolError},
		{"reserved opcode", frame(0x83, []byte("{}")), websocket.CloseProtocolError},
		{"a piece of nothing", frame(finContinuation, []byte("{}")), websocket.CloseProtocolError},
		{"a message in a message", append(frame(text, []byte("{")), frame(finText, []byte(request))...), websocket.CloseProtocolError},
		{"a long ping", frame(finPing, make([]byte, 126)), websocket.CloseProtocolError},
		{"no UTF-8", frame(finText, []byte("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}")), websocket.CloseInvalidFramePayloadData},
		{"a short chunk", frame(finBinary, make([]byte, chunkHeader-1)), websocket.CloseProtocolError},
		{"many pings", bytes.Repeat(frame(finPing, nil), 4*pingRate+2), websocket.ClosePolicyViolation},
		{"a flood of empty pieces", append(frame(text, nil), bytes.Repeat(frame(continuation, nil), 1<<16)...), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := time.Now() // which stands still: no bucket is filled again
			r := newRig(t, func(o *Options) {
				o.Now = func() time.Time { return now }
				if test.code == 0 { // nothing but its time ends it
					o.Limits.Message = 200 * time.Millisecond
				}
			})
			ws := r.web(t, site)
			c := ws.NetConn()
			if _, err := c.Write(test.send); err != nil && test.code != 0 {
				t.Fatal(err)
			}
			if len(test.send) == 1 { // the rest never comes
				if err := c.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			wantClosed(t, ws, test.code)
			r.nothingRan(t)
		})
	}
}

// TestSlowMessage: a message that does not come to its end is not waited for,
// whatever else the client sends to look alive.
func TestSlowMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.Message = 50 * time.Millisecond })
	ws := r.web(t, site)
	if _, err := ws.NetConn().Write(append(frame(text, []byte(`{"jsonrpc"`)), frame(finPing, nil)...)); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, ws, 0)
	r.nothingRan(t)
}

// TestSilence: who answers no ping is gone.
func TestSilence(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.Ping, o.Limits.Silence = 20*time.Millisecond, 60*time.Millisecond })
	silent := r.web(t, site)
	silent.SetPingHandler(func(string) error { return nil })
	wantClosed(t, silent, 0)
	// The other one answers, and is there after a longer time than that. A machine that stands still for so long would end it too:
	// then a longer time has to do.
	silence := time.Second
	for ; !answers(t, silence); silence *= 4 {
		if silence > time.Minute {
			t.Fatal("who answers pings is gone too")
		}
	}
}

// answers tells whether a client that answers pings is there after more than that time.
func answers(t *testing.T, silence time.Duration) bool {
	t.Helper()
	r := newRig(t, func(o *Options) { o.Limits.Ping, o.Limits.Silence = silence/20, silence })
	alive := r.web(t, site)
	pings := 0
	answer := alive.PingHandler()
	alive.SetPingHandler(func(data string) error {
		if pings++; pings == 25 {
			if err := alive.WriteMessage(websocket.TextMessage, []byte(request)); err != nil {
				return err
			}
		}
		return answer(data)
	})
	var m message
	return alive.ReadJSON(&m) == nil && m.Result != nil
}

// TestMessages: what is no request is answered so, and nothing runs.
func TestMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Desk = desk.New(desk.Options{}) })
	ws := r.web(t, site)
	for _, test := range []struct {
		send, id string
		code     protocol.Code
	}{
		{`[` + request + `,` + request + `]`, "null", protocol.InvalidArgument}, // a batch
		{`[]`, "null", protocol.InvalidArgument},
		{``, "null", protocol.InvalidArgument},
		{`nonsense`, "null", protocol.InvalidArgument},
		{request + request, "null", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","method":"identity.read"}`, "null", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":null,"method":"identity.read"}`, "null", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":1.5,"method":"identity.read"}`, "null", protocol.InvalidArgument},
		{`{"jsonrpc":"1.0","id":2,"method":"identity.read"}`, "2", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":"3","method":"identity.read","params":[]}`, `"3"`, protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":4,"method":"identity.read","origin":"https://other.example"}`, "4", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":5,"method":"identity.read","method":"log.read"}`, "null", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":6,"method":"no.such"}`, "6", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":7,"method":"agent.info","params":{"pin":"1234"}}`, "7", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":8,"method":"agent.prove","params":{"nonce":"c2hvcnQ="}}`, "8", protocol.InvalidArgument},
		{`{"jsonrpc":"2.0","id":9,"method":"operation.cancel","params":{"id":1,"all":true}}`, "9", protocol.InvalidArgument},
		// Methods that are not for a site.
		{`{"jsonrpc":"2.0","id":10,"method":"log.read"}`, "10", protocol.NotAuthorised},
		{`{"jsonrpc":"2.0","id":11,"method":"pair.request"}`, "11", protocol.NotAuthorised},
		{`{"jsonrpc":"2.0","id":12,"method":"page.open","params":{"page":"viewer"}}`, "12", protocol.NotAuthorised},
		{`{"jsonrpc":"2.0","id":13,"method":"agent.stop"}`, "13", protocol.NotAuthorised},
		{`{"jsonrpc":"2.0","id":14,"method":"agent.status"}`, "14", protocol.NotAuthorised},
		{`{"jsonrpc":"2.0","id":15,"method":"session.start","params":{"code":"x"}}`, "15", protocol.NotAuthorised},
		{`{"jsonrpc":"2.0","id":16,"method":"desk.pending"}`, "16", protocol.NotAuthorised},
	} {
		send(t, ws, test.send)
		wantCode(t, receive(t, ws), test.id, test.code)
	}
	r.nothingRan(t)
}

func TestDuplicateIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	send(t, ws, `{"jsonrpc":"2.0","id":"a","method":"sign.document"}`)
	if m := receive(t, ws); m.Method != "operation.waiting" || string(m.Params) != `{"for":"consent","id":"a"}` {
		t.Errorf("got %+v", m)
	}
	<-r.held
	send(t, ws, `{"jsonrpc":"2.0","id":"a","method":"identity.read"}`)
	wantCode(t, receive(t, ws), "null", protocol.InvalidArgument)
	if r.ran.Load() != 1 {
		t.Error("the second request of that ID ran")
	}
	send(t, ws, `{"jsonrpc":"2.0","id":"b","method":"operation.cancel","params":{"id":"a"}}`)
	results := map[string]message{}
	for range 2 {
		m := receive(t, ws)
		results[string(m.ID)] = m
	}
	wantCode(t, results[`"a"`], `"a"`, protocol.PINCancelled)
	if string(results[`"b"`].Result) != `{"cancelled":true}` {
		t.Errorf("cancel: %+v", results[`"b"`])
	}
	send(t, ws, `{"jsonrpc":"2.0","id":"a","method":"identity.read"}`) // it is free again
	if m := receive(t, ws); m.Result == nil {
		t.Errorf("the ID used again: %+v", m)
	}
	send(t, ws, `{"jsonrpc":"2.0","id":"c","method":"operation.cancel","params":{"id":"a"}}`)
	if m := receive(t, ws); string(m.Result) != `{"cancelled":false}` {
		t.Errorf("cancelling nothing: %+v", m)
	}
}

// TestManyCalls: so many at a time; and all of them end with the connection.
func TestManyCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	for i := range 8 {
		send(t, ws, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"sign.document"}`, i))
		if m := receive(t, ws); m.Method != "operation.waiting" {
			t.Fatalf("got %+v", m)
		}
		<-r.held
	}
	send(t, ws, `{"jsonrpc":"2.0","id":8,"method":"identity.read"}`)
	wantCode(t, receive(t, ws), "8", protocol.Busy)
	if r.ran.Load() != 8 {
		t.Error("the ninth ran")
	}
	ws.Close()
	for range 8 {
		if err := <-r.gone; err == nil {
			t.Error("no cause")
		}
	}
}

// TestFaults: a method's fault is the client's INTERNAL, and the log has it
// without anything of a person.
func TestFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	for id, name := range map[string]string{"1": "verify.document", "2": "pin.status"} {
		send(t, ws, `{"jsonrpc":"2.0","id":`+id+`,"method":"`+name+`"}`)
		m := receive(t, ws)
		wantCode(t, m, id, protocol.Internal)
		if strings.ContainsAny(m.Error.Message, "0123456789") {
			t.Errorf("the client hears %q", m.Error.Message)
		}
	}
	log := r.log.String()
	if !strings.Contains(log, "a method failed") || !strings.Contains(log, "a method panicked") || !strings.Contains(log, "method=pin.status") {
		t.Errorf("the log is %s", log)
	}
	for _, personal := range []string{"85.07.30", "85073003328"} {
		if strings.Contains(log, personal) {
			t.Errorf("the log has %s: %s", personal, log)
		}
	}
	send(t, ws, request)
	if m := receive(t, ws); m.Result == nil {
		t.Errorf("after a panic: %+v", m)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // time stands still: no bucket is filled again
	r := newRig(t, func(o *Options) {
		o.Limits.Requests = 5
		o.Now = func() time.Time { return now }
	})
	first, second := r.web(t, site), r.web(t, site)
	for i := range 20 { // 4 times 5, over all connections of the client
		ws := []*websocket.Conn{first, second}[i%2]
		send(t, ws, request)
		if m := receive(t, ws); m.Result == nil {
			t.Fatalf("request %d: %+v", i, m)
		}
	}
	for _, ws := range []*websocket.Conn{first, second, r.web(t, site)} {
		send(t, ws, request)
		wantCode(t, receive(t, ws), "1", protocol.RateLimited)
	}
	if n := r.ran.Load(); n != 20 {
		t.Errorf("%d requests ran", n)
	}
	var info struct{ Name string }
	if err := r.onSocket(t).Call(t.Context(), "agent.info", nil, &info); err != nil { // another client
		t.Error(err)
	}
}

// TestSlowClient: who takes nothing is dropped, and nobody waits for him.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	slow, other := r.web(t, site), r.web(t, site)
	if err := slow.NetConn().(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	for _, ws := range []*websocket.Conn{slow, other} {
		send(t, ws, `{"jsonrpc":"2.0","id":1,"method":"events.subscribe"}`)
		if m := receive(t, ws); m.Result == nil {
			t.Fatalf("got %+v", m)
		}
	}
	big := map[string]string{"reader": strings.Repeat("x", 32<<10)}
	for r.events.subscribed() > 1 { // until one of them is dropped
		r.events.happen("reader.added", big)
		if m := receive(t, other); m.Method != "reader.added" {
			t.Fatalf("got %+v", m)
		}
	}
	send(t, other, request)
	if m := receive(t, other); m.Result == nil {
		t.Errorf("the other one: %+v", m)
	}
	wantClosed(t, slow, 0)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	r.events.happen("reader.added", map[string]string{"reader": "A"}) // before anybody wants to know
	send(t, ws, `{"jsonrpc":"2.0","id":1,"method":"events.subscribe"}`)
	if m := receive(t, ws); string(m.Result) != `{"readers":["Reader 00 00"]}` || r.ran.Load() != 1 {
		t.Errorf("got %+v", m)
	}
	r.events.happen("reader.added", map[string]string{"reader": "B"})
	if m := receive(t, ws); m.Method != "reader.added" || string(m.Params) != `{"reader":"B"}` {
		t.Errorf("got %+v", m)
	}
	send(t, ws, `{"jsonrpc":"2.0","id":2,"method":"events.subscribe"}`) // twice is once
	receive(t, ws)
	if n := r.events.subscribed(); n != 1 {
		t.Errorf("%d subscriptions", n)
	}
	r.write(policy + "\n[[site]]\nid = \"other\"\norigin = \"https://other.example\"\noperations = [\"readers\"]\n")
	if err := r.o.Authority.Reload(); err != nil {
		t.Fatal(err)
	}
	other := r.web(t, "https://other.example")
	send(t, other, `{"jsonrpc":"2.0","id":1,"method":"events.subscribe"}`)
	receive(t, other)
	r.write(policy) // other.example is not welcome any more
	if err := r.o.Authority.Reload(); err != nil {
		t.Fatal(err)
	}
	r.events.happen("card.inserted", map[string]string{"reader": "C"})
	if m := receive(t, ws); m.Method != "card.inserted" {
		t.Errorf("got %+v", m)
	}
	send(t, other, `{"jsonrpc":"2.0","id":2,"method":"agent.info"}`)
	wantCode(t, receive(t, other), "2", protocol.OriginRefused) // and no event before it
	send(t, ws, `{"jsonrpc":"2.0","id":3,"method":"events.unsubscribe"}`)
	receive(t, ws)
	wantClosed(t, other, websocket.ClosePolicyViolation)
	ws.Close()
	r.Close()
	if n := r.events.subscribed(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// TestManyEventsBeforeTheList: of very many the last follow it.
func TestManyEventsBeforeTheList(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := &conn{a: r.Agent}
	c.ctx, c.end = context.WithCancelCause(t.Context())
	c.client, c.out = access.Client{Kind: access.Page}, newOutgoing(c) // of which nothing is taken yet
	s := &subscription{c: c}
	for i := range 4 * maxQueued {
		s.event("reader.added", i)
	}
	s.begin()
	s.event("reader.added", "after")
	close(c.out.messages)
	var got []string
	for b := range c.out.messages {
		var m message
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		got = append(got, string(m.Params))
	}
	if n := len(got); n != maxHeld+1 || got[0] != fmt.Sprint(4*maxQueued-maxHeld) || got[n-2] != fmt.Sprint(4*maxQueued-1) || got[n-1] != `"after"` {
		t.Errorf("%d: %v", n, got)
	}
}

// TestEventsBeforeTheList: an event that happens while the list is made follows it.
func TestEventsBeforeTheList(t *testing.T) {
	t.Parallel()
	var r *rig
	r = newRig(t, func(o *Options) {
		list := o.Methods["readers.list"]
		o.Methods["readers.list"] = func(ctx context.Context, c *service.Call) (any, error) {
			r.events.happen("reader.added", map[string]string{"reader": "B"})
			return list(ctx, c)
		}
	})
	ws := r.web(t, site)
	send(t, ws, `{"jsonrpc":"2.0","id":1,"method":"events.subscribe"}`)
	if m := receive(t, ws); string(m.ID) != "1" {
		t.Errorf("first %+v", m)
	}
	if m := receive(t, ws); m.Method != "reader.added" {
		t.Errorf("then %+v", m)
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	send(t, ws, `{"jsonrpc":"2.0","id":1,"method":"agent.info"}`)
	var got information
	if err := json.Unmarshal(receive(t, ws).Result, &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "eidkit" || got.Version != "1.2.3" || got.Protocol != 1 || got.Language != "nl" || got.Client != (clientInfo{"site", site, ""}) ||
		fmt.Sprint(got.Allowed) != "[readers identity]" || got.Dialogs || got.PCSC {
		t.Errorf("got %+v", got)
	}
	for _, name := range got.Methods {
		if name == "log.read" || name == "agent.stop" || name == "session.start" {
			t.Errorf("a site is told of %s", name)
		}
	}
	r.nothingRan(t)
}

// TestEnd: the agent's end is said to its clients, and what runs is cancelled.
func TestEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	send(t, ws, `{"jsonrpc":"2.0","id":1,"method":"sign.document"}`)
	<-r.held
	if err := r.onSocket(t).Call(t.Context(), "agent.stop", nil, nil); err != nil {
		t.Error(err)
	}
	if err := <-r.gone; err == nil {
		t.Error("no cause")
	}
	if err := <-r.served; !errors.Is(err, ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
	r.served <- nil
	wantClosed(t, ws, websocket.CloseGoingAway)
	for _, l := range r.listeners {
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v is still there: %v", l.Addr(), err)
		}
	}
}

// FuzzMessages: whatever comes is answered or ends the connection, without a panic.
func FuzzMessages(f *testing.F) {
	r := newRig(f, func(o *Options) {
		o.Limits.Requests = 1e9
		o.Desk = desk.New(desk.Options{})
	})
	ctx := f.Context()
	for _, seed := range []string{request, `[` + request + `]`, `{"jsonrpc":"2.0","id":"x","method":"document.open","params":{"name":"a.txt","size":1}}`,
		`{"jsonrpc":"2.0","id":9,"method":"operation.cancel","params":{"id":1}}`, `{"jsonrpc":"2.0","id":9,"method":"desk.preview","params":{"id":"1","document":0}}`,
		`{"jsonrpc":"2.0","id":9,"method":"document.read","params":{"documentId":"00000000000000000000000000000000","offset":0,"length":1}}`} {
		f.Add([]byte(seed), []byte("frame of a document that is not there"))
	}
	f.Fuzz(func(t *testing.T, message, chunk []byte) {
		if strings.Contains(string(message), "sign.document") || strings.Contains(string(message), "pin.status") || strings.Contains(string(message), "\\u") {
			return // made to hang and to panic
		}
		for _, kind := range []candidate{{}, {anyone: true}} {
			c := &conn{a: r.Agent, key: "fuzz", anyone: kind.anyone, unix: true, client: kind.client, shelf: r.o.Spool.Shelf(), running: map[string]context.CancelFunc{}}
			r.clients.enter(c.key, true)
			c.ctx, c.end = context.WithCancelCause(ctx)
			c.out = newOutgoing(c)
			err := c.message(message)
			c.calls.Wait()
			if err == nil && len(c.out.messages) != 1 {
				t.Errorf("%q: %d answers", message, len(c.out.messages))
			}
			_ = c.chunk(io.LimitReader(bytes.NewReader(chunk), 1<<20))
			c.end(nil)
			c.shelf.Close()
			r.clients.leave(c.key, true)
		}
	})
}

// TestSubscribingForEver: subscribing again and again keeps nothing more, and what comes too late for the end of the connection ends too.
func TestSubscribingForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := &conn{a: r.Agent}
	c.ctx, c.end = context.WithCancelCause(t.Context())
	for range 100 {
		if _, err := subscribe(c.ctx, c, &service.Call{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.leaving); n != 1 || r.events.subscribed() != 1 {
		t.Errorf("%d things to end, %d subscriptions", n, r.events.subscribed())
	}
	c.end(nil)
	c.leaving[0]()
	if _, err := subscribe(c.ctx, c, &service.Call{}); err != nil || r.events.subscribed() != 0 {
		t.Errorf("%v, %d subscriptions are left", err, r.events.subscribed())
	}
}
