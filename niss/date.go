package niss

import "fmt"

// Date is a birth date whose parts may be unknown: 0.
type Date struct{ Year, Month, Day int }

// String gives "1971-05-01", with zeros for unknown parts ("1971-00-00"), and nothing for a date of which nothing is known.
func (d Date) String() string {
	if d == (Date{}) {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Before tells whether d comes before e. Unknown parts count as 0.
func (d Date) Before(e Date) bool {
	return d.Year*10000+d.Month*100+d.Day < e.Year*10000+e.Month*100+e.Day
}

// Sex is the sex that a number tells.
type Sex int

// The values of Sex; the zero value is Unknown.
const (
	Unknown Sex = iota
	Male
	Female
)

// String gives "male", "female" or "unknown".
func (s Sex) String() string {
	switch s {
	case Male:
		return "male"
	case Female:
		return "female"
	}
	return "unknown"
}
