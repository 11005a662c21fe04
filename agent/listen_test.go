package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/dial"
)

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func TestListen(t *testing.T) {
	t.Parallel()
	all, err := Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		defer l.Close()
		if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() || portOf(l) != portOf(all[0]) {
			t.Errorf("listening at %v", l.Addr())
		}
	}
	if len(all) != 2 {
		t.Errorf("%d addresses", len(all))
	}
	_, err = Listen(t.Context(), portOf(all[0]))
	var taken *PortError
	if !errors.As(err, &taken) || taken.By.PID != os.Getpid() || !strings.Contains(err.Error(), "port "+strconv.Itoa(portOf(all[0]))+" is taken by ") ||
		!strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("a port that is taken: %v", err)
	}
}

// TestHalfTaken: where somebody has one of the two addresses, the agent is on
// neither.
func TestHalfTaken(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"[::1]:0", "127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all, err := Listen(t.Context(), portOf(l))
		var taken *PortError
		if !errors.As(err, &taken) {
			t.Errorf("%s is taken: %v, %v", address, all, err)
		}
		if strings.HasPrefix(address, "[::1]") { // the half that was free is free again
			half, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(portOf(l)))
			if err != nil {
				t.Fatal(err)
			}
			half.Close()
		}
	}
}

func TestListenUnix(t *testing.T) {
	t.Parallel()
	base, err := os.MkdirTemp("", "eidkit-agent-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	dir := filepath.Join(base, "run")
	l, err := ListenUnix(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, dial.SocketPath(dir): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if _, err := ListenUnix(t.Context(), dir); !errors.Is(err, ErrRunning) {
		t.Errorf("a second agent: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // it died
	l.Close()
	if l, err = ListenUnix(t.Context(), dir); err != nil {
		t.Fatalf("after one that died: %v", err)
	}
	l.Close()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), dir); err == nil {
		t.Error("a folder for everybody")
	}
	link := filepath.Join(base, "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), link); err == nil {
		t.Error("somebody's link")
	}
}

func TestWritePort(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	all, err := Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		defer l.Close()
	}
	remove, err := WritePort(dir, all[0])
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(dial.PortPath(dir))
	if err != nil || strings.TrimSpace(string(b)) != strconv.Itoa(portOf(all[0])) {
		t.Errorf("the file has %q, %v", b, err)
	}
	remove()
	if _, err := os.Stat(dial.PortPath(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

func TestInstallationKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, err := installationKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := installationKey(dir)
	if err != nil || !key.Equal(again) {
		t.Errorf("the next start has another key, %v", err)
	}
	path := filepath.Join(dir, keyFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for name, spoil := range map[string]func() error{
		"for others to read": func() error { return os.Chmod(path, 0o644) },
		"no key":             func() error { return os.WriteFile(path, []byte("abc\n"), 0o600) },
		"a link": func() error {
			return errors.Join(os.Rename(path, path+".x"), os.Symlink(path+".x", path))
		},
	} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := installationKey(dir); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDial: who connects hears why he cannot.
func TestDial(t *testing.T) {
	t.Parallel()
	if _, err := dial.Unix(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, dial.ErrAbsent) {
		t.Errorf("no socket: %v", err)
	}
	// A port that no program picks by itself, as one that was just closed could be.
	if _, err := dial.Loopback(t.Context(), "127.0.0.1:1", ""); !errors.Is(err, dial.ErrAbsent) {
		t.Errorf("no port: %v", err)
	}
	r := newRig(t, nil)
	var refused *dial.HandshakeError
	if _, err := dial.Loopback(t.Context(), r.address, "x"); !errors.As(err, &refused) || refused.Status != 401 {
		t.Errorf("a wrong token: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := r.program(t)
	go func() {
		<-r.held
		cancel()
	}()
	if err := c.Call(ctx, "sign.document", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that is given up: %v", err)
	}
	if err := <-r.gone; err == nil { // the agent has heard of it
		t.Error("no cause")
	}
	c.Close()
	if err := c.Call(t.Context(), "agent.info", nil, nil); !errors.Is(err, dial.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}
