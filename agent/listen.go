package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/peer"
	"github.com/eidkit/eidkit/internal/atomicfile"
)

// PortError says that somebody else has the port, at one of the two loopback
// addresses at least: a client could not tell which of us it talks to, so the
// agent does not run on the other.
type PortError struct {
	Port int
	By   peer.Peer // empty: not known
	Err  error     // the system's
}

func (e *PortError) Error() string {
	by := "another program"
	if e.By != (peer.Peer{}) {
		by = e.By.String()
	}
	return fmt.Sprintf("port %d is taken by %s", e.Port, by)
}

func (e *PortError) Unwrap() error { return e.Err }

// tries is how often a port is picked that is free at both addresses.
const tries = 16

// Listen listens at both loopback addresses; a machine without IPv6 has one.
// Port 0 picks a port that is free, for the caller to write down (WritePort).
// Errors: *PortError.
func Listen(ctx context.Context, port int) ([]net.Listener, error) {
	if port != 0 {
		return listen(ctx, port)
	}
	var err error
	for range tries {
		var l []net.Listener
		if l, err = listen(ctx, 0); err == nil {
			return l, nil
		}
	}
	return nil, err
}

func listen(ctx context.Context, port int) ([]net.Listener, error) {
	config := net.ListenConfig{Control: exclusive}
	v4, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, taken(port, err)
	}
	port = v4.Addr().(*net.TCPAddr).Port
	v6, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
	switch {
	case err == nil:
		return []net.Listener{v4, v6}, nil
	case noIPv6(err):
		return []net.Listener{v4}, nil
	}
	v4.Close()
	return nil, taken(port, err)
}

// taken finds out by whom.
func taken(port int, err error) error {
	if !inUse(err) {
		return fmt.Errorf("listening on port %d: %w", port, err)
	}
	by, unknown := peer.Listener(port)
	if unknown != nil {
		by = peer.Peer{}
	}
	return &PortError{port, by, err}
}

// ErrRunning is ListenUnix's error when an agent of this user has the socket.
var ErrRunning = errors.New("an agent is running already")

// ListenUnix makes the runtime folder, for its owner alone, and listens on the
// socket in it. What a dead agent left there is replaced. Errors: ErrRunning.
func ListenUnix(ctx context.Context, dir string) (net.Listener, error) {
	if err := privateDir(dir); err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	unlock, err := atomicfile.Lock(wait, filepath.Join(dir, "agent.lock"))
	if err != nil {
		return nil, fmt.Errorf("taking the runtime folder: %w", err)
	}
	defer unlock()
	path := dial.SocketPath(dir)
	d := net.Dialer{Timeout: time.Second}
	if c, err := d.DialContext(ctx, "unix", path); err == nil {
		c.Close()
		return nil, ErrRunning
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("replacing the socket of an earlier agent: %w", err)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening on the Unix socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("closing the Unix socket to others: %w", err)
	}
	return l, nil
}

// privateDir makes a folder that is this user's, and nobody else's.
func privateDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("making the runtime folder: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the runtime folder: %w", err)
	}
	info, err := os.Lstat(dir) // in a folder for everybody it may be somebody's link
	if err != nil {
		return fmt.Errorf("looking at the runtime folder: %w", err)
	}
	if !info.IsDir() || !ownPrivate(info) {
		return fmt.Errorf("the runtime folder %s is not this user's alone (mode %v)", dir, info.Mode())
	}
	return nil
}

// WritePort writes the port of a listener into the runtime folder, for programs
// that are to find it, and returns what removes the file again.
func WritePort(dir string, l net.Listener) (remove func(), err error) {
	t, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("%v is no TCP address", l.Addr())
	}
	if err := privateDir(dir); err != nil {
		return nil, err
	}
	path := dial.PortPath(dir)
	if err := atomicfile.Write(path, []byte(strconv.Itoa(t.Port)+"\n")); err != nil {
		return nil, fmt.Errorf("writing the port down: %w", err)
	}
	return func() { os.Remove(path) }, nil
}
