// Package pdfstamp draws what a visible signature shows on its page: lines of
// text with an optional picture beside them, within a thin frame.
//
// New takes lines and picture; Stamp.Size is how much room they would like, and
// Stamp.Add writes the form XObject that shows them in the room there is. Text
// is broken into lines and made smaller until it fits; what does not fit even so
// is cut off, with an ellipsis. Colours are calibrated and fonts embedded, so that
// PDF/A stays PDF/A.
//
// Out of scope: where on the page the stamp goes, what it says.
//
// References: ISO 32000-2 sections 8.6.5, 8.9.5, 8.10, 12.5.5.
package pdfstamp

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdffont"
)

// ErrImage: the picture is none that can be shown. It is wrapped with the reason.
var ErrImage = errors.New("the picture cannot be used")

// Style is how a line looks.
type Style int

// The styles.
const (
	Plain Style = iota
	Title       // larger and bold
	Label       // smaller and paler
)

// Line is a line of text, which may become several.
type Line struct {
	Text  string
	Style Style
}

// Limits of what is shown.
const (
	maxLines = 32
	maxRunes = 400 // of one line
)

// Font sizes in points.
const (
	largest  = 10.0
	wanted   = 7.5 // in a stamp that has the size it likes
	smallest = 3.5
)

// Stamp is a drawing. It may be added to one PDF.
type Stamp struct {
	lines   []Line
	picture *picture
	// Flat leaves transparency out, which PDF/A-1 does not know: pictures get a white ground.
	Flat bool
}

// New makes a stamp of lines and of a PNG or JPEG; nil: no picture. Lines
// beyond the first 32, and what is longer than 400 characters, are left out;
// bytes that are not UTF-8 become a replacement mark.
// Error: ErrImage.
func New(lines []Line, image []byte) (*Stamp, error) {
	s := &Stamp{}
	for _, l := range lines[:min(len(lines), maxLines)] {
		l.Text = strings.ToValidUTF8(l.Text, "\ufffd")
		if r := []rune(l.Text); len(r) > maxRunes {
			l.Text = string(r[:maxRunes-1]) + "…"
		}
		s.lines = append(s.lines, l)
	}
	if image != nil {
		p, err := readPicture(image)
		if err != nil {
			return nil, err
		}
		s.picture = p
	}
	return s, nil
}

// padding is the white room inside the frame.
func padding(w, h float64) float64 { return min(max(0.1*min(w, h), 1.5), 6) }

// accent is the width of the bar at the left.
func accent(h float64) float64 { return min(max(h/24, 1), 2.5) }

// pictureSize is the place of the picture in a stamp of that size.
func (s *Stamp) pictureSize(w, h float64) (pw, ph float64) {
	if s.picture == nil {
		return 0, 0
	}
	p := padding(w, h)
	share := 0.4 // of the width; all of it where there is no text
	if len(s.lines) == 0 {
		share = 1
	}
	maxW, maxH := share*(w-2*p-accent(h)), h-2*p
	ratio := float64(s.picture.width) / float64(s.picture.height)
	pw, ph = maxH*ratio, maxH
	if pw > maxW {
		pw, ph = maxW, maxW/ratio
	}
	return max(pw, 0.1), max(ph, 0.1)
}

// Size is the room in points that the stamp would like, at most maxWidth wide.
func (s *Stamp) Size(maxWidth float64) (w, h float64) {
	text := 0.0
	for _, l := range s.lines {
		text = max(text, l.font().Width(l.Text, wanted*l.scale()))
	}
	text = min(max(text, 90), 190)
	h = blockHeight(s.wrap(s.lines, text+0.5, wanted), wanted)
	h = max(h+12, 36)
	w = text + 12 + accent(h)
	if s.picture != nil {
		h = max(h, 48)
		picture := min(max((h-12)*float64(s.picture.width)/float64(s.picture.height), 8), 110)
		w += picture + 6
	}
	return min(w+2, maxWidth), h
}

// Add writes the stamp as a form XObject of w by h points. turn is the page's
// Rotate: the matrix turns the stamp so that it stands upright on the page as
// shown.
func (s *Stamp) Add(u *pdf.Update, w, h float64, turn int) pdf.Ref {
	d := &drawing{w: w, h: h, regular: pdffont.Regular().Subset(), bold: pdffont.Bold().Subset()}
	d.frame()
	left := padding(w, h) + accent(h)
	xobjects := pdf.Dict{}
	if pw, ph := s.pictureSize(w, h); pw > 0 {
		xobjects["Im"] = s.picture.add(u, s.Flat)
		x := left
		if len(s.lines) == 0 {
			x = left + (w-left-padding(w, h)-pw)/2
		}
		d.printf("q %s 0 0 %s %s %s cm /Im Do Q\n", num(pw), num(ph), num(x), num((h-ph)/2))
		left += pw + padding(w, h)
	}
	d.text(s, left, w-padding(w, h))
	resources := pdf.Dict{"ColorSpace": pdf.Dict{"C": calRGB()}}
	fonts := pdf.Dict{}
	if d.usedRegular {
		fonts["F"] = d.regular.Add(u)
	}
	if d.usedBold {
		fonts["B"] = d.bold.Add(u)
	}
	if len(fonts) > 0 {
		resources["Font"] = fonts
	}
	if len(xobjects) > 0 {
		resources["XObject"] = xobjects
	}
	form := pdf.Dict{
		"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "FormType": int64(1),
		"BBox": pdf.Array{int64(0), int64(0), w, h}, "Resources": resources, "Filter": pdf.Name("FlateDecode"),
	}
	if m := upright(turn); m != nil {
		form["Matrix"] = m
	}
	return u.Add(&pdf.NewStream{Dict: form, Data: pdffont.Deflate([]byte(d.String()))})
}

// Empty is a form XObject that shows nothing, for signatures that are not seen:
// PDF/A-1 wants every field to have an appearance (ISO 19005-1 section 6.9).
func Empty(u *pdf.Update) pdf.Ref {
	return u.Add(&pdf.NewStream{Dict: pdf.Dict{
		"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Form"), "BBox": pdf.Array{int64(0), int64(0), int64(0), int64(0)}, "Resources": pdf.Dict{},
	}})
}

// upright turns back by as much as the page is turned clockwise.
func upright(turn int) pdf.Array {
	one, none := pdf.Object(int64(1)), pdf.Object(int64(0))
	minus := pdf.Object(int64(-1))
	switch ((turn % 360) + 360) % 360 {
	case 90:
		return pdf.Array{none, one, minus, none, none, none}
	case 180:
		return pdf.Array{minus, none, none, minus, none, none}
	case 270:
		return pdf.Array{none, minus, one, none, none, none}
	}
	return nil
}

// calRGB is sRGB as near as a calibrated space comes to it.
func calRGB() pdf.Array {
	numbers := func(v ...float64) (a pdf.Array) {
		for _, n := range v {
			a = append(a, n)
		}
		return a
	}
	return pdf.Array{pdf.Name("CalRGB"), pdf.Dict{
		"WhitePoint": numbers(0.9505, 1, 1.089), "Gamma": numbers(2.2, 2.2, 2.2),
		"Matrix": numbers(0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505),
	}}
}

// drawing is a content stream in the making.
type drawing struct {
	strings.Builder
	w, h                  float64
	regular, bold         *pdffont.Subset
	usedRegular, usedBold bool
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.Builder, format, args...) }

// num writes a coordinate.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

// frame draws the frame and the bar at its left.
func (d *drawing) frame() {
	bar := accent(d.h)
	line := min(0.5, bar/2)
	d.printf("q /C CS /C cs 0.62 0.68 0.75 SC %s w %s %s %s %s re S\n", num(line), num(line/2), num(line/2), num(d.w-line), num(d.h-line))
	d.printf("0.13 0.32 0.52 sc 0 0 %s %s re f Q\n", num(bar), num(d.h))
}
