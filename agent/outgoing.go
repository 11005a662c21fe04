package agent

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// What waits for a client at most: messages, and bytes beside the last of them.
// Who does not take them is dropped.
const (
	maxQueued      = 64
	maxQueuedBytes = 1 << 20
)

// outgoing is what goes to the client. Messages never wait: a full queue ends the
// connection. Pieces of documents do, with whoever reads the document.
type outgoing struct {
	c        *conn
	messages chan []byte
	pieces   chan piece
	pongs    chan string
	bytes    atomic.Int64 // in messages
}

type piece struct {
	frame []byte
	done  chan error // takes one without waiting
}

func newOutgoing(c *conn) *outgoing {
	return &outgoing{c: c, messages: make(chan []byte, maxQueued), pieces: make(chan piece), pongs: make(chan string, 1)}
}

// errSlow is the cause of the end of a connection whose client takes nothing.
var errSlow = errors.New("the client does not take its messages")

// send queues a message. Of progress, some is left out when the client is slow.
func (o *outgoing) send(b []byte, mayDrop bool) {
	waiting := o.bytes.Load()
	if mayDrop && (waiting > maxQueuedBytes/2 || len(o.messages) > maxQueued/2) {
		return
	}
	if waiting > maxQueuedBytes {
		o.drop()
		return
	}
	o.bytes.Add(int64(len(b)))
	select {
	case o.messages <- b:
	default:
		o.drop()
	}
}

// drop ends the connection without another word to the client: what it has not
// taken is thrown away.
func (o *outgoing) drop() {
	o.c.end(errSlow)
	if t, ok := underneath(o.c.ws).(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	o.c.ws.NetConn().Close()
}

// pong answers a ping, unless the answer to an earlier one is still waiting.
func (o *outgoing) pong(data string) {
	select {
	case o.pongs <- data:
	default:
	}
}

// sendPiece sends a piece of a document, and returns when it is gone and the
// frame can be used again.
func (o *outgoing) sendPiece(ctx context.Context, frame []byte) error {
	p := piece{frame, make(chan error, 1)}
	select {
	case o.pieces <- p:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-o.c.ctx.Done():
		return errGone
	}
	return <-p.done // the write has a deadline
}

// run writes till the connection ends; then it says why, and closes.
func (o *outgoing) run() {
	ping := time.NewTicker(o.c.a.limits.Ping)
	defer ping.Stop()
	defer o.c.ws.Close()
	for {
		var err error
		select {
		case <-o.c.ctx.Done():
			o.goodbye()
			return
		case b := <-o.messages:
			o.bytes.Add(-int64(len(b)))
			err = o.write(websocket.TextMessage, b)
		case p := <-o.pieces:
			err = o.write(websocket.BinaryMessage, p.frame)
			p.done <- err
		case data := <-o.pongs:
			err = o.write(websocket.PongMessage, []byte(data))
		case <-ping.C:
			err = o.write(websocket.PingMessage, nil)
		}
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			o.drop()
			return
		}
		if err != nil { // it is gone
			o.c.end(err)
			return
		}
	}
}

func (o *outgoing) write(kind int, b []byte) error {
	o.c.ws.SetWriteDeadline(time.Now().Add(o.c.a.limits.Write))
	return o.c.ws.WriteMessage(kind, b)
}

// goodbye sends what is left, and why the connection ends.
func (o *outgoing) goodbye() {
	cause := context.Cause(o.c.ctx)
	if errors.Is(cause, errSlow) {
		return
	}
	for range len(o.messages) {
		if o.write(websocket.TextMessage, <-o.messages) != nil {
			return
		}
	}
	why := closing{websocket.CloseNormalClosure, ""}
	if !errors.As(cause, &why) {
		var closed *websocket.CloseError
		switch {
		case errors.As(cause, &closed):
		case o.c.a.ctx.Err() != nil:
			why = closing{websocket.CloseGoingAway, "the agent ends"}
		default:
			return // the connection broke
		}
	}
	o.write(websocket.CloseMessage, websocket.FormatCloseMessage(why.code, why.reason))
}
