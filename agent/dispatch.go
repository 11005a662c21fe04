package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

// message answers one message of the client. An error ends the connection.
func (c *conn) message(b []byte) error {
	r, err := protocol.ParseRequest(b)
	if err == nil && r.ID == nil {
		err = protocol.Errorf(protocol.InvalidArgument, "a request needs an id")
	}
	if !c.a.clients.request(c.key) {
		err = protocol.Errorf(protocol.RateLimited, "at most %g requests a second", c.a.limits.Requests)
	}
	if err != nil {
		c.fail(r, err)
		return nil
	}
	m, known := c.a.methods[r.Method]
	if c.client.Kind == access.Page {
		if ended := c.page(m.audience == launching); ended != nil {
			c.fail(r, protocol.Errorf(protocol.NotAuthorised, "%v", ended))
			return ended
		}
	} else if refused := c.welcome(); refused != nil {
		c.fail(r, refused)
		return closing{websocket.ClosePolicyViolation, "the client is no longer welcome"}
	}
	switch {
	case !known:
		c.fail(r, protocol.Errorf(protocol.InvalidArgument, "there is no method %s", clip(r.Method)))
	case !c.may(m.audience):
		c.a.log.refused("method refused", "method", r.Method, "client", c.client.String(), "session", c.client.Session)
		c.fail(r, protocol.Errorf(protocol.NotAuthorised, "%s is not for this client", r.Method))
	case r.Method == "operation.cancel": // it finds a place even where all are taken
		c.answer(c.ctx, r, m, func() {})
	case m.audience == launching: // before anything else that the page sends
		c.answer(c.ctx, r, m, func() {})
		return c.page(false)
	default:
		c.start(r, m)
	}
	return nil
}

// page checks that an own page has a session, which the request prolongs; or
// that this is the request that gets it one.
func (c *conn) page(launches bool) error {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	switch {
	case s == nil && !launches:
		return closing{websocket.ClosePolicyViolation, "the first message shows a launch code or a session"}
	case s == nil:
		return nil
	case c.a.pages.left(s) <= 0:
		return closing{websocket.ClosePolicyViolation, "the session is over"}
	}
	c.a.pages.used(s)
	return nil
}

// welcome checks a site or program again: policy, grants and pairings may have
// changed since the handshake.
func (c *conn) welcome() error {
	if c.anyone || c.client.Kind == access.Page {
		return nil
	}
	d := c.a.o.Authority.Connect(c.client)
	switch {
	case d.Verdict != access.Refuse || d.Reason == access.ReasonMuted:
		return nil
	case c.client.Kind == access.Program:
		return protocol.Errorf(protocol.NotAuthorised, "%s", d.Why)
	}
	return protocol.Errorf(protocol.OriginRefused, "%s", d.Why)
}

// start runs a request beside the others of the connection.
func (c *conn) start(r *protocol.Request, m method) {
	ctx, cancel := context.WithCancel(c.ctx)
	c.mu.Lock()
	_, twice := c.running[r.Call()]
	full := len(c.running) >= c.a.limits.Calls
	if !twice && !full {
		c.running[r.Call()] = cancel
		c.calls.Add(1)
	}
	c.mu.Unlock()
	switch {
	case twice: // an answer with this ID would be taken for that of the other
		cancel()
		c.fail(&protocol.Request{Method: r.Method}, protocol.Errorf(protocol.InvalidArgument, "the id %s is taken by a request under way", clip(r.Call())))
	case full:
		cancel()
		c.fail(r, protocol.Errorf(protocol.Busy, "at most %d requests of a connection at a time", c.a.limits.Calls))
	default:
		go func() {
			defer c.calls.Done()
			defer cancel()
			c.answer(ctx, r, m, func() {
				c.mu.Lock()
				delete(c.running, r.Call())
				c.mu.Unlock()
			})
		}()
	}
}

// answer calls the method and sends what comes of it. over frees the ID, before
// the client can know that it is free.
func (c *conn) answer(ctx context.Context, r *protocol.Request, m method, over func()) {
	began := time.Now()
	result, err := c.call(ctx, r, m)
	over()
	then := func() {}
	if f, ok := result.(followed); ok {
		result, then = f.result, f.then
	}
	var message []byte
	if err == nil {
		message, err = protocol.Result(r.ID, result)
	}
	if err != nil {
		err = c.plain(ctx, r.Method, err)
		message = protocol.Failure(r.ID, err.(*protocol.Error)) //nolint:errorlint // plain makes one
	}
	c.a.meters.request(r.Method, err, began)
	c.out.send(message, false)
	then()
}

// call runs the method; a panic of it is this request's failure only.
func (c *conn) call(ctx context.Context, r *protocol.Request, m method) (result any, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		what := fmt.Sprintf("%T", p)
		if e, ok := p.(runtime.Error); ok {
			what = e.Error()
		}
		c.a.log.Error("a method panicked", "method", r.Method, "client", c.client.String(), "panic", what, "stack", string(debug.Stack()))
		result, err = nil, &protocol.Error{Code: protocol.Internal}
	}()
	return m.call(ctx, c, &service.Call{ID: r.Call(), Client: c.client, Params: r.Params, Documents: c.shelf, Notify: c.notify})
}

// plain makes an error one that a client may see.
func (c *conn) plain(ctx context.Context, name string, err error) *protocol.Error {
	var e *protocol.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return protocol.Errorf(protocol.PINCancelled, "cancelled by the client")
	case errors.Is(err, context.DeadlineExceeded):
		return protocol.Errorf(protocol.Busy, "it took too long")
	}
	c.a.log.Error("a method failed", "method", name, "client", c.client.String(), "session", c.client.Session, "error", impersonal(err))
	return &protocol.Error{Code: protocol.Internal}
}

// fail answers a request that no method saw.
func (c *conn) fail(r *protocol.Request, err error) {
	c.a.meters.request(r.Method, err, time.Now())
	var e *protocol.Error
	if !errors.As(err, &e) {
		e = &protocol.Error{Code: protocol.Internal}
	}
	c.out.send(protocol.Failure(r.ID, e), false)
}

// notify is a Call's Notify.
func (c *conn) notify(name string, params any) {
	b, err := protocol.Notification(name, params)
	if err != nil {
		c.a.log.Error("a notification cannot be written", "method", name, "error", impersonal(err))
		return
	}
	c.out.send(b, name == "operation.progress")
}

// cancelCall is operation.cancel.
func cancelCall(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		ID json.RawMessage `json:"id"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	c.mu.Lock()
	cancel := c.running[string(p.ID)]
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	return map[string]bool{"cancelled": cancel != nil}, nil
}
