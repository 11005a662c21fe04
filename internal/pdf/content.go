package pdf

// maxOperands is what an operator may have before it; more are dropped. Real
// ones have at most 33 (a DeviceN colour).
const maxOperands = 64

// Operators cuts a content stream into operators with their operands and calls
// visit for each until that returns false. What does not parse is skipped.
// Inline images come as the operator "BI". ISO 32000-1, section 7.8.2.
func Operators(data []byte, visit func(op string, args []Object) bool) {
	p := &parser{lexer: *bytesLexer(data, 0)}
	var args []Object
	for {
		t, err := p.next()
		if err != nil {
			if p.pos <= t.at {
				p.pos = t.at + 1
			}
			continue
		}
		switch {
		case t.kind == tokEOF:
			return
		case t.kind == tokKeyword && t.text == "BI":
			p.skipInlineImage()
			if !visit("BI", nil) {
				return
			}
			args = args[:0]
		case t.kind == tokKeyword && t.text != "true" && t.text != "false" && t.text != "null":
			if !visit(t.text, args) {
				return
			}
			args = args[:0]
		case t.kind == tokPunct && t.text != "[" && t.text != "<<":
			// a stray delimiter
		case t.kind == tokInt: // there are no references in content
			args = append(args, t.i)
		default:
			p.nodes = 0
			if v, err := p.valueFrom(t, maxDepth-8); err == nil {
				args = append(args, v)
			}
		}
		if len(args) > maxOperands {
			args = args[:maxOperands]
		}
	}
}

// skipInlineImage goes behind the EI that stands alone.
func (p *parser) skipInlineImage() {
	for {
		t, err := p.next()
		if err == nil && (t.kind == tokEOF || t.is("ID")) {
			break
		}
		if err != nil && p.pos <= t.at {
			p.pos = t.at + 1
		}
	}
	for ; ; p.pos++ {
		c, ok := p.peek(0)
		if !ok {
			return
		}
		if c != 'E' {
			continue
		}
		before, _ := p.peek(-1)
		i, _ := p.peek(1)
		after, more := p.peek(2)
		if i == 'I' && isSpace(before) && (!more || isSpace(after)) {
			p.pos += 2
			return
		}
	}
}
