//go:build unix

package desk

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
)

// inside is how many questions are open or wait.
func inside(d *Desk) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inside
}

// A client that floods the desk has one question open, a few waiting, and hears "busy" for the rest, over however many connections. One
// no is the answer to all of them, and nobody else waits for it.
func TestFlood(t *testing.T) {
	t.Parallel()
	d, opened := byPage(t)
	c := reading(t)
	var flood []<-chan said
	first := later(background, d, c)
	id := <-opened
	for i := range maxPerClient - 1 {
		c.Client.Session = fmt.Sprint("other ", i)
		if i%2 == 1 {
			c.Client.Kind = access.Extension
		}
		flood = append(flood, later(background, d, c))
	}
	for inside(d) < maxPerClient {
		runtime.Gosched()
	}
	for range 100 {
		if _, err := d.Consent(background, c); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
	}
	if n := len(d.Pending()); n != 1 {
		t.Errorf("%d questions are open", n)
	}
	other := reading(t)
	other.Client = site(t, "https://other.example")
	beside := later(background, d, other)
	if err := d.Answer(<-opened, Answer{Allowed: true}); err != nil {
		t.Error(err)
	}
	if s := <-beside; s.err != nil || !s.answer.Allowed {
		t.Errorf("another client: %+v", s)
	}
	if err := d.Answer(id, Answer{}); err != nil {
		t.Error(err)
	}
	for _, got := range flood { // nobody saw these, and they count as no further no
		if s := <-got; s.err != nil || s.answer != (Answer{Earlier: true}) {
			t.Errorf("%+v", s)
		}
	}
	if s := <-first; s.err != nil || s.answer != (Answer{}) {
		t.Errorf("%+v", s)
	}
	if len(opened) != 0 || inside(d) != 0 || len(d.lines) != 0 {
		t.Errorf("%d more questions were shown; %d inside", len(opened), inside(d))
	}
	again := later(background, d, c) // is asked as ever
	if err := d.Answer(<-opened, Answer{Allowed: true}); err != nil {
		t.Error(err)
	}
	if s := <-again; s.err != nil || !s.answer.Allowed {
		t.Errorf("%+v", s)
	}
}

// A yes lets the next one ask.
func TestOneAfterTheOther(t *testing.T) {
	t.Parallel()
	d, opened := byPage(t)
	one := later(background, d, reading(t))
	id := <-opened
	two := later(background, d, reading(t))
	if err := d.Answer(id, Answer{Allowed: true}); err != nil {
		t.Error(err)
	}
	if s := <-one; s.err != nil || !s.answer.Allowed {
		t.Errorf("%+v", s)
	}
	if err := d.Answer(<-opened, Answer{Allowed: true}); err != nil {
		t.Error(err)
	}
	if s := <-two; s.err != nil || !s.answer.Allowed {
		t.Errorf("%+v", s)
	}
}

func TestFullDesk(t *testing.T) {
	t.Parallel()
	d, opened := byPage(t)
	ctx, cancel := context.WithCancel(background)
	var all []<-chan said
	for i := range maxInAll {
		c := reading(t)
		c.Client = site(t, fmt.Sprintf("https://site%d.example", i))
		all = append(all, later(ctx, d, c))
		<-opened
	}
	if _, err := d.Consent(background, reading(t)); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	if _, err := d.PINs(reading(t)).Ask(background, request("Reader 0", 3)); !errors.Is(err, ErrBusy) {
		t.Errorf("a PIN: %v", err)
	}
	items := d.Pending()
	for i := 1; i < len(items); i++ {
		if items[i-1].serial >= items[i].serial {
			t.Error("the questions are not in their order")
		}
	}
	cancel()
	for _, got := range all {
		if s := <-got; !errors.Is(s.err, context.Canceled) {
			t.Errorf("%+v", s)
		}
	}
}

// Waiting for a turn ends too.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	d, opened := byPage(t)
	ctx, cancel := context.WithCancel(background)
	open := later(ctx, d, reading(t))
	<-opened
	waiting, stop := context.WithCancel(background)
	stop()
	if _, err := d.Consent(waiting, reading(t)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	d.o.Timeout = time.Millisecond
	if _, err := d.Consent(background, reading(t)); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	cancel()
	<-open
}

// A turn that is free is had, however late the clock is: a wait of no time at all is long enough for it.
func TestFreeTurn(t *testing.T) {
	t.Parallel()
	for range 200 {
		l := &line{turn: make(chan struct{}, 1), denied: make(chan struct{})}
		if said, err := l.wait(background, l.denied, 0); said || err != nil {
			t.Fatalf("%v, %v", said, err)
		}
		if _, err := l.wait(background, l.denied, 0); !errors.Is(err, ErrBusy) {
			t.Fatalf("a turn that is taken: %v", err)
		}
		close(l.denied)
		<-l.turn
		if said, err := l.wait(background, l.denied, 0); !said || err != nil || len(l.turn) != 0 {
			t.Fatalf("after a no: %v, %v", said, err)
		}
	}
}

// A program is what was paired or what runs, whatever it calls itself.
func TestClientKey(t *testing.T) {
	t.Parallel()
	program := access.Client{Kind: access.Program, Name: "a", Executable: "/usr/bin/x", User: "u", Session: "1"}
	renamed, other, paired := program, program, program
	renamed.Name, renamed.Session = "b", "2"
	other.Executable = "/usr/bin/y"
	paired.PairingID = "p1"
	if clientKey(program) != clientKey(renamed) || clientKey(program) == clientKey(other) || clientKey(program) == clientKey(paired) {
		t.Error(clientKey(program), clientKey(renamed), clientKey(other), clientKey(paired))
	}
	a, b := site(t, "https://a.example"), site(t, "https://a.example:444")
	if clientKey(a) == clientKey(b) {
		t.Error("two origins are one client")
	}
}
