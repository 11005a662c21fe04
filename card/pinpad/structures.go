package pinpad

import (
	"encoding/binary"
	"time"
)

// What the keypad makes of the digits (PC/SC part 10, section 2.5; values of the facts sheet, section 5.3): the 8-byte block of ISO
// 9564-1 format 2 whose first byte, 2L, and filler are in the command already.
const (
	formatString    = 0x89 // units are bytes, digits from byte 1, left-justified, BCD
	formatStringOld = 0x01 // the same, for readers that count in bits and put the digits after the length themselves
	pinBlockString  = 0x47 // length field of 4 bits, PIN block of 7 bytes
	pinLengthFormat = 0x04 // length at bit 4
	validateByKey   = 0x02 // the entry ends with the confirmation key
	confirmAndOld   = 0x03 // the new PIN is typed twice, the old one once

	insVerify, insChange, insUnblock = 0x20, 0x24, 0x2C

	minDigits, maxDigits = 4, 12 // of a PIN; a PUK has the most

	defaultTimeout = 30 // seconds
)

// emptyBlock is the PIN block before the reader fills it in.
var emptyBlock = []byte{0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}

// verifyStructure is PIN_VERIFY_STRUCTURE around a command with one PIN block. Numbers are little-endian.
func (p *Pinpad) verifyStructure(ins byte, r Request) []byte {
	least, most := p.digits()
	if ins == insUnblock {
		least = most
	}
	b := []byte{r.seconds(), r.seconds(), p.format(), pinBlockString, pinLengthFormat, most, least, validateByKey, 1}
	b = append(b, r.language()...)
	b = append(b, 0)       // bMsgIndex
	b = append(b, 0, 0, 0) // bTeoPrologue: the driver makes the block of T=1
	return withCommand(b, append([]byte{0x00, ins, 0x00, r.Reference, 0x08}, emptyBlock...))
}

// modifyStructure is PIN_MODIFY_STRUCTURE around CHANGE REFERENCE DATA: the old block at offset 0, the new one at 8.
func (p *Pinpad) modifyStructure(r Request) []byte {
	least, most := p.digits()
	b := []byte{r.seconds(), r.seconds(), p.format(), pinBlockString, pinLengthFormat, 0, 8, most, least, confirmAndOld, validateByKey, 3}
	b = append(b, r.language()...)
	b = append(b, 0, 1, 2) // bMsgIndex1 to 3
	b = append(b, 0, 0, 0) // bTeoPrologue
	command := append([]byte{0x00, insChange, 0x00, r.Reference, 0x10}, emptyBlock...)
	return withCommand(b, append(command, emptyBlock...))
}

func withCommand(b, command []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(command)))
	return append(b, command...)
}

// digits are the bounds of a PIN's length: the card's, or the reader's where they are narrower.
func (p *Pinpad) digits() (least, most byte) {
	least, most = minDigits, maxDigits
	if n := p.quirk.most; n != 0 {
		most = n
	}
	if n := p.props.MaxPIN; n >= minDigits {
		most = byte(min(n, int(most)))
	}
	if n := p.props.MinPIN; n <= int(most) {
		least = byte(max(n, int(least)))
	}
	return least, most
}

func (p *Pinpad) format() byte {
	if p.quirk.oldBefore != (version{}) && p.props.firmware().before(p.quirk.oldBefore) {
		return formatStringOld
	}
	return formatString
}

func (r Request) seconds() byte {
	switch n := (r.Timeout + time.Second - 1) / time.Second; {
	case n <= 0:
		return defaultTimeout
	default:
		return byte(min(n, 255))
	}
}

// language is wLangId, low byte first: the primary language and sublanguage 1, as commons-eid sends them. Eid-mw sends the high
// byte first, with the Belgian sublanguages.
func (r Request) language() []byte {
	switch r.Language {
	case "nl":
		return []byte{0x13, 0x04}
	case "fr":
		return []byte{0x0C, 0x04}
	case "de":
		return []byte{0x07, 0x04}
	}
	return []byte{0x09, 0x04}
}
