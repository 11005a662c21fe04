package conformance

import (
	"bytes"
	"slices"
)

// selectPath is SELECT by absolute path.
func selectPath(ids ...byte) []byte {
	return append([]byte{0x00, 0xA4, 0x08, 0x0C, byte(len(ids))}, ids...)
}

// selectID is SELECT by identifier in the current directory.
func selectID(high, low byte) []byte { return []byte{0x00, 0xA4, 0x02, 0x0C, 0x02, high, low} }

func selectAID(p2 byte, aid []byte) []byte {
	return append([]byte{0x00, 0xA4, 0x04, p2, byte(len(aid))}, aid...)
}

func readBinary(offset, le int) []byte {
	return []byte{0x00, 0xB0, byte(offset >> 8), byte(offset), byte(le)}
}

var (
	appletAID = []byte{0xA0, 0x00, 0x00, 0x00, 0x30, 0x29, 0x05, 0x70, 0x00, 0xAD, 0x13, 0x10, 0x01, 0x01, 0xFF}
	belpicAID = []byte("\xA0\x00\x00\x01\x77PKCS-15")
	idAID     = []byte("\xA0\x00\x00\x01\x77IdFiles")
)

// knownATRs of sheet 1.1, which applet they belong to apart.
var knownATRs = [][]byte{
	[]byte("\x3B\x98\x94\x40\xFF\xA5\x03\x01\x01\x01\xAD\x13\x10"),
	[]byte("\x3B\x98\x94\x40\x0A\xA5\x03\x01\x01\x01\xAD\x13\x10"),
	[]byte("\x3B\x98\x13\x40\x0A\xA5\x03\x01\x01\x01\xAD\x13\x11"),
	[]byte("\x3B\x7F\x96\x00\x00\x80\x31\x80\x65\xB0\x85\x04\x01\x20\x12\x0F\xFF\x82\x90\x00"),
}

// checkCardData is sheet 1.1 and 1.3.
func (s *session) checkCardData() {
	if atr := s.t.ATR(); !slices.ContainsFunc(knownATRs, func(a []byte) bool { return bytes.Equal(a, atr) }) {
		s.wrong("ATR %X is none of those known (sheet 1.1)", atr)
	}
	data := s.want("GET CARD DATA", []byte{0x80, 0xE4, 0, 0, 0x1C}, 0x9000)
	if len(data) != 28 {
		s.wrong("card data of %d bytes, want 28 (sheet 1.3)", len(data))
		data = append(data, make([]byte, 28)...)
	}
	s.serial, s.applet = data[:16], data[21]
	if s.applet < 0x10 || s.applet > 0x1F {
		s.wrong("applet version %02X (sheet 1.4)", s.applet)
	}
	if data[27] != 0x0F {
		s.wrong("life cycle %02X, want 0F: personalised", data[27])
	}
	s.want("GET CARD DATA with Le 00", []byte{0x80, 0xE4, 0, 0, 0}, 0x6C1C)
	s.want("GET CARD DATA with a short Le", []byte{0x80, 0xE4, 0, 0, 0x10}, 0x6C1C)
	s.want("GET CARD DATA with P1 01", []byte{0x80, 0xE4, 1, 0, 0x1C}, 0x6B00)
	if !s.isEC() {
		s.want("GET CARD DATA with P2 01", []byte{0x80, 0xE4, 0, 1, 0x1F}, 0x6B00)
		return
	}
	s.want("GET CARD DATA with P2 01 and Le 1C", []byte{0x80, 0xE4, 0, 1, 0x1C}, 0x6C1F)
	long := s.want("GET CARD DATA with P2 01", []byte{0x80, 0xE4, 0, 1, 0x1F}, 0x9000)
	if len(long) != 31 || !bytes.Equal(long[:28], data) || long[28] > 3 || long[29] != 0xFF || long[30] != 0xFF {
		s.wrong("GET CARD DATA with P2 01 gave %X, want the card data, tries left, FF FF", long)
	}
}

// checkCommands is what belongs to no file: classes, instructions, channels, GET RESPONSE.
func (s *session) checkCommands() {
	s.want("unknown instruction", []byte{0x00, 0x5E, 0, 0, 0}, 0x6D00)
	s.want("unknown instruction of class 80", []byte{0x80, 0x5E, 0, 0, 0}, 0x6D00)
	s.want("unknown class", []byte{0x90, 0xA4, 8, 0x0C, 2, 0x3F, 0}, 0x6E00)
	s.want("SELECT on channel 1", append([]byte{0x01}, selectPath(0x3F, 0)[1:]...), 0x6999, 0x6985)
	s.refused("MANAGE CHANNEL", []byte{0x00, 0x70, 0, 0, 1})
	s.want("GET RESPONSE with nothing waiting", []byte{0, 0xC0, 0, 0, 0}, 0x6985)
	if !s.isEC() {
		s.want("READ RECORD on an applet without it", []byte{0x80, 0xB2, 1, 1, 0}, 0x6D00)
	}
}

// checkSelect is sheet 1.2 and 2.2.
func (s *session) checkSelect() {
	const path = "SELECT by path"
	s.want(path, selectPath(0x3F, 0x00, 0xDF, 0x01, 0x40, 0x31), 0x9000)
	s.want(path+" without 3F00", selectPath(0xDF, 0x01, 0x40, 0x33), 0x9000)
	s.want(path+": 3F00 alone", selectPath(0x3F, 0x00), 0x9000)
	s.want("READ BINARY with no file selected", readBinary(0, 1), 0x6986)
	s.want(path+": no such file", selectPath(0x3F, 0x00, 0xDF, 0x01, 0x47, 0x11), 0x6A82)
	s.want(path+": no such directory", selectPath(0x3F, 0x00, 0xDF, 0x07, 0x40, 0x31), 0x6A82)
	s.want(path+" with P2 00", []byte{0, 0xA4, 8, 0, 2, 0x3F, 0}, 0x6A86)
	s.want(path+" of an odd length", selectPath(0x3F, 0x00, 0xDF), 0x6A87)
	s.want("SELECT with P1 01", []byte{0, 0xA4, 1, 0x0C, 2, 0xDF, 0}, 0x6A86)
	s.want("SELECT that says more data than it has", []byte{0, 0xA4, 8, 0x0C, 6, 0x3F, 0}, 0x6700)

	s.want("SELECT by identifier: 3F00", selectID(0x3F, 0x00), 0x9000)
	s.want("SELECT by identifier of one byte", []byte{0, 0xA4, 2, 0x0C, 1, 0x3F}, 0x6A87)
	s.want("SELECT by identifier: a directory below", selectID(0xDF, 0x00), 0x9000)
	s.want("SELECT by identifier: a file in it", selectID(0x50, 0x31), 0x9000)
	if !s.options.AnyDF {
		s.want("SELECT by identifier: a file of another directory", selectID(0x40, 0x31), 0x6A82)
		s.want("SELECT by identifier: another directory", selectID(0xDF, 0x01), 0x6A82)
	}
	if data := s.want("READ BINARY after a refused SELECT", readBinary(0, 2), 0x9000); !bytes.Equal(data, []byte{0xA0, 0x0A}) {
		s.wrong("a refused SELECT changed what is selected")
	}
	s.want("SELECT by identifier: 3F00 from below", selectID(0x3F, 0x00), 0x9000)

	const aid = "SELECT by AID"
	s.want(aid+": DF(ID)", selectAID(0x0C, idAID), 0x9000)
	s.want(aid+": then a file of it", selectID(0x40, 0x31), 0x9000)
	s.want(aid+": DF(BELPIC)", selectAID(0x0C, belpicAID), 0x9000)
	s.want(aid+": then a file of it", selectID(0x50, 0x37), 0x9000)
	s.want(aid+": unknown", selectAID(0x0C, []byte{0xA0, 0, 0, 0, 1, 2}), 0x6A82)
	s.want(aid+" of four bytes", selectAID(0x0C, appletAID[:4]), 0x6A87)
	s.want(aid+": the applet", selectAID(0x0C, appletAID), 0x9000)
	s.want(aid+": the applet with P2 00", selectAID(0x00, appletAID), 0x9000)
	s.want(aid+": then the master file is current", selectID(0x2F, 0x00), 0x9000)
}

// fileTable is sheet 2.1: what every card has, and 4040 from applet 1.8 on.
var fileTable = []uint16{0x2F00, 0x5031, 0x5032, 0x5034, 0x5035, 0x5037, 0x5038, 0x5039, 0x503A, 0x503B, 0x503C,
	0x4031, 0x4032, 0x4033, 0x4034, 0x4035, 0x4040}

// maxFile bounds what is read of one file: offsets have 15 bits.
const maxFile = 0x8000

// checkRead is sheet 2.3, on every file.
func (s *session) checkRead() {
	for _, id := range fileTable {
		path := []byte{byte(id >> 8), byte(id)}
		switch id >> 8 {
		case 0x50:
			path = append([]byte{0xDF, 0x00}, path...)
		case 0x40:
			path = append([]byte{0xDF, 0x01}, path...)
		}
		if id == 0x4040 && !s.isEC() {
			continue
		}
		s.want("SELECT", selectPath(append([]byte{0x3F, 0x00}, path...)...), 0x9000)
		if content := s.readSelected(id); content != nil {
			s.files[id] = content
			s.checkPieces(id, content)
		}
	}
}

// readSelected reads the selected file 256 bytes at a time, as the card says with 6Cxx where it ends.
func (s *session) readSelected(id uint16) []byte {
	content := []byte{}
	for len(content) < maxFile {
		data, sw := s.send(readBinary(len(content), 0)...)
		switch {
		case s.failed != nil:
			return nil
		case sw == 0x9000 && len(data) == 256:
			content = append(content, data...)
			continue
		case sw>>8 == 0x6C && len(data) == 0 && sw != 0x6C00:
			last := s.want("READ BINARY with the Le that 6Cxx named", readBinary(len(content), int(sw&0xFF)), 0x9000)
			if len(last) != int(sw&0xFF) {
				s.wrong("%04X: asked for the %d bytes of 6Cxx, got %d", id, sw&0xFF, len(last))
			}
			content = append(content, last...)
		case sw == 0x6B00 && len(content) > 0: // a multiple of 256
		default:
			s.wrong("%04X: reading 256 bytes at %d gave %d bytes and %04X", id, len(content), len(data), sw)
			return nil
		}
		s.want("READ BINARY at the end", readBinary(len(content), 0), 0x6B00)
		s.want("READ BINARY past the end", readBinary(len(content)+300, 1), 0x6B00)
		s.want("READ BINARY past 7FFF", []byte{0, 0xB0, 0x80, 0x00, 0x01}, 0x6B00)
		return content
	}
	s.wrong("%04X: no end", id)
	return nil
}

// checkPieces reads again in other pieces, as other programs do: the bytes must be the same.
func (s *session) checkPieces(id uint16, content []byte) {
	if len(content) < 2 {
		s.wrong("%04X: %d bytes", id, len(content))
		return
	}
	for _, piece := range [][2]int{{0, 1}, {1, 0xFC}, {len(content) / 2, 7}, {255, 2}, {257, 0xFF}, {len(content) - 1, 1}} {
		at, n := piece[0], piece[1]
		if at >= len(content) {
			continue
		}
		if left := len(content) - at; n > left {
			s.want("READ BINARY with an Le past the end", readBinary(at, n), 0x6C00|uint16(left))
			n = left
		}
		data := s.want("READ BINARY", readBinary(at, n), 0x9000)
		if s.failed == nil && !bytes.Equal(data, content[at:at+n]) {
			s.wrong("%04X: %d bytes at %d differ from what a whole reading gave", id, n, at)
		}
	}
}

// checkRecords is sheet 2.4.
func (s *session) checkRecords() {
	if !s.isEC() {
		return
	}
	record := func(first, last, le byte) []byte { return []byte{0x80, 0xB2, first, last, le} }
	s.want("SELECT", selectPath(0x3F, 0x00, 0xDF, 0x01, 0x40, 0x31), 0x9000)
	records := parseRecords(s.files[0x4031])
	name := append([]byte{7, byte(len(records[7]))}, records[7]...)
	if data := s.want("READ RECORD of the name", record(7, 7, 0), 0x9000); !bytes.Equal(data, name) {
		s.wrong("READ RECORD of the name gave %X, want %X", data, name)
	}
	s.want("READ RECORD with Le too big", record(7, 7, byte(len(name)+1)), 0x6C00|uint16(len(name)))
	s.want("READ RECORD of a tag that is not there", record(0xE0, 0xE0, 0), 0x6A83)
	s.want("READ RECORD with P2 below P1", record(7, 6, 0), 0x6A83)
	s.want("SELECT", selectPath(0x3F, 0x00, 0xDF, 0x01, 0x40, 0x35), 0x9000)
	s.want("READ RECORD of a file without records", record(1, 1, 0), 0x6981)
	s.want("SELECT", selectPath(0x3F, 0x00, 0xDF, 0x01), 0x9000)
	s.want("READ RECORD with no file selected", record(1, 1, 0), 0x6986)
}

// parseRecords reads the records of an identity or address file by tag (sheet 3.1).
func parseRecords(b []byte) map[byte][]byte {
	records := map[byte][]byte{}
	for at := 0; at+1 < len(b) && (at == 0 || b[at] != 0); {
		tag := b[at]
		at++
		n := 0
		for at < len(b) {
			more := b[at] == 0xFF
			n += int(b[at])
			at++
			if !more {
				break
			}
		}
		if at+n > len(b) {
			break
		}
		records[tag] = b[at : at+n]
		at += n
	}
	return records
}
