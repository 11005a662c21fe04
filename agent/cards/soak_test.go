//go:build soak

package cards

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eidkit/eidkit/agent/login"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
)

// TestSoakFaults is TestFaults with every kind of fault, on both kinds of cards that sign.
func TestSoakFaults(t *testing.T) {
	for _, profile := range []string{"citizen-1.8", "citizen-1.7"} {
		for _, op := range operations {
			if profile == "citizen-1.7" && op.name == "sign" {
				continue // it signs for P-384
			}
			t.Run(profile+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				faultsOf(t, op, profile, len(codes))
			})
		}
	}
}

// TestSoakStorm has 20 clients do 1,000 operations on three readers while cards are pulled and swapped, readers unplugged and the
// service stopped: every answer is right or a known error, no try is lost, nothing stays open.
func TestSoakStorm(t *testing.T) {
	const clients, total = 20, 1000
	s := newStorm(t)
	check := pcscdtest.CheckLeaks(t)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for s.done.Load() < total {
				s.operate(t)
				s.stir()
			}
		})
	}
	wg.Wait()
	check()
	s.calm(t)
}

// storm is a world in which things happen.
type storm struct {
	*world
	readers []*testcards.Reader
	cards   []*testcards.Card
	done    atomic.Int64
	good    atomic.Int64

	mu      sync.Mutex
	random  *rand.Rand
	stopped bool
	out     map[*testcards.Reader]bool
	names   map[string]string // by card ID: what the card said first
	change  chan struct{}     // closed at the next event, and when an operation ends
}

func newStorm(t *testing.T) *storm {
	s := &storm{random: rand.New(rand.NewPCG(6, 6)), out: map[*testcards.Reader]bool{}, names: map[string]string{}, change: make(chan struct{})}
	for i := range 3 {
		s.cards = append(s.cards, simulated(t, "citizen-1.8", uint64(2*i)), simulated(t, "citizen-1.8", uint64(2*i+1)))
		s.readers = append(s.readers, loaded(fmt.Sprint("reader ", i), s.cards[2*i]))
	}
	s.world = start(t, Options{}, s.readers...)
	_, cancel := s.hub.Subscribe(func(Event) { s.stir() })
	t.Cleanup(cancel)
	go func() {
		for range s.events { // nobody reads them here
		}
	}()
	return s
}

// stir wakes those who wait for something to happen.
func (s *storm) stir() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.change)
	s.change = make(chan struct{})
}

// operate is one operation of a client with any card there is.
func (s *storm) operate(t *testing.T) {
	s.mu.Lock()
	change, n, signs := s.change, s.random.IntN(3), s.random.IntN(4)
	s.mu.Unlock()
	choices, err := s.hub.Find("", []Kind{EID}, nil)
	if err != nil {
		s.mend()
		<-change
		return
	}
	id := choices[n%len(choices)].CardID
	err = s.hub.use(t.Context(), passFor(id), id, func(ctx context.Context, c *beid.Card) error {
		who, err := c.Identity(ctx)
		if err == nil {
			s.compare(t, id, who.Surname+who.CardNumber)
		}
		if err == nil && signs == 0 {
			_, err = login.Token(ctx, c, site, nonce, rightPIN)
		}
		return err
	})
	switch f := Fault(err); {
	case err != nil && f.Code == protocol.CardBusy && f.Holder != "":
		<-change // a holder ends
		return
	case err == nil:
		if s.good.Add(1)%8 == 0 {
			s.strikeOnce()
		}
	case f.Code == protocol.CardRemoved, f.Code == protocol.CardBusy, f.Code == protocol.NoReader, f.Code == protocol.NoCard:
	default:
		t.Errorf("%v (%s)", err, f.Code)
	}
	s.done.Add(1)
}

// compare notes what the card of an ID says, and that it never says anything else.
func (s *storm) compare(t *testing.T, id, said string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.names[id]; ok && before != said {
		t.Errorf("under one ID first %q, then %q", before, said)
	}
	s.names[id] = said
}

// strikeOnce has something happen.
func (s *storm) strikeOnce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.random.IntN(len(s.readers))
	r, other := s.readers[i], s.cards[2*i+s.random.IntN(2)]
	switch what := s.random.IntN(12); {
	case what < 4:
		r.Insert(other)
	case what < 6:
		r.Remove()
	case what < 8:
		r.ResetByOther()
	case what == 8 && !s.stopped:
		s.Stop()
		s.stopped = true
	case what == 9 && !s.out[r]:
		s.RemoveReader(r)
		s.out[r] = true
	default:
		s.mendLocked()
	}
}

func (s *storm) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mendLocked()
}

// mendLocked starts the service, plugs every reader in, and puts cards in.
func (s *storm) mendLocked() {
	if s.stopped {
		s.Start()
		s.stopped = false
	}
	for i, r := range s.readers {
		if s.out[r] {
			s.AddReader(r)
			delete(s.out, r)
		}
		r.Insert(s.cards[2*i])
	}
}

// calm looks at what is left when the storm is over.
func (s *storm) calm(t *testing.T) {
	s.mend()
	t.Logf("%d of %d operations gave a result, on %d insertions", s.good.Load(), s.done.Load(), len(s.names))
	if s.good.Load() < 200 {
		t.Error("too few to mean anything")
	}
	for _, r := range s.readers {
		if r.Connections() != 0 {
			t.Errorf("%s: %d connections", r.Name(), r.Connections())
		}
	}
	for i, c := range s.cards {
		if c.PINTries() != 3 {
			t.Errorf("card %d has %d tries left", i, c.PINTries())
		}
	}
	for _, r := range s.readers {
		r.Remove()
	}
	for {
		s.mu.Lock()
		change := s.change
		s.mu.Unlock()
		left := 0
		for _, r := range s.hub.Readers() {
			if r.Card != nil {
				left++
			}
		}
		if left == 0 {
			break
		}
		wait(t, change, "the cards to go")
	}
	s.readers[0].Insert(s.cards[0])
	for {
		s.mu.Lock()
		change := s.change
		s.mu.Unlock()
		if choices, err := s.hub.Find("", []Kind{EID}, nil); err == nil {
			id := choices[0].CardID
			if err := s.hub.use(t.Context(), passFor(id), id, surname()); err != nil {
				t.Error(err)
			}
			return
		}
		wait(t, change, "a card")
	}
}
