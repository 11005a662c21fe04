//go:build unix

package pinentry

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// thePIN is what the user of the fake program types. It stands in the fake's code only: whatever a test finds it in has been told.
const thePIN = "271828"

// fakeScript says what the fake program does. Answers are lines of the protocol; @PIN stands for thePIN, and an OK is added unless
// there is an ERR. The last answer to GETPIN is given again and again. Answers that begin with ! are mishaps; see mishap.
type fakeScript struct {
	Greeting string // default: OK
	GetPIN   []string
	Confirm  string
	Confirms []string // answers to CONFIRM, one after the other, before Confirm
	Flavor   string   // answer to GETINFO flavor
	Unknown  []string // commands it does not know
	Socket   string   // connected to when it hangs
	Log      string   // file for what it is told
}

const (
	envFake   = "EIDKIT_TEST_FAKE"
	envClient = "EIDKIT_TEST_CLIENT"
	envPassed = "EIDKIT_TEST_PASSED" // the fake's script, on its way through a client
)

func TestMain(m *testing.M) {
	client := os.Getenv(envClient)
	if script := os.Getenv(envPassed); client != "" && script != "" {
		os.Unsetenv(envClient)
		os.Unsetenv(envPassed)
		os.Setenv(envFake, script)
		os.Exit(clientMain(client))
	}
	switch {
	case os.Getenv(envFake) == "sleeper": // the fake's child, which holds its pipes open
		forever()
	case os.Getenv(envFake) != "":
		os.Exit(fakeMain())
	}
	os.Exit(m.Run())
}

// fakeMain is the fake pinentry program.
func fakeMain() int {
	var s fakeScript
	if err := json.Unmarshal([]byte(os.Getenv(envFake)), &s); err != nil {
		return 3
	}
	log, err := os.OpenFile(s.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 3
	}
	fmt.Fprintf(log, "pid %d\nargv %q\nenv %q\n", os.Getpid(), os.Args, os.Environ())
	fmt.Fprintln(os.Stderr, "debug: the user typed", thePIN) // some programs do
	if s.Greeting == "" {
		s.Greeting = "OK Pleased to meet you"
	}
	s.reply(s.Greeting, false)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Fprintf(log, "< %s\n", in.Text())
		word, _, _ := strings.Cut(in.Text(), " ")
		switch {
		case contains(s.Unknown, word) || contains(s.Unknown, in.Text()):
			fmt.Println("ERR 536871187 Unknown IPC command <User defined source 1>")
		case word == "GETPIN" && len(s.GetPIN) > 0:
			s.reply(s.GetPIN[0], true)
			if len(s.GetPIN) > 1 {
				s.GetPIN = s.GetPIN[1:]
			}
		case in.Text() == "GETINFO flavor" && s.Flavor != "":
			s.reply("D "+s.Flavor, true)
		case word == "CONFIRM" && len(s.Confirms) > 0:
			s.reply(s.Confirms[0], true)
			s.Confirms = s.Confirms[1:]
		case word == "CONFIRM" || word == "MESSAGE":
			s.reply(s.Confirm, true)
		case word == "BYE":
			fmt.Println("OK closing connection")
			return 0
		case word == "CAN":
		default:
			fmt.Println("OK")
		}
	}
	return 0
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (s fakeScript) reply(text string, addOK bool) {
	if strings.HasPrefix(text, "!") {
		s.mishap(text)
		return
	}
	text = strings.ReplaceAll(text, "@PIN", thePIN)
	if text != "" {
		fmt.Println(text)
	}
	if addOK && !strings.Contains(text, "ERR ") {
		fmt.Println("OK")
	}
}

// forever waits for a signal that nobody sends: select {} alone is a deadlock that Go notices, in a program without cgo.
func forever() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR2)
	<-never
}

func (s fakeScript) mishap(what string) {
	hang := func() {
		if conn, err := net.Dial("unix", s.Socket); err == nil {
			defer conn.Close()
			fmt.Fprintln(conn, "hanging")
		}
		forever()
	}
	switch what {
	case "!hang":
		hang()
	case "!hang deaf": // to anything but SIGKILL
		signal.Ignore(syscall.SIGTERM)
		hang()
	case "!hang with child":
		self, _ := os.Executable()
		child := exec.Command(self)
		child.Env = append(os.Environ(), envFake+"=sleeper")
		child.Stdin, child.Stdout = os.Stdin, os.Stdout
		if child.Start() == nil {
			log, _ := os.OpenFile(s.Log, os.O_APPEND|os.O_WRONLY, 0o600)
			fmt.Fprintf(log, "child %d\n", child.Process.Pid)
		}
		hang()
	case "!crash":
		fmt.Print("D " + thePIN) // in the middle of a line
		os.Exit(9)
	case "!long line":
		fmt.Println("D " + strings.Repeat(thePIN, 200))
	case "!endless line":
		for {
			if _, err := fmt.Print(thePIN); err != nil {
				os.Exit(1)
			}
		}
	case "!endless lines":
		for {
			if _, err := fmt.Println("D " + thePIN); err != nil {
				os.Exit(1)
			}
		}
	}
}

// fake sets the environment so that the program it returns is the fake, doing as s says.
func fake(t *testing.T, s fakeScript) (d Dialog, log func() string) {
	t.Helper()
	dir := t.TempDir()
	s.Log = filepath.Join(dir, "log")
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(envFake, string(b))
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the fake is built as the test is, and need not wait for races when it ends
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Dialog{Program: self, TTY: filepath.Join(dir, "no terminal")}, func() string {
		b, err := os.ReadFile(s.Log)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
}

// hanging gives the fake a socket to say on that it hangs, and a channel that tells of it.
func hanging(t *testing.T, s *fakeScript) <-chan struct{} {
	t.Helper()
	s.Socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", s.Socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	hangs := make(chan struct{})
	go func() {
		if conn, err := l.Accept(); err == nil {
			conn.Close()
			close(hangs)
		}
	}()
	return hangs
}

// told are the commands that the fake was given, options left out.
func told(log string) []string {
	var lines []string
	for _, l := range strings.Split(log, "\n") {
		if l, ok := strings.CutPrefix(l, "< "); ok && !strings.HasPrefix(l, "OPTION ") {
			lines = append(lines, l)
		}
	}
	return lines
}
