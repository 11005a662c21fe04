package testcards

import (
	"time"

	"github.com/eidkit/eidkit/card"
)

// clockHz is the clock that readers commonly give: the figure the project's budgets are stated for.
const clockHz = 3_570_000

// etusPerCharacter is a start bit, eight data bits, parity and a guard time of two, as T=0 has it.
const etusPerCharacter = 12

// characterTime is the time of one character when an etu is f/d clock cycles.
func characterTime(f, d int) time.Duration {
	return time.Duration(etusPerCharacter * f * int(time.Second) / (d * clockHz))
}

// slowCharacter is one at the speed of the ATR: 9,600 baud.
var slowCharacter = characterTime(372, 1)

// speed is the time of a character once PPS has agreed on what the ATR offers, and whether there is anything to agree on.
func speed(atr []byte) (character time.Duration, pps bool) {
	a, err := card.ParseATR(atr)
	if err != nil {
		return slowCharacter, false
	}
	return characterTime(a.Fi, a.Di), a.Fi != a.F || a.Di != a.D
}

// startTime is what comes before the first command: the ATR, and where the card can go faster a PPS of four characters both ways,
// all at 9,600 baud.
func startTime(atr []byte) time.Duration {
	characters := len(atr)
	if _, pps := speed(atr); pps {
		characters += 8
	}
	return time.Duration(characters) * slowCharacter
}

// commandCharacters counts the characters of one command and its answer under T=0: five of header; a procedure byte before data
// in either direction; the data; the status word.
func commandCharacters(cmd, resp []byte) int {
	n := 5 + 2
	if len(cmd) > 5 {
		n += 1 + len(cmd) - 5
	}
	if len(resp) > 2 {
		n += 1 + len(resp) - 2
	}
	return n
}
