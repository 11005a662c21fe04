package agent

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/protocol"
)

const (
	maxHeader = 16 << 10
	// The library's buffers: documents are read and written around them.
	bufferSize = 2 << 10
	// What the system keeps for a client that is slow to take it.
	kernelBuffer = 256 << 10
	// How long Serve waits for what runs when it ends.
	patience = 5 * time.Second
)

// Serve answers on the listeners, TCP and Unix, until ctx ends (nil), the agent
// is stopped (ErrClosed) or a listener fails. It closes them, and returns when
// all connections are over, or after some seconds.
func (a *Agent) Serve(ctx context.Context, listeners ...net.Listener) error {
	a.mu.Lock()
	for _, l := range listeners {
		a.listening = append(a.listening, l.Addr())
	}
	a.mu.Unlock()
	server := a.server()
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-a.ctx.Done():
		err = ErrClosed
	case err = <-failed:
		err = fmt.Errorf("accepting connections: %w", err)
	}
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.stop()
	last, cancel := context.WithTimeout(context.Background(), patience/5)
	defer cancel()
	if server.Shutdown(last) != nil {
		server.Close()
	}
	a.wait()
	return err
}

// wait waits for the connections, but not for ever: a reader can hang.
func (a *Agent) wait() {
	over := make(chan struct{})
	go func() {
		a.wg.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-time.After(patience):
		a.log.Warn("some requests do not end")
	}
}

// server is the HTTP server of all listeners.
func (a *Agent) server() *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(a.serveHTTP),
		ReadHeaderTimeout: a.limits.Handshake,
		ReadTimeout:       2 * a.limits.Handshake, // no request here has a body worth waiting for
		WriteTimeout:      30 * time.Second,       // lifted by the upgrade
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    maxHeader,
		// "OPTIONS *" would be answered before anything is checked.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(quiet{a.o.Log.Handler()}, slog.LevelDebug),
		BaseContext:                  func(net.Listener) context.Context { return a.ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, linkKey{}, a.newLink(c))
		},
		ConnState: func(c net.Conn, s http.ConnState) {
			if s == http.StateHijacked || s == http.StateClosed {
				a.pending[0].remove(c)
				a.pending[1].remove(c)
			}
		},
	}
}

// quiet logs what the HTTP server says at level debug: it is about clients that
// send nonsense or go away.
type quiet struct{ slog.Handler }

func (a *Agent) serveHTTP(w http.ResponseWriter, r *http.Request) {
	refused := checkHost(r)
	if refused == nil {
		refused = checkPeer(r)
	}
	if refused != nil {
		a.refuse(w, r, refused)
		return
	}
	switch {
	case websocket.IsWebSocketUpgrade(r) || r.URL.Path == protocol.Path:
		a.upgrade(w, r)
	case r.URL.Path == "/healthz":
		a.health(w, r)
	case linkOf(r).unix && r.URL.Path == "/metrics":
		a.meters.serve(w)
	case !linkOf(r).unix && a.o.Pages != nil:
		a.o.Pages.ServeHTTP(w, r)
	default:
		a.refuse(w, r, &refusal{http.StatusNotFound, "path", r.URL.Path})
	}
}

// health says that the agent is there, and nothing else.
func (a *Agent) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		a.refuse(w, r, &refusal{http.StatusMethodNotAllowed, "method", r.Method})
		return
	}
	hardHeaders(w.Header())
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// upgrade makes a WebSocket of a request that passes all checks.
func (a *Agent) upgrade(w http.ResponseWriter, r *http.Request) {
	c, refused := a.check(r)
	if refused == nil {
		refused = a.limit(c)
	}
	if refused != nil {
		a.refuse(w, r, refused)
		return
	}
	up := websocket.Upgrader{
		HandshakeTimeout: a.limits.Write,
		ReadBufferSize:   bufferSize, WriteBufferSize: bufferSize,
		Subprotocols: []string{protocol.Subprotocol},
		CheckOrigin:  func(*http.Request) bool { return true }, // done, and better
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			a.refuse(w, r, &refusal{status, "handshake", reason.Error()})
		},
	}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		var answered websocket.HandshakeError
		if !errors.As(err, &answered) { // it closed the connection without a word: the client spoke too early, or is gone
			a.note(r, &refusal{http.StatusBadRequest, "handshake", err.Error()})
		}
		a.clients.leave(c.key(), c.known)
		return
	}
	if b, ok := underneath(ws).(interface{ SetWriteBuffer(int) error }); ok {
		b.SetWriteBuffer(kernelBuffer)
	}
	n := a.newConn(ws, c, linkOf(r).unix)
	if !a.keep() {
		ws.Close()
		a.clients.leave(n.key, c.known)
		return
	}
	go func() {
		defer a.wg.Done()
		defer a.clients.leave(n.key, c.known)
		n.serve()
	}()
}

// keep counts a connection in; false: the agent is stopping.
func (a *Agent) keep() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.wg.Add(1)
	return true
}

// underneath is the system's connection, also below TLS.
func underneath(ws *websocket.Conn) net.Conn {
	if t, ok := ws.NetConn().(*tls.Conn); ok {
		return t.NetConn()
	}
	return ws.NetConn()
}

// newID is an opaque name.
func newID() string {
	b := make([]byte, 12)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// base is the address of the agent's own pages.
func (a *Agent) base() (string, error) {
	if a.o.Base != "" {
		return strings.TrimSuffix(a.o.Base, "/"), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.listening {
		if t, ok := l.(*net.TCPAddr); ok {
			return "http://" + t.String(), nil
		}
	}
	return "", errors.New("the agent listens on no port")
}
