package niss

import (
	"fmt"
	"strings"
)

// CardNumber is the number of a card, without separators: 12 digits (citizens, children, recent foreigner cards), B and 9 digits,
// or 9 digits (older foreigner cards). Make it with [ParseCard].
type CardNumber string

// ParseCard reads the number of a card. Blanks, dots and dashes are skipped, a small b is taken for B. Of 12 digits the last two
// are the first ten modulo 97, with 97 in place of 0; of B and 9 digits the last two are the first seven modulo 97, likewise; for
// 9 digits no check rule is known. Errors wrap ErrFormat or ErrCheckDigits.
func ParseCard(s string) (CardNumber, error) {
	number := strings.ToUpper(strip(s))
	digits, isB := strings.CutPrefix(number, "B")
	if !allDigits(digits) {
		return "", fmt.Errorf("card number: %w", ErrFormat)
	}
	switch {
	case len(digits) == 12 && !isB, len(digits) == 9 && isB:
		if !cardCheck(digits) {
			return "", fmt.Errorf("card number: %w", ErrCheckDigits)
		}
	case len(digits) == 9:
	default:
		return "", fmt.Errorf("card number: %w", ErrFormat)
	}
	return CardNumber(number), nil
}

// String gives the number without separators.
func (c CardNumber) String() string { return string(c) }

// Format gives the printed form: 123-1234567-12, B 1234567 12, or 9 digits as they are.
func (c CardNumber) Format() string {
	switch {
	case len(c) == 12:
		return string(c[:3] + "-" + c[3:10] + "-" + c[10:])
	case len(c) == 10:
		return string(c[:1] + " " + c[1:8] + " " + c[8:])
	}
	return string(c)
}

// cardCheck tells whether the last two digits are the rest modulo 97, with 97 in place of 0.
func cardCheck(digits string) bool {
	body, check := digits[:len(digits)-2], digits[len(digits)-2:]
	rest := 0
	for i := range len(body) { // digit by digit: ten digits overflow a 32-bit int
		rest = (rest*10 + int(body[i]-'0')) % 97
	}
	if rest == 0 {
		rest = 97
	}
	return atoi(check) == rest
}
