package card

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Trace watches the commands that go through the readers it wraps: it counts them, and prints them where Out is set. The data of
// commands that carry a PIN or PUK never reach Out. The zero Trace counts. Safe for concurrent use.
type Trace struct {
	// Out gets a line per command and per answer: hexadecimal, PIN blocks as asterisks. Answers hold what is on the card, the
	// holder's name among it.
	Out io.Writer

	mu    sync.Mutex
	stats Stats
}

// Stats counts what went to and came from cards.
type Stats struct {
	Commands int           // commands sent, GET RESPONSE and repeats included
	Sent     int           // bytes of them
	Received int           // bytes of answers, status words included
	Time     time.Duration // spent waiting for answers
}

// Stats returns the counts so far.
func (t *Trace) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// Reader returns r with every connection traced.
func (t *Trace) Reader(r Reader) Reader { return tracedReader{r, t} }

type tracedReader struct {
	Reader
	trace *Trace
}

func (r tracedReader) Connect(ctx context.Context, mode Mode) (Transport, error) {
	t, err := r.Reader.Connect(ctx, mode)
	if err != nil {
		return nil, err
	}
	r.trace.printf("== %q: ATR %X\n", r.Name(), t.ATR())
	return tracedTransport{t, r.trace}, nil
}

type tracedTransport struct {
	Transport
	trace *Trace
}

func (t tracedTransport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	t.trace.printf(">> %s\n", blanked(command))
	start := time.Now()
	resp, err := t.Transport.Transmit(ctx, command)
	took := time.Since(start)
	t.trace.mu.Lock()
	t.trace.stats.Commands++
	t.trace.stats.Sent += len(command)
	t.trace.stats.Received += len(resp)
	t.trace.stats.Time += took
	t.trace.mu.Unlock()
	if err != nil {
		t.trace.printf("<< %v\n", err)
		return resp, err
	}
	if n := len(resp); n > 2 {
		t.trace.printf("<< %X %X\n", resp[:n-2], resp[n-2:])
	} else {
		t.trace.printf("<< %X\n", resp)
	}
	return resp, nil
}

func (t *Trace) printf(format string, args ...any) {
	if t.Out == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.Out, format, args...)
}

// blanked is command in hexadecimal, the data of commands that carry a PIN as asterisks.
func blanked(command []byte) string {
	n := pinStart(command)
	return fmt.Sprintf("%X%s", command[:n], strings.Repeat("**", len(command)-n))
}

// pinStart is where the data begin in VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER, whatever their class and form; in an
// extended form the length counts as data. For other commands it is the command's length.
func pinStart(command []byte) int {
	if len(command) > 5 && carriesPIN(command[1]) {
		return 5
	}
	return len(command)
}

// carriesPIN tells whether an instruction compares a PIN or PUK, also without data: VERIFY, CHANGE REFERENCE DATA and RESET RETRY
// COUNTER. Odd instructions are the BER-TLV forms of ISO/IEC 7816-4.
func carriesPIN(ins byte) bool {
	switch ins &^ 1 {
	case 0x20, 0x24, 0x2C:
		return true
	}
	return false
}
