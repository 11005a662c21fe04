// Package niss reads and checks the numbers printed on Belgian identity and social-security cards: the eleven-digit national
// number (NISS, also INSZ or SSIN) with its BIS form for persons outside the national register, and the numbers of the cards
// themselves.
//
// Start with [Parse] for a person's number and [ParseCard] for a card's. Both accept what people type and give back a checked
// value; [Number.Format] and [CardNumber.Format] write it the way it is printed.
//
// The package does not ask any register whether a number was ever given to somebody, and makes no numbers.
//
// References: royal decree of 3 April 1984 on the composition of the identification number of persons in the national register;
// royal decree of 8 February 1991 for BIS numbers; the project's facts sheet on the Belgian eID, section 12.
package niss

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What can be wrong with a number. Errors of this package wrap one of these and never repeat the number itself.
var (
	ErrFormat      = errors.New("wrong number of digits, or something other than digits")
	ErrCheckDigits = errors.New("check digits do not fit")
	ErrDate        = errors.New("no possible birth date")
	ErrCounter     = errors.New("day counter outside 001 to 998")
)

// Number is a national or BIS number: eleven ASCII digits, YYMMDD, a day counter of three digits and two check digits. Make it with
// [Parse]; on other strings the methods answer that nothing is known.
type Number string

// maxInput bounds what is looked at: eleven digits with generous separators.
const maxInput = 64

// Parse reads a national or BIS number. Blanks, dots and dashes between the digits are skipped. The check digits decide between a
// birth in the 1900s, tried first, and one from 2000 to the current year. Parts of the birth date may be unknown (zero).
// Errors wrap ErrFormat, ErrCheckDigits, ErrDate or ErrCounter, in this order. Specimen cards may carry numbers with right check
// digits and an impossible date: those are ErrDate.
func Parse(s string) (Number, error) { return parseAt(s, time.Now().Year()) }

// parseAt is Parse as it is in the given year.
func parseAt(s string, thisYear int) (Number, error) {
	digits := strip(s)
	if len(digits) != 11 || !allDigits(digits) {
		return "", fmt.Errorf("national number: %w", ErrFormat)
	}
	n := Number(digits)
	century := n.century()
	if century == 0 || century+atoi(digits[:2]) > thisYear {
		return "", fmt.Errorf("national number: %w", ErrCheckDigits)
	}
	if !n.datePossible() {
		return "", fmt.Errorf("national number: %w", ErrDate)
	}
	if c := n.counter(); c < 1 || c > 998 {
		return "", fmt.Errorf("national number: %w", ErrCounter)
	}
	return n, nil
}

// String gives the eleven digits without separators.
func (n Number) String() string { return string(n) }

// Format gives the printed form, YY.MM.DD-SSS.CC.
func (n Number) Format() string {
	if !n.wellFormed() {
		return string(n)
	}
	return string(n[:2] + "." + n[2:4] + "." + n[4:6] + "-" + n[6:9] + "." + n[9:])
}

// BIS tells whether n is a BIS number: of a person who is not in the national register. Its month is raised by 20 or 40.
func (n Number) BIS() bool { return n.wellFormed() && n.rawMonth() >= 20 }

// Sex is what the day counter says: odd for men, even for women. It is unknown for a BIS number whose month is raised by 20, given
// when the sex was not known.
func (n Number) Sex() Sex {
	switch {
	case !n.wellFormed(), n.BIS() && n.rawMonth() < 40:
		return Unknown
	case n.counter()%2 == 1:
		return Male
	}
	return Female
}

// Birth is the birth date in the number, with 0 for each unknown part: month and day when they were not known or when the
// counters of the true day had run out, all three for the fictitious date 00.00.01.
func (n Number) Birth() Date {
	if !n.wellFormed() || n.century() == 0 || !n.datePossible() {
		return Date{}
	}
	month, day := n.month(), n.day()
	switch {
	case n[:2] == "00" && month == 0 && day == 1:
		return Date{}
	case month == 0: // the day then counts how often the counters were begun anew
		day = 0
	}
	return Date{n.century() + atoi(string(n[:2])), month, day}
}

// century is 1900 or 2000 as the check digits say, 0 if they fit neither. They cannot fit both: 2,000,000,000 is no multiple of 97.
func (n Number) century() int {
	first := atoi(string(n[:9]))
	check := atoi(string(n[9:]))
	switch check {
	case 97 - first%97:
		return 1900
	case 97 - (2_000_000_000%97+first)%97:
		return 2000
	}
	return 0
}

// datePossible tells whether month and day can stand in a number: a day of the calendar, or zeros where unknown. After an unknown
// month any day of a month may stand.
func (n Number) datePossible() bool {
	month, day := n.month(), n.day()
	if month > 12 {
		return false
	}
	if month == 0 {
		return day <= 31
	}
	return day <= daysIn(n.century()+atoi(string(n[:2])), month)
}

func (n Number) rawMonth() int { return atoi(string(n[2:4])) }
func (n Number) day() int      { return atoi(string(n[4:6])) }
func (n Number) counter() int  { return atoi(string(n[6:9])) }

// month is the month without what a BIS number adds to it; above 12 when impossible.
func (n Number) month() int {
	m := n.rawMonth()
	switch {
	case m >= 40:
		return m - 40
	case m >= 20:
		return m - 20
	}
	return m
}

func (n Number) wellFormed() bool { return len(n) == 11 && allDigits(string(n)) }

// daysIn is the number of days of a month: day 0 of the next one.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// strip removes blanks, dots and dashes; input too long to be a number gives nothing.
func strip(s string) string {
	if len(s) > maxInput {
		return ""
	}
	return strings.NewReplacer(" ", "", ".", "", "-", "").Replace(s)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) > 0
}

// atoi is for strings known to be a few digits.
func atoi(s string) int {
	v, _ := strconv.Atoi(s)
	return v
}
