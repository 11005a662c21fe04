package pinentry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal and what was drawn on it.
type terminal struct {
	t      *testing.T
	master *os.File
	path   string

	mu    sync.Mutex
	drawn bytes.Buffer
	news  chan struct{}
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: os.NewFile(uintptr(fd), "ptmx"), path: fmt.Sprintf("/dev/pts/%d", n), news: make(chan struct{}, 1)}
	// Held open: a terminal that nobody has open reads as hung up.
	slave, err := os.OpenFile(term.path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := term.master.Read(buf)
			if err != nil {
				return
			}
			term.mu.Lock()
			term.drawn.Write(buf[:n])
			term.mu.Unlock()
			select {
			case term.news <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		term.master.Close()
		slave.Close()
		<-done
	})
	return term
}

// movements are the sequences by which curses moves and colours; between words it may move instead of writing a space.
var movements = regexp.MustCompile(`\x1b(\[[0-9;?]*[a-zA-Z]|[()][0AB]|[=>78])`)

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return strings.Join(strings.Fields(movements.ReplaceAllString(term.drawn.String(), " ")), " ")
}

// await returns when all the texts are on the screen, in order, and forgets it.
func (term *terminal) await(texts ...string) {
	term.t.Helper()
	deadline := time.After(time.Minute)
	for {
		rest, found := term.text(), true
		for _, want := range texts {
			i := strings.Index(rest, want)
			if i < 0 {
				found = false
				break
			}
			rest = rest[i+len(want):]
		}
		if found {
			term.mu.Lock()
			term.drawn.Reset()
			term.mu.Unlock()
			return
		}
		select {
		case <-term.news:
		case <-deadline:
			term.t.Errorf("not on the screen: %q; there is: %s", texts, term.text())
			term.master.Close() // ends the program
			return
		}
	}
}

func (term *terminal) keys(s string) {
	if _, err := term.master.WriteString(s); err != nil {
		term.t.Error(err)
	}
}

// cooked tells whether the terminal echoes and edits lines again, as a shell wants it.
func (term *terminal) cooked() bool {
	f, err := os.OpenFile(term.path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		term.t.Fatal(err)
	}
	defer f.Close()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0 && state.Lflag&unix.ICANON != 0
}

// curses is a dialog by the real program on a terminal of its own.
func curses(t *testing.T) (Dialog, *terminal) {
	t.Helper()
	path, err := exec.LookPath("pinentry-curses")
	if err != nil {
		t.Fatal("pinentry-curses is not installed: apt install pinentry-curses (make test does)")
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("DISPLAY", "")
	t.Setenv("LC_ALL", "C.UTF-8")
	// A program that is late on a busy machine is not to be ended while it sets the terminal right.
	for _, limit := range []*time.Duration{&grace, &byeTime, &killTime} {
		set(t, limit, time.Minute)
	}
	term := newTerminal(t)
	return Dialog{Program: path, TTY: term.path, Timeout: 2 * time.Minute}, term
}

func TestCursesPIN(t *testing.T) {
	d, term := curses(t)
	d.Language = "fr"
	go func() {
		term.await("Code PIN erroné", "Code PIN :")
		term.keys("12\r")
		term.await("Un code PIN comporte 4 à 12 chiffres", "Code PIN :")
		term.keys(thePIN + "\r")
	}()
	p, err := d.PIN(background, Request{Purpose: Sign, TriesLeft: 2, Wrong: true, About: []string{"Zoë <b>100%</b>\x1b[2J"}})
	if err != nil || digits(t, p) != thePIN {
		t.Errorf("%v, %s", err, digits(t, p))
	}
	if !term.cooked() {
		t.Error("the terminal was left raw")
	}
}

func TestCursesShowsAll(t *testing.T) {
	d, term := curses(t)
	go func() {
		term.await("Enter the PIN of your eID card to sign.", "This signature binds you like one on paper.",
			"Last try: a wrong PIN will block the card.", "Zoë ‹b›100%‹/b› [2J", "PIN: ____", "<OK>", "<Cancel>")
		term.keys("\t\t\r") // OK, Cancel, press
	}()
	p, err := d.PIN(background, Request{Purpose: Sign, TriesLeft: 1, About: []string{"Zoë <b>100%</b> \x1b[2J"}})
	if !errors.Is(err, card.ErrPINCancelled) || p.Len() != 0 {
		t.Errorf("%v, %d digits", err, p.Len())
	}
}

// pinentry-curses takes SETREPEAT and ignores it: the second entry is a dialog of its own.
func TestCursesNewPIN(t *testing.T) {
	d, term := curses(t)
	go func() {
		term.await("4 to 12 digits", "New PIN: ____")
		term.keys("1234\r")
		term.await("New PIN again: ____")
		term.keys("1243\r")
		term.await("The two entries of the new PIN differ.", "New PIN: ____")
		term.keys(thePIN + "\r")
		term.await("New PIN again: ____")
		term.keys(thePIN + "\r")
	}()
	p, err := d.PIN(background, Request{Purpose: NewPIN})
	if err != nil || digits(t, p) != thePIN {
		t.Errorf("%v, %s", err, digits(t, p))
	}
}

func TestCursesConfirm(t *testing.T) {
	d, term := curses(t)
	for keys, want := range map[string]bool{"\r": true, "\t\r": false} {
		go func() {
			term.await("Wrong PIN. 2 tries left.", "Try again?", "<Try again>", "<Cancel>")
			term.keys(keys)
		}()
		if got, err := d.TryAgain(background, 2); err != nil || got != want {
			t.Errorf("keys %q: %v, %v", keys, got, err)
		}
	}
	go func() {
		term.await("The PIN is blocked.", "<OK>")
		term.keys("\r")
	}()
	if err := d.Message(background, Question{Text: TextsIn("en").Blocked}); err != nil {
		t.Error(err)
	}
}

func TestCursesTimeout(t *testing.T) {
	d, term := curses(t)
	d.Timeout = time.Second
	if _, err := d.PIN(background, Request{}); !errors.Is(err, card.ErrPINTimeout) {
		t.Error(err)
	}
	if !term.cooked() {
		t.Error("the terminal was left raw")
	}
}

// A dialog that is no longer wanted goes, and leaves the terminal as it was.
func TestCursesContextEnds(t *testing.T) {
	d, term := curses(t)
	ctx, cancel := context.WithCancel(background)
	go func() {
		term.await("Enter the PIN on the keypad of the card reader.", "<OK>")
		cancel()
	}()
	if err := d.Message(ctx, Question{Text: TextsIn("en").OnPinpad(Sign)}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !term.cooked() {
		t.Error("the terminal was left raw")
	}
}

// Without a terminal or a screen the program says so itself.
func TestCursesWithoutTerminal(t *testing.T) {
	d, _ := curses(t)
	d.TTY += "/absent"
	if _, err := d.PIN(background, Request{}); err == nil || errors.Is(err, card.ErrPINCancelled) || errors.Is(err, card.ErrPINTimeout) {
		t.Error(err)
	}
}

// In the real program Enter denies; the button in the middle permits.
func TestCursesPermit(t *testing.T) {
	d, term := curses(t)
	p := wanted
	p.Further = ""
	for keys, want := range map[string]Permitted{"\r": Denied, "\t\r": PermittedOnce, "\t\t\r": Denied} {
		go func() {
			term.await("https://portal.example", "wants to log you in", "The site says: hello", "<Deny>", "<Allow once>", "<Cancel>")
			term.keys(keys)
		}()
		if got, err := d.Permit(background, p); err != nil || got != want {
			t.Errorf("keys %q: %v, %v", keys, got, err)
		}
	}
	go func() {
		term.await("https://portal.example", "<Deny>", "<Allow once>", "<Cancel>") // buttons alone are drawn again by the dialog before
		term.keys("\t\r")
		term.await("For good?", "<Allow once>", "<Always>", "<Deny>")
		term.keys("\t\r")
	}()
	if got, err := d.Permit(background, wanted); err != nil || got != PermittedAlways {
		t.Errorf("always: %v, %v", got, err)
	}
}
