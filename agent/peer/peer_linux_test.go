package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	role     = "EIDKIT_PEER_TEST" // what a copy of this program is to do
	stranger = 54321              // a user number that nobody has
)

func TestMain(m *testing.M) {
	if what := os.Getenv(role); what != "" {
		if err := play(what, os.Args[1]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// play connects or listens as another user, and stays till standard input ends.
func play(what, address string) error {
	switch what {
	case "tcp", "unix":
		c, err := net.Dial(what, address)
		if err != nil {
			return err
		}
		defer c.Close()
	case "listen":
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		defer l.Close()
		address = l.Addr().String()
	}
	fmt.Println(address)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// as runs a copy of this program as the stranger, and returns what it prints first.
func as(t *testing.T, what, address string) string {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a second user needs root")
		}
		t.Skip("a second user needs root; CI has it")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", address)
	cmd.Env = []string{role + "=" + what}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger, NoSetGroups: true}}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line[:len(line)-1]
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// pair is a connection within this process, by addresses of its own.
func pair(t *testing.T, network, address, dialled string) (server, client net.Conn) {
	t.Helper()
	l := listen(t, network, address)
	if t, ok := l.Addr().(*net.TCPAddr); ok {
		dialled = net.JoinHostPort(dialled, strconv.Itoa(t.Port))
	}
	client, err := net.Dial(network, dialled)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return accept(t, l), client
}

func TestOwnUser(t *testing.T) {
	t.Parallel()
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	if self.User != strconv.Itoa(os.Getuid()) || self.PID != os.Getpid() || self.Executable == "" {
		t.Errorf("Self: %+v", self)
	}
	for _, test := range []struct{ network, listen, dial string }{
		{"tcp6", "[::1]:0", "::1"},
		{"tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"tcp", "[::]:0", "127.0.0.1"}, // an IPv6 socket that speaks IPv4
	} {
		server, client := pair(t, test.network, test.listen, test.dial)
		p, err := OfTCP(server.LocalAddr(), server.RemoteAddr())
		if err != nil || !p.Same(self) || p.Name != self.Name {
			t.Errorf("%v: %+v, %v", test, p, err)
		}
		if p, err := OfTCP(client.LocalAddr(), client.RemoteAddr()); err != nil || !p.Same(self) { // and the other way
			t.Errorf("%v, from the client: %+v, %v", test, p, err)
		}
	}
	path := filepath.Join(t.TempDir(), "s")
	server, _ := pair(t, "unix", path, path)
	p, err := OfUnix(server.(*net.UnixConn))
	if err != nil || !p.Same(self) || p.PID != os.Getpid() || p.Executable != self.Executable {
		t.Errorf("unix: %+v, %v", p, err)
	}
}

func TestOtherUser(t *testing.T) {
	t.Parallel()
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l := listen(t, "tcp", address)
		as(t, "tcp", l.Addr().String())
		c := accept(t, l)
		p, err := OfTCP(c.LocalAddr(), c.RemoteAddr())
		if err != nil || p.User != strconv.Itoa(stranger) || p.Same(self) {
			t.Errorf("%s: %+v, %v", address, p, err)
		}
	}
	dir, err := os.MkdirTemp("", "eidkit-peer-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l := listen(t, "unix", path)
	for _, f := range []string{dir, path} {
		if err := os.Chmod(f, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	as(t, "unix", path)
	p, err := OfUnix(accept(t, l).(*net.UnixConn))
	if err != nil || p.User != strconv.Itoa(stranger) || p.Same(self) {
		t.Errorf("unix: %+v, %v", p, err)
	}
}

// TestNobody: a connection that is over, or never was, has no user, although the
// kernel answers such a look-up with the listener, or with user 0.
func TestNobody(t *testing.T) {
	t.Parallel()
	server, client := pair(t, "tcp4", "127.0.0.1:0", "127.0.0.1")
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) { // the end has come through
		t.Fatal(err)
	}
	if p, err := OfTCP(server.LocalAddr(), server.RemoteAddr()); !errors.Is(err, ErrNobody) {
		t.Errorf("a closed one: %+v, %v", p, err)
	}
	l := listen(t, "tcp4", "127.0.0.1:0")
	here := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}
	if p, err := OfTCP(here, l.Addr()); !errors.Is(err, ErrNobody) {
		t.Errorf("a listener: %+v, %v", p, err)
	}
	away := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9}
	if p, err := OfTCP(here, away); !errors.Is(err, ErrRemote) {
		t.Errorf("another machine: %+v, %v", p, err)
	}
	if p, err := OfTCP(&net.UnixAddr{}, here); err == nil {
		t.Errorf("no TCP: %+v", p)
	}
	if (Peer{}).Same(Peer{}) {
		t.Error("nobody is somebody")
	}
}

func TestListener(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0"} {
		l := listen(t, "tcp", address)
		p, err := Listener(l.Addr().(*net.TCPAddr).Port)
		if err != nil || p.PID != os.Getpid() || p.User != strconv.Itoa(os.Getuid()) {
			t.Errorf("%s: %+v, %v", address, p, err)
		}
	}
	other, err := netip.ParseAddrPort(as(t, "listen", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := Listener(int(other.Port())); err != nil || p.User != strconv.Itoa(stranger) {
		t.Errorf("another user's: %+v, %v", p, err)
	}
	var nobody error
	for range 1000 { // a program that is being started has a copy of the socket till it runs, and a free port may be taken at once
		l := listen(t, "tcp", "127.0.0.1:0")
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if _, nobody = Listener(port); errors.Is(nobody, ErrNobody) {
			break
		}
	}
	if !errors.Is(nobody, ErrNobody) {
		t.Errorf("nobody: %v", nobody)
	}
	for _, port := range []int{-1, 0, 65536} {
		if p, err := Listener(port); err == nil {
			t.Errorf("port %d: %+v", port, p)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Peer{
		"jan":                              {User: "1000", Name: "jan"},
		"user 1000":                        {User: "1000"},
		"jan (process 12)":                 {User: "1000", Name: "jan", PID: 12},
		"jan (/usr/bin/nginx, process 12)": {User: "1000", Name: "jan", PID: 12, Executable: "/usr/bin/nginx"},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzParse: whatever the kernel says, it is read or refused.
func FuzzParse(f *testing.F) {
	here, there := netip.MustParseAddrPort("127.0.0.1:24340"), netip.MustParseAddrPort("127.0.0.1:50000")
	f.Add(request(here, there, 0))
	found := make([]byte, unix.NLMSG_HDRLEN+answerLen)
	binary.NativeEndian.PutUint32(found, uint32(len(found)))
	binary.NativeEndian.PutUint16(found[4:], sockDiagByFamily)
	found[unix.NLMSG_HDRLEN] = unix.AF_INET
	found[unix.NLMSG_HDRLEN+1] = stateEstablished
	f.Add(found)
	f.Add(append(found, found...))
	if s, _, err := parse(found); err != nil || len(s) != 1 || s[0].state != stateEstablished {
		f.Fatalf("the seed is %+v, %v", s, err)
	}
	refused := make([]byte, unix.NLMSG_HDRLEN+4)
	binary.NativeEndian.PutUint32(refused, uint32(len(refused)))
	binary.NativeEndian.PutUint16(refused[4:], unix.NLMSG_ERROR)
	f.Add(refused)
	f.Fuzz(func(t *testing.T, b []byte) {
		found, _, err := parse(b)
		if len(found) > len(b)/answerLen {
			t.Errorf("%d sockets of %d bytes, %v", len(found), len(b), err)
		}
	})
}
