//go:build !linux

package broker

import (
	"context"
	"net"
)

// Broker hands connections to agents, on Linux.
type Broker struct{}

// New says ErrUnsupported.
func New(Options) (*Broker, error) { return nil, ErrUnsupported }

// ListenUnix says ErrUnsupported.
func ListenUnix(string) (*net.UnixListener, error) { return nil, ErrUnsupported }

// Serve says ErrUnsupported.
func (b *Broker) Serve(context.Context, *net.UnixListener, ...net.Listener) error {
	return ErrUnsupported
}

// Listener is what Register gives on Linux.
type Listener struct{ net.Listener }

// Register says ErrUnsupported.
func Register(string) (*Listener, error) { return nil, ErrUnsupported }
