//go:build unix

package pinentry

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
)

// TestSecret: a passphrase may be anything, and what is shown from outside is harmless.
func TestSecret(t *testing.T) {
	d, log := fake(t, fakeScript{GetPIN: []string{"D p%25 a\u00df!"}})
	d.Language = "de"
	typed, err := d.Secret(background, SecretRequest{Title: "Datei", Text: "Passwort der Datei.", Prompt: "Passwort:", Problem: "Falsch.",
		About: []string{"keys\u202efdp.p12\nBYE"}})
	if err != nil || string(typed) != "p% a\u00df!" {
		t.Fatalf("%q, %v", typed, err)
	}
	want := []string{"SETTITLE Datei", "SETDESC Passwort der Datei.%0A%0Akeysfdp.p12 BYE", "SETPROMPT Passwort:", "SETERROR Falsch.", "SETOK OK",
		"SETCANCEL Abbrechen", "SETTIMEOUT 120", "GETPIN", "BYE"}
	if got := told(log()); !reflect.DeepEqual(got, want) {
		t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSecretFailures(t *testing.T) {
	d, _ := fake(t, fakeScript{GetPIN: []string{"ERR 83886179 Operation cancelled <Pinentry>"}})
	if typed, err := d.Secret(background, SecretRequest{Text: "x"}); !errors.Is(err, card.ErrPINCancelled) || typed != nil {
		t.Errorf("cancelled: %q, %v", typed, err)
	}
	d, _ = fake(t, fakeScript{GetPIN: []string{""}})
	if typed, err := d.Secret(background, SecretRequest{Text: "x"}); err != nil || len(typed) != 0 {
		t.Errorf("nothing typed: %q, %v", typed, err)
	}
	d.Program = "/does/not/exist"
	if _, err := d.Secret(background, SecretRequest{Text: "x"}); !errors.Is(err, ErrNoProgram) {
		t.Errorf("no program: %v", err)
	}
}
