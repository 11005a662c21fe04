package pdfstamp_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdfstamp"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// drawn adds a stamp to a document and reads it back.
func drawn(t testing.TB, s *pdfstamp.Stamp, w, h float64, turn int) (*pdf.View, *pdf.Stream, string) {
	t.Helper()
	b := pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	u, err := f.NewUpdate()
	must(t, err)
	ref := s.Add(u, w, h, turn)
	more, err := u.Bytes()
	must(t, err)
	b = append(b, more...)
	f, err = pdf.Open(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	stream := f.Last().Stream(ref)
	content, err := f.Decode(f.Last(), stream)
	must(t, err)
	return f.Last(), stream, string(content)
}

var lines = []pdfstamp.Line{{Text: "Signed by", Style: pdfstamp.Label}, {Text: "Jan Proef", Style: pdfstamp.Title}, {Text: "a reason of several words that is long"}}

// TestFits looks whether every line is within its room, whatever that is.
func TestFits(t *testing.T) {
	t.Parallel()
	s, err := pdfstamp.New(append(lines, pdfstamp.Line{Text: strings.Repeat("wordwithoutend", 20)}, pdfstamp.Line{}), picture(t, 300, 200))
	must(t, err)
	for _, size := range [][2]float64{{300, 100}, {100, 300}, {60, 20}, {20, 20}, {8, 8}, {1000, 10}, {10, 1000}} {
		_, _, content := drawn(t, s, size[0], size[1], 0)
		pdf.Operators([]byte(content), func(op string, args []pdf.Object) bool {
			if op == "Tm" {
				x, _ := pdf.Number(args[4])
				y, _ := pdf.Number(args[5])
				if x < 0 || x > size[0] || y < 0 || y > size[1] {
					t.Errorf("%v: text at %v, %v", size, x, y)
				}
			}
			return true
		})
	}
	w, h := s.Size(400)
	if w > 400 || h > 300 || w < 100 || h < 36 {
		t.Errorf("it likes %v by %v", w, h)
	}
	if w, _ := s.Size(90); w > 90 {
		t.Errorf("%v wide instead of 90", w)
	}
}

// TestSmall leaves the label out where there is little room, not the name.
func TestSmall(t *testing.T) {
	t.Parallel()
	s, err := pdfstamp.New(lines[:2], nil)
	must(t, err)
	for size, want := range map[[2]float64]int{{200, 60}: 2, {60, 12}: 1, {5, 2}: 0} {
		v, stream, content := drawn(t, s, size[0], size[1], 0)
		if got := strings.Count(content, " Tj"); got != want {
			t.Errorf("%v: %d lines, want %d", size, got, want)
		}
		fonts := v.Dict(v.Dict(stream.Dict["Resources"])["Font"])
		if len(fonts) != want {
			t.Errorf("%v: %d fonts", size, len(fonts))
		}
	}
}

// TestTurned: the matrix turns what the page's Rotate has turned.
func TestTurned(t *testing.T) {
	t.Parallel()
	s, err := pdfstamp.New(lines, nil)
	must(t, err)
	for turn, want := range map[int]pdf.Array{0: nil, 90: {int64(0), int64(1), int64(-1), int64(0), int64(0), int64(0)}, 270: {int64(0), int64(-1), int64(1), int64(0), int64(0), int64(0)}} {
		v, stream, _ := drawn(t, s, 100, 50, turn)
		got := v.Array(stream.Dict["Matrix"])
		if len(got) != len(want) {
			t.Fatalf("%d: %v", turn, got)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%d: %v", turn, got)
			}
		}
	}
}

// TestNotUTF8 shows text in another encoding with marks for what cannot be
// read, also where there is room for one letter.
func TestNotUTF8(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\xe9", "Approuv\xe9", "\xff\xfe\xe9\xe8", "\xf0\x9f", strings.Repeat("\xe9", 500)} {
		for _, size := range [][2]float64{{8, 20}, {10, 20}, {12, 300}, {200, 60}} {
			s, err := pdfstamp.New([]pdfstamp.Line{{Text: text}, {Text: text, Style: pdfstamp.Title}}, nil)
			must(t, err)
			if _, _, content := drawn(t, s, size[0], size[1], 0); !strings.Contains(content, " Tj") {
				t.Errorf("%q in %v: nothing is shown", text, size)
			}
		}
	}
}

// FuzzAdd draws any text in any room.
func FuzzAdd(f *testing.F) {
	f.Add("Jan Proef", "reason", 200.0, 60.0)
	f.Add("\xe9", "Approuv\xe9", 8.0, 20.0)
	f.Add("wordwithoutend\u0301\u00a0\ufdfa", "", 10.0, 300.0)
	f.Fuzz(func(t *testing.T, title, text string, w, h float64) {
		if !(w >= 0 && w < 1e9 && h >= 0 && h < 1e9) {
			return
		}
		s, err := pdfstamp.New([]pdfstamp.Line{{Text: title, Style: pdfstamp.Title}, {Text: text}, {Text: text, Style: pdfstamp.Label}}, nil)
		must(t, err)
		s.Size(w)
		drawn(t, s, w, h, 0)
	})
}

func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.SetNRGBA(i%w, i/w, color.NRGBA{uint8(i), 0, 0, uint8(i / w)})
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	return b.Bytes()
}

// TestPictures: JPEG as it is, others as samples, those that one can see
// through with a mask, or on white.
func TestPictures(t *testing.T) {
	t.Parallel()
	grey := image.NewGray(image.Rect(0, 0, 14, 20))
	var jpg, colour, opaque bytes.Buffer
	must(t, jpeg.Encode(&jpg, grey, nil))
	must(t, jpeg.Encode(&colour, image.NewRGBA(image.Rect(0, 0, 3, 3)), nil))
	must(t, png.Encode(&opaque, grey))
	for name, c := range map[string]struct {
		data   []byte
		flat   bool
		filter pdf.Name
		masked bool
		width  int64
	}{
		"grey JPEG": {jpg.Bytes(), false, "DCTDecode", false, 14}, "JPEG": {colour.Bytes(), true, "DCTDecode", false, 3}, "PNG": {opaque.Bytes(), false, "FlateDecode", false, 14},
		"clear": {picture(t, 30, 20), false, "FlateDecode", true, 30}, "flat": {picture(t, 30, 20), true, "FlateDecode", false, 30},
		"large": {picture(t, 2100, 10), false, "FlateDecode", true, 700},
	} {
		s, err := pdfstamp.New(nil, c.data)
		must(t, err)
		s.Flat = c.flat
		v, stream, _ := drawn(t, s, 100, 50, 0)
		im := v.Stream(v.Dict(v.Dict(stream.Dict["Resources"])["XObject"])["Im"])
		if v.Name(im.Dict["Filter"]) != c.filter || (im.Dict["SMask"] != nil) != c.masked || pdf.Int(im.Dict["Width"], 0) != c.width {
			t.Errorf("%s: %v", name, im.Dict)
		}
		if c.filter == "DCTDecode" {
			if raw, err := v.File().Raw(im); err != nil || !bytes.Equal(raw, c.data) {
				t.Errorf("%s: not as it was: %v", name, err)
			}
		}
	}
	huge := picture(t, 1, 1)
	copy(huge[16:], "\x00\x10\x00\x00\x00\x10\x00\x00") // 2^20 by 2^20, with a wrong checksum
	for _, bad := range [][]byte{{}, []byte("GIF89a"), []byte("\xff\xd8\xff"), huge, picture(t, 9, 9)[:60], append([]byte("\xff\xd8"), make([]byte, 17<<20)...)} {
		if _, err := pdfstamp.New(lines, bad); !errors.Is(err, pdfstamp.ErrImage) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}
