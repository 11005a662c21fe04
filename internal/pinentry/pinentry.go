// Package pinentry asks for a PIN in a dialog of its own: any pinentry program (gnome3, qt, curses, mac), spoken to over its Assuan
// pipe, or the system's credential dialog on Windows.
//
// Start with a [Dialog] and [Dialog.PIN]; [Dialog.Confirm] and [Dialog.Message] show questions and notices, [Dialog.Permit] asks for a
// permission and [Dialog.ChooseOne] for a choice. [Find] tells which program would be used, [TextsIn] has the words.
//
// The PIN is read into bytes that are wiped; it is in no string, argument, environment variable, log or error. Knowing when to ask,
// and what a PIN is used for, is out of scope.
//
// References: Assuan manual, "Client and server protocol"; pinentry manual, "Pinentry's Assuan protocol"; ISO 9564-1 (length).
package pinentry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/card"
)

// ErrNoProgram says that no pinentry program that could be used was found. The error that wraps it tells what to do.
var ErrNoProgram = errors.New("no PIN dialog")

// Dialog says how to show dialogs. The zero Dialog finds the program itself, speaks English and waits two minutes. Each call starts
// a program of its own, which has ended when the call returns.
type Dialog struct {
	// Program is the path or name of a pinentry program; empty: what Find finds.
	Program string

	// Check refuses a program by an error, each time before it is run; nil: any will do. The system's own dialog is not asked about.
	Check func(path string) error

	// Language is that of the texts: "en", "nl", "fr", "de", or a locale of one of them. Others are English.
	Language string

	// Timeout is how long the user is waited for; zero is two minutes.
	Timeout time.Duration

	// TTY is the terminal for programs that want one; empty: the one this process is run from.
	TTY string

	// NoGrab leaves the keyboard to other windows too.
	NoGrab bool
}

// Purpose is what a PIN is wanted for.
type Purpose int

// The purposes of a PIN. NewPIN is typed twice; Unblock asks for the PUK.
const (
	Verify Purpose = iota
	Authenticate
	Sign
	Change
	NewPIN
	Unblock
)

// Request says what the dialog for a PIN is about.
type Request struct {
	Purpose Purpose

	// TriesLeft is the number of tries left; 0 or less if not known. At 1 the dialog says that a wrong PIN will block the card.
	TriesLeft int

	// Wrong tells that the PIN typed before was wrong.
	Wrong bool

	// From says who wants it, shown above everything else and never shortened; empty: this program's own user.
	From string

	// About is text from outside, a line each, shown below the dialog's own: the name on the card, a file. It is made harmless.
	About []string
}

// A user who types no usable PIN so often is not asked again: a broken program must not be asked for ever.
const maxAsks = 10

const defaultTimeout = 2 * time.Minute

// grace is how much longer than Timeout the program may take: it ends the dialog itself, except where it cannot.
var grace = 10 * time.Second

// PIN asks for a PIN, again with a message if it is not 4 to 12 digits (12 for a PUK; no try is spent), and for Purpose NewPIN twice.
// The caller wipes it. Errors wrap card.ErrPINCancelled, card.ErrPINTimeout, ErrNoProgram, or are ctx's.
func (d Dialog) PIN(ctx context.Context, r Request) (card.PIN, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	u, err := d.open(ctx)
	if err != nil {
		return card.PIN{}, failure(ctx, "opening the PIN dialog", err)
	}
	defer u.close()
	t := TextsIn(d.Language)
	f := t.form(r)
	f.timeout = d.timeout()
	for range maxAsks {
		digits, problem, err := askOnce(u, f, r.Purpose, t)
		if err != nil {
			return card.PIN{}, failure(ctx, "asking for the PIN", err)
		}
		if problem == "" {
			return card.NewPIN(digits)
		}
		clear(digits)
		f.problem = problem
	}
	return card.PIN{}, errors.New("asking for the PIN: what was typed is no PIN, many times over")
}

// askOnce is one round of PIN. The digits are the caller's to wipe; problem says, in the user's language, why they are no good.
func askOnce(u ui, f form, p Purpose, t Texts) (digits []byte, problem string, err error) {
	digits, repeated, err := u.pin(f)
	if err != nil || !usable(digits, p) {
		return digits, t.format(p), err
	}
	if p != NewPIN || repeated {
		return digits, "", nil
	}
	f.prompt, f.repeat, f.problem = f.repeat, "", ""
	second, _, err := u.pin(f)
	defer clear(second)
	switch {
	case err != nil:
		clear(digits)
		return nil, "", err
	case !same(digits, second):
		return digits, t.Differ, nil
	}
	return digits, "", nil
}

// usable tells whether digits are as long as a PIN or PUK is, and digits.
func usable(digits []byte, p Purpose) bool {
	least, most := 4, 12
	if p == Unblock {
		least = 12
	}
	if len(digits) < least || len(digits) > most {
		return false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

func same(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	var diff byte
	for i := range a {
		diff |= a[i] ^ b[i]
	}
	return diff == 0
}

// Question is what Confirm asks and Message says.
type Question struct {
	Text       string   // the program's own words; lines end in \n
	About      []string // text from outside, a line each, shown below Text; it is made harmless
	OK, Cancel string   // labels of the buttons; empty: OK and Cancel. The Windows dialog has its own.
}

// Confirm asks a question with two buttons. It is true for OK, false for Cancel or a closed window. Errors wrap card.ErrPINTimeout
// or ErrNoProgram, or are ctx's.
func (d Dialog) Confirm(ctx context.Context, q Question) (bool, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	u, err := d.open(ctx)
	if err != nil {
		return false, failure(ctx, "opening a dialog", err)
	}
	defer u.close()
	ok, err := u.confirm(d.form(q))
	if errors.Is(err, card.ErrPINCancelled) {
		return false, nil
	}
	return ok, failure(ctx, "asking", err)
}

// TryAgain asks, after a wrong PIN, whether the user wants another try.
func (d Dialog) TryAgain(ctx context.Context, triesLeft int) (bool, error) {
	t := TextsIn(d.Language)
	return d.Confirm(ctx, Question{Text: t.wrong(Verify) + " " + t.Tries(triesLeft) + "\n" + t.TryAgain, OK: t.Again, Cancel: t.Cancel})
}

// Message shows text with one button and returns when the user has pressed it, or when ctx ends, with its error: a notice that is
// in place as long as something goes on is given a ctx that ends with it.
func (d Dialog) Message(ctx context.Context, q Question) error {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	u, err := d.open(ctx)
	if err != nil {
		return failure(ctx, "opening a dialog", err)
	}
	defer u.close()
	err = u.message(d.form(q))
	if errors.Is(err, card.ErrPINCancelled) {
		return nil
	}
	return failure(ctx, "showing a message", err)
}

// open starts the dialog program, or the system's own dialog.
func (d Dialog) open(ctx context.Context) (ui, error) {
	path, err := d.Find()
	if err != nil {
		return nil, err
	}
	if path == builtIn {
		return openBuiltIn(ctx), nil
	}
	p, err := start(ctx, path, d.options())
	if err != nil {
		return nil, err
	}
	return p, nil
}

// ui is a dialog program that was opened. Its context was given to open.
type ui interface {
	// pin shows f and returns what was typed, at most 255 bytes, not checked; repeated if it was typed twice alike.
	pin(f form) (typed []byte, repeated bool, err error)

	// confirm shows f with two buttons, message with one.
	confirm(f form) (bool, error)
	message(f form) error

	// three shows f with three buttons.
	three(f form) (pressed, error)

	// close ends the program.
	close()
}

// form is what one dialog shows; empty texts are left out.
type form struct {
	title, text, problem, prompt string
	ok, cancel                   string
	no, other                    string // with three buttons: the first, which Enter may press, and the one that is pressed on purpose only
	repeat, differ               string // to have a new PIN typed twice: its prompt, and what is said when the two differ
	timeout                      time.Duration
}

func (d Dialog) form(q Question) form {
	t := TextsIn(d.Language)
	f := form{title: t.Title, text: withOutside(q.Text, q.About), ok: q.OK, cancel: q.Cancel, timeout: d.timeout()}
	if f.ok == "" {
		f.ok = t.OK
	}
	if f.cancel == "" {
		f.cancel = t.Cancel
	}
	return f
}

func (d Dialog) timeout() time.Duration {
	if d.Timeout <= 0 {
		return defaultTimeout
	}
	return d.Timeout
}

// bound ends ctx, as a timeout of the PIN entry, when even a program that does not watch the time must be through.
func (d Dialog) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d.timeout()+grace, card.ErrPINTimeout)
}

// failure is err, or what ended ctx if that is why it came.
func failure(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
		if context.Cause(ctx) == card.ErrPINTimeout {
			err = card.ErrPINTimeout
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
