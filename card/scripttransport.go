package card

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// scriptTransport plays one session of a Script.
type scriptTransport struct {
	session *scriptSession

	mu    sync.Mutex
	at    int   // next step
	state error // ErrReset, ErrRemoved or ErrClosed, once met
}

// pending is the line of the next step, 0 at the end.
func (t *scriptTransport) pending() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.at == len(t.session.steps) {
		return 0
	}
	return t.session.steps[t.at].line
}

func (t *scriptTransport) ATR() []byte { return t.session.atr }

func (t *scriptTransport) Protocol() Protocol { return t.session.protocol }

// ready says what stands in the way of a call: its context, what was met before, or an event that is due. The caller holds t.mu.
func (t *scriptTransport) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.state != nil {
		return t.state
	}
	if t.at == len(t.session.steps) {
		return nil
	}
	event := t.session.steps[t.at].err
	if event == nil {
		return nil
	}
	t.at++
	if event != ErrReader { // a fault passes, the others stay
		t.state = event
	}
	return event
}

func (t *scriptTransport) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	if t.at == len(t.session.steps) {
		return nil, fmt.Errorf("script has ended, got %s: %w", blanked(command), ErrReader)
	}
	step := t.session.steps[t.at]
	if step.control || !step.matches(command) {
		return nil, fmt.Errorf("script, line %d: expected %s, got %s: %w", step.line, step, blanked(command), ErrReader)
	}
	t.at++
	return append([]byte(nil), step.answer...), nil
}

func (t *scriptTransport) Control(ctx context.Context, code uint32, data []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	if t.at < len(t.session.steps) {
		if step := t.session.steps[t.at]; step.control && step.code == code && step.matches(data) {
			t.at++
			return append([]byte(nil), step.answer...), nil
		}
	}
	return nil, fmt.Errorf("control code %08X: %w", code, ErrUnsupported)
}

func (t *scriptTransport) Status(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ready(ctx)
}

func (t *scriptTransport) Begin(ctx context.Context) error { return t.Status(ctx) }

// End meets no event: those are for calls whose error counts.
func (t *scriptTransport) End(context.Context, Disposition) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

func (t *scriptTransport) Reconnect(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if errors.Is(t.state, ErrReset) {
		t.state = nil
	}
	return t.ready(ctx)
}

func (t *scriptTransport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = ErrClosed
	return nil
}

func (s scriptStep) matches(b []byte) bool {
	if len(b) != len(s.want) {
		return false
	}
	for i, w := range s.want {
		if w >= 0 && byte(w) != b[i] {
			return false
		}
	}
	return true
}

// String is the step as a script has it, a PIN written out in it blanked.
func (s scriptStep) String() string {
	if s.control {
		return fmt.Sprintf("control %08X", s.code)
	}
	b := make([]byte, len(s.want))
	for i, w := range s.want {
		b[i] = byte(max(w, 0))
	}
	text := []byte(blanked(b))
	for i, w := range s.want {
		if w < 0 {
			copy(text[2*i:], "**")
		}
	}
	return string(text)
}
