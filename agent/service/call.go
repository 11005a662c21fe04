package service

import (
	"context"
	"encoding/json"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/spool"
)

// Method answers one request. Its result is what the client gets as the
// request's result: nil is an empty object. An error that is or wraps a
// *protocol.Error is the client's answer; of any other he only hears INTERNAL.
// The context ends with the connection and with operation.cancel.
type Method func(ctx context.Context, c *Call) (any, error)

// Call is a request as a method sees it.
type Call struct {
	ID        string // of the request on its connection, for notifications
	Client    access.Client
	Params    json.RawMessage // read them by protocol.Params
	Documents *spool.Shelf    // the connection's documents
	// Notify sends a notification on the connection. It never waits; where
	// notifications pile up, some are left out.
	Notify func(method string, params any)
}
