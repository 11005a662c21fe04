// Package card speaks ISO/IEC 7816-4 to smart cards through any transport: commands and responses, status words and their
// meanings, transactions that survive another program's reset, traces that never show a PIN, and a monitor of readers.
//
// Start with [Open] on a [Reader] (package card/pcsc has those of the machine, testcards simulated ones), then [Card.Do]:
//
//	c, err := card.Open(ctx, reader)
//	defer c.Close()
//	err = c.Do(ctx, func(tx *card.Tx) error {
//		if _, err := tx.Send(card.Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: path}); err != nil {
//			return err
//		}
//		data, err = tx.Send(card.Command{INS: 0xB0, Le: 256})
//		return err
//	})
//
// The package knows no card family and no PKI: card/beid is the Belgian eID.
//
// References: ISO/IEC 7816-3:2006 (transmission protocols), ISO/IEC 7816-4:2013 (commands), PC/SC specification parts 3, 5 and 10.
package card

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Card is a connection to one card, with one owner at a time: Do runs one transaction after the other. Safe for concurrent use.
type Card struct {
	reader Reader
	t      Transport

	turn       chan struct{} // holds one token for the length of a Do; what is below belongs to its holder
	afterReset func(*Tx) error
	wasReset   bool // and afterReset has not been run since

	mu  sync.Mutex // of atr, which is read at any time
	atr []byte

	closed    chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// maxRepeats bounds how often one Do starts again because other programs reset the card under it.
const maxRepeats = 8

// endLimit bounds the end of a transaction, which must come whether or not the transaction's own context is over.
const endLimit = 2 * time.Second

// Open connects to the card in r, shared with other programs. Errors are those of Reader.Connect. Nothing is sent to the card.
func Open(ctx context.Context, r Reader) (*Card, error) {
	t, err := r.Connect(ctx, Shared)
	if err != nil {
		return nil, fmt.Errorf("connecting to the card in %s: %w", r.Name(), err)
	}
	return &Card{reader: r, t: t, atr: t.ATR(), turn: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

// Reader is the reader the card was opened in.
func (c *Card) Reader() Reader { return c.reader }

// ATR is the card's answer to reset.
func (c *Card) ATR() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.atr
}

// OnReset sets what is run, inside the transaction, after a reset, another program's or one of our own, and before new work or the
// interrupted work is repeated: the driver's chance to see that it is still the same card. Its error ends the work, and it is
// run again before any other. OnReset is called before the first Do.
func (c *Card) OnReset(f func(*Tx) error) { c.afterReset = f }

// Close ends the connection, and with ErrClosed whatever is using it. It may be called from any goroutine, more than once.
func (c *Card) Close() error {
	c.closeOnce.Do(func() {
		close(c.closed)
		c.closeErr = c.t.Close()
	})
	return c.closeErr
}

// Do runs f with the card to itself. When another program reset the card, the card is taken back and f is run again from its
// start, unless f has called [Tx.NoRepeat]: f must therefore be able to begin anew. Do returns f's error; a removed card is
// ErrRemoved and stays so. The transaction ends with Leave, or with Reset if f asked for it by [Tx.ResetAtEnd]. While another Do
// has the card, it waits, no longer than ctx allows. f must not call Do.
func (c *Card) Do(ctx context.Context, f func(*Tx) error) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-c.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	var err error
	for range maxRepeats {
		tx := &Tx{ctx: ctx, t: c.t}
		err = c.once(ctx, tx, f)
		if !errors.Is(err, ErrReset) || tx.noRepeat {
			return err
		}
	}
	return err
}

// once is one attempt of Do: begin, repair a reset met there, run, end.
func (c *Card) once(ctx context.Context, tx *Tx, f func(*Tx) error) (err error) {
	select {
	case <-c.closed:
		return ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.begin(ctx); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() { err = c.end(tx, err) }() // when f panics too: the card must not stay out of other programs' reach
	if c.wasReset {
		if c.afterReset != nil {
			if err := c.afterReset(tx); err != nil {
				return err
			}
		}
		c.wasReset = false
	}
	return f(tx)
}

// begin begins a transaction, taking the card back if another program has reset it.
func (c *Card) begin(ctx context.Context) error {
	err := c.t.Begin(ctx)
	if !errors.Is(err, ErrReset) {
		return err
	}
	c.wasReset = true // stays so, should the rest fail: what is selected on the card is gone all the same
	if err := c.t.Reconnect(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	c.atr = c.t.ATR()
	c.mu.Unlock()
	return c.t.Begin(ctx)
}

// end ends a transaction whose work gave err. With Leave, an End that fails leaves nothing undone: the answers are in hand, and
// the next Begin says what is wrong. With Reset it is told, unless the PIN rights are gone all the same.
func (c *Card) end(tx *Tx, err error) error {
	// Whoever gives up waiting still owes the card its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), endLimit)
	defer cancel()
	endErr := c.t.End(ctx, tx.after)
	c.wasReset = c.wasReset || tx.after == Reset // by ourselves: what is selected is gone all the same
	switch {
	case endErr == nil || tx.after == Leave || errors.Is(endErr, ErrReset) || errors.Is(endErr, ErrRemoved):
		return err
	case err == nil:
		return fmt.Errorf("%w; resetting the card: %w", tx.why, endErr)
	}
	return fmt.Errorf("%w; resetting the card: %w", err, endErr)
}

// Tx is a transaction under way: the card is ours until the function given to Do returns.
type Tx struct {
	ctx      context.Context
	t        Transport
	noRepeat bool
	after    Disposition
	why      error // of a reset at the end
}

// NoRepeat says that from here on the work must not start again by itself, because that could cost a PIN try.
func (tx *Tx) NoRepeat() { tx.noRepeat = true }

// ResetAtEnd has the card reset when the transaction ends: the last resort when PIN rights cannot be dropped otherwise.
// why is told when the reset fails too.
func (tx *Tx) ResetAtEnd(why error) { tx.after, tx.why = Reset, why }

// Context is the one given to Do.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Control speaks to the reader; see [Transport].
func (tx *Tx) Control(code uint32, data []byte) ([]byte, error) {
	return tx.t.Control(tx.ctx, code, data)
}

// maxResponse bounds what one command may answer in all, GET RESPONSE included.
const maxResponse = 65536

// Send sends cmd and returns the response data. It does what T=0 asks (ISO/IEC 7816-3, section 12.2): Le is left out beside
// data, 61xx is fetched with GET RESPONSE, and 6Cxx repeats the command once with the length the card wants. A status word
// other than 9000 is a *StatusError; data that came before it are returned beside it.
func (tx *Tx) Send(cmd Command) ([]byte, error) {
	if len(cmd.Data) > 0 && tx.t.Protocol() == ProtocolT0 && !cmd.extended() {
		cmd.Le = 0
	}
	data, sw, err := tx.exchange(cmd)
	if err != nil {
		return nil, err
	}
	if sw>>8 == 0x6C && len(cmd.Data) == 0 && !carriesPIN(cmd.INS) {
		cmd.Le = shortLe(byte(sw))
		if data, sw, err = tx.exchange(cmd); err != nil {
			return nil, err
		}
	}
	retried := false
	for sw>>8 == 0x61 {
		if len(data) > maxResponse {
			return nil, fmt.Errorf("card: answer to instruction %02X exceeds %d bytes", cmd.INS, maxResponse)
		}
		more, next, err := tx.exchange(Command{CLA: cmd.CLA & 0x03, INS: 0xC0, Le: shortLe(byte(sw))})
		if err != nil {
			return nil, err
		}
		if next>>8 == 0x6C && len(more) == 0 && !retried { // the card has less than it said: ask for that much, once
			retried = true
			sw = 0x6100 | next&0xFF
			continue
		}
		if len(more) == 0 && next>>8 == 0x61 {
			return nil, fmt.Errorf("card: GET RESPONSE after instruction %02X gave nothing and asks for another", cmd.INS)
		}
		data, sw, retried = append(data, more...), next, false
	}
	if sw != 0x9000 {
		return data, &StatusError{INS: cmd.INS, SW: sw}
	}
	return data, nil
}

// exchange is one command and its answer, split into data and status word.
func (tx *Tx) exchange(cmd Command) ([]byte, uint16, error) {
	b, err := cmd.Bytes()
	if err != nil {
		return nil, 0, err
	}
	defer clear(b)
	resp, err := tx.t.Transmit(tx.ctx, b)
	if err != nil {
		return nil, 0, fmt.Errorf("sending instruction %02X: %w", cmd.INS, err)
	}
	if len(resp) < 2 {
		return nil, 0, fmt.Errorf("sending instruction %02X: answer of %d bytes: %w", cmd.INS, len(resp), ErrReader)
	}
	n := len(resp) - 2
	return resp[:n:n], uint16(resp[n])<<8 | uint16(resp[n+1]), nil
}
