package beidfile

import (
	"fmt"
	"testing"
)

func TestParseBirth(t *testing.T) {
	tests := []struct {
		in string
		d  Date
		ok bool
	}{
		{"01 JAN 1971", Date{1971, 1, 1}, true},
		{"9 JAN 1971", Date{1971, 1, 9}, true},
		{"30 SEPT 1985", Date{1985, 9, 30}, true},
		{"30 MAAR 1985", Date{1985, 3, 30}, true},
		{"03.AUG. 1980", Date{1980, 8, 3}, true},
		{"03.DEZ. 1980", Date{1980, 12, 3}, true},
		{"03.MÄR.1980", Date{1980, 3, 3}, true},
		{"03.MÄR. 1980", Date{1980, 3, 3}, true},
		{"3.JAN.1980", Date{1980, 1, 3}, true},
		{"29 FEV 2000", Date{2000, 2, 29}, true},
		{"03 MAR 1980", Date{1980, 3, 3}, true},
		{"03 MAY 1980", Date{1980, 5, 3}, true},
		{"03 août 1980", Date{1980, 8, 3}, true},
		{"03 DÉC 1980", Date{1980, 12, 3}, true},
		{"1971", Date{1971, 0, 0}, true},
		{"   JAN 1971", Date{1971, 1, 0}, true},
		{"00 JAN 1971", Date{1971, 1, 0}, true},
		{"JAN 1971", Date{1971, 1, 0}, true},
		{".JAN. 1971", Date{1971, 1, 0}, true},
		{"        1971", Date{1971, 0, 0}, true},
		{"00     1971", Date{1971, 0, 0}, true},

		{"31 FEV 1980", Date{1980, 0, 0}, false},
		{"29 FEB 1900", Date{1900, 0, 0}, false},
		{"32 JAN 1980", Date{1980, 0, 0}, false},
		{"99999999999999999999 JAN 1980", Date{1980, 0, 0}, false},
		{"05      1980", Date{1980, 0, 0}, false},
		{"01 XYZ 1980", Date{1980, 0, 0}, false},
		{"01 JA 1980", Date{1980, 0, 0}, false},
		{"-1 JAN 1980", Date{1980, 0, 0}, false},
		{"01 JAN 198O", Date{}, false},
		{"01 JAN +980", Date{}, false},
		{"01 JAN 0000", Date{}, false},
		{"01 JAN", Date{}, false},
		{"71", Date{}, false},
		{"", Date{}, false},
		{"١٩٧١", Date{}, false},
	}
	for _, tt := range tests {
		if d, ok := parseBirth(tt.in); d != tt.d || ok != tt.ok {
			t.Errorf("%q: got %v %v, want %v %v", tt.in, d, ok, tt.d, tt.ok)
		}
	}
}

// Every month in the three languages, as facts 3.3 spell them.
func TestParseBirthMonths(t *testing.T) {
	languages := map[string][12]string{
		"05 %s 1999":   {"JAN", "FEV", "MARS", "AVR", "MAI", "JUIN", "JUIL", "AOUT", "SEPT", "OCT", "NOV", "DEC"},
		"5 %s 1999":    {"JAN", "FEB", "MAAR", "APR", "MEI", "JUN", "JUL", "AUG", "SEP", "OKT", "NOV", "DEC"},
		"05.%s. 1999":  {"JAN", "FEB", "MÄR", "APR", "MAI", "JUN", "JUL", "AUG", "SEP", "OKT", "NOV", "DEZ"},
		"05.%s.1999":   {"JAN", "FEB", "MÄR", "APR", "MAI", "JUN", "JUL", "AUG", "SEP", "OKT", "NOV", "DEZ"},
		"05 %s  1999 ": {"JAN", "FEV", "MARS", "AVR", "MAI", "JUIN", "JUIL", "AOUT", "SEPT", "OCT", "NOV", "DEC"},
	}
	for format, names := range languages {
		for i, name := range names {
			in := fmt.Sprintf(format, name)
			if d, ok := parseBirth(in); !ok || d != (Date{1999, i + 1, 5}) {
				t.Errorf("%q: got %v %v", in, d, ok)
			}
		}
	}
}

func TestParseDay(t *testing.T) {
	tests := []struct {
		in string
		d  Date
		ok bool
	}{
		{"23.07.2009", Date{2009, 7, 23}, true},
		{"29.02.2024", Date{2024, 2, 29}, true},
		{"29.02.2023", Date{}, false},
		{"00.07.2009", Date{}, false},
		{"01.13.2009", Date{}, false},
		{"01.01.0000", Date{}, false},
		{"2009-07-23", Date{}, false},
		{"23/07/2009", Date{}, false},
		{"3.7.2009", Date{}, false},
		{"-1.07.2009", Date{}, false},
		{"", Date{}, false},
	}
	for _, tt := range tests {
		if d, ok := parseDay(tt.in); d != tt.d || ok != tt.ok {
			t.Errorf("%q: got %v %v, want %v %v", tt.in, d, ok, tt.d, tt.ok)
		}
	}
}

func TestDateString(t *testing.T) {
	for d, want := range map[Date]string{{1971, 5, 1}: "1971-05-01", {1971, 5, 0}: "1971-05-00", {1971, 0, 0}: "1971-00-00", {}: ""} {
		if d.String() != want || d.IsZero() != (want == "") {
			t.Errorf("%#v: %q, want %q", d, d, want)
		}
	}
}
