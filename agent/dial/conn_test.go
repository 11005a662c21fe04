package dial_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/protocol"
)

// late is a context of a caller who looks at his answer when the connection is over already.
type late struct {
	context.Context
	c *dial.Conn
}

func (l late) Done() <-chan struct{} {
	<-l.c.Done()
	return l.Context.Done()
}

// TestLastAnswer: an answer after which the agent ends at once is an answer, as that to agent.stop is.
func TestLastAnswer(t *testing.T) {
	t.Parallel()
	up := websocket.Upgrader{Subprotocols: []string{protocol.Subprotocol}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if _, _, err := c.ReadMessage(); err != nil {
			t.Error(err)
			return
		}
		_ = c.WriteMessage(websocket.TextMessage, []byte(`{"jsonrpc":"2.0","id":1,"result":{}}`))
		_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, "the agent ends"))
	}))
	defer server.Close()
	for range 50 {
		c, err := dial.Loopback(t.Context(), strings.TrimPrefix(server.URL, "http://"), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Call(late{t.Context(), c}, "agent.stop", nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Call(t.Context(), "agent.stop", nil, nil); err == nil || !strings.Contains(err.Error(), "the agent ends") {
			t.Fatalf("afterwards: %v", err)
		}
		c.Close()
	}
}
