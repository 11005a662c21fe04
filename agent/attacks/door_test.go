//go:build unix

package attacks

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/protocol"
)

const readSurname = `{"jsonrpc":"2.0","id":1,"method":"identity.read","params":{"fields":["surname"],"purpose":"p"}}`

// frame is a masked WebSocket frame, as a client sends it (RFC 6455, section 5.2).
func frame(opcode byte, payload []byte) []byte {
	mask := []byte{1, 2, 3, 4}
	b := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	default:
		b = append(b, 0x80|127, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	b = append(b, mask...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// handshake is a request by hand.
func handshake(headers ...string) []byte {
	var b bytes.Buffer
	b.WriteString("GET /v1 HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " + protocol.Subprotocol + "\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// enter makes a handshake as the desk's site and returns when it was accepted.
func (r *rig) enter(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	c := socketTo(t, "tcp", r.address)
	if _, err := c.Write(handshake("Host: "+r.address, "Origin: "+desk1)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("a good handshake: %v, %v", answer, err)
	}
	return c, in
}

// TestDoor: whoever is refused at the handshake reaches nothing by what he sends
// after it: no card, no line in the log. The last row shows that it is the
// handshake that matters, since the same bytes behind a good one read the card.
func TestDoor(t *testing.T) {
	t.Parallel()
	r := newRig(t, closedPolicy)
	token, p, err := r.auth.Pair("Till", "", []access.Operation{access.OpReaders})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.auth.Unpair(p.ID); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(r.address)
	if err != nil {
		t.Fatal(err)
	}
	host := "Host: " + r.address
	origin := func(s string) []string { return []string{host, "Origin: " + s} }
	for _, test := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"a foreign Origin", origin(evil), 403},
		{"null", origin("null"), 403},
		{"empty", origin(""), 403},
		{"the name as a prefix", origin("https://desk.example.evil.example"), 403},
		{"the name as a suffix", origin("https://evildesk.example"), 403},
		{"a subdomain", origin("https://www.desk.example"), 403},
		{"user information", origin("https://desk.example@evil.example"), 403},
		{"another port", origin("https://desk.example:444"), 403},
		{"the default port", origin("https://desk.example:443"), 403},
		{"a dot at the end", origin("https://desk.example."), 403},
		{"upper case", origin("https://DESK.example"), 403},
		{"a path", origin("https://desk.example/"), 403},
		{"a Cyrillic letter", origin("https://dеsk.example"), 403},
		{"a Cyrillic letter as A-label", origin("https://xn--dsk-mdd.example"), 403},
		{"a wide dot", origin("https://desk。example"), 403},
		{"a backslash", origin(`https://evil.example\@desk.example`), 403},
		{"a tab", origin("https://desk.example\tevil"), 403},
		{"plain http", origin("http://desk.example"), 403},
		{"two origins", []string{host, "Origin: " + desk1, "Origin: " + evil}, 403},
		{"two origins in one", origin(desk1 + " " + evil), 403},
		{"another program's page here", origin("http://127.0.0.1:8080"), 403},
		{"DNS rebinding", []string{"Host: rebind.evil.example:" + port, "Origin: http://rebind.evil.example:" + port}, 421},
		{"DNS rebinding, with the site's own name", []string{"Host: desk.example:" + port, "Origin: " + desk1}, 421},
		{"DNS rebinding, named like loopback", []string{"Host: 127.0.0.1.evil.example:" + port, "Origin: " + desk1}, 421},
		{"two hosts", []string{host, "Host: evil.example", "Origin: " + desk1}, 400},
		{"no token", []string{host}, 401},
		{"a wrong token", []string{host, "Authorization: Bearer " + strings.Repeat("A", 43)}, 401},
		{"the token of a pairing withdrawn", []string{host, "Authorization: Bearer " + token}, 401},
		{"two tokens", []string{host, "Authorization: Bearer x", "Authorization: Bearer " + token}, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := socketTo(t, "tcp", r.address)
			if _, err := c.Write(append(handshake(test.headers...), frame(websocket.TextMessage, []byte(readSurname))...)); err != nil {
				t.Fatal(err)
			}
			all, _ := io.ReadAll(c) // it ends, by a close or by a reset of what was not read
			answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(all)), nil)
			if err != nil {
				t.Fatalf("%v: %q", err, all)
			}
			defer answer.Body.Close()
			if answer.StatusCode != test.status || bytes.Contains(all, []byte("result")) {
				t.Errorf("want %d, got %q", test.status, all)
			}
			untouched(t, r.card)
			r.wantNothingLogged(t)
		})
	}
	c, in := r.enter(t)
	if _, err := c.Write(frame(websocket.TextMessage, []byte(readSurname))); err != nil {
		t.Fatal(err)
	}
	if b, err := in.Peek(4); err != nil || b[0] != 0x81 {
		t.Fatalf("%X, %v", b, err)
	}
	if r.card.Stats().Commands == 0 {
		t.Error("the site did not read the card either")
	}
}

// TestFrames: what is no request of the protocol reaches no card, whoever sends
// it, and ends at most its own connection.
func TestFrames(t *testing.T) {
	t.Parallel()
	r := newRig(t, closedPolicy)
	other := r.site(t, desk1)
	read := func(params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"identity.read","params":` + params + `}`
	}
	text := func(s string) []byte { return frame(websocket.TextMessage, []byte(s)) }
	fields := `"fields":["surname"],"purpose":"p"`
	unmasked := frame(websocket.TextMessage, []byte(readSurname))
	unmasked = append(unmasked[:2:2], []byte(readSurname)...)
	unmasked[1] &^= 0x80
	reserved := text(readSurname)
	reserved[0] |= 0x40
	for name, sent := range map[string][]byte{
		"a batch":                   text("[" + readSurname + "]"),
		"two in a row":              text(readSurname + readSurname),
		"no JSON":                   text("identity.read"),
		"no UTF-8":                  text(strings.Replace(readSurname, "surname", "\xff", 1)),
		"in a binary frame":         frame(websocket.BinaryMessage, []byte(readSurname)),
		"a short binary frame":      frame(websocket.BinaryMessage, []byte{1, 2, 3}),
		"a notification":            text(strings.Replace(readSurname, `"id":1,`, "", 1)),
		"a member too many":         text(strings.Replace(readSurname, `"id":1,`, `"id":1,"origin":"`+desk1+`",`, 1)),
		"a member twice":            text(strings.Replace(readSurname, `"id":1,`, `"id":1,"method":"agent.info",`, 1)),
		"a parameter twice":         text(read(`{` + fields + `,"fields":["nationalNumber"]}`)),
		"a parameter in other case": text(read(`{` + fields + `,"Fields":["nationalNumber"]}`)),
		"parameters as a list":      text(read(`["surname"]`)),
		"another origin":            text(read(`{` + fields + `,"origin":"https://bank.example"}`)),
		"another user":              text(read(`{` + fields + `,"user":"root"}`)),
		"an unknown method":         text(strings.Replace(readSurname, "identity.read", "identity.readAll", 1)),
		"a method in other case":    text(strings.Replace(readSurname, "identity.read", "Identity.Read", 1)),
		"an own page's method":      text(strings.Replace(readSurname, "identity.read", "card.export", 1)),
		"a message too large":       text(read(`{` + fields + `,"pad":"` + strings.Repeat("x", protocol.MaxMessage) + `"}`)),
		"a frame that says 8 EiB":   {0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4},
		"a deep one":                text(read(`{"fields":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`)),
		"not masked":                unmasked,
		"a reserved bit":            reserved,
		"a reserved opcode":         frame(3, []byte(readSurname)),
		"a long ping":               frame(websocket.PingMessage, make([]byte, 200)),
		"a continuation of nothing": frame(0, []byte(readSurname)),
	} {
		t.Run(name, func(t *testing.T) {
			c, in := r.enter(t)
			// A close frame ends every connection that the frame before has not ended.
			if _, err := c.Write(append(slices.Clone(sent), frame(websocket.CloseMessage, []byte{3, 0xE8})...)); err != nil {
				t.Log(err)
			}
			all, _ := io.ReadAll(in) // an answer, a close frame, or a reset
			if bytes.Contains(all, []byte(`"result"`)) {
				t.Errorf("got %q", all)
			}
			untouched(t, r.card)
			r.wantNothingLogged(t)
		})
	}
	other.must("agent.info", nil)
	r.stop() // and nothing runs on
	untouched(t, r.card)
	r.wantNothingLogged(t)
}

// TestReplay: a launch code opens one session, and a session's token is good for
// the agent's own pages alone, in one run of it.
func TestReplay(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	own := "http://" + r.address
	url, err := r.agent.PageURL("viewer")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(url, "#code=")
	first := r.site(t, own)
	token := first.must("session.start", m{"code": code})["token"]
	for name, replay := range map[string]struct {
		origin, method string
		params         m
	}{
		"the code again":               {own, "session.start", m{"code": code}},
		"the token as a code":          {own, "session.start", m{"code": token}},
		"the code as a token":          {own, "session.resume", m{"token": code}},
		"the token, by a site":         {evil, "session.resume", m{"token": token}},
		"the token, by a known site":   {desk1, "session.resume", m{"token": token}},
		"no code, but the next method": {own, "identity.read", m{"fields": []string{"surname"}, "purpose": "p"}},
		"no code, but the answer":      {own, "desk.answer", m{"id": "1", "allowed": true}},
	} {
		t.Run(name, func(t *testing.T) {
			c := r.site(t, replay.origin)
			if c.refused(replay.method, replay.params, protocol.NotAuthorised) && replay.origin == own {
				<-c.Done()
			}
			untouched(t, r.card)
		})
	}
	r.wantNothingLogged(t)

	next := newRig(t, openPolicy) // another run, or another user's agent
	c := next.site(t, "http://"+next.address)
	if c.refused("session.resume", m{"token": token}, protocol.NotAuthorised) {
		<-c.Done()
	}
	untouched(t, next.card)
	if said := r.log.String(); strings.Contains(said, code) || strings.Contains(said, fmt.Sprint(token)) {
		t.Error("the log has a code or token")
	}
}

// TestClaimedOrigin: a program can claim an Origin on the socket, as eid-webeid
// does for the extension. It gets no more than the extension's three operations,
// none of them without the user, no grant of the site's, and is never taken for a
// page of ours.
func TestClaimedOrigin(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	surname := m{"fields": []string{"surname"}, "purpose": "p"}
	c := r.socket(t, dial.ForOrigin(desk1))
	for method, params := range map[string]m{
		"identity.read": surname, "readers.list": {}, "insurability.read": {"purpose": "p"}, "pin.status": {}, "pin.change": {},
		"desk.pending": {}, "log.read": {}, "grants.list": {}, "page.open": {"page": "viewer"}, "agent.stop": {}, "pair.request": {"name": "x", "operations": []string{"identity"}},
	} {
		c.refused(method, params, protocol.NotAuthorised)
	}
	if _, err := dial.Unix(t.Context(), r.unix, dial.ForOrigin("http://"+r.address)); err == nil {
		t.Error("a program is taken for a page of ours")
	}
	if _, err := dial.Unix(t.Context(), r.unix, dial.ForOrigin("http://bank.example")); err == nil {
		t.Error("an extension speaks for a site without TLS")
	}
	untouched(t, r.card)
	if n := r.person.asked(t, "CONFIRM") + r.person.asked(t, "GETPIN"); n != 0 {
		t.Errorf("the user was asked %d times", n)
	}
	for _, l := range r.logged(t, "") {
		if l.Client != desk1+" (extension)" || l.Event == "result" && l.Result != string(protocol.NotAuthorised) {
			t.Errorf("the log has %+v", l)
		}
	}
	// Not even the certificate, which the policy gives the site without a question.
	r.person.will(t, "confirm", "deny")
	c.refused("sign.certificate", nil, protocol.ConsentDenied)
	untouched(t, r.card)
	r.site(t, desk1).must("sign.certificate", nil)
}
