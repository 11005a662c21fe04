package testcards

import "math/rand/v2"

// photoBytes is the size a photo does not exceed; those of issued cards have 2,600 to 3,200 bytes (sheet 2.1).
const photoBytes = 3150

// face is what one drawn person differs in from the next. Lengths are in widths of the photo.
type face struct {
	skin, hair, cloth, shirt float64 // grey values
	wide, tall               float64 // half axes of the head
	eyes                     float64 // half the distance between them
	smile                    float64
	long, parted, bald       bool
	beard, glasses           bool
}

func newFace(r *rand.Rand, p person) face {
	between := func(low, high float64) float64 { return low + (high-low)*r.Float64() }
	f := face{
		skin: between(0.62, 0.82), hair: between(0.08, 0.5), cloth: between(0.12, 0.42), shirt: between(0.7, 0.95),
		wide: between(0.185, 0.215), tall: between(0.265, 0.29), eyes: between(0.078, 0.09), smile: between(0, 0.022),
		parted: r.IntN(2) == 0, glasses: r.IntN(4) == 0,
	}
	f.long = p.female && r.IntN(3) > 0
	grown := p.year > 0 && p.year < 2005
	f.beard = !p.female && grown && r.IntN(3) == 0
	f.bald = !p.female && grown && p.year < 1980 && r.IntN(4) == 0
	if p.year > 0 && p.year < 1958 {
		f.hair = between(0.6, 0.8)
	}
	if !grown {
		f.tall -= 0.02
		f.wide += 0.01
	}
	return f
}

// portrait draws the holder of a card as a grey JPEG of the given width and height. The same numbers draw the same face.
func portrait(r *rand.Rand, p person, size [2]int) []byte {
	c := newCanvas(size[0], size[1])
	f := newFace(r, p)
	c.gradient(0.93, 0.8)
	c.zoom = 1.2
	middle := point{0.5, c.height * 0.47}
	f.body(c, middle)
	f.head(c, middle)
	f.features(c, middle)
	f.hairdo(c, middle)
	return c.jpegNear(photoBytes)
}

// body draws what is below and behind the head.
func (f face) body(c *canvas, m point) {
	if f.long {
		back := union(ellipse(m.x, m.y-0.02, f.wide+0.065, f.tall+0.05),
			within(ellipse(m.x, m.y+0.22, f.wide+0.075, 0.30), below(m.y)))
		c.fill(back, f.hair*0.85, 1, 0.012)
	}
	shoulders := union(ellipse(m.x, c.height+0.06, 0.47, 0.37), ellipse(m.x, c.height+0.02, 0.3, 0.36))
	c.fill(shoulders, f.cloth, 1, 0.01)
	c.shade(shoulders, ellipse(m.x+0.42, c.height, 0.22, 0.3), f.cloth*0.6, 0.7, 0.14)
	neck := line(point{m.x, m.y + 0.1}, point{m.x, m.y + f.tall + 0.08}, 0.2)
	collar := ellipse(m.x, m.y+f.tall+0.1, 0.145, 0.13)
	c.fill(within(collar, shoulders), f.shirt, 1, 0.008)
	c.fill(union(neck, ellipse(m.x, m.y+f.tall+0.09, 0.105, 0.1)), f.skin*0.88, 1, 0.008)
	c.shade(neck, ellipse(m.x+0.03, m.y+f.tall, f.wide*0.8, 0.075), f.skin*0.6, 0.75, 0.06) // shadow of the chin
}

// head draws the bare head, lit from the left.
func (f face) head(c *canvas, m point) {
	for _, side := range []float64{-1, 1} {
		ear := ellipse(m.x+side*(f.wide+0.004), m.y+0.03, 0.03, 0.06)
		c.fill(ear, f.skin*0.86, 1, 0.008)
		c.fill(ellipse(m.x+side*(f.wide+0.008), m.y+0.03, 0.012, 0.035), f.skin*0.66, 0.8, 0.02)
	}
	skull := union(ellipse(m.x, m.y-0.03, f.wide, f.tall*0.88), ellipse(m.x, m.y+0.05, f.wide*0.9, f.tall*0.86))
	c.fill(skull, f.skin, 1, 0.008)
	c.shade(skull, ellipse(m.x+f.wide, m.y+0.06, f.wide*0.55, f.tall), f.skin*0.74, 0.8, 0.16)
	c.shade(skull, ellipse(m.x-0.05, m.y-0.13, 0.1, 0.06), f.skin*1.12, 0.7, 0.1)
	for _, side := range []float64{-1, 1} {
		c.fill(ellipse(m.x+side*0.115, m.y+0.105, 0.05, 0.035), f.skin*0.9, 0.7, 0.06)
	}
}

// features draws brows, eyes, nose, mouth, beard and glasses.
func (f face) features(c *canvas, m point) {
	y := m.y - 0.005
	if f.beard {
		jaw := within(ellipse(m.x, m.y+0.052, f.wide*0.93, f.tall*0.88), below(m.y+0.06))
		c.shade(jaw, outside(ellipse(m.x, m.y+0.01, f.wide*0.78, 0.12)), f.hair, 0.8, 0.03)
		c.fill(ellipse(m.x, m.y+0.18, 0.06, 0.03), f.skin*0.8, 0.9, 0.012)
	}
	for _, side := range []float64{-1, 1} {
		x := m.x + side*f.eyes
		c.fill(ellipse(x, y-0.008, 0.052, 0.034), f.skin*0.78, 0.7, 0.04) // socket
		c.fill(ellipse(x, y, 0.034, 0.0165), 0.95, 1, 0.006)
		c.fill(within(ellipse(x, y-0.001, 0.0165, 0.0175), ellipse(x, y, 0.034, 0.017)), 0.25, 1, 0.006)
		c.fill(ellipse(x-0.005, y-0.006, 0.0045, 0.0045), 1, 0.9, 0.005)
		c.fill(stroke(point{x - 0.037, y + 0.004}, point{x, y - 0.036}, point{x + 0.037, y + 0.004}, 0.009), 0.16, 0.9, 0.006)
		brow := stroke(point{x - side*0.045, y - 0.05}, point{x, y - 0.078}, point{x + side*0.05, y - 0.045}, 0.017)
		c.fill(brow, min(f.hair, 0.4), 0.85, 0.012)
	}
	c.fill(stroke(point{m.x + 0.012, y}, point{m.x + 0.024, y + 0.06}, point{m.x + 0.036, y + 0.1}, 0.012), f.skin*0.72, 0.55, 0.022)
	c.fill(stroke(point{m.x - 0.034, y + 0.108}, point{m.x, y + 0.13}, point{m.x + 0.036, y + 0.106}, 0.01), f.skin*0.5, 0.7, 0.014)
	mouth := m.y + 0.168
	c.fill(ellipse(m.x, mouth+0.016, 0.05, 0.02), f.skin*0.7, 0.75, 0.016)
	c.fill(stroke(point{m.x - 0.068, mouth - f.smile}, point{m.x, mouth + 0.012 + f.smile}, point{m.x + 0.068, mouth - f.smile}, 0.01), 0.24, 0.85, 0.008)
	c.fill(stroke(point{m.x - 0.03, mouth + 0.052}, point{m.x, mouth + 0.06}, point{m.x + 0.03, mouth + 0.052}, 0.01), f.skin*0.76, 0.5, 0.02)
	if f.glasses {
		for _, side := range []float64{-1, 1} {
			c.fill(ring(ellipse(m.x+side*f.eyes, y+0.004, 0.06, 0.046), 0.009), 0.15, 0.95, 0.006)
			c.fill(line(point{m.x + side*(f.eyes+0.06), y - 0.004}, point{m.x + side*f.wide, y - 0.012}, 0.009), 0.15, 0.95, 0.006)
		}
		c.fill(stroke(point{m.x - f.eyes + 0.058, y}, point{m.x, y - 0.018}, point{m.x + f.eyes - 0.058, y}, 0.009), 0.15, 0.95, 0.006)
	}
}

// hairdo draws the hair that is in front.
func (f face) hairdo(c *canvas, m point) {
	cap := ellipse(m.x, m.y-0.045, f.wide+0.035, f.tall*0.96)
	forehead := ellipse(m.x, m.y+0.09, f.wide*0.97, f.tall*0.98)
	if f.parted {
		forehead = union(ellipse(m.x+0.045, m.y+0.08, f.wide*0.86, f.tall*0.98), ellipse(m.x-0.06, m.y+0.12, f.wide*0.72, f.tall*0.92))
	}
	top, end := everywhere, m.y
	switch {
	case f.long:
		end = m.y + 0.2
	case f.bald:
		top, end = below(m.y-0.11), m.y+0.03
	}
	front := within(cap, outside(forehead), above(end), top)
	c.fill(front, f.hair, 1, 0.016)
	if !f.bald {
		c.shade(front, ellipse(m.x-0.08, m.y-f.tall*0.72, 0.11, 0.05), f.hair+0.2, 0.6, 0.09)
	}
}
