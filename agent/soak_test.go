//go:build soak

package agent

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/gorilla/websocket"
)

// TestSoakConnections: ten thousand connections of each sort, and all the while
// the agent serves those who mean it, with bounded memory, and forgets the rest.
func TestSoakConnections(t *testing.T) {
	const many = 10_000
	r := newRig(t, func(o *Options) { o.Limits.Requests = 1e9 })
	welcome := r.web(t, site)
	serves := func() {
		t.Helper()
		send(t, welcome, request)
		if m := receive(t, welcome); m.Result == nil {
			t.Fatalf("got %+v", m)
		}
		r.ran.Add(-1)
	}
	before := runtime.NumGoroutine()
	var open []net.Conn
	closeAll := func() {
		for _, c := range open {
			c.Close()
		}
		open = nil
	}
	defer closeAll()
	for i := range many { // silent, or with half a header
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		if i%2 == 0 {
			io.WriteString(c, "GET /v1 HTTP/1.1\r\nHost: ")
		}
		open = append(open, c)
		if i%1000 == 0 {
			serves()
			other, _, err := r.dialWeb(site)
			if err != nil {
				t.Fatalf("a site cannot connect beside %d: %v", i, err)
			}
			other.Close()
		}
	}
	if n := runtime.NumGoroutine() - before; n > 3*r.limits.Handshakes {
		t.Errorf("%d goroutines for %d connections", n, many)
	}
	closeAll()
	refused := map[int]int{}
	var sites []*websocket.Conn
	for range many { // one site that wants them all
		ws, answer, err := r.dialWeb(site)
		switch {
		case err == nil:
			sites = append(sites, ws)
		case answer != nil:
			refused[answer.StatusCode]++
		default:
			t.Fatal(err)
		}
	}
	serves()
	if len(sites) >= r.limits.PerClient || refused[http.StatusTooManyRequests] != many-len(sites) {
		t.Errorf("%d connections, refused %v", len(sites), refused)
	}
	for _, ws := range sites {
		ws.Close()
	}
	for range many { // foreign ones
		if _, answer, err := r.dialWeb("https://evil.example"); err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
			t.Fatal(answer, err)
		}
	}
	serves()
	r.nothingRan(t)
	for r.clients.connections() > 1 {
		serves()
	}
	if n := len(r.log.String()); n > 1<<20 {
		t.Errorf("%d bytes of log", n)
	}
}
