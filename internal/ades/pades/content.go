package pades

import (
	"crypto"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// content is what a signature covers: both ranges, one behind the other.
type content struct {
	io.Reader
	d *document
	s *signature
}

// Close does nothing.
func (c content) Close() error { return nil }

// Digest makes a digest of the content.
func (c content) Digest(h crypto.Hash) ([]byte, error) { return c.d.digest(c.s, h) }

// content gives the signed bytes, or nil if the ranges are outside the file.
func (d *document) content(s *signature) func() (io.ReadCloser, error) {
	if !s.inFile {
		return nil
	}
	return func() (io.ReadCloser, error) {
		return content{io.MultiReader(
			io.NewSectionReader(d.pdf, s.first.Offset, s.first.Length),
			io.NewSectionReader(d.pdf, s.second.Offset, s.second.Length)), d, s}, nil
	}
}

var errTooMuch = fmt.Errorf("%w: the signatures of the file cover more than is hashed", ades.ErrRefused)

// prefix is a digest in the making: of the file's first bytes.
type prefix struct {
	state hash.Hash
	at    int64
}

// digest makes the digest of what a signature covers. Each covers what those
// before it do and more, so the beginning is hashed once for all: what 100
// signatures cost is the file's length and not 100 times that.
func (d *document) digest(s *signature, h crypto.Hash) ([]byte, error) {
	if !h.Available() {
		return nil, sigalg.ErrUnsupported
	}
	if err := d.ctx.Err(); err != nil {
		return nil, err
	}
	p := d.prefixes[h]
	if p == nil || p.at > s.first.Length || s.first.Offset != 0 {
		p = &prefix{state: h.New(), at: s.first.Offset}
		if !d.pdf.Spend(s.first.Length) {
			return nil, errTooMuch
		}
		if d.prefixes[h] == nil && p.at == 0 {
			d.prefixes[h] = p
		}
	}
	if err := d.hash(p.state, p.at, s.first.Offset+s.first.Length); err != nil {
		return nil, err
	}
	p.at = s.first.Offset + s.first.Length
	if !d.pdf.Spend(s.second.Length) {
		return nil, errTooMuch
	}
	state, err := clone(p.state, h)
	if err != nil { // one that cannot be copied is used up
		delete(d.prefixes, h)
		state = p.state
	}
	if err := d.hash(state, s.second.Offset, s.end); err != nil {
		return nil, err
	}
	return state.Sum(nil), nil
}

func (d *document) hash(state hash.Hash, from, to int64) error {
	if _, err := io.CopyBuffer(struct{ io.Writer }{state}, io.NewSectionReader(d.pdf, from, to-from), d.buffer); err != nil {
		return fmt.Errorf("reading the file: %w", err)
	}
	return nil
}

// clone copies the state of a digest.
func clone(state hash.Hash, h crypto.Hash) (hash.Hash, error) {
	from, ok := state.(encoding.BinaryMarshaler)
	fresh := h.New()
	to, ok2 := fresh.(encoding.BinaryUnmarshaler)
	if !ok || !ok2 {
		return nil, errors.ErrUnsupported
	}
	b, err := from.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return fresh, to.UnmarshalBinary(b)
}
