package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	role     = "EIDKIT_AGENT_TEST" // what a copy of this program is to do
	stranger = 54322               // a user number that nobody has
)

// TestMain lets a copy of this program be another user's, or one that systemd starts.
func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "ask":
		if err := knock(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "activated":
		showActivated()
	case "hardened":
		showHardened()
	case "serve":
		if err := serveAlone(os.Args[1]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// try is a request by hand.
type try struct{ Name, Network, Address, Send, Want string }

// knock sends the requests that standard input has, and prints the first line of
// each answer.
func knock() error {
	var all []try
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		return err
	}
	for _, k := range all {
		c, err := net.Dial(k.Network, k.Address)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c, k.Send); err != nil {
			return err
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		c.Close()
		if err != nil {
			return err
		}
		fmt.Print(line)
	}
	return nil
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a second user needs root")
		}
		t.Skip("a second user needs root; CI has it")
	}
}

// TestOtherUser: another user of the machine, with everything else right, gets
// nothing: no connection, no page, not even that the agent is well.
func TestOtherUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	r := newRig(t, nil)
	if err := os.Chmod(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Dir(r.unix), r.unix} { // as if they were open to all
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	handshake := func(h http.Header) string {
		var b strings.Builder
		b.WriteString("GET /v1 HTTP/1.1\r\n")
		if err := h.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String() + "\r\n"
	}
	token := r.token()
	all := []try{
		{"a site", "tcp", r.address, handshake(r.headers()), "403"},
		{"IPv6", "tcp", "[::1]:" + r.port, handshake(r.headers("Host", "[::1]:"+r.port)), "403"},
		{"a token", "tcp", r.address, handshake(r.headers("Origin", "-", "Authorization", "Bearer "+token)), "403"},
		{"an own page", "tcp", r.address, handshake(r.headers("Origin", "http://"+r.address)), "403"},
		{"health", "tcp", r.address, "GET /healthz HTTP/1.1\r\nHost: " + r.address + "\r\n\r\n", "403"},
		{"a page", "tcp", r.address, "GET / HTTP/1.1\r\nHost: " + r.address + "\r\n\r\n", "403"},
		{"what there is", "tcp", r.address, "OPTIONS * HTTP/1.1\r\nHost: " + r.address + "\r\n\r\n", "403"},
		{"a wrong name", "tcp", r.address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "421"}, // Host comes first
		{"the socket", "unix", r.unix, handshake(r.headers("Origin", "-")), "403"},
		{"the figures", "unix", r.unix, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "403"},
	}
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{role + "=ask"}
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(in)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger, NoSetGroups: true}}
	out, err := cmd.CombinedOutput()
	lines := strings.Split(string(out), "\n")
	if err != nil || len(lines) != len(all)+1 {
		t.Fatalf("%s, %v", out, err)
	}
	for i, k := range all {
		if !strings.HasPrefix(lines[i], "HTTP/1.1 "+k.Want) {
			t.Errorf("%s: %q", k.Name, lines[i])
		}
	}
	r.nothingRan(t)
	if !strings.Contains(r.log.String(), "reason=user") || !strings.Contains(r.log.String(), "user="+strconv.Itoa(stranger)) {
		t.Errorf("the log is %s", r.log)
	}
}

// startActivated starts a copy of this program with descriptors from 3 on, in the way of systemd.
func startActivated(t *testing.T, files []*os.File, fds string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "export LISTEN_PID=$$; exec /proc/"+strconv.Itoa(os.Getpid())+"/exe")
	cmd.Env = []string{role + "=activated", "LISTEN_FDS=" + fds}
	cmd.ExtraFiles = files
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return string(out)
}

func showActivated() {
	all, err := Activated()
	fmt.Println(len(all), err, os.Getenv("LISTEN_FDS"))
	for _, l := range all {
		fmt.Println(l.Addr())
	}
}

func file(t *testing.T, l interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestActivated(t *testing.T) {
	t.Parallel()
	listen := func(network, address string) net.Listener {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	dir, err := os.MkdirTemp("", "eidkit-agent-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	tcp, socket := listen("tcp", "127.0.0.1:0"), listen("unix", filepath.Join(dir, "s"))
	good := []*os.File{file(t, tcp.(*net.TCPListener)), file(t, socket.(*net.UnixListener))}
	if got, want := startActivated(t, good, "2"), "2 <nil> \n"+tcp.Addr().String()+"\n"+socket.Addr().String()+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	public := listen("tcp", "0.0.0.0:0")
	if got := startActivated(t, []*os.File{good[0], file(t, public.(*net.TCPListener))}, "2"); !strings.Contains(got, "0 socket 4 of systemd: ") {
		t.Errorf("a socket for all machines: %q", got)
	}
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if got := startActivated(t, []*os.File{plain}, "1"); !strings.Contains(got, "0 socket 3 of systemd: ") {
		t.Errorf("no socket: %q", got)
	}
	for _, n := range []string{"1000"} {
		if got := startActivated(t, good, n); !strings.Contains(got, "LISTEN_FDS") {
			t.Errorf("%q sockets: %q", n, got)
		}
	}
}

func showHardened() {
	if err := Harden(); err != nil {
		fmt.Println(err)
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	var core unix.Rlimit
	fmt.Println(dumpable, err, unix.Getrlimit(unix.RLIMIT_CORE, &core), core.Cur, core.Max)
}

func TestHarden(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{role + "=hardened"}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "0 <nil> <nil> 0 0\n" {
		t.Errorf("%q, %v", out, err)
	}
}
