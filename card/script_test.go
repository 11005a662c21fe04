package card

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

const sampleScript = `# a T=0 card
reader  ACS ACR38U 00 00
atr 3B98 1340 0AA503010101AD1311

> 00 A4 08 0C 02 3F 00
< 9000
control 42000D48 0102
< 06 04 42 33 00 06
control 42000D49
<
> 0020000108****************
< 63C2
! reset
> 00B00000**
< 01 02 90 00
`

func script(t *testing.T, text string) *Script {
	t.Helper()
	s, err := ParseScript(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScriptPlays(t *testing.T) {
	s := script(t, sampleScript)
	if err := s.Done(); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("before Connect: %v", err)
	}
	c := open(t, s)
	if c.Reader().Name() != "ACS ACR38U 00 00" || hexOf(c.ATR()) != "3B9813400AA503010101AD1311" || c.t.Protocol() != ProtocolT0 {
		t.Errorf("%s, %X", c.Reader().Name(), c.ATR())
	}
	err := c.Do(background, func(tx *Tx) error {
		if _, err := tx.Send(Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: unhex("3F00")}); err != nil {
			return err
		}
		if _, err := tx.Control(0x42000D49, nil); !errors.Is(err, ErrUnsupported) {
			t.Errorf("a control call that is not next: %v", err)
		}
		if b, err := tx.Control(0x42000D48, []byte{1, 2}); err != nil || hexOf(b) != "060442330006" {
			t.Errorf("control: %X, %v", b, err)
		}
		if b, err := tx.Control(0x42000D49, nil); err != nil || len(b) != 0 {
			t.Errorf("control: %X, %v", b, err)
		}
		_, err := tx.Send(Command{INS: 0x20, P2: 1, Data: unhex("24 1234 FFFFFFFFFF")})
		return err
	})
	var pinErr *PINError
	if !errors.As(err, &pinErr) || pinErr.TriesLeft != 2 {
		t.Fatal(err)
	}
	if err := s.Done(); err == nil || !strings.Contains(err.Error(), "line 13") {
		t.Errorf("in the middle: %v", err)
	}
	checks := 0
	c.OnReset(func(*Tx) error { checks++; return nil })
	var got []byte
	err = c.Do(background, func(tx *Tx) error {
		var err error
		got, err = tx.Send(Command{INS: 0xB0, Le: 2})
		return err
	})
	if err != nil || hexOf(got) != "0102" || checks != 1 {
		t.Errorf("after the reset: %X, %v, %d checks", got, err, checks)
	}
	if err := s.Done(); err != nil {
		t.Error(err)
	}
}

func TestScriptEvents(t *testing.T) {
	ctx := context.Background()
	connect := func(text string) Transport {
		tr, err := script(t, "atr 3B00\n"+text).Connect(ctx, Shared)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	transmit := func(tr Transport) error {
		_, err := tr.Transmit(ctx, unhex("00B00000"))
		return err
	}
	tr := connect("! fault\n> 00B00000\n< 9000\n")
	if err := transmit(tr); !errors.Is(err, ErrReader) {
		t.Errorf("fault: %v", err)
	}
	if err := transmit(tr); err != nil {
		t.Errorf("after a fault: %v", err)
	}
	tr = connect("! removed\n> 00B00000\n< 9000\n")
	if err := tr.Status(ctx); !errors.Is(err, ErrRemoved) {
		t.Errorf("removed: %v", err)
	}
	if err := tr.Reconnect(ctx); !errors.Is(err, ErrRemoved) {
		t.Errorf("removed, Reconnect: %v", err)
	}
	if err := transmit(tr); !errors.Is(err, ErrRemoved) {
		t.Errorf("removed stays: %v", err)
	}
	tr = connect("! reset\n> 00B00000\n< 9000\n")
	for range 2 {
		if _, err := tr.Control(ctx, 1, nil); !errors.Is(err, ErrReset) {
			t.Errorf("reset: %v", err)
		}
	}
	if err := errors.Join(tr.Reconnect(ctx), tr.Begin(ctx), transmit(tr), tr.End(ctx, Leave), tr.Close(), tr.Close()); err != nil {
		t.Error(err)
	}
	if err := transmit(tr); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := connect("").Status(ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := script(t, "atr 3B00").Connect(ended, Shared); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestScriptMismatch(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"another command": {"> 00B00000\n< 9000", "script, line 2: expected 00B00000, got 00A40000"},
		"a wildcard":      {"> 00B0**0000\n< 9000", "expected 00B0**0000"},
		"a control call":  {"control 00000012\n< 9000", "expected control 00000012"},
		"the end":         {"", "script has ended, got 00A40000"},
	} {
		c := open(t, script(t, "atr 3B00\n"+tt.text))
		err := c.Do(background, func(tx *Tx) error { _, err := tx.Send(Command{INS: 0xA4}); return err })
		if !errors.Is(err, ErrReader) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Neither the PIN in a script nor the one sent is in the error.
	c := open(t, script(t, "atr 3B00\n> 0020000108241111FFFFFFFFFF\n< 9000"))
	err := c.Do(background, func(tx *Tx) error {
		_, err := tx.Send(Command{INS: 0x20, P2: 1, Data: unhex("242222FFFFFFFFFF")})
		return err
	})
	if err == nil || strings.Contains(err.Error(), "1111") || strings.Contains(err.Error(), "2222") {
		t.Error(err)
	}
}

func TestScriptSessions(t *testing.T) {
	s := script(t, "atr 3B01AA\n> 00B00000\n< 9000\natr 3B01BB\nprotocol T=1\natr 3B8001 81\n")
	want := []struct {
		atr      string
		protocol Protocol
	}{{"3B01AA", ProtocolT0}, {"3B01BB", ProtocolT1}, {"3B800181", ProtocolT1}, {"3B01AA", ProtocolT0}}
	for i, w := range want {
		tr, err := s.Connect(background, Shared)
		if err != nil || hexOf(tr.ATR()) != w.atr || tr.Protocol() != w.protocol {
			t.Errorf("session %d: %X, T %v, %v", i, tr.ATR(), tr.Protocol(), err)
		}
	}
}

func TestParseScriptRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"no atr":             "reader X\n",
		"command before atr": "> 00B00000\n< 9000\natr 3B00",
		"no answer":          "atr 3B00\n> 00B00000\n",
		"two commands":       "atr 3B00\n> 00B00000\n> 00B00000\n< 9000",
		"answer alone":       "atr 3B00\n< 9000",
		"answer first":       "< 9000",
		"odd digits":         "atr 3B00\n> 00B0000\n< 9000",
		"no digits":          "atr 3B00\n> 00B0xx00\n< 9000",
		"half a wildcard":    "atr 3B00\n> 00B0000*\n< 9000",
		"wildcard in answer": "atr 3B00\n> 00B00000\n< 90**",
		"control code":       "atr 3B00\ncontrol 123456789 00\n< 9000",
		"no control code":    "atr 3B00\ncontrol\n< 9000",
		"event":              "atr 3B00\n! explosion",
		"protocol":           "atr 3B00\nprotocol T=2",
		"word":               "atr 3B00\nanswer 9000",
		"atr":                "atr 3B0",
		"long line":          "atr 3B00\n# " + strings.Repeat("x", maxScriptLine) + "\n",
	} {
		if _, err := ParseScript(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What Record writes plays back the same session, with any PIN.
func TestRecordAndPlay(t *testing.T) {
	f := newFake()
	f.transmit = func(_ context.Context, cmd []byte) ([]byte, error) {
		if cmd[1] == 0x20 {
			return unhex("9000"), nil
		}
		return append(cmd[2:4:4], 0x90, 0x00), nil
	}
	f.control = func(code uint32, data []byte) ([]byte, error) {
		if code != 0x42000D48 {
			return nil, ErrUnsupported
		}
		return unhex("0A0442330007"), nil
	}
	reads, state := 0, error(nil)
	f.fail = func(_ int, what string) error {
		if what == "reconnect" {
			state = nil
		}
		if state == nil && strings.HasPrefix(what, "00B0") {
			reads++
			switch reads {
			case 2:
				state = ErrReset
			case 4:
				return ErrReader
			case 6:
				state = ErrRemoved
			}
		}
		return state
	}
	// session does the same on any reader and returns what it saw.
	session := func(r Reader, digits string) string {
		var seen strings.Builder
		c := open(t, r)
		for round := range 6 {
			err := c.Do(background, func(tx *Tx) error {
				data, err := tx.Send(Command{INS: 0xB0, P1: byte(round), P2: 2, Le: 2})
				if err != nil {
					return err
				}
				seen.WriteString(hexOf(data) + " ")
				block, err := pin(t, digits).Block()
				if err != nil {
					return err
				}
				if _, err = tx.Send(Command{INS: 0x20, P2: 1, Data: block}); err != nil {
					return err
				}
				_, err = tx.Control(1, nil)
				features, err2 := tx.Control(0x42000D48, nil)
				seen.WriteString(hexOf(features) + " ")
				return errors.Join(err, err2)
			})
			for _, e := range []error{ErrReset, ErrRemoved, ErrReader, ErrUnsupported} {
				if errors.Is(err, e) {
					seen.WriteString(e.Error())
				}
			}
			seen.WriteString("\n")
		}
		return seen.String()
	}
	var text bytes.Buffer
	first := session(Record(f, &text), "271828")
	if leaks(text.String()) || !strings.Contains(text.String(), "> 0020000108****************\n< 9000") {
		t.Errorf("recording:\n%s", text.String())
	}
	for _, event := range []string{"! reset", "! fault", "! removed"} {
		if !strings.Contains(text.String(), event) {
			t.Errorf("recording lacks %q:\n%s", event, text.String())
		}
	}
	s := script(t, text.String())
	if second := session(s, "9999"); second != first {
		t.Errorf("recorded:\n%splayed:\n%sscript:\n%s", first, second, text.String())
	}
	if err := s.Done(); err != nil {
		t.Error(err)
	}
	if s.Name() != f.Name() {
		t.Errorf("name %q", s.Name())
	}
}

func TestRecordConnectFails(t *testing.T) {
	f := newFake()
	f.connect = ErrNoCard
	var text bytes.Buffer
	if _, err := Record(f, &text).Connect(background, Shared); err != ErrNoCard || text.Len() != 0 {
		t.Errorf("%v, wrote %q", err, text.String())
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add(sampleScript)
	f.Add("atr 3B00\n! removed\n")
	f.Add("atr 3B8001 81\nprotocol T=1\ncontrol 42000D48\n< \n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScript(strings.NewReader(text))
		if err != nil {
			return
		}
		// Play it: send what the script expects, whatever comes back.
		for range s.sessions {
			tr, err := s.Connect(background, Shared)
			if err != nil {
				t.Fatal(err)
			}
			st := tr.(*scriptTransport)
			for range 2 * len(st.session.steps) {
				if errors.Is(st.state, ErrReset) {
					tr.Reconnect(background)
				}
				if st.at == len(st.session.steps) {
					break
				}
				step := st.session.steps[st.at]
				b := make([]byte, len(step.want))
				for i, w := range step.want {
					b[i] = byte(w)
				}
				if step.control {
					tr.Control(background, step.code, b)
				} else {
					tr.Transmit(background, b)
				}
			}
			if line := st.pending(); line != 0 && st.state == nil {
				t.Errorf("stuck at line %d of %q", line, text)
			}
		}
	})
}

// TestNoSecondVERIFY: a card that answers 6Cxx to an empty VERIFY is not asked again with a length: that could be a wrong PIN.
func TestNoSecondVERIFY(t *testing.T) {
	script, err := ParseScript(strings.NewReader("atr 3B9813400AA503010101AD1311\n> 00200001\n< 6C08\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(context.Background(), script)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Do(context.Background(), func(tx *Tx) error {
		_, err := tx.Send(Command{INS: 0x20, P2: 1})
		return err
	})
	var status *StatusError
	if !errors.As(err, &status) || status.SW != 0x6C08 {
		t.Errorf("%v, want the status word 6C08 and no other command", err)
	}
}
