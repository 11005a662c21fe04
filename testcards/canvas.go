package testcards

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// canvas is a grey drawing in units of its width: x runs from 0 to 1, y from 0 to height. Values are 0 (black) to 1 (white).
type canvas struct {
	width, rows int
	height      float64
	zoom        float64 // about the middle of the lower edge
	pixels      []float64
}

func newCanvas(width, rows int) *canvas {
	return &canvas{width, rows, float64(rows) / float64(width), 1, make([]float64, width*rows)}
}

// point is a place on the canvas.
type point struct{ x, y float64 }

// shape is the distance of a point from an edge: negative inside.
type shape func(p point) float64

// fill paints a shape. soft is the width of the blur at its edge, 0 for a sharp one; opacity goes from 0 to 1.
func (c *canvas) fill(s shape, value, opacity, soft float64) {
	c.shade(everywhere, s, value, opacity, soft)
}

// block is the side of the squares that shade looks at first: no shape here comes nearer than a point moves.
const block = 8

// shade is fill inside clip only, whose edge stays sharp.
func (c *canvas) shade(clip, s shape, value, opacity, soft float64) {
	sharp := 1 / (float64(c.width) * c.zoom)
	edge := math.Max(soft, sharp)
	reach := block * math.Sqrt2 / 2 * sharp
	for top := 0; top < c.rows; top += block {
		for left := 0; left < c.width; left += block {
			middle := c.at(float64(left)+block/2, float64(top)+block/2)
			if s(middle) > reach+edge/2 || clip(middle) > reach+sharp/2 {
				continue
			}
			for i := range block * block {
				col, row := left+i%block, top+i/block
				if col >= c.width || row >= c.rows {
					continue
				}
				p := c.at(float64(col)+0.5, float64(row)+0.5)
				pixel := &c.pixels[row*c.width+col]
				*pixel += (value - *pixel) * covered(clip(p), sharp) * covered(s(p), edge) * opacity
			}
		}
	}
}

// at is the place that a spot of the picture, counted in pixels, shows.
func (c *canvas) at(col, row float64) point {
	x, y := col/float64(c.width), row/float64(c.width)
	return point{0.5 + (x-0.5)/c.zoom, c.height + (y-c.height)/c.zoom}
}

// covered says how much of a point at distance d from an edge of this width is inside.
func covered(d, edge float64) float64 { return math.Min(1, math.Max(0, 0.5-d/edge)) }

func everywhere(point) float64 { return math.Inf(-1) }

// gradient paints everything, from one value at the left top to another at the right bottom.
func (c *canvas) gradient(from, to float64) {
	for row := range c.rows {
		for col := range c.width {
			t := (float64(col)/float64(c.width) + float64(row)/float64(c.rows)) / 2
			c.pixels[row*c.width+col] = from + (to-from)*t
		}
	}
}

func ellipse(x, y, rx, ry float64) shape {
	small := math.Min(rx, ry)
	return func(p point) float64 { return (math.Hypot((p.x-x)/rx, (p.y-y)/ry) - 1) * small }
}

// stroke is a line of the given thickness along a quadratic curve.
func stroke(from, by, to point, thickness float64) shape {
	const pieces = 8
	var at [pieces + 1]point
	for i := range at {
		t := float64(i) / pieces
		a, b, c := (1-t)*(1-t), 2*t*(1-t), t*t
		at[i] = point{a*from.x + b*by.x + c*to.x, a*from.y + b*by.y + c*to.y}
	}
	return func(p point) float64 {
		nearest := math.Inf(1)
		for i := range pieces {
			nearest = math.Min(nearest, segment(p, at[i], at[i+1]))
		}
		return nearest - thickness/2
	}
}

// segment is the distance of p from the line between a and b.
func segment(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	t := 0.0
	if length := dx*dx + dy*dy; length > 0 {
		t = math.Min(1, math.Max(0, ((p.x-a.x)*dx+(p.y-a.y)*dy)/length))
	}
	return math.Hypot(p.x-a.x-t*dx, p.y-a.y-t*dy)
}

func line(from, to point, thickness float64) shape {
	return func(p point) float64 { return segment(p, from, to) - thickness/2 }
}

func union(shapes ...shape) shape {
	return func(p point) float64 {
		d := math.Inf(1)
		for _, s := range shapes {
			d = math.Min(d, s(p))
		}
		return d
	}
}

func within(shapes ...shape) shape {
	return func(p point) float64 {
		d := math.Inf(-1)
		for _, s := range shapes {
			d = math.Max(d, s(p))
		}
		return d
	}
}

func outside(s shape) shape { return func(p point) float64 { return -s(p) } }

// above and below are the halves of the canvas at y.
func above(y float64) shape { return func(p point) float64 { return p.y - y } }
func below(y float64) shape { return func(p point) float64 { return y - p.y } }

// ring is the outline of a shape.
func ring(s shape, thickness float64) shape {
	return func(p point) float64 { return math.Abs(s(p)) - thickness/2 }
}

// jpegNear encodes the drawing with the best quality that keeps it within size bytes.
func (c *canvas) jpegNear(size int) []byte {
	img := image.NewGray(image.Rect(0, 0, c.width, c.rows))
	for i, v := range c.pixels {
		img.Set(i%c.width, i/c.width, color.Gray{uint8(math.Round(255 * math.Min(1, math.Max(0, v))))})
	}
	var best []byte
	for low, high := 1, 100; low <= high; {
		quality := (low + high) / 2
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			panic("testcards: encoding a photo: " + err.Error()) // a buffer does not fail
		}
		if b.Len() <= size {
			best, low = b.Bytes(), quality+1
		} else {
			high = quality - 1
		}
	}
	return best
}
