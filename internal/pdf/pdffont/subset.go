package pdffont

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/eidkit/eidkit/internal/pdf"
	"golang.org/x/image/font/sfnt"
)

// Subset is a font with the glyphs that some text needs. They are numbered
// anew, as they come.
type Subset struct {
	f      *Font
	glyphs []uint16 // by new number: the number in the font
	runes  []rune   // by new number; 0: part of another glyph
	number map[uint16]uint16
}

// Subset begins with the glyph for characters that are missing.
func (f *Font) Subset() *Subset {
	s := &Subset{f: f, number: map[uint16]uint16{}}
	s.use(0, 0)
	return s
}

func (s *Subset) use(glyph uint16, r rune) uint16 {
	n, ok := s.number[glyph]
	if !ok {
		n = uint16(len(s.glyphs))
		s.number[glyph] = n
		s.glyphs, s.runes = append(s.glyphs, glyph), append(s.runes, 0)
	}
	if s.runes[n] == 0 {
		s.runes[n] = r
	}
	return n
}

// Encode is text as a hexadecimal string of glyph numbers, for the operator Tj.
func (s *Subset) Encode(text string) string {
	var b sfnt.Buffer
	var codes []byte
	for _, r := range s.f.Showable(text) {
		codes = binary.BigEndian.AppendUint16(codes, s.use(s.f.glyph(&b, r), r))
	}
	return "<" + hex.EncodeToString(codes) + ">"
}

// Add writes the objects of the font and returns the reference to it: a Type 0
// font over a CIDFontType2, whose character codes are its glyph numbers.
func (s *Subset) Add(u *pdf.Update) pdf.Ref {
	program := s.program() // adds the parts of composite glyphs
	f := s.f
	name := pdf.Name(s.tag() + "+" + f.name)
	widths := pdf.Array{}
	set := make([]byte, (len(s.glyphs)+7)/8)
	for i, g := range s.glyphs {
		widths = append(widths, int64(math.Round(1000*f.advance(g))))
		set[i/8] |= 0x80 >> (i % 8)
	}
	thousand := func(v float64) pdf.Object { return int64(math.Round(1000 * v)) }
	box := pdf.Array{}
	for i := range 4 {
		box = append(box, thousand(f.units(f.tables["head"][36+2*i:])))
	}
	descriptor := u.Add(pdf.Dict{
		"Type": pdf.Name("FontDescriptor"), "FontName": name, "Flags": int64(32), "FontBBox": box, "ItalicAngle": int64(0),
		"Ascent": thousand(f.Ascent), "Descent": thousand(f.Descent), "CapHeight": thousand(f.CapHeight), "StemV": f.stemV,
		"FontFile2": u.Add(&pdf.NewStream{Dict: pdf.Dict{"Filter": pdf.Name("FlateDecode"), "Length1": int64(len(program))}, Data: Deflate(program)}),
		"CIDSet":    u.Add(&pdf.NewStream{Data: set}),
	})
	descendant := u.Add(pdf.Dict{
		"Type": pdf.Name("Font"), "Subtype": pdf.Name("CIDFontType2"), "BaseFont": name, "FontDescriptor": descriptor,
		"CIDSystemInfo": pdf.Dict{"Registry": pdf.NewText("Adobe"), "Ordering": pdf.NewText("Identity"), "Supplement": int64(0)},
		"CIDToGIDMap":   pdf.Name("Identity"), "DW": int64(1000), "W": pdf.Array{int64(0), widths},
	})
	return u.Add(pdf.Dict{
		"Type": pdf.Name("Font"), "Subtype": pdf.Name("Type0"), "BaseFont": name, "Encoding": pdf.Name("Identity-H"),
		"DescendantFonts": pdf.Array{descendant},
		"ToUnicode":       u.Add(&pdf.NewStream{Dict: pdf.Dict{"Filter": pdf.Name("FlateDecode")}, Data: Deflate(s.toUnicode())}),
	})
}

// Deflate compresses for FlateDecode.
func Deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data) // a buffer takes everything
	w.Close()
	return b.Bytes()
}

// tag names the subset by what is in it. ISO 32000-2, section 9.9.2.
func (s *Subset) tag() string {
	h := sha256.Sum256(fmt.Append(nil, s.glyphs))
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + h[i]%26
	}
	return string(tag)
}

// toUnicode tells which characters the glyphs show, for search and copying.
func (s *Subset) toUnicode() []byte {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n")
	var rows []string
	for i, r := range s.runes {
		if r == 0 {
			continue
		}
		var units []byte
		for _, u := range utf16.Encode([]rune{r}) {
			units = binary.BigEndian.AppendUint16(units, u)
		}
		rows = append(rows, fmt.Sprintf("<%04x> <%x>\n", i, units))
	}
	for part := range slices.Chunk(rows, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n%sendbfchar\n", len(part), strings.Join(part, ""))
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return []byte(b.String())
}
