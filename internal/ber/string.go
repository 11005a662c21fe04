package ber

import (
	"errors"
	"fmt"
	"io"
)

// chunkWindow is how much of a string in chunks is read at once.
const chunkWindow = 256 << 10

// StringReader streams the value of an OCTET STRING of any size, its chunks
// put together. It is not safe for concurrent use; open several for that.
type StringReader struct {
	win  *window
	pos  int64
	left int64   // bytes of the chunk that begins at pos
	ends []int64 // of the constructed elements around it, Indefinite for those with a mark
	err  error
}

// NewStringReader reads the OCTET STRING, under whatever tag, whose header h
// stands at the offset of a file of that size.
func NewStringReader(src io.ReaderAt, size, offset int64, h Header) *StringReader {
	buffer := chunkWindow
	if h.Length != Indefinite {
		buffer = int(min(int64(buffer), h.Length+maxHeader))
	}
	r := &StringReader{pos: offset + int64(h.Size)}
	if h.Constructed {
		r.win = newWindow(src, size, max(buffer, 2*maxHeader))
		r.open(h)
	} else {
		r.win = &window{src: src, size: size}
		r.left = h.Length
	}
	return r
}

// open enters the constructed element whose contents begin at pos.
func (r *StringReader) open(h Header) {
	if h.Length == Indefinite {
		r.ends = append(r.ends, Indefinite)
	} else {
		r.ends = append(r.ends, r.pos+h.Length)
	}
}

// End is the offset behind the string, once Read has returned io.EOF.
func (r *StringReader) End() int64 { return r.pos }

// Read implements io.Reader. Bytes that are no OCTET STRING are an error that
// wraps ErrMalformed.
func (r *StringReader) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	for n < len(p) && r.err == nil {
		if r.left == 0 {
			r.err = r.nextChunk()
			continue
		}
		var got int
		got, r.err = r.fill(p[n:])
		n += got
	}
	if n > 0 {
		return n, nil
	}
	return 0, r.err
}

// WriteTo implements io.WriterTo: w gets the chunks as they stand in the
// buffer, without a copy.
func (r *StringReader) WriteTo(w io.Writer) (n int64, err error) {
	if len(r.win.buf) == 0 {
		r.win.buf = make([]byte, min(chunkWindow, max(r.left, 1)))
	}
	for r.err == nil {
		if r.left == 0 {
			r.err = r.nextChunk()
			continue
		}
		var b []byte
		if b, r.err = r.win.at(r.pos, 1); r.err != nil {
			break
		}
		written, err := w.Write(b[:min(int64(len(b)), r.left)])
		n += int64(written)
		r.pos += int64(written)
		r.left -= int64(written)
		if err != nil {
			return n, err
		}
	}
	if errors.Is(r.err, io.EOF) {
		return n, nil
	}
	return n, r.err
}

// fill reads from the current chunk: by way of the window if it is small, for the next header comes along with it.
func (r *StringReader) fill(p []byte) (int, error) {
	p = p[:min(int64(len(p)), r.left)]
	n := 0
	if len(p) > len(r.win.buf)/2 {
		got, err := readAt(r.win.src, p, r.pos)
		if err != nil {
			return got, err
		}
		n = got
	} else {
		b, err := r.win.at(r.pos, 1)
		if err != nil {
			return 0, err
		}
		n = copy(p, b)
	}
	r.pos += int64(n)
	r.left -= int64(n)
	return n, nil
}

// nextChunk goes to the next primitive chunk. The error is io.EOF behind the last one.
func (r *StringReader) nextChunk() error {
	for len(r.ends) > 0 {
		end := r.ends[len(r.ends)-1]
		if end == r.pos {
			r.ends = r.ends[:len(r.ends)-1]
			continue
		}
		limit := r.win.size // the innermost definite end bounds what stands here
		for i := len(r.ends) - 1; i >= 0; i-- {
			if r.ends[i] != Indefinite {
				limit = r.ends[i]
				break
			}
		}
		b, err := r.win.at(r.pos, maxHeader)
		if err != nil {
			return err
		}
		h, err := ParseHeader(b[:min(int64(len(b)), limit-r.pos)])
		switch {
		case err != nil:
			return fmt.Errorf("offset %d: %w", r.pos, err)
		case end == Indefinite && h.endOfContents():
			r.ends = r.ends[:len(r.ends)-1]
			r.pos += int64(h.Size)
			continue
		case !h.Is(Universal, TagOctetString) || h.Length > limit-r.pos-int64(h.Size):
			return fmt.Errorf("%w: offset %d: %s of %d bytes in an OCTET STRING", ErrMalformed, r.pos, h, h.Length)
		case len(r.ends) >= 16:
			return fmt.Errorf("%w: chunks of a string inside one another", ErrTooLarge)
		}
		r.pos += int64(h.Size)
		if h.Constructed {
			r.open(h)
			continue
		}
		if r.left = h.Length; r.left > 0 {
			return nil
		}
	}
	return io.EOF
}
