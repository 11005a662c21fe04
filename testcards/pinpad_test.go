package testcards

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/eidkit/eidkit/card"
)

// The structures of sheet 5.3, byte for byte.
const (
	padVerify = "1E1E 89 47 04 0C04 02 01 0409 00 000000 0D000000 0020000108 20FFFFFFFFFFFFFF"
	padModify = "1E1E 89 47 04 0008 0C04 03 02 03 0409 000102 000000 15000000 0024000110 20FFFFFFFFFFFFFF 20FFFFFFFFFFFFFF"
	padPUK    = "1E1E 89 47 04 0C04 02 01 0409 00 000000 0D000000 002C000108 20FFFFFFFFFFFFFF"
)

// padReader is a reader with a pinpad, a card in it and a connection.
func padReader(t *testing.T, profile string) (*Reader, *Card, card.Transport) {
	t.Helper()
	r := NewReader("pad", ReaderOptions{Pinpad: true})
	c := open(t, profile, Options{})
	r.Insert(c)
	return r, c, connect(t, r, card.Shared)
}

// features asks for the control codes as PC/SC part 10, section 2.2 has it.
func features(t *testing.T, c card.Transport) map[byte]uint32 {
	t.Helper()
	b, err := c.Control(bg, 0x42000D48, nil)
	if err != nil || len(b)%6 != 0 {
		t.Fatalf("features: %X, %v", b, err)
	}
	codes := map[byte]uint32{}
	for ; len(b) > 0; b = b[6:] {
		codes[b[0]] = binary.BigEndian.Uint32(b[2:])
	}
	return codes
}

func TestPinpad(t *testing.T) {
	for _, test := range []struct {
		what, profile string
		modify        bool
		structure     string
		typed         []string
		want          string
		tries         int
	}{
		{"right", "citizen-1.8", false, padVerify, []string{"1234"}, "9000", 3},
		{"wrong", "citizen-1.8", false, padVerify, []string{"1235"}, "63C2", 2},
		{"wrong, longer", "citizen-1.7", false, padVerify, []string{"123456789012"}, "63C2", 2},
		{"blocked", "blocked-1.7", false, padVerify, []string{"1234"}, "6983", 0},
		{"cancelled", "citizen-1.8", false, padVerify, []string{PressCancel}, "6401", 3},
		{"timed out", "citizen-1.8", false, padVerify, []string{LetTimeOut}, "6400", 3},
		{"too short", "citizen-1.8", false, padVerify, []string{"123"}, "6403", 3},
		{"too long", "citizen-1.8", false, padVerify, []string{"1234567890123"}, "6403", 3},
		{"no digits", "citizen-1.8", false, padVerify, []string{"12a4"}, "6403", 3},
		{"PUK", "blocked-1.7", false, padPUK, []string{PUK}, "9000", 3},
		{"change", "citizen-1.8", true, padModify, []string{"1234", "98765", "98765"}, "9000", 3},
		{"change, differ", "citizen-1.8", true, padModify, []string{"1234", "9876", "9877"}, "6402", 3},
		{"change, cancelled at the second", "citizen-1.8", true, padModify, []string{"1234", PressCancel}, "6401", 3},
		{"change, timed out at the third", "citizen-1.8", true, padModify, []string{"1234", "9876", LetTimeOut}, "6400", 3},
		{"change, old one wrong", "citizen-1.8", true, padModify, []string{"4321", "9876", "9876"}, "63C2", 2},
		{"change, new one short", "citizen-1.8", true, padModify, []string{"1234", "98"}, "6403", 3},
		{"cut", "citizen-1.8", false, padVerify[:30], nil, "6B80", 3},
		{"wrong length", "citizen-1.8", false, "1E1E 89 47 04 0C04 02 01 0409 00 000000 0E000000 0020000108 20FFFFFFFFFFFFFF", nil, "6B80", 3},
		{"ASCII", "citizen-1.8", false, "1E1E 8A 47 04 0C04 02 01 0409 00 000000 0D000000 0020000108 20FFFFFFFFFFFFFF", nil, "6B80", 3},
		{"block outside the command", "citizen-1.8", false, "1E1E 89 4F 04 0C04 02 01 0409 00 000000 0D000000 0020000108 20FFFFFFFFFFFFFF", nil, "6B80", 3},
		{"length outside the block", "citizen-1.8", false, "1E1E 89 47 18 0C04 02 01 0409 00 000000 0D000000 0020000108 20FFFFFFFFFFFFFF", nil, "6B80", 3},
		{"new PIN outside the command", "citizen-1.8", true, "1E1E 89 47 04 0009 0C04 03 02 03 0409 000102 000000 15000000 0024000110 20FFFFFFFFFFFFFF 20FFFFFFFFFFFFFF", nil, "6B80", 3},
	} {
		r, chip, c := padReader(t, test.profile)
		codes := features(t, c)
		code := codes[0x06]
		if test.modify {
			code = codes[0x07]
		}
		r.Type(test.typed...)
		text := test.structure
		if len(bytes.ReplaceAll([]byte(text), []byte(" "), nil))%2 != 0 {
			text = text[:len(text)-1]
		}
		resp, err := c.Control(bg, code, unhex(t, text))
		if err != nil || fmt.Sprintf("%X", resp) != test.want {
			t.Errorf("%s: %X, %v; want %s", test.what, resp, err, test.want)
		}
		if chip.PINTries() != test.tries {
			t.Errorf("%s: %d tries left, want %d", test.what, chip.PINTries(), test.tries)
		}
		if test.what == "change" {
			r.Type("98765")
			if resp, err := c.Control(bg, codes[0x06], unhex(t, padVerify)); err != nil || fmt.Sprintf("%X", resp) != "9000" {
				t.Errorf("the new PIN: %X, %v", resp, err)
			}
		}
		for _, e := range chip.Exchanges() {
			if len(e.Command) > 5 {
				t.Errorf("%s: the trace holds %X", test.what, e.Command)
			}
		}
	}
}

// While the person thinks, others wait; the wait ends with the call's context, Close or removal, and nothing goes to the card.
func TestPinpadWaits(t *testing.T) {
	for name, want := range map[string]error{"typed": nil, "context": context.Canceled, "Close": card.ErrClosed, "removal": card.ErrRemoved} {
		synctest.Test(t, func(t *testing.T) {
			r, chip, c := padReader(t, "citizen-1.8")
			other := connect(t, r, card.Shared)
			code := features(t, c)[0x06]
			ctx, cancel := context.WithCancel(bg)
			defer cancel()
			done, passed := make(chan error, 1), make(chan error, 1)
			go func() { _, err := c.Control(ctx, code, unhex(t, padVerify)); done <- err }()
			synctest.Wait()
			go func() { _, err := other.Transmit(bg, cardData); passed <- err }()
			synctest.Wait()
			if len(done)+len(passed) > 0 || chip.Stats().Commands > 0 {
				t.Fatalf("%s: nobody waited", name)
			}
			switch name {
			case "typed":
				r.Type("1234")
			case "context":
				cancel()
			case "Close":
				c.Close()
			case "removal":
				r.Remove()
			}
			if err := <-done; want == nil && err != nil || want != nil && fmt.Sprint(err) == "<nil>" {
				t.Errorf("%s: %v", name, err)
			} else if want != nil {
				wantErr(t, name, err, want)
			}
			if err := <-passed; name != "removal" && err != nil {
				t.Errorf("%s: the other program: %v", name, err)
			}
		})
	}
}

func TestPinpadUnsupported(t *testing.T) {
	_, _, c := padReader(t, "citizen-1.8")
	_, err := c.Control(bg, 0x42000001, nil)
	wantErr(t, "unknown code", err, card.ErrUnsupported)
	if b, err := c.Control(bg, 0x313520, nil); err != nil || len(b) != 12 {
		t.Errorf("features by the number of Windows: %X, %v", b, err)
	}
}

// Faults count the pinpad's command like any other.
func TestPinpadFaults(t *testing.T) {
	r, chip, c := padReader(t, "citizen-1.8")
	code := features(t, c)[0x06]
	r.SetFaults(Fault{Kind: TakeOutAfter})
	r.Type("9999")
	_, err := c.Control(bg, code, unhex(t, padVerify))
	wantErr(t, "taken out after VERIFY", err, card.ErrRemoved)
	if chip.PINTries() != 2 {
		t.Errorf("%d tries", chip.PINTries())
	}
}

// Whatever structure comes, the pad formats within the command or refuses.
func FuzzPinpad(f *testing.F) {
	for _, text := range []string{padVerify, padModify, padPUK} {
		var b []byte
		fmt.Sscanf(string(bytes.ReplaceAll([]byte(text), []byte(" "), nil)), "%X", &b)
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, modify bool) {
		q, ok := parsePad(b, modify)
		if !ok {
			return
		}
		q.put(q.old, "123456789012"[:min(12, q.longest)])
		if modify {
			q.put(q.new, "123456789012"[:min(12, q.longest)])
		}
	})
}
