package sign_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
)

// connections counts those that a server has open.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]bool
	none chan struct{} // closed when the last is closed
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open[conn] = true
	case http.StateClosed:
		delete(c.open, conn)
		if len(c.open) == 0 {
			close(c.none)
		}
	}
}

// testClose: no connection stays open when Prepare fails, or when what it prepared is not finished.
func testClose(t *testing.T, w *workshop) {
	t.Parallel()
	key := w.software(usual, 0)
	o := w.options(usual, sign.B)
	authority, err := url.Parse(o.TSAs[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL = authority }}
	for _, fails := range []bool{true, false} {
		c := &connections{open: map[net.Conn]bool{}, none: make(chan struct{})}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			if fails {
				out.Write([]byte("no time stamp"))
				return
			}
			forward.ServeHTTP(out, in)
		}))
		server.Config.ConnState = c.changed
		server.Start()
		defer server.Close()
		o.TSAs, o.ContentTimestamp = []sign.TSA{{URL: server.URL}}, true
		p, err := sign.Prepare(t.Context(), sign.FormatCAdES, aText(), key.Certificate(), o)
		if fails != errors.Is(err, sign.ErrTimestamp) || fails != (p == nil) {
			t.Fatalf("fails %t: %v", fails, err)
		}
		if p != nil {
			p.Close()
			p.Close()
			if _, err := p.Finish(t.Context(), &counter{}, nil); !errors.Is(err, sign.ErrOptions) {
				t.Errorf("finished after Close: %v", err)
			}
		}
		select {
		case <-c.none:
		case <-time.After(time.Minute):
			t.Errorf("fails %t: a connection stays open", fails)
		}
	}
}
