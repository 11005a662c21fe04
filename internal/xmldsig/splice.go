package xmldsig

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Edit is a change of a document's source, made by Append, Before and AddAttribute and carried out by Splice.
type Edit struct {
	start, end int // in Document.text, cut out
	text       string
}

// Append puts text behind what element n holds. An empty-element tag is opened: its slash goes, an end tag comes.
func (d *Document) Append(n *Node, text string) Edit {
	source := d.Source(n)
	if at := strings.LastIndexByte(source, '<'); at > 0 && strings.HasPrefix(source[at:], "</") {
		return Edit{int(n.start) + at, int(n.start) + at, text}
	}
	return Edit{int(n.end) - len("/>"), int(n.end), ">" + text + "</" + n.name.String() + ">"}
}

// Before puts text right before element n.
func (d *Document) Before(n *Node, text string) Edit { return Edit{int(n.start), int(n.start), text} }

// AddAttribute puts an attribute behind the name of element n. value is as it stands between quotation marks.
func (d *Document) AddAttribute(n *Node, name, value string) Edit {
	at := int(n.start) + len("<") + len(n.name.String())
	return Edit{at, at, " " + name + `="` + value + `"`}
}

// Splice returns raw, the bytes that d was parsed from, with the edits made; every other byte stays. The text of edits is brought into
// the document's encoding; the error is ErrInvalid if that lacks a character, and for edits that overlap.
func (d *Document) Splice(raw []byte, edits ...Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.start, b.start) })
	more := 0
	for _, e := range edits {
		more += len(e.text)
	}
	if strings.HasPrefix(d.Encoding, "utf-16") {
		more *= 2
	}
	out := make([]byte, 0, len(raw)+more)
	at, rawAt := 0, d.layout.skip // in the text and in raw
	out = append(out, raw[:rawAt]...)
	for _, e := range edits {
		if e.start < at {
			return nil, fmt.Errorf("changes of one place: %w", ErrInvalid)
		}
		next := rawAt + d.layout.width(d.text[at:e.start])
		out = append(out, raw[rawAt:next]...)
		var err error
		if out, err = d.encode(out, e.text); err != nil {
			return nil, err
		}
		at, rawAt = e.end, next+d.layout.width(d.text[e.start:e.end])
	}
	return append(out, raw[rawAt:]...), nil
}

// encode appends text in the document's encoding.
func (d *Document) encode(out []byte, text string) ([]byte, error) {
	switch d.Encoding {
	case "utf-8":
		return append(out, text...), nil
	case "utf-16le":
		return appendUTF16(out, text, binary.LittleEndian), nil
	case "utf-16be":
		return appendUTF16(out, text, binary.BigEndian), nil
	}
	table := tableOf(d.Encoding) // nil: US-ASCII; all of them have ASCII in them
	for _, r := range text {
		c, ok := byte(r), r < utf8.RuneSelf
		if !ok && table != nil {
			c, ok = table.EncodeRune(r)
		}
		if !ok {
			return nil, fmt.Errorf("%q is to be put into %s, which does not have it: %w", r, d.Encoding, ErrInvalid)
		}
		out = append(out, c)
	}
	return out, nil
}

func appendUTF16(out []byte, text string, order binary.AppendByteOrder) []byte {
	var units [2]uint16
	for _, r := range text {
		for _, u := range utf16.AppendRune(units[:0], r) {
			out = order.AppendUint16(out, u)
		}
	}
	return out
}

// layout tells where text stands in the original: skip bytes come before it, and a piece of it takes width bytes.
type layout struct {
	skip  int
	width func(text string) int
}

// The widths of text in the encodings.
func widthUTF8(text string) int  { return len(text) }
func widthTable(text string) int { return utf8.RuneCountInString(text) }
func widthUTF16(text string) int {
	units := 0
	for _, r := range text {
		units++
		if r >= 0x10000 {
			units++
		}
	}
	return 2 * units
}

// raw is the place in the original of one in the text.
func (l layout) raw(text string, pos int) int64 { return int64(l.skip + l.width(text[:pos])) }
