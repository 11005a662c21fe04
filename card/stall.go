package card

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// StallLimit is how long to wait for a card: ten times what the slowest takes over any command.
const StallLimit = 15 * time.Second

// Limited returns r with a limit to what PC/SC would wait for without end: a card that answers nothing (the error wraps ErrMute)
// and another program that keeps the card in a transaction (ErrBusy). Zero is StallLimit. It is for each command, not for the
// whole; Control, by which a person may be typing on the reader, has none.
func Limited(r Reader, limit time.Duration) Reader {
	if limit <= 0 {
		limit = StallLimit
	}
	return limitedReader{r, limits{
		limit: limit,
		mute:  fmt.Errorf("nothing came from the card for %v; another program holds it, or %w", limit, ErrMute),
		busy:  fmt.Errorf("for %v: %w", limit, ErrBusy),
	}}
}

// limits are how long to wait, and what to say afterwards.
type limits struct {
	limit      time.Duration
	mute, busy error
}

// within runs f with a context that ends after the limit; f's error is then stalled.
func (l limits) within(ctx context.Context, stalled error, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.limit, stalled)
	defer cancel()
	err := f(ctx)
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == stalled {
		return stalled
	}
	return err
}

type limitedReader struct {
	Reader
	limits
}

func (r limitedReader) Connect(ctx context.Context, mode Mode) (t Transport, err error) {
	err = r.within(ctx, r.mute, func(ctx context.Context) error {
		t, err = r.Reader.Connect(ctx, mode)
		return err
	})
	if err != nil {
		return nil, err
	}
	return limitedTransport{t, r.limits}, nil
}

type limitedTransport struct {
	Transport
	limits
}

func (t limitedTransport) Transmit(ctx context.Context, command []byte) (resp []byte, err error) {
	err = t.within(ctx, t.mute, func(ctx context.Context) error {
		resp, err = t.Transport.Transmit(ctx, command)
		return err
	})
	return resp, err
}

func (t limitedTransport) Status(ctx context.Context) error {
	return t.within(ctx, t.mute, t.Transport.Status)
}

func (t limitedTransport) Begin(ctx context.Context) error {
	return t.within(ctx, t.busy, t.Transport.Begin)
}

func (t limitedTransport) End(ctx context.Context, after Disposition) error {
	return t.within(ctx, t.mute, func(ctx context.Context) error { return t.Transport.End(ctx, after) })
}

func (t limitedTransport) Reconnect(ctx context.Context) error {
	return t.within(ctx, t.mute, t.Transport.Reconnect)
}
