package agent

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
)

// TestHandshakeRefused: each check of design.md section 5 has its own answer, and
// nothing behind it runs. What is wrong is written by hand on a socket, as no
// browser would.
func TestHandshakeRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	token := r.token()
	if err := r.o.Authority.Unpair(r.o.Authority.Pairings()[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		line   string
		change []string
		status int
		reason string
	}{
		{"DNS rebinding", "", []string{"Host", "rebind.attacker.example:" + r.port, "Origin", "http://rebind.attacker.example:" + r.port}, 421, "host"},
		{"rebinding to the site's own name", "", []string{"Host", "desk.example:" + r.port}, 421, "host"},
		{"other port", "", []string{"Host", "127.0.0.1:1"}, 421, "host"},
		{"no port", "", []string{"Host", "127.0.0.1"}, 421, "host"},
		{"look-alike host", "", []string{"Host", "127.0.0.1.evil.example:" + r.port}, 421, "host"},
		{"other loopback address", "", []string{"Host", "127.0.0.2:" + r.port}, 421, "host"},
		{"all addresses", "", []string{"Host", "0.0.0.0:" + r.port}, 421, "host"},
		{"a target for a proxy", "GET http://" + r.address + "/v1", []string{"Host", "evil.example"}, 421, "host"},
		{"another target for a proxy", "GET http://evil.example/v1", nil, 421, "host"},
		{"a tunnel", "CONNECT " + r.address, nil, 421, "host"},
		{"rebinding that asks what there is", "OPTIONS *", []string{"Host", "evil.example"}, 421, "host"},
		{"foreign Origin", "", []string{"Origin", "https://evil.example"}, 403, "client"},
		{"null", "", []string{"Origin", "null"}, 403, "origin"},
		{"empty Origin", "", []string{"Origin", ""}, 403, "origin"},
		{"plain http", "", []string{"Origin", "http://desk.example"}, 403, "origin"},
		{"longer name", "", []string{"Origin", "https://desk.example.evil.example"}, 403, "client"},
		{"name before it", "", []string{"Origin", "https://evildesk.example"}, 403, "client"},
		{"subdomain", "", []string{"Origin", "https://www.desk.example"}, 403, "client"},
		{"other port of it", "", []string{"Origin", "https://desk.example:8443"}, 403, "client"},
		{"user part", "", []string{"Origin", "https://desk.example@evil.example"}, 403, "origin"},
		{"path", "", []string{"Origin", "https://desk.example/"}, 403, "origin"},
		{"capitals, which no browser sends", "", []string{"Origin", "https://Desk.example"}, 403, "origin"},
		{"default port, which no browser sends", "", []string{"Origin", "https://desk.example:443"}, 403, "origin"},
		{"Cyrillic look-alike", "", []string{"Origin", "https://dеsk.example"}, 403, "origin"},
		{"an extension", "", []string{"Origin", "chrome-extension://gnmckgbandlkacikdndelhfghdejfido"}, 403, "origin"},
		{"a file", "", []string{"Origin", "file://"}, 403, "origin"},
		{"another loopback server", "", []string{"Origin", "http://127.0.0.1:1"}, 403, "origin"},
		{"loopback with our port by another name", "", []string{"Origin", "http://localhost.:" + r.port}, 403, "origin"},
		{"our address with https", "", []string{"Origin", "https://127.0.0.1:" + r.port}, 403, "client"},
		{"no Origin, no token", "", []string{"Origin", "-"}, 401, "token"},
		{"no Origin, any token", "", []string{"Origin", "-", "Authorization", "Bearer abc"}, 401, "token"},
		{"empty token", "", []string{"Origin", "-", "Authorization", "Bearer "}, 401, "token"},
		{"other scheme", "", []string{"Origin", "-", "Authorization", "Basic " + token}, 401, "token"},
		{"token of a pairing withdrawn", "", []string{"Origin", "-", "Authorization", "Bearer " + token}, 401, "token"},
		{"no subprotocol", "", []string{"Sec-WebSocket-Protocol", "-"}, 400, "subprotocol"},
		{"another subprotocol", "", []string{"Sec-WebSocket-Protocol", "eidkit.v2"}, 400, "subprotocol"},
		{"other path", "GET /v2", nil, 404, "path"},
		{"path below", "GET /v1/x", nil, 404, "path"},
		{"other method", "POST /v1", nil, 405, "method"},
		{"no upgrade", "", []string{"Upgrade", "-"}, 426, "upgrade"},
		{"old version", "", []string{"Sec-WebSocket-Version", "8"}, 400, "handshake"},
		{"no key", "", []string{"Sec-WebSocket-Key", "-"}, 400, "handshake"},
	} {
		t.Run(test.name, func(t *testing.T) {
			line := test.line
			if line == "" {
				line = "GET /v1"
			}
			answer, _ := r.raw(t, "tcp", r.address, line, r.headers(test.change...))
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != test.status || !strings.Contains(string(body), "("+test.reason+")") {
				t.Errorf("%s, %q; want %d for %s", answer.Status, body, test.status, test.reason)
			}
			if answer.Header.Get("Access-Control-Allow-Origin") != "" || len(answer.Cookies()) > 0 {
				t.Errorf("headers %v", answer.Header)
			}
			r.nothingRan(t)
		})
	}
	two := r.headers()
	two.Add("Origin", "https://evil.example")
	if answer, _ := r.raw(t, "tcp", r.address, "GET /v1", two); answer.StatusCode != 403 {
		t.Errorf("two origins: %s", answer.Status)
	}
	r.nothingRan(t)
	if !strings.Contains(r.log.String(), "reason=host why=rebind.attacker.example") {
		t.Errorf("the log is %s", r.log)
	}
}

// TestHandshakeAccepted is what shows that the refusals above are for the reason given.
func TestHandshakeAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, change := range map[string][]string{
		"a site":          nil,
		"by name":         {"Host", "localhost:" + r.port},
		"IPv6":            {"Host", "[::1]:" + r.port},
		"own page":        {"Origin", "http://127.0.0.1:" + r.port},
		"own page, IPv6":  {"Origin", "http://[::1]:" + r.port, "Host", "[::1]:" + r.port},
		"two protocols":   {"Sec-WebSocket-Protocol", "other, eidkit.v1"},
		"paired":          {"Origin", "-", "Authorization", "Bearer " + r.token()},
		"paired, by name": {"Origin", "-", "Host", "localhost:" + r.port, "Authorization", "Bearer " + r.token()},
	} {
		answer, _ := r.raw(t, "tcp", r.address, "GET /v1", r.headers(change...))
		if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Sec-WebSocket-Protocol") != "eidkit.v1" {
			t.Errorf("%s: %s %v", name, answer.Status, answer.Header)
		}
	}
	if answer, _ := r.raw(t, "tcp", "[::1]:"+r.port, "GET /v1", r.headers("Host", "[::1]:"+r.port)); answer.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("by IPv6: %s", answer.Status)
	}
	ws := r.web(t, site)
	send(t, ws, `{"jsonrpc":"2.0","id":1,"method":"identity.read"}`)
	if m := receive(t, ws); string(m.Result) != `{"client":"https://desk.example"}` || r.ran.Load() != 1 {
		t.Errorf("got %s, %d methods ran", m.Result, r.ran.Load())
	}
	program, err := dial.Loopback(t.Context(), r.address, r.token())
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	var got struct{ Client string }
	if err := program.Call(t.Context(), "identity.read", nil, &got); err != nil || got.Client != "Pharmacy 1" {
		t.Errorf("a paired program: %+v, %v", got, err)
	}
}

// said is a log whose lines are waited for.
type said chan string

func (s said) Write(b []byte) (int, error) {
	s <- string(b)
	return len(b), nil
}

// TestTooEarly: who sends messages before the handshake is answered has the
// connection closed, and the log says why.
func TestTooEarly(t *testing.T) {
	t.Parallel()
	log := make(said, 100)
	r := newRig(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b strings.Builder
	b.WriteString("GET /v1 HTTP/1.1\r\n")
	if err := r.headers().Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(b.String() + "\r\n\x81\x80\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	if heard, _ := io.ReadAll(c); len(heard) != 0 { // the connection ends, by a close or a reset
		t.Errorf("heard %q", heard)
	}
	if line := <-log; !strings.Contains(line, "reason=handshake") || !strings.Contains(line, "before handshake is complete") {
		t.Errorf("the log is %s", line)
	}
	r.nothingRan(t)
}

// TestPolicyWithdrawn: a site that is no longer welcome is not served any more on
// a connection that it still has.
func TestPolicyWithdrawn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ws := r.web(t, site)
	token := r.token()
	program, err := dial.Loopback(t.Context(), r.address, token)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	r.write(`unknown_origins = "refuse"`)
	if err := r.o.Authority.Reload(); err != nil {
		t.Fatal(err)
	}
	send(t, ws, `{"jsonrpc":"2.0","id":1,"method":"identity.read"}`)
	wantCode(t, receive(t, ws), "1", "ORIGIN_REFUSED")
	wantClosed(t, ws, websocket.ClosePolicyViolation)
	if err := r.o.Authority.Unpair(r.o.Authority.Pairings()[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := program.Call(t.Context(), "identity.read", nil, nil); err == nil {
		t.Error("a program is served after its pairing was withdrawn")
	}
	<-program.Done()
	r.nothingRan(t)
}

// TestHealth: a page may learn that the agent is there, and nothing else.
func TestHealth(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	get := func(network, address, path, host string) *http.Response {
		answer, _ := r.raw(t, network, address, "GET "+path, http.Header{"Host": {host}})
		return answer
	}
	answer := get("tcp", r.address, "/healthz", r.address)
	body, err := io.ReadAll(answer.Body)
	h := answer.Header
	if err != nil || answer.StatusCode != 200 || len(body) != 0 || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || h.Get("Access-Control-Allow-Origin") != "" || h.Get("Server") != "" {
		t.Errorf("%s %v %q %v", answer.Status, h, body, err)
	}
	if got := get("tcp", r.address, "/healthz", "rebind.example").StatusCode; got != 421 {
		t.Errorf("by another name: %d", got)
	}
	if answer, _ := r.raw(t, "tcp", r.address, "POST /healthz", http.Header{"Host": {r.address}, "Content-Length": {"0"}}); answer.StatusCode != 405 {
		t.Errorf("POST: %s", answer.Status)
	}
	if got := get("tcp", r.address, "/metrics", r.address).StatusCode; got != 404 {
		t.Errorf("metrics by TCP: %d", got)
	}
	figures := get("unix", r.unix, "/metrics", "agent")
	text, err := io.ReadAll(figures.Body)
	if err != nil || figures.StatusCode != 200 || !strings.Contains(string(text), `eidkit_agent_refused_total{reason="host"} 1`) {
		t.Errorf("metrics on the socket: %s, %v, %s", figures.Status, err, text)
	}
	if strings.Contains(string(text), "rebind") {
		t.Error("the figures have something of a client")
	}
	if got := get("unix", r.unix, "/", "agent").StatusCode; got != 404 {
		t.Errorf("pages on the socket: %d", got)
	}
}

// TestLimits: so many connections of one client, and so many in all.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.PerClient, o.Limits.Connections = 2, 3 })
	first := r.web(t, site)
	r.web(t, site)
	if _, answer, err := r.dialWeb(site); err == nil || answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third of one client: %v, %v", answer, err)
	}
	r.onSocket(t)
	if _, err := dial.Unix(t.Context(), r.unix); fmt.Sprint(err) == "" || !strings.Contains(fmt.Sprint(err), "503") {
		t.Errorf("one too many in all: %v", err)
	}
	send(t, first, `{"jsonrpc":"2.0","id":1,"method":"sign.document"}`)
	<-r.held
	first.Close()
	<-r.gone
	for { // the place is free again as soon as all is over that ran there
		ws, answer, err := r.dialWeb(site)
		if err == nil {
			ws.Close()
			break
		}
		if answer == nil || answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode != http.StatusServiceUnavailable {
			t.Fatal(err)
		}
	}
}

// TestAsking: sites that nobody knows may connect where the policy has the user
// asked, but not after two denials, and they do not take everybody's places.
func TestAsking(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.Connections = 6 })
	r.write(strings.Replace(policy, `"refuse"`, `"ask"`, 1))
	if err := r.o.Authority.Reload(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		r.web(t, fmt.Sprintf("https://s%d.example", i))
	}
	if _, answer, err := r.dialWeb("https://s3.example"); err == nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one stranger too many: %v, %v", answer, err)
	}
	r.web(t, site)
	r.onSocket(t)
	origin, err := access.ParseOrigin("https://s9.example")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r.o.Authority.Denied(access.Client{Kind: access.Site, Origin: origin})
	}
	if _, answer, err := r.dialWeb("https://s9.example"); err == nil || answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a muted site: %v, %v", answer, err)
	}
	r.nothingRan(t)
}

// TestTLS: the same checks hold behind a TLS listener, whose own pages have https.
func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	server.Close()
	r := newRig(t, nil)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := plain.Addr().String()
	go func() { _ = r.Serve(t.Context(), tls.NewListener(plain, server.TLS)) }()
	d := websocket.Dialer{Subprotocols: []string{"eidkit.v1"}, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	for origin, want := range map[string]int{site: 101, "https://" + address: 101, "http://" + address: 403, "https://evil.example": 403, "https://" + r.address: 403} {
		ws, answer, err := d.DialContext(t.Context(), "wss://"+address+"/v1", http.Header{"Origin": {origin}})
		if answer == nil || answer.StatusCode != want {
			t.Errorf("%s: %v, %v", origin, answer, err)
			continue
		}
		if err == nil {
			ws.Close()
		}
	}
	r.nothingRan(t)
}
