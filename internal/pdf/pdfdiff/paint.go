package pdfdiff

import (
	"bytes"
	"math"

	"github.com/eidkit/eidkit/internal/pdf"
)

// Limits of one page's interpretation.
const (
	maxOperators = 1 << 21
	maxBoxes     = 1 << 15
	maxForms     = 12 // nested form XObjects
)

// painting is where and with what a content stream paints.
type painting struct {
	texts  [][4]float64 // shown text, one box for each operator
	images [][4]float64
	areas  [][4]float64 // filled paths of moderate size
	image  bool
	fill   bool // without multiply blending
	// multiply: fills are blended so that what is below shows through.
	multiply bool
	thick    bool   // strokes wide enough to hide text
	shown    []byte // the bytes of all strings, in order
	page     float64
}

// content are the boxes that must not be covered.
func (p *painting) content() [][4]float64 {
	all := append(append([][4]float64{}, p.texts...), p.areas...)
	return append(all, p.images...)
}

type matrix [6]float64

func (m matrix) mul(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// box is the rectangle around what x0,y0,x1,y1 becomes under m.
func (m matrix) box(x0, y0, x1, y1 float64) [4]float64 {
	r := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range [4][2]float64{{x0, y0}, {x1, y0}, {x0, y1}, {x1, y1}} {
		x, y := p[0]*m[0]+p[1]*m[2]+m[4], p[0]*m[1]+p[1]*m[3]+m[5]
		r[0], r[1], r[2], r[3] = min(r[0], x), min(r[1], y), max(r[2], x), max(r[3], y)
	}
	return r
}

// graphics is the part of the graphics state that matters here.
type graphics struct {
	ctm              matrix
	font             pdf.Dict
	size, scale      float64 // Tf, Tz
	char, word, lead float64
	rise             float64
	mode             int64 // text rendering
	line             float64
	white, multiply  bool
}

type painter struct {
	painting
	v         *pdf.View
	g         graphics
	stack     []graphics
	tm, tlm   matrix
	path      [4]float64
	hasPath   bool
	ops       int
	depth     int
	resources pdf.Dict
}

func newPainter(v *pdf.View) *painter {
	return &painter{v: v, g: graphics{ctm: matrix{1, 0, 0, 1, 0, 0}, scale: 1, line: 1}, tm: matrix{1, 0, 0, 1, 0, 0}, tlm: matrix{1, 0, 0, 1, 0, 0}}
}

// paintPage interprets the contents of a page.
func paintPage(v *pdf.View, page pdf.Page) *painting {
	p := newPainter(v)
	if r, ok := v.Rect(page.MediaBox); ok {
		p.page = area(r)
	}
	p.resources = v.Dict(page.Resources)
	contents := v.Array(page.Dict["Contents"])
	if contents == nil {
		contents = pdf.Array{page.Dict["Contents"]}
	}
	var all bytes.Buffer
	for _, o := range contents {
		if stream := v.Stream(o); stream != nil && all.Len() < 1<<26 {
			if data, err := v.File().Decode(v, stream); err == nil {
				all.Write(data)
				all.WriteByte('\n')
			}
		}
	}
	p.interpret(all.Bytes())
	return &p.painting
}

// paintOf interprets an appearance stream in its own coordinates.
func paintOf(v *pdf.View, stream *pdf.Stream) *painting {
	p := newPainter(v)
	p.resources = v.Dict(stream.Dict["Resources"])
	if data, err := v.File().Decode(v, stream); err == nil {
		p.interpret(data)
	} else {
		p.image = true // unreadable: whatever it paints, it may hide something
	}
	return &p.painting
}

func (p *painter) interpret(data []byte) {
	pdf.Operators(data, func(op string, args []pdf.Object) bool {
		if p.ops++; p.ops > maxOperators {
			return false
		}
		p.operator(op, args)
		return true
	})
}

// numbers are the first n operands; false if there are fewer or others.
func numbers(args []pdf.Object, n int) (out [6]float64, ok bool) {
	if len(args) < n {
		return out, false
	}
	for i := range n {
		if out[i], ok = pdf.Number(args[i]); !ok {
			return out, false
		}
	}
	return out, true
}

func (p *painter) operator(op string, args []pdf.Object) {
	if p.textOperator(op, args) || p.pathOperator(op, args) {
		return
	}
	switch op {
	case "q":
		if len(p.stack) < 256 {
			p.stack = append(p.stack, p.g)
		}
	case "Q":
		if n := len(p.stack); n > 0 {
			p.g, p.stack = p.stack[n-1], p.stack[:n-1]
		}
	case "cm":
		if n, ok := numbers(args, 6); ok {
			p.g.ctm = matrix(n).mul(p.g.ctm)
		}
	case "gs":
		p.extGState(args)
	case "w":
		if n, ok := numbers(args, 1); ok {
			p.g.line = n[0]
		}
	case "g":
		n, ok := numbers(args, 1)
		p.g.white = ok && n[0] >= 0.99
	case "rg":
		n, ok := numbers(args, 3)
		p.g.white = ok && min(n[0], n[1], n[2]) >= 0.99
	case "k":
		n, ok := numbers(args, 4)
		p.g.white = ok && max(n[0], n[1], n[2], n[3]) <= 0.01
	case "sc", "scn", "cs":
		p.g.white = false
	case "Do":
		p.xObject(args)
	case "BI":
		p.addImage()
	case "sh":
		p.image = true
	}
}

func (p *painter) extGState(args []pdf.Object) {
	if len(args) == 0 {
		return
	}
	name, _ := args[0].(pdf.Name)
	gs := p.v.Dict(p.v.Dict(p.resources["ExtGState"])[name])
	if mode := p.v.Name(gs["BM"]); mode != "" {
		p.g.multiply = mode == "Multiply" || mode == "Darken"
	}
	if w, ok := pdf.Number(p.v.Resolve(gs["LW"])); ok {
		p.g.line = w
	}
}

func (p *painter) addImage() {
	p.image = true
	if len(p.images) < maxBoxes {
		p.images = append(p.images, p.g.ctm.box(0, 0, 1, 1))
	}
}

func (p *painter) xObject(args []pdf.Object) {
	if len(args) == 0 {
		return
	}
	name, _ := args[0].(pdf.Name)
	stream := p.v.Stream(p.v.Dict(p.resources["XObject"])[name])
	if stream == nil {
		return
	}
	if p.v.Name(stream.Dict["Subtype"]) == "Image" {
		p.addImage()
		return
	}
	if p.depth >= maxForms {
		return
	}
	data, err := p.v.File().Decode(p.v, stream)
	if err != nil {
		p.image = true
		return
	}
	saved, stack, resources := p.g, p.stack, p.resources
	if m := p.v.Array(stream.Dict["Matrix"]); len(m) == 6 {
		resolved := make([]pdf.Object, 6)
		for i := range m {
			resolved[i] = p.v.Resolve(m[i])
		}
		if n, ok := numbers(resolved, 6); ok {
			p.g.ctm = matrix(n).mul(p.g.ctm)
		}
	}
	if own := p.v.Dict(stream.Dict["Resources"]); own != nil {
		p.resources = own
	}
	p.stack = nil
	p.depth++
	p.interpret(data)
	p.depth--
	p.g, p.stack, p.resources = saved, stack, resources
}

func (p *painter) pathOperator(op string, args []pdf.Object) bool {
	switch op {
	case "m", "l":
		if n, ok := numbers(args, 2); ok {
			p.point(n[0], n[1])
		}
	case "c", "v", "y":
		for i := 0; i+1 < len(args); i += 2 {
			if n, ok := numbers(args[i:], 2); ok {
				p.point(n[0], n[1])
			}
		}
	case "re":
		if n, ok := numbers(args, 4); ok {
			p.point(n[0], n[1])
			p.point(n[0]+n[2], n[1]+n[3])
		}
	case "f", "F", "f*":
		p.endPath(true, false)
	case "B", "B*", "b", "b*":
		p.endPath(true, true)
	case "S", "s":
		p.endPath(false, true)
	case "n":
		p.hasPath = false
	default:
		return false
	}
	return true
}

func (p *painter) point(x, y float64) {
	b := p.g.ctm.box(x, y, x, y)
	if !p.hasPath {
		p.path, p.hasPath = b, true
		return
	}
	p.path = [4]float64{min(p.path[0], b[0]), min(p.path[1], b[1]), max(p.path[2], b[2]), max(p.path[3], b[3])}
}

func (p *painter) endPath(fill, stroke bool) {
	if !p.hasPath {
		return
	}
	p.hasPath = false
	size := area(p.path)
	if fill {
		if p.g.multiply {
			p.multiply = true
		} else {
			p.fill = true
		}
		// Backgrounds, white boxes and rules are no content of their own.
		if !p.g.white && size > 16 && (p.page == 0 || size < 0.3*p.page) && len(p.areas) < maxBoxes {
			p.areas = append(p.areas, p.path)
		}
	}
	if stroke && p.g.line*math.Hypot(p.g.ctm[0], p.g.ctm[1]) > 4 && !p.g.multiply {
		p.thick = true
	}
}
