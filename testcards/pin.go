package testcards

import "bytes"

// secret is a PIN or PUK on the card, kept as the block that VERIFY compares.
type secret struct {
	block [8]byte
	tries int // left
	max   int
}

// Tries of a fresh card (sheet 5).
const (
	pinTries = 3
	pukTries = 12
)

// rights says what was verified (sheet 5.1). A VERIFY is for a signature with key 83 when that follows at once; otherwise it is
// for key 82. Which of the two is only known later: until then it is fresh.
type rights struct {
	auth    bool // key 82 may be used
	fresh   bool // a VERIFY has succeeded and not been used up
	between int  // commands since that VERIFY
}

// holder says whether the holder is known to the card, for whatever purpose.
func (r *rights) holder() bool { return r.auth || r.fresh }

// verified takes in a successful VERIFY. One before it that was not used for key 83 was for key 82.
func (r *rights) verified() { *r = rights{auth: r.auth || r.fresh, fresh: true} }

// use82 says whether key 82 may sign now, and settles what the VERIFY was for.
func (r *rights) use82() bool {
	r.auth = r.auth || r.fresh
	r.fresh = false
	return r.auth
}

// may83 says whether key 83 may sign now, with since commands between VERIFY and this one.
func (r *rights) may83(since, allowed int) bool { return r.fresh && since <= allowed }

// used83 uses the VERIFY up. One that came before it for key 82 stays.
func (r *rights) used83() { r.fresh = false }

// compare spends a try on block. The status word is 9000, 63Cx or 6983.
func (s *secret) compare(block []byte, last63C0 bool) uint16 {
	if s.tries == 0 {
		return swBlocked
	}
	s.tries--
	if bytes.Equal(block, s.block[:]) {
		s.tries = s.max
		return swOK
	}
	if s.tries == 0 && !last63C0 {
		return swBlocked
	}
	return 0x63C0 | uint16(s.tries)
}

// verify is VERIFY of the PIN.
func (c *Card) verify(cmd command) uint16 {
	switch {
	case cmd.p1 != 0:
		return swWrongParameters
	case cmd.p2 != 1:
		return swKeyNotFound
	case !cmd.complete() || len(cmd.data) != 0 && len(cmd.data) != 8:
		return swWrongLength
	case len(cmd.data) == 0 && c.applet.emptyAsks:
		return c.verifyStatus()
	}
	sw := c.pin.compare(cmd.data, c.opts.LastTry63C0)
	if sw != swOK {
		c.vol.rights = rights{}
		return sw
	}
	c.vol.rights.verified()
	return swOK
}

// verifyStatus is VERIFY without data on applets that take it as a question.
func (c *Card) verifyStatus() uint16 {
	switch {
	case c.pin.tries == 0:
		return swBlocked
	case c.vol.rights.holder():
		return swOK
	}
	return 0x63C0 | uint16(c.pin.tries)
}

// changeReferenceData is CHANGE REFERENCE DATA by the holder. A new PIN of the wrong form is refused before the old one is
// compared. Success opens key 82.
func (c *Card) changeReferenceData(cmd command) uint16 {
	switch {
	case cmd.p1 == 1: // by an administrator
		return swSecurity
	case cmd.p1 != 0:
		return swWrongParameters
	case cmd.p2 != 1:
		return swKeyNotFound
	case !cmd.complete() || len(cmd.data) != 16:
		return swWrongLength
	case !wellFormed(cmd.data[8:]):
		return swWrongData
	}
	if sw := c.pin.compare(cmd.data[:8], c.opts.LastTry63C0); sw != swOK {
		c.vol.rights = rights{}
		return sw
	}
	copy(c.pin.block[:], cmd.data[8:])
	c.vol.rights = rights{auth: true}
	return swOK
}

// resetRetryCounter unblocks the PIN with the PUK (1.1 and 1.7). The PIN stays what it was. Applet 1.8 asks for an administrator.
func (c *Card) resetRetryCounter(cmd command) uint16 {
	switch {
	case cmd.p1 != 0:
		return swWrongParameters
	case cmd.p2 != 1:
		return swKeyNotFound
	case !c.applet.puk && len(cmd.data) == 0 && cmd.p3 == 0:
		return swSecurity
	case !c.applet.puk || !cmd.complete() || len(cmd.data) != 8:
		return swWrongLength
	}
	sw := c.puk.compare(cmd.data, c.opts.LastTry63C0)
	if sw == swOK {
		c.pin.tries = c.pin.max
	}
	return sw
}

// logOff is LOG OFF, with or without a fifth byte 00.
func (c *Card) logOff(cmd command) uint16 {
	switch {
	case cmd.p1 != 0 || cmd.p2 != 0:
		return swWrongParameters
	case cmd.p3 != 0 || len(cmd.data) > 0:
		return swWrongLength
	}
	c.vol.rights = rights{}
	return swOK
}

// pinBlock codes digits as ISO 9564-1 format 2, as sheet 5 gives it.
func pinBlock(digits string) [8]byte {
	b := [8]byte{0x20 | byte(len(digits)), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	for i := range len(digits) {
		setNibble(b[1:], i, digits[i]-'0')
	}
	return b
}

func setNibble(b []byte, at int, v byte) {
	if at%2 == 0 {
		b[at/2] = v<<4 | b[at/2]&0x0F
	} else {
		b[at/2] = b[at/2]&0xF0 | v
	}
}

// wellFormed says whether b is such a block with 4 to 12 digits.
func wellFormed(b []byte) bool {
	n := int(b[0] & 0x0F)
	if b[0]>>4 != 2 || n < 4 || n > 12 {
		return false
	}
	for i := range 14 {
		v := b[1+i/2] >> 4
		if i%2 == 1 {
			v = b[1+i/2] & 0x0F
		}
		if i < n && v > 9 || i >= n && v != 0xF {
			return false
		}
	}
	return true
}
