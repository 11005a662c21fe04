package pdffont_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdffont"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

const sample = "Jan Şükrü Őry Христо Ελένη – € „x“ ½"

// added adds a font to a document and reads it back.
func added(t testing.TB, s *pdffont.Subset) (*pdf.View, pdf.Dict, []byte) {
	t.Helper()
	b := pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	u, err := f.NewUpdate()
	if err != nil {
		t.Fatal(err)
	}
	ref := s.Add(u)
	more, err := u.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, more...)
	if f, err = pdf.Open(bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatal(err)
	}
	return f.Last(), f.Last().Dict(ref), more
}

func decode(t testing.TB, v *pdf.View, o pdf.Object) []byte {
	t.Helper()
	data, err := v.File().Decode(v, v.Stream(o))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// completed adds the tables that a font needs outside PDF.
func completed(program []byte) []byte {
	tables := map[string][]byte{}
	take := func(ttf []byte, only ...string) {
		for i := range int(binary.BigEndian.Uint16(ttf[4:])) {
			row := ttf[12+16*i:]
			if tag := string(row[:4]); len(only) == 0 || slices.Contains(only, tag) {
				at := binary.BigEndian.Uint32(row[8:])
				tables[tag] = ttf[at : at+binary.BigEndian.Uint32(row[12:])]
			}
		}
	}
	take(goregular.TTF, "cmap", "name", "OS/2")
	take(program)
	tables["post"] = append([]byte{0, 3, 0, 0}, make([]byte, 28)...)
	out := append([]byte{0, 1, 0, 0, 0, byte(len(tables))}, make([]byte, 6+16*len(tables))...)
	for i, tag := range slices.Sorted(maps.Keys(tables)) {
		row := out[12+16*i:]
		copy(row, tag)
		binary.BigEndian.PutUint32(row[8:], uint32(len(out)))
		binary.BigEndian.PutUint32(row[12:], uint32(len(tables[tag])))
		out = append(out, tables[tag]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

// TestSubset reads the embedded font with another program's eyes: each code
// shows the glyph that the whole font has for its character.
func TestSubset(t *testing.T) {
	t.Parallel()
	for _, f := range []*pdffont.Font{pdffont.Regular(), pdffont.Bold()} {
		s := f.Subset()
		codes, err := hex.DecodeString(strings.Trim(s.Encode(sample), "<>"))
		if err != nil || len(codes) != 2*len([]rune(sample)) {
			t.Fatalf("%x, %v", codes, err)
		}
		v, dict, _ := added(t, s)
		descendant := v.Dict(v.Array(dict["DescendantFonts"])[0])
		descriptor := v.Dict(descendant["FontDescriptor"])
		program := decode(t, v, descriptor["FontFile2"])
		small, err := sfnt.Parse(completed(program))
		if err != nil {
			t.Fatal(err)
		}
		if len(program) > 20_000 || small.NumGlyphs() > 60 {
			t.Errorf("%d bytes, %d glyphs", len(program), small.NumGlyphs())
		}
		widths := v.Array(v.Array(descendant["W"])[1])
		if len(widths) != small.NumGlyphs() {
			t.Errorf("%d widths for %d glyphs", len(widths), small.NumGlyphs())
		}
		unicode := string(decode(t, v, dict["ToUnicode"]))
		total := 0.0
		for i, r := range []rune(sample) {
			code := int(codes[2*i])<<8 | int(codes[2*i+1])
			if !strings.Contains(unicode, fmt.Sprintf("<%04x> <%04x>", code, r)) {
				t.Errorf("%c is not in the ToUnicode map", r)
			}
			n, _ := pdf.Number(widths[code])
			total += n
			var b sfnt.Buffer
			segments, err := small.LoadGlyph(&b, sfnt.GlyphIndex(code), fixed.I(1000), nil)
			if err != nil || r != ' ' && len(segments) == 0 {
				t.Errorf("%c: %d segments, %v", r, len(segments), err)
			}
			advance, err := small.GlyphAdvance(&b, sfnt.GlyphIndex(code), fixed.I(1000), font.HintingNone)
			if err != nil || max(float64(advance)/64-n, n-float64(advance)/64) > 1 {
				t.Errorf("%c: advance %v, width %v, %v", r, advance, n, err)
			}
		}
		if want := f.Width(sample, 1000); max(want-total, total-want) > float64(len(codes)) {
			t.Errorf("%v wide, by W %v", want, total)
		}
		if name := string(v.Name(dict["BaseFont"])); len(name) < 8 || name[6] != '+' || v.Name(descriptor["FontName"]) != pdf.Name(name) {
			t.Errorf("name %s", name)
		}
		if set := decode(t, v, descriptor["CIDSet"]); len(set) != (small.NumGlyphs()+7)/8 || set[0] != 0xff {
			t.Errorf("CIDSet %x", set)
		}
	}
}

func TestSameTextSameBytes(t *testing.T) {
	t.Parallel()
	one, two, other := pdffont.Regular().Subset(), pdffont.Regular().Subset(), pdffont.Regular().Subset()
	one.Encode(sample)
	two.Encode(sample)
	other.Encode("Jan")
	_, _, a := added(t, one)
	_, _, b := added(t, two)
	_, _, c := added(t, other)
	if !bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Error("not by text alone")
	}
}

func TestShowable(t *testing.T) {
	t.Parallel()
	f := pdffont.Regular()
	for in, want := range map[string]string{
		"Zoe\u0308": "Zoë", "a\tb\nc": "a b c", "ﬀ": "f", "Nguyễn": "Nguyen", "中": "\ufffd", "ẞ": "\ufffd", "": "",
	} {
		if got := f.Showable(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
