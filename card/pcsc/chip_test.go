package pcsc_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

// The commands that the scripted chip knows; it answers 6D00 to any other.
var (
	readMuch = []byte{0x00, 0xB0, 0x00, 0x00, 0x00} // answers 256 bytes, 00 to FF
	set      = []byte{0x00, 0xD6, 0x00, 0x00}       // sets a mark that a reset clears
	isSet    = []byte{0x00, 0xCA, 0x00, 0x00, 0x01} // answers the mark, 00 or 01
	hang     = []byte{0x00, 0xFF, 0x00, 0x00}       // no answer before the chip is released
	ping     = []byte{0x00, 0xA4, 0x00, 0x0C}       // answers nothing but 9000
)

var atr, _ = hex.DecodeString("3B9813400AA503010101AD1311") // a 1.7 card's

// chip is the simplest card: it notes what it is told.
type chip struct {
	atr      []byte
	hanging  chan struct{} // gets a value when the chip hangs
	released chan struct{} // closed to end that

	mu       sync.Mutex
	commands [][]byte
	resets   int
	mark     byte
}

func newChip() *chip {
	return &chip{atr: atr, hanging: make(chan struct{}, 16), released: make(chan struct{})}
}

func (c *chip) ATR() []byte { return c.atr }
func (c *chip) PowerOn()    { c.forget() }
func (c *chip) PowerOff()   { c.forget() }

func (c *chip) Reset() {
	c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resets++
}

func (c *chip) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark = 0
}

func (c *chip) Transmit(command []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commands = append(c.commands, bytes.Clone(command))
	switch command[1] {
	case readMuch[1]:
		out := make([]byte, 256, 258)
		for i := range out {
			out[i] = byte(i)
		}
		return append(out, 0x90, 0x00)
	case set[1]:
		c.mark = 1
		return []byte{0x90, 0x00}
	case isSet[1]:
		return []byte{c.mark, 0x90, 0x00}
	case ping[1]:
		return []byte{0x90, 0x00}
	case hang[1]:
		c.mu.Unlock()
		c.hanging <- struct{}{}
		<-c.released
		c.mu.Lock()
		return []byte{0x90, 0x00}
	}
	return []byte{0x6D, 0x00}
}

func (c *chip) seen() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.commands)
}

func (c *chip) resetCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resets
}

// release lets the chip answer again, at the latest at the end of the test.
func (c *chip) releaseAtEnd(t *testing.T) (release func()) {
	release = sync.OnceFunc(func() { close(c.released) })
	t.Cleanup(release)
	return release
}

// soon is a context that ends a test which hangs; on a busy machine much takes its time.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// connect connects to the card in slot 0 and closes at the end of the test.
func connect(t testing.TB, mode card.Mode) card.Transport {
	t.Helper()
	tr, err := pcsc.Named(pcscdtest.Readers[0]).Connect(soon(t), mode)
	if err != nil {
		t.Fatalf("connecting: %v", err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// transmit sends a command and expects the answer.
func transmit(t testing.TB, tr card.Transport, command []byte, want ...byte) {
	t.Helper()
	got, err := tr.Transmit(soon(t), command)
	if err != nil {
		t.Errorf("command %X: %v", command, err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("command %X: answer %X, want %X", command, got, want)
	}
}

func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		os.Exit(helper())
	}
	os.Exit(m.Run())
}
