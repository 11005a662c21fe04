package agent

import (
	"context"
	"slices"
	"sync"

	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

// followed is a result after which something is to be done, once it is on its way.
type followed struct {
	result any
	then   func()
}

// subscribe is events.subscribe: authorised as readers.list is, whose result it
// has too. What happens while the list is made follows it.
func subscribe(ctx context.Context, c *conn, call *service.Call) (any, error) {
	list, ok := c.a.o.Methods["readers.list"]
	if !ok || c.a.o.Events == nil {
		return nil, protocol.Errorf(protocol.NoReader, "this agent has no readers")
	}
	s := &subscription{c: c}
	cancel := c.a.o.Events.Subscribe(c.client, s.event)
	result, err := list(ctx, call)
	if err != nil {
		cancel()
		return nil, err
	}
	c.mu.Lock()
	old, first := c.events, !c.subscribed
	c.events, c.subscribed = cancel, true
	c.mu.Unlock()
	if old != nil { // subscribed twice is subscribed once
		old()
	}
	switch {
	case first:
		c.leave(c.unsubscribe)
	case c.ctx.Err() != nil: // that has been done
		c.unsubscribe()
	}
	return followed{result, s.begin}, nil
}

// unsubscribe is events.unsubscribe.
func unsubscribe(_ context.Context, c *conn, call *service.Call) (any, error) {
	if err := protocol.Params(call.Params, &struct{}{}); err != nil {
		return nil, err
	}
	c.unsubscribe()
	return nil, nil
}

// unsubscribe ends the events of the connection.
func (c *conn) unsubscribe() {
	c.mu.Lock()
	cancel := c.events
	c.events = nil
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// subscription sends events, and holds those back that come before its answer.
type subscription struct {
	c *conn

	mu    sync.Mutex
	begun bool
	held  []func()
}

// maxHeld is how many events are held back, while the user is asked for instance:
// the newest, since what older ones tell is in the list, which is made last. They
// go out at once, and must leave room in the queue of a client that is not slow.
const maxHeld = maxQueued / 2

func (s *subscription) event(name string, params any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		s.send(name, params)
		return
	}
	if len(s.held) == maxHeld {
		s.held = slices.Delete(s.held, 0, 1)
	}
	s.held = append(s.held, func() { s.send(name, params) })
}

func (s *subscription) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
	for _, send := range s.held {
		send()
	}
	s.held = nil
}

// send passes an event on, if the client is still welcome.
func (s *subscription) send(name string, params any) {
	if s.c.ctx.Err() == nil && s.c.welcome() == nil {
		s.c.notify(name, params)
	}
}
