package pcsc_test

import (
	"context"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

// The service is killed at every point at which a program can be; afterwards everything is as before, with a fresh connection.
func TestServiceKilled(t *testing.T) {
	inTransaction := func(t *testing.T, tr card.Transport) {
		wantErr(t, "begin", tr.Begin(soon(t)), nil)
		transmit(t, tr, ping, 0x90, 0x00)
	}
	tests := []struct {
		name   string
		before func(t *testing.T, tr card.Transport)
		during func(tr card.Transport) error // the call in which it happens; nil for none
	}{
		{name: "idle"},
		{name: "in a command", during: func(tr card.Transport) error {
			_, err := tr.Transmit(context.Background(), hang)
			return err
		}},
		{name: "in a transaction", before: inTransaction},
		{name: "in a command in a transaction", before: inTransaction, during: func(tr card.Transport) error {
			_, err := tr.Transmit(context.Background(), hang)
			return err
		}},
	}
	d := pcscdtest.Start(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check := pcscdtest.CheckLeaks(t)
			c := newChip()
			release := c.releaseAtEnd(t)
			link := d.Insert(t, 0, c)
			tr := connect(t, card.Shared)
			if tt.before != nil {
				tt.before(t, tr)
			}
			if tt.during != nil {
				result := make(chan error, 1)
				go func() { result <- tt.during(tr) }()
				<-c.hanging
				d.Kill(t)
				wantErr(t, "the call under way", <-result, card.ErrNoService)
			} else {
				d.Kill(t)
			}
			release()
			<-link.Done()
			wantServiceGone(t, tr)
			d.StartAgain(t)
			wantServiceGone(t, tr) // what it knew is lost
			link = d.Insert(t, 0, newChip())
			fresh := connect(t, card.Shared)
			transmit(t, fresh, ping, 0x90, 0x00)
			fresh.Close()
			tr.Close()
			d.Remove(t, 0, link)
			check()
		})
	}
}

func wantServiceGone(t *testing.T, tr card.Transport) {
	t.Helper()
	_, err := tr.Transmit(soon(t), ping)
	wantErr(t, "transmit", err, card.ErrNoService)
	wantErr(t, "status", tr.Status(soon(t)), card.ErrNoService)
	wantErr(t, "begin", tr.Begin(soon(t)), card.ErrNoService)
	wantErr(t, "end", tr.End(context.Background(), card.Leave), card.ErrNoService)
	wantErr(t, "reconnect", tr.Reconnect(soon(t)), card.ErrNoService)
	_, err = tr.Control(soon(t), 1, []byte{0})
	wantErr(t, "control", err, card.ErrNoService)
}

func TestServiceKilledWhileWaitingForTransaction(t *testing.T) {
	d := pcscdtest.Start(t)
	check := pcscdtest.CheckLeaks(t)
	link := d.Insert(t, 0, newChip())
	holder, waiter := connect(t, card.Shared), connect(t, card.Shared)
	wantErr(t, "begin", holder.Begin(soon(t)), nil)
	result := make(chan error, 2)
	go func() { result <- waiter.Begin(soon(t)) }()
	go func() { result <- beginElsewhere(soon(t)) }()
	impatient, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel() // meanwhile the two above have come to wait
	wantErr(t, "a third waiter", beginElsewhere(impatient), context.DeadlineExceeded)
	d.Kill(t)
	wantErr(t, "one waiter", <-result, card.ErrNoService)
	wantErr(t, "the other waiter", <-result, card.ErrNoService)
	holder.Close()
	waiter.Close()
	<-link.Done()
	check()
	_, err := pcsc.Open(soon(t), "")
	wantErr(t, "open", err, card.ErrNoService)
	_, err = pcsc.Readers(soon(t))
	wantErr(t, "readers", err, card.ErrNoService)
	_, err = pcsc.Named(pcscdtest.Readers[0]).Connect(soon(t), card.Direct)
	wantErr(t, "connect", err, card.ErrNoService)
	check()
	d.StartAgain(t)
}

// A service that answers nothing holds up nobody whose context ends, and everything is freed once it answers again.
func TestServiceHangs(t *testing.T) {
	d := pcscdtest.Start(t)
	check := pcscdtest.CheckLeaks(t)
	link := d.Insert(t, 0, newChip())
	tr, idle := connect(t, card.Shared), connect(t, card.Shared)
	known, err := pcsc.Readers(soon(t))
	wantErr(t, "readers", err, nil)
	thaw := d.Freeze(t)
	calls := map[string]func(ctx context.Context) error{
		"transmit": func(ctx context.Context) error { _, err := tr.Transmit(ctx, ping); return err },
		"connect": func(ctx context.Context) error {
			_, err := pcsc.Named(pcscdtest.Readers[0]).Connect(ctx, card.Shared)
			return err
		},
		"readers": func(ctx context.Context) error { _, err := pcsc.Readers(ctx); return err },
		"wait":    func(ctx context.Context) error { _, err := pcsc.System().Wait(ctx, known); return err },
		"begin":   func(ctx context.Context) error { return beginElsewhere(ctx) },
	}
	results := make(chan error, len(calls))
	for name, f := range calls {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			err := f(ctx)
			wantErr(t, name, err, context.DeadlineExceeded)
			results <- err
		}()
	}
	for range calls {
		<-results
	}
	idle.Close() // waits a little, then leaves the rest to the worker
	tr.Close()
	thaw()
	fresh := connect(t, card.Shared)
	transmit(t, fresh, ping, 0x90, 0x00)
	fresh.Close()
	d.Remove(t, 0, link)
	check()
}
