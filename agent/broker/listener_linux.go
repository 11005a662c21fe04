package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/eidkit/eidkit/internal/sysfile"
)

// How long a Listener waits before it asks a broker that is gone again: doubling,
// between these.
const (
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// Listener gives an agent the connections of its user's programs. A broker that
// stops is waited for.
type Listener struct {
	path   string
	system func(path string) error
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex
	conn *net.UnixConn
}

// Register makes this process an agent of the broker at path, for the user that
// the process is run by. ErrAbsent: there is none. ErrImpostor: it is not to be
// trusted with the user's connections.
func Register(path string) (*Listener, error) { return register(path, checkSystem) }

func register(path string, system func(string) error) (*Listener, error) {
	l := &Listener{path: path, system: system}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	conn, err := l.dial()
	if err != nil {
		l.cancel()
		return nil, err
	}
	l.conn = conn
	return l, nil
}

// checkSystem wants the socket where root alone can put it.
func checkSystem(path string) error {
	err := sysfile.Folder(filepath.Dir(path), 0)
	if errors.Is(err, sysfile.ErrOthers) {
		return fmt.Errorf("%w: %w", ErrImpostor, err)
	}
	return err
}

func (l *Listener) dial() (*net.UnixConn, error) {
	err := l.system(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there", ErrAbsent, l.path)
	}
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: l.path, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	var b [1]byte
	err = conn.SetReadDeadline(time.Now().Add(retryMax))
	if err == nil {
		_, err = conn.Read(b[:])
	}
	if err != nil || b[0] != hello {
		conn.Close()
		return nil, fmt.Errorf("%w: the broker took no agent", ErrAbsent)
	}
	return conn, conn.SetReadDeadline(time.Time{})
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	wait := retryMin
	for {
		l.mu.Lock()
		conn := l.conn
		l.mu.Unlock()
		if conn != nil {
			c, err := receive(conn)
			if err == nil {
				return c, nil
			}
			conn.Close()
		}
		timer := time.NewTimer(wait)
		select {
		case <-l.ctx.Done():
			timer.Stop()
			return nil, net.ErrClosed
		case <-timer.C:
		}
		wait = min(2*wait, retryMax)
		conn, err := l.dial()
		if err != nil {
			conn = nil
		} else {
			wait = retryMin
		}
		l.mu.Lock()
		l.conn = conn
		if l.ctx.Err() != nil && conn != nil {
			conn.Close()
		}
		l.mu.Unlock()
	}
}

// receive takes one connection. What comes without one is passed over.
func receive(conn *net.UnixConn) (net.Conn, error) {
	for {
		var b [1]byte
		oob := make([]byte, syscall.CmsgSpace(4))
		n, oobn, _, _, err := conn.ReadMsgUnix(b[:], oob)
		if err != nil {
			return nil, err
		}
		if n == 0 && oobn == 0 {
			return nil, net.ErrClosed // the end of a socket of packets
		}
		messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
		if err != nil || len(messages) != 1 {
			continue
		}
		fds, err := syscall.ParseUnixRights(&messages[0])
		if err != nil || len(fds) != 1 {
			continue
		}
		file := os.NewFile(uintptr(fds[0]), "connection")
		c, err := net.FileConn(file)
		file.Close() // FileConn has its own copy
		if err != nil {
			continue
		}
		if _, ok := c.(*net.TCPConn); !ok {
			c.Close()
			continue
		}
		return c, nil
	}
}

// Close ends the registration. Connections that were taken go on.
func (l *Listener) Close() error {
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		return nil
	}
	// Shut down, so that the broker hears of it now and hands nothing over any more: a program that this process is just starting
	// has a copy of the socket till it runs.
	_ = l.conn.CloseRead()
	_ = l.conn.CloseWrite()
	return l.conn.Close()
}

// Addr is the broker's socket.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unixpacket"} }
