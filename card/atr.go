package card

import (
	"errors"
	"fmt"
)

// ATR is an answer to reset taken apart (ISO/IEC 7816-3:2006, section 8).
type ATR struct {
	// Inverse tells the inverse convention (TS 3F) from the direct one (TS 3B).
	Inverse bool

	// Fi and Di are the clock rate conversion and baud rate adjustment integers that TA1 offers; 372 and 1 without TA1, and for
	// its reserved values. F and D are those in force after the reset: Fi and Di if the card is in specific mode (TA2), else 372
	// and 1 until a PPS exchange. One elementary time unit (etu) is F/D cycles of the card's clock.
	Fi, Di, F, D int

	// N is the extra guard time integer of TC1: 0 without TC1. See GuardTime.
	N int

	// WI is the waiting time integer of TC2, for T=0: 10 without TC2. The card answers within WI x 960 x Fi clock cycles.
	WI int

	// Offers are the numbers T of the protocols offered, 0 to 14, in the card's order; in specific mode the only one in force.
	Offers []int

	// Specific tells that TA2 is there: protocol and speed are fixed, no PPS is exchanged.
	Specific bool

	// Historical are the historical bytes: at most 15.
	Historical []byte
}

// maxATR is the size of the longest answer to reset: TS and 32 characters.
const maxATR = 33

// Tables 7 and 8 of ISO/IEC 7816-3: the high and the low nibble of TA1; 0 is reserved.
var (
	tableFi = [16]int{372, 372, 558, 744, 1116, 1488, 1860, 0, 0, 512, 768, 1024, 1536, 2048, 0, 0}
	tableDi = [16]int{0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0}
)

// ParseATR takes an answer to reset apart and checks TS, every length, and TCK where one is due. Bytes too few or too many are an
// error. Historical is a view of b.
func ParseATR(b []byte) (ATR, error) {
	if len(b) < 2 || len(b) > maxATR {
		return ATR{}, fmt.Errorf("card: ATR of %d bytes", len(b))
	}
	a := ATR{Fi: 372, Di: 1, F: 372, D: 1, WI: 10}
	switch b[0] {
	case 0x3B:
	case 0x3F:
		a.Inverse = true
	default:
		return ATR{}, fmt.Errorf("card: ATR with initial character %02X", b[0])
	}
	rest, check, err := a.interfaceBytes(b)
	if err != nil {
		return ATR{}, err
	}
	n := int(b[1] & 0x0F)
	want := n
	if check {
		want++
	}
	if len(rest) != want {
		return ATR{}, fmt.Errorf("card: ATR with %d bytes after the interface bytes, says %d", len(rest), want)
	}
	if check {
		var sum byte
		for _, x := range b[1:] {
			sum ^= x
		}
		if sum != 0 {
			return ATR{}, errors.New("card: ATR with a wrong check byte")
		}
	}
	a.Historical = rest[:n:n]
	return a, nil
}

// interfaceBytes reads TA1 to the last TD. It returns what follows, and whether a check byte ends the ATR: it does if any T but 0
// is indicated (section 8.2.5).
func (a *ATR) interfaceBytes(b []byte) (rest []byte, check bool, err error) {
	present := b[1] >> 4
	rest = b[2:]
	for group := 1; present != 0; group++ {
		var td byte
		for bit := range 4 { // TA, TB, TC, TD
			if present>>bit&1 == 0 {
				continue
			}
			if len(rest) == 0 {
				return nil, false, errors.New("card: ATR ends within its interface bytes")
			}
			x := rest[0]
			rest = rest[1:]
			if bit == 3 {
				td = x
			} else {
				a.take(group, bit, x)
			}
		}
		if present&8 != 0 {
			t := int(td & 0x0F)
			check = check || t != 0
			a.offer(t)
		}
		present = td >> 4
	}
	if len(a.Offers) == 0 {
		a.Offers = []int{0}
	}
	return rest, check, nil
}

// take notes one interface byte; kind is 0 for TA, 1 for TB, 2 for TC.
func (a *ATR) take(group, kind int, x byte) {
	switch {
	case group == 1 && kind == 0:
		if f := tableFi[x>>4]; f != 0 {
			a.Fi = f
		}
		if d := tableDi[x&0x0F]; d != 0 {
			a.Di = d
		}
	case group == 1 && kind == 2:
		a.N = int(x)
	case group == 2 && kind == 0:
		a.Specific = true
		a.Offers = []int{int(x & 0x0F)}
		if x&0x10 == 0 { // else the speed is implicit: known to the interface device by other means
			a.F, a.D = a.Fi, a.Di
		}
	case group == 2 && kind == 2:
		a.WI = int(x)
	}
}

// offer adds T to the protocols offered. T=15 announces global interface bytes, no protocol.
func (a *ATR) offer(t int) {
	if t == 15 || a.Specific {
		return
	}
	for _, o := range a.Offers {
		if o == t {
			return
		}
	}
	a.Offers = append(a.Offers, t)
}

// GuardTime is the least time, in etu, from the start of one character sent to the card to the start of the next, under protocol
// T=t: 12 plus N; for N of 255, 12 under T=0 and 11 under T=1 (section 8.3; it takes N in etu, as it is when T=15 is not indicated).
func (a ATR) GuardTime(t int) int {
	if a.N < 255 {
		return 12 + a.N
	}
	if t == 1 {
		return 11
	}
	return 12
}
