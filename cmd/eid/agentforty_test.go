//go:build soak && linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/broker"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

const (
	fortyUsers  = 40
	firstUser   = 35000
	fortyRounds = 5
	fortySite   = "https://portal.example"
)

// user is one of the forty, with an agent and a card of his own.
type user struct {
	id     int
	home   string
	holder cardHolder
	token  string
	agent  *process
}

// TestSoakFortyAgents: forty users with whole agents behind the one port. Nobody ever sees another's card, token or agent.
func TestSoakFortyAgents(t *testing.T) {
	needRoot(t)
	dir, err := os.MkdirTemp("", "eidkit-forty")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	registry, address := fortyBroker(t, dir)
	policy := filepath.Join(dir, "policy.toml")
	text := fmt.Sprintf("[[site]]\norigin = %q\noperations = [\"login\"]\n[[program]]\nname = \"Till\"\noperations = [\"identity\"]\nfields = [\"nationalNumber\"]\n", fortySite)
	if err := os.WriteFile(policy, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	users := make([]*user, fortyUsers)
	for i := range users {
		users[i] = newUser(t, dir, firstUser+i)
		users[i].start(t, simulationOptions{Port: protocol.Port, Registry: registry, Policy: policy, Cards: map[string]string{"Reader": cardOf(firstUser + i)}})
	}
	sim, err := simulatedCard(cardOf(firstUser))
	if err != nil {
		t.Fatal(err)
	}
	o := weblogin.Options{Origin: fortySite, Anchors: &verify.Anchors{}, Mode: weblogin.SkipRevocation}
	o.Anchors.Add(sim.Root())
	o.Intermediates = append(o.Intermediates, sim.PKI().CitizenCA.Certificate)
	var all sync.WaitGroup
	for i, u := range users {
		v := visit{Address: address, Token: u.token, Foreign: users[(i+1)%fortyUsers].token, Origin: fortySite, Rounds: fortyRounds}
		all.Go(func() { u.check(t, v, o) })
	}
	all.Wait()
	stranger := newUser(t, dir, firstUser+fortyUsers) // without an agent
	if s := stranger.visit(t, visit{Address: address, Token: users[0].token}); s.Refused != http.StatusServiceUnavailable || s.Numbers != nil {
		t.Errorf("a user without an agent: %+v", s)
	}
	// An agent that was killed takes nobody else's place, and nobody takes its.
	users[0].agent.kill()
	if s := users[0].visit(t, visit{Address: address, Token: users[0].token}); s.Refused != http.StatusServiceUnavailable {
		t.Errorf("after his agent was killed: %+v", s)
	}
}

// fortyBroker owns a port for all of them.
func fortyBroker(t *testing.T, dir string) (registry, address string) {
	t.Helper()
	b, err := broker.New(broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	registry = filepath.Join(dir, "broker.sock")
	agents, err := broker.ListenUnix(registry)
	if err != nil {
		t.Fatal(err)
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx, agents, port) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return registry, port.Addr().String()
}

func cardOf(id int) string { return fmt.Sprintf("citizen-1.8#%d", id) }

// newUser has folders and a paired program; his card is made.
func newUser(t *testing.T, dir string, id int) *user {
	t.Helper()
	u := &user{id: id, home: filepath.Join(dir, fmt.Sprint(id)), holder: holderOf(t, cardOf(id))}
	for _, name := range append([]string{""}, userFolders...) {
		if err := os.Mkdir(filepath.Join(u.home, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	authority, err := access.Open(access.Options{StateDir: filepath.Join(u.home, "state", "eidkit"), PolicyPath: filepath.Join(dir, "none")})
	if err != nil {
		t.Fatal(err)
	}
	if u.token, _, err = authority.Pair("Till", "", []access.Operation{access.OpIdentity}); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(u.home, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, id, id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

var userFolders = []string{"state", "run", "config", "cache"}

// as makes the command this user's. The link in /proc can be run whatever the folders above the program say.
func (u *user) as(t *testing.T, o simulationOptions) *exec.Cmd {
	b, err := json.Marshal(o)
	if err != nil {
		t.Error(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Dir = u.home
	cmd.Env = []string{envSimulation + "=" + string(b), "HOME=" + u.home, "USER=" + fmt.Sprint(u.id), "XDG_STATE_HOME=" + filepath.Join(u.home, "state"),
		"XDG_RUNTIME_DIR=" + filepath.Join(u.home, "run"), "XDG_CONFIG_HOME=" + filepath.Join(u.home, "config"), "XDG_CACHE_HOME=" + filepath.Join(u.home, "cache")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.id), Gid: uint32(u.id), NoSetGroups: true}}
	return cmd
}

func (u *user) start(t *testing.T, o simulationOptions) {
	t.Helper()
	var err error
	if u.agent, err = launch(u.as(t, o)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if said := u.agent.kill(); t.Failed() {
			t.Logf("the agent of %d said: %s", u.id, tail(said, 500))
		}
	})
	if u.agent.address != "" {
		t.Fatalf("the agent of %d has the port %s of its own", u.id, u.agent.address)
	}
}

// visit has the user's client do it.
func (u *user) visit(t *testing.T, v visit) (s seen) {
	out, err := u.as(t, simulationOptions{Visit: &v}).Output()
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil || s.Error != "" {
		t.Errorf("the client of %d: %v %s", u.id, err, s.Error)
	}
	return s
}

// check visits, and looks whose card and tokens came of it.
func (u *user) check(t *testing.T, v visit, o weblogin.Options) {
	s := u.visit(t, v)
	if s.Refused != 0 || len(s.Numbers) != v.Rounds || len(s.Tokens) != v.Rounds || s.Foreign != http.StatusUnauthorized {
		t.Errorf("%d: %+v", u.id, s)
	}
	for _, number := range s.Numbers {
		if number != u.holder.number {
			t.Errorf("%d, whose card is %s's, read that of %s", u.id, u.holder.number, number)
		}
	}
	for _, l := range s.Tokens {
		if who, err := weblogin.Validate(t.Context(), l.Token, l.Nonce, o); err != nil || who.NISS != u.holder.number {
			t.Errorf("%d logged in as %+v: %v", u.id, who, err)
		}
	}
}
