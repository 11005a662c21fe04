package testcards

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eidkit/eidkit/card"
)

var (
	bg       = context.Background()
	cardData = []byte{0x80, 0xE4, 0, 0, 0x1C}
)

// connect opens a way to the card in r.
func connect(t *testing.T, r card.Reader, mode card.Mode) card.Transport {
	t.Helper()
	c, err := r.Connect(bg, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func works(t *testing.T, what string, c card.Transport) {
	t.Helper()
	resp, err := c.Transmit(bg, cardData)
	if err != nil || len(resp) != 30 {
		t.Errorf("%s: %X, %v", what, resp, err)
	}
}

func TestConnect(t *testing.T) {
	r := NewReader("R", ReaderOptions{})
	chip := New(Citizen18)
	for _, mode := range []card.Mode{card.Shared, card.Exclusive} {
		_, err := r.Connect(bg, mode)
		wantErr(t, "empty reader", err, card.ErrNoCard)
	}
	r.InsertMute()
	_, err := r.Connect(bg, card.Shared)
	wantErr(t, "mute card", err, card.ErrMute)
	r.Insert(chip)
	a := connect(t, r, card.Shared)
	if !bytes.Equal(a.ATR(), atr18) || a.Protocol() != card.ProtocolT0 || r.Name() != "R" {
		t.Errorf("ATR %X, protocol %v", a.ATR(), a.Protocol())
	}
	b := connect(t, r, card.Shared)
	works(t, "first of two", a)
	works(t, "second of two", b)
	_, err = r.Connect(bg, card.Exclusive)
	wantErr(t, "exclusive beside others", err, card.ErrBusy)
	a.Close()
	b.Close()
	alone := connect(t, r, card.Exclusive)
	_, err = r.Connect(bg, card.Shared)
	wantErr(t, "beside an exclusive one", err, card.ErrBusy)
	works(t, "exclusive", alone)
	ended, cancel := context.WithCancel(bg)
	cancel()
	_, err = r.Connect(ended, card.Shared)
	wantErr(t, "ended context", err, context.Canceled)
}

func TestDirect(t *testing.T) {
	r := NewReader("R", ReaderOptions{})
	d := connect(t, r, card.Direct)
	if d.ATR() != nil || d.Protocol() != card.ProtocolNone {
		t.Errorf("ATR %X, protocol %v", d.ATR(), d.Protocol())
	}
	_, err := d.Transmit(bg, cardData)
	wantErr(t, "direct, no card", err, card.ErrReader)
	_, err = d.Control(bg, 1, nil)
	wantErr(t, "control", err, card.ErrUnsupported)
	r.Insert(New(Citizen18))
	r.Remove()
	if err := d.Status(bg); err != nil {
		t.Errorf("a card that came and went concerns no direct connection made without it: %v", err)
	}
}

// A connection whose card was taken out says so for ever, whatever is put in afterwards.
func TestRemoval(t *testing.T) {
	chip := New(Citizen18)
	r := chip.Reader()
	a := connect(t, r, card.Shared)
	r.Remove()
	r.Insert(chip)
	_, err := a.Transmit(bg, cardData)
	wantErr(t, "Transmit", err, card.ErrRemoved)
	wantErr(t, "Status", a.Status(bg), card.ErrRemoved)
	wantErr(t, "Begin", a.Begin(bg), card.ErrRemoved)
	wantErr(t, "End", a.End(bg, card.Leave), card.ErrRemoved)
	wantErr(t, "Reconnect", a.Reconnect(bg), card.ErrRemoved)
	_, err = a.Control(bg, 1, nil)
	wantErr(t, "Control", err, card.ErrRemoved)
	works(t, "a new connection", connect(t, r, card.Shared))
}

func TestReset(t *testing.T) {
	chip := New(Citizen18)
	r := chip.Reader()
	a, b := connect(t, r, card.Shared), connect(t, r, card.Shared)
	if err := a.Begin(bg); err != nil {
		t.Fatal(err)
	}
	if err := a.End(bg, card.Reset); err != nil {
		t.Fatal(err)
	}
	works(t, "the one that reset", a)
	before := chip.Stats().Commands
	_, err := b.Transmit(bg, cardData)
	wantErr(t, "Transmit", err, card.ErrReset)
	wantErr(t, "Status", b.Status(bg), card.ErrReset)
	wantErr(t, "Begin", b.Begin(bg), card.ErrReset)
	if chip.Stats().Commands != before {
		t.Error("a command reached the card before Reconnect")
	}
	if err := b.Reconnect(bg); err != nil {
		t.Fatal(err)
	}
	works(t, "after Reconnect", b)
	if err := b.Begin(bg); err != nil {
		t.Fatal(err)
	}
	r.ResetByOther()
	wantErr(t, "End after a reset inside the transaction", b.End(bg, card.Leave), card.ErrReset)
	wantErr(t, "the other too", a.Status(bg), card.ErrReset)
}

// Transactions exclude each other: the second waits for the first, for its commands and for its Begin.
func TestTransactionsExclude(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Citizen18).Reader()
		a, b := connect(t, r, card.Shared), connect(t, r, card.Shared)
		if err := a.Begin(bg); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "Begin inside", a.Begin(bg), card.ErrReader)
		began, sent := make(chan error, 1), make(chan error, 1)
		other := connect(t, r, card.Shared)
		go func() { began <- b.Begin(bg) }()
		go func() { _, err := other.Transmit(bg, cardData); sent <- err }()
		synctest.Wait()
		works(t, "the holder", a)
		if len(began)+len(sent) > 0 {
			t.Fatal("another got in")
		}
		if err := a.End(bg, card.Leave); err != nil {
			t.Fatal(err)
		}
		if err := <-began; err != nil { // whether the command of the third went before or waits on
			t.Errorf("Begin: %v", err)
		}
		if err := b.End(bg, card.Leave); err != nil {
			t.Error(err)
		}
		if err := <-sent; err != nil {
			t.Errorf("Transmit: %v", err)
		}
		wantErr(t, "End without Begin", a.End(bg, card.Leave), card.ErrReader)
	})
}

// What can end a call that waits: its context, Close, removal, a reset, the service.
func TestWaitingEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(s *System, r *Reader, c card.Transport, cancel func())
		want error
	}{
		"context": {func(_ *System, _ *Reader, _ card.Transport, cancel func()) { cancel() }, context.Canceled},
		"Close":   {func(_ *System, _ *Reader, c card.Transport, _ func()) { c.Close() }, card.ErrClosed},
		"removal": {func(_ *System, r *Reader, _ card.Transport, _ func()) { r.Remove() }, card.ErrRemoved},
		"reset":   {func(_ *System, r *Reader, _ card.Transport, _ func()) { r.ResetByOther() }, card.ErrReset},
		"service": {func(s *System, _ *Reader, _ card.Transport, _ func()) { s.Stop() }, card.ErrNoService},
		"reader":  {func(s *System, r *Reader, _ card.Transport, _ func()) { s.RemoveReader(r) }, card.ErrRemoved},
	} {
		for _, call := range []string{"Begin", "Transmit", "silent card"} {
			synctest.Test(t, func(t *testing.T) {
				var s System
				r := New(Citizen18).Reader()
				s.AddReader(r)
				holder, waiting := connect(t, r, card.Shared), connect(t, r, card.Shared)
				if call == "silent card" {
					r.SetFaults(Fault{Kind: Silence})
				} else if err := holder.Begin(bg); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(bg)
				defer cancel()
				done := make(chan error, 1)
				go func() {
					if call == "Begin" {
						done <- waiting.Begin(ctx)
						return
					}
					_, err := waiting.Transmit(ctx, cardData)
					done <- err
				}()
				synctest.Wait()
				if len(done) > 0 {
					t.Fatalf("%s, %s: did not wait: %v", name, call, <-done)
				}
				test.end(&s, r, waiting, cancel)
				wantErr(t, name+", "+call, <-done, test.want)
				if name == "context" {
					_, err := waiting.Transmit(bg, cardData)
					wantErr(t, "after a call that its context ended", err, card.ErrClosed)
				}
			})
		}
	}
}

// Close may come more than once and gives the card free; one that cuts a transaction short resets it.
func TestClose(t *testing.T) {
	r := New(Citizen18).Reader()
	a, b := connect(t, r, card.Shared), connect(t, r, card.Shared)
	if err := a.Begin(bg); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := a.Transmit(bg, cardData)
	wantErr(t, "after Close", err, card.ErrClosed)
	wantErr(t, "after Close", a.Reconnect(bg), card.ErrClosed)
	wantErr(t, "after a transaction that was cut short", b.Begin(bg), card.ErrReset)
	if err := errors.Join(b.Reconnect(bg), b.Begin(bg), b.End(bg, card.Leave)); err != nil {
		t.Errorf("the transaction of a closed connection goes on: %v", err)
	}
	connect(t, r, card.Shared).Close()
	works(t, "after a Close outside a transaction", b)
}

// Windows resets a card that idles in a transaction.
func TestIdleReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReader("Windows", ReaderOptions{IdleReset: 5 * time.Second})
		r.Insert(New(Citizen18))
		a, b := connect(t, r, card.Shared), connect(t, r, card.Shared)
		if err := a.Begin(bg); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			<-time.After(4 * time.Second)
			works(t, "commands in time", a)
		}
		<-time.After(6 * time.Second)
		wantErr(t, "idle in a transaction", a.Status(bg), card.ErrReset)
		if err := b.Reconnect(bg); err != nil {
			t.Fatal(err)
		}
		if err := b.Begin(bg); err != nil {
			t.Fatal(err)
		}
		if err := b.End(bg, card.Leave); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		works(t, "idle outside a transaction", b)
	})
}

func TestFaults(t *testing.T) {
	send := func(c card.Transport) error { _, err := c.Transmit(bg, cardData); return err }
	begin := func(c card.Transport) error { return c.Begin(bg) }
	for _, test := range []struct {
		name   string
		fault  Fault
		call   func(card.Transport) error
		calls  int // before the one that fails
		want   error
		spared bool // the card did not get the failing command
	}{
		{"take out", Fault{Kind: TakeOut, At: 3}, send, 2, card.ErrRemoved, true},
		{"take out after", Fault{Kind: TakeOutAfter, At: 3}, send, 2, card.ErrRemoved, false},
		{"reset", Fault{Kind: ResetCard, At: 2}, send, 1, card.ErrReset, true},
		{"reader", Fault{Kind: BreakReader}, send, 0, card.ErrReader, true},
		{"service", Fault{Kind: StopService}, send, 0, card.ErrNoService, true},
		{"take out at Begin", Fault{Kind: TakeOut, On: AtBegin}, begin, 0, card.ErrRemoved, true},
		{"reset at Begin", Fault{Kind: ResetCard, On: AtBegin}, begin, 0, card.ErrReset, true},
		{"Reconnect", Fault{Kind: TakeOut, On: AtReconnect}, func(c card.Transport) error { return c.Reconnect(bg) }, 0, card.ErrRemoved, true},
		{"End", Fault{Kind: BreakReader, On: AtEnd}, func(c card.Transport) error { return errors.Join(c.Begin(bg), c.End(bg, card.Leave)) }, 0, card.ErrReader, true},
	} {
		chip := New(Citizen18)
		r := chip.Reader()
		c := connect(t, r, card.Shared)
		r.SetFaults(test.fault)
		for i := range test.calls {
			if err := test.call(c); err != nil {
				t.Errorf("%s: call %d: %v", test.name, i+1, err)
			}
		}
		before := chip.Stats().Commands
		wantErr(t, test.name, test.call(c), test.want)
		if spared := chip.Stats().Commands == before; spared != test.spared {
			t.Errorf("%s: the card got the command: %v", test.name, !spared)
		}
	}
}

func TestFaultsAtConnect(t *testing.T) {
	chip := New(Citizen18)
	for kind, want := range map[FaultKind]error{TakeOut: card.ErrNoCard, StopService: card.ErrNoService, BreakReader: card.ErrReader} {
		r := chip.Reader()
		r.SetFaults(Fault{Kind: kind, On: AtConnect})
		_, err := r.Connect(bg, card.Shared)
		wantErr(t, "Connect", err, want)
	}
	r := chip.Reader()
	r.SetFaults(Fault{Kind: ResetCard, On: AtConnect})
	works(t, "a reset before the connection", connect(t, r, card.Shared))
}

// Faults of the answer, and several at once.
func TestBentAnswers(t *testing.T) {
	r := New(Citizen18).Reader()
	c := connect(t, r, card.Shared)
	plain, err := c.Transmit(bg, cardData)
	if err != nil {
		t.Fatal(err)
	}
	r.SetFaults(Fault{Kind: Garble}, Fault{Kind: Truncate}, Fault{Kind: Truncate, At: 2})
	bent, err := c.Transmit(bg, cardData)
	if err != nil || len(bent) != len(plain)-1 || bent[0] == plain[0] || !bytes.Equal(bent[1:], plain[1:len(plain)-1]) {
		t.Errorf("garbled and truncated: %X, %v", bent, err)
	}
	short, err := c.Transmit(bg, cardData)
	if err != nil || !bytes.Equal(short, plain[:len(plain)-1]) {
		t.Errorf("truncated: %X, %v", short, err)
	}
	works(t, "afterwards", c)
	r.SetFaults(Fault{Kind: BreakReader})
	r.SetFaults()
	works(t, "disarmed", c)
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Citizen18).Reader()
		c := connect(t, r, card.Shared)
		start := time.Now()
		r.SetFaults(Fault{Kind: Delay, Wait: 3 * time.Second}, Fault{Kind: Delay, Wait: 4 * time.Second, At: 2})
		works(t, "late", c)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		_, err := c.Transmit(ctx, cardData)
		wantErr(t, "later than the caller waits", err, context.DeadlineExceeded)
	})
}

func TestLineSpeedOption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chip := open(t, "citizen-1.7", Options{LineSpeed: true})
		c := connect(t, chip.Reader(), card.Shared)
		chip.ClearStats()
		start := time.Now()
		works(t, "slow card", c)
		if took, want := time.Since(start), chip.Stats().LineTime; took != want || took < 10*time.Millisecond {
			t.Errorf("took %v, counted %v", took, want)
		}
	})
}
