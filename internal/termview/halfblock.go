package termview

import (
	"fmt"
	"image"
	"image/color"
	"strings"
)

// HalfBlocks draws img in grey, columns wide, one string a line: each character is an upper half block with the upper pixel as
// its colour and the lower one as its background. It returns nil without colours.
func HalfBlocks(img image.Image, columns int, colors Colors) []string {
	b := img.Bounds()
	if colors == NoColors || columns < 1 || b.Dx() < 1 || b.Dy() < 1 {
		return nil
	}
	rows := max(1, columns*b.Dy()/b.Dx()/2)
	var lines []string
	for y := range rows {
		var line strings.Builder
		for x := range columns {
			upper := average(img, x, 2*y, columns, 2*rows)
			lower := average(img, x, 2*y+1, columns, 2*rows)
			line.WriteString(cell(upper, lower, colors))
		}
		line.WriteString("\x1b[0m")
		lines = append(lines, line.String())
	}
	return lines
}

func cell(upper, lower uint8, colors Colors) string {
	if colors == TrueColors {
		return fmt.Sprintf("\x1b[38;2;%d;%d;%d;48;2;%d;%d;%dm▀", upper, upper, upper, lower, lower, lower)
	}
	return fmt.Sprintf("\x1b[38;5;%d;48;5;%dm▀", ramp(upper), ramp(lower))
}

// ramp is the nearest of the 24 greys of the 256-colour palette (232 to 255).
func ramp(grey uint8) int { return 232 + int(grey)*23/255 }

// average is the mean grey of the part of img that falls on cell x, y of a grid.
func average(img image.Image, x, y, columns, rows int) uint8 {
	b := img.Bounds()
	x0, x1 := b.Min.X+x*b.Dx()/columns, b.Min.X+(x+1)*b.Dx()/columns
	y0, y1 := b.Min.Y+y*b.Dy()/rows, b.Min.Y+(y+1)*b.Dy()/rows
	sum, n := 0, 0
	for py := y0; py < max(y1, y0+1); py++ {
		for px := x0; px < max(x1, x0+1); px++ {
			sum += int(color.GrayModel.Convert(img.At(px, py)).(color.Gray).Y)
			n++
		}
	}
	return uint8(sum / n)
}
