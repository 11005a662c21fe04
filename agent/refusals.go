package agent

import (
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"
)

// logRate is how many refusals a second are logged, so that nobody fills the
// disk with them; how many were left out is in the next line.
const logRate = 10

// refusals logs what clients do wrong.
type refusals struct {
	*slog.Logger
	now func() time.Time

	mu     sync.Mutex
	budget *bucket
	left   int
}

func newRefusals(l *slog.Logger, now func() time.Time) *refusals {
	return &refusals{Logger: l, now: now, budget: newBucket(logRate, now())}
}

// refused logs one of them; what is from outside in attrs has gone through clip.
func (r *refusals) refused(message string, attrs ...any) {
	r.mu.Lock()
	ok := r.budget.take(r.now())
	left := r.left
	if ok {
		r.left = 0
	} else {
		r.left++
	}
	r.mu.Unlock()
	if !ok {
		return
	}
	if left > 0 {
		attrs = append(attrs, "leftOut", left)
	}
	r.Warn(message, attrs...)
}

const maxLogged = 200

// clip makes text from outside fit for a line of the log: short, printable.
func clip(s string) string {
	if len(s) > maxLogged {
		s = s[:maxLogged] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

var numbers = regexp.MustCompile(`\d[\d. /-]{6,}\d`)

// impersonal is an error's text without long numbers, which can be a person's.
func impersonal(err error) string { return clip(numbers.ReplaceAllString(err.Error(), "#")) }
