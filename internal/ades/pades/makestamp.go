package pades

import (
	"context"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdfdiff"
	"github.com/eidkit/eidkit/internal/pdf/pdfstamp"
)

// show gives the slot its place on a page and draws what is shown there; the
// zero Ref if nothing is drawn.
func (d *document) show(u *pdf.Update, s *slot, m ades.Making, o MakeOptions) (pdf.Ref, error) {
	v := o.Visible
	if v == nil && !s.fresh && !s.empty() {
		v = &Visible{}
	}
	if v == nil {
		if s.fresh {
			s.page = 0
		}
		return d.nothing(u, s), nil
	}
	if !s.fresh && !s.roomy() {
		return pdf.Ref{}, refused("the field %q has no place on a page where it could be seen", s.name)
	}
	s.hidden = false // a signature that is to be seen is, whatever the field was
	drawing, err := pdfstamp.New(stampLines(m, o, v), v.Image)
	if errors.Is(err, pdfstamp.ErrImage) {
		return pdf.Ref{}, refused("%w", err)
	}
	if err != nil {
		return pdf.Ref{}, err
	}
	drawing.Flat = d.isPDFA1()
	if s.fresh {
		if s.page, err = d.pageIndexOf(v.Page); err != nil {
			return pdf.Ref{}, err
		}
		if err := d.place(s, v, drawing); err != nil {
			return pdf.Ref{}, err
		}
	}
	if slices.ContainsFunc(s.rect[:], func(v float64) bool { return !(math.Abs(v) <= maxCoordinate) }) {
		return pdf.Ref{}, refused("page %d is too large to show the signature on it", s.page+1)
	}
	turn := d.last.Turn(d.pages[s.page])
	w, h := s.rect[2]-s.rect[0], s.rect[3]-s.rect[1]
	if turn == 90 || turn == 270 {
		w, h = h, w
	}
	return drawing.Add(u, rounded(w), rounded(h), turn), nil
}

// nothing is the appearance of a field that is not seen: none, but in PDF/A-1.
// With a rectangle of no size none is called for (ISO 32000-2 table 166, ISO
// 19005-2 section 6.3.3), and under a certification with P 1 some validators
// take one for form filling.
func (d *document) nothing(u *pdf.Update, s *slot) pdf.Ref {
	if s.page < 0 || !d.isPDFA1() || d.final() {
		return pdf.Ref{}
	}
	return pdfstamp.Empty(u)
}

// rounded is a length to a hundredth of a point.
func rounded(v float64) float64 { return math.Round(v*100) / 100 }

// pageIndexOf finds a page by its number, from 1 or, negative, from the end.
func (d *document) pageIndexOf(number int) (int, error) {
	n := len(d.pages)
	switch {
	case number == 0:
		return 0, nil
	case number > n || number < -n:
		return 0, refused("there is no page %d: it has %d", number, n)
	case number < 0:
		return n + number, nil
	}
	return number - 1, nil
}

// Sizes of a place, in points.
const (
	smallestSide = 8
	margin       = 36
	gap          = 6 // to what stands beside
)

// place finds the rectangle of a new field.
func (d *document) place(s *slot, v *Visible, drawing *pdfstamp.Stamp) error {
	page := d.pages[s.page]
	_, size := d.last.Shown(page, [4]float64{})
	if !(size[0] <= maxCoordinate && size[1] <= maxCoordinate) {
		return refused("page %d is too large to show the signature on it", s.page+1)
	}
	rect := v.Rect
	if rect == [4]float64{} {
		edge := min(margin, size[0]/12, size[1]/12)
		w, h := drawing.Size(size[0] - 2*edge)
		var err error
		if rect, err = d.freePlace(s.page, size, edge, min(w, size[0]-2*edge), min(h, size[1]-2*edge)); err != nil {
			return err
		}
	}
	for _, n := range rect {
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return refused("the rectangle of the signature is not made of numbers")
		}
	}
	rect = [4]float64{min(rect[0], rect[2]), min(rect[1], rect[3]), max(rect[0], rect[2]), max(rect[1], rect[3])}
	switch {
	case rect[2]-rect[0] < smallestSide || rect[3]-rect[1] < smallestSide:
		return refused("a place of %.0f by %.0f points is too small for a signature", rect[2]-rect[0], rect[3]-rect[1])
	case rect[0] < -0.5 || rect[1] < -0.5 || rect[2] > size[0]+0.5 || rect[3] > size[1]+0.5:
		return refused("the place of the signature is outside page %d, which has %.0f by %.0f points", s.page+1, size[0], size[1])
	}
	s.rect = d.last.Placed(page, rect)
	for i := range s.rect {
		s.rect[i] = rounded(s.rect[i])
	}
	return nil
}

// Limits of the search for a place. Pages and what stands on them are hostile.
const (
	maxSteps      = 64     // in each direction
	maxTaken      = 10_000 // places to keep clear of; more are a drawing rather than a text
	maxCoordinate = 1e9    // points; numbers on either side of it are not told apart any more
)

// freePlace looks for room from the bottom left on, row by row: clear of
// annotations and text, else of annotations, else at the bottom left in any case.
func (d *document) freePlace(index int, size [2]float64, edge, w, h float64) ([4]float64, error) {
	page := d.pages[index]
	var annotations, texts [][4]float64
	for _, o := range d.last.Array(page.Dict["Annots"]) {
		if r, ok := d.last.Rect(d.last.Dict(o)["Rect"]); ok && r[2] > r[0] && r[3] > r[1] {
			shown, _ := d.last.Shown(page, r)
			annotations = append(annotations, shown)
		}
		if len(annotations) > maxTaken {
			break
		}
	}
	for _, r := range pdfdiff.Texts(d.last, page) {
		shown, _ := d.last.Shown(page, r)
		texts = append(texts, shown)
	}
	start := [4]float64{edge, edge, edge + w, edge + h}
	for _, keepClear := range [][][4]float64{append(texts, annotations...), annotations} {
		if len(keepClear) > maxTaken {
			continue
		}
		r, ok, err := firstClear(d.ctx, start, [2]float64{size[0] - edge, size[1] - edge}, keepClear)
		if err != nil || ok {
			return r, err
		}
	}
	return start, nil
}

// firstClear moves a rectangle to the right and up, as far as end, until it is
// clear of what is taken: in steps of a line, or larger ones on large pages.
func firstClear(ctx context.Context, start [4]float64, end [2]float64, taken [][4]float64) ([4]float64, bool, error) {
	const line = 12.0
	steps := func(room float64) (n int, step float64) {
		step = max(line, room/maxSteps)
		return int(max(0, room+0.01) / step), step
	}
	columns, dx := steps(end[0] - start[2])
	rows, dy := steps(end[1] - start[3])
	for row := range rows + 1 {
		if err := ctx.Err(); err != nil {
			return start, false, err
		}
		y := float64(row) * dy
		for column := range columns + 1 {
			x := float64(column) * dx
			r := [4]float64{start[0] + x, start[1] + y, start[2] + x, start[3] + y}
			if !slices.ContainsFunc(taken, func(t [4]float64) bool {
				return r[0] < t[2]+gap && t[0] < r[2]+gap && r[1] < t[3]+gap && t[1] < r[3]+gap
			}) {
				return r, true, nil
			}
		}
	}
	return start, false, nil
}

// stampWords are what a stamp says by itself: before the name, date, reason and place.
var stampWords = map[string][4]string{
	"en": {"Digitally signed by", "Date: ", "Reason: ", "Location: "},
	"nl": {"Digitaal ondertekend door", "Datum: ", "Reden: ", "Plaats: "},
	"fr": {"Signé numériquement par", "Date\u00a0: ", "Motif\u00a0: ", "Lieu\u00a0: "},
	"de": {"Digital signiert von", "Datum: ", "Grund: ", "Ort: "},
}

// stampLines are the lines of a stamp.
func stampLines(m ades.Making, o MakeOptions, v *Visible) (lines []pdfstamp.Line) {
	if v.Text != nil {
		for _, text := range v.Text {
			lines = append(lines, pdfstamp.Line{Text: text})
		}
		return lines
	}
	language, _, _ := strings.Cut(strings.ToLower(v.Language), "-")
	words, ok := stampWords[language]
	if !ok {
		words = stampWords["en"]
	}
	lines = append(lines, pdfstamp.Line{Text: words[0], Style: pdfstamp.Label}, pdfstamp.Line{Text: o.Name, Style: pdfstamp.Title},
		pdfstamp.Line{Text: words[1] + m.Time.UTC().Format("2006-01-02 15:04:05") + " UTC"})
	for i, text := range []string{o.Reason, o.Location} {
		if text != "" {
			lines = append(lines, pdfstamp.Line{Text: words[2+i] + text})
		}
	}
	return lines
}

// pdfa1 is how a document says that it is PDF/A-1. ISO 19005-1, section 6.7.11.
var pdfa1 = regexp.MustCompile(`pdfaid:part\s*(=\s*["']1["']|>\s*1\s*<)`)

// isPDFA1 tells whether the document's metadata say so.
func (d *document) isPDFA1() bool {
	stream := d.last.Stream(d.last.Catalog()["Metadata"])
	if stream == nil || stream.Len > 1<<20 {
		return false
	}
	data, err := d.pdf.Decode(d.last, stream)
	return err == nil && pdfa1.Match(data)
}
