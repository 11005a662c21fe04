// Package broker lets the agents of several users of one machine share its
// loopback port. The broker owns the port, finds out which user's program is at
// the other end of a connection, and hands the connection itself to that user's
// agent: not a byte of it goes through the broker.
//
// Start with New and Broker.Serve in the system service, and Register in an
// agent, whose Listener gives it its user's connections.
//
// An agent is known by the system's word for whose process it is, not by its own.
// It looks at the other end of each connection once more, so that a mistake of
// the broker gives nothing away. The broker needs no privileges: a user of its
// own will do.
//
// Out of scope: what is said on the connections; systems other than Linux, where
// New and Register say so (see docs/terminal-servers.md).
//
// References: unix(7), SCM_RIGHTS and SO_PEERCRED; sock_diag(7).
package broker

import (
	"errors"
	"log/slog"
	"net"

	"github.com/eidkit/eidkit/agent/peer"
)

// Path is where the broker's socket is. Its folder belongs to root, so that
// nobody else can put one there.
const Path = "/run/eidkit/broker.sock"

// The errors of this package.
var (
	// ErrAbsent: there is no broker on this machine.
	ErrAbsent = errors.New("no broker")
	// ErrImpostor: the broker's socket, or its folder, is not the system's.
	ErrImpostor = errors.New("the broker's socket does not belong to the system")
	// ErrUnsupported: not on this system.
	ErrUnsupported = errors.New("the broker needs Linux")
)

// Options are for New.
type Options struct {
	Log *slog.Logger // nil: none. Users by number, nothing of what they do
	// Lookup finds out whose program is at the other end; nil: peer.OfTCP.
	Lookup func(local, remote net.Addr) (peer.Peer, error)
}
