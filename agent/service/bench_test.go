//go:build unix

package service

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/testcards"
)

// timed notes when the first command reached the card since it was last asked.
type timed struct {
	*testcards.Card
	mu    sync.Mutex
	first time.Time
}

func (c *timed) Transmit(command []byte) []byte {
	c.mu.Lock()
	if c.first.IsZero() {
		c.first = time.Now()
	}
	c.mu.Unlock()
	return c.Card.Transmit(command)
}

// BenchmarkConsent is what the agent takes between the user's yes and the card's first command, the intent's line on the disk
// included, and till the fields are answered.
func BenchmarkConsent(b *testing.B) {
	chip := &timed{Card: testcards.New(testcards.Citizen18)}
	rig := newBench(b, askingPolicy, chip)
	rig.anchors.Add(chip.Root())
	var agreed time.Time
	rig.person.consent = func(desk.Consent) (desk.Answer, error) {
		agreed = time.Now()
		return desk.Answer{Allowed: true}, nil
	}
	call := rig.call(rig.site(siteOrigin), m{"fields": []string{"surname"}, "purpose": "Visit", "cardId": rig.cardID("Reader 1")})
	var toCard, toAnswer []time.Duration
	for b.Loop() {
		chip.mu.Lock()
		chip.first = time.Time{}
		chip.mu.Unlock()
		if _, err := rig.Methods()["identity.read"](b.Context(), call); err != nil {
			b.Fatal(err)
		}
		toCard, toAnswer = append(toCard, chip.first.Sub(agreed)), append(toAnswer, time.Since(agreed))
	}
	for unit, took := range map[string][]time.Duration{"card": toCard, "answer": toAnswer} {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs-"+unit)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs-"+unit)
	}
}
