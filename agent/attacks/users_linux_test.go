package attacks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
)

const (
	role     = "EIDKIT_ATTACK_TEST" // what a copy of this program is to do
	stranger = 54323                // a user number that nobody has
)

// TestMain lets a copy of this program be another user's.
func TestMain(m *testing.M) {
	if os.Getenv(role) == "" {
		os.Exit(m.Run())
	}
	if err := knock(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// visit is what the other user tries: an address, and what he sends.
type visit struct {
	Network, Address string
	Send             []byte
}

// knock makes the visits that standard input has, and prints what came back.
func knock() error {
	var all []visit
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		return err
	}
	var heard [][]byte
	for _, v := range all {
		c, err := net.Dial(v.Network, v.Address)
		if err != nil {
			return err
		}
		if _, err := c.Write(v.Send); err != nil {
			return err
		}
		b, _ := io.ReadAll(c) // it ends in a close or a reset
		heard = append(heard, b)
		c.Close()
	}
	return json.NewEncoder(os.Stdout).Encode(heard)
}

// TestOtherUserOfTheMachine: another user, with the right Host, the right Origin,
// a token and a launch code that he has got hold of, and the request already sent,
// reaches no card, no page and no line of the log.
func TestOtherUserOfTheMachine(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a second user needs root")
		}
		t.Skip("a second user needs root; CI has it")
	}
	r := newRig(t, openPolicy)
	for _, path := range []string{r.dir, filepath.Dir(r.unix), r.unix} { // as if they were open to all
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	token, _, err := r.auth.Pair("Till", "", []access.Operation{access.OpIdentity})
	if err != nil {
		t.Fatal(err)
	}
	url, err := r.agent.PageURL("viewer")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(url, "#code=")
	_, port, err := net.SplitHostPort(r.address)
	if err != nil {
		t.Fatal(err)
	}
	host := "Host: " + r.address
	with := func(message string, headers ...string) []byte {
		b := append(handshake(headers...), frame(websocket.TextMessage, []byte(message))...)
		return append(b, frame(websocket.CloseMessage, []byte{3, 0xE8})...) // where it was let in, it leaves again
	}
	start := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"session.start","params":{"code":%q}}`, code)
	all := []visit{
		{"tcp", r.address, with(readSurname, host, "Origin: "+desk1)},
		{"tcp", "[::1]:" + port, with(readSurname, "Host: [::1]:"+port, "Origin: "+desk1)},
		{"tcp", r.address, with(readSurname, host, "Authorization: Bearer "+token)},
		{"tcp", r.address, with(start, host, "Origin: http://"+r.address)},
		{"tcp", r.address, []byte("GET /healthz HTTP/1.1\r\n" + host + "\r\n\r\n")},
		{"unix", r.unix, with(readSurname, host, "Origin: "+desk1)},
		{"unix", r.unix, with(readSurname, host, "Authorization: Bearer "+token)},
		{"unix", r.unix, with(`{"jsonrpc":"2.0","id":1,"method":"page.open","params":{"page":"viewer"}}`, host)},
		{"unix", r.unix, []byte("GET /metrics HTTP/1.1\r\n" + host + "\r\n\r\n")},
	}
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env, cmd.Dir, cmd.Stdin = []string{role + "=knock"}, "/", bytes.NewReader(in)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger, NoSetGroups: true}}
	out, err := cmd.CombinedOutput()
	var heard [][]byte
	if bad := json.Unmarshal(out, &heard); err != nil || bad != nil || len(heard) != len(all) {
		t.Fatalf("%v, %v: %s", err, bad, out)
	}
	for i, b := range heard {
		if !bytes.HasPrefix(b, []byte("HTTP/1.1 403 ")) || bytes.Contains(b, []byte("result")) {
			t.Errorf("visit %d heard %q", i, b)
		}
	}
	untouched(t, r.card)
	r.wantNothingLogged(t)
	// The code is not used up: the user himself, for whom it is, opens his page.
	mine := r.site(t, "http://"+r.address)
	mine.must("session.start", m{"code": code})
}
