package pinentry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/card"
)

// Permission is a question whether something may be done: no, once, or always. No is what Enter, Escape, a closed window and an
// unknown answer mean.
type Permission struct {
	Text  string   // the program's own words, first of all who asks; lines end in \n. It is never shortened.
	About []string // text from outside, a line each, shown below Text; it is made harmless

	Deny, Once string // labels of the buttons

	// Further, if not empty, is asked in a second dialog after Once: whether it is for Once only or for Always; these are its words
	// and the label of the further button.
	Further, Always string
}

// Permitted is the answer to a Permission. The zero value is no.
type Permitted int

// The answers.
const (
	Denied Permitted = iota
	PermittedOnce
	PermittedAlways
)

// errTwoButtons wraps ErrNoProgram: such a program is as good as none for a Permission.
var errTwoButtons = fmt.Errorf("%w: this pinentry program has no third button, without which a closed window cannot be told from an answer: "+
	"install pinentry-qt, pinentry-gtk2 or pinentry-curses", ErrNoProgram)

// Permit asks for a permission. Errors wrap card.ErrPINTimeout or ErrNoProgram, or are ctx's; with each the answer is Denied.
//
// Pinentry has three answers, and which of its buttons Enter presses is not the same everywhere: OK in curses, Cancel in GTK and Qt.
// Escape and closing the window are Cancel. So OK and Cancel both mean no, and the one button that nobody presses by accident is the
// one that permits; that is why "always" takes a dialog of its own.
func (d Dialog) Permit(ctx context.Context, p Permission) (Permitted, error) {
	t := TextsIn(d.Language)
	f := form{title: t.Title, text: withOutside(p.Text, p.About), no: p.Deny, other: p.Once, cancel: t.Cancel, timeout: d.timeout()}
	if len(escape(f.text)) > maxText {
		return Denied, errors.New("asking for a permission: the question is too long for a dialog")
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	u, err := d.open(ctx)
	if err != nil {
		return Denied, failure(ctx, "opening a dialog", err)
	}
	defer u.close()
	if answer, err := u.three(f); err != nil || answer != pressedOther {
		return Denied, failure(ctx, "asking for a permission", err)
	}
	if p.Further == "" {
		return PermittedOnce, nil
	}
	f.text, f.no, f.other, f.cancel = p.Further, p.Once, p.Always, p.Deny
	switch answer, err := u.three(f); {
	case err != nil:
		return Denied, failure(ctx, "asking for a permission", err)
	case answer == pressedOther:
		return PermittedAlways, nil
	case answer == pressedOK:
		return PermittedOnce, nil
	}
	return Denied, nil
}

// pressed is which of three buttons was pressed. The zero value is none, or Cancel, or the window was closed.
type pressed int

const (
	pressedNone pressed = iota
	pressedOK
	pressedOther
)

// flavours are the kinds of pinentry program that tell three buttons and a closed window apart, each tried. The one for GNOME has two
// buttons only.
var flavours = []string{"curses", "gtk2", "qt", "qt4", "qt5", "qt6"}

// three shows f with the buttons no, other and cancel.
func (p *program) three(f form) (pressed, error) {
	if err := p.threeButtons(); err != nil {
		return pressedNone, err
	}
	f.ok = f.no
	if err := p.show(f); err != nil {
		return pressedNone, err
	}
	if _, err := p.conn.command("SETNOTOK", f.other, false); err != nil {
		return pressedNone, err
	}
	_, err := p.conn.command("CONFIRM", "", false)
	var reply *replyError
	switch {
	case err == nil:
		return pressedOK, nil
	case errors.As(err, &reply) && reply.code&0xFFFF == codeNotConfirmed:
		return pressedOther, nil
	case errors.Is(err, card.ErrPINCancelled):
		return pressedNone, nil
	}
	return pressedNone, err
}

// threeButtons asks the program what it is. One that falls back to curses says "gtk2:curses".
func (p *program) threeButtons() error {
	ans, err := p.conn.command("GETINFO", "flavor", true)
	if err := ignoringReply(ans, err); err != nil {
		return err
	}
	kind := string(ans.typed)
	if _, after, found := strings.Cut(kind, ":"); found {
		kind = after
	}
	for _, known := range flavours {
		if kind == known {
			return nil
		}
	}
	return errTwoButtons
}

// Choice is a question which of several is meant.
type Choice struct {
	Text       string     // the program's own words, above each; never shortened
	Options    [][]string // lines from outside that name each; made harmless
	Take, Next string     // labels: of the button that takes the one shown, and of the one that goes on to the next
}

const maxRounds = 3 // so often all options are shown

// ChooseOne shows the options one after the other and returns the index of the one taken; -1 for none. Errors are those of Permit.
func (d Dialog) ChooseOne(ctx context.Context, c Choice) (int, error) {
	t := TextsIn(d.Language)
	ctx, cancel := d.bound(ctx)
	defer cancel()
	u, err := d.open(ctx)
	if err != nil {
		return -1, failure(ctx, "opening a dialog", err)
	}
	defer u.close()
	for n := range maxRounds * len(c.Options) {
		i := n % len(c.Options)
		own := fmt.Sprintf("%s\n%d / %d", c.Text, i+1, len(c.Options))
		f := form{title: t.Title, text: withOutside(own, c.Options[i]), no: c.Next, other: c.Take, cancel: t.Cancel, timeout: d.timeout()}
		switch answer, err := u.three(f); {
		case err != nil:
			return -1, failure(ctx, "asking for a choice", err)
		case answer == pressedOther:
			return i, nil
		case answer == pressedNone:
			return -1, nil
		}
	}
	return -1, nil
}
