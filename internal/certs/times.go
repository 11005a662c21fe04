package certs

import (
	"crypto/x509"
	"strconv"
	"strings"
	"time"
)

// parseValidity reads Validity (RFC 5280 section 4.1.2.5).
func (l *lenient) parseValidity(c *x509.Certificate, r reader) bool {
	for _, t := range []*time.Time{&c.NotBefore, &c.NotAfter} {
		text, utc := r.optional(tagUTCTime)
		if !utc {
			var ok bool
			if text, ok = r.next(tagGeneralizedTime); !ok {
				return false
			}
		}
		when, plain, ok := parseTime(string(text.body), utc)
		if !ok {
			return false
		}
		if !plain {
			l.note("a time is not written as RFC 5280 says")
		}
		*t = when
	}
	if !r.empty() {
		l.note("data behind the validity")
	}
	if c.NotAfter.Before(c.NotBefore) {
		l.note("validity ends before it begins")
	}
	return true
}

// parseTime reads UTCTime or GeneralizedTime as X.680 allows them: seconds may
// be missing, fractions and offsets there, and GeneralizedTime may lack a zone,
// which is then UTC. plain says that it is as RFC 5280 wants it. The year of
// UTCTime is from 1950 to 2049.
func parseTime(s string, utc bool) (t time.Time, plain, ok bool) {
	if len(s) > 40 {
		return t, false, false
	}
	plain = true
	zone := time.UTC
	rest := s
	if body, z := strings.CutSuffix(rest, "Z"); z {
		rest = body
	} else {
		plain = false
		if i := strings.IndexAny(rest, "+-"); i >= 0 {
			offset, ok := parseOffset(rest[i:])
			if !ok {
				return t, false, false
			}
			zone, rest = time.FixedZone("", offset), rest[:i]
		} else if utc {
			return t, false, false
		}
	}
	var fraction time.Duration
	if i := strings.IndexAny(rest, ".,"); i >= 0 && !utc {
		digits := rest[i+1:]
		if digits == "" || !allDigits(digits) {
			return t, false, false
		}
		ns, err := strconv.Atoi((digits + "000000000")[:9])
		if err != nil {
			return t, false, false
		}
		plain, fraction, rest = false, time.Duration(ns), rest[:i]
	}
	layout := "20060102150405"
	if utc {
		layout = "060102150405"
	}
	if len(rest) == len(layout)-2 && fraction == 0 {
		plain, layout = false, layout[:len(layout)-2]
	}
	if len(rest) != len(layout) || !allDigits(rest) {
		return t, false, false
	}
	if utc { // time.Parse would have the years from 1969 to 2068
		century := "20"
		if rest >= "50" {
			century = "19"
		}
		rest, layout = century+rest, "20"+layout
	}
	t, err := time.ParseInLocation(layout, rest, zone)
	if err != nil {
		return t, false, false
	}
	t = t.Add(fraction).UTC()
	return t, plain && (utc || t.Year() >= 2050), true
}

// parseOffset reads +hhmm or -hhmm, in seconds.
func parseOffset(s string) (int, bool) {
	if len(s) != 5 || !allDigits(s[1:]) {
		return 0, false
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil || n/100 > 23 || n%100 > 59 {
		return 0, false
	}
	seconds := n/100*3600 + n%100*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func allDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
