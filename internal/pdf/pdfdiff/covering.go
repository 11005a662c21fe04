package pdfdiff

import (
	"fmt"

	"github.com/eidkit/eidkit/internal/pdf"
)

// How much of a page an annotation may lie over. Places of text are estimates,
// so a little overlap says nothing.
const (
	coverShare     = 0.25 // of the annotation, or of one piece of text or image
	signatureShare = 0.45 // of a visible signature, over text
	iconSize       = 36.0 // points; the icons of notes are smaller
)

// covers says in which way an annotation of the new state hides or adds to what
// the page of the old state shows; "" if it does not.
func (s *step) covers(i int, o pdf.Object) string {
	v := s.after.view
	d := v.Dict(o)
	rect, ok := v.Rect(d["Rect"])
	if !ok || pdf.Int(v.Resolve(d["F"]), 0)&notShown != 0 || rect[2]-rect[0] < 1 || rect[3]-rect[1] < 1 {
		return ""
	}
	if s.covered++; s.covered > maxCovered {
		return "one of too many to look at"
	}
	if !s.opaque(d, rect) {
		return ""
	}
	share, piece := s.overlap(i, rect)
	if share > coverShare || piece > coverShare {
		return fmt.Sprintf("covers what was signed: %.0f %% of it lies over text or images", 100*share)
	}
	return ""
}

// opaque tells whether an annotation paints something that may hide or be taken
// for content. Marks over text, lines and small icons are what comments are.
func (s *step) opaque(d pdf.Dict, rect [4]float64) bool {
	v := s.after.view
	kind := v.Name(d["Subtype"])
	stream, ok := normalAppearance(v, d)
	if !ok { // the viewer draws it
		switch kind {
		case "Highlight", "Underline", "Squiggly", "StrikeOut", "Text", "Caret", "Link", "Popup", "Line", "PolyLine", "Ink", "FileAttachment":
			return false
		case "Square", "Circle", "Polygon":
			return len(v.Array(d["IC"])) > 0
		case "Widget":
			mk := v.Dict(d["MK"])
			return len(v.Array(mk["BG"])) > 0 || mk["CA"] != nil
		}
		return true
	}
	p := paintOf(v, stream)
	small := rect[2]-rect[0] <= iconSize && rect[3]-rect[1] <= iconSize
	switch kind {
	case "Text", "Caret", "FileAttachment":
		if small && !p.image && len(p.texts) == 0 {
			return false
		}
	case "Highlight", "Underline", "Squiggly", "StrikeOut":
		if !p.image && len(p.texts) == 0 && (p.multiply || !p.fill) && !p.thick {
			return false
		}
	}
	return p.image || p.fill || p.thick || len(p.texts) > 0
}

// normalAppearance is the normal appearance stream, by its state if it has several.
func normalAppearance(v *pdf.View, d pdf.Dict) (*pdf.Stream, bool) {
	n := v.Resolve(v.Dict(d["AP"])["N"])
	if states, ok := n.(pdf.Dict); ok {
		n = v.Resolve(states[v.Name(d["AS"])])
	}
	stream, ok := n.(*pdf.Stream)
	return stream, ok
}

// overlap is how much of rect lies over text or images of the old page, and how
// much of the most covered of these is covered.
func (s *step) overlap(i int, rect [4]float64) (share, piece float64) {
	p := s.paintedPage(i)
	total := 0.0
	for _, box := range p.content() {
		common := intersect(rect, box)
		if common <= 0 {
			continue
		}
		total += common
		if size := area(box); size > 0 {
			piece = max(piece, common/size)
		}
	}
	return min(1, total/area(rect)), piece
}

// coversText is the measure for visible signatures and fields: these may stand
// on lines, beside labels and on scanned pages, but not in place of a text.
func (s *step) coversText(i int, d pdf.Dict) string {
	v := s.after.view
	rect, ok := v.Rect(d["Rect"])
	if !ok || pdf.Int(v.Resolve(d["F"]), 0)&notShown != 0 || rect[2]-rect[0] < 1 || rect[3]-rect[1] < 1 {
		return ""
	}
	if s.covered++; s.covered > maxCovered {
		return "one of too many to look at"
	}
	if !s.opaque(d, rect) {
		return ""
	}
	total := 0.0
	for _, box := range s.paintedPage(i).texts {
		total += intersect(rect, box)
	}
	if share := min(1, total/area(rect)); share > signatureShare {
		return fmt.Sprintf("stands in place of text: %.0f %% of it lies over text", 100*share)
	}
	return ""
}

func (s *step) paintedPage(i int) *painting {
	if p, ok := s.painted[i]; ok {
		return p
	}
	p := &painting{}
	if i >= 0 && i < len(s.before.pages.Pages) {
		p = paintPage(s.before.view, s.before.pages.Pages[i])
	}
	s.painted[i] = p
	return p
}

func area(r [4]float64) float64 { return (r[2] - r[0]) * (r[3] - r[1]) }

func intersect(a, b [4]float64) float64 {
	w := min(a[2], b[2]) - max(a[0], b[0])
	h := min(a[3], b[3]) - max(a[1], b[1])
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h
}
