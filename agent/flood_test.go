package agent

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func connect(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestSlowHandshake: a header that does not come to its end is not waited for,
// however alive its sender looks.
func TestSlowHandshake(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.Handshake = 300 * time.Millisecond })
	drip, silent := connect(t, r.address), connect(t, r.address)
	var head strings.Builder
	if err := r.headers().Write(&head); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, silent)
		gone <- err
	}()
	if _, err := io.WriteString(drip, "GET /v1 HTTP/1.1\r\n"+head.String()); err != nil { // all but the empty line
		t.Fatal(err)
	}
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for n := 0; ; n++ {
		<-ticks.C
		if _, err := io.WriteString(drip, "X-More: 1\r\n"); err != nil {
			break
		}
		if n > 1000 {
			t.Fatal("the agent still listens")
		}
	}
	if err := <-gone; err != nil && !errors.Is(err, net.ErrClosed) {
		t.Log(err) // reset or ended, both are gone
	}
	r.nothingRan(t)
}

// TestLargeHeader: nor is one without end.
func TestLargeHeader(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	c := connect(t, r.address)
	go func() {
		io.WriteString(c, "GET /v1 HTTP/1.1\r\nHost: "+r.address+"\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n")
	}()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil {
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("got %s", answer.Status)
		}
	}
	r.nothingRan(t)
}

// TestManyHandshakes: who fills the places of connections that are no WebSocket yet
// loses his own oldest one; whoever means it gets in.
func TestManyHandshakes(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Limits.Handshakes = 4 })
	early := r.web(t, site) // holds no such place
	var silent []net.Conn
	for range 12 {
		silent = append(silent, connect(t, r.address))
	}
	late := r.web(t, site)
	for _, c := range silent[:len(silent)-4] {
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%d bytes for a silent connection", n)
		}
	}
	r.nothingRan(t)
	send(t, late, request)
	receive(t, late)
	send(t, early, request)
	receive(t, early)
	if r.ran.Load() != 2 {
		t.Errorf("%d requests ran", r.ran.Load())
	}
}
