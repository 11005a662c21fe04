package testcards

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// Status words, as far as the applet gives them (sheet 2, 5 and 6).
const (
	swOK              = 0x9000
	swWrongLength     = 0x6700
	swChannel         = 0x6881
	swNotTLV          = 0x6981
	swSecurity        = 0x6982
	swBlocked         = 0x6983
	swConditions      = 0x6985
	swNoFile          = 0x6986
	swWrongData       = 0x6A80
	swNotFound        = 0x6A82
	swRecordNotFound  = 0x6A83
	swFileFull        = 0x6A84
	swWrongParameters = 0x6A86
	swLcParameters    = 0x6A87
	swKeyNotFound     = 0x6A88
	swWrongOffset     = 0x6B00
	swInstruction     = 0x6D00
	swClass           = 0x6E00
	swFailure         = 0x6F00
)

// applet is what differs from one version to the next.
type applet struct {
	version    byte
	atr        []byte
	chip       [4]byte       // first bytes of the serial
	tail       [12]byte      // bytes 16 to 27 of card data
	tokenInfo  [4]byte       // last bytes of TokenInfo
	channelSW  uint16        // SELECT on a logical channel other than 0
	algorithm  pki.Algorithm // of the national register and the authorities
	keyBits    int
	ec         bool
	emptyAsks  bool // VERIFY without data asks for the tries left; else it costs one
	puk        bool
	records    bool // READ RECORD
	cardKey    bool // key 81, INTERNAL AUTHENTICATE
	tellsTries bool // GET CARD DATA with P2=01
	between    int  // commands allowed between VERIFY and a signature with key 83
	algorithms map[byte]algorithm
}

// command is a command as T=0 carries it: five bytes of header, then the data that P3 counts. A command of four bytes reaches
// a T=0 card with P3=00 (ISO/IEC 7816-3, section 12.2.1).
type command struct {
	cla, ins, p1, p2, p3 byte
	data                 []byte
}

// le is P3 read as the length wanted: 00 stands for 256.
func (c command) le() int {
	if c.p3 == 0 {
		return 256
	}
	return int(c.p3)
}

// complete says whether the data are all there and nothing else is: T=0 has no place for an Le after them.
func (c command) complete() bool { return len(c.data) == int(c.p3) }

// Transmit answers one command: the data, if any, and the status word. It answers nil without power.
func (c *Card) Transmit(cmd []byte) []byte {
	c.mu.Lock()
	if !c.powered {
		c.mu.Unlock()
		return nil
	}
	resp := c.mutated(cmd)
	took := c.tally.exchange(cmd, resp)
	c.mu.Unlock()
	if c.opts.LineSpeed {
		time.Sleep(took)
	}
	return resp
}

// answer is the applet proper.
func (c *Card) answer(raw []byte) []byte {
	if len(raw) < 4 {
		return statusWord(swWrongLength)
	}
	cmd := command{cla: raw[0], ins: raw[1], p1: raw[2], p2: raw[3]}
	if len(raw) > 4 {
		cmd.p3, cmd.data = raw[4], raw[5:]
	}
	if cmd.ins != 0xC0 || cmd.cla != 0 {
		c.vol.pending = nil
	}
	since := c.vol.rights.between
	c.vol.rights.between++
	data, sw := c.dispatch(cmd, since)
	if sw == swOK && len(data) > 0 && len(cmd.data) > 0 { // case 4: the data wait for GET RESPONSE
		c.vol.pending = data
		return statusWord(more(len(data)))
	}
	return append(append([]byte{}, data...), statusWord(sw)...)
}

func statusWord(sw uint16) []byte { return []byte{byte(sw >> 8), byte(sw)} }

// more is 61xx for n bytes waiting: 6100 says 256 or more.
func more(n int) uint16 { return 0x6100 | uint16(min(n, 256)&0xFF) }

// wrongLe is 6Cxx for a command that should have asked n bytes.
func wrongLe(n int) uint16 { return 0x6C00 | uint16(n&0xFF) }

// dispatch finds the instruction. since is the number of commands between the last VERIFY and this one.
func (c *Card) dispatch(cmd command, since int) ([]byte, uint16) {
	switch {
	case cmd.cla&^0x80 != 0 && cmd.cla&^0x83 == 0: // channels 1 to 3
		if cmd.ins == 0xA4 {
			return nil, c.applet.channelSW
		}
		return nil, swChannel
	case cmd.cla == 0x80:
		return c.dispatchOwn(cmd)
	case cmd.cla != 0:
		return nil, swClass
	}
	switch cmd.ins {
	case 0xA4:
		return nil, c.selectFile(cmd)
	case 0xB0:
		return c.readBinary(cmd)
	case 0xD6:
		return nil, c.updateBinary(cmd)
	case 0xC0:
		return c.getResponse(cmd)
	case 0x20:
		return nil, c.verify(cmd)
	case 0x24:
		return nil, c.changeReferenceData(cmd)
	case 0x2C:
		return nil, c.resetRetryCounter(cmd)
	case 0x22:
		return nil, c.manageSecurityEnvironment(cmd)
	case 0x2A:
		return c.computeSignature(cmd, since)
	case 0x88:
		return c.internalAuthenticate(cmd)
	case 0x84:
		return c.getChallenge(cmd)
	case 0x70: // MANAGE CHANNEL
		return nil, swChannel
	case 0x04, 0x0E, 0x44, 0x46, 0x82: // of the administrators: no role can be authenticated here
		return nil, swSecurity
	}
	return nil, swInstruction
}

// dispatchOwn is the class 80 of the card's own instructions.
func (c *Card) dispatchOwn(cmd command) ([]byte, uint16) {
	switch {
	case cmd.ins == 0xE4:
		return c.getCardData(cmd)
	case cmd.ins == 0xE6:
		return nil, c.logOff(cmd)
	case cmd.ins == 0xB2 && c.applet.records:
		return c.readRecord(cmd)
	case cmd.ins == 0xE2, cmd.ins == 0xF2, cmd.ins == 0xF4, cmd.ins == 0xF6, cmd.ins == 0xF8: // keys, of the administrators
		return nil, swSecurity
	}
	return nil, swInstruction
}

// getCardData is sheet 1.3.
func (c *Card) getCardData(cmd command) ([]byte, uint16) {
	data := c.data
	switch {
	case cmd.p1 != 0 || cmd.p2 > 1 || cmd.p2 == 1 && !c.applet.tellsTries:
		return nil, swWrongOffset
	case len(cmd.data) > 0:
		return nil, swWrongLength
	case cmd.p2 == 1:
		data = append(append([]byte{}, data...), byte(c.pin.tries), 0xFF, 0xFF)
	}
	if cmd.le() != len(data) {
		return nil, wrongLe(len(data))
	}
	return data, swOK
}

// getResponse is sheet 2.5. An Le that is too long leaves the data waiting.
func (c *Card) getResponse(cmd command) ([]byte, uint16) {
	pending := c.vol.pending
	switch {
	case cmd.p1 != 0 || cmd.p2 != 0:
		return nil, swWrongParameters
	case len(cmd.data) > 0:
		return nil, swWrongLength
	case len(pending) == 0:
		return nil, swConditions
	case cmd.le() > len(pending):
		return nil, wrongLe(len(pending))
	}
	data, rest := pending[:cmd.le()], pending[cmd.le():]
	c.vol.pending = rest
	if len(rest) > 0 {
		return data, more(len(rest))
	}
	return data, swOK
}

// getChallenge gives Le bytes that depend on the card and on how many were drawn before.
func (c *Card) getChallenge(cmd command) ([]byte, uint16) {
	if cmd.p1 != 0 || cmd.p2 != 0 {
		return nil, swWrongParameters
	}
	if len(cmd.data) > 0 {
		return nil, swWrongLength
	}
	var out []byte
	for len(out) < cmd.le() {
		c.drawn++
		block := binary.BigEndian.AppendUint64(append([]byte("challenge"), c.data[:16]...), c.drawn)
		sum := sha256.Sum256(block)
		out = append(out, sum[:]...)
	}
	return out[:cmd.le()], swOK
}
