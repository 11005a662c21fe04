package ber

import (
	"bytes"
	"fmt"
	"math"
)

// Element is one element in memory. Its slices are views of what was parsed.
type Element struct {
	Header
	Offset int64  // of its first byte, in the file or slice it came from
	Raw    []byte // all of it: tag, length, contents, end-of-contents mark
	Body   []byte // the contents alone
}

// Parse reads the one element that b consists of. Bytes behind it are an
// error that wraps ErrMalformed.
func Parse(b []byte) (Element, error) {
	e, err := ParsePrefix(b)
	if err == nil && len(e.Raw) != len(b) {
		return Element{}, fmt.Errorf("%w: %d bytes behind %s", ErrMalformed, len(b)-len(e.Raw), e.Header)
	}
	return e, err
}

// ParsePrefix reads the element that b begins with; what is behind it is
// b[len(e.Raw):]. Only the ends of nested elements of indefinite length are
// looked for: what is inside is checked as it is read.
func ParsePrefix(b []byte) (Element, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Element{}, err
	}
	if h.Length == Indefinite {
		body, err := indefiniteBody(b[h.Size:])
		if err != nil {
			return Element{}, err
		}
		end := h.Size + body
		return Element{Header: h, Raw: b[: end+2 : end+2], Body: b[h.Size:end:end]}, nil
	}
	if h.Length > int64(len(b)-h.Size) {
		return Element{}, fmt.Errorf("%w: %s of %d bytes, %d are left", ErrMalformed, h, h.Length, len(b)-h.Size)
	}
	end := h.Size + int(h.Length)
	return Element{Header: h, Raw: b[:end:end], Body: b[h.Size:end:end]}, nil
}

// indefiniteBody returns how many bytes stand before the end-of-contents mark that belongs to the element whose contents b begins with.
func indefiniteBody(b []byte) (int, error) {
	open := 1
	for at := 0; ; {
		h, err := ParseHeader(b[at:])
		if err != nil {
			return 0, err
		}
		switch {
		case h.endOfContents():
			if open--; open == 0 {
				return at, nil
			}
			at += h.Size
		case h.Length == Indefinite:
			if open++; open > maxDepth {
				return 0, fmt.Errorf("%w: %d indefinite lengths inside one another", ErrTooLarge, open)
			}
			at += h.Size
		case h.Length > int64(len(b)-at-h.Size):
			return 0, fmt.Errorf("%w: %s of %d bytes, %d are left", ErrMalformed, h, h.Length, len(b)-at-h.Size)
		default:
			at += h.Size + int(h.Length)
		}
	}
}

// Reader gives the elements inside a constructed one, one by one.
type Reader struct {
	rest   []byte
	offset int64
}

// Reader reads what is inside e. Of a primitive element it reads the
// contents as if they were elements, as for an OCTET STRING around one.
func (e Element) Reader() *Reader {
	return &Reader{rest: e.Body, offset: e.Offset + int64(e.Size)}
}

// NewReader reads the elements that b is a sequence of.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// More tells whether another element follows.
func (r *Reader) More() bool { return len(r.rest) > 0 }

// Next reads the next element.
func (r *Reader) Next() (Element, error) {
	e, err := ParsePrefix(r.rest)
	if err != nil {
		return Element{}, err
	}
	if e.Class == Universal && e.Tag == 0 {
		return Element{}, fmt.Errorf("%w: end-of-contents mark in an element of definite length", ErrMalformed)
	}
	e.Offset = r.offset
	r.rest = r.rest[len(e.Raw):]
	r.offset += int64(len(e.Raw))
	return e, nil
}

// Expect reads the next element, which must have that tag.
func (r *Reader) Expect(class byte, tag uint32) (Element, error) {
	want := Header{Class: class, Tag: tag}
	if !r.More() {
		return Element{}, fmt.Errorf("%w: %s is missing", ErrMalformed, want)
	}
	e, err := r.Next()
	if err == nil && !e.Is(class, tag) {
		return Element{}, fmt.Errorf("%w: %s instead of %s", ErrMalformed, e.Header, want)
	}
	return e, err
}

// Optional reads the next element if it has that tag.
func (r *Reader) Optional(class byte, tag uint32) (e Element, found bool, err error) {
	if !r.Peek(class, tag) {
		return Element{}, false, nil
	}
	e, err = r.Next()
	return e, err == nil, err
}

// Peek tells whether the next element has that tag.
func (r *Reader) Peek(class byte, tag uint32) bool {
	h, err := ParseHeader(r.rest)
	return err == nil && h.Is(class, tag)
}

// isString tells whether BER may cut an element of this universal tag into chunks, X.690 sections 8.6, 8.7 and 8.23.
func isString(tag uint32) bool {
	return tag == TagBitString || tag == TagOctetString || tag == TagUTF8String || tag >= TagNumericString && tag <= TagIA5String ||
		tag >= 25 && tag <= TagBMPString
}

// Octets is the value of an OCTET STRING, its chunks put together. e may be tagged
// otherwise (IMPLICIT). The result is a view where nothing had to be joined.
func (e Element) Octets() ([]byte, error) {
	if !e.Constructed {
		return e.Body, nil
	}
	return e.join(TagOctetString, nil, 0)
}

// join appends the chunks of a constructed string to b.
func (e Element) join(tag uint32, b []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: chunks of a string inside one another", ErrTooLarge)
	}
	for r := e.Reader(); r.More(); {
		chunk, err := r.Expect(Universal, tag)
		if err != nil {
			return nil, err
		}
		if !chunk.Constructed {
			b = append(b, chunk.Body...)
		} else if b, err = chunk.join(tag, b, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// DER is e in distinguished encoding: definite and shortest lengths, strings
// in one piece, elements of a SET sorted. Strings under an IMPLICIT tag stay in
// chunks, since the tag does not tell what they are. The result is a view of
// e.Raw where that is DER already.
func (e Element) DER() ([]byte, error) {
	if e.isDER(0) {
		return e.Raw, nil
	}
	return e.appendDER(nil, 0)
}

// IsDER tells whether DER would change nothing.
func (e Element) IsDER() bool { return e.isDER(0) }

// DER re-encodes the one element that b consists of: see Element.DER.
func DER(b []byte) ([]byte, error) {
	e, err := Parse(b)
	if err != nil {
		return nil, err
	}
	return e.DER()
}

func (e Element) isDER(depth int) bool {
	if e.Length == Indefinite || depth > maxDepth || e.Length > math.MaxInt32 {
		return false
	}
	var header [maxHeader]byte
	if len(AppendHeader(header[:0], e.Class, e.Constructed, e.Tag, len(e.Body))) != e.Size {
		return false
	}
	if !e.Constructed {
		return true
	}
	if e.Class == Universal && isString(e.Tag) {
		return false
	}
	var last []byte
	for r := e.Reader(); r.More(); {
		child, err := r.Next()
		if err != nil || !child.isDER(depth+1) {
			return false
		}
		if e.Is(Universal, TagSet) && bytes.Compare(last, child.Raw) > 0 {
			return false
		}
		last = child.Raw
	}
	return true
}

func (e Element) appendDER(b []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: %d elements inside one another", ErrTooLarge, depth)
	}
	if !e.Constructed {
		return Append(b, e.Class, false, e.Tag, e.Body), nil
	}
	if e.Class == Universal && isString(e.Tag) {
		body, err := e.joinString()
		if err != nil {
			return nil, err
		}
		return Append(b, e.Class, false, e.Tag, body), nil
	}
	var body []byte
	var ends []int
	for r := e.Reader(); r.More(); {
		child, err := r.Next()
		if err != nil {
			return nil, err
		}
		if body, err = child.appendDER(body, depth+1); err != nil {
			return nil, err
		}
		if e.Is(Universal, TagSet) {
			ends = append(ends, len(body))
		}
	}
	return Append(b, e.Class, true, e.Tag, sortSet(body, ends)), nil
}

// joinString puts the chunks of a string of a universal type together. Those of a BIT STRING each have their count of unused bits, of
// which the last one holds.
func (e Element) joinString() ([]byte, error) {
	if e.Tag != TagBitString {
		if h, err := ParseHeader(e.Body); err == nil && h.Is(Universal, e.Tag) { // seen: chunks of the string's own type
			return e.join(e.Tag, nil, 0)
		}
		return e.join(TagOctetString, nil, 0)
	}
	body := []byte{0}
	for r := e.Reader(); r.More(); {
		chunk, err := r.Expect(Universal, TagBitString)
		if err != nil {
			return nil, err
		}
		if chunk.Constructed || len(chunk.Body) == 0 || body[0] != 0 {
			return nil, fmt.Errorf("%w: chunk of a BIT STRING", ErrMalformed)
		}
		body[0] = chunk.Body[0]
		body = append(body, chunk.Body[1:]...)
	}
	return body, nil
}
