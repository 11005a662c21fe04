// Package dial connects programs in Go to the agent: by its Unix socket or by
// loopback.
//
// Start with Unix (RuntimeDir and SocketPath say where) or Loopback, then
// Conn.Call. Conn.Send and Conn.Fetch move documents. Conn.Prove checks that the
// other end is the installation whose key is known.
//
// Out of scope: starting an agent, and browsers (agent/client). docs/protocol.md
// has the methods.
//
// References: RFC 6455 (WebSocket), JSON-RPC 2.0, RFC 6750 (bearer tokens).
package dial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/peer"
	"github.com/eidkit/eidkit/agent/protocol"
)

// The errors of this package, beside *HandshakeError and the *protocol.Error of
// a request that failed.
var (
	ErrAbsent   = errors.New("no agent is running")
	ErrStranger = errors.New("the program at the other end is another user's")
	ErrClosed   = errors.New("the connection to the agent is over")
	ErrProof    = errors.New("the program at the other end is not the agent that was expected")
)

// HandshakeError is the agent's refusal of a connection.
type HandshakeError struct {
	Status int    // of HTTP: 401 without a token, 403, 429, ...
	Reason string // the agent's words
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("the agent refused the connection: %d %s", e.Status, e.Reason)
}

// Option is more about a connection.
type Option func(*options)

type options struct {
	header http.Header
	notify func(method string, params json.RawMessage)
}

// WithToken shows the token of a pairing.
func WithToken(token string) Option {
	return func(o *options) { o.header.Set("Authorization", "Bearer "+token) }
}

// ForOrigin says which site the Web eID extension speaks for. On the Unix socket
// only; by loopback the agent takes the connection for a browser's.
func ForOrigin(origin string) Option { return func(o *options) { o.header.Set("Origin", origin) } }

// OnNotification has notifications handed to f, one after the other. f must not
// call the Conn.
func OnNotification(f func(method string, params json.RawMessage)) Option {
	return func(o *options) { o.notify = f }
}

// handshakeTimeout is for connecting where ctx has no earlier end.
const handshakeTimeout = 10 * time.Second

// Unix connects by the Unix socket at path. The other end must be this user's
// program, where the system tells. ErrAbsent: nobody is there.
func Unix(ctx context.Context, path string, more ...Option) (*Conn, error) {
	return dial(ctx, "localhost", func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		if err := sameUser(c.(*net.UnixConn)); err != nil {
			c.Close()
			return nil, err
		}
		return c, nil
	}, more)
}

// writeBuffer is how much of a document goes into one frame of the connection: a
// client masks what it sends, and so copies it.
const writeBuffer = 64 << 10

// sameUser keeps tokens and requests from a program of somebody else that sits
// where the agent should.
func sameUser(c *net.UnixConn) error {
	there, err := peer.OfUnix(c)
	if errors.Is(err, peer.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	self, err := peer.Self()
	if err != nil {
		return err
	}
	if !there.Same(self) {
		return ErrStranger
	}
	return nil
}

// Loopback connects by TCP to address, such as 127.0.0.1:24340, with the token of
// a pairing (empty: none). ErrAbsent: nobody is there.
func Loopback(ctx context.Context, address, token string, more ...Option) (*Conn, error) {
	if token != "" {
		more = append(more, WithToken(token))
	}
	return dial(ctx, address, func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}, more)
}

func dial(ctx context.Context, host string, connect func(context.Context) (net.Conn, error), more []Option) (*Conn, error) {
	o := options{header: http.Header{}, notify: func(string, json.RawMessage) {}}
	for _, f := range more {
		f(&o)
	}
	d := websocket.Dialer{
		NetDialContext:   func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx) },
		HandshakeTimeout: handshakeTimeout,
		Subprotocols:     []string{protocol.Subprotocol},
		WriteBufferSize:  writeBuffer,
	}
	ws, response, err := d.DialContext(ctx, "ws://"+host+protocol.Path, o.header)
	if errors.Is(err, websocket.ErrBadHandshake) && response != nil {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return nil, &HandshakeError{response.StatusCode, strings.TrimSpace(string(text))}
	}
	if absent(err) {
		return nil, ErrAbsent
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to the agent: %w", err)
	}
	ws.SetReadLimit(maxAnswer)
	c := &Conn{ws: ws, notify: o.notify, waiting: map[string]chan answer{}, over: make(chan struct{})}
	go c.read()
	return c, nil
}

// maxAnswer is the largest message that is taken from an agent.
const maxAnswer = 64 << 20
