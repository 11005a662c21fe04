package testcards

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/eidkit/eidkit/card"
)

func TestSystemWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s System
		now, err := s.Wait(bg, nil)
		if err != nil || now == nil || len(now) != 0 {
			t.Fatalf("no readers: %v, %v", now, err)
		}
		r := NewReader("first", ReaderOptions{})
		chip := New(Citizen18)
		steps := []struct {
			name string
			do   func()
			want card.ReaderState
			none bool
		}{
			{"reader added", func() { s.AddReader(r) }, card.ReaderState{Name: "first"}, false},
			{"card inserted", func() { r.Insert(chip) }, card.ReaderState{Name: "first", Card: card.Present, ATR: atr18, Count: 1}, false},
			{"same card again", func() { r.Insert(chip) }, card.ReaderState{Name: "first", Card: card.Present, ATR: atr18, Count: 3}, false},
			{"removed", r.Remove, card.ReaderState{Name: "first", Count: 4}, false},
			{"mute", r.InsertMute, card.ReaderState{Name: "first", Card: card.Mute, Count: 5}, false},
			{"reader removed", func() { s.RemoveReader(r) }, card.ReaderState{}, true},
		}
		for _, step := range steps {
			type result struct {
				states []card.ReaderState
				err    error
			}
			done := make(chan result, 1)
			known := now
			go func() {
				states, err := s.Wait(bg, known)
				done <- result{states, err}
			}()
			synctest.Wait()
			if len(done) > 0 {
				t.Fatalf("%s: Wait came back before anything changed", step.name)
			}
			step.do()
			got := <-done
			if got.err != nil || step.none != (len(got.states) == 0) || !step.none && !sameState(got.states[0], step.want) {
				t.Errorf("%s: %+v, %v", step.name, got.states, got.err)
			}
			now = got.states
		}
	})
}

func TestSystemService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s System
		r := New(Citizen18).Reader()
		s.AddReader(r)
		c := connect(t, r, card.Shared)
		known, err := s.Wait(bg, nil)
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() { _, err := s.Wait(bg, known); failed <- err }()
		synctest.Wait()
		s.Stop()
		wantErr(t, "Wait", <-failed, card.ErrNoService)
		wantErr(t, "connection", c.Status(bg), card.ErrNoService)
		_, err = r.Connect(bg, card.Shared)
		wantErr(t, "Connect", err, card.ErrNoService)
		_, err = s.Reader(r.Name())
		wantErr(t, "Reader", err, card.ErrNoService)
		late := NewReader("late", ReaderOptions{})
		s.AddReader(late)
		_, err = late.Connect(bg, card.Direct)
		wantErr(t, "a reader added while the service is down", err, card.ErrNoService)
		s.Start()
		wantErr(t, "connection of before", c.Status(bg), card.ErrNoService)
		works(t, "new connection", connect(t, r, card.Shared))
		if got, err := s.Reader("late"); err != nil || got != late {
			t.Errorf("Reader: %v, %v", got, err)
		}
		s.RemoveReader(late)
		_, err = s.Reader("late")
		wantErr(t, "Reader", err, card.ErrNoReader)
		_, err = late.Connect(bg, card.Direct)
		wantErr(t, "Connect", err, card.ErrNoReader)
		ended, cancel := context.WithCancel(bg)
		cancel()
		known, _ = s.Wait(bg, nil)
		_, err = s.Wait(ended, known)
		wantErr(t, "Wait", err, context.Canceled)
	})
}

// A service that a fault stops is stopped for all readers, and card.Watch hears of everything.
func TestWatchASystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s System
		r, other := New(Citizen18).Reader(), NewReader("other", ReaderOptions{})
		s.AddReader(r)
		s.AddReader(other)
		ctx, cancel := context.WithCancel(bg)
		events := make(chan string, 32)
		done := make(chan error, 1)
		go func() {
			done <- card.Watch(ctx, &s, func(e card.Event) error { events <- e.Reader + ": " + e.Kind.String(); return nil })
		}()
		hear := func(want ...string) {
			t.Helper()
			for _, w := range want {
				if got := <-events; got != w {
					t.Errorf("heard %q, want %q", got, w)
				}
			}
		}
		hear(r.Name()+": reader added", r.Name()+": card inserted", "other: reader added")
		other.Insert(New(Citizen17))
		hear("other: card inserted")
		c := connect(t, r, card.Shared)
		r.SetFaults(Fault{Kind: StopService})
		_, err := c.Transmit(bg, cardData)
		wantErr(t, "Transmit", err, card.ErrNoService)
		hear(r.Name()+": card removed", r.Name()+": reader removed", "other: card removed", "other: reader removed", ": service lost")
		synctest.Wait()
		_, err = other.Connect(bg, card.Shared)
		wantErr(t, "the other reader", err, card.ErrNoService)
		s.Start()
		hear(": service found")
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
