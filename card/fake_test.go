package card

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// fake is a reader with a card whose answers and mishaps a test chooses.
type fake struct {
	protocol Protocol
	answers  map[string]string                                         // hexadecimal command to answer
	transmit func(ctx context.Context, command []byte) ([]byte, error) // instead of answers
	fail     func(call int, what string) error                         // asked before each begin, transmit, reconnect, end
	control  func(code uint32, data []byte) ([]byte, error)            // nil: unsupported
	connect  error                                                     // what Connect fails with

	mu     sync.Mutex
	calls  int
	log    []string // begin, the command in hexadecimal, reconnect, end 0 or end 1, close
	closed chan struct{}
	once   sync.Once
}

func newFake(answers ...string) *fake {
	f := &fake{protocol: ProtocolT0, answers: map[string]string{}, closed: make(chan struct{})}
	for i := 0; i < len(answers); i += 2 {
		f.answers[answers[i]] = answers[i+1]
	}
	return f
}

func (f *fake) Name() string { return "Fake Reader 00" }

func (f *fake) Connect(ctx context.Context, _ Mode) (Transport, error) { return f, f.connect }

func (f *fake) ATR() []byte { return []byte{0x3B, 0x00} }

func (f *fake) Protocol() Protocol { return f.protocol }

// note logs a call and asks fail about it. A call that fails is not logged: it reached no card.
func (f *fake) note(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.closed:
		return ErrClosed
	default:
	}
	call := f.calls
	f.calls++
	if f.fail != nil {
		if err := f.fail(call, what); err != nil {
			return err
		}
	}
	f.log = append(f.log, what)
	return nil
}

func (f *fake) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	text := hexOf(command)
	if err := f.note(text); err != nil {
		return nil, err
	}
	if f.transmit != nil {
		return f.transmit(ctx, command)
	}
	answer, ok := f.answers[text]
	if !ok {
		return nil, fmt.Errorf("fake: no answer to %s", text)
	}
	return unhex(answer), nil
}

func (f *fake) Control(_ context.Context, code uint32, data []byte) ([]byte, error) {
	if f.control == nil {
		return nil, ErrUnsupported
	}
	return f.control(code, data)
}

func (f *fake) Status(context.Context) error { return f.note("status") }
func (f *fake) Begin(context.Context) error  { return f.note("begin") }
func (f *fake) End(_ context.Context, after Disposition) error {
	return f.note(fmt.Sprintf("end %d", after))
}
func (f *fake) Reconnect(context.Context) error { return f.note("reconnect") }

func (f *fake) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

func (f *fake) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.log, ", ")
}

func hexOf(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func open(t *testing.T, r Reader) *Card {
	t.Helper()
	c, err := Open(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
