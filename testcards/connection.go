package testcards

import (
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/card"
)

// connection is one program's way to the card in a reader. Its fields are guarded by the reader's mutex.
type connection struct {
	r        *Reader
	mode     card.Mode
	atr      []byte // nil: no card was there
	protocol card.Protocol
	lost     error // ErrRemoved, ErrNoService or ErrClosed: for ever
	reset    bool  // by another, until Reconnect
}

// check says what is wrong with the connection, if anything is. The reader's mutex is held.
func (c *connection) check() error {
	switch {
	case c.lost != nil:
		return c.lost
	case c.reset && c.mode != card.Direct:
		return card.ErrReset
	}
	return nil
}

// named says which reader an error is of.
func (c *connection) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reader %s: %w", c.r.name, err)
}

// await waits until ready, or until the connection or ctx ends. A call that ctx ended leaves the connection fit for Close alone.
// The reader's mutex is held, but for the waiting.
func (c *connection) await(ctx context.Context, ready func() bool) error {
	r := c.r
	for {
		if err := c.check(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			c.lost = card.ErrClosed
			return err
		}
		if ready() {
			return nil
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		r.mu.Lock()
	}
}

// free says whether c may use the card now: no other has a transaction or a command under way.
func (c *connection) free() bool {
	return c.r.busy == nil && (c.r.holder == nil || c.r.holder == c)
}

func (c *connection) ATR() []byte {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	return append([]byte(nil), c.atr...)
}

func (c *connection) Protocol() card.Protocol { return c.protocol }

func (c *connection) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	resp, err := c.use(ctx, func() ([]byte, error) { return c.exchange(ctx, command) })
	return resp, c.named(err)
}

// use has f use the card while no other can. The reader's mutex is held.
func (c *connection) use(ctx context.Context, f func() ([]byte, error)) ([]byte, error) {
	r := c.r
	if err := c.await(ctx, c.free); err != nil {
		return nil, err
	}
	if c.protocol == card.ProtocolNone {
		return nil, fmt.Errorf("no protocol agreed with the card: %w", card.ErrReader)
	}
	r.busy = c
	r.stopIdle()
	defer func() {
		r.busy = nil
		r.startIdle(c)
		r.broadcast()
	}()
	return f()
}

// exchange sends one command to the card, with the faults that are due. The reader's mutex is held and the card in use by c.
func (c *connection) exchange(ctx context.Context, command []byte) ([]byte, error) {
	due := c.r.due(AtCommand)
	if err := c.suffer(ctx, due); err != nil {
		return nil, err
	}
	chip := c.r.card
	c.r.mu.Unlock()
	resp := chip.Transmit(command)
	c.r.mu.Lock()
	resp, err := c.sufferAfter(ctx, due, resp)
	if err != nil {
		return nil, err
	}
	if c.lost != nil { // taken out while the card worked
		return nil, c.lost
	}
	if len(resp) == 0 {
		return nil, fmt.Errorf("the card gave no answer: %w", card.ErrReader)
	}
	return resp, nil
}

func (c *connection) Status(ctx context.Context) error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.named(c.check())
}

func (c *connection) Begin(ctx context.Context) error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	return c.named(c.begin(ctx))
}

func (c *connection) begin(ctx context.Context) error {
	if c.r.holder == c {
		return fmt.Errorf("a transaction inside a transaction: %w", card.ErrReader)
	}
	if err := c.check(); err != nil {
		return err
	}
	if err := c.r.strike(ctx, c, AtBegin); err != nil {
		return err
	}
	if err := c.await(ctx, c.free); err != nil {
		return err
	}
	c.r.holder = c
	c.r.startIdle(c)
	return nil
}

func (c *connection) End(ctx context.Context, after card.Disposition) error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if c.lost == nil && c.r.holder == c {
		if err := c.r.strike(ctx, c, AtEnd); err != nil {
			c.r.release(c)
			return c.named(err)
		}
	}
	if err := c.check(); err != nil {
		return c.named(err)
	}
	if c.r.holder != c {
		return c.named(fmt.Errorf("no transaction to end: %w", card.ErrReader))
	}
	if after == card.Reset {
		c.r.reset(c)
	}
	c.r.release(c)
	return nil
}

func (c *connection) Reconnect(ctx context.Context) error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	switch err := c.check(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, card.ErrReset):
		return c.named(err)
	}
	if err := c.r.strike(ctx, c, AtReconnect); err != nil {
		return c.named(err)
	}
	c.reset = false
	return nil
}

func (c *connection) Close() error {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if c.r.holder == c { // cut short: nobody can say what the card was left in
		c.r.reset(c)
	}
	delete(c.r.connections, c)
	c.lost = card.ErrClosed
	c.r.release(c)
	c.r.broadcast()
	return nil
}
