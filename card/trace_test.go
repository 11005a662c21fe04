package card

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestTrace(t *testing.T) {
	f := newFake("00B0000004", "AABB9000", "002000010824 1234FFFFFFFFFF", "")
	f.transmit = func(_ context.Context, cmd []byte) ([]byte, error) {
		switch cmd[1] {
		case 0xB0:
			return unhex("AABB9000"), nil
		case 0x20:
			return unhex("63C2"), nil
		case 0xCA:
			return []byte{0x90}, nil
		}
		return nil, ErrRemoved
	}
	var out bytes.Buffer
	trace := Trace{Out: &out}
	c := open(t, trace.Reader(f))
	err := c.Do(background, func(tx *Tx) error {
		tx.Send(Command{INS: 0xB0, Le: 4})
		tx.Send(Command{INS: 0x20, P2: 1, Data: unhex("241234FFFFFFFFFF")})
		tx.Send(Command{INS: 0xCA})
		tx.Send(Command{INS: 0xC0})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `== "Fake Reader 00": ATR 3B00
>> 00B0000004
<< AABB 9000
>> 0020000108****************
<< 63C2
>> 00CA0000
<< 90
>> 00C00000
<< the card was removed
`
	if out.String() != want {
		t.Errorf("trace:\n%s\nwant:\n%s", out.String(), want)
	}
	stats := trace.Stats()
	if stats.Commands != 4 || stats.Sent != 5+13+4+4 || stats.Received != 4+2+1 || stats.Time < 0 {
		t.Errorf("%+v", stats)
	}
}

// The zero Trace counts and prints nowhere; a reader that does not connect is passed on.
func TestTraceZero(t *testing.T) {
	var trace Trace
	if _, err := send(t, newFake("00B0000001", "019000"), Command{INS: 0xB0, Le: 1}); err != nil {
		t.Fatal(err)
	}
	c := open(t, trace.Reader(newFake("00B0000001", "019000")))
	if err := c.Do(background, func(tx *Tx) error { _, err := tx.Send(Command{INS: 0xB0, Le: 1}); return err }); err != nil {
		t.Fatal(err)
	}
	if trace.Stats().Commands != 1 {
		t.Errorf("%+v", trace.Stats())
	}
	f := newFake()
	f.connect = ErrNoCard
	if _, err := trace.Reader(f).Connect(background, Shared); err != ErrNoCard {
		t.Error(err)
	}
}

func TestBlanked(t *testing.T) {
	const pin = "241234FFFFFFFFFF"
	tests := []struct{ command, want string }{
		{"0020000108" + pin, "0020000108" + strings.Repeat("*", 16)},
		{"8020000108" + pin, "8020000108" + strings.Repeat("*", 16)}, // any class
		{"1020000108" + pin, "1020000108" + strings.Repeat("*", 16)}, // chained
		{"0021000108" + pin, "0021000108" + strings.Repeat("*", 16)}, // odd instructions
		{"0024000110" + pin + pin, "0024000110" + strings.Repeat("*", 32)},
		{"0025000110" + pin + pin, "0025000110" + strings.Repeat("*", 32)},
		{"0024010108" + pin, "0024010108" + strings.Repeat("*", 16)},
		{"002C000108" + pin, "002C000108" + strings.Repeat("*", 16)},
		{"002D000108" + pin, "002D000108" + strings.Repeat("*", 16)},
		{"0020000108" + pin + "00", "0020000108" + strings.Repeat("*", 18)}, // with Le
		{"00200001000008" + pin, "0020000100" + strings.Repeat("*", 20)},    // extended
		{"00200001000008" + pin + "0000", "0020000100" + strings.Repeat("*", 24)},
		{"0020000104" + pin, "0020000104" + strings.Repeat("*", 16)}, // a length that lies
		{"0020000108" + pin[:2], "0020000108**"},                     // cut
		{"00200001", "00200001"},
		{"0020000100", "0020000100"},
		{"00B0000000", "00B0000000"},
		{"00A4080C023F00", "00A4080C023F00"},
		{"0022 41B6 05 0480018482", "002241B6050480018482"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := blanked(unhex(tt.command)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.command, got, tt.want)
		}
	}
}
