package testcards

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/eidkit/eidkit/card"
)

// What the person at the pinpad can do instead of typing digits, for Reader.Type.
const (
	PressCancel = "cancel"
	LetTimeOut  = "timeout"
)

// Control codes of the pinpad (PC/SC part 10). The request for features has one number on pcsc-lite and another on Windows.
const (
	controlFeatures        = 0x42000D48
	controlFeaturesWindows = 0x00313520
	controlVerify          = 0x42330006
	controlModify          = 0x42330007

	featureVerify = 0x06
	featureModify = 0x07
)

// What the reader itself answers instead of the card (PC/SC part 10, section 2.5.2).
const (
	padTimeout   = 0x6400
	padCancelled = 0x6401
	padDiffer    = 0x6402
	padBadPIN    = 0x6403
	padBadData   = 0x6B80
)

// Type says what the person at the pinpad does, one for each PIN that the pad asks: digits, PressCancel or LetTimeOut. It adds to
// what was said before. While nothing is left, the pad waits.
func (r *Reader) Type(answers ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.typed = append(r.typed, answers...)
	r.broadcast()
}

func (c *connection) Control(ctx context.Context, code uint32, data []byte) ([]byte, error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if err := c.check(); err != nil {
		return nil, c.named(err)
	}
	if chip, ok := c.r.card.(Controlled); ok {
		if answer, ok := chip.Control(code, data); ok {
			return answer, nil
		}
	}
	if !c.r.opts.Pinpad {
		return nil, c.named(fmt.Errorf("control code %08X: %w", code, card.ErrUnsupported))
	}
	switch code {
	case controlFeatures, controlFeaturesWindows:
		features := binary.BigEndian.AppendUint32([]byte{featureVerify, 4}, controlVerify)
		return binary.BigEndian.AppendUint32(append(features, featureModify, 4), controlModify), nil
	case controlVerify, controlModify:
		resp, err := c.use(ctx, func() ([]byte, error) { return c.pad(ctx, data, code == controlModify) })
		return resp, c.named(err)
	}
	return nil, c.named(fmt.Errorf("control code %08X: %w", code, card.ErrUnsupported))
}

// padRequest is a PIN_VERIFY or PIN_MODIFY structure (sheet 5.3), as far as the pad needs it.
type padRequest struct {
	format        byte // bmFormatString
	block         byte // bmPINBlockString: size of the length field in bits, size of the block in bytes
	lengthFormat  byte // bmPINLengthFormat: where the length field is
	shortest      int
	longest       int
	old, new      int // where the PINs go, in bytes after the first five
	modify        bool
	askOld, again bool // bConfirmPIN
	command       []byte
}

// parsePad reads the structure. It refuses what does not hold together, or what this pad cannot format.
func parsePad(b []byte, modify bool) (padRequest, bool) {
	head := 19
	if modify {
		head = 24
	}
	if len(b) < head+5 {
		return padRequest{}, false
	}
	q := padRequest{format: b[2], block: b[3], lengthFormat: b[4], modify: modify}
	rest := b[5:]
	if modify {
		q.old, q.new = int(rest[0]), int(rest[1])
		rest = rest[2:]
	}
	q.longest, q.shortest = int(rest[0]), int(rest[1])
	if modify {
		q.again, q.askOld = rest[2]&1 != 0, rest[2]&2 != 0
	}
	q.command = append([]byte(nil), b[head:]...)
	size := binary.LittleEndian.Uint32(b[head-4:])
	if uint64(size) != uint64(len(q.command)) || int(q.command[4]) != len(q.command)-5 {
		return padRequest{}, false
	}
	return q, q.fits()
}

// fits says whether PINs of the greatest length have their place in the command. The pad knows BCD, left justified, in a block of
// whole bytes whose length field is 4 bits or none.
func (q padRequest) fits() bool {
	bcd, left, bytesUnit := q.format&0x03 == 1, q.format&0x04 == 0, q.format&0x80 != 0
	fieldBits, size := int(q.block>>4), int(q.block&0x0F)
	position := int(q.format>>3) & 0x0F
	if !bcd || !left || !bytesUnit || fieldBits != 0 && fieldBits != 4 || q.shortest > q.longest || q.longest > 2*size {
		return false
	}
	if fieldBits == 4 && (q.longest > 15 || q.lengthBit()/8 >= position+size) {
		return false
	}
	last := q.old
	if q.modify {
		last = max(q.old, q.new)
	}
	return 5+last+position+size <= len(q.command)
}

// lengthBit is where the length field is, in bits.
func (q padRequest) lengthBit() int {
	at := int(q.lengthFormat & 0x0F)
	if q.lengthFormat&0x10 != 0 { // counted in bytes
		at *= 8
	}
	return at
}

// put writes digits into the command at offset.
func (q padRequest) put(offset int, digits string) {
	area := q.command[5+offset:]
	if q.block>>4 == 4 {
		setNibble(area, q.lengthBit()/4, byte(len(digits)))
	}
	position := int(q.format>>3) & 0x0F
	for i := range len(digits) {
		setNibble(area[position:], i, digits[i]-'0')
	}
}

// pad has the person type what the request asks, and sends the command to the card. The reader's mutex is held.
func (c *connection) pad(ctx context.Context, data []byte, modify bool) ([]byte, error) {
	q, ok := parsePad(data, modify)
	if !ok {
		return statusWord(padBadData), nil
	}
	defer clear(q.command)
	if !modify || q.askOld {
		if sw, err := c.ask(ctx, q, q.old); sw != 0 || err != nil {
			return refusal(sw), err
		}
	}
	if modify {
		first, sw, err := c.typed(ctx, q)
		if sw != 0 || err != nil {
			return refusal(sw), err
		}
		if q.again {
			second, sw, err := c.typed(ctx, q)
			switch {
			case sw != 0 || err != nil:
				return refusal(sw), err
			case second != first:
				return statusWord(padDiffer), nil
			}
		}
		q.put(q.new, first)
	}
	return c.exchange(ctx, q.command)
}

// refusal is an answer of the pad's own; nil where the call fails instead.
func refusal(sw uint16) []byte {
	if sw == 0 {
		return nil
	}
	return statusWord(sw)
}

func (c *connection) ask(ctx context.Context, q padRequest, offset int) (uint16, error) {
	digits, sw, err := c.typed(ctx, q)
	if sw == 0 && err == nil {
		q.put(offset, digits)
	}
	return sw, err
}

// typed waits for the person's next answer.
func (c *connection) typed(ctx context.Context, q padRequest) (string, uint16, error) {
	r := c.r
	if err := c.await(ctx, func() bool { return len(r.typed) > 0 }); err != nil {
		return "", 0, err
	}
	answer := r.typed[0]
	r.typed = r.typed[1:]
	switch {
	case answer == PressCancel:
		return "", padCancelled, nil
	case answer == LetTimeOut:
		return "", padTimeout, nil
	case len(answer) < q.shortest || len(answer) > q.longest:
		return "", padBadPIN, nil
	}
	for i := range len(answer) {
		if answer[i] < '0' || answer[i] > '9' {
			return "", padBadPIN, nil
		}
	}
	return answer, 0, nil
}
