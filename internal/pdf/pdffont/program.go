package pdffont

import (
	"bytes"
	"encoding/binary"
)

// Flags of a composite glyph, OpenType table glyf.
const (
	argsAreWords    = 1 << 0
	haveScale       = 1 << 3
	moreComponents  = 1 << 5
	haveXYScale     = 1 << 6
	haveTwoByTwo    = 1 << 7
	haveInstruction = 1 << 8
)

// program is the font file with the glyphs of the subset: without hints, and
// without the tables that a reader of PDF has no use for.
func (s *Subset) program() []byte {
	var glyf, loca, hmtx []byte
	for i := 0; i < len(s.glyphs); i++ { // grows while composite glyphs are met
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		glyf = append(glyf, s.outline(s.glyphs[i])...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		hmtx = append(hmtx, s.f.metrics(s.glyphs[i])...)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))

	count := uint16(len(s.glyphs))
	head := bytes.Clone(s.f.tables["head"])
	binary.BigEndian.PutUint32(head[8:], 0)  // checkSumAdjustment, until all is there
	binary.BigEndian.PutUint16(head[50:], 1) // loca has 32-bit offsets
	hhea := bytes.Clone(s.f.tables["hhea"])
	binary.BigEndian.PutUint16(hhea[34:], count)
	maxp := bytes.Clone(s.f.tables["maxp"])
	binary.BigEndian.PutUint16(maxp[4:], count)
	return assemble([]table{{"glyf", glyf}, {"head", head}, {"hhea", hhea}, {"hmtx", hmtx}, {"loca", loca}, {"maxp", maxp}})
}

// metrics is the entry of hmtx for a glyph: advance and left side bearing.
func (f *Font) metrics(glyph uint16) []byte {
	hmtx := f.tables["hmtx"]
	full := int(binary.BigEndian.Uint16(f.tables["hhea"][34:]))
	g := int(glyph)
	if g < full {
		return hmtx[4*g : 4*g+4]
	}
	bearing := hmtx[4*full+2*(g-full):]
	return append(bytes.Clone(hmtx[4*full-4:4*full-2]), bearing[:2]...)
}

// place is where a glyph stands in glyf.
func (f *Font) place(glyph uint16) (from, to uint32) {
	loca := f.tables["loca"]
	if f.long {
		return binary.BigEndian.Uint32(loca[4*int(glyph):]), binary.BigEndian.Uint32(loca[4*int(glyph)+4:])
	}
	return 2 * uint32(binary.BigEndian.Uint16(loca[2*int(glyph):])), 2 * uint32(binary.BigEndian.Uint16(loca[2*int(glyph)+2:]))
}

// outline is the description of a glyph without its instructions; the parts of
// a composite one are added to the subset and renumbered.
func (s *Subset) outline(glyph uint16) []byte {
	from, to := s.f.place(glyph)
	g := bytes.Clone(s.f.tables["glyf"][from:to])
	if len(g) < 10 {
		return nil // nothing to be seen, such as a blank
	}
	contours := int(int16(binary.BigEndian.Uint16(g)))
	if contours >= 0 {
		at := 10 + 2*contours
		skip := at + 2 + int(binary.BigEndian.Uint16(g[at:]))
		binary.BigEndian.PutUint16(g[at:], 0)
		return append(g[:at+2], g[skip:]...)
	}
	for at := 10; ; {
		flags := binary.BigEndian.Uint16(g[at:])
		binary.BigEndian.PutUint16(g[at:], flags&^haveInstruction)
		binary.BigEndian.PutUint16(g[at+2:], s.use(binary.BigEndian.Uint16(g[at+2:]), 0))
		at += 6
		if flags&argsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&haveScale != 0:
			at += 2
		case flags&haveXYScale != 0:
			at += 4
		case flags&haveTwoByTwo != 0:
			at += 8
		}
		if flags&moreComponents == 0 {
			return g[:at]
		}
	}
}

type table struct {
	tag  string
	data []byte
}

// assemble writes a font file of tables in the order of their tags.
func assemble(tables []table) []byte {
	n := len(tables)
	power, exponent := 1, 0
	for 2*power <= n {
		power, exponent = 2*power, exponent+1
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range []int{n, 16 * power, exponent, 16 * (n - power)} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at := 12 + 16*n
	var body []byte
	head := 0
	for _, t := range tables {
		if t.tag == "head" {
			head = at + len(body)
		}
		out = append(out, t.tag...)
		out = binary.BigEndian.AppendUint32(out, checksum(t.data))
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t.data)))
		body = append(body, t.data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out[head+8:], 0xB1B0AFBA-checksum(out)) // OpenType, table head
	return out
}

// checksum is the sum of the 32-bit words, the last one filled up with zeros.
func checksum(b []byte) (sum uint32) {
	for len(b) > 0 {
		var word [4]byte
		copy(word[:], b)
		sum += binary.BigEndian.Uint32(word[:])
		b = b[min(4, len(b)):]
	}
	return sum
}
