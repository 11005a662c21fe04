package niss

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The valid numbers are invented; python-stdnum, which is independent of this package, agrees on dates and sexes.
func TestParse(t *testing.T) {
	tests := []struct {
		name, in string
		birth    Date
		sex      Sex
		bis      bool
		format   string
	}{
		{"woman of the 1900s", "85073000259", Date{1985, 7, 30}, Female, false, "85.07.30-002.59"},
		{"man of the 1900s", "85073000160", Date{1985, 7, 30}, Male, false, "85.07.30-001.60"},
		{"highest male counter", "59111599763", Date{1959, 11, 15}, Male, false, "59.11.15-997.63"},
		{"highest female counter", "59111599862", Date{1959, 11, 15}, Female, false, "59.11.15-998.62"},
		{"born in 2005", "05010100113", Date{2005, 1, 1}, Male, false, "05.01.01-001.13"},
		{"born in 2024", "24022900461", Date{2024, 2, 29}, Female, false, "24.02.29-004.61"},
		{"same digits, born in 1924", "24022900432", Date{1924, 2, 29}, Female, false, "24.02.29-004.32"},
		{"leap day of 2000", "00022900145", Date{2000, 2, 29}, Male, false, "00.02.29-001.45"},
		{"check digits 97", "85073006197", Date{1985, 7, 30}, Male, false, "85.07.30-061.97"},
		{"check digits 01", "85073006001", Date{1985, 7, 30}, Female, false, "85.07.30-060.01"},
		{"unknown day", "62030001745", Date{1962, 3, 0}, Male, false, "62.03.00-017.45"},
		{"unknown month", "62000001823", Date{1962, 0, 0}, Female, false, "62.00.00-018.23"},
		{"sixth digit raised", "62000301929", Date{1962, 0, 0}, Male, false, "62.00.03-019.29"},
		{"nothing known", "00000102146", Date{}, Male, false, "00.00.01-021.46"},
		{"nothing known, from 2000", "00000102274", Date{}, Female, false, "00.00.01-022.74"},
		{"BIS, sex unknown", "85273000106", Date{1985, 7, 30}, Unknown, true, "85.27.30-001.06"},
		{"BIS, sex known", "85473000248", Date{1985, 7, 30}, Female, true, "85.47.30-002.48"},
		{"BIS, December, sex unknown", "85320100336", Date{1985, 12, 1}, Unknown, true, "85.32.01-003.36"},
		{"BIS, December 2005", "05520100674", Date{2005, 12, 1}, Female, true, "05.52.01-006.74"},
		{"BIS, nothing known", "00200100409", Date{}, Unknown, true, "00.20.01-004.09"},
		{"BIS, sex alone known", "00400100580", Date{}, Male, true, "00.40.01-005.80"},
		{"as printed", " 85.07.30-002.59 ", Date{1985, 7, 30}, Female, false, "85.07.30-002.59"},
		{"with blanks", "850730 002 59", Date{1985, 7, 30}, Female, false, "85.07.30-002.59"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := parseAt(tt.in, 2026)
			if err != nil {
				t.Fatal(err)
			}
			if n.Birth() != tt.birth || n.Sex() != tt.sex || n.BIS() != tt.bis || n.Format() != tt.format {
				t.Errorf("got %v %v BIS %v %s", n.Birth(), n.Sex(), n.BIS(), n.Format())
			}
			if want := strings.NewReplacer(".", "", "-", "").Replace(tt.format); n.String() != want {
				t.Errorf("String() = %s, want %s", n, want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, in string
		want     error
	}{
		{"nothing", "", ErrFormat},
		{"ten digits", "8507300025", ErrFormat},
		{"twelve digits", "850730002590", ErrFormat},
		{"a letter", "8507300025O", ErrFormat},
		{"a slash", "85/07/30-002.59", ErrFormat},
		{"digits of another script", "٨٥٠٧٣٠٠٠٢٥٩", ErrFormat},
		{"digits far apart", "850730" + strings.Repeat(" ", 100) + "00259", ErrFormat},
		{"last digit wrong", "85073000258", ErrCheckDigits},
		{"check digits 00", "85073006100", ErrCheckDigits},
		{"two digits swapped", "85703000259", ErrCheckDigits},
		{"born in 2099", "99010100147", ErrCheckDigits},
		{"month 13", "85130100102", ErrDate},
		{"month 19", "85190100144", ErrDate},
		{"BIS month 33", "85330100145", ErrDate},
		{"BIS month 53", "85530100188", ErrDate},
		{"31 February", "85023100192", ErrDate},
		{"29 February 1985", "85022900155", ErrDate},
		{"29 February 1900", "00022900116", ErrDate},
		{"day 32 of an unknown month", "85003200148", ErrDate},
		{"counter 000", "85073000061", ErrCounter},
		{"counter 999", "85073099932", ErrCounter},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := parseAt(tt.in, 2026)
			if !errors.Is(err, tt.want) || n != "" {
				t.Errorf("got %q, %v, want %v", n, err, tt.want)
			}
		})
	}
}

// A number of a child born this year is taken, and was none the year before.
func TestParseFuture(t *testing.T) {
	const in = "24022900461"
	if _, err := parseAt(in, 2024); err != nil {
		t.Errorf("in the year of birth: %v", err)
	}
	if _, err := parseAt(in, 2023); !errors.Is(err, ErrCheckDigits) {
		t.Errorf("the year before: %v", err)
	}
	if year := time.Now().Year(); year >= 2024 {
		if _, err := Parse(in); err != nil {
			t.Errorf("now: %v", err)
		}
	}
}

// Every single wrong digit and every swap of two different neighbours is noticed, as check digits modulo 97 promise.
func TestParseNoticesSlips(t *testing.T) {
	const good = "85073000259"
	for i := range len(good) {
		for d := byte('0'); d <= '9'; d++ {
			b := []byte(good)
			if b[i] == d {
				continue
			}
			b[i] = d
			if _, err := parseAt(string(b), 1999); err == nil {
				t.Errorf("%s taken", b)
			}
		}
		if i > 0 && good[i] != good[i-1] {
			b := []byte(good)
			b[i], b[i-1] = b[i-1], b[i]
			if _, err := parseAt(string(b), 1999); err == nil {
				t.Errorf("%s taken", b)
			}
		}
	}
}

// Errors travel into logs: the number must not be in them.
func TestErrorsHoldNoNumber(t *testing.T) {
	for _, in := range []string{"85073000258", "85130100102", "85073000061", "8507300"} {
		if _, err := Parse(in); err == nil || strings.Contains(err.Error(), in[:6]) {
			t.Errorf("error %v", err)
		}
	}
}

func TestNumberNotParsed(t *testing.T) {
	for _, n := range []Number{"", "1", "abcdefghijk", "85073000258", "85139900102", "99999999999"} {
		if d := n.Birth(); d != (Date{}) {
			t.Errorf("%q: birth %v", n, d)
		}
		_ = fmt.Sprint(n, n.Format(), n.Sex(), n.BIS())
	}
}

func TestDateString(t *testing.T) {
	for d, want := range map[Date]string{{1971, 5, 1}: "1971-05-01", {1971, 5, 0}: "1971-05-00", {1971, 0, 0}: "1971-00-00", {}: ""} {
		if d.String() != want {
			t.Errorf("%#v: %q, want %q", d, d, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"85073000259", "85.07.30-002.59", "00200100409", "62000301929", "99010100147", "B 1234567 48", "591-0000123-31", "", "٨"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := Parse(s); err == nil {
			again, err := Parse(n.Format())
			if err != nil || again != n || len(n) != 11 {
				t.Errorf("%q gives %q, its printed form %q, %v", s, n, again, err)
			}
			if d := n.Birth(); d.Year > time.Now().Year() || d.Month > 12 || d.Day > 31 || d.Month == 0 && d.Day != 0 {
				t.Errorf("%q: birth %v", s, d)
			}
		}
		if c, err := ParseCard(s); err == nil {
			if again, err := ParseCard(c.Format()); err != nil || again != c {
				t.Errorf("%q gives card %q, its printed form %q, %v", s, c, again, err)
			}
		}
	})
}
