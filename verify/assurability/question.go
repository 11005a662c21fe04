package assurability

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/eidkit/eidkit/niss"
)

// maxUserReference and userReferenceChars are what GenIns takes as InsurabilityReference (facts sheet a.2), the narrowest of the three.
const (
	maxUserReference   = 25
	userReferenceChars = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZÖËÜ .,:;/()+-_'\"&%?!="
)

// NewReference makes the number of a message: the date and eight digits that nobody can guess, so that an old answer never fits.
func NewReference(now time.Time) (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return "", fmt.Errorf("making a reference: %w", err)
	}
	return now.In(Brussels()).Format("060102") + fmt.Sprintf("%08d", n), nil
}

// Today is the day in Brussels.
func Today(now time.Time) niss.Date { return dateOf(now.In(Brussels())) }

// check says what makes the question one that no service could answer.
func (q *Question) check() error {
	p := q.Patient
	switch {
	case p.NISS == "" && (p.Affiliate == "" || p.Mutuality == ""):
		return fmt.Errorf("%w: a national number is wanted, or an affiliation number with its mutuality", ErrQuestion)
	case p.NISS != "" && (p.Affiliate != "" || p.Mutuality != ""):
		return fmt.Errorf("%w: the patient is named in two ways", ErrQuestion)
	case p.NISS != "":
		if _, err := niss.Parse(string(p.NISS)); err != nil {
			return fmt.Errorf("%w: %w", ErrQuestion, err)
		}
	case len(p.Affiliate) > 13 || strings.ContainsAny(p.Affiliate, "@<>&\"'\r\n\t") || !isMutuality(p.Mutuality):
		return fmt.Errorf("%w: affiliation number or mutuality is malformed", ErrQuestion)
	}
	switch {
	case !isDay(q.From) || q.Until != (niss.Date{}) && !isDay(q.Until):
		return fmt.Errorf("%w: a day of the calendar is wanted", ErrQuestion)
	case q.last().Before(q.From):
		return fmt.Errorf("%w: the period ends before it begins", ErrQuestion)
	case len(q.Reference) != 14 || strings.Trim(q.Reference, "0123456789") != "":
		return fmt.Errorf("%w: the reference is no number of 14 digits", ErrQuestion)
	case q.Contact < Ambulatory || q.Contact > OtherContact:
		return fmt.Errorf("%w: unknown kind of contact", ErrQuestion)
	case len([]rune(q.UserReference)) > maxUserReference || strings.Trim(q.UserReference, userReferenceChars) != "":
		return fmt.Errorf("%w: the caller's reference has more than %d characters, or some that are not allowed", ErrQuestion, maxUserReference)
	}
	return nil
}

// isMutuality is the pattern of the schema: 750, 999, or three digits that begin with 1 to 6 or 9.
func isMutuality(s string) bool {
	if s == "750" || s == "999" {
		return true
	}
	return len(s) == 3 && strings.Trim(s, "0123456789") == "" && strings.ContainsAny(s[:1], "1234569")
}

func isDay(d niss.Date) bool {
	t := time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	return d.Year >= 1900 && d.Year <= 9999 && dateOf(t) == d
}

func dateOf(t time.Time) niss.Date {
	return niss.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
}

func dayAfter(d niss.Date) niss.Date {
	return dateOf(time.Date(d.Year, time.Month(d.Month), d.Day+1, 0, 0, 0, 0, time.UTC))
}

// midnight is when a day begins in Brussels.
func midnight(d niss.Date) time.Time {
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, Brussels())
}
