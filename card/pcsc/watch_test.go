package pcsc_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

// events runs card.Watch and gives what it reports.
func events(t *testing.T) (next func() string, stop func()) {
	ctx, cancel := context.WithCancel(soon(t))
	seen := make(chan string, 64)
	ended := make(chan error, 1)
	go func() {
		ended <- card.Watch(ctx, pcsc.System(), func(e card.Event) error {
			seen <- fmt.Sprintf("%s %s %X", e.Kind, e.Reader, e.ATR)
			return nil
		})
	}()
	next = func() string {
		select {
		case e := <-seen:
			return e
		case err := <-ended:
			ended <- err
			return fmt.Sprintf("watch ended: %v", err)
		}
	}
	stop = sync.OnceFunc(func() {
		cancel()
		wantErr(t, "watch", <-ended, context.Canceled)
	})
	t.Cleanup(stop)
	return next, stop
}

func TestWatch(t *testing.T) {
	d := pcscdtest.Start(t)
	check := pcscdtest.CheckLeaks(t)
	next, stop := events(t)
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := next(); got != w {
				t.Fatalf("event %q, want %q", got, w)
			}
		}
	}
	slot0, slot1 := pcscdtest.Readers[0], pcscdtest.Readers[1]
	expect("reader added "+slot0+" ", "reader added "+slot1+" ")

	link := d.Insert(t, 0, newChip())
	expect("card inserted " + slot0 + " 3B9813400AA503010101AD1311")
	other := newChip()
	other.atr = []byte{0x3B, 0x00}
	link1 := d.Insert(t, 1, other)
	expect("card inserted " + slot1 + " 3B00")
	d.Remove(t, 0, link)
	expect("card removed " + slot0 + " ")
	d.Remove(t, 1, link1)
	expect("card removed " + slot1 + " ")
	mute := newChip()
	mute.atr = nil
	link = d.Insert(t, 0, mute)
	expect("card mute " + slot0 + " ")
	d.Remove(t, 0, link)
	expect("card removed " + slot0 + " ")

	// Being used is no event.
	link = d.Insert(t, 0, newChip())
	expect("card inserted " + slot0 + " 3B9813400AA503010101AD1311")
	for _, mode := range []card.Mode{card.Shared, card.Exclusive} {
		tr := connect(t, mode)
		wantErr(t, "begin", tr.Begin(soon(t)), nil)
		wantErr(t, "end", tr.End(context.Background(), card.Reset), nil)
		tr.Close()
	}
	for _, end := range []func(testing.TB){d.Kill, d.Stop} {
		end(t)
		expect("card removed "+slot0+" ", "reader removed "+slot0+" ", "reader removed "+slot1+" ", "service lost  ")
		d.StartAgain(t)
		expect("service found  ", "reader added "+slot0+" ", "reader added "+slot1+" ")
		link = d.Insert(t, 0, newChip())
		expect("card inserted " + slot0 + " 3B9813400AA503010101AD1311")
	}
	stop()
	d.Remove(t, 0, link)
	check()
}

func TestWaitEnds(t *testing.T) {
	d := pcscdtest.Start(t)
	check := pcscdtest.CheckLeaks(t)
	known, err := pcsc.System().Wait(soon(t), nil)
	if wantErr(t, "wait", err, nil); len(known) != 2 || known[0].Name != pcscdtest.Readers[0] || known[0].Card != card.Absent {
		t.Fatalf("readers %+v", known)
	}
	for range 50 { // at whatever point of the wait the end of ctx finds it
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error)
		go func() {
			_, err := pcsc.System().Wait(ctx, known)
			result <- err
		}()
		runtime.Gosched()
		cancel()
		wantErr(t, "wait", <-result, context.Canceled)
	}
	check()
	late, cancel := context.WithTimeout(context.Background(), 1200*time.Millisecond) // in the long wait, which only a cancel ends
	defer cancel()
	_, err = pcsc.System().Wait(late, known)
	wantErr(t, "a long wait", err, context.DeadlineExceeded)
	check()

	result := make(chan error)
	go func() {
		_, err := pcsc.System().Wait(context.Background(), known)
		result <- err
	}()
	d.Kill(t)
	wantErr(t, "wait, service killed", <-result, card.ErrNoService)
	check()
	_, err = pcsc.System().Wait(soon(t), known)
	wantErr(t, "wait without a service", err, card.ErrNoService)
	d.StartAgain(t)
	now, err := pcsc.System().Wait(soon(t), []card.ReaderState{}) // knowing that there were none
	if wantErr(t, "wait", err, nil); len(now) != 2 {
		t.Errorf("readers %+v", now)
	}
	check()
}

// Several waits at once, which scard alone would let pull the names from under each other.
func TestManyWaitsAtOnce(t *testing.T) {
	d := pcscdtest.Start(t)
	known, err := pcsc.Readers(soon(t))
	wantErr(t, "readers", err, nil)
	results := make(chan []card.ReaderState)
	const waits = 8
	for range waits {
		go func() {
			now, err := pcsc.System().Wait(context.Background(), known)
			wantErr(t, "wait", err, nil)
			results <- now
		}()
	}
	for range 20 { // strings of the same sizes as the names, so that freed memory is used again
		runtime.GC()
		_, err := pcsc.Readers(soon(t))
		wantErr(t, "readers", err, nil)
	}
	link := d.Insert(t, 1, newChip())
	for range waits {
		now := <-results
		if i := slices.IndexFunc(now, func(s card.ReaderState) bool { return s.Card == card.Present }); i != 1 {
			t.Errorf("readers %+v", now)
		}
	}
	d.Remove(t, 1, link)
}

func TestCountTellsCardsApart(t *testing.T) {
	d := pcscdtest.Start(t)
	link := d.Insert(t, 0, newChip())
	first, err := pcsc.Readers(soon(t))
	wantErr(t, "readers", err, nil)
	d.Remove(t, 0, link)
	d.Insert(t, 0, newChip())
	second, err := pcsc.Readers(soon(t))
	wantErr(t, "readers", err, nil)
	if first[0].Count == second[0].Count {
		t.Errorf("count %d for both cards", first[0].Count)
	}
	now, err := pcsc.System().Wait(soon(t), first) // at once, although the same kind of card is in
	if wantErr(t, "wait", err, nil); now[0].Count != second[0].Count {
		t.Errorf("readers %+v, want %+v", now, second)
	}
}
