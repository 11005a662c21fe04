package testcards

import "time"

// clockHz is the clock that readers commonly give: the figure the project's budgets are stated for.
const clockHz = 3_570_000

// Tables of ISO/IEC 7816-3, 8.3: TA1 holds Fi in its high nibble and Di in its low one; 0 marks values without meaning.
var (
	fiTable = [16]int{372, 372, 558, 744, 1116, 1488, 1860, 0, 0, 512, 768, 1024, 1536, 2048, 0, 0}
	diTable = [16]int{0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0}
)

// etusPerCharacter is a start bit, eight data bits, parity and a guard time of two, as T=0 has it.
const etusPerCharacter = 12

// characterTime is the time of one character at the speed of TA1; 0x11 is the speed of the ATR, 9,600 baud.
func characterTime(ta1 byte) time.Duration {
	f, d := fiTable[ta1>>4], diTable[ta1&0x0F]
	if f == 0 || d == 0 {
		f, d = 372, 1
	}
	return time.Duration(etusPerCharacter * f * int(time.Second) / (d * clockHz))
}

// ta1 finds TA1 in an ATR: after TS and T0, if T0 says so.
func ta1(atr []byte) byte {
	if len(atr) > 2 && atr[1]&0x10 != 0 {
		return atr[2]
	}
	return 0x11
}

// startTime is what comes before the first command: the ATR, and where the card can go faster a PPS of four characters both ways,
// all at 9,600 baud.
func startTime(atr []byte) time.Duration {
	characters := len(atr)
	if ta1(atr) != 0x11 {
		characters += 8
	}
	return time.Duration(characters) * characterTime(0x11)
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
