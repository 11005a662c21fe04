package pcsc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
)

const (
	omnikey = "HID Global OMNIKEY 3x21 Smart Card Reader [OMNIKEY 3x21 Smart Card Reader] 00 00"
	acs     = "ACS ACR38U-CCID 01 00"
	acsTwo  = "ACS ACR38U-CCID 02 00"
	hello   = "Windows Hello for Business 1"
	yubikey = "Yubico YubiKey OTP+FIDO+CCID 03 00"
	modem   = "Microsoft UICC ISO Reader 94da5dd5 0"
)

func in(p card.Presence, names ...string) []card.ReaderState {
	var out []card.ReaderState
	for _, n := range names {
		out = append(out, card.ReaderState{Name: n, Card: p})
	}
	return out
}

func TestChoose(t *testing.T) {
	tests := []struct {
		name    string
		states  []card.ReaderState
		options Options
		want    []string // the readers chosen
		err     error
		text    string // part of the error's text
	}{
		{name: "no readers", err: card.ErrNoReader},
		{name: "the only card", states: append(in(card.Absent, acs), in(card.Present, omnikey)...), want: []string{omnikey}},
		{name: "several cards", states: in(card.Present, acs, omnikey), want: []string{acs, omnikey}},
		{name: "no card", states: in(card.Absent, acs, omnikey), err: card.ErrNoCard, text: acs + ", " + omnikey},
		{name: "a mute card", states: append(in(card.Absent, acs), in(card.Mute, omnikey)...), err: card.ErrMute, text: omnikey},
		{name: "a card goes before a mute one", states: append(in(card.Mute, acs), in(card.Present, omnikey)...), want: []string{omnikey}},
		{name: "readers that take no eID are passed over", states: append(in(card.Present, hello, yubikey, modem), in(card.Present, acs)...), want: []string{acs}},
		{name: "nothing but readers that take no eID", states: in(card.Present, hello, yubikey), err: card.ErrNoReader, text: hello},
		{name: "empty eID reader beside a security key", states: append(in(card.Present, yubikey), in(card.Absent, acs)...), err: card.ErrNoCard, text: acs},
		{name: "ignored by option", states: in(card.Present, acs, omnikey), options: Options{Ignore: []string{"acr38"}}, want: []string{omnikey}},
		{name: "an empty ignore entry ignores nothing", states: in(card.Present, acs), options: Options{Ignore: []string{""}}, want: []string{acs}},
		{name: "exact name", states: in(card.Present, acs, omnikey), options: Options{Name: acs}, want: []string{acs}},
		{name: "exact name goes before part", states: in(card.Present, acs, acs+" B"), options: Options{Name: acs}, want: []string{acs}},
		{name: "part of a name", states: in(card.Present, acs, omnikey), options: Options{Name: "omnikey"}, want: []string{omnikey}},
		{name: "a named reader is not ignored", states: in(card.Present, acs, yubikey), options: Options{Name: "yubi", Ignore: []string{"yubi"}}, want: []string{yubikey}},
		{name: "part of two names, one with a card", states: append(in(card.Absent, acs), in(card.Present, acsTwo)...), options: Options{Name: "ACS"}, want: []string{acsTwo}},
		{name: "part of two names with cards", states: in(card.Present, acs, acsTwo, omnikey), options: Options{Name: "acs"}, want: []string{acs, acsTwo}},
		{name: "named reader is empty", states: append(in(card.Absent, acs), in(card.Present, omnikey)...), options: Options{Name: acs}, err: card.ErrNoCard},
		{name: "no such reader", states: in(card.Present, acs), options: Options{Name: "gemalto"}, err: card.ErrNoReader, text: "gemalto"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.states)
			got, err := choose(tt.states, tt.options)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q lacks %q", err, tt.text)
			}
			if !slices.Equal(names(got), slices.Concat(tt.want)) {
				t.Errorf("chosen %q, want %q", names(got), tt.want)
			}
			if !slices.EqualFunc(tt.states, before, func(a, b card.ReaderState) bool { return a.Name == b.Name }) {
				t.Errorf("the list given was changed: %v", tt.states)
			}
		})
	}
}

func TestIgnores(t *testing.T) {
	tests := []struct {
		reader string
		want   bool
	}{
		{omnikey, false},
		{acs, false},
		{"Virtual PCD 00 00", false},
		{"Vasco DIGIPASS 870 [CCID] 00 00", false},
		{"Alcor Micro AU9560 00 00", false},
		{"SCM Microsystems Inc. SCR 3310 [CCID Interface] 00 00", false},
		{"Gemalto PC Twin Reader 00 00", false},
		{"Generic Simple Reader 00 00", false}, // "sim" is not a word of it
		{"Samsung Smart Card Reader 0", false},
		{hello, true},
		{"Windows Hello Face 0", true},
		{yubikey, true},
		{modem, true},
		{"Microsoft Virtual Smart Card 0", true},
		{"Nitrokey Nitrokey 3 [CCID/ICCD Interface] 00 00", true},
		{"HID Global OMNIKEY 5422 SAM 00 01", true},
		{"Sierra Wireless SIM 0", true},
		{"Google Titan Security Key 00 00", true},
		{"SoloKeys Solo 2 [CCID/ICCD Interface] 00 00", true},
		{"", false},
	}
	for _, tt := range tests {
		if got := (Options{}).Ignores(tt.reader); got != tt.want {
			t.Errorf("Ignores(%q) = %v, want %v", tt.reader, got, tt.want)
		}
	}
}

func TestChoiceErrorAsks(t *testing.T) {
	err := error(&ChoiceError{Readers: []string{acs, "Virtual PCD 00 00"}})
	if want := `which reader: "ACS ACR38U-CCID 01 00" or "Virtual PCD 00 00"?`; err.Error() != want {
		t.Errorf("asks %q, want %q", err, want)
	}
}
