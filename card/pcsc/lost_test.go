package pcsc_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

func TestResetByAnother(t *testing.T) {
	d := pcscdtest.Start(t)
	c := newChip()
	d.Insert(t, 0, c)
	a, b := connect(t, card.Shared), connect(t, card.Shared)
	resetBy := func(tr card.Transport) {
		t.Helper()
		wantErr(t, "begin", tr.Begin(soon(t)), nil)
		wantErr(t, "end with a reset", tr.End(context.Background(), card.Reset), nil)
	}
	_, err := a.Transmit(soon(t), set)
	wantErr(t, "set", err, nil)
	resetBy(b)
	if c.resetCount() != 1 {
		t.Fatalf("the card was reset %d times, want once", c.resetCount())
	}
	before := len(c.seen())
	for range 2 { // it stays so until Reconnect
		_, err := a.Transmit(soon(t), isSet)
		wantErr(t, "transmit", err, card.ErrReset)
		wantErr(t, "status", a.Status(soon(t)), card.ErrReset)
		wantErr(t, "begin", a.Begin(soon(t)), card.ErrReset)
	}
	if n := len(c.seen()) - before; n != 0 {
		t.Errorf("%d commands reached the card in spite of ErrReset", n)
	}
	wantErr(t, "reconnect", a.Reconnect(soon(t)), nil)
	wantErr(t, "status", a.Status(soon(t)), nil)
	wantErr(t, "begin", a.Begin(soon(t)), nil)
	transmit(t, a, isSet, 0, 0x90, 0x00)
	wantErr(t, "end", a.End(context.Background(), card.Leave), nil)
	transmit(t, b, isSet, 0, 0x90, 0x00) // who resets is not told of it

	resetBy(a)
	wantErr(t, "begin after the other's reset", b.Begin(soon(t)), card.ErrReset)
	wantErr(t, "reconnect", b.Reconnect(soon(t)), nil)
	transmit(t, b, ping, 0x90, 0x00)
	transmit(t, a, ping, 0x90, 0x00)
	if c.resetCount() != 2 {
		t.Errorf("the card was reset %d times, want twice", c.resetCount())
	}
}

// wantGone expects every call to say that the card was removed.
func wantGone(t *testing.T, tr card.Transport) {
	t.Helper()
	_, err := tr.Transmit(soon(t), ping)
	wantErr(t, "transmit", err, card.ErrRemoved)
	wantErr(t, "status", tr.Status(soon(t)), card.ErrRemoved)
	wantErr(t, "begin", tr.Begin(soon(t)), card.ErrRemoved)
	wantErr(t, "reconnect", tr.Reconnect(soon(t)), card.ErrRemoved)
}

func TestRemovedWhileIdle(t *testing.T) {
	d := pcscdtest.Start(t)
	link := d.Insert(t, 0, newChip())
	tr := connect(t, card.Shared)
	reset := connect(t, card.Shared)
	other := connect(t, card.Shared)
	wantErr(t, "begin", other.Begin(soon(t)), nil)
	wantErr(t, "end with a reset", other.End(context.Background(), card.Reset), nil)
	d.Remove(t, 0, link)
	wantGone(t, tr)

	c := newChip()
	d.Insert(t, 0, c) // the connection is to a card, not to whatever is in the reader
	wantErr(t, "reconnect to the next card", reset.Reconnect(soon(t)), card.ErrRemoved)
	wantGone(t, reset)
	wantGone(t, tr)
	if n := len(c.seen()); n != 0 {
		t.Errorf("%d commands meant for the old card reached the new one", n)
	}
	transmit(t, connect(t, card.Shared), ping, 0x90, 0x00)
}

func TestRemovedAndBackUnseen(t *testing.T) {
	d := pcscdtest.Start(t)
	link := d.Insert(t, 0, newChip())
	tr := connect(t, card.Shared)
	d.Remove(t, 0, link)
	c := newChip()
	d.Insert(t, 0, c)
	wantGone(t, tr)
	if n := len(c.seen()); n != 0 {
		t.Errorf("%d commands meant for the old card reached the new one", n)
	}
}

func TestRemovedInTransmit(t *testing.T) {
	d := pcscdtest.Start(t)
	for _, inTx := range []bool{false, true} {
		c := newChip()
		c.releaseAtEnd(t)
		link := d.Insert(t, 0, c)
		tr := connect(t, card.Shared)
		if inTx {
			wantErr(t, "begin", tr.Begin(soon(t)), nil)
		}
		go func() {
			<-c.hanging
			link.Remove()
		}()
		_, err := tr.Transmit(soon(t), hang)
		wantErr(t, "transmit", err, card.ErrRemoved)
		if errors.Is(err, card.ErrReset) {
			t.Errorf("a removal that looks like a reset: %v", err)
		}
		if inTx {
			wantErr(t, "end", tr.End(context.Background(), card.Leave), card.ErrRemoved)
		}
		wantGone(t, tr)
		tr.Close()
	}
}

func TestCancelWhileMute(t *testing.T) {
	ends := map[string]struct {
		end  func(tr card.Transport, cancel func())
		want error
	}{
		"context": {func(_ card.Transport, cancel func()) { cancel() }, context.Canceled},
		"close":   {func(tr card.Transport, _ func()) { tr.Close() }, card.ErrClosed},
	}
	d := pcscdtest.Start(t)
	for name, tt := range ends {
		t.Run(name, func(t *testing.T) {
			check := pcscdtest.CheckLeaks(t)
			c := newChip()
			release := c.releaseAtEnd(t)
			link := d.Insert(t, 0, c)
			tr := connect(t, card.Shared)
			ctx, cancel := context.WithCancel(soon(t))
			defer cancel()
			go func() {
				<-c.hanging
				tt.end(tr, cancel)
			}()
			_, err := tr.Transmit(ctx, hang) // the chip never answers before its release
			wantErr(t, "transmit", err, tt.want)
			_, err = tr.Transmit(soon(t), ping)
			wantErr(t, "a further transmit", err, card.ErrClosed)
			wantErr(t, "close", tr.Close(), nil)

			release()
			alone, err := pcsc.Named(pcscdtest.Readers[0]).Connect(soon(t), card.Shared)
			wantErr(t, "connect after the release", err, nil)
			transmit(t, alone, ping, 0x90, 0x00)
			alone.Close()
			if !pcscdtest.Eventually(func() bool { return exclusiveWorks(t) }) {
				t.Error("the service still counts the connection that was cut short")
			}
			if seen := c.seen(); len(seen) != 2 {
				t.Errorf("the card saw %X, want two commands", seen)
			}
			d.Remove(t, 0, link)
			check()
		})
	}
}

func exclusiveWorks(t *testing.T) bool {
	tr, err := pcsc.Named(pcscdtest.Readers[0]).Connect(soon(t), card.Exclusive)
	if err != nil {
		wantErr(t, "exclusive", err, card.ErrBusy)
		return false
	}
	tr.Close()
	return true
}

// A connection cut short in a transaction takes PIN rights with it; one closed outside leaves the card as it is.
func TestCutShortInTransaction(t *testing.T) {
	d := pcscdtest.Start(t)
	c := newChip()
	d.Insert(t, 0, c)
	tests := []struct {
		name  string
		cut   func(tr card.Transport)
		reset bool
	}{
		{"closed outside", func(tr card.Transport) {
			transmit(t, tr, set, 0x90, 0x00)
			tr.Close()
		}, false},
		{"closed after the end", func(tr card.Transport) {
			wantErr(t, "begin", tr.Begin(soon(t)), nil)
			transmit(t, tr, set, 0x90, 0x00)
			wantErr(t, "end", tr.End(context.Background(), card.Leave), nil)
			tr.Close()
		}, false},
		{"closed before anything was sent", func(tr card.Transport) {
			transmit(t, tr, set, 0x90, 0x00)
			wantErr(t, "begin", tr.Begin(soon(t)), nil)
			tr.Close()
		}, false},
		{"closed inside", func(tr card.Transport) {
			wantErr(t, "begin", tr.Begin(soon(t)), nil)
			transmit(t, tr, set, 0x90, 0x00)
			tr.Close()
		}, true},
		{"cancelled inside", func(tr card.Transport) {
			wantErr(t, "begin", tr.Begin(soon(t)), nil)
			transmit(t, tr, set, 0x90, 0x00)
			ctx, cancel := context.WithCancel(soon(t))
			go func() {
				<-c.hanging
				cancel()
			}()
			_, err := tr.Transmit(ctx, hang)
			wantErr(t, "transmit", err, context.Canceled)
			wantErr(t, "end", tr.End(context.Background(), card.Leave), card.ErrClosed)
			tr.Close()
			close(c.released)
		}, true},
	}
	for _, tt := range tests {
		resets := c.resetCount()
		tt.cut(connect(t, card.Shared))
		after := connect(t, card.Shared)
		mark := byte(1)
		if tt.reset {
			mark = 0
		}
		transmit(t, after, isSet, mark, 0x90, 0x00)
		after.Close()
		if got := c.resetCount() - resets; (got == 1) != tt.reset || got > 1 {
			t.Errorf("%s: %d resets", tt.name, got)
		}
	}
}

// Several goroutines use, end and close one connection at once.
func TestCloseFromAnywhere(t *testing.T) {
	d := pcscdtest.Start(t)
	link := d.Insert(t, 0, newChip())
	check := pcscdtest.CheckLeaks(t)
	for range 20 {
		tr := connect(t, card.Shared)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					if _, err := tr.Transmit(soon(t), ping); err != nil {
						wantErr(t, "transmit", err, card.ErrClosed)
						return
					}
				}
			})
			wg.Go(func() { tr.Close() })
		}
		wg.Wait()
	}
	check()
	link.Remove()
}
