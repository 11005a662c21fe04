package pdfstamp

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/pdf/pdffont"
)

func (l Line) font() *pdffont.Font {
	if l.Style == Title {
		return pdffont.Bold()
	}
	return pdffont.Regular()
}

// scale is the size of a line's letters against the others'.
func (l Line) scale() float64 {
	switch l.Style {
	case Title:
		return 1.3
	case Label:
		return 0.85
	}
	return 1
}

func (l Line) colour() string {
	if l.Style == Label {
		return "0.33 0.38 0.43"
	}
	return "0.08 0.1 0.13"
}

// leading is the distance of two base lines against the size of the letters.
const leading = 1.25

// height is what a line takes at a font size.
func (l Line) height(size float64) float64 { return size * l.scale() * leading }

func blockHeight(lines []Line, size float64) (h float64) {
	for _, l := range lines {
		h += l.height(size)
	}
	return h
}

// wrap breaks lines so that none is wider than width at a font size.
func (s *Stamp) wrap(lines []Line, width, size float64) (out []Line) {
	for _, l := range lines {
		font, at := l.font(), size*l.scale()
		row := ""
		put := func() {
			if row != "" {
				out = append(out, Line{row, l.Style})
			}
			row = ""
		}
		for _, word := range strings.Fields(l.Text) {
			if row != "" && font.Width(row+" "+word, at) <= width {
				row += " " + word
				continue
			}
			put()
			for font.Width(word, at) > width { // longer than a line
				n := fitting(font, word, at, width)
				out = append(out, Line{word[:n], l.Style})
				word = word[n:]
			}
			row = word
		}
		put()
	}
	return out
}

// fitting is how many bytes of text fit into width, at least one character.
func fitting(font *pdffont.Font, text string, size, width float64) int {
	end := 0
	for end < len(text) {
		_, n := utf8.DecodeRuneInString(text[end:])
		if end > 0 && font.Width(text[:end+n], size) > width {
			break
		}
		end += n
	}
	return end
}

// legible is the size below which labels make way for the rest.
const legible = 5.0

// fit finds the largest letters at which all lines are within the room. Where
// they get too small the labels are left out, and what does not fit at the
// smallest is cut off.
func (s *Stamp) fit(width, height float64) (lines []Line, size float64) {
	for size = largest; size >= legible; size -= 0.25 {
		if lines = s.wrap(s.lines, width, size); blockHeight(lines, size) <= height {
			return lines, size
		}
	}
	rest := slices.DeleteFunc(slices.Clone(s.lines), func(l Line) bool { return l.Style == Label })
	for size = legible; size >= smallest; size -= 0.25 {
		if lines = s.wrap(rest, width, size); blockHeight(lines, size) <= height {
			return lines, size
		}
	}
	size = smallest
	for len(lines) > 0 && blockHeight(lines, size) > height {
		lines = lines[:len(lines)-1]
	}
	if n := len(lines); n > 0 {
		last := &lines[n-1]
		font, at := last.font(), size*last.scale()
		keep := fitting(font, last.Text, at, width-font.Width("…", at))
		last.Text = strings.TrimRight(last.Text[:keep], " ") + "…"
	}
	return lines, size
}

// text writes the lines between two places, in the middle of the height.
func (d *drawing) text(s *Stamp, left, right float64) {
	room := d.h - 2*min(padding(d.w, d.h), 4)
	if right-left < smallest || room < smallest {
		return
	}
	lines, size := s.fit(right-left, room)
	y := d.h/2 + blockHeight(lines, size)/2
	for _, l := range lines {
		at := size * l.scale()
		font, subset, name := pdffont.Regular(), d.regular, "F"
		if l.Style == Title {
			font, subset, name = pdffont.Bold(), d.bold, "B"
			d.usedBold = true
		} else {
			d.usedRegular = true
		}
		// The letters, from the height of capitals to the base line, stand in the middle of their line.
		base := y - l.height(size)/2 - font.CapHeight*at/2
		d.printf("BT /%s %s Tf /C cs %s sc 1 0 0 1 %s %s Tm %s Tj ET\n", name, num(at), l.colour(), num(left), num(base), subset.Encode(l.Text))
		y -= l.height(size)
	}
}
