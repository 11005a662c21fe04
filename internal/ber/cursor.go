package ber

import (
	"errors"
	"fmt"
	"io"
)

// window is a view of a file: what is near the last look is not read again.
type window struct {
	src  io.ReaderAt
	size int64
	buf  []byte
	base int64
	n    int // valid bytes in buf
}

func newWindow(src io.ReaderAt, size int64, buffer int) *window {
	return &window{src: src, size: size, buf: make([]byte, min(int64(buffer), max(size, maxHeader)))}
}

// at returns what stands at the offset: at least one byte, at least want if the file has them. The view holds until the next call.
func (w *window) at(offset int64, want int) ([]byte, error) {
	want = int(min(int64(want), w.size-offset))
	if want <= 0 {
		return nil, fmt.Errorf("%w: ends at offset %d", ErrMalformed, w.size)
	}
	if offset < w.base || offset+int64(want) > w.base+int64(w.n) {
		n, err := readAt(w.src, w.buf[:min(int64(len(w.buf)), w.size-offset)], offset)
		w.base, w.n = offset, n
		if err != nil {
			return nil, err
		}
	}
	return w.buf[offset-w.base : w.n], nil
}

// readAt fills b, and takes a file that has become shorter for what it is: not a fault of its format.
func readAt(src io.ReaderAt, b []byte, offset int64) (int, error) {
	n, err := src.ReadAt(b, offset)
	switch {
	case n == len(b):
		return n, nil
	case err == nil || errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return n, fmt.Errorf("reading at offset %d: %w", offset, err)
}

// Cursor goes through the elements of a file of any size. It stands before an
// element, or at the end of those inside the element that it entered.
type Cursor struct {
	win    *window
	pos    int64
	end    int64 // of the contents; of the innermost definite element around them if indefinite
	marked bool  // the end is an end-of-contents mark
	depth  int
	outer  *Cursor
}

// NewCursor stands before the element at the offset of a file of that size.
// buffer is how many bytes are read at once; 0 chooses.
func NewCursor(src io.ReaderAt, size, offset int64, buffer int) *Cursor {
	if buffer <= 0 {
		buffer = 64 << 10
	}
	return &Cursor{win: newWindow(src, size, max(buffer, 2*maxHeader)), pos: offset, end: size}
}

// Offset is where the cursor stands.
func (c *Cursor) Offset() int64 { return c.pos }

// Header looks at the next element. At the end of those that the cursor goes
// through the error is io.EOF.
func (c *Cursor) Header() (Header, error) {
	if c.pos >= c.end {
		if c.marked {
			return Header{}, fmt.Errorf("%w: no end-of-contents mark before offset %d", ErrMalformed, c.end)
		}
		return Header{}, io.EOF
	}
	b, err := c.win.at(c.pos, maxHeader)
	if err != nil {
		return Header{}, err
	}
	h, err := ParseHeader(b[:min(int64(len(b)), c.end-c.pos)])
	switch {
	case err != nil:
		return Header{}, fmt.Errorf("offset %d: %w", c.pos, err)
	case h.Class == Universal && h.Tag == 0:
		if c.marked && h.endOfContents() {
			return Header{}, io.EOF
		}
		return Header{}, fmt.Errorf("%w: offset %d: end-of-contents mark out of place", ErrMalformed, c.pos)
	case h.Length > c.end-c.pos-int64(h.Size):
		return Header{}, fmt.Errorf("%w: offset %d: %s of %d bytes, %d are left", ErrMalformed, c.pos, h, h.Length, c.end-c.pos-int64(h.Size))
	}
	return h, nil
}

// Peek tells whether there is a next element and it has that tag.
func (c *Cursor) Peek(class byte, tag uint32) (bool, error) {
	h, err := c.Header()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil && h.Is(class, tag), err
}

// Enter goes into the next element, which must be constructed and have that
// tag. Use the cursor returned until Leave, and c again after it.
func (c *Cursor) Enter(class byte, tag uint32) (*Cursor, error) {
	h, err := c.expect(class, tag)
	if err != nil {
		return nil, err
	}
	if !h.Constructed || c.depth >= maxDepth {
		return nil, fmt.Errorf("%w: offset %d: %s has no elements", ErrMalformed, c.pos, h)
	}
	return c.enter(h), nil
}

func (c *Cursor) enter(h Header) *Cursor {
	in := &Cursor{win: c.win, pos: c.pos + int64(h.Size), end: c.end, marked: h.Length == Indefinite, depth: c.depth + 1, outer: c}
	if !in.marked {
		in.end = in.pos + h.Length
	}
	return in
}

func (c *Cursor) expect(class byte, tag uint32) (Header, error) {
	want := Header{Class: class, Tag: tag}
	h, err := c.Header()
	if errors.Is(err, io.EOF) {
		return Header{}, fmt.Errorf("%w: offset %d: %s is missing", ErrMalformed, c.pos, want)
	}
	if err == nil && !h.Is(class, tag) {
		return Header{}, fmt.Errorf("%w: offset %d: %s instead of %s", ErrMalformed, c.pos, h, want)
	}
	return h, err
}

// Leave skips what is left inside and moves the cursor around it behind the
// element. Whether something was left is returned.
func (c *Cursor) Leave() (left bool, err error) {
	if !c.marked {
		left = c.pos < c.end
		c.outer.pos = c.end
		return left, nil
	}
	for {
		_, err := c.Header()
		if errors.Is(err, io.EOF) {
			c.outer.pos = c.pos + 2
			return left, nil
		}
		if err != nil {
			return left, err
		}
		left = true
		if err := c.SkipElement(); err != nil {
			return left, err
		}
	}
}

// SkipElement moves behind the next element. One of indefinite length is gone
// through.
func (c *Cursor) SkipElement() error {
	h, err := c.Header()
	if err != nil {
		return err
	}
	if h.Length != Indefinite {
		c.pos += int64(h.Size) + h.Length
		return nil
	}
	open := []*Cursor{c.enter(h)} // not recursive: hostile files nest deeply
	for len(open) > 0 {
		in := open[len(open)-1]
		h, err := in.Header()
		switch {
		case errors.Is(err, io.EOF):
			in.outer.pos = in.pos + 2
			open = open[:len(open)-1]
		case err != nil:
			return err
		case h.Length != Indefinite:
			in.pos += int64(h.Size) + h.Length
		case len(open) >= maxDepth:
			return fmt.Errorf("%w: %d indefinite lengths inside one another", ErrTooLarge, len(open))
		default:
			open = append(open, in.enter(h))
		}
	}
	return nil
}

// SkipTo moves to an offset that the caller knows for the end of the next
// element, as from StringReader.End.
func (c *Cursor) SkipTo(offset int64) error {
	if offset < c.pos || offset > c.end {
		return fmt.Errorf("%w: element ends at offset %d, the one around it at %d", ErrMalformed, offset, c.end)
	}
	c.pos = offset
	return nil
}

// Load reads the next element, of at most limit bytes, into memory and moves
// behind it. An element above the limit is ErrTooLarge.
func (c *Cursor) Load(limit int64) (Element, error) {
	if _, err := c.Header(); err != nil {
		return Element{}, err
	}
	start := c.pos
	if err := c.SkipElement(); err != nil {
		return Element{}, err
	}
	if c.pos-start > limit {
		return Element{}, fmt.Errorf("%w: offset %d: element of %d bytes, at most %d", ErrTooLarge, start, c.pos-start, limit)
	}
	raw := make([]byte, c.pos-start)
	if inside := start - c.win.base; inside >= 0 && inside+int64(len(raw)) <= int64(c.win.n) {
		copy(raw, c.win.buf[inside:])
	} else if _, err := readAt(c.win.src, raw, start); err != nil {
		return Element{}, err
	}
	e, err := Parse(raw)
	e.Offset = start
	return e, err
}

// Expect loads the next element, which must have that tag.
func (c *Cursor) Expect(class byte, tag uint32, limit int64) (Element, error) {
	if _, err := c.expect(class, tag); err != nil {
		return Element{}, err
	}
	return c.Load(limit)
}
