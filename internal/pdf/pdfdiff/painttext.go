package pdfdiff

import (
	"bytes"

	"github.com/eidkit/eidkit/internal/pdf"
)

// textOperator handles text objects; false for other operators.
// ISO 32000-2, section 9.4.
func (p *painter) textOperator(op string, args []pdf.Object) bool {
	one, hasOne := numbers(args, 1)
	switch op {
	case "BT":
		p.tm, p.tlm = matrix{1, 0, 0, 1, 0, 0}, matrix{1, 0, 0, 1, 0, 0}
	case "ET":
	case "Tf":
		if len(args) > 1 {
			name, _ := args[0].(pdf.Name)
			p.g.font = p.v.Dict(p.v.Dict(p.resources["Font"])[name])
			p.g.size, _ = pdf.Number(args[1])
		}
	case "Tc":
		p.g.char = one[0]
	case "Tw":
		p.g.word = one[0]
	case "TL":
		p.g.lead = one[0]
	case "Ts":
		p.g.rise = one[0]
	case "Tz":
		if hasOne {
			p.g.scale = one[0] / 100
		}
	case "Tr":
		p.g.mode = int64(one[0])
	case "Td", "TD":
		if n, ok := numbers(args, 2); ok {
			if op == "TD" {
				p.g.lead = -n[1]
			}
			p.newLine(n[0], n[1])
		}
	case "Tm":
		if n, ok := numbers(args, 6); ok {
			p.tm, p.tlm = matrix(n), matrix(n)
		}
	case "T*":
		p.newLine(0, -p.g.lead)
	case "Tj", "'", "\"":
		if op != "Tj" {
			p.newLine(0, -p.g.lead)
		}
		if len(args) > 0 {
			p.show(pdf.Array{args[len(args)-1]})
		}
	case "TJ":
		if len(args) > 0 {
			a, _ := args[0].(pdf.Array)
			p.show(a)
		}
	default:
		return false
	}
	return true
}

func (p *painter) newLine(x, y float64) {
	p.tlm = matrix{1, 0, 0, 1, x, y}.mul(p.tlm)
	p.tm = p.tlm
}

// show notes the box of a string, or of the strings of TJ together.
func (p *painter) show(parts pdf.Array) {
	width := 0.0
	var text []byte
	for _, part := range parts {
		if s, ok := part.(pdf.String); ok {
			width += p.width(s.Value)
			text = append(text, s.Value...)
		} else if n, ok := pdf.Number(part); ok {
			width -= n / 1000 * p.g.size * p.g.scale
		}
	}
	p.shown = append(p.shown, text...)
	p.shown = append(p.shown, '\n')
	m := p.tm.mul(p.g.ctm)
	// Invisible text is the text layer of a scan; blanks and lines of dots
	// are where somebody is to sign.
	if p.g.mode != 3 && p.g.mode != 7 && !filler(text) && len(p.texts) < maxBoxes {
		p.texts = append(p.texts, m.box(0, p.g.rise-0.2*p.g.size, width, p.g.rise+0.8*p.g.size))
	}
	p.tm = matrix{1, 0, 0, 1, width, 0}.mul(p.tm)
}

// filler tells that a text is one character repeated, or blanks, dots, rules.
func filler(text []byte) bool {
	if len(bytes.Trim(text, " \t\r\n\x00._-")) == 0 {
		return true
	}
	if len(text) < 8 {
		return false
	}
	for i := 2; i < len(text); i++ {
		if text[i] != text[i-2] {
			return false
		}
	}
	return true
}

// width is the advance of a string: by the font's widths where they are at
// hand, else half an em a character.
func (p *painter) width(s string) float64 {
	em := 0.0
	n := len(s)
	first := int(pdf.Int(p.v.Resolve(p.g.font["FirstChar"]), 0))
	widths := p.v.Array(p.g.font["Widths"])
	switch {
	case p.v.Name(p.g.font["Subtype"]) == "Type0":
		n = (len(s) + 1) / 2
		em = float64(n) * 0.55
	case len(widths) > 0:
		for i := range len(s) {
			w := 0.5
			if c := int(s[i]) - first; c >= 0 && c < len(widths) {
				if f, ok := pdf.Number(p.v.Resolve(widths[c])); ok {
					w = f / 1000
				}
			}
			em += w
		}
	default:
		em = float64(n) * 0.5
	}
	return (em*p.g.size + float64(n)*p.g.char) * p.g.scale
}
