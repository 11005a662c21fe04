package card

import (
	"errors"
	"fmt"
)

// Command is a command APDU (ISO/IEC 7816-4, section 5.1).
type Command struct {
	CLA, INS, P1, P2 byte

	// Data is the command data field: at most 255 bytes in a short APDU, 65,535 in an extended one.
	Data []byte

	// Le is the number of bytes wanted in answer: 0 for none, 1 to 256 in a short APDU, up to 65,536 in an extended one.
	Le int
}

// Bytes codes c: short where its lengths allow it, extended otherwise. It fails when a length is outside what either form holds.
func (c Command) Bytes() ([]byte, error) {
	if len(c.Data) > 65535 || c.Le < 0 || c.Le > 65536 {
		return nil, fmt.Errorf("card: command %02X%02X: data of %d bytes, Le %d: outside ISO 7816-4", c.CLA, c.INS, len(c.Data), c.Le)
	}
	b := make([]byte, 0, 4+3+len(c.Data)+2)
	b = append(b, c.CLA, c.INS, c.P1, c.P2)
	if c.extended() {
		b = append(b, 0)
		if len(c.Data) > 0 {
			b = append(b, byte(len(c.Data)>>8), byte(len(c.Data)))
			b = append(b, c.Data...)
		}
		if c.Le > 0 {
			b = append(b, byte(c.Le>>8), byte(c.Le)) // 65,536 becomes 0000
		}
		return b, nil
	}
	if len(c.Data) > 0 {
		b = append(b, byte(len(c.Data)))
		b = append(b, c.Data...)
	}
	if c.Le > 0 {
		b = append(b, byte(c.Le)) // 256 becomes 00
	}
	return b, nil
}

func (c Command) extended() bool { return len(c.Data) > 255 || c.Le > 256 }

// ParseCommand reads a command APDU in any of the seven cases of ISO/IEC 7816-3, section 12.1. Data is a view of b.
// A four-byte header followed by 00 is case 2 short with Le 256.
func ParseCommand(b []byte) (Command, error) {
	if len(b) < 4 {
		return Command{}, errors.New("card: command shorter than its header")
	}
	c := Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3]}
	body := b[4:]
	switch {
	case len(body) == 0: // case 1
		return c, nil
	case len(body) == 1: // case 2 short
		c.Le = shortLe(body[0])
		return c, nil
	case body[0] != 0: // cases 3 and 4 short
		n := int(body[0])
		switch len(body) {
		case 1 + n:
			c.Data = body[1:]
		case 2 + n:
			c.Data, c.Le = body[1:1+n], shortLe(body[1+n])
		default:
			return Command{}, fmt.Errorf("card: command says Lc %d, has %d bytes after it", n, len(body)-1)
		}
		return c, nil
	case len(body) == 3: // case 2 extended
		c.Le = extendedLe(body[1:])
		return c, nil
	case len(body) < 3:
		return Command{}, errors.New("card: command with a cut extended length")
	}
	n := int(body[1])<<8 | int(body[2]) // cases 3 and 4 extended
	switch {
	case n == 0:
		return Command{}, errors.New("card: command with extended Lc 0")
	case len(body) == 3+n:
		c.Data = body[3:]
	case len(body) == 5+n:
		c.Data, c.Le = body[3:3+n], extendedLe(body[3+n:])
	default:
		return Command{}, fmt.Errorf("card: command says Lc %d, has %d bytes after it", n, len(body)-3)
	}
	return c, nil
}

func shortLe(b byte) int {
	if b == 0 {
		return 256
	}
	return int(b)
}

func extendedLe(b []byte) int {
	if n := int(b[0])<<8 | int(b[1]); n > 0 {
		return n
	}
	return 65536
}
