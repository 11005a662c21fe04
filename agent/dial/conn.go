package dial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/protocol"
)

// Conn is a connection to the agent. It is safe for concurrent use.
type Conn struct {
	ws     *websocket.Conn
	notify func(method string, params json.RawMessage)

	written sync.Mutex // one writes at a time

	mu      sync.Mutex
	last    int
	waiting map[string]chan answer // by ID
	fetches map[protocol.DocumentID]*fetch
	why     error

	over chan struct{} // closed at the end, why is set then
}

type answer struct {
	result json.RawMessage
	err    error
}

// fetch takes the frames of a document that is being read.
type fetch struct {
	w io.Writer

	mu  sync.Mutex
	at  uint64
	err error
}

// Close ends the connection, and what runs on it.
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	return c.ws.Close()
}

// Done is closed when the connection is over.
func (c *Conn) Done() <-chan struct{} { return c.over }

// writeTimeout is how long the agent may take to take a message.
const writeTimeout = 30 * time.Second

func (c *Conn) write(kind int, b []byte) error {
	c.written.Lock()
	defer c.written.Unlock()
	c.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := c.ws.WriteMessage(kind, b); err != nil {
		select {
		case <-c.over:
			return c.reason()
		default:
			return fmt.Errorf("writing to the agent: %w", err)
		}
	}
	return nil
}

// Call sends a request and waits for its answer, which it reads into result (nil:
// nobody wants it). params nil is no parameters. When ctx ends the agent is told
// to stop, and the error is that of ctx. A request that fails is a
// *protocol.Error; ErrClosed is wrapped when the connection ends.
func (c *Conn) Call(ctx context.Context, method string, params, result any) error {
	id, answered, err := c.send(method, params)
	if err != nil {
		return err
	}
	select {
	case a := <-answered:
		if a.err != nil {
			return a.err
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(a.result, result); err != nil {
			return fmt.Errorf("reading the answer to %s: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		c.forget(id)
		if _, ignored, err := c.send("operation.cancel", map[string]json.RawMessage{"id": json.RawMessage(id)}); err == nil {
			go func() { <-ignored }()
		}
		return ctx.Err()
	}
}

// send sends a request. Its answer, or the connection's end, comes on the channel.
func (c *Conn) send(method string, params any) (id string, answered chan answer, err error) {
	if params == nil {
		params = struct{}{}
	}
	answered = make(chan answer, 1)
	c.mu.Lock()
	if c.why != nil {
		c.mu.Unlock()
		return "", nil, c.why
	}
	c.last++
	id = strconv.Itoa(c.last)
	c.waiting[id] = answered
	c.mu.Unlock()
	b, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Params  any             `json:"params"`
	}{"2.0", json.RawMessage(id), method, params})
	if err == nil {
		err = c.write(websocket.TextMessage, b)
	}
	if err != nil {
		c.forget(id)
		return "", nil, err
	}
	return id, answered, nil
}

func (c *Conn) forget(id string) {
	c.mu.Lock()
	delete(c.waiting, id)
	c.mu.Unlock()
}

// fail ends all that waits.
func (c *Conn) fail(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return
	}
	c.why = why
	for id, w := range c.waiting {
		w <- answer{err: why}
		delete(c.waiting, id)
	}
	close(c.over)
}

func (c *Conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

func (c *Conn) read() {
	defer c.ws.Close()
	for {
		kind, b, err := c.ws.ReadMessage()
		if err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				err = fmt.Errorf("%w: %s (%d)", ErrClosed, closed.Text, closed.Code)
			} else {
				err = fmt.Errorf("%w: %w", ErrClosed, err)
			}
			c.fail(err)
			return
		}
		if kind == websocket.BinaryMessage {
			c.frame(b)
		} else if err := c.message(b); err != nil {
			c.fail(fmt.Errorf("%w: %w", ErrClosed, err))
			return
		}
	}
}

func (c *Conn) message(b []byte) error {
	var m struct {
		ID     json.RawMessage
		Method string
		Params json.RawMessage
		Result json.RawMessage
		Error  json.RawMessage
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("reading a message of the agent: %w", err)
	}
	if m.Method != "" {
		c.notify(m.Method, m.Params)
		return nil
	}
	a := answer{result: m.Result}
	if m.Error != nil {
		a.err = failure(m.Error)
	}
	c.mu.Lock()
	w := c.waiting[string(m.ID)]
	delete(c.waiting, string(m.ID))
	c.mu.Unlock()
	if w != nil {
		w <- a
	}
	return nil
}

// failure reads an error object.
func failure(b json.RawMessage) error {
	var e struct {
		Message string
		Data    struct {
			Code      protocol.Code
			TriesLeft int
			Service   string
			Holder    string
		}
	}
	if err := json.Unmarshal(b, &e); err != nil || e.Data.Code == "" {
		return protocol.Errorf(protocol.Internal, "the agent's error cannot be read")
	}
	out := &protocol.Error{Code: e.Data.Code, TriesLeft: e.Data.TriesLeft, Service: e.Data.Service, Holder: e.Data.Holder}
	if e.Message != protocol.FaultOf(e.Data.Code).Text["en"] {
		out.Detail = e.Message
	}
	return out
}
