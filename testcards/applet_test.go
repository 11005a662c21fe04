package testcards

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Commands and whole answers that the conformance checks do not look at so closely, with the card in the state that a reset leaves.
func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		what, profile, commands, want string
	}{
		{"shorter than a header", "citizen-1.8", "00A408", "6700"},
		{"nothing", "citizen-1.8", "", "6700"},
		{"four bytes are P3 00", "citizen-1.8", "80E40000", "6C1C"},
		{"READ BINARY of four bytes asks 256", "citizen-1.8", "00A4080C022F00 00B00000", "9000 6C25"},
		{"Le after data is no T=0", "citizen-1.8", "00A4080C022F0000", "6700"},
		{"extended length is no T=0", "citizen-1.8", "00B00000000100", "6700"},
		{"data where none belong", "citizen-1.8", "80E400000112", "6700"},
		{"channel 1", "citizen-1.7", "01A4080C023F00", "6999"},
		{"channel 1", "citizen-1.8", "01A4080C023F00", "6985"},
		{"channel 2, another instruction", "citizen-1.8", "02B0000001", "6881"},
		{"proprietary class on channel 1", "citizen-1.8", "81E400001C", "6881"},
		{"classes", "citizen-1.8", "04B0000001 10B0000001 90E400001C FFCA000000", "6E00 6E00 6E00 6E00"},
		{"instructions of administrators", "citizen-1.8", "0082000000 0044000000 80E2000000 80F2000000", "6982 6982 6982 6982"},
		{"no INTERNAL AUTHENTICATE on 1.7", "citizen-1.7", "0088028102AABB", "6D00"},
		{"INTERNAL AUTHENTICATE for P-256", "citizen-1.8", "0088018102AABB 0088028202AABB", "6A86 6A88"},
		{"INTERNAL AUTHENTICATE, other tag", "citizen-1.8", "00880281329530" + strings.Repeat("00", 48), "6A80"},
		{"GET RESPONSE with P1", "citizen-1.8", "00C0010000", "6A86"},
		{"GET CHALLENGE with P1", "citizen-1.8", "0084010008", "6A86"},
		{"CHANGE by an administrator", "citizen-1.7", "0024010108241234FFFFFFFFFF", "6982"},
		{"AID with P2 00 that is not the applet's", "citizen-1.8", "00A404000CA000000177504B43532D3135", "6A86"},
		{"AID cut short", "citizen-1.8", "00A4040C05A000000030", "6A82"},
		{"path through a file", "citizen-1.8", "00A4080C062F00DF004031 00A4080C063F002F005031", "6A82 6A82"},
		{"path to the root in the middle", "citizen-1.8", "00A4080C043F003F00", "6A82"},
		{"path too long", "citizen-1.8", "00A4080C083F00DF0140314031", "6A87"},
		{"record range", "future-1.9", "00A4080C063F00DF014031 80B20D0F00", "9000 0D01"},
		{"all records, more than 256 bytes", "future-1.9", "00A4080C063F00DF014031 80B201FF00", "9000 010C"},
	} {
		c := open(t, test.profile, Options{})
		c.PowerOn()
		var got []string
		commands := strings.Fields(test.commands)
		if len(commands) == 0 {
			commands = []string{""}
		}
		for _, cmd := range commands {
			got = append(got, fmt.Sprintf("%X", c.Transmit(unhex(t, cmd))))
		}
		if answers := strings.Join(got, " "); !strings.HasPrefix(answers, test.want) {
			t.Errorf("%s, %s: %s answered %.60s, want %s", test.profile, test.what, test.commands, answers, test.want)
		}
	}
}

func TestLongRecordsAreChained(t *testing.T) {
	c := open(t, "future-1.9", Options{})
	c.PowerOn()
	c.Transmit(unhex(t, "00A4080C063F00DF014031"))
	id := c.File(0x4031)
	first := c.Transmit(unhex(t, "80B201FF00"))
	if len(first) != 258 || first[256] != 0x61 {
		t.Fatalf("%d bytes and %X", len(first), first[len(first)-2:])
	}
	got := first[:256]
	for sw := first[256:]; sw[0] == 0x61; {
		resp := c.Transmit([]byte{0, 0xC0, 0, 0, sw[1]})
		n := len(resp) - 2
		got, sw = append(got, resp[:n]...), resp[n:]
	}
	if !bytes.Equal(got, id) {
		t.Errorf("%d bytes of records, identity of %d", len(got), len(id))
	}
}

func TestCardData(t *testing.T) {
	for profile, want := range map[string]string{
		"citizen-1.1": "A5030101011100020001010F", "citizen-1.7": "1700030021010F", "citizen-1.8": "1800010000020F", "future-1.9": "1900010000020F",
	} {
		c := open(t, profile, Options{})
		c.PowerOn()
		resp := fmt.Sprintf("%X", c.Transmit(unhex(t, "80E400001C")))
		if len(resp) != 60 || !strings.HasPrefix(resp, fmt.Sprintf("%X", c.Serial())) || !strings.HasSuffix(resp, want+"9000") {
			t.Errorf("%s: %s", profile, resp)
		}
	}
	c := open(t, "one-try-left-1.8", Options{})
	c.PowerOn()
	if resp := c.Transmit(unhex(t, "80E400011F")); !bytes.HasSuffix(resp, unhex(t, "0F01FFFF9000")) {
		t.Errorf("%X", resp)
	}
}

func TestPower(t *testing.T) {
	c := open(t, "citizen-1.8", Options{})
	if resp := c.Transmit(unhex(t, "80E400001C")); resp != nil {
		t.Errorf("without power: %X", resp)
	}
	c.PowerOn()
	c.Transmit(unhex(t, "00A4080C063F00DF014031"))
	c.PowerOff()
	c.PowerOn()
	if resp := c.Transmit(unhex(t, "00B0000001")); !bytes.Equal(resp, []byte{0x69, 0x86}) {
		t.Errorf("a file is selected after power off: %X", resp)
	}
}

func TestAnyDF(t *testing.T) {
	for _, anyDF := range []bool{false, true} {
		c := open(t, "citizen-1.8", Options{AnyDF: anyDF})
		c.PowerOn()
		resp := c.Transmit(unhex(t, "00A4020C024031"))
		if found := resp[0] == 0x90; found != anyDF {
			t.Errorf("AnyDF %v: %X", anyDF, resp)
		}
	}
}

func TestSetFile(t *testing.T) {
	c := open(t, "citizen-1.8", Options{})
	c.PowerOn()
	if !c.SetFile(0x4033, []byte{1, 1, 'x'}) || c.SetFile(0x4711, nil) || c.File(0x4711) != nil {
		t.Error("SetFile or File of a file that is not there")
	}
	c.Transmit(unhex(t, "00A4080C063F00DF014033"))
	if resp := c.Transmit(unhex(t, "00B0000003")); !bytes.Equal(resp, unhex(t, "0101789000")) {
		t.Errorf("%X", resp)
	}
}

// Whatever comes, the card answers a status word, keeps its files and its keys to itself, and never panics.
func FuzzTransmit(f *testing.F) {
	for _, text := range []string{
		"80E400001C", "00A4080C063F00DF014031", "00B0000000", "0020000108241234FFFFFFFFFF", "002241B6050480018482", "002A9E9A20" + strings.Repeat("00", 32),
		"00C0000000", "80B2010F00", "0084000000", "00D6000001AA", "80E60000", "00880281329430" + strings.Repeat("11", 48), "002C000108", "0024000110", "",
	} {
		var b []byte
		fmt.Sscanf(text, "%X", &b)
		f.Add(b, b)
	}
	cards := []*Card{New(Citizen11), New(Citizen17), New(Citizen18), New(Kid18)}
	identity := map[*Card][]byte{}
	for _, c := range cards {
		c.PowerOn()
		identity[c] = c.File(0x4031)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, c := range cards {
			for _, cmd := range [][]byte{first, second} {
				resp := c.Transmit(bytes.Clone(cmd))
				if n := len(resp); n < 2 || n > 258 || resp[n-2]>>4 != 6 && resp[n-2] != 0x90 {
					t.Fatalf("%X answered %X", cmd, resp)
				}
			}
			if !bytes.Equal(c.File(0x4031), identity[c]) {
				t.Fatal("the identity changed")
			}
		}
	})
}
