package assurability

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eidkit/eidkit/niss"
)

// maxUserReference and userReferenceChars are what GenIns takes as InsurabilityReference (facts sheet a.2), the narrowest of the three.
const (
	maxUserReference   = 25
	userReferenceChars = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZÖËÜ .,:;/()+-_'\"&%?!="
)

// newReference makes the number of a message: the date, and eight digits that nobody can guess, so that an old answer never fits, and
// that come once in a hundred million.
func newReference(now time.Time) string {
	return now.In(brussels()).Format("060102") + fmt.Sprintf("%08d", references().next())
}

// references are those of this program.
var references = sync.OnceValue(func() *sequence {
	s := &sequence{}
	rand.Read(s.key[:]) // never fails
	return s
})

// sequence gives the numbers below 10^8 in an order that its key decides.
type sequence struct {
	key   [16]byte
	count atomic.Uint32
}

// next is a Feistel network over two halves of four digits: it changes places and loses nothing.
func (s *sequence) next() uint32 {
	n := s.count.Add(1) % 100_000_000
	left, right := n/10_000, n%10_000
	for round := range byte(6) {
		h := sha256.Sum256(append(binary.BigEndian.AppendUint32(slices.Clone(s.key[:]), right), round))
		left, right = right, (left+binary.BigEndian.Uint32(h[:])%10_000)%10_000
	}
	return left*10_000 + right
}

// Today is the day in Brussels.
func Today(now time.Time) niss.Date { return dateOf(now.In(brussels())) }

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
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, brussels())
}
