package pades

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
)

// target is a file with what is to be added behind it. The file itself is never
// in memory.
type target struct {
	base  ades.File
	added []byte
}

// ReadAt reads of the file, then of what is added.
func (t *target) ReadAt(p []byte, at int64) (n int, err error) {
	if at < t.base.Size {
		part := p[:min(int64(len(p)), t.base.Size-at)]
		if n, err = t.base.Data.ReadAt(part, at); n < len(part) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // shorter than it was said to be
			}
			return n, err
		}
	}
	if from := at + int64(n) - t.base.Size; n < len(p) && from < int64(len(t.added)) {
		n += copy(p[n:], t.added[from:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (t *target) size() int64 { return t.base.Size + int64(len(t.added)) }

func (t *target) input() ades.Input {
	return ades.Input{File: ades.File{Name: t.base.Name, Data: t, Size: t.size()}}
}

// clone is a target that goes its own way.
func (t *target) clone() *target {
	return &target{base: t.base, added: append([]byte(nil), t.added...)}
}

// copyBuffer is how much of a file is in memory while it is copied or hashed.
const copyBuffer = 1 << 18

// WriteTo writes the file with what is added.
func (t *target) WriteTo(w io.Writer) (int64, error) {
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(t.base.Data, 0, t.base.Size), make([]byte, copyBuffer))
	if err == nil && n < t.base.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return n, fmt.Errorf("writing the PDF: %w", err)
	}
	m, err := w.Write(t.added)
	if err != nil {
		err = fmt.Errorf("writing the PDF: %w", err)
	}
	return n + int64(m), err
}

// hole is the room for a signature value in the last revision of a target.
type hole struct {
	room       int   // bytes of the value
	byteRange  int64 // where ByteRange stands
	open, stop int64 // of Contents with its delimiters
	end        int64 // of the revision
}

// rooms are the two entries of a signature dictionary that are written last.
// ISO 32000-2, table 255.
func rooms(size int64, room int) (byteRange, contents *pdf.Room) {
	digits := max(10, len(fmt.Sprint(size))+1)
	return &pdf.Room{Text: "[0" + strings.Repeat(strings.Repeat(" ", digits)+"0", 3) + "]"},
		&pdf.Room{Text: "<" + strings.Repeat("0", 2*room) + ">"}
}

// add puts a revision behind the target, with a ByteRange around the room for
// the value.
func (t *target) add(u *pdf.Update, byteRange, contents *pdf.Room) (*hole, error) {
	body, err := u.Bytes()
	if err != nil {
		return nil, unsuitable(err)
	}
	t.added = append(t.added, body...)
	if contents == nil {
		return nil, nil
	}
	h := &hole{room: len(contents.Text)/2 - 1, byteRange: byteRange.At, open: contents.At, stop: contents.At + int64(len(contents.Text)), end: t.size()}
	text := fmt.Sprintf("[0 %d %d %d", h.open, h.stop, h.end-h.stop)
	if len(text)+1 > len(byteRange.Text) {
		return nil, fmt.Errorf("ByteRange %s has no room", text)
	}
	text += strings.Repeat(" ", len(byteRange.Text)-len(text)-1) + "]"
	copy(t.added[h.byteRange-t.base.Size:], text)
	return h, nil
}

// fill writes the value into its hole; false if there is too little room.
func (t *target) fill(h *hole, value []byte) bool {
	if len(value) > h.room {
		return false
	}
	hex.Encode(t.added[h.open+1-t.base.Size:], value)
	return true
}

// signed is what the value in a hole is over.
func (t *target) signed(h *hole) io.Reader {
	return io.MultiReader(io.NewSectionReader(t, 0, h.open), io.NewSectionReader(t, h.stop, h.end-h.stop))
}

// digest hashes what the value in a hole is over.
func (t *target) digest(ctx context.Context, h *hole, hash crypto.Hash) ([]byte, error) {
	if !hash.Available() {
		return nil, fmt.Errorf("%w: digest %v is not known", ades.ErrUnsuitable, hash)
	}
	state, in, buffer := hash.New(), t.signed(h), make([]byte, copyBuffer)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := in.Read(buffer)
		state.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			return state.Sum(nil), nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the file: %w", err)
		}
	}
}

// unsuitable says of an error about the structure of a PDF that the file cannot
// be signed; other errors, such as those of a disk, stay what they are.
func unsuitable(err error) error {
	if errors.Is(err, pdf.ErrBroken) || errors.Is(err, pdf.ErrEncrypted) || errors.Is(err, pdf.ErrNoUpdate) || errors.Is(err, ades.ErrRefused) {
		return fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
	}
	return err
}
