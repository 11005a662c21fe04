//go:build unix

package pinentry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
)

const (
	cancelled    = "ERR 83886179 Operation cancelled <Pinentry>"
	notConfirmed = "ERR 83886194 Not confirmed <Pinentry>"
	pressedFirst = "" // the fake adds OK
)

var wanted = Permission{Text: "https://portal.example\nwants to log you in", About: []string{"The site says: hello"}, Deny: "Deny", Once: "Allow once",
	Further: "For good?", Always: "Always"}

// Only the button that is pressed on purpose permits; everything else that a program may answer denies.
func TestPermit(t *testing.T) {
	once := wanted
	once.Further = ""
	for name, test := range map[string]struct {
		permission Permission
		answers    []string
		want       Permitted
		asked      int
	}{
		"Enter in curses":           {wanted, []string{pressedFirst}, Denied, 1},
		"Escape, closed, GTK Enter": {wanted, []string{cancelled}, Denied, 1},
		"fully cancelled":           {wanted, []string{"ERR 83886278 Fully cancelled"}, Denied, 1},
		"once, no always":           {once, []string{notConfirmed}, PermittedOnce, 1},
		"once":                      {wanted, []string{notConfirmed, pressedFirst}, PermittedOnce, 2},
		"always":                    {wanted, []string{notConfirmed, notConfirmed}, PermittedAlways, 2},
		"second closed":             {wanted, []string{notConfirmed, cancelled}, Denied, 2},
	} {
		t.Run(name, func(t *testing.T) {
			d, log := fake(t, fakeScript{Flavor: "curses", Confirms: test.answers})
			got, err := d.Permit(background, test.permission)
			if err != nil || got != test.want {
				t.Errorf("%v, %v; want %v", got, err, test.want)
			}
			if n := strings.Count(log(), "< CONFIRM"); n != test.asked {
				t.Errorf("%d dialogs, want %d", n, test.asked)
			}
			for _, line := range []string{"SETDESC https://portal.example%0Awants to log you in%0A%0AThe site says: hello", "SETOK Deny", "SETNOTOK Allow once", "SETCANCEL Cancel"} {
				if !slices.Contains(told(log()), line) {
					t.Errorf("not told %q: %q", line, told(log()))
				}
			}
		})
	}
}

// A program that cannot tell a closed window from a button is not asked at all.
func TestPermitWantsThreeButtons(t *testing.T) {
	for flavor, ok := range map[string]bool{"curses": true, "gtk2": true, "gtk2:curses": true, "qt": true, "gnome3:curses": true,
		"gnome3": false, "mac": false, "tty": false, "gnome3:tty": false, "": false, "curses:x": false} {
		d, log := fake(t, fakeScript{Flavor: flavor, Confirm: notConfirmed})
		got, err := d.Permit(background, wanted)
		if ok != (err == nil && got == PermittedAlways) || !ok && (!errors.Is(err, ErrNoProgram) || strings.Contains(log(), "CONFIRM")) {
			t.Errorf("%q: %v, %v\n%s", flavor, got, err, log())
		}
	}
	for name, script := range map[string]fakeScript{
		"no GETINFO":   {Unknown: []string{"GETINFO"}, Confirm: notConfirmed},
		"no SETNOTOK":  {Flavor: "curses", Unknown: []string{"SETNOTOK"}, Confirm: notConfirmed},
		"other errors": {Flavor: "curses", Confirm: "ERR 83886164 No tty"},
		"nonsense":     {Flavor: "curses", Confirm: "YES"},
		"crash":        {Flavor: "curses", Confirm: "!crash"},
	} {
		d, _ := fake(t, script)
		if got, err := d.Permit(background, wanted); err == nil || got != Denied {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestPermitEnds(t *testing.T) {
	d, _ := fake(t, fakeScript{Flavor: "curses", Confirm: "ERR 83886142 Timeout <Pinentry>"})
	if got, err := d.Permit(background, wanted); !errors.Is(err, card.ErrPINTimeout) || got != Denied {
		t.Errorf("timeout: %v, %v", got, err)
	}
	script := fakeScript{Flavor: "curses", Confirm: "!hang"}
	hangs := hanging(t, &script)
	d, _ = fake(t, script)
	ctx, cancel := context.WithCancel(background)
	go func() { <-hangs; cancel() }()
	if got, err := d.Permit(ctx, wanted); !errors.Is(err, context.Canceled) || got != Denied {
		t.Errorf("cancelled: %v, %v", got, err)
	}
	d, log := fake(t, fakeScript{Flavor: "curses", Confirm: notConfirmed})
	long := wanted
	long.Text = strings.Repeat("x", maxLine)
	if got, err := d.Permit(background, long); err == nil || got != Denied {
		t.Errorf("a question that does not fit: %v, %v\n%s", got, err, log())
	}
}

func TestChooseOne(t *testing.T) {
	c := Choice{Text: "Which card?", Options: [][]string{{"Reader 1"}, {"Reader 2"}}, Take: "This one", Next: "Next"}
	for name, test := range map[string]struct {
		answers []string
		want    int
	}{
		"first":        {[]string{notConfirmed}, 0},
		"second":       {[]string{pressedFirst, notConfirmed}, 1},
		"first, later": {[]string{pressedFirst, pressedFirst, notConfirmed}, 0},
		"none":         {[]string{pressedFirst, cancelled}, -1},
		"Enter, Enter": {nil, -1},
	} {
		d, log := fake(t, fakeScript{Flavor: "qt", Confirms: test.answers})
		if got, err := d.ChooseOne(background, c); err != nil || got != test.want {
			t.Errorf("%s: %d, %v", name, got, err)
		}
		if !slices.Contains(told(log()), "SETDESC Which card?%0A1 / 2%0A%0AReader 1") {
			t.Errorf("%s: told %q", name, told(log()))
		}
	}
	d, _ := fake(t, fakeScript{Flavor: "gnome3", Confirm: notConfirmed})
	if got, err := d.ChooseOne(background, c); !errors.Is(err, ErrNoProgram) || got != -1 {
		t.Errorf("two buttons: %d, %v", got, err)
	}
}
