//go:build unix

package pinentry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
)

var background = context.Background()

// digits are those of a PIN that has 6, for comparing: a PIN gives them away only as a block.
func digits(t *testing.T, p card.PIN) string {
	t.Helper()
	want, err := card.NewPIN([]byte(thePIN))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Equal(want) {
		b, err := p.Block()
		return fmt.Sprintf("block %X, %v", b, err)
	}
	return thePIN
}

func TestPIN(t *testing.T) {
	d, log := fake(t, fakeScript{GetPIN: []string{"D @PIN"}})
	d.Language, d.Timeout = "nl_BE.UTF-8", 90*time.Second
	p, err := d.PIN(background, Request{Purpose: Sign, About: []string{"Zoë Peeters-O'Neill", "100%\x1b[2J\u202etxt.exe\r\nBYE"}})
	if err != nil || digits(t, p) != thePIN {
		t.Fatalf("%v, %s", err, digits(t, p))
	}
	want := []string{
		"SETTITLE eID-kaart",
		"SETDESC Voer de pincode van uw eID-kaart in om te ondertekenen.%0ADeze handtekening bindt u zoals een op papier.%0A%0A" +
			"Zoë Peeters-O'Neill%0A100%25[2Jtxt.exe BYE",
		"SETPROMPT Pincode:",
		"SETOK OK",
		"SETCANCEL Annuleren",
		"SETTIMEOUT 90",
		"GETPIN",
		"BYE",
	}
	if got := told(log()); !reflect.DeepEqual(got, want) {
		t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	p.Wipe()
}

// The ways in which a program may send what was typed.
func TestPINData(t *testing.T) {
	for name, answer := range map[string]string{
		"plain":     "D @PIN",
		"escaped":   "D 27%31%3828",
		"in pieces": "D 271\nD 828",
		"CRLF":      "D @PIN\r",
		"around":    "# remark\nS SOMETHING else\nS\nD @PIN\nS END",
		"inquiry":   "INQUIRE QUALITY @PIN\nD @PIN",
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := fake(t, fakeScript{GetPIN: []string{answer}})
			if p, err := d.PIN(background, Request{}); err != nil || digits(t, p) != thePIN {
				t.Errorf("%v, %s", err, digits(t, p))
			}
		})
	}
}

// What is no PIN is asked for again, with a message, and never reaches the caller.
func TestPINAskedAgain(t *testing.T) {
	bad := []string{"D 123", "D 1234567890123", "D 12 34", "D 12a456", "D 1234%0A", "", "D ", "D " + strings.Repeat("1", 300)}
	d, log := fake(t, fakeScript{GetPIN: append(slices.Clone(bad), "D @PIN")})
	p, err := d.PIN(background, Request{TriesLeft: 1, Wrong: true})
	if err != nil || digits(t, p) != thePIN {
		t.Fatalf("%v, %s", err, digits(t, p))
	}
	lines := strings.Join(told(log()), "\n")
	if n := strings.Count(lines, "SETERROR A PIN has 4 to 12 digits and nothing else. No try was used."); n != len(bad) {
		t.Errorf("told %d times of %d why\n%s", n, len(bad), lines)
	}
	if n := strings.Count(lines, "Last try: a wrong PIN will block the card."); n != len(bad)+1 {
		t.Errorf("warned of the last try %d times", n)
	}
	if !strings.Contains(lines, "SETERROR Wrong PIN.") {
		t.Errorf("not told that the PIN was wrong:\n%s", lines)
	}

	d, log = fake(t, fakeScript{GetPIN: []string{"D 123"}})
	if _, err := d.PIN(background, Request{}); err == nil || strings.Count(log(), "GETPIN") != maxAsks {
		t.Errorf("asked for ever: %v, %d times", err, strings.Count(log(), "GETPIN"))
	}
}

func TestPUK(t *testing.T) {
	d, log := fake(t, fakeScript{GetPIN: []string{"D 12345678", "D 222222111111"}})
	p, err := d.PIN(background, Request{Purpose: Unblock, TriesLeft: 1})
	if err != nil || p.Len() != 12 {
		t.Fatalf("%d digits, %v", p.Len(), err)
	}
	lines := log()
	for _, want := range []string{"SETERROR The unblocking code has 12 digits", "SETPROMPT PUK:", "Last try: a wrong code will make unblocking impossible."} {
		if !strings.Contains(lines, want) {
			t.Errorf("lacks %q:\n%s", want, lines)
		}
	}
}

func TestNewPIN(t *testing.T) {
	tests := []struct {
		name    string
		script  fakeScript
		getPINs int
		want    string // in what the program is told
		err     error
	}{
		{"program repeats", fakeScript{GetPIN: []string{"S PIN_REPEATED\nD @PIN"}}, 1, "SETREPEAT New PIN again:\nSETREPEATERROR The two entries", nil},
		{"program ignores the repeat", fakeScript{GetPIN: []string{"D @PIN"}}, 2, "SETPROMPT New PIN again:", nil},
		{"program does not know it", fakeScript{GetPIN: []string{"D @PIN"}, Unknown: []string{"SETREPEAT", "SETREPEATERROR"}}, 2,
			"SETPROMPT New PIN again:", nil},
		{"entries differ", fakeScript{GetPIN: []string{"D 1234", "D 1235", "D @PIN"}}, 4, "SETERROR The two entries of the new PIN differ.", nil},
		{"second is longer", fakeScript{GetPIN: []string{"D 1234", "D 12345", "D @PIN"}}, 4, "SETERROR The two entries", nil},
		{"no PIN first", fakeScript{GetPIN: []string{"D 12", "D @PIN"}}, 3, "SETERROR A PIN has", nil},
		{"cancelled at the second", fakeScript{GetPIN: []string{"D @PIN", "ERR 83886179 cancelled"}}, 2, "", card.ErrPINCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, log := fake(t, tt.script)
			p, err := d.PIN(background, Request{Purpose: NewPIN})
			if !errors.Is(err, tt.err) || (err == nil && digits(t, p) != thePIN) || (err != nil && p.Len() != 0) {
				t.Errorf("%v, %s", err, digits(t, p))
			}
			lines := strings.Join(told(log()), "\n")
			if strings.Count(lines, "GETPIN") != tt.getPINs || !strings.Contains(lines, tt.want) {
				t.Errorf("told:\n%s", lines)
			}
		})
	}
}

// Programs that know little still work, as long as the user sees what he is asked.
func TestOldProgram(t *testing.T) {
	d, _ := fake(t, fakeScript{GetPIN: []string{"D @PIN"}, Unknown: []string{"OPTION", "SETTITLE", "SETOK", "SETCANCEL", "SETTIMEOUT", "SETERROR"}})
	if p, err := d.PIN(background, Request{Wrong: true}); err != nil || digits(t, p) != thePIN {
		t.Errorf("%v", err)
	}
	for _, must := range []string{"SETDESC", "SETPROMPT"} {
		d, log := fake(t, fakeScript{GetPIN: []string{"D @PIN"}, Unknown: []string{must}})
		if _, err := d.PIN(background, Request{}); err == nil || strings.Contains(log(), "GETPIN") {
			t.Errorf("asked without %s: %v", must, err)
		}
	}
}

func TestConfirmAndMessage(t *testing.T) {
	q := Question{Text: "Sign?", About: []string{"contract.pdf"}, OK: "Sign", Cancel: "Do not sign"}
	for _, tt := range []struct {
		answer string
		want   bool
		err    error
	}{
		{"OK", true, nil}, {"ERR 83886179 cancelled", false, nil}, {"ERR 83886194 no", false, nil}, {"ERR 83886142 timeout", false, card.ErrPINTimeout},
		{"garbage", false, errProtocol},
	} {
		d, log := fake(t, fakeScript{Confirm: tt.answer})
		if got, err := d.Confirm(background, q); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, %v", tt.answer, got, err)
		}
		lines := strings.Join(told(log()), "\n")
		if !strings.Contains(lines, "SETDESC Sign?%0A%0Acontract.pdf\nSETOK Sign\nSETCANCEL Do not sign\n") || !strings.Contains(lines, "\nCONFIRM") {
			t.Errorf("told:\n%s", lines)
		}
		d, _ = fake(t, fakeScript{Confirm: tt.answer})
		if err := d.Message(background, q); !errors.Is(err, tt.err) {
			t.Errorf("message, %s: %v", tt.answer, err)
		}
	}
	d, log := fake(t, fakeScript{Unknown: []string{"MESSAGE"}})
	if err := d.Message(background, Question{Text: "Hello"}); err != nil || !strings.Contains(log(), "CONFIRM --one-button") {
		t.Errorf("program without MESSAGE: %v", err)
	}
	d, log = fake(t, fakeScript{})
	d.Language = "fr"
	if again, err := d.TryAgain(background, 2); err != nil || !again || !strings.Contains(log(), "SETDESC Code PIN erroné. Il reste 2 essais.%0ARéessayer ?\n") {
		t.Errorf("try again: %v, %v, %s", again, err, log())
	}
	d, log = fake(t, fakeScript{})
	if again, err := d.TryAgain(background, 1); err != nil || !again || !strings.Contains(log(), "Last try: a wrong PIN will block the card.") {
		t.Errorf("last try: %v, %v, %s", again, err, log())
	}
}

func TestNoProgram(t *testing.T) {
	d := Dialog{Program: t.TempDir() + "/absent"}
	if _, err := d.PIN(background, Request{}); !errors.Is(err, ErrNoProgram) {
		t.Error(err)
	}
	if _, err := d.Confirm(background, Question{}); !errors.Is(err, ErrNoProgram) {
		t.Error(err)
	}
	if err := d.Message(background, Question{}); !errors.Is(err, ErrNoProgram) {
		t.Error(err)
	}
	broken := t.TempDir() + "/broken"
	if err := os.WriteFile(broken, []byte("\x7fELF nonsense"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := (Dialog{Program: broken}).PIN(background, Request{}); err == nil {
		t.Error("a broken program was run")
	}
}
