package card

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestCommandCases(t *testing.T) {
	data300 := bytes.Repeat([]byte{0xAB}, 300)
	tests := []struct {
		name string
		cmd  Command
		hex  string
	}{
		{"1", Command{CLA: 0x80, INS: 0xE6}, "80E60000"},
		{"2 short", Command{INS: 0xB0, P1: 1, P2: 2, Le: 28}, "00B001021C"},
		{"2 short, 256", Command{INS: 0xB0, Le: 256}, "00B0000000"},
		{"2 extended", Command{INS: 0xB0, Le: 257}, "00B00000000101"},
		{"2 extended, 65536", Command{INS: 0xB0, Le: 65536}, "00B00000000000"},
		{"3 short", Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: unhex("3F00")}, "00A4080C023F00"},
		{"3 extended", Command{INS: 0xD6, Data: data300}, "00D6000000012C" + strings.Repeat("AB", 300)},
		{"4 short", Command{INS: 0x88, P1: 1, Data: unhex("0102"), Le: 256}, "008801000201 0200"},
		{"4 extended by data", Command{INS: 0x2A, Data: data300, Le: 1}, "002A000000012C" + strings.Repeat("AB", 300) + "0001"},
		{"4 extended by Le", Command{INS: 0x2A, Data: unhex("01"), Le: 65536}, "002A00000000 01010000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.cmd.Bytes()
			if err != nil || !bytes.Equal(got, unhex(tt.hex)) {
				t.Fatalf("Bytes: %X, %v; want %s", got, err, tt.hex)
			}
			back, err := ParseCommand(got)
			if err != nil || !reflect.DeepEqual(back, tt.cmd) {
				t.Errorf("ParseCommand: %+v, %v", back, err)
			}
		})
	}
}

func TestCommandTooLarge(t *testing.T) {
	for _, cmd := range []Command{{Le: -1}, {Le: 65537}, {Data: make([]byte, 65536)}} {
		if b, err := cmd.Bytes(); err == nil {
			t.Errorf("Le %d, %d bytes of data: coded in %d bytes", cmd.Le, len(cmd.Data), len(b))
		}
	}
}

// Commands that no case of ISO/IEC 7816-3 allows, and extended forms of what would fit a short one.
func TestParseCommandOdd(t *testing.T) {
	for _, bad := range []string{
		"", "00", "00A408",
		"00A4080C03 3F00",   // Lc too long
		"00A4080C01 3F0000", // two bytes after the data
		"00B000000001",      // extended length cut
		"00B00000000000 01", // extended Lc 0
		"00D60000000003 0102",
		"00D60000000001 01 00", // one byte of an extended Le
		"00D60000000001 01 000000",
	} {
		if c, err := ParseCommand(unhex(bad)); err == nil {
			t.Errorf("%s: taken for %+v", bad, c)
		}
	}
	c, err := ParseCommand(unhex("00A4080C000002 3F00 0100"))
	if err != nil || !bytes.Equal(c.Data, unhex("3F00")) || c.Le != 256 {
		t.Errorf("extended form of a small command: %+v, %v", c, err)
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, seed := range []string{"80E60000", "00B0000000", "00A4080C023F00", "00A4040C0F A00000003029057000AD13100101FF 00",
		"00B00000000000", "00D60000000001AA", "002A9E9A0000020102 0000"} {
		f.Add(unhex(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCommand(b)
		if err != nil {
			return
		}
		again, err := c.Bytes()
		if err != nil {
			t.Fatalf("%X parses, does not code: %v", b, err)
		}
		if len(again) > len(b) {
			t.Fatalf("%X grew to %X", b, again)
		}
		back, err := ParseCommand(again)
		if err != nil || back.Le != c.Le || !bytes.Equal(back.Data, c.Data) || !bytes.Equal(again[:4], b[:4]) {
			t.Fatalf("%X became %X: %+v, %v", b, again, back, err)
		}
		if len(again) == len(b) && !bytes.Equal(again, b) {
			t.Fatalf("%X changed to %X", b, again)
		}
	})
}
