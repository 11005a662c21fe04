//go:build cgo || windows

package pcsc

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/ebfe/scard"

	"github.com/eidkit/eidkit/card"
)

// maxCommand is what pcsc-lite accepts as a command: an extended one with 65,535 bytes of data (its MAX_BUFFER_SIZE_EXTENDED).
const maxCommand = 4 + 3 + 1<<16 + 3 + 2

// conn is a connection to a card, a card.Transport.
type conn struct {
	reader string
	mode   card.Mode
	w      *worker

	mu       sync.Mutex
	atr      []byte
	protocol card.Protocol

	// What follows belongs to the worker.
	context *scard.Context
	handle  *scard.Card
	count   uint32 // the reader's count of insertions when the card was connected to
	inTx    bool
	used    bool // the card was sent something in the transaction
	removed bool // for good
}

var _ card.Transport = (*conn)(nil)

// identity is what a card in a reader is known by.
type identity struct {
	atr      []byte
	protocol card.Protocol
}

// Connect is card.Reader's. While another program is in a transaction it waits, in pcscd too.
func (r reader) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	c := &conn{reader: r.name, mode: mode}
	c.w = startWorker(c.free, nil)
	id, err := call(ctx, c.w, c.open)
	if err != nil {
		c.w.close()
		return nil, err
	}
	c.setIdentity(id)
	return c, nil
}

func (c *conn) open() (identity, error) {
	var err error
	if c.context, err = scard.EstablishContext(); err != nil {
		return identity{}, before(err)
	}
	if c.handle, err = c.context.Connect(c.reader, shareModes[c.mode], protocols(c.mode)); err != nil {
		return identity{}, before(err)
	}
	state, err := stateOf(c.context, c.reader)
	if err != nil {
		return identity{}, before(err)
	}
	c.count = state.Count
	return identity{state.ATR, c.activeProtocol()}, nil
}

var shareModes = map[card.Mode]scard.ShareMode{
	card.Shared:    scard.ShareShared,
	card.Exclusive: scard.ShareExclusive,
	card.Direct:    scard.ShareDirect,
}

func protocols(mode card.Mode) scard.Protocol {
	if mode == card.Direct {
		return scard.ProtocolUndefined
	}
	return scard.ProtocolAny
}

func (c *conn) activeProtocol() card.Protocol {
	switch c.handle.ActiveProtocol() {
	case scard.ProtocolT0:
		return card.ProtocolT0
	case scard.ProtocolT1:
		return card.ProtocolT1
	}
	return card.ProtocolNone
}

func (c *conn) setIdentity(id identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.atr, c.protocol = id.atr, id.protocol
}

func (c *conn) ATR() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.atr)
}

func (c *conn) Protocol() card.Protocol {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.protocol
}

// do has the worker make a call on the card, unless that is known to be gone: PC/SC lets an old handle take the next card.
func do[T any](ctx context.Context, c *conn, f func() (T, error)) (T, error) {
	return call(ctx, c.w, func() (T, error) {
		if c.removed {
			var none T
			return none, card.ErrRemoved
		}
		value, err := f()
		if err != nil {
			err = c.failed(err)
		}
		return value, err
	})
}

func (c *conn) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if len(command) < 4 || len(command) > maxCommand {
		return nil, fmt.Errorf("%w: a command of %d bytes", card.ErrUnsupported, len(command))
	}
	own := bytes.Clone(command) // the caller may overwrite his as soon as ctx ends
	return do(ctx, c, func() ([]byte, error) {
		defer clear(own) // it may hold a PIN
		if c.handle.ActiveProtocol()&scard.ProtocolAny == 0 {
			return nil, errDirect
		}
		c.used = true
		answer, err := c.handle.Transmit(own)
		if err == nil && len(answer) < 2 { // drivers have been seen to call a lost card a success
			err = fmt.Errorf("answer of %d bytes", len(answer))
		}
		return bytes.Clone(answer), err // the library's buffer is 64 KiB, whatever the answer
	})
}

func (c *conn) Control(ctx context.Context, code uint32, data []byte) ([]byte, error) {
	own := bytes.Clone(data)
	return do(ctx, c, func() ([]byte, error) {
		defer clear(own)
		c.used = true // a pinpad's VERIFY comes this way
		answer, err := c.handle.Control(code, own)
		return bytes.Clone(answer), err
	})
}

func (c *conn) Status(ctx context.Context) error {
	_, err := do(ctx, c, func() (struct{}, error) {
		_, err := c.handle.Status()
		return struct{}{}, err
	})
	return err
}

// Begin is card.Transport's. In pcsc-lite a second waiter is not queued: see the package comment.
func (c *conn) Begin(ctx context.Context) error {
	_, err := do(ctx, c, func() (struct{}, error) {
		err := c.handle.BeginTransaction()
		if err == nil {
			c.inTx, c.used = true, false
		}
		return struct{}{}, err
	})
	return err
}

// End is card.Transport's. After Reset, the connection itself is not told of the reset again.
func (c *conn) End(ctx context.Context, after card.Disposition) error {
	_, err := do(ctx, c, func() (struct{}, error) {
		if err := c.handle.EndTransaction(dispositions[after]); err != nil {
			return struct{}{}, err
		}
		c.inTx = false
		if after == card.Reset { // pcsc-lite would answer the next call with SCARD_W_RESET_CARD, Windows would not
			_, _ = c.reopen()
		}
		return struct{}{}, nil
	})
	return err
}

var dispositions = map[card.Disposition]scard.Disposition{card.Leave: scard.LeaveCard, card.Reset: scard.ResetCard}

// Reconnect is card.Transport's.
func (c *conn) Reconnect(ctx context.Context) error {
	id, err := do(ctx, c, c.reopen)
	if err != nil {
		return err
	}
	c.setIdentity(id)
	return nil
}

func (c *conn) reopen() (identity, error) {
	if err := c.handle.Reconnect(shareModes[c.mode], scard.ProtocolAny, scard.LeaveCard); err != nil {
		return identity{}, err
	}
	if c.inTx { // the service refused to end it because of the reset
		_ = c.handle.EndTransaction(scard.LeaveCard)
		c.inTx = false
	}
	state, err := stateOf(c.context, c.reader)
	if err != nil {
		return identity{}, err
	}
	if c.mode != card.Direct && c.isOther(state) {
		c.removed = true
		return identity{}, scard.ErrRemovedCard
	}
	return identity{state.ATR, c.activeProtocol()}, nil
}

// Close is card.Transport's. It waits until all is freed, unless a call is under way.
func (c *conn) Close() error {
	c.w.close()
	return nil
}

// free gives everything back. It runs on the worker, after the last call.
func (c *conn) free() {
	if c.handle != nil {
		if c.inTx && c.used && !c.removed {
			_ = c.handle.EndTransaction(scard.ResetCard)
		} else if c.inTx {
			_ = c.handle.EndTransaction(scard.LeaveCard)
		}
		_ = c.handle.Disconnect(scard.LeaveCard)
	}
	if c.context != nil {
		_ = c.context.Release()
	}
}
