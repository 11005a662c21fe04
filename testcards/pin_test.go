package testcards

import (
	"fmt"
	"strings"
	"testing"
)

// say sends commands written as hexadecimal, or as one of the words below, and returns the status words.
//
//	MSE82, MSE83    MSE SET with reference 02: 20 bytes (RSA) or 48 (EC)
//	PIN, WRONG      VERIFY
//	PSO             a signature, fetched; the answer is that of GET RESPONSE, or of PSO if it refuses
//	ANY             a command that has nothing to do with it
//	ASK             VERIFY without data
//	OFF, RESET      LOG OFF; warm reset, which answers nothing
//	CHANGE, BACK    CHANGE REFERENCE DATA to the wrong PIN and back
//	PUK, BADPUK     RESET RETRY COUNTER
func say(t *testing.T, c *Card, script string) string {
	t.Helper()
	const ref = "02"
	size := 20
	if c.applet.ec {
		size = 48
	}
	right, wrong := fmt.Sprintf("%X", pinBlock(PIN)), fmt.Sprintf("%X", pinBlock("9999"))
	words := map[string]string{
		"MSE82": "002241B6050480" + ref + "8482", "MSE83": "002241B6050480" + ref + "8483",
		"PIN": "0020000108" + right, "WRONG": "0020000108" + wrong, "ASK": "0020000100", "ANY": "80E400001C", "OFF": "80E60000",
		"CHANGE": "0024000110" + right + wrong, "BACK": "0024000110" + wrong + right,
		"PUK": "002C000108" + fmt.Sprintf("%X", pinBlock(PUK)), "BADPUK": "002C000108" + fmt.Sprintf("%X", pinBlock("111111222222")),
		"PSO": fmt.Sprintf("002A9E9A%02X", size) + strings.Repeat("5A", size),
	}
	var answers []string
	for _, word := range strings.Fields(script) {
		if word == "RESET" {
			c.Reset()
			continue
		}
		text, known := words[word]
		if !known {
			text = word
		}
		resp := c.Transmit(unhex(t, text))
		if word == "PSO" && resp[0] == 0x61 {
			resp = c.Transmit([]byte{0, 0xC0, 0, 0, resp[1]})
		}
		answers = append(answers, fmt.Sprintf("%X", resp[len(resp)-2:]))
	}
	return strings.Join(answers, " ")
}

// Sheet 5 and 5.1, row by row. The three applets are listed where they differ.
func TestPINStates(t *testing.T) {
	for _, test := range []struct {
		what, applets, script, want string
	}{
		{"no PIN", "1.1 1.7 1.8", "MSE82 PSO MSE83 PSO", "9000 6982 9000 6982"},
		{"no MSE", "1.1 1.7 1.8", "PIN PSO", "9000 6985"},
		{"82: once", "1.1 1.7 1.8", "MSE82 PIN PSO PSO ANY PSO", "9000 9000 9000 9000 9000 9000"},
		{"82: VERIFY before MSE", "1.1 1.7 1.8", "PIN ANY MSE82 PSO", "9000 9000 9000 9000"},
		{"83: right before", "1.1 1.7 1.8", "MSE83 PIN PSO", "9000 9000 9000"},
		{"83: again", "1.1 1.7 1.8", "MSE83 PIN PSO PSO PIN PSO", "9000 9000 9000 6982 9000 9000"},
		{"83: one between", "1.1 1.7", "MSE83 PIN ANY PSO", "9000 9000 9000 6982"},
		{"83: one between", "1.8", "MSE83 PIN ANY PSO", "9000 9000 9000 9000"},
		{"83: MSE between", "1.1 1.7", "PIN MSE83 PSO", "9000 9000 6982"},
		{"83: MSE between", "1.8", "PIN MSE83 PSO", "9000 9000 9000"},
		{"83: two between", "1.8", "MSE83 PIN ANY ANY PSO", "9000 9000 9000 9000 6982"},
		{"83 closes 82", "1.1 1.7 1.8", "MSE83 PIN PSO MSE82 PSO PIN PSO", "9000 9000 9000 9000 6982 9000 9000"},
		{"82 survives 83", "1.1 1.7 1.8", "MSE82 PIN MSE83 PIN PSO MSE82 PSO", "9000 9000 9000 9000 9000 9000 9000"},
		{"82 used survives 83", "1.1 1.7 1.8", "MSE82 PIN PSO MSE83 PSO PIN PSO MSE82 PSO", "9000 9000 9000 9000 6982 9000 9000 9000 9000"},
		{"83 not used is for 82", "1.1 1.7 1.8", "MSE83 PIN ANY ANY MSE82 PSO", "9000 9000 9000 9000 9000 9000"},
		{"wrong removes all", "1.1 1.7 1.8", "MSE82 PIN PSO WRONG PSO", "9000 9000 9000 63C2 6982"},
		{"log off", "1.1 1.7 1.8", "MSE82 PIN OFF PSO", "9000 9000 9000 6982"},
		{"log off, five bytes", "1.1 1.7 1.8", "MSE82 PIN 80E6000000 PSO", "9000 9000 9000 6982"},
		{"reset", "1.1 1.7 1.8", "MSE82 PIN RESET PSO MSE82 PSO", "9000 9000 6985 9000 6982"},
		{"applet selected anew", "1.1 1.7 1.8", "MSE82 PIN 00A4040C0FA00000003029057000AD13100101FF MSE82 PSO", "9000 9000 9000 9000 6982"},
		{"tries", "1.1 1.7 1.8", "WRONG WRONG PIN WRONG WRONG WRONG PIN", "63C2 63C1 9000 63C2 63C1 6983 6983"},
		{"tries survive a reset", "1.1 1.7 1.8", "WRONG RESET WRONG RESET WRONG RESET PIN", "63C2 63C1 6983 6983"},
		{"asking is free", "1.7 1.8", "ASK ASK ASK ASK PIN ASK WRONG ASK", "63C3 63C3 63C3 63C3 9000 9000 63C2 63C2"},
		{"asking, blocked", "1.7 1.8", "WRONG WRONG WRONG ASK", "63C2 63C1 6983 6983"},
		{"asking costs", "1.1", "ASK ASK PIN ASK ASK ASK PIN", "63C2 63C1 9000 63C2 63C1 6983 6983"},
		{"asking after 83", "1.7 1.8", "MSE83 PIN PSO ASK", "9000 9000 9000 63C3"},
		{"asking uses up the place of VERIFY", "1.7", "MSE83 PIN ASK PSO", "9000 9000 9000 6982"},
		{"change", "1.1 1.7 1.8", "MSE82 CHANGE PSO WRONG PIN BACK PIN", "9000 9000 9000 9000 63C2 9000 9000"},
		{"change, old PIN wrong", "1.1 1.7 1.8", "MSE82 PIN BACK PSO BACK BACK BACK", "9000 9000 63C2 6982 63C1 6983 6983"},
		{"change, new PIN no PIN", "1.1 1.7 1.8", "0024000110241234FFFFFFFFFF2312FFFFFFFFFFFF ASK", "6A80 63C"},
		{"PUK", "1.1 1.7", "WRONG WRONG WRONG PUK PIN", "63C2 63C1 6983 9000 9000"},
		{"PUK wrong", "1.1 1.7", "BADPUK BADPUK PUK BADPUK", "63CB 63CA 9000 63CB"},
		{"PUK gives no right", "1.1 1.7", "MSE82 PUK PSO", "9000 9000 6982"},
		{"no PUK", "1.8", "WRONG WRONG WRONG PUK 002C0001 PIN", "63C2 63C1 6983 6700 6982 6983"},
		{"lengths", "1.1 1.7 1.8", "0020000107241234FFFFFFFF 0020000108241234FFFFFFFF 0024000108241234FFFFFFFFFF", "6700 6700 6700"},
		{"references", "1.1 1.7 1.8", "0020000208241234FFFFFFFFFF 0020010108241234FFFFFFFFFF 80E60001", "6A88 6A86 6A86"},
		{"preferences", "1.1 1.7 1.8", "00A4080C063F00DF014039 00D6000001AA PIN 00D6000001AA 00D6006301AA 00D6006302AAAA 00D6006401AA",
			"9000 6982 9000 9000 9000 6A84 6B00"},
		{"other files", "1.1 1.7 1.8", "00A4080C063F00DF014031 PIN 00D6000001AA", "9000 9000 6982"},
	} {
		for _, applet := range strings.Fields(test.applets) {
			c := open(t, "citizen-"+applet, Options{})
			c.PowerOn()
			if got := say(t, c, test.script); !strings.HasPrefix(got, test.want) {
				t.Errorf("%s on %s: %s\n answered %s\n     want %s", test.what, applet, test.script, got, test.want)
			}
		}
	}
}

func TestPINOptions(t *testing.T) {
	c := open(t, "citizen-1.8", Options{LastTry63C0: true})
	c.PowerOn()
	if got := say(t, c, "WRONG WRONG WRONG PIN ASK"); got != "63C2 63C1 63C0 6983 6983" {
		t.Error(got)
	}
}

// Cards without a certificate have keys that refuse.
func TestInactiveKeys(t *testing.T) {
	for profile, want := range map[string]string{
		"kid-1.8": "6985 6985 6985", "no-certificates-1.8": "6985 6985 6985", "no-signature-1.7": "9000 6985 6985", "citizen-1.7": "9000 9000 6982",
	} {
		c := open(t, profile, Options{})
		c.PowerOn()
		if got := say(t, c, "MSE82 MSE83 PSO"); got != want {
			t.Errorf("%s: %s, want %s", profile, got, want)
		}
	}
}

func TestWellFormed(t *testing.T) {
	for text, want := range map[string]bool{
		"241234FFFFFFFFFF": true, "2512345FFFFFFFFF": true, "2C123456789012FF": true,
		"2C123456789012F0": false, "2312 3FFFFFFFFFFF": false, "2D1234567890123F": false, "141234FFFFFFFFFF": false,
		"24123AFFFFFFFFFF": false, "2412345FFFFFFFFF": false, "0000000000000000": false,
	} {
		if got := wellFormed(unhex(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if got := fmt.Sprintf("%X", pinBlock("123456")); got != "26123456FFFFFFFF" {
		t.Error(got)
	}
	if got := fmt.Sprintf("%X", pinBlock(PUK)); got != "2C222222111111FF" {
		t.Error(got)
	}
}

// What the card keeps of commands has no PIN in it.
func TestTraceHoldsNoPIN(t *testing.T) {
	c := open(t, "citizen-1.7", Options{})
	c.PowerOn()
	say(t, c, "PIN WRONG CHANGE BACK PUK 00210001081234567890123456 80200001081234567890123456")
	exchanges := c.Exchanges()
	if len(exchanges) != 7 {
		t.Fatalf("%d exchanges", len(exchanges))
	}
	for _, e := range exchanges {
		if len(e.Command) != 5 {
			t.Errorf("kept %X", e.Command)
		}
	}
}
