package card

import (
	"reflect"
	"testing"
)

// The first four are the eID's (facts sheet, section 1.1); the values of the others were read off by hand and agree with what
// ATR_analysis of pcsc-tools prints.
func TestParseATR(t *testing.T) {
	tests := []struct {
		name, atr string
		want      ATR
	}{
		{"eID 1.0", "3B 98 94 40 FF A5 03 01 01 01 AD 13 10", ATR{Fi: 512, Di: 8, F: 372, D: 1, WI: 255, Offers: []int{0},
			Historical: unhex("A503010101AD1310")}},
		{"eID 1.0, EMV", "3B 98 94 40 0A A5 03 01 01 01 AD 13 10", ATR{Fi: 512, Di: 8, F: 372, D: 1, WI: 10, Offers: []int{0},
			Historical: unhex("A503010101AD1310")}},
		{"eID 1.1, 1.7", "3B 98 13 40 0A A5 03 01 01 01 AD 13 11", ATR{Fi: 372, Di: 4, F: 372, D: 1, WI: 10, Offers: []int{0},
			Historical: unhex("A503010101AD1311")}},
		{"eID 1.8", "3B 7F 96 00 00 80 31 80 65 B0 85 04 01 20 12 0F FF 82 90 00", ATR{Fi: 512, Di: 32, F: 372, D: 1, WI: 10,
			Offers: []int{0}, Historical: unhex("80318065B085040120120FFF829000")}},
		{"shortest", "3B 00", ATR{Fi: 372, Di: 1, F: 372, D: 1, WI: 10, Offers: []int{0}, Historical: []byte{}}},
		{"inverse", "3F 02 14 50", ATR{Inverse: true, Fi: 372, Di: 1, F: 372, D: 1, WI: 10, Offers: []int{0}, Historical: unhex("1450")}},
		{"T=1 alone", "3B 9F 95 81 31 FE 9F 00 66 46 53 05 10 00 FF 71 DF 00 00 00 00 00 EC", ATR{Fi: 512, Di: 16, F: 372, D: 1, WI: 10,
			Offers: []int{1}, Historical: unhex("006646530510 00FF71DF0000000000")}},
		{"contactless: T=0 and T=1", "3B 8F 80 01 80 4F 0C A0 00 00 03 06 03 00 03 00 00 00 00 68", ATR{Fi: 372, Di: 1, F: 372, D: 1, WI: 10,
			Offers: []int{0, 1}, Historical: unhex("804F0CA0000003060300030000 0000")}},
		{"T=15 is no protocol", "3B 90 11 80 1F 43 5D", ATR{Fi: 372, Di: 1, F: 372, D: 1, WI: 10, Offers: []int{0}, Historical: []byte{}}},
		{"specific mode", "3B 90 96 11 81 96", ATR{Fi: 512, Di: 32, F: 512, D: 32, WI: 10, Offers: []int{1}, Specific: true,
			Historical: []byte{}}},
		{"specific mode, implicit speed", "3B 90 96 11 91 86", ATR{Fi: 512, Di: 32, F: 372, D: 1, WI: 10, Offers: []int{1}, Specific: true,
			Historical: []byte{}}},
		{"extra guard time", "3B C0 FF 40 20", ATR{Fi: 372, Di: 1, F: 372, D: 1, N: 255, WI: 0x20, Offers: []int{0}, Historical: []byte{}}},
		{"reserved speeds", "3B 10 7A", ATR{Fi: 372, Di: 1, F: 372, D: 1, WI: 10, Offers: []int{0}, Historical: []byte{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseATR(unhex(tt.atr))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseATRRefuses(t *testing.T) {
	for name, atr := range map[string]string{
		"nothing":                 "",
		"TS alone":                "3B",
		"wrong TS":                "3C 00",
		"TS not decoded":          "03 00",
		"34 bytes":                "3B" + "0000000000000000000000000000000000000000000000000000000000000000 00",
		"no TA1":                  "3B 10",
		"TD1 cut":                 "3B 80",
		"endless TDs":             "3B 80 80 80 80 80 80 80 80",
		"historical bytes cut":    "3B 98 13 40 0A A5 03 01 01 01 AD 13",
		"too many bytes":          "3B 98 13 40 0A A5 03 01 01 01 AD 13 11 00",
		"T=1 without check byte":  "3B 9F 95 81 31 FE 9F 00 66 46 53 05 10 00 FF 71 DF 00 00 00 00 00",
		"T=1 with a wrong one":    "3B 9F 95 81 31 FE 9F 00 66 46 53 05 10 00 FF 71 DF 00 00 00 00 00 ED",
		"changed historical byte": "3B 8F 80 01 80 4F 0C A0 00 00 03 06 03 00 04 00 00 00 00 68",
	} {
		if a, err := ParseATR(unhex(atr)); err == nil {
			t.Errorf("%s: taken for %+v", name, a)
		}
	}
}

// ISO/IEC 7816-3, section 8.3.
func TestGuardTime(t *testing.T) {
	for _, tt := range []struct{ n, protocol, want int }{{0, 0, 12}, {0, 1, 12}, {5, 0, 17}, {254, 1, 266}, {255, 0, 12}, {255, 1, 11}} {
		if got := (ATR{N: tt.n}).GuardTime(tt.protocol); got != tt.want {
			t.Errorf("N %d, T=%d: %d etu, want %d", tt.n, tt.protocol, got, tt.want)
		}
	}
}

func FuzzATR(f *testing.F) {
	for _, seed := range []string{"3B9894400AA503010101AD1310", "3B7F9600008031806 5B085040120120FFF829000", "3B00", "3F021450",
		"3B8F8001804F0CA000000306030003000000006 8", "3B9096118196", "3B80808080"} {
		f.Add(unhex(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseATR(b)
		if err != nil {
			return
		}
		if a.Fi < 372 || a.F < 372 || a.Di < 1 || a.D < 1 || a.GuardTime(0) < 12 || a.GuardTime(1) < 11 {
			t.Errorf("%X: %+v", b, a)
		}
		if len(a.Historical) != int(b[1]&0x0F) || len(a.Offers) == 0 || len(a.Offers) > 15 {
			t.Errorf("%X: %+v", b, a)
		}
		if _, err := ParseATR(append(append([]byte{}, b...), 0)); err == nil {
			t.Errorf("%X with a byte more is taken too", b)
		}
	})
}
