package beidfile

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestParseAddress(t *testing.T) {
	street := "Großstraße 17 b" + strings.Repeat(" ", 25)
	tests := []struct {
		name string
		in   []byte
		want *Address
		err  error
	}{
		{"padded", append(file(map[byte]string{1: street, 2: "4700", 3: "Eupen"}), make([]byte, 60)...),
			&Address{StreetAndNumber: "Großstraße 17 b", Zip: "4700", Municipality: "Eupen"}, nil},
		{"all tags", file(map[byte]string{0: "\x00\x02", 1: "Rue Haute 1", 2: "1000", 3: "Bruxelles", 4: "new"}),
			&Address{StructureVersion: []byte{0, 2}, StreetAndNumber: "Rue Haute 1", Zip: "1000", Municipality: "Bruxelles",
				Unknown: []Field{{4, []byte("new")}}}, nil},
		{"foreign zip of six", file(map[byte]string{1: "A", 2: "L-1234", 3: "B"}), &Address{StreetAndNumber: "A", Zip: "L-1234", Municipality: "B"}, nil},
		{"Latin-1", file(map[byte]string{1: "Caf\xE9", 2: "1000", 3: "B"}), &Address{StreetAndNumber: "Café", Zip: "1000", Municipality: "B",
			Warnings: []string{"street and number (tag 01) is not UTF-8; read as ISO 8859-1"}}, nil},
		{"not written yet", make([]byte, 117), &Address{Warnings: []string{"street and number (tag 01) is missing",
			"zip code (tag 02) is missing", "municipality (tag 03) is missing"}}, nil},
		{"no bytes", nil, nil, ErrTruncated},
		{"cut", unhex(t, "01 05 41"), nil, ErrTruncated},
		{"too large", make([]byte, 1<<17), nil, ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseAddress(tt.in)
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(a, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v, %v", a, err, tt.want, tt.err)
			}
		})
	}
}

// checkText fails on what must never come out of a text field.
func checkText(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || strings.HasSuffix(s, " ") {
		t.Errorf("text %q", s)
	}
}

func FuzzAddress(f *testing.F) {
	f.Add(append(file(map[byte]string{1: "Rue Haute 1   ", 2: "1000", 3: "Bruxelles"}), make([]byte, 20)...))
	f.Add(file(map[byte]string{0: "\x00\x02", 1: "Caf\xE9\x1B", 9: "?"}))
	f.Add(make([]byte, 117))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ParseAddress(b); err == nil {
			checkText(t, a.StreetAndNumber)
			checkText(t, a.Zip)
			checkText(t, a.Municipality)
		}
	})
}
