package vpcd

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// logChip notes the calls and answers from a script.
type logChip struct {
	atr     []byte
	log     []string
	answers func(command []byte) []byte
}

func (c *logChip) ATR() []byte { c.log = append(c.log, "atr"); return c.atr }
func (c *logChip) PowerOn()    { c.log = append(c.log, "on") }
func (c *logChip) PowerOff()   { c.log = append(c.log, "off") }
func (c *logChip) Reset()      { c.log = append(c.log, "reset") }

func (c *logChip) Transmit(command []byte) []byte {
	c.log = append(c.log, hex.EncodeToString(command))
	if c.answers == nil {
		return []byte{0x90, 0x00}
	}
	return c.answers(command)
}

// message is data with its length in front.
func message(data ...byte) []byte {
	return append([]byte{byte(len(data) >> 8), byte(len(data))}, data...)
}

// answer reads one message from the card.
func answer(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		t.Fatalf("reading the card's answer: %v", err)
	}
	body := make([]byte, int(head[0])<<8|int(head[1]))
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatalf("reading the card's answer: %v", err)
	}
	return body
}

func send(t *testing.T, w io.Writer, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatalf("sending to the card: %v", err)
	}
}

func TestProtocol(t *testing.T) {
	reader, conn := net.Pipe()
	chip := &logChip{atr: []byte{0x3B, 0x00}}
	l := newLink(conn, chip)
	send(t, reader, message(1))
	send(t, reader, message(4))
	if got := answer(t, reader); !bytes.Equal(got, chip.atr) {
		t.Errorf("ATR %X", got)
	}
	send(t, reader, message(0x00, 0xA4, 0x00, 0x0C))
	if got := answer(t, reader); !bytes.Equal(got, []byte{0x90, 0x00}) {
		t.Errorf("answer %X", got)
	}
	for _, b := range append(message(2), append(message(0), message(7)...)...) { // byte by byte, 7 is no control byte we know
		send(t, reader, []byte{b})
	}
	send(t, reader, message(0x80, 1))
	answer(t, reader)
	l.Remove()
	<-l.Done()
	l.Remove()
	if got, want := strings.Join(chip.log, " "), "on atr 00a4000c reset off 8001"; got != want {
		t.Errorf("the chip was told %q, want %q", got, want)
	}
	if err := l.Err(); err != nil {
		t.Errorf("after Remove: %v", err)
	}
}

func TestLongMessages(t *testing.T) {
	reader, conn := net.Pipe()
	chip := &logChip{answers: func(command []byte) []byte { return command }} // its answer is the command's own memory
	l := newLink(conn, chip)
	defer l.Remove()
	for _, n := range []int{2, 3, 261, 65535} {
		command := bytes.Repeat([]byte{0xA5, 0x01, 0x7F}, n)[:n]
		send(t, reader, message(command...))
		if got := answer(t, reader); !bytes.Equal(got, command) {
			t.Errorf("of %d bytes came back %d, first %X", n, len(got), got[:min(8, len(got))])
		}
	}
}

func TestMuteCardHasImpossibleATR(t *testing.T) {
	reader, conn := net.Pipe()
	l := newLink(conn, &logChip{})
	defer l.Remove()
	send(t, reader, message(4))
	if got := answer(t, reader); len(got) <= 33 {
		t.Errorf("ATR of %d bytes: the driver would take it, or take the card for gone", len(got))
	}
}

func TestSilence(t *testing.T) {
	for _, silent := range [][]byte{nil, {}} {
		reader, conn := net.Pipe()
		l := newLink(conn, &logChip{atr: []byte{0x3B}, answers: func([]byte) []byte { return silent }})
		send(t, reader, message(0, 0xB0, 0, 0))
		send(t, reader, message(4)) // the next thing heard is the answer to this
		if got := answer(t, reader); !bytes.Equal(got, []byte{0x3B}) {
			t.Errorf("answer %X", got)
		}
		l.Remove()
	}
}

func TestLinkEnds(t *testing.T) {
	tests := []struct {
		name   string
		sent   []byte
		answer []byte
		text   string // of the error; "" is io.EOF
	}{
		{name: "service stops"},
		{name: "service stops within a length", sent: []byte{0}},
		{name: "service stops within a command", sent: []byte{0, 5, 1, 2}},
		{name: "empty message", sent: []byte{0, 0}, text: "empty message"},
		{name: "answer too long", sent: message(0, 0xB0, 0, 0), answer: make([]byte, 65536), text: "65536 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reader, conn := net.Pipe()
			l := newLink(conn, &logChip{answers: func([]byte) []byte { return tt.answer }})
			send(t, reader, tt.sent)
			if tt.text == "" {
				reader.Close()
			}
			<-l.Done()
			err := l.Err()
			if tt.text == "" && err != io.EOF || tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("error %v", err)
			}
			if _, err := reader.Read(make([]byte, 1)); err == nil {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestErrBeforeTheEnd(t *testing.T) {
	_, conn := net.Pipe()
	l := newLink(conn, &logChip{})
	defer l.Remove()
	if err := l.Err(); err != nil {
		t.Errorf("error %v of a link that lives", err)
	}
}

func TestRemoveDoesNotWaitForTheChip(t *testing.T) {
	reader, conn := net.Pipe()
	entered, release := make(chan struct{}), make(chan struct{})
	l := newLink(conn, &logChip{answers: func([]byte) []byte {
		close(entered)
		<-release
		return []byte{0x90, 0x00}
	}})
	send(t, reader, message(0, 0xB0, 0, 0))
	<-entered
	l.Remove()
	if _, err := reader.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
	close(release)
	<-l.Done()
	if l.Err() != nil {
		t.Errorf("after Remove: %v", l.Err())
	}
}

func TestAwaitReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, conn := net.Pipe()
		l := newLink(conn, &logChip{})
		if err := l.awaitReader(t.Context()); err != ErrSlotTaken || time.Since(start) != insertWait {
			t.Errorf("a reader that asks nothing: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.awaitReader(ctx); err != context.DeadlineExceeded {
			t.Errorf("context's end: %v", err)
		}
		l.Remove()
		<-l.Done()
		reader, conn := net.Pipe()
		l = newLink(conn, &logChip{})
		reader.Close()
		if err := l.awaitReader(t.Context()); err != io.EOF {
			t.Errorf("a reader that goes: %v", err)
		}
	})
}

func TestInsertFails(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close() // nobody listens there now

	t.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "nobody"))
	if _, err := Insert(t.Context(), addr, &logChip{}); !errors.Is(err, ErrNoService) {
		t.Errorf("no service: %v", err)
	}
	// Unix sockets have short names, shorter than a test's own folder may be.
	dir, err := os.MkdirTemp("", "vpcd")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	service, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	t.Setenv("PCSCLITE_CSOCK_NAME", service.Addr().String())
	if _, err := Insert(t.Context(), addr, &logChip{}); !errors.Is(err, ErrNoDriver) {
		t.Errorf("no driver: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Insert(ended, addr, &logChip{}); !errors.Is(err, context.Canceled) {
		t.Errorf("context ended before: %v", err)
	}
}

// A reader that sends anything whatever cannot do more than end the link.
func FuzzReader(f *testing.F) {
	f.Add(message(4))
	f.Add(append(message(1), message(0x00, 0xA4, 0x00, 0x0C)...))
	f.Add([]byte{0, 0})
	f.Add([]byte{0xFF, 0xFF, 1, 2, 3})
	f.Add(append(message(2), message(0, 0xB0, 0, 0, 0)...))
	f.Fuzz(func(t *testing.T, sent []byte) {
		reader, conn := net.Pipe()
		chip := &logChip{atr: []byte{0x3B, 0x00}}
		l := newLink(conn, chip)
		go io.Copy(io.Discard, reader)
		_, _ = reader.Write(sent)
		reader.Close()
		<-l.Done()
		if l.Err() == nil {
			t.Error("ended without a reason")
		}
		if len(chip.log) > len(sent)/3 {
			t.Errorf("%d calls for %d bytes", len(chip.log), len(sent))
		}
	})
}
