// Package peer finds out which user is at the other end of a connection within
// this machine, and who holds a port.
//
// Start with OfTCP and OfUnix, and compare with Self by Same. Listener is for
// the message that a port is taken.
//
// Out of scope: who may do what (agent/access). A user is all that can be told
// with certainty: one who runs hostile programs is at the other end himself,
// and a program can hand its connection to another one, so that PID and
// Executable are for people to look at, and may refuse somebody but prove nothing.
//
// References: sock_diag(7), inet_diag.h of Linux, unix(7) SO_PEERCRED;
// GetExtendedTcpTable and SIO_AF_UNIX_GETPEERPID of Windows.
package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/user"
	"sync"
)

// What goes wrong beside failures of the system. After any of them nothing is
// known of the other end, and it is to be refused.
var (
	ErrUnsupported = errors.New("this system does not tell who is at the other end of a connection")
	ErrNobody      = errors.New("nobody is there") // no such connection, or it is being closed; no such listener
	ErrRemote      = errors.New("the other end is not on this machine")
)

// Peer is a user and, where the system tells, his program.
type Peer struct {
	User       string // the user number, on Windows the SID
	Name       string // his login name; empty: he has none, or (OfTCP) is another user, for whom no name service is asked
	PID        int    // of the program; 0: not known, as for TCP connections on Linux
	Executable string // its file; empty: not known
}

// Same tells whether both are one user. A Peer without a user is nobody, not
// even himself.
func (p Peer) Same(other Peer) bool { return p.User != "" && p.User == other.User }

// String is for logs and messages: the login name, else the user, and the program.
func (p Peer) String() string {
	s := p.Name
	if s == "" {
		s = "user " + p.User
	}
	switch {
	case p.Executable != "" && p.PID != 0:
		s += fmt.Sprintf(" (%s, process %d)", p.Executable, p.PID)
	case p.PID != 0:
		s += fmt.Sprintf(" (process %d)", p.PID)
	}
	return s
}

// Self is the user of this process.
func Self() (Peer, error) { return self() }

// OfTCP is the user at the other end of a loopback connection, from its
// addresses as this end sees them: an exact look-up of the socket there, which
// must be connected. Errors: ErrUnsupported, ErrNobody, ErrRemote, and those of
// the system.
func OfTCP(local, remote net.Addr) (Peer, error) {
	here, err := addrPort(local)
	if err != nil {
		return Peer{}, err
	}
	there, err := addrPort(remote)
	if err != nil {
		return Peer{}, err
	}
	p, err := ofTCP(here, there)
	if err != nil {
		return Peer{}, fmt.Errorf("looking up the other end of %v: %w", there, err)
	}
	return p, nil
}

// OfUnix is the user at the other end of a Unix socket: the one who connected.
func OfUnix(c *net.UnixConn) (Peer, error) {
	p, err := ofUnix(c)
	if err != nil {
		return Peer{}, fmt.Errorf("looking up the other end of a Unix socket: %w", err)
	}
	return p, nil
}

// Listener is who listens on a TCP port of this machine, at any of its
// addresses; PID and Executable are empty where the system keeps them from us.
// ErrNobody: no one does.
func Listener(port int) (Peer, error) {
	if port < 1 || port > 65535 {
		return Peer{}, fmt.Errorf("%d is no port", port)
	}
	p, err := listener(uint16(port))
	if err != nil {
		return Peer{}, fmt.Errorf("looking up who listens on port %d: %w", port, err)
	}
	return p, nil
}

// addrPort is the address of a TCP end; both of them must be loopback.
func addrPort(a net.Addr) (netip.AddrPort, error) {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%v is no TCP address", a)
	}
	ap := t.AddrPort()
	ap = netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
	if !ap.Addr().IsLoopback() {
		return netip.AddrPort{}, fmt.Errorf("%v: %w", ap, ErrRemote)
	}
	return ap, nil
}

// ownName is looked up once: name services can be slow.
var ownName = sync.OnceValue(func() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
})
