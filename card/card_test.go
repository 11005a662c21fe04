package card

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

var background = context.Background()

// send opens a card on f and sends one command in one transaction.
func send(t *testing.T, f *fake, cmd Command) (data []byte, err error) {
	t.Helper()
	c := open(t, f)
	err = c.Do(background, func(tx *Tx) error {
		var err error
		data, err = tx.Send(cmd)
		return err
	})
	return data, err
}

func TestSend(t *testing.T) {
	long := strings.Repeat("AB", 256)
	read, sel := Command{INS: 0xB0, Le: 256}, Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: unhex("3F00"), Le: 256}
	tests := []struct {
		name     string
		protocol Protocol
		cmd      Command
		answers  []string
		want     string
		sw       uint16 // 0: no error
		log      string
	}{
		{"plain", ProtocolT0, read, []string{"00B0000000", "01029000"}, "0102", 0, "00B0000000"},
		{"T=0 leaves Le out beside data", ProtocolT0, sel, []string{"00A4080C023F00", "9000"}, "", 0, "00A4080C023F00"},
		{"T=1 keeps Le", ProtocolT1, sel, []string{"00A4080C023F0000", "6F009000"}, "6F00", 0, "00A4080C023F0000"},
		{"61xx", ProtocolT0, sel, []string{"00A4080C023F00", "6103", "00C0000003", "0102039000"}, "010203", 0, "00A4080C023F00, 00C0000003"},
		{"class 80 fetched with class 00", ProtocolT0, Command{CLA: 0x80, INS: 0xE4, Data: unhex("01")},
			[]string{"80E400000101", "6101", "00C0000001", "AA9000"}, "AA", 0, "80E400000101, 00C0000001"},
		{"61xx in pieces", ProtocolT0, read, []string{"00B0000000", "01026100", "00C0000000", long + "6102", "00C0000002", "03049000"},
			"0102" + long + "0304", 0, "00B0000000, 00C0000000, 00C0000002"},
		{"6Cxx", ProtocolT0, read, []string{"00B0000000", "6C02", "00B0000002", "01029000"}, "0102", 0, "00B0000000, 00B0000002"},
		{"6Cxx twice is an error", ProtocolT0, read, []string{"00B0000000", "6C02", "00B0000002", "6C01"}, "", 0x6C01, "00B0000000, 00B0000002"},
		{"6Cxx never repeats a command with data", ProtocolT0, Command{INS: 0x20, P2: 1, Data: unhex("24123456")},
			[]string{"002000010424123456", "6C08"}, "", 0x6C08, "002000010424123456"},
		{"6Cxx on GET RESPONSE", ProtocolT0, sel, []string{"00A4080C023F00", "6110", "00C0000010", "6C02", "00C0000002", "01029000"},
			"0102", 0, "00A4080C023F00, 00C0000010, 00C0000002"},
		{"6Cxx on GET RESPONSE twice", ProtocolT0, sel, []string{"00A4080C023F00", "6110", "00C0000010", "6C02", "00C0000002", "6C01"},
			"", 0x6C01, "00A4080C023F00, 00C0000010, 00C0000002"},
		{"data beside a warning", ProtocolT0, read, []string{"00B0000000", "01026282"}, "0102", 0x6282, "00B0000000"},
		{"data before a failure in a chain", ProtocolT0, read, []string{"00B0000000", "01026101", "00C0000001", "6F00"}, "0102", 0x6F00,
			"00B0000000, 00C0000001"},
		{"extended", ProtocolT1, Command{INS: 0xB0, Le: 1000}, []string{"00B000000003E8", "059000"}, "05", 0, "00B000000003E8"},
		{"extended with data under T=0 is left as it is", ProtocolT0, Command{INS: 0x2A, Data: unhex("01"), Le: 300},
			[]string{"002A0000000001 01 012C", "059000"}, "05", 0, "002A000000000101012C"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.answers {
				tt.answers[i] = strings.ReplaceAll(tt.answers[i], " ", "")
			}
			f := newFake(tt.answers...)
			f.protocol = tt.protocol
			got, err := send(t, f, tt.cmd)
			if hexOf(got) != tt.want {
				t.Errorf("data %X, want %s", got, tt.want)
			}
			var status *StatusError
			switch {
			case tt.sw == 0 && err != nil:
				t.Error(err)
			case tt.sw != 0 && (!errors.As(err, &status) || status.SW != tt.sw || status.INS != tt.cmd.INS):
				t.Errorf("error %v, want status %04X", err, tt.sw)
			}
			if want := "begin, " + tt.log + ", end 0"; f.logged() != want {
				t.Errorf("calls %s, want %s", f.logged(), want)
			}
		})
	}
}

// A card that never ends its answer is left after a bounded number of commands.
func TestSendBounded(t *testing.T) {
	for name, answer := range map[string][]byte{
		"full pieces":   append(bytes.Repeat([]byte{1}, 256), 0x61, 0x00),
		"single bytes":  {1, 0x61, 0x00},
		"empty pieces":  {0x61, 0x00},
		"6Cxx for ever": {0x6C, 0x10},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.transmit = func(context.Context, []byte) ([]byte, error) { return bytes.Clone(answer), nil }
			data, err := send(t, f, Command{INS: 0xB0, Le: 256})
			if err == nil || len(data) > maxResponse {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			if f.calls > maxResponse+10 {
				t.Errorf("%d commands", f.calls)
			}
		})
	}
}

func TestSendBrokenAnswers(t *testing.T) {
	for _, answer := range []string{"", "90"} {
		if _, err := send(t, newFake("00B0000000", answer), Command{INS: 0xB0, Le: 256}); !errors.Is(err, ErrReader) {
			t.Errorf("answer %q: %v", answer, err)
		}
	}
	f := newFake()
	if _, err := send(t, f, Command{INS: 0xB0, Le: 70000}); err == nil || f.logged() != "begin, end 0" {
		t.Errorf("impossible command: %v, calls %s", err, f.logged())
	}
}

// The command's bytes hold a PIN block: they are wiped after the exchange, the caller's data are not.
func TestSendWipes(t *testing.T) {
	f := newFake()
	var seen []byte
	f.transmit = func(_ context.Context, b []byte) ([]byte, error) {
		seen = b
		return []byte{0x90, 0x00}, nil
	}
	block := unhex("241234FFFFFFFFFF")
	if _, err := send(t, f, Command{INS: 0x20, P2: 1, Data: block}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(seen, make([]byte, 13)) {
		t.Errorf("after the exchange the command is still %X", seen)
	}
	if block[1] != 0x12 {
		t.Error("the caller's data were wiped")
	}
}

// threeReads is work of three commands that tells what it did.
func threeReads(noRepeatBefore int, starts *int) func(*Tx) error {
	return func(tx *Tx) error {
		*starts++
		for i := range 3 {
			if i == noRepeatBefore {
				tx.NoRepeat()
			}
			if _, err := tx.Send(Command{INS: 0xB0, P2: byte(i), Le: 1}); err != nil {
				return fmt.Errorf("reading %d: %w", i, err)
			}
		}
		return nil
	}
}

func resetting(at int, f *fake) {
	reset := false
	f.transmit = func(context.Context, []byte) ([]byte, error) { return []byte{7, 0x90, 0x00}, nil }
	f.fail = func(call int, what string) error {
		if call == at {
			reset = true
		}
		switch {
		case what == "reconnect":
			reset = false
		case reset:
			return ErrReset
		}
		return nil
	}
}

// A reset by another program before each step in turn: the work is repeated from its start, after OnReset, and never once NoRepeat
// was called.
func TestResetAtEachStep(t *testing.T) {
	const full = "begin, 00B0000001, 00B0000101, 00B0000201, end 0"
	for step, wasDone := range []string{"", "begin, ", "begin, 00B0000001, ", "begin, 00B0000001, 00B0000101, "} {
		for _, noRepeatBefore := range []int{-1, 0, 1, 2} {
			f := newFake()
			resetting(step, f)
			c := open(t, f)
			starts, checks := 0, 0
			c.OnReset(func(tx *Tx) error {
				checks++
				_, err := tx.Send(Command{INS: 0xE4})
				return err
			})
			err := c.Do(background, threeReads(noRepeatBefore, &starts))
			// Step 0 is Begin, step n+1 command n. The command that met the reset was not sent, but NoRepeat may have been called.
			repeated := noRepeatBefore < 0 || step == 0 || step-1 < noRepeatBefore
			again := "reconnect, " + strings.Replace(full, "begin, ", "begin, 00E40000, ", 1)
			switch {
			case repeated && (err != nil || checks != 1 || f.logged() != wasDone+again):
				t.Errorf("reset at step %d, NoRepeat before %d: %v, %d checks, %s", step, noRepeatBefore, err, checks, f.logged())
			case !repeated && (!errors.Is(err, ErrReset) || starts != 1 || checks != 0):
				t.Errorf("reset at step %d, NoRepeat before %d: %v, %d starts, %d checks", step, noRepeatBefore, err, starts, checks)
			}
			if !repeated { // the next work is sound again, and OnReset comes first
				if err := c.Do(background, threeReads(-1, &starts)); err != nil || checks != 1 {
					t.Errorf("after a reset at step %d: %v, %d checks", step, err, checks)
				}
			}
		}
	}
}

func TestResetForEver(t *testing.T) {
	f := newFake()
	f.fail = func(_ int, what string) error {
		if strings.HasPrefix(what, "00") {
			return ErrReset
		}
		return nil
	}
	starts := 0
	if err := open(t, f).Do(background, threeReads(-1, &starts)); !errors.Is(err, ErrReset) || starts != maxRepeats {
		t.Errorf("%v after %d starts", err, starts)
	}
}

// What OnReset has not seen stays unseen: its failure, and a transaction that could not begin after the card was taken back, leave
// the check for the next Do.
func TestOnResetIsNotSkipped(t *testing.T) {
	errSwapped := errors.New("another card")
	t.Run("failed", func(t *testing.T) {
		f := newFake()
		resetting(0, f)
		c := open(t, f)
		checks, starts := 0, 0
		c.OnReset(func(*Tx) error { checks++; return errSwapped })
		for want := 1; want <= 2; want++ {
			if err := c.Do(background, threeReads(-1, &starts)); !errors.Is(err, errSwapped) || checks != want || starts != 0 {
				t.Errorf("%v, %d checks, %d starts", err, checks, starts)
			}
		}
		if got := f.logged(); got != "reconnect, begin, end 0, begin, end 0" {
			t.Errorf("calls %s", got)
		}
	})
	t.Run("transaction not begun", func(t *testing.T) {
		f := newFake()
		f.transmit = func(context.Context, []byte) ([]byte, error) { return []byte{0x90, 0x00}, nil }
		f.fail = func(call int, _ string) error { return map[int]error{0: ErrReset, 2: ErrBusy}[call] }
		c := open(t, f)
		checks, starts := 0, 0
		c.OnReset(func(*Tx) error { checks++; return nil })
		if err := c.Do(background, threeReads(-1, &starts)); !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
		if err := c.Do(background, threeReads(-1, &starts)); err != nil || checks != 1 || starts != 1 {
			t.Errorf("%v, %d checks, %d starts", err, checks, starts)
		}
	})
}

func TestReconnectFails(t *testing.T) {
	f := newFake()
	f.fail = func(call int, _ string) error { return map[int]error{0: ErrReset, 1: ErrRemoved}[call] }
	starts := 0
	if err := open(t, f).Do(background, threeReads(-1, &starts)); !errors.Is(err, ErrRemoved) || starts != 0 {
		t.Errorf("%v, %d starts", err, starts)
	}
}

func TestResetAtEnd(t *testing.T) {
	errWork := errors.New("work")
	for _, tt := range []struct {
		name      string
		work, end error
		want      []error
		starts    int
	}{
		{"fine", nil, nil, nil, 1},
		{"work fails", errWork, nil, []error{errWork}, 1},
		{"end fails", nil, ErrReader, []error{ErrReader}, 1},
		{"both fail", errWork, ErrReader, []error{errWork, ErrReader}, 1},
		{"another program was first", nil, ErrReset, nil, 1}, // the PIN rights are gone, the work was done once
		{"card removed", nil, ErrRemoved, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			f.fail = func(_ int, what string) error {
				if what == "end 1" {
					return tt.end
				}
				return nil
			}
			starts := 0
			err := open(t, f).Do(background, func(tx *Tx) error {
				starts++
				tx.ResetAtEnd(errors.New("test"))
				return tt.work
			})
			for _, want := range tt.want {
				if !errors.Is(err, want) {
					t.Errorf("%v lacks %v", err, want)
				}
			}
			if (err == nil) != (tt.want == nil) || starts != tt.starts {
				t.Errorf("%v after %d starts", err, starts)
			}
		})
	}
}

func TestEndWithLeaveIsForgiven(t *testing.T) {
	f := newFake()
	f.fail = func(_ int, what string) error {
		if what == "end 0" {
			return ErrRemoved
		}
		return nil
	}
	if err := open(t, f).Do(background, func(*Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestPanicEndsTransaction(t *testing.T) {
	f := newFake()
	c := open(t, f)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		c.Do(background, func(*Tx) error { panic("bug") })
	}()
	if f.logged() != "begin, end 0" {
		t.Errorf("calls %s", f.logged())
	}
	if err := c.Do(background, func(*Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}

// Close ends a call under way, and whoever waits for his turn.
func TestCloseDuringCall(t *testing.T) {
	f := newFake()
	inside := make(chan struct{})
	f.transmit = func(context.Context, []byte) ([]byte, error) {
		close(inside)
		<-f.closed
		return nil, ErrClosed
	}
	c := open(t, f)
	result := make(chan error)
	work := func(tx *Tx) error {
		_, err := tx.Send(Command{INS: 0xB0})
		return err
	}
	go func() { result <- c.Do(background, work) }()
	<-inside
	go func() { result <- c.Do(background, work) }()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	if err := c.Do(background, work); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestContext(t *testing.T) {
	t.Run("ended before", func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(background)
		cancel()
		if err := open(t, f).Do(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) || f.calls != 0 {
			t.Errorf("%v, %d calls", err, f.calls)
		}
	})
	t.Run("ends while another has the card", func(t *testing.T) {
		c := open(t, newFake())
		inside, leave, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- c.Do(background, func(*Tx) error { close(inside); <-leave; return nil })
		}()
		<-inside
		ctx, cancel := context.WithCancel(background)
		cancel()
		if err := c.Do(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(leave)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("reaches the transport", func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(background)
		f.transmit = func(ctx context.Context, _ []byte) ([]byte, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		err := open(t, f).Do(ctx, func(tx *Tx) error {
			if tx.Context() != ctx {
				t.Error("Tx.Context is another one")
			}
			_, err := tx.Send(Command{INS: 0xB0})
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestOpen(t *testing.T) {
	f := newFake()
	c := open(t, f)
	if c.Reader() != Reader(f) || !bytes.Equal(c.ATR(), []byte{0x3B, 0x00}) {
		t.Errorf("reader %v, ATR %X", c.Reader(), c.ATR())
	}
	f = newFake()
	f.connect = ErrMute
	if _, err := Open(background, f); !errors.Is(err, ErrMute) || !strings.Contains(err.Error(), "Fake Reader 00") {
		t.Error(err)
	}
}

func TestControl(t *testing.T) {
	f := newFake()
	c := open(t, f)
	control := func(tx *Tx) error {
		_, err := tx.Control(0x42000D48, []byte{1})
		return err
	}
	if err := c.Do(background, control); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	f.control = func(code uint32, data []byte) ([]byte, error) {
		if code != 0x42000D48 || !bytes.Equal(data, []byte{1}) {
			t.Errorf("control %X, %X", code, data)
		}
		return nil, nil
	}
	if err := c.Do(background, control); err != nil {
		t.Error(err)
	}
}

// A reset of our own loses what is selected as much as another program's: OnReset comes before the next work, once.
func TestOwnResetIsAReset(t *testing.T) {
	c := open(t, newFake())
	checks := 0
	c.OnReset(func(*Tx) error { checks++; return nil })
	for i, want := range []int{0, 1, 1} {
		err := c.Do(background, func(tx *Tx) error {
			if i == 0 {
				tx.ResetAtEnd(errors.New("test"))
			}
			return nil
		})
		if err != nil || checks != want {
			t.Errorf("Do %d: %v, OnReset ran %d times, want %d", i, err, checks, want)
		}
	}
}
