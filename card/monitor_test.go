package card

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fakeSystem gives its steps one after the other and then waits for the end of ctx.
type fakeSystem struct {
	steps []systemStep
	known [][]ReaderState // what each Wait was given
}

type systemStep struct {
	readers []ReaderState
	err     error
}

func (s *fakeSystem) Wait(ctx context.Context, known []ReaderState) ([]ReaderState, error) {
	s.known = append(s.known, known)
	if len(s.steps) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	return step.readers, step.err
}

func reader(name string, p Presence, count uint32) ReaderState {
	r := ReaderState{Name: name, Card: p, Count: count}
	if p == Present {
		r.ATR = []byte{0x3B, byte(count)}
	}
	return r
}

func fastRetry(t *testing.T) {
	oldMin, oldMax := serviceRetryMin, serviceRetryMax
	serviceRetryMin, serviceRetryMax = time.Microsecond, 4*time.Microsecond
	t.Cleanup(func() { serviceRetryMin, serviceRetryMax = oldMin, oldMax })
}

// watch runs Watch over the steps until they are used up and returns the events as text.
func watch(t *testing.T, steps ...systemStep) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &fakeSystem{steps: append(steps, systemStep{err: context.Canceled})}
	var events []string
	s.steps[len(s.steps)-1].err = errors.New("end of the test")
	err := Watch(ctx, s, func(e Event) error {
		text := e.Kind.String()
		if e.Reader != "" {
			text += " " + e.Reader
		}
		if e.ATR != nil {
			text += fmt.Sprintf(" %X", e.ATR)
		}
		events = append(events, text)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "watching readers: end of the test") {
		t.Fatal(err)
	}
	return events
}

func TestWatchTransitions(t *testing.T) {
	a := func(p Presence, n uint32) []ReaderState { return []ReaderState{reader("A", p, n)} }
	tests := []struct {
		name     string
		from, to []ReaderState
		want     []string // after those of from
	}{
		{"inserted", a(Absent, 0), a(Present, 1), []string{"card inserted A 3B01"}},
		{"mute", a(Absent, 0), a(Mute, 1), []string{"card mute A"}},
		{"removed", a(Present, 1), a(Absent, 2), []string{"card removed A"}},
		{"mute removed", a(Mute, 1), a(Absent, 2), []string{"card removed A"}},
		{"swapped unseen", a(Present, 1), a(Present, 3), []string{"card removed A", "card inserted A 3B03"}},
		{"turned over", a(Mute, 1), a(Present, 3), []string{"card removed A", "card inserted A 3B03"}},
		{"in and out unseen", a(Absent, 0), a(Absent, 2), nil},
		{"nothing", a(Present, 1), a(Present, 1), nil},
		{"reader gone with its card", a(Present, 1), nil, []string{"card removed A", "reader removed A"}},
		{"reader gone", a(Absent, 0), nil, []string{"reader removed A"}},
		{"reader added with a card", a(Absent, 0), append(a(Absent, 0), reader("B", Present, 5)), []string{"reader added B", "card inserted B 3B05"}},
		{"reader replaced", a(Present, 1), []ReaderState{reader("B", Mute, 1)},
			[]string{"card removed A", "reader removed A", "reader added B", "card mute B"}},
		{"order changed", []ReaderState{reader("A", Absent, 0), reader("B", Present, 1)},
			[]ReaderState{reader("B", Present, 1), reader("A", Absent, 0)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := watch(t, systemStep{readers: tt.from})
			got := watch(t, systemStep{readers: tt.from}, systemStep{readers: tt.to})
			if !reflect.DeepEqual(append([]string{}, got[len(before):]...), append([]string{}, tt.want...)) {
				t.Errorf("events %q, want %q", got[len(before):], tt.want)
			}
		})
	}
}

func TestWatchService(t *testing.T) {
	fastRetry(t)
	none := systemStep{err: fmt.Errorf("asking: %w", ErrNoService)}
	card := systemStep{readers: []ReaderState{reader("A", Present, 1)}}
	want := []string{"reader added A", "card inserted A 3B01", "card removed A", "reader removed A", "service lost",
		"service found", "reader added A", "card inserted A 3B01"}
	if got := watch(t, card, none, none, none, card); !reflect.DeepEqual(got, want) {
		t.Errorf("events %q", got)
	}
	want = []string{"service lost", "service found", "service lost", "service found"}
	if got := watch(t, none, systemStep{}, none, none, systemStep{}); !reflect.DeepEqual(got, want) {
		t.Errorf("not there from the beginning: %q", got)
	}
}

// Wait is to return at once only the first time and after the service was lost: an empty set of readers is not nil.
func TestWatchKnown(t *testing.T) {
	fastRetry(t)
	ctx, cancel := context.WithCancel(context.Background())
	s := &fakeSystem{steps: []systemStep{{}, {err: ErrNoService}, {readers: []ReaderState{reader("A", Absent, 0)}}}}
	err := Watch(ctx, s, func(e Event) error {
		if e.Kind == ReaderAdded {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(s.known) != 4 || s.known[0] != nil || s.known[1] == nil || s.known[2] != nil || len(s.known[3]) != 1 {
		t.Errorf("Wait was given %v", s.known)
	}
}

// An error of the function given ends Watch, at whichever event.
func TestWatchFunctionFails(t *testing.T) {
	fastRetry(t)
	errStop := errors.New("stop")
	for kind := ReaderAdded; kind <= ServiceFound; kind++ {
		s := &fakeSystem{steps: []systemStep{
			{readers: []ReaderState{reader("A", Present, 1), reader("B", Mute, 1)}}, {err: ErrNoService}, {},
		}}
		err := Watch(context.Background(), s, func(e Event) error {
			if e.Kind == kind {
				return errStop
			}
			return nil
		})
		if !errors.Is(err, errStop) {
			t.Errorf("%v: %v", kind, err)
		}
	}
}

func TestWatchEndsWhileServiceIsLost(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &fakeSystem{steps: []systemStep{{err: ErrNoService}}}
	oldMin := serviceRetryMin
	serviceRetryMin = time.Hour
	defer func() { serviceRetryMin = oldMin }()
	err := Watch(ctx, s, func(e Event) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) || len(s.known) != 1 {
		t.Errorf("%v after %d waits", err, len(s.known))
	}
}

func TestEventKindString(t *testing.T) {
	if ServiceFound.String() != "service found" || EventKind(-1).String() != "event -1" || EventKind(7).String() != "event 7" {
		t.Error("names of events are wrong")
	}
}
