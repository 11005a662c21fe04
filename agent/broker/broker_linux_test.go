package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/eidkit/eidkit/agent/peer"
)

// role is what a copy of this test program does as another user.
const role = "EIDKIT_BROKER_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "agent":
		asAgent(os.Args[1])
	case "client":
		asClient(os.Args[1])
	default:
		os.Exit(m.Run())
	}
}

// asAgent answers each connection with its user, unless it is another user's.
func asAgent(path string) {
	l, err := register(path, func(string) error { return nil })
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("registered")
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		who, err := peer.OfTCP(c.LocalAddr(), c.RemoteAddr())
		if err != nil || who.User != strconv.Itoa(os.Getuid()) {
			fmt.Fprintf(c, "CROSSED: %v %v\n", who, err)
		}
		fmt.Fprintf(c, "%d\n", os.Getuid())
		c.Close()
	}
}

// asClient connects many times and prints every answer that is not of its user.
func asClient(address string) {
	for range 25 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		b, err := io.ReadAll(c)
		c.Close()
		if answer := strings.TrimSpace(string(b)); err != nil || answer != strconv.Itoa(os.Getuid()) {
			fmt.Printf("user %d heard %q, %v\n", os.Getuid(), answer, err)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}

// as runs a copy of this program in a role, as a user. The link in /proc can be run whatever the folders above say.
func as(ctx context.Context, uid int, what, arg string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", arg)
	cmd.Env = []string{role + "=" + what}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), NoSetGroups: true}}
	cmd.Stderr = os.Stderr
	return cmd
}

// machine is a broker with its port.
type machine struct {
	path, address string
	stop          context.CancelFunc
	done          chan error
}

func newMachine(t *testing.T, path string, o Options) *machine {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	agents, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{path: path, address: clients.Addr().String(), done: make(chan error, 1)}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(t.Context())
	go func() { m.done <- b.Serve(ctx, agents, clients) }()
	t.Cleanup(func() { m.stop() })
	return m
}

// folder is one that every user can reach.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "eidkit-broker")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFortyUsers: on one machine, with real user numbers, nobody ever hears another one's agent.
func TestFortyUsers(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs root to be several users")
		}
		t.Skip("needs root to be several users")
	}
	m := newMachine(t, filepath.Join(folder(t), "broker.sock"), Options{})
	const users, first = 40, 34000
	for i := range users {
		cmd := as(t.Context(), first+i, "agent", m.path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "registered\n" {
			t.Fatalf("agent of %d: %q, %v", first+i, line, err)
		}
	}
	var wg sync.WaitGroup
	for i := range users {
		wg.Go(func() {
			if out, err := as(t.Context(), first+i, "client", m.address).Output(); err != nil || string(out) != "ok\n" {
				t.Errorf("%s%v", out, err)
			}
		})
	}
	wg.Wait()
	// A user without an agent gets nobody else's.
	out, err := as(t.Context(), first+users, "client", m.address).Output()
	if err == nil || !strings.Contains(string(out), "503") || !strings.Contains(string(out), "eid agent") {
		t.Errorf("without an agent: %s %v", out, err)
	}
}

// answer serves one connection of the listener with a word.
func answer(l *Listener, word string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprint(c, word)
		c.Close()
	}
}

func ask(t *testing.T, address string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func anyFolder(string) error { return nil }

// TestNewestAgent: the one started last gets the connections, and the one before gets them back; a broker that comes back is found again.
func TestNewestAgent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "broker.sock")
	m := newMachine(t, path, Options{})
	one, err := register(path, anyFolder)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	go answer(one, "one")
	two, err := register(path, anyFolder)
	if err != nil {
		t.Fatal(err)
	}
	go answer(two, "two")
	if got := ask(t, m.address); got != "two" {
		t.Errorf("got %q", got)
	}
	two.mu.Lock()
	copied, err := two.conn.File() // as a program has that is being started
	two.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	two.Close()
	if got := ask(t, m.address); got != "one" {
		t.Errorf("after closing the newest: %q", got)
	}
	m.stop()
	if err := <-m.done; err != nil {
		t.Fatal(err)
	}
	back := newMachine(t, path, Options{})
	var got string
	for got = ask(t, back.address); strings.Contains(got, "503"); got = ask(t, back.address) {
		if t.Context().Err() != nil {
			break
		}
	}
	if got != "one" {
		t.Errorf("after the broker came back: %q", got)
	}
}

func TestUnknownPeer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "broker.sock")
	m := newMachine(t, path, Options{Lookup: func(net.Addr, net.Addr) (peer.Peer, error) { return peer.Peer{}, peer.ErrNobody }})
	l, err := register(path, anyFolder)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go answer(l, "handed over")
	if got := ask(t, m.address); !strings.Contains(got, "403") {
		t.Errorf("a peer that nobody knows: %q", got)
	}
}

// TestImpostor: a socket that another user could have put there is not used, and none at all is told apart from it.
func TestImpostor(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if _, err := Register(filepath.Join(dir, "absent", "broker.sock")); !errors.Is(err, ErrAbsent) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	newMachine(t, filepath.Join(dir, "broker.sock"), Options{})
	if _, err := Register(filepath.Join(dir, "broker.sock")); !errors.Is(err, ErrImpostor) {
		t.Errorf("a folder that all may write: %v", err)
	}
}

// crowded is a listener that has no room at first.
type crowded struct {
	net.Listener
	errs chan error
}

func (c *crowded) Accept() (net.Conn, error) {
	select {
	case err := <-c.errs:
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
	default:
		return c.Listener.Accept()
	}
}

// TestNoRoom: a broker that has no room for a connection goes on; one whose
// listener fails ends, also when agents are registered.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "broker.sock")
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	agents, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clients := &crowded{tcp, make(chan error, 3)}
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED} {
		clients.errs <- e
	}
	done := make(chan error, 1)
	go func() { done <- b.Serve(t.Context(), agents, clients) }()
	one, err := register(path, anyFolder)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	go answer(one, "one")
	if got := ask(t, tcp.Addr().String()); got != "one" {
		t.Errorf("got %q", got)
	}
	agents.Close()
	if err := <-done; err == nil {
		t.Error("a listener failed, and nobody hears of it")
	}
}

// TestNonsense: an agent takes nothing but TCP connections, and survives what else is sent.
func TestNonsense(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "broker.sock")
	fake, err := ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	go func() {
		c, err := fake.AcceptUnix()
		if err != nil {
			return
		}
		defer c.Close()
		c.Write([]byte{hello})
		c.Write([]byte("nothing along"))
		null, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		defer null.Close()
		c.WriteMsgUnix([]byte{connection}, syscall.UnixRights(int(null.Fd())), nil)
		c.WriteMsgUnix([]byte{connection}, syscall.UnixRights(int(null.Fd()), int(null.Fd())), nil)
		real, err := tcp.Accept()
		if err != nil {
			return
		}
		defer real.Close()
		_ = pass(c, real)
	}()
	l, err := register(path, anyFolder)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go answer(l, "one")
	if got := ask(t, tcp.Addr().String()); got != "one" {
		t.Errorf("got %q", got)
	}
}
