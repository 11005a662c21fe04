package testcards

import (
	"testing"
	"time"
)

// Times worked out by hand from ISO/IEC 7816-3 at 3.57 MHz.
func TestCharacterTime(t *testing.T) {
	for ta1, want := range map[byte]time.Duration{
		0x11: 1250420, // 12 * 372 / 3.57 MHz
		0x13: 312605,  // a quarter
		0x94: 215126,  // 512 / 8
		0x96: 53781,   // 512 / 32
		0x70: 1250420, // no meaning: as if it were not there
	} {
		if got := characterTime(ta1); got != want {
			t.Errorf("TA1 %02X: %d ns, want %d", ta1, got, want)
		}
	}
}

func TestTA1(t *testing.T) {
	if ta1(atr1x) != 0x13 || ta1(atr18) != 0x96 || ta1([]byte{0x3B, 0x02, 0x14, 0x50}) != 0x11 || ta1(nil) != 0x11 {
		t.Error("TA1 not found")
	}
}

func TestLineTime(t *testing.T) {
	c := open(t, "citizen-1.7", Options{})
	c.PowerOn()
	// 13 characters of ATR and 8 of PPS at 9,600 baud.
	if got := c.Stats().LineTime; got != 21*1250420 {
		t.Errorf("start: %v", got)
	}
	c.ClearStats()
	c.Transmit(unhex(t, "00A4080C063F00DF014031")) // 5 + 1 + 6 + 2
	c.Transmit(unhex(t, "00B0000000"))             // 6Cxx: 5 + 2
	c.Transmit(unhex(t, "00B0000010"))             // 5 + 1 + 16 + 2
	if got := c.Stats(); got.LineTime != (14+7+24)*312605 || got.Commands != 3 || got.WrongLength != 1 || got.Sent != 21 || got.Received != 22 {
		t.Errorf("%+v", got)
	}
	if n := len(c.Exchanges()); n != 3 {
		t.Errorf("%d exchanges", n)
	}
}

func TestTraceIsBounded(t *testing.T) {
	c := open(t, "citizen-1.8", Options{})
	c.PowerOn()
	for range maxExchanges + 10 {
		c.Transmit([]byte{0, 0xC0, 0, 0, 0})
	}
	if n := len(c.Exchanges()); n != maxExchanges/2+10 || c.Stats().Commands != maxExchanges+10 {
		t.Errorf("%d exchanges kept", n)
	}
}
