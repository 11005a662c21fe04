//go:build unix

package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"syscall"
)

// exclusive has nothing to do: without SO_REUSEPORT, which Go does not set, a port
// in use is refused.
func exclusive(string, string, syscall.RawConn) error { return nil }

func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

func noIPv6(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// ownPrivate tells whether a folder is this user's and closed to others.
func ownPrivate(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid() && info.Mode().Perm()&0o077 == 0
}

// firstActivated is the descriptor of the first socket that systemd passes
// (SD_LISTEN_FDS_START), and maxActivated how many are taken.
const (
	firstActivated = 3
	maxActivated   = 16
)

// Activated are the sockets that systemd has opened for this process; none: it
// was not started so. One that others can reach, or that is no listening stream
// socket, is an error.
func Activated() ([]net.Listener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > maxActivated {
		return nil, fmt.Errorf("LISTEN_FDS is %q", count)
	}
	var all []net.Listener
	for fd := firstActivated; fd < firstActivated+n; fd++ {
		l, err := activated(fd)
		if err != nil {
			for _, l := range all {
				l.Close()
			}
			return nil, fmt.Errorf("socket %d of systemd: %w", fd, err)
		}
		all = append(all, l)
	}
	return all, nil
}

func activated(fd int) (net.Listener, error) {
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "systemd")
	defer f.Close() // the listener has a copy
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	switch a := l.Addr().(type) {
	case *net.UnixAddr:
		l.(*net.UnixListener).SetUnlinkOnClose(false) // systemd goes on listening
		return l, nil
	case *net.TCPAddr:
		if a.IP.IsLoopback() {
			return l, nil
		}
	}
	l.Close()
	return nil, fmt.Errorf("%v can be reached from other machines", l.Addr())
}
