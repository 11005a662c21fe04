package agent

import (
	"errors"
	"io/fs"
	"net"
	"syscall"

	"golang.org/x/sys/windows"
)

// exclusiveAddrUse is SO_EXCLUSIVEADDRUSE of winsock2.h, ^SO_REUSEADDR: without it
// another program could listen at the same address as well.
const exclusiveAddrUse = ^windows.SO_REUSEADDR

func exclusive(_, _ string, c syscall.RawConn) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, exclusiveAddrUse, 1)
	}); err != nil {
		return err
	}
	return failed
}

func inUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}

func noIPv6(err error) bool {
	return errors.Is(err, windows.WSAEADDRNOTAVAIL) || errors.Is(err, windows.WSAEAFNOSUPPORT)
}

// ownPrivate is true: the folder is below the user's profile, which others cannot
// enter.
func ownPrivate(fs.FileInfo) bool { return true }

// Activated are the sockets that systemd has opened for this process: none here.
func Activated() ([]net.Listener, error) { return nil, nil }
