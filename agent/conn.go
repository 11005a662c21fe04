package agent

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/spool"
)

// conn is a WebSocket connection. Its reader is the goroutine of serve, its
// writer another; requests run on goroutines of their own.
type conn struct {
	a      *Agent
	ws     *websocket.Conn
	client access.Client
	key    string // what it is counted under
	unix   bool
	anyone bool // a program without a token
	shelf  *spool.Shelf
	out    *outgoing
	pings  *bucket

	ctx context.Context // ends with the connection
	end context.CancelCauseFunc

	inMessage bool // the reader's: a message has begun

	mu         sync.Mutex
	running    map[string]context.CancelFunc // by the JSON text of the ID
	session    *session                      // of an own page; nil: it has shown no code yet
	leaving    []func()                      // subscriptions to end
	feeding    bool                          // notifications of the desk are sent
	attending  bool                          // a consent page: closing it is an answer
	events     func()                        // ends the events; nil: there are none
	subscribed bool                          // events end with the connection
	reading    sync.Mutex                    // one document is sent at a time
	calls      sync.WaitGroup
}

func (a *Agent) newConn(ws *websocket.Conn, c candidate, unix bool) *conn {
	n := &conn{a: a, ws: ws, client: c.client, key: c.key(), unix: unix, anyone: c.anyone,
		shelf: a.o.Spool.Shelf(), pings: newBucket(pingRate, a.o.Now()), running: map[string]context.CancelFunc{}}
	if !c.known { // he may send documents before anybody has been asked
		n.shelf = a.o.Spool.Guest()
	}
	ctx, end := context.WithCancelCause(a.ctx)
	n.ctx, n.end = ctx, func(why error) { end(over{why}) }
	n.out = newOutgoing(n)
	return n
}

// pingRate is how many pings a second a client may send.
const pingRate = 5

// closing is why the agent ends a connection: what the client is told.
type closing struct {
	code   int    // RFC 6455, section 7.4
	reason string // for the client
}

func (c closing) Error() string { return c.reason }

// over is why a connection ended. For the operations on it that is a cancellation, and no fault of theirs.
type over struct{ why error }

func (o over) Error() string {
	if o.why == nil {
		return context.Canceled.Error()
	}
	return o.why.Error()
}

func (o over) Unwrap() []error { return []error{o.why, context.Canceled} }

// serve runs the connection to its end, and everything that runs on it.
func (c *conn) serve() {
	began := time.Now()
	c.a.log.Debug("connected", "client", c.client.String(), "session", c.client.Session)
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.out.run()
	}()
	if c.client.Kind == access.Page {
		t := time.AfterFunc(c.a.limits.FirstMessage, c.sessionTimer)
		c.leave(func() { t.Stop() })
	}
	err := c.read()
	c.end(err)
	<-written
	c.mu.Lock()
	leaving := c.leaving
	c.leaving = nil
	c.mu.Unlock()
	for _, f := range leaving {
		f()
	}
	c.calls.Wait()
	c.shelf.Close()
	c.a.meters.closed(context.Cause(c.ctx))
	c.a.log.Debug("disconnected", "client", c.client.String(), "session", c.client.Session, "why", clip(context.Cause(c.ctx).Error()),
		"after", time.Since(began).Round(time.Millisecond))
}

// leave has f called when the connection is over, at once if it is.
func (c *conn) leave(f func()) {
	c.mu.Lock()
	over := c.ctx.Err() != nil
	if !over {
		c.leaving = append(c.leaving, f)
	}
	c.mu.Unlock()
	if over {
		f()
	}
}

// read takes messages till the connection ends, and says why it did.
func (c *conn) read() error {
	c.ws.SetReadLimit(int64(protocol.MaxChunk + chunkHeader))
	c.ws.SetPongHandler(func(string) error {
		c.alive()
		return nil
	})
	c.ws.SetPingHandler(func(data string) error {
		if !c.pings.take(c.a.o.Now()) {
			return closing{websocket.ClosePolicyViolation, "too many pings"}
		}
		c.alive()
		c.out.pong(data)
		return nil
	})
	for {
		c.inMessage = false
		c.alive()
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return readError(err)
		}
		c.inMessage = true
		c.ws.SetReadDeadline(time.Now().Add(c.a.limits.Message))
		if kind == websocket.BinaryMessage {
			err = c.chunk(r)
		} else {
			err = c.text(r)
		}
		if err != nil {
			return readError(err)
		}
	}
}

// alive gives the client its time again, unless it is in a message, for which
// there is one time that nothing prolongs.
func (c *conn) alive() {
	if !c.inMessage {
		c.ws.SetReadDeadline(time.Now().Add(c.a.limits.Silence))
	}
}

func readError(err error) error {
	if errors.Is(err, websocket.ErrReadLimit) {
		return closing{websocket.CloseMessageTooBig, "a message is too large"}
	}
	return err
}

// text reads a message and has it answered.
func (c *conn) text(r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, protocol.MaxMessage+1))
	switch {
	case err != nil:
		return err
	case len(b) > protocol.MaxMessage:
		return closing{websocket.CloseMessageTooBig, "a message is too large"}
	case !utf8.Valid(b):
		return closing{websocket.CloseInvalidFramePayloadData, "a text frame is no UTF-8"}
	}
	return c.message(b)
}

// sessionTimer closes an own page that has shown no code, or whose session has
// been idle for too long, and comes again if it is not yet so.
func (c *conn) sessionTimer() {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	if s == nil {
		c.end(closing{websocket.ClosePolicyViolation, "no launch code was shown"})
		return
	}
	left := c.a.pages.left(s)
	if left <= 0 {
		c.end(closing{websocket.ClosePolicyViolation, "the session is over"})
		return
	}
	t := time.AfterFunc(left, c.sessionTimer)
	c.leave(func() { t.Stop() })
}
