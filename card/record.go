package card

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Record returns r with every connection written to out as a [Script], to be played back later. The data of commands that carry
// a PIN or PUK are written as asterisks and match anything. Answers hold what is on the card, the holder's name and photo among
// it. Control calls are written as they are. Connections are to be made one after the other; errors of out are not told: give a
// bufio.Writer, whose Flush tells them.
func Record(r Reader, out io.Writer) Reader { return recordedReader{r, &recorder{out: out}} }

type recorder struct {
	mu   sync.Mutex
	out  io.Writer
	lost error // ErrReset or ErrRemoved, once written: it stands for all calls until Reconnect
}

func (r *recorder) printf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, format, args...)
}

// event writes what a call met instead of an answer. The end of a context or of the connection is the program's doing, not the
// card's: nothing is written.
func (r *recorder) event(err error) {
	if err == nil || errors.Is(err, ErrClosed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	if r.lost != nil && errors.Is(err, r.lost) {
		return
	}
	switch {
	case errors.Is(err, ErrReset):
		r.lost = ErrReset
		r.printf("! reset\n")
	case errors.Is(err, ErrRemoved):
		r.lost = ErrRemoved
		r.printf("! removed\n")
	default:
		r.printf("! fault\n")
	}
}

type recordedReader struct {
	Reader
	rec *recorder
}

func (r recordedReader) Connect(ctx context.Context, mode Mode) (Transport, error) {
	t, err := r.Reader.Connect(ctx, mode)
	if err != nil {
		return nil, err
	}
	r.rec.lost = nil
	r.rec.printf("reader %s\natr %X\n", oneLine(r.Name()), t.ATR())
	switch t.Protocol() {
	case ProtocolT0:
		r.rec.printf("protocol T=0\n")
	case ProtocolT1:
		r.rec.printf("protocol T=1\n")
	}
	return recordedTransport{t, r.rec}, nil
}

type recordedTransport struct {
	Transport
	rec *recorder
}

func (t recordedTransport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	sent := blanked(command) // now: the command may be wiped after the call
	answer, err := t.Transport.Transmit(ctx, command)
	if err != nil {
		t.rec.event(err)
		return answer, err
	}
	t.rec.printf("> %s\n< %X\n", sent, answer)
	return answer, nil
}

func (t recordedTransport) Control(ctx context.Context, code uint32, data []byte) ([]byte, error) {
	answer, err := t.Transport.Control(ctx, code, data)
	switch {
	case errors.Is(err, ErrUnsupported): // a script answers so by itself
	case err != nil:
		t.rec.event(err)
	default:
		t.rec.printf("control %08X %X\n< %X\n", code, data, answer)
	}
	return answer, err
}

func (t recordedTransport) Status(ctx context.Context) error {
	err := t.Transport.Status(ctx)
	t.rec.event(err)
	return err
}

func (t recordedTransport) Begin(ctx context.Context) error {
	err := t.Transport.Begin(ctx)
	t.rec.event(err)
	return err
}

func (t recordedTransport) Reconnect(ctx context.Context) error {
	if errors.Is(t.rec.lost, ErrReset) {
		t.rec.lost = nil
	}
	err := t.Transport.Reconnect(ctx)
	t.rec.event(err)
	return err
}

// oneLine keeps a reader's name from ending its line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
