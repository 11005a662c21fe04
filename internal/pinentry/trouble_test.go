//go:build unix

package pinentry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
)

func TestPINErrors(t *testing.T) {
	tests := []struct {
		name   string
		script fakeScript
		want   error  // nil: none of those that callers know
		text   string // in the error
	}{
		{"cancelled", fakeScript{GetPIN: []string{"ERR 83886179 Operation cancelled <Pinentry>"}}, card.ErrPINCancelled, ""},
		{"cancelled, closed", fakeScript{GetPIN: []string{"S BUTTON_INFO close\nERR 83886179 Operation cancelled"}}, card.ErrPINCancelled, ""},
		{"cancelled, other source", fakeScript{GetPIN: []string{"ERR 99 x"}}, card.ErrPINCancelled, ""},
		{"fully cancelled", fakeScript{GetPIN: []string{"ERR 83886278 x"}}, card.ErrPINCancelled, ""},
		{"not confirmed", fakeScript{GetPIN: []string{"ERR 83886194 x"}}, card.ErrPINCancelled, ""},
		{"timeout", fakeScript{GetPIN: []string{"ERR 83886142 Timeout <Pinentry>"}}, card.ErrPINTimeout, ""},
		{"data, then cancelled", fakeScript{GetPIN: []string{"D @PIN\nERR 83886179 typed @PIN"}}, card.ErrPINCancelled, ""},
		{"no terminal", fakeScript{GetPIN: []string{"ERR 83918950 Inappropriate ioctl for device <Pinentry>"}}, nil, "error 32870"},
		{"crash", fakeScript{GetPIN: []string{"!crash"}}, nil, "has ended"},
		{"garbage", fakeScript{GetPIN: []string{"what is @PIN?"}}, errProtocol, ""},
		{"empty line", fakeScript{GetPIN: []string{"\n"}}, errProtocol, ""},
		{"ERR alone", fakeScript{GetPIN: []string{"ERR"}}, errProtocol, ""},
		{"ERR @PIN", fakeScript{GetPIN: []string{"ERR x @PIN"}}, errProtocol, ""},
		{"ERR too large", fakeScript{GetPIN: []string{"ERR 99999999999 @PIN"}}, errProtocol, ""},
		{"long line", fakeScript{GetPIN: []string{"!long line"}}, errProtocol, ""},
		{"endless line", fakeScript{GetPIN: []string{"!endless line"}}, errProtocol, ""},
		{"endless lines", fakeScript{GetPIN: []string{"!endless lines"}}, errProtocol, ""},
		{"greeting is an error", fakeScript{Greeting: "ERR 83886200 no display"}, nil, "error 120: no display"},
		{"greeting is garbage", fakeScript{Greeting: "Segmentation fault"}, errProtocol, ""},
		{"crash at the start", fakeScript{Greeting: "!crash"}, nil, "has ended"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, log := fake(t, tt.script)
			p, err := d.PIN(background, Request{})
			if err == nil || p.Len() != 0 {
				t.Fatalf("%v, %d digits", err, p.Len())
			}
			for _, e := range []error{card.ErrPINCancelled, card.ErrPINTimeout, errProtocol, ErrNoProgram, context.Canceled} {
				if errors.Is(err, e) != (e == tt.want) {
					t.Errorf("errors.Is(%q, %q) is %v", err, e, e != tt.want)
				}
			}
			if !strings.Contains(err.Error(), tt.text) || leaks(err.Error()) {
				t.Errorf("error %q", err)
			}
			reaped(t, log())
		})
	}
}

// reaped checks that the fake program is gone, not even a zombie of it left.
func reaped(t *testing.T, log string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^pid (\d+)$`).FindAllStringSubmatch(log, -1) {
		pid, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}

func TestContextEnds(t *testing.T) {
	for _, how := range []string{"!hang", "!hang deaf", "!hang with child"} {
		t.Run(how, func(t *testing.T) {
			s := fakeScript{GetPIN: []string{how}, Confirm: how}
			hangs := hanging(t, &s)
			d, log := fake(t, s)
			ctx, cancel := context.WithCancel(background)
			go func() {
				<-hangs
				cancel()
			}()
			if _, err := d.PIN(ctx, Request{}); !errors.Is(err, context.Canceled) || errors.Is(err, card.ErrPINTimeout) {
				t.Error(err)
			}
			reaped(t, log())
			for _, m := range regexp.MustCompile(`(?m)^child (\d+)$`).FindAllStringSubmatch(log(), -1) {
				if pid, err := strconv.Atoi(m[1]); err == nil {
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
	}
	t.Run("message", func(t *testing.T) {
		s := fakeScript{Confirm: "!hang"}
		hangs := hanging(t, &s)
		d, log := fake(t, s)
		ctx, cancel := context.WithCancel(background)
		go func() {
			<-hangs
			cancel()
		}()
		if err := d.Message(ctx, Question{Text: TextsIn("en").OnPinpad(Sign)}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		reaped(t, log())
	})
	t.Run("before", func(t *testing.T) {
		d, _ := fake(t, fakeScript{})
		ctx, cancel := context.WithCancel(background)
		cancel()
		if _, err := d.PIN(ctx, Request{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A program that does not watch the time is ended, whether it hangs in the dialog or never greets. How long it takes to get that
// far is not known, so it is given twice the time until it was ended there.
func TestTimeoutOfProgram(t *testing.T) {
	for name, s := range map[string]fakeScript{"dialog": {GetPIN: []string{"!hang"}}, "greeting": {Greeting: "!hang"}} {
		t.Run(name, func(t *testing.T) {
			for limit := 100 * time.Millisecond; limit < 5*time.Minute; limit *= 2 {
				if endedWhileHanging(t, s, limit) {
					return
				}
			}
			t.Error("the program never got as far as to hang")
		})
	}
}

// endedWhileHanging has the fake ended after limit and tells whether it was hanging by then.
func endedWhileHanging(t *testing.T, s fakeScript, limit time.Duration) bool {
	t.Helper()
	set(t, &grace, limit-time.Millisecond)
	hangs := hanging(t, &s)
	d, log := fake(t, s)
	d.Timeout = time.Millisecond
	if _, err := d.PIN(background, Request{}); !errors.Is(err, card.ErrPINTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("limit %v: %v", limit, err)
	}
	select {
	case <-hangs:
		reaped(t, log())
		return true
	default:
		return false
	}
}

// set changes a limit until the test ends.
func set(t *testing.T, limit *time.Duration, to time.Duration) {
	t.Helper()
	old := *limit
	*limit = to
	t.Cleanup(func() { *limit = old })
}

// leaks tells whether text holds thePIN in any form a program might write.
func leaks(text string) bool {
	text = strings.ToLower(text)
	for _, form := range []string{thePIN, "323731383238", "32 37 31 38", "50 55 49 56", "0x32, 0x37", "mjcxodi4", "27%31%38", "26271828"} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// clientMain asks for a PIN as a program would and prints all it has.
func clientMain(program string) int {
	d := Dialog{Program: program}
	for _, purpose := range []Purpose{Verify, NewPIN} {
		p, err := d.PIN(background, Request{Purpose: purpose, TriesLeft: 2, Wrong: true, About: []string{"somebody"}})
		for _, out := range []*os.File{os.Stdout, os.Stderr} {
			fmt.Fprintf(out, "%v %+v %#v %s %x %v %+v %#v %d digits\n", p, p, p, p, p, err, err, err, p.Len())
		}
		p.Wipe()
	}
	return 0
}

// Nothing that is written anywhere holds the PIN: what the program is told, its arguments and environment, what comes out of ours
// on both streams, errors among it. The fake program prints it on its standard error, and that goes nowhere.
func TestPINIsNowhere(t *testing.T) {
	for _, answers := range [][]string{
		{"D @PIN"}, {"D 12", "D @PIN"}, {"D @PIN\nERR 5 @PIN"}, {"D @PIN", "D 1234", "D @PIN"}, {"@PIN"}, {"!crash"}, {"!long line"}, {"!endless lines"},
		{"S @PIN\nD @PIN\nINQUIRE @PIN\nERR @PIN @PIN"},
	} {
		d, log := fake(t, fakeScript{GetPIN: answers})
		cmd := exec.Command(d.Program)
		cmd.Env = append(os.Environ(), envClient+"="+d.Program)
		// The client is the same program as the fake: it hands the fake's variable on, without being the fake itself.
		script := os.Getenv(envFake)
		cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, envFake+"=") })
		cmd.Env = append(cmd.Env, envPassed+"="+script)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if leaks(out.String()) || !strings.Contains(out.String(), "REDACTED") {
			t.Errorf("%q: printed %s", answers, out.String())
		}
		if text := log(); leaks(text) || !strings.Contains(text, "argv") || !strings.Contains(text, "GETPIN") {
			t.Errorf("%q: the program was told %s", answers, text)
		}
	}
}

// Whatever happens, no descriptor and no goroutine stays.
func TestNothingStays(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("descriptors are counted on Linux only")
	}
	count := func() (descriptors, goroutines int) {
		entries, _ := os.ReadDir("/proc/self/fd")
		return len(entries), runtime.NumGoroutine()
	}
	run := func() {
		for _, s := range []fakeScript{{GetPIN: []string{"D @PIN"}}, {GetPIN: []string{"!crash"}}, {Greeting: "?"}, {GetPIN: []string{"!endless line"}}} {
			d, _ := fake(t, s)
			p, _ := d.PIN(background, Request{})
			p.Wipe()
		}
		(Dialog{Program: t.TempDir()}).PIN(background, Request{})
	}
	run()
	fds, gos := count()
	for range 3 {
		run()
	}
	deadline := time.Now().Add(time.Minute)
	for { // goroutines that are through take a moment to be gone
		fds2, gos2 := count()
		if fds2 <= fds && gos2 <= gos {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors and %d goroutines, were %d and %d", fds2, gos2, fds, gos)
		}
		runtime.Gosched()
	}
}
