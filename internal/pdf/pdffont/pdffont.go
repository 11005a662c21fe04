// Package pdffont puts text into PDF files by fonts that are embedded in part:
// the glyphs that are used and no others, so that any reader shows the same and
// PDF/A stays PDF/A.
//
// Regular and Bold are the fonts; Font.Width measures. Font.Subset begins a
// Subset: Encode makes the operand of a text-showing operator, and Add writes
// the font's objects when all text is known. Equal texts give equal bytes.
//
// The fonts are the Go fonts of Bigelow & Holmes, with Latin, Greek and Cyrillic
// letters. Text beyond these loses its accents, or is shown as a replacement mark.
//
// Out of scope: other fonts, kerning, scripts that join letters or run from
// right to left.
//
// References: ISO 32000-2 sections 9.7.4, 9.8, 9.9 and 9.10.3, ISO 19005-1
// section 6.3, OpenType 1.9 (tables head, hhea, hmtx, maxp, loca, glyf).
package pdffont

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// replacement stands for what the fonts cannot show.
const replacement = '\ufffd'

// Font is a TrueType font. It is safe for concurrent use.
type Font struct {
	name   string
	stemV  int64
	face   *sfnt.Font
	tables map[string][]byte
	upem   float64
	long   bool // loca has 32-bit offsets
	// Ascent, Descent and CapHeight are in parts of the font size; Descent is negative.
	Ascent, Descent, CapHeight float64
}

// Regular is the Go Regular font.
var Regular = sync.OnceValue(func() *Font { return mustLoad("GoRegular", 84, goregular.TTF) })

// Bold is the Go Bold font.
var Bold = sync.OnceValue(func() *Font { return mustLoad("GoBold", 140, gobold.TTF) })

// mustLoad reads a font that is part of the program: it cannot be wrong in one
// run and right in another.
func mustLoad(name string, stemV int64, ttf []byte) *Font {
	f, err := load(name, ttf)
	if err != nil {
		panic(fmt.Sprintf("font %s: %v", name, err))
	}
	f.stemV = stemV
	return f
}

func load(name string, ttf []byte) (*Font, error) {
	face, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, err
	}
	f := &Font{name: name, face: face, tables: map[string][]byte{}, upem: float64(face.UnitsPerEm())}
	for i := range int(binary.BigEndian.Uint16(ttf[4:])) {
		row := ttf[12+16*i:]
		at, length := binary.BigEndian.Uint32(row[8:]), binary.BigEndian.Uint32(row[12:])
		f.tables[string(row[:4])] = ttf[at : at+length]
	}
	f.long = binary.BigEndian.Uint16(f.tables["head"][50:]) == 1
	f.Ascent = f.units(f.tables["hhea"][4:])
	f.Descent = f.units(f.tables["hhea"][6:])
	f.CapHeight = f.units(f.tables["OS/2"][88:])
	return f, nil
}

// units reads a signed number of font units as a part of the font size.
func (f *Font) units(b []byte) float64 {
	return float64(int16(binary.BigEndian.Uint16(b))) / f.upem
}

// glyph finds the glyph of a character; 0 if there is none.
func (f *Font) glyph(b *sfnt.Buffer, r rune) uint16 {
	g, err := f.face.GlyphIndex(b, r)
	if err != nil {
		return 0
	}
	return uint16(g)
}

// advance is the width of a glyph in parts of the font size.
func (f *Font) advance(glyph uint16) float64 {
	last := int(binary.BigEndian.Uint16(f.tables["hhea"][34:])) - 1
	return float64(binary.BigEndian.Uint16(f.tables["hmtx"][4*min(int(glyph), last):])) / f.upem
}

// Showable is the text as the font can show it: composed letters, those it does
// not have without their accents, and a mark for the rest. Line ends and other
// control characters become blanks.
func (f *Font) Showable(text string) string {
	var b sfnt.Buffer
	var out strings.Builder
	for _, r := range norm.NFC.String(text) {
		switch {
		case r < ' ' || r == 0x7f:
			out.WriteByte(' ')
		case f.glyph(&b, r) != 0:
			out.WriteRune(r)
		default:
			base := []rune(norm.NFKD.String(string(r)))[0]
			if base == r || f.glyph(&b, base) == 0 {
				base = replacement
			}
			out.WriteRune(base)
		}
	}
	return out.String()
}

// Width is how wide text is at a font size.
func (f *Font) Width(text string, size float64) float64 {
	var b sfnt.Buffer
	sum := 0.0
	for _, r := range f.Showable(text) {
		sum += f.advance(f.glyph(&b, r))
	}
	return sum * size
}
