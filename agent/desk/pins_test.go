//go:build unix

package desk

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
)

func TestPIN(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "271828")
	p := New(Options{Dialog: program}).PINs(signing(t))
	pin, err := p.Ask(background, request("Reader 0", 1))
	if err != nil || pin.Len() != 6 {
		t.Fatalf("%d digits, %v", pin.Len(), err)
	}
	want := "SETDESC https://portal.example%0AEnter the PIN of your eID card to sign.%0AThis signature binds you like one on paper.%0A" +
		"Last try: a wrong PIN will block the card.%0A%0Acontract.txt, 10 bytes%0AReader 0\n"
	if !strings.Contains(log(), want) {
		t.Errorf("shown:\n%s", log())
	}
	if strings.Contains(log(), "271828") {
		t.Error("the PIN went back to the program")
	}
}

// Nobody types in vain: a blocked PIN is not asked for.
func TestPINBlocked(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "271828")
	p := New(Options{Dialog: program}).PINs(signing(t))
	if _, err := p.Ask(background, request("Reader 0", 0)); !errors.Is(err, card.ErrPINBlocked) || log() != "" {
		t.Errorf("%v\n%s", err, log())
	}
	broken := errors.New("no answer")
	req := request("Reader 0", 3)
	req.TriesLeft = func(context.Context) (int, error) { return 0, broken }
	if _, err := p.Ask(background, req); !errors.Is(err, broken) || log() != "" {
		t.Errorf("%v\n%s", err, log())
	}
	if again, err := p.Again(background, 0); again || err != nil || log() != "" {
		t.Errorf("%v, %v\n%s", again, err, log())
	}
}

// After a wrong PIN the holder is asked whether to go on, and the next dialog says that it was wrong; without tries left nobody is.
func TestRetry(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "271828", pressFirst)
	p := New(Options{Dialog: program}).PINs(signing(t))
	left := 3
	err := p.Retry(background, func() error {
		pin, err := p.Ask(background, request("Reader 0", -1)) // a card that does not tell
		if err != nil || pin.Len() != 6 {
			return err
		}
		left--
		return &card.PINError{TriesLeft: left}
	})
	var wrong *card.PINError
	if !errors.As(err, &wrong) || wrong.TriesLeft != 0 {
		t.Errorf("%v", err)
	}
	for text, n := range map[string]int{"GETPIN": 3, "SETERROR Wrong PIN.": 2, "CONFIRM": 2, "Try again?": 2, "2 tries left.": 2, "Last try: a wrong PIN will block the card.": 2} {
		if got := strings.Count(log(), text); got != n {
			t.Errorf("%q %d times, want %d", text, got, n)
		}
	}
	program, log = fake(t, "271828", pressCancel)
	p = New(Options{Dialog: program}).PINs(signing(t))
	tried := 0
	err = p.Retry(background, func() error { tried++; return &card.PINError{TriesLeft: 2} })
	if tried != 1 || !errors.As(err, &wrong) {
		t.Errorf("tried %d times after a no: %v\n%s", tried, err, log())
	}
}

func TestPINWithoutProgram(t *testing.T) {
	t.Parallel()
	d, _ := byPage(t) // a page is there, and is no place for a PIN
	p := d.PINs(signing(t))
	if pin, err := p.Ask(background, request("Reader 0", 3)); !errors.Is(err, ErrUnavailable) || pin.Len() != 0 {
		t.Errorf("%v", err)
	}
	if again, err := p.Again(background, 2); !errors.Is(err, ErrUnavailable) || again {
		t.Errorf("%v, %v", again, err)
	}
	if len(d.Pending()) != 0 {
		t.Error("a PIN was asked on a page")
	}
}

// On a reader with keys a notice is in place until the reader is done.
func TestPinpad(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "271828")
	p := New(Options{Dialog: program, Language: "nl"}).PINs(signing(t))
	ctx, cancel := context.WithCancel(background)
	req := request("Reader 0", 3)
	req.Pinpad = true
	if _, err := p.Ask(ctx, req); !errors.Is(err, beid.ErrOnPinpad) {
		t.Fatal(err)
	}
	for !strings.Contains(log(), "MESSAGE") { // shown
		if _, err := os.Stat(program.Program); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	p.Wait()
	if !strings.Contains(log(), "SETDESC https://portal.example%0AVoer de pincode in op de toetsen van de kaartlezer.%0A%0Acontract.txt, 10 bytes%0AReader 0") ||
		strings.Contains(log(), "GETPIN") {
		t.Errorf("shown:\n%s", log())
	}
	p = New(Options{Dialog: nobody(t)}).PINs(signing(t))
	if _, err := p.Ask(background, req); !errors.Is(err, beid.ErrOnPinpad) {
		t.Errorf("without a program: %v", err)
	}
	p.Wait()
}

func TestAutoPIN(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "271828")
	var asked []beid.Purpose
	o := Options{Dialog: program, AutoPIN: func(p beid.Purpose) (card.PIN, error) {
		asked = append(asked, p)
		return card.NewPIN([]byte("1234"))
	}}
	p := New(o).PINs(signing(t))
	if pin, err := p.Ask(background, request("Reader 0", 3)); err != nil || pin.Len() != 4 {
		t.Errorf("%v", err)
	}
	if again, err := p.Again(background, 2); again || err != nil { // never twice by itself
		t.Errorf("%v, %v", again, err)
	}
	if !slices.Equal(asked, []beid.Purpose{beid.PurposeSign}) || log() != "" {
		t.Errorf("%v\n%s", asked, log())
	}
}

// The reader's keys are no place to type in vain or unwarned either.
func TestPinpadTries(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "271828")
	p := New(Options{Dialog: program}).PINs(signing(t))
	req := request("Reader 0", 0)
	req.Pinpad = true
	if _, err := p.Ask(background, req); !errors.Is(err, card.ErrPINBlocked) || log() != "" {
		t.Errorf("%v\n%s", err, log())
	}
	req = request("Reader 0", 1)
	req.Pinpad = true
	ctx, cancel := context.WithCancel(background)
	if _, err := p.Ask(ctx, req); !errors.Is(err, beid.ErrOnPinpad) {
		t.Error(err)
	}
	for !strings.Contains(log(), "MESSAGE") { // shown
		if _, err := os.Stat(program.Program); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	p.Wait()
	if !strings.Contains(log(), "Last try: a wrong PIN will block the card.") {
		t.Errorf("shown:\n%s", log())
	}
}
