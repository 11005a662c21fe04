package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/eidkit/eidkit/agent/peer"
)

// What one machine can have, and one user.
const (
	maxAgents  = 4096
	maxPerUser = 8
	handover   = time.Second // till an agent has taken a connection
)

// Broker hands connections to agents.
type Broker struct {
	log    *slog.Logger
	lookup func(local, remote net.Addr) (peer.Peer, error)

	mu     sync.Mutex
	closed bool
	total  int
	agents map[string][]*net.UnixConn // by user, the newest last
}

// New makes a broker that knows no agents.
func New(o Options) (*Broker, error) {
	b := &Broker{log: o.Log, lookup: o.Lookup, agents: map[string][]*net.UnixConn{}}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.lookup == nil {
		b.lookup = peer.OfTCP
	}
	return b, nil
}

// ListenUnix opens the socket for agents, where every user may connect.
func ListenUnix(path string) (*net.UnixListener, error) {
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("listening for agents: %w", err)
	}
	if err := syscall.Chmod(path, 0o666); err != nil {
		l.Close()
		return nil, fmt.Errorf("listening for agents: %w", err)
	}
	return l, nil
}

// Serve takes agents on one listener and connections on the others until ctx
// ends (nil) or one of them fails. It closes them.
func (b *Broker) Serve(ctx context.Context, agents *net.UnixListener, clients ...net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, l := range clients {
		wg.Go(func() { cancel(b.accept(ctx, &wg, l, b.hand)) })
	}
	wg.Go(func() { cancel(b.accept(ctx, &wg, agents, func(c net.Conn) { b.register(c.(*net.UnixConn)) })) })
	<-ctx.Done()
	agents.Close()
	for _, l := range clients {
		l.Close()
	}
	b.mu.Lock()
	b.closed = true
	for _, list := range b.agents {
		for _, c := range list {
			c.Close()
		}
	}
	b.mu.Unlock()
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// accept calls f for every connection, each in a goroutine of wg, till the
// listener fails or ctx ends. That there is no room for a connection is no failure:
// any user could end the broker so, for all.
func (b *Broker) accept(ctx context.Context, wg *sync.WaitGroup, l net.Listener, f func(net.Conn)) error {
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			wg.Go(func() { f(c) })
		case noRoom(err):
			b.log.Warn("no connection can be taken now", "reason", err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		default:
			return fmt.Errorf("accepting connections: %w", err)
		}
	}
}

// pause is how long the broker waits for room.
const pause = 100 * time.Millisecond

// noRoom tells whether an error of accept(2) passes.
func noRoom(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED},
		func(e error) bool { return errors.Is(err, e) })
}

// register keeps an agent till it closes its connection. What it sends is of no
// interest.
func (b *Broker) register(c *net.UnixConn) {
	defer c.Close()
	who, err := peer.OfUnix(c)
	if err != nil {
		b.log.Warn("agent refused", "reason", err)
		return
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	if b.total >= maxAgents || len(b.agents[who.User]) >= maxPerUser {
		b.mu.Unlock()
		b.log.Warn("agent refused", "user", who.User, "reason", "too many agents")
		return
	}
	b.total++
	b.agents[who.User] = append(b.agents[who.User], c)
	b.mu.Unlock()
	b.log.Info("agent registered", "user", who.User)
	defer b.forget(who.User, c)
	if _, err := c.Write([]byte{hello}); err != nil {
		return
	}
	var ignored [1]byte
	for {
		if _, err := c.Read(ignored[:]); err != nil {
			return
		}
	}
}

// hello tells an agent that it is known, connection that one comes along.
const (
	hello      = 'h'
	connection = 'c'
)

func (b *Broker) forget(user string, c *net.UnixConn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, have := range b.agents[user] {
		if have == c {
			b.agents[user] = append(b.agents[user][:i:i], b.agents[user][i+1:]...)
			b.total--
			b.log.Info("agent gone", "user", user)
		}
	}
	if len(b.agents[user]) == 0 {
		delete(b.agents, user)
	}
}

// newest is the agent that a user started last.
func (b *Broker) newest(user string) *net.UnixConn {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.agents[user]
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// hand gives a connection to the agent of whoever is at its other end.
func (b *Broker) hand(c net.Conn) {
	defer c.Close() // the agent has its own copy
	who, err := b.lookup(c.LocalAddr(), c.RemoteAddr())
	if err != nil {
		b.log.Warn("connection refused", "reason", err)
		decline(c, "403 Forbidden", "nobody knows whose program this is")
		return
	}
	for {
		agent := b.newest(who.User)
		if agent == nil {
			b.log.Info("connection without an agent", "user", who.User)
			decline(c, "503 Service Unavailable", "no eidkit agent of this user is running: start it with: eid agent")
			return
		}
		if err := pass(agent, c); err == nil {
			return
		}
		agent.Close() // register then forgets it
		b.forget(who.User, agent)
	}
}

// pass sends the connection's descriptor.
func pass(agent *net.UnixConn, c net.Conn) error {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return errors.New("not a TCP connection")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) {
		if sent = agent.SetWriteDeadline(time.Now().Add(handover)); sent == nil {
			_, _, sent = agent.WriteMsgUnix([]byte{connection}, syscall.UnixRights(int(fd)), nil)
		}
	})
	return errors.Join(err, sent)
}

// decline answers without having read a request.
func decline(c net.Conn, status, why string) {
	if c.SetWriteDeadline(time.Now().Add(handover)) == nil {
		fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n", status, len(why)+1, why)
	}
}
