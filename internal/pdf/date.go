package pdf

import (
	"strings"
	"time"
)

// ParseDate reads a date string, "D:20240131120000+01'00'" and its shorter and
// sloppier forms. Without a zone it counts as UTC. ISO 32000-2, section 7.9.4.
func ParseDate(s string) (time.Time, bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "D:")
	digits := 0
	for digits < len(s) && digits < 14 && isDigit(s[digits]) {
		digits++
	}
	layout := "20060102150405"[:digits]
	if digits < 4 || digits == 5 || digits%2 == 1 {
		return time.Time{}, false
	}
	t, err := time.Parse(layout, s[:digits])
	if err != nil {
		return time.Time{}, false
	}
	zone := strings.Map(func(r rune) rune {
		if r == '\'' || r == ':' || r == ' ' {
			return -1
		}
		return r
	}, s[digits:])
	if zone == "" || zone[0] == 'Z' {
		return t, true
	}
	sign := time.Duration(1)
	switch zone[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return time.Time{}, false
	}
	zone = zone[1:] + "0000"
	hours, minutes := 0, 0
	for i := range 4 {
		if !isDigit(zone[i]) {
			return time.Time{}, false
		}
		if i < 2 {
			hours = hours*10 + int(zone[i]-'0')
		} else {
			minutes = minutes*10 + int(zone[i]-'0')
		}
	}
	if hours > 23 || minutes > 59 {
		return time.Time{}, false
	}
	offset := sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.FixedZone("", int(offset/time.Second))), true
}
