package niss

import (
	"errors"
	"testing"
)

func TestParseCard(t *testing.T) {
	tests := []struct {
		name, in, number, format string
		err                      error
	}{
		{"citizen", "591000012331", "591000012331", "591-0000123-31", nil},
		{"as printed", " 591-0000123-31 ", "591000012331", "591-0000123-31", nil},
		{"rest 0 becomes 97", "000000019497", "000000019497", "000-0000194-97", nil},
		{"foreigner", "B 1234567 48", "B123456748", "B 1234567 48", nil},
		{"small b", "b123456748", "B123456748", "B 1234567 48", nil},
		{"foreigner, rest 0", "B000009797", "B000009797", "B 0000097 97", nil},
		{"old foreigner", "123 456 789", "123456789", "123456789", nil},

		{"citizen, wrong check", "591000012332", "", "", ErrCheckDigits},
		{"check 00", "000000019400", "", "", ErrCheckDigits},
		{"foreigner, wrong check", "B123456749", "", "", ErrCheckDigits},
		{"nothing", "", "", "", ErrFormat},
		{"B alone", "B", "", "", ErrFormat},
		{"two Bs", "BB23456748", "", "", ErrFormat},
		{"B and 12 digits", "B591000012331", "", "", ErrFormat},
		{"ten digits", "1234567890", "", "", ErrFormat},
		{"eleven digits", "59100001233", "", "", ErrFormat},
		{"another letter", "C123456748", "", "", ErrFormat},
		{"digits of another script", "١٢٣٤٥٦٧٨٩", "", "", ErrFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCard(tt.in)
			if !errors.Is(err, tt.err) || c.String() != tt.number || c.Format() != tt.format {
				t.Errorf("got %q, %q, %v, want %q, %q, %v", c, c.Format(), err, tt.number, tt.format, tt.err)
			}
		})
	}
}
