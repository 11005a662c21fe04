package service

import "github.com/eidkit/eidkit/agent/protocol"

// params reads the parameters of a call.
func params(c *Call, into any) error { return protocol.Params(c.Params, into) }

// none is for methods without parameters.
type none struct{}
