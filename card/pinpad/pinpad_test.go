package pinpad

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
)

// keypad is a reader whose answers to control calls a test chooses. No command may reach its card.
type keypad struct {
	name    string
	answers map[uint32]string // hexadecimal
	errs    map[uint32]error
	asked   []string
	sent    int // commands to the card
}

func (k *keypad) Name() string                                               { return k.name }
func (k *keypad) Connect(context.Context, card.Mode) (card.Transport, error) { return k, nil }
func (k *keypad) ATR() []byte                                                { return []byte{0x3B, 0x00} }
func (k *keypad) Protocol() card.Protocol                                    { return card.ProtocolT0 }
func (k *keypad) Transmit(context.Context, []byte) ([]byte, error) {
	k.sent++
	return []byte{0x90, 0}, nil
}
func (k *keypad) Status(context.Context) error                { return nil }
func (k *keypad) Begin(context.Context) error                 { return nil }
func (k *keypad) End(context.Context, card.Disposition) error { return nil }
func (k *keypad) Reconnect(context.Context) error             { return nil }
func (k *keypad) Close() error                                { return nil }

func (k *keypad) Control(_ context.Context, code uint32, data []byte) ([]byte, error) {
	k.asked = append(k.asked, fmt.Sprintf("%08X %X", code, data))
	if err := k.errs[code]; err != nil {
		return nil, err
	}
	answer, ok := k.answers[code]
	if !ok {
		return nil, card.ErrUnsupported
	}
	return unhex(answer), nil
}

const (
	verifyCode, modifyCode, propertiesCode, tlvCode = 0x42330006, 0x42330007, 0x4233000A, 0x42330012

	directs = "060442330006" + "070442330007"
	all     = directs + "0A044233000A" + "120442330012"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func newKeypad(features string) *keypad {
	return &keypad{name: "Some Reader 00 00", answers: map[uint32]string{getFeatureRequest: features}, errs: map[uint32]error{}}
}

// do runs f in a transaction with k and checks that nothing was sent to the card by itself.
func (k *keypad) do(t *testing.T, f func(tx *card.Tx) error) error {
	t.Helper()
	c, err := card.Open(context.Background(), k)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Do(context.Background(), f)
	if k.sent != 0 {
		t.Errorf("%d commands reached the card", k.sent)
	}
	return err
}

func (k *keypad) find(t *testing.T) (p *Pinpad, err error) {
	t.Helper()
	err = k.do(t, func(tx *card.Tx) error {
		p, err = Find(tx, k.name)
		return err
	})
	return p, err
}

// The vectors were made by a C program with the structures of pcsc-lite's reader.h and the values of the facts sheet.
const (
	verifyVector = "1E1E 89 47 04 0C04 02 01 1304 00 000000 0D000000 0020000108 20FFFFFFFFFFFFFF"
	// The same with INS 2C, and 12 digits as the least and the most.
	unblockVector = "1E1E 89 47 04 0C0C 02 01 1304 00 000000 0D000000 002C000108 20FFFFFFFFFFFFFF"
	modifyVector  = "1E1E 89 47 04 00 08 0C04 03 02 03 0C04 00 01 02 000000 15000000 0024000110 20FFFFFFFFFFFFFF 20FFFFFFFFFFFFFF"
)

func upper(s string) string { return strings.ToUpper(strings.ReplaceAll(s, " ", "")) }

func TestStructures(t *testing.T) {
	k := newKeypad(directs)
	k.answers[verifyCode], k.answers[modifyCode] = "9000", "9000"
	err := k.do(t, func(tx *card.Tx) error {
		p, err := Find(tx, k.name)
		if err != nil {
			return err
		}
		if !p.CanChange() {
			t.Error("cannot change")
		}
		return errors.Join(p.Verify(tx, Request{Reference: 1, Language: "nl"}), p.Change(tx, Request{Reference: 1, Language: "fr"}),
			p.Unblock(tx, Request{Reference: 1, Language: "nl"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		fmt.Sprintf("%08X ", uint32(getFeatureRequest)),
		"42330006 " + upper(verifyVector),
		"42330007 " + upper(modifyVector),
		"42330006 " + upper(unblockVector),
	}
	if strings.Join(k.asked, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked:\n%s\nwant:\n%s", strings.Join(k.asked, "\n"), strings.Join(want, "\n"))
	}
}

func TestRequestFields(t *testing.T) {
	p := &Pinpad{}
	for lang, want := range map[string]string{"en": "0904", "": "0904", "es": "0904", "nl": "1304", "fr": "0C04", "de": "0704"} {
		if b := p.verifyStructure(0x20, Request{Language: lang}); !bytes.Equal(b[9:11], unhex(want)) {
			t.Errorf("language %q: %X, want %s", lang, b[9:11], want)
		}
		if b := p.modifyStructure(Request{Language: lang}); !bytes.Equal(b[12:14], unhex(want)) {
			t.Errorf("language %q, change: %X, want %s", lang, b[12:14], want)
		}
	}
	for timeout, want := range map[time.Duration]byte{0: 30, -time.Second: 30, time.Millisecond: 1, time.Second: 1, 90 * time.Second: 90,
		time.Hour: 255} {
		if b := p.verifyStructure(0x20, Request{Timeout: timeout}); b[0] != want || b[1] != want {
			t.Errorf("timeout %v: %d and %d s", timeout, b[0], b[1])
		}
	}
	if b := p.verifyStructure(0x20, Request{Reference: 0x84}); b[22] != 0x84 {
		t.Errorf("reference: %X", b)
	}
}

func TestQuirks(t *testing.T) {
	tests := []struct {
		reader, firmware string
		format, most     byte
	}{
		{"Some Reader 00 00", "", 0x89, 12},
		{"Gemalto GemPC Pinpad Smart Card Reader 00 00", "", 0x89, 8},
		{"SCM Microsystems Inc. SPRx32 USB Smart Card Reader 0", "", 0x89, 12},
		{"SCM Microsystems Inc. SPRx32 USB Smart Card Reader 0", "5.05", 0x01, 12},
		{"SCM Microsystems Inc. SPRx32 USB Smart Card Reader 0", "SPRx32 V4.15", 0x01, 12},
		{"SCM Microsystems Inc. SPRx32 USB Smart Card Reader 0", "5.06", 0x89, 12},
		{"SCM Microsystems Inc. SPRx32 USB Smart Card Reader 0", "5.10", 0x89, 12},
		{"SCM Microsystems Inc. SPRx32 USB Smart Card Reader 0", "no number", 0x89, 12},
		{"SCM SPR 532 (60200DC5) 00 00", "5.04", 0x01, 12},
		{"SPR532 00 00", "5.04.1", 0x01, 12},
		{"Another Reader", "5.04", 0x89, 12},
	}
	for _, tt := range tests {
		p := &Pinpad{quirk: quirkOf(tt.reader), props: Properties{Firmware: tt.firmware}}
		b, m := p.verifyStructure(0x20, Request{}), p.modifyStructure(Request{})
		if b[2] != tt.format || b[5] != tt.most || b[6] != 4 || m[2] != tt.format || m[7] != tt.most || m[8] != 4 {
			t.Errorf("%s, firmware %q: %X", tt.reader, tt.firmware, b)
		}
	}
}

// A reader that would send an empty VERIFY is not even asked.
func TestRefusedReader(t *testing.T) {
	k := newKeypad(all)
	k.name = "Gemplus GemPC Pinpad 00 00"
	if _, err := k.find(t); !errors.Is(err, card.ErrUnsupported) || len(k.asked) != 0 {
		t.Errorf("%v, asked %v", err, k.asked)
	}
}

func TestFindWithoutKeypad(t *testing.T) {
	for name, features := range map[string]string{
		"no features":       "",
		"others only":       "0A044233000A 120442330012",
		"modify only":       "070442330007",
		"code 0":            "060400000000",
		"wrong length":      "060342330006",
		"cut":               "0604423300",
		"tag alone":         "06",
		"start and finish":  "010442330001 020442330002",
		"cut after a sound": directs + "0A04",
		"endless":           strings.Repeat(directs, 500),
	} {
		k := newKeypad(features)
		if _, err := k.find(t); !errors.Is(err, card.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, want := range []error{card.ErrUnsupported, card.ErrRemoved, card.ErrNoService} {
		k := newKeypad("")
		k.errs[getFeatureRequest] = want
		if _, err := k.find(t); !errors.Is(err, want) {
			t.Errorf("%v: %v", want, err)
		}
	}
}

func TestCannotChange(t *testing.T) {
	k := newKeypad("060442330006")
	err := k.do(t, func(tx *card.Tx) error {
		p, err := Find(tx, k.name)
		if err != nil {
			t.Fatal(err)
		}
		if p.CanChange() {
			t.Error("can change")
		}
		return p.Change(tx, Request{Reference: 1})
	})
	if !errors.Is(err, card.ErrUnsupported) || len(k.asked) != 1 {
		t.Errorf("%v, asked %v", err, k.asked)
	}
}

// A PUK has 12 digits.
func TestUnblockNeedsTwelveDigits(t *testing.T) {
	k := newKeypad(directs)
	k.name = "Gemalto GemPC Pinpad"
	err := k.do(t, func(tx *card.Tx) error {
		p, err := Find(tx, k.name)
		if err != nil {
			t.Fatal(err)
		}
		return p.Unblock(tx, Request{Reference: 1})
	})
	if !errors.Is(err, card.ErrUnsupported) || len(k.asked) != 1 {
		t.Errorf("%v, asked %v", err, k.asked)
	}
}

// A PUK too short would cost one of its tries: the reader is told to take 12 digits, whatever it says of itself.
func TestUnblockTakesTwelveDigitsOnly(t *testing.T) {
	for _, props := range []Properties{{}, {MinPIN: 1, MaxPIN: 64}, {MinPIN: 6, MaxPIN: 12}} {
		p := &Pinpad{props: props}
		if b := p.verifyStructure(insUnblock, Request{}); b[5] != 12 || b[6] != 12 {
			t.Errorf("%+v: %d to %d digits", props, b[6], b[5])
		}
	}
}

func TestResults(t *testing.T) {
	every := []error{ErrDiffer, ErrFormat, card.ErrPINCancelled, card.ErrPINTimeout, card.ErrUnsupported, card.ErrReader, card.ErrPINBlocked,
		card.ErrNotFound, card.ErrRemoved}
	tests := []struct {
		answer string
		want   error
	}{
		{"6400", card.ErrPINTimeout}, {"6401", card.ErrPINCancelled}, {"6402", ErrDiffer}, {"6403", ErrFormat},
		{"6B80", card.ErrUnsupported}, {"6983", card.ErrPINBlocked}, {"63C0", card.ErrPINBlocked}, {"6A88", card.ErrNotFound},
		{"63C2", nil}, {"6A80", nil}, {"6404", nil},
		{"", card.ErrReader}, {"90", card.ErrReader}, {"009000", card.ErrReader},
	}
	for _, tt := range tests {
		k := newKeypad(directs)
		k.answers[verifyCode], k.answers[modifyCode] = tt.answer, tt.answer
		for name, enter := range map[string]func(*Pinpad, *card.Tx, Request) error{"verify": (*Pinpad).Verify, "change": (*Pinpad).Change,
			"unblock": (*Pinpad).Unblock} {
			err := k.do(t, func(tx *card.Tx) error {
				p, err := Find(tx, k.name)
				if err != nil {
					t.Fatal(err)
				}
				return enter(p, tx, Request{Reference: 1})
			})
			if err == nil {
				t.Errorf("%s, %s: no error", name, tt.answer)
			}
			for _, e := range every {
				if errors.Is(err, e) != (e == tt.want) {
					t.Errorf("%s, %s: errors.Is(%v, %v) is %v", name, tt.answer, err, e, e != tt.want)
				}
			}
			var wrong *card.PINError
			if got := errors.As(err, &wrong); got != strings.HasPrefix(tt.answer, "63C") {
				t.Errorf("%s, %s: PINError is %v", name, tt.answer, got)
			}
		}
	}
}

// A reset by another program met at the entry is not answered by a second entry: the first may have spent a try.
func TestNeverEnteredTwice(t *testing.T) {
	k := newKeypad(directs)
	k.errs[verifyCode] = card.ErrReset
	entries := 0
	err := k.do(t, func(tx *card.Tx) error {
		p, err := Find(tx, k.name)
		if err != nil {
			t.Fatal(err)
		}
		entries++
		return p.Verify(tx, Request{Reference: 1})
	})
	if !errors.Is(err, card.ErrReset) || entries != 1 {
		t.Errorf("%v after %d entries", err, entries)
	}
}

func TestProperties(t *testing.T) {
	k := newKeypad(all)
	k.answers[propertiesCode] = "1002 07 0F"
	k.answers[tlvCode] = "0102 1402 060105 07010A 0806 56352E30370A 0B02 E604 0C02 03E0 7F00 0601"
	p, err := k.find(t)
	want := Properties{Lines: 2, Columns: 20, MinPIN: 5, MaxPIN: 10, Firmware: "V5.07", Vendor: 0x04E6, Product: 0xE003}
	if err != nil || p.Properties() != want {
		t.Fatalf("%+v, %v", p, err)
	}
	if b := p.verifyStructure(0x20, Request{}); b[5] != 10 || b[6] != 5 {
		t.Errorf("digits %d to %d", b[6], b[5])
	}
	// The card's own bounds hold, and nonsense from the reader is no bound at all.
	for _, tt := range []struct{ least, most, wantLeast, wantMost int }{
		{0, 0, 4, 12}, {1, 64, 4, 12}, {6, 8, 6, 8}, {200, 255, 4, 12}, {0, 2, 4, 12}, {10, 6, 4, 6},
	} {
		p := Pinpad{props: Properties{MinPIN: tt.least, MaxPIN: tt.most}}
		if least, most := p.digits(); int(least) != tt.wantLeast || int(most) != tt.wantMost {
			t.Errorf("reader %d to %d: %d to %d", tt.least, tt.most, least, most)
		}
	}
	// A reader that does not answer has no properties, and works.
	k = newKeypad(all)
	if p, err := k.find(t); err != nil || p.Properties() != (Properties{}) {
		t.Errorf("%+v, %v", p, err)
	}
	k.answers[propertiesCode], k.answers[tlvCode] = "10", "0105 01"
	if p, err := k.find(t); err != nil || p.Properties() != (Properties{}) {
		t.Errorf("%+v, %v", p, err)
	}
}

// The same over a recorded script: any transport will do.
func TestOverScript(t *testing.T) {
	s, err := card.ParseScript(strings.NewReader(fmt.Sprintf("reader Script\natr 3B00\ncontrol %08X\n< 060442330006\ncontrol 42330006 %s\n< 63C1\n",
		uint32(getFeatureRequest), verifyVector)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := card.Open(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Do(context.Background(), func(tx *card.Tx) error {
		p, err := Find(tx, s.Name())
		if err != nil {
			return err
		}
		return p.Verify(tx, Request{Reference: 1, Language: "nl"})
	})
	var wrong *card.PINError
	if !errors.As(err, &wrong) || wrong.TriesLeft != 1 {
		t.Error(err)
	}
	if err := s.Done(); err != nil {
		t.Error(err)
	}
}

func FuzzFeatures(f *testing.F) {
	f.Add(unhex(all))
	f.Add(unhex("0604"))
	f.Add(unhex("0000 0604 42330006"))
	f.Fuzz(func(t *testing.T, b []byte) {
		features, err := parseFeatures(b)
		if err == nil && len(features) > len(b)/6 {
			t.Errorf("%d features in %d bytes", len(features), len(b))
		}
	})
}

func FuzzProperties(f *testing.F) {
	f.Add(unhex("0102 1402 060105 07010A 0806 56352E30370A 0B02 E604 0C02 03E0"))
	f.Add(unhex("08FF 41"))
	f.Add([]byte("\x08\x09a99999999.9"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var props Properties
		props.parseTLV(b)
		p := Pinpad{props: props, quirk: quirkOf("SPR532")}
		least, most := p.digits()
		if least < minDigits || most > maxDigits || least > most {
			t.Errorf("%X: %d to %d digits", b, least, most)
		}
		if s := p.verifyStructure(0x20, Request{}); len(s) != 32 || (s[2] != formatString && s[2] != formatStringOld) {
			t.Errorf("%X: structure %X", b, s)
		}
	})
}
