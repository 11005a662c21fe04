//go:build !linux && !windows

package peer

import (
	"net"
	"net/netip"
	"os"
	"strconv"
)

func self() (Peer, error) {
	return Peer{User: strconv.Itoa(os.Getuid()), Name: ownName(), PID: os.Getpid()}, nil
}

func ofTCP(_, _ netip.AddrPort) (Peer, error) { return Peer{}, ErrUnsupported }

func ofUnix(*net.UnixConn) (Peer, error) { return Peer{}, ErrUnsupported }

func listener(uint16) (Peer, error) { return Peer{}, ErrUnsupported }
