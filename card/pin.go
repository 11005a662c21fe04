package card

import (
	"errors"
	"fmt"
	"log/slog"
)

// PIN holds the digits of a PIN or PUK. It prints, logs and marshals as REDACTED whatever the verb, and is wiped after use. The
// zero PIN is empty. A copy of a PIN shares its digits: wiping one wipes all.
type PIN struct {
	// Two pointers, because fmt follows one: it cannot call Format on a PIN in an unexported field of somebody's struct.
	digits **[]byte
}

const redacted = "REDACTED"

// NewPIN takes over digits, ASCII 0 to 9: the caller must not use the slice afterwards. It fails, wiping them, on anything but
// digits; the error does not say which.
func NewPIN(digits []byte) (PIN, error) {
	for _, d := range digits {
		if d < '0' || d > '9' {
			clear(digits)
			return PIN{}, errors.New("a PIN has digits only")
		}
	}
	p := &digits
	return PIN{&p}, nil
}

// Len is the number of digits; 0 once wiped.
func (p PIN) Len() int {
	if p.digits == nil {
		return 0
	}
	return len(**p.digits)
}

// Wipe overwrites the digits. The PIN is empty afterwards.
func (p PIN) Wipe() {
	if p.digits != nil {
		clear(**p.digits)
		**p.digits = nil
	}
}

// Block is the 8-byte reference data of a Belgian card, ISO 9564-1 format 2: nibble 2, nibble length, the digits, F to the end.
// The caller wipes it. It fails unless there are 4 to 12 digits.
func (p PIN) Block() ([]byte, error) {
	n := p.Len()
	if n < 4 || n > 12 {
		return nil, errors.New("a PIN has 4 to 12 digits")
	}
	b := []byte{0x20 | byte(n), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	for i, d := range **p.digits {
		if i%2 == 0 {
			b[1+i/2] = (d-'0')<<4 | 0x0F
		} else {
			b[1+i/2] = b[1+i/2]&0xF0 | (d - '0')
		}
	}
	return b, nil
}

// Equal tells whether two PINs have the same digits.
func (p PIN) Equal(q PIN) bool {
	if p.Len() != q.Len() {
		return false
	}
	var diff byte
	for i := range p.Len() {
		diff |= (**p.digits)[i] ^ (**q.digits)[i]
	}
	return diff == 0
}

// Format prints REDACTED for every verb, %#v and %x included.
func (p PIN) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// String returns REDACTED.
func (p PIN) String() string { return redacted }

// LogValue logs REDACTED.
func (p PIN) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText gives REDACTED, so that JSON and XML do.
func (p PIN) MarshalText() ([]byte, error) { return []byte(redacted), nil }
