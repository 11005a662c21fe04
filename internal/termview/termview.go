// Package termview draws an identity card in a terminal: a frame with the photo as half-block characters beside aligned labels,
// and what was checked below. It knows nothing of cards: it gets text and a picture.
//
// Start with [Write]. Text is cleaned of control and direction characters, since what stands on a card is not to be trusted.
package termview

import (
	"bufio"
	"fmt"
	"image"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Card is what is drawn.
type Card struct {
	Title string
	Badge string // right of the title, for what must not be overlooked: TEST CARD
	// Banners are whole lines below the title, in reverse colours, for what nobody may overlook.
	Banners []Mark
	Rows    []Row
	Photo   image.Image // nil: none
	Marks   []Mark
	Notes   []string // below everything
}

// Row is a label and its value. A row with neither is a gap.
type Row struct{ Label, Value string }

// Mark is the outcome of one check.
type Mark struct {
	State State
	Text  string
}

// State is how a check ended.
type State int

// The states of a Mark.
const (
	Good State = iota
	Bad
	Doubtful
	Skipped
)

// Colors is what the terminal can show.
type Colors int

// The palettes, from none to 24 bits.
const (
	NoColors Colors = iota
	Colors256
	TrueColors
)

// Detect says what palette a terminal has, by its environment (NO_COLOR, COLORTERM, TERM).
func Detect(getenv func(string) string) Colors {
	switch {
	case getenv("NO_COLOR") != "" || getenv("TERM") == "dumb":
		return NoColors
	case strings.Contains(getenv("COLORTERM"), "truecolor") || strings.Contains(getenv("COLORTERM"), "24bit"):
		return TrueColors
	case strings.Contains(getenv("TERM"), "256color"):
		return Colors256
	}
	return NoColors
}

const (
	photoColumns = 26
	minWidth     = 60
	maxWidth     = 100
)

// Write draws c for a terminal of the given width in columns (0: 80).
func Write(w io.Writer, c Card, colors Colors, width int) error {
	if width == 0 {
		width = 80
	}
	v := view{w: bufio.NewWriter(w), colors: colors, inner: min(max(width, minWidth), maxWidth) - 4}
	v.head(c)
	v.banners(c)
	v.body(c)
	v.marks(c)
	return v.w.Flush()
}

type view struct {
	w      *bufio.Writer
	colors Colors
	inner  int // columns between the borders and their blanks
}

func (v *view) rule(left, right string) {
	fmt.Fprintln(v.w, left+strings.Repeat("─", v.inner+2)+right)
}

// line prints text of the given printed width between the borders.
func (v *view) line(text string, printed int) {
	fmt.Fprintf(v.w, "│ %s%s │\n", text, strings.Repeat(" ", max(0, v.inner-printed)))
}

func (v *view) head(c Card) {
	v.rule("╭", "╮")
	badge := Clean(c.Badge)
	title := shorten(Clean(c.Title), v.inner-utf8.RuneCountInString(badge)-1)
	gap := v.inner - utf8.RuneCountInString(title) - utf8.RuneCountInString(badge)
	v.line(v.style("1", title)+strings.Repeat(" ", gap)+v.style("1;7", badge), v.inner)
	v.rule("├", "┤")
}

// banners stand out by colour, and where there is none by what surrounds them.
func (v *view) banners(c Card) {
	for _, b := range c.Banners {
		sign, color := "✓", "1;37;42"
		switch b.State {
		case Bad:
			sign, color = "✗", "1;37;41"
		case Doubtful:
			sign, color = "!", "1;30;43"
		case Skipped:
			sign, color = "–", "7"
		}
		for _, part := range wrap(Clean(b.Text), v.inner-10) {
			text := pad(" "+sign+"  "+part, v.inner)
			if v.colors == NoColors {
				text = pad(">>> "+sign+" "+part+" <<<", v.inner)
			}
			v.line(v.style(color, text), v.inner)
		}
	}
	if len(c.Banners) > 0 {
		v.rule("├", "┤")
	}
}

func (v *view) body(c Card) {
	var picture []string
	indent := 0
	if c.Photo != nil && v.colors != NoColors {
		picture = HalfBlocks(c.Photo, photoColumns, v.colors)
		indent = photoColumns + 2
	}
	labels := 0
	for _, r := range c.Rows {
		labels = max(labels, utf8.RuneCountInString(Clean(r.Label)))
	}
	var text []string
	for _, r := range c.Rows {
		label := pad(Clean(r.Label), labels)
		for i, part := range wrap(Clean(r.Value), v.inner-indent-labels-2) {
			if i > 0 {
				label = strings.Repeat(" ", labels)
			}
			text = append(text, label+"  "+part)
		}
	}
	for i := range max(len(picture), len(text)) {
		row, printed := strings.Repeat(" ", indent), indent
		if i < len(picture) {
			row = picture[i] + "  "
		}
		if i < len(text) {
			label, value := cut(text[i], labels)
			row += v.style("2", label) + value
			printed += utf8.RuneCountInString(text[i])
		}
		v.line(row, printed)
	}
}

func (v *view) marks(c Card) {
	if len(c.Marks) > 0 {
		v.rule("├", "┤")
	}
	for _, m := range c.Marks {
		sign, color := "✓", "32"
		switch m.State {
		case Bad:
			sign, color = "✗", "1;31"
		case Doubtful:
			sign, color = "?", "33"
		case Skipped:
			sign, color = "–", "2"
		}
		for i, part := range wrap(Clean(m.Text), v.inner-2) {
			if i > 0 {
				sign = " "
			}
			v.line(v.style(color, sign)+" "+part, 2+utf8.RuneCountInString(part))
		}
	}
	v.rule("╰", "╯")
	for _, n := range c.Notes {
		for _, part := range wrap(Clean(n), v.inner+2) {
			fmt.Fprintf(v.w, " %s\n", part)
		}
	}
}

func (v *view) style(code, text string) string {
	if v.colors == NoColors || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Clean makes text from outside safe to print: control, format and direction characters go, white space becomes single blanks.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s))) }

// cut splits s after n characters.
func cut(s string, n int) (string, string) {
	r := []rune(s)
	n = min(n, len(r))
	return string(r[:n]), string(r[n:])
}

// shorten cuts s in its middle to n characters.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n || n < 3 {
		return s
	}
	half := (n - 1) / 2
	return string(r[:half]) + "…" + string(r[len(r)-(n-1-half):])
}

// wrap breaks s at blanks into lines of at most n characters; a longer word is cut.
func wrap(s string, n int) []string {
	var lines []string
	current := ""
	for _, word := range strings.Fields(s) {
		for utf8.RuneCountInString(word) > n {
			var head string
			head, word = cut(word, n)
			if current != "" {
				lines = append(lines, current)
				current = ""
			}
			lines = append(lines, head)
		}
		switch {
		case current == "":
			current = word
		case utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) <= n:
			current += " " + word
		default:
			lines = append(lines, current)
			current = word
		}
	}
	return append(lines, current)
}
