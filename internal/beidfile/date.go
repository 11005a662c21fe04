package beidfile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Date is a day of the calendar. In a birth date Day, or Day and Month, may be 0: unknown. The zero Date is no date at all.
type Date struct{ Year, Month, Day int }

// IsZero tells whether there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// String gives "1971-05-01", with zeros for unknown parts ("1971-00-00"), and nothing for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// parseDay reads DD.MM.YYYY.
func parseDay(s string) (Date, bool) {
	if len(s) != 10 || s[2] != '.' || s[5] != '.' {
		return Date{}, false
	}
	day, ok1 := digits(s[:2])
	month, ok2 := digits(s[3:5])
	year, ok3 := digits(s[6:])
	if !ok1 || !ok2 || !ok3 || !inCalendar(year, month, day) {
		return Date{}, false
	}
	return Date{year, month, day}, true
}

// months are the abbreviations on the cards in French, Dutch and German, without accents, and the two English ones that differ from
// all of these (facts 3.3).
var months = map[string]int{
	"JAN": 1,
	"FEV": 2, "FEB": 2,
	"MARS": 3, "MAAR": 3, "MAR": 3,
	"AVR": 4, "APR": 4,
	"MAI": 5, "MEI": 5, "MAY": 5,
	"JUIN": 6, "JUN": 6,
	"JUIL": 7, "JUL": 7,
	"AOUT": 8, "AUG": 8,
	"SEPT": 9, "SEP": 9,
	"OCT": 10, "OKT": 10,
	"NOV": 11,
	"DEC": 12, "DEZ": 12,
}

var unaccent = strings.NewReplacer("Ä", "A", "É", "E", "Û", "U")

// parseBirth reads a birth date as printed: a day of one or two digits, a month's name and a year of four digits, with blanks or
// dots between. Day, or day and month, may be blank or zero: unknown. When day or month makes no sense the year alone is given, not
// ok; without a year there is no date.
func parseBirth(s string) (d Date, ok bool) {
	s = strings.Trim(s, " ")
	if len(s) < 4 {
		return Date{}, false
	}
	head, tail := s[:len(s)-4], s[len(s)-4:]
	year, ok := digits(tail)
	if !ok || year == 0 {
		return Date{}, false
	}
	head = strings.Trim(head, " .")
	name := strings.TrimLeft(head, "0123456789")
	day, _ := strconv.Atoi(head[:len(head)-len(name)])
	name = unaccent.Replace(strings.ToUpper(strings.Trim(name, " .")))
	month, known := months[name]
	switch {
	case name == "" && day == 0:
		return Date{Year: year}, true
	case !known, day != 0 && !inCalendar(year, month, day):
		return Date{Year: year}, false
	}
	return Date{year, month, day}, true
}

func inCalendar(year, month, day int) bool {
	if year < 1 || month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// digits reads a string that has ASCII digits only.
func digits(s string) (int, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}
