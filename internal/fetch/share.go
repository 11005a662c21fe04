package fetch

import (
	"context"
	"fmt"
)

// flight is a download that several callers wait for.
type flight struct {
	done    chan struct{} // closed when resp and err are there
	resp    *Response
	err     error
	waiters int // guarded by Client.mu
	cancel  context.CancelFunc
}

// share runs get, or waits for one that runs for the same key. The download goes on while anybody waits for it: the first caller's
// context must not end it for the others.
func (c *Client) share(ctx context.Context, key string, get func(context.Context) (*Response, error)) (*Response, error) {
	c.mu.Lock()
	f := c.flights[key]
	if f == nil {
		var own context.Context
		f = &flight{done: make(chan struct{})}
		own, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		c.flights[key] = f
		go func() {
			f.resp, f.err = get(own)
			c.leave(key, f, true)
			close(f.done)
			f.cancel()
		}()
	}
	f.waiters++
	c.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		c.leave(key, f, false)
		if ctx.Err() == context.Canceled {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrTimeout, ctx.Err())
	}
	if f.err != nil {
		return nil, f.err
	}
	own := *f.resp
	return &own, nil
}

// leave takes the flight off the list when it has ended or the last waiter went.
func (c *Client) leave(key string, f *flight, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !ended {
		if f.waiters--; f.waiters > 0 {
			return
		}
		f.cancel()
	}
	if c.flights[key] == f {
		delete(c.flights, key)
	}
}
