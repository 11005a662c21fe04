//go:build cgo && soak

package pkcs11

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards"
)

// openSCProfiles are the cards that OpenSC is tried with.
var openSCProfiles = []string{"citizen-1.7", "citizen-1.8"}

// Cards that come and go in the real service are told.
func TestSoakOpenSCEvents(t *testing.T) {
	h, d := openOpenSC(t)
	card := func(seed uint64) *testcards.Card {
		c, err := testcards.Open("citizen-1.7", testcards.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	link := d.Insert(t, 0, card(24))
	m := h.open(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var seen []bool
	for e, err := range m.Events(ctx, EventOptions{Interval: 5 * time.Millisecond}) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, e.Inserted)
		switch len(seen) {
		case 1:
			d.Remove(t, 0, link)
		case 2:
			link = d.Insert(t, 0, card(25))
		}
		if len(seen) == 3 {
			break
		}
	}
	if fmt.Sprint(seen) != "[true false true]" {
		t.Error(seen)
	}
	d.Remove(t, 0, link)
}
