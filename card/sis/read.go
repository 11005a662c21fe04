package sis

import (
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/card"
)

// Pseudo-commands that the reader answers itself (facts sheet 11.1).
const (
	claReader   = 0xFF
	insSelect   = 0xA4 // with P1 P2 0 and the card type as data: makes the reader speak to such a memory card
	insRead     = 0xB0 // P1 P2: address; newer readers
	insReadACR  = 0xB2 // the same for the ACR38, whose status word says nothing
	typeSLE4428 = 5

	maxRead  = 252 // bytes in one command
	statusOK = 0x9000

	maxResets = 8 // by other programs, met by reading again
)

// typeACR and typeNone are what the ACR38 is told by a control call: the type of memory card, and none again.
var (
	typeACR  = setType(typeSLE4428)
	typeNone = setType(0)
)

// Read reads the card in r and takes it apart. The reader is left as it was found. Errors: those of package card; ErrNotSIS,
// ErrDamaged, ErrReader.
func Read(ctx context.Context, r card.Reader) (*Image, error) {
	raw, err := ReadImage(ctx, r)
	if err != nil {
		return nil, err
	}
	return Parse(raw)
}

// ReadImage reads the 404 bytes of the card in r as they are. It first asks as newer readers have it, PC/SC part 3, and where that
// is not understood as the ACR38 does. A card with a processor gets no command.
func ReadImage(ctx context.Context, r card.Reader) ([]byte, error) {
	raw, err := readPCSC(ctx, r)
	for range maxResets {
		if !errors.Is(err, card.ErrReset) { // by another program: nothing is lost by reading again
			break
		}
		raw, err = readPCSC(ctx, r)
	}
	switch {
	case err == nil || errors.Is(err, card.ErrRemoved) || errors.Is(err, card.ErrNoService) || errors.Is(err, card.ErrNoReader) ||
		errors.Is(err, card.ErrBusy) || errors.Is(err, card.ErrReset) || errors.Is(err, ErrNotSIS) || ctx.Err() != nil:
		return raw, wrap(err)
	}
	raw, errACR := readACR(ctx, r)
	switch {
	case errACR == nil:
		return raw, nil
	case errors.Is(errACR, card.ErrUnsupported) && (errors.Is(err, card.ErrNoCard) || errors.Is(err, card.ErrMute)):
		return nil, wrap(err) // the reader knows no memory cards, and sees none
	case errors.Is(errACR, card.ErrUnsupported):
		return nil, wrap(fmt.Errorf("%w: %w", ErrReader, err))
	}
	return nil, wrap(errACR)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading the SIS card: %w", err)
}

// readPCSC reads by FF A4 and FF B0.
func readPCSC(ctx context.Context, r card.Reader) (raw []byte, err error) {
	t, err := r.Connect(ctx, card.Shared)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if hasProcessor(t.ATR()) {
		return nil, fmt.Errorf("%w: a card with a processor", ErrNotSIS)
	}
	return inTransaction(ctx, t, func() ([]byte, error) {
		if _, err := transmit(ctx, t, card.Command{CLA: claReader, INS: insSelect, Data: []byte{typeSLE4428}}, 0); err != nil {
			return nil, err
		}
		return readAll(ctx, t, insRead, statusOK)
	})
}

// readACR reads by the control call of the ACR38 and FF B2.
func readACR(ctx context.Context, r card.Reader) (raw []byte, err error) {
	if err := control(ctx, r, typeACR); err != nil {
		return nil, err
	}
	defer func() {
		if back := control(context.WithoutCancel(ctx), r, typeNone); err == nil {
			err = back
		}
	}()
	t, err := r.Connect(ctx, card.Shared)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return inTransaction(ctx, t, func() ([]byte, error) { return readAll(ctx, t, insReadACR, 0) })
}

// control tells the reader itself which type of memory card to speak to.
func control(ctx context.Context, r card.Reader, data []byte) error {
	t, err := r.Connect(ctx, card.Direct)
	if err != nil {
		return err
	}
	defer t.Close()
	if typeByTransmit {
		_, err = t.Transmit(ctx, data)
	} else {
		_, err = t.Control(ctx, typeControl, data)
	}
	return err
}

func inTransaction(ctx context.Context, t card.Transport, f func() ([]byte, error)) (raw []byte, err error) {
	if err := t.Begin(ctx); err != nil {
		return nil, err
	}
	raw, err = f()
	if errEnd := t.End(context.WithoutCancel(ctx), card.Leave); err == nil {
		err = errEnd
	}
	return raw, err
}

// readAll reads the image piece by piece. status is the one to be had, 0 for any.
func readAll(ctx context.Context, t card.Transport, ins byte, status uint16) ([]byte, error) {
	raw := make([]byte, 0, ImageSize)
	for len(raw) < ImageSize {
		c := card.Command{CLA: claReader, INS: ins, P1: byte(len(raw) >> 8), P2: byte(len(raw)), Le: min(maxRead, ImageSize-len(raw))}
		piece, err := transmit(ctx, t, c, status)
		if err != nil {
			return nil, err
		}
		if len(piece) != c.Le {
			return nil, fmt.Errorf("%w: %d bytes instead of %d at %d", ErrReader, len(piece), c.Le, len(raw))
		}
		raw = append(raw, piece...)
	}
	return raw, nil
}

// transmit sends one command to the reader and returns the answer without its status word.
func transmit(ctx context.Context, t card.Transport, c card.Command, status uint16) ([]byte, error) {
	command, err := c.Bytes()
	if err != nil {
		return nil, err
	}
	answer, err := t.Transmit(ctx, command)
	if err != nil {
		return nil, err
	}
	if len(answer) < 2 {
		return nil, fmt.Errorf("%w: an answer of %d bytes", ErrReader, len(answer))
	}
	data, sw := answer[:len(answer)-2], uint16(answer[len(answer)-2])<<8|uint16(answer[len(answer)-1])
	if c.INS == insSelect && sw != statusOK || status != 0 && sw != status {
		return nil, fmt.Errorf("%w: it answers %04X to FF %02X", ErrReader, sw, c.INS)
	}
	return data, nil
}

// MemoryCard tells whether an answer to reset is one that a reader makes up for a memory card: what is in it may be a SIS card. It
// serves to tell cards apart without a command. An ACR38 shows a memory card as one that does not answer.
func MemoryCard(atr []byte) bool { return len(atr) > 0 && !hasProcessor(atr) }

// hasProcessor tells whether an answer to reset is that of a processor. Readers make one up for memory cards: 3B 04 and the first
// four bytes of the memory (PC/SC part 3, section 3.1.3.2.3), without interface bytes.
func hasProcessor(atr []byte) bool {
	a, err := card.ParseATR(atr)
	if err != nil {
		return len(atr) > 4
	}
	return len(atr) > 2+len(a.Historical) || len(a.Historical) > 4
}
