package testcards

import (
	"testing"
	"time"
)

// Times worked out by hand from ISO/IEC 7816-3 at 3.57 MHz.
func TestSpeed(t *testing.T) {
	for _, test := range []struct {
		atr  []byte
		want time.Duration
		pps  bool
	}{
		{atr1x, 312605, true},                            // TA1 13: 12 * 372 / 4 / 3.57 MHz
		{atr18, 53781, true},                             // TA1 96: 12 * 512 / 32 / 3.57 MHz
		{[]byte{0x3B, 0x02, 0x14, 0x50}, 1250420, false}, // no TA1: 9,600 baud
		{[]byte{0x3B, 0x10, 0x94}, 215126, true},         // 12 * 512 / 8 / 3.57 MHz
		{nil, 1250420, false},
	} {
		if got, pps := speed(test.atr); got != test.want || pps != test.pps {
			t.Errorf("ATR %X: %d ns, PPS %v; want %d, %v", test.atr, got, pps, test.want, test.pps)
		}
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
