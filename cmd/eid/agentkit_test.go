//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/insurers"
)

// envSimulation has the test program be an agent like `eid agent`, but with simulated readers: it holds a simulationOptions in JSON.
const envSimulation = "EIDKIT_TEST_SIMULATION"

// simulationOptions say what a simulation is like.
type simulationOptions struct {
	Port     uint16
	Registry string // socket of a broker, which then has the port; empty: none
	Policy   string
	Owner    int // of the policy
	Pinentry string
	Cards    map[string]string // by reader: the card in it as simulatedCard names it, empty for none
	Visit    *visit            // be no agent, but a client of one
}

// simulatedReaders are the readers of a simulation. Cards stay the same, with their counters, however often they come and go.
type simulatedReaders struct {
	testcards.System
	readers map[string]*testcards.Reader
	cards   map[string]*testcards.Card
}

// simulatedCard makes the card of that name: a profile with a seed, as in citizen-1.8#7, or a patient of the insurers.
func simulatedCard(name string) (*testcards.Card, error) {
	if patient, ok := strings.CutPrefix(name, patientPrefix); ok {
		for _, p := range insurers.Patients() {
			if p.Name == patient {
				return p.Card("", testcards.Options{})
			}
		}
		return nil, fmt.Errorf("no patient %q", patient)
	}
	profile, number, _ := strings.Cut(name, "#")
	seed, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, err
	}
	return testcards.Open(profile, testcards.Options{Seed: seed})
}

// simulation runs until standard input ends. It obeys lines: insert READER|CARD, remove READER, unplug READER, plug READER, stop, start
// (the service) and tries, each answered by a line of JSON with the PIN tries of all cards so far.
func simulation(options string) int {
	var o simulationOptions
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if o.Visit != nil {
		return o.Visit.run()
	}
	s := &simulatedReaders{readers: map[string]*testcards.Reader{}, cards: map[string]*testcards.Card{}}
	for reader, name := range o.Cards {
		s.readers[reader] = testcards.NewReader(reader, testcards.ReaderOptions{})
		s.AddReader(s.readers[reader])
		if err := s.insert(reader, name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a := &app{streams: streams{strings.NewReader(""), io.Discard, os.Stderr}, lang: "en"}
	log, err := a.agentLog("info")
	if err == nil {
		a.config, err = loadConfig()
	}
	if err == nil {
		go func() {
			defer cancel()
			s.obey(os.Stdin, os.Stdout)
		}()
		f := agentFlags{port: o.Port, registry: o.Registry, alone: o.Registry == ""}
		err = a.serveAgent(ctx, f, agentParts{system: s, open: s.open, autoPIN: automatic, pinentry: o.Pinentry, policy: o.Policy, policyOwner: o.Owner, log: log})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (s *simulatedReaders) open(name string) card.Reader {
	r, err := s.Reader(name)
	if err != nil {
		return goneReader(name)
	}
	return r
}

func (s *simulatedReaders) insert(reader, name string) error {
	r := s.readers[reader]
	if r == nil {
		return fmt.Errorf("no reader %q", reader)
	}
	if name == "" {
		r.Remove()
		return nil
	}
	if s.cards[name] == nil {
		c, err := simulatedCard(name)
		if err != nil {
			return err
		}
		s.cards[name] = c
	}
	r.Insert(s.cards[name])
	return nil
}

func (s *simulatedReaders) obey(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch word {
		case "insert":
			reader, name, _ := strings.Cut(rest, "|")
			err = s.insert(reader, name)
		case "remove":
			err = s.insert(rest, "")
		case "unplug":
			s.RemoveReader(s.readers[rest])
		case "plug":
			s.AddReader(s.readers[rest])
		case "stop":
			s.Stop()
		case "start":
			s.Start()
		case "tries":
		default:
			err = fmt.Errorf("%q is no command", word)
		}
		tries := map[string]int{}
		for name, c := range s.cards {
			tries[name] = c.PINTries()
		}
		if errors.Join(err, json.NewEncoder(out).Encode(tries)) != nil {
			return
		}
	}
}

// process is an agent in a process of its own.
type process struct {
	*exec.Cmd
	address string // on IPv4; empty: a broker has the port

	in      io.WriteCloser
	answers *bufio.Reader
	said    chan string // at the end: what it wrote on standard error
	ended   bool
	once    string
}

// listening is what an agent says when clients can come, the last of its doors.
var listening = regexp.MustCompile(`msg=listening address=(127\.0\.0\.1:\d+|/\S+broker\.sock)`)

// launch runs the command and returns when it listens.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{Cmd: cmd, said: make(chan string, 1)}
	errs, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = bufio.NewReader(out)
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	there := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines, found := bufio.NewScanner(errs), false; lines.Scan(); {
			fmt.Fprintln(&all, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil && !found {
				there <- m[1]
				found = true
			}
		}
		p.said <- all.String()
	}()
	select {
	case address := <-there:
		if !strings.HasPrefix(address, "/") {
			p.address = address
		}
		return p, nil
	case text := <-p.said:
		return nil, fmt.Errorf("the agent ended: %w\n%s", cmd.Wait(), text)
	}
}

// eidAgent is `eid agent` as a process.
func eidAgent(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{"agent", "--no-broker", "--browser", "none"}, args...)...)
	cmd.Env = append(os.Environ(), envCommand+"=1")
	return cmd
}

// simulatedAgent is a simulation as a process.
func simulatedAgent(o simulationOptions) (*exec.Cmd, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envSimulation+"="+string(b))
	return cmd, nil
}

// obey sends a simulation a line and returns the PIN tries of its cards.
func (p *process) obey(line string) (map[string]int, error) {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return nil, err
	}
	answer, err := p.answers.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	var tries map[string]int
	return tries, json.Unmarshal(answer, &tries)
}

// kill ends it as kill -9 does, and returns what it said.
func (p *process) kill() string {
	if !p.ended {
		p.ended = true
		_ = p.Process.Kill()
		p.once = <-p.said
		_ = p.Wait() // killed
	}
	return p.once
}

// homes points this process, and those it starts, at folders of its own. The counter's configuration stays.
func homes(t testing.TB, configured bool) (runtime string) {
	t.Helper()
	dir := t.TempDir()
	names := []string{"XDG_RUNTIME_DIR", "XDG_CACHE_HOME"}
	if !configured {
		names = append(names, "XDG_CONFIG_HOME", "XDG_STATE_HOME")
	}
	for _, name := range names {
		folder := filepath.Join(dir, strings.ToLower(name))
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, folder)
	}
	return filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "eidkit")
}

// obliging writes a dialog program that permits everything once and types the PIN of simulated cards.
func obliging(t testing.TB) string {
	t.Helper()
	script := fmt.Sprintf("#!/bin/sh\necho OK ready\nwhile read -r line; do\ncase \"$line\" in GETINFO*) echo 'D qt'; echo OK ;; GETPIN*) echo 'D %s'; echo OK ;; CONFIRM*) echo 'ERR %d Not confirmed <Pinentry>' ;; BYE*) echo OK; exit 0 ;; *) echo OK ;; esac\ndone\n",
		testcards.PIN, buttonPermit)
	program := filepath.Join(t.TempDir(), "pinentry-fake")
	writeProgram(t, program, script)
	return program
}

// policyFile writes a policy.
func policyFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// cardHolder is who a card belongs to, as the card itself says.
type cardHolder struct {
	number, surname, given string
	signing                []byte // certificate
	patient                bool   // of the insurers: insured
}

func holderOf(t testing.TB, name string) cardHolder {
	t.Helper()
	sim, err := simulatedCard(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := beid.Open(t.Context(), sim.Reader())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id, err := c.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := c.SigningKey(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cardHolder{number: digits(string(id.NationalNumber)), surname: id.Surname, given: id.GivenNames, signing: key.Certificate().Raw,
		patient: strings.HasPrefix(name, patientPrefix)}
}

// digits are those of a number in any notation.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// rootsOf writes the roots of cards into a file.
func rootsOf(t testing.TB, names ...string) string {
	t.Helper()
	var all bytes.Buffer
	seen := map[string]bool{}
	for _, name := range names {
		sim, err := simulatedCard(name)
		if err != nil {
			t.Fatal(err)
		}
		if root := sim.Root().Raw; !seen[string(root)] {
			seen[string(root)] = true
			if err := pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root}); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(path, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tail keeps the end of a long text.
func tail(s string, n int) string { return s[max(0, len(s)-n):] }
