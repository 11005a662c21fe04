package cms

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/eidkit/eidkit/internal/ber"
)

// signedDataOID is id-signedData, RFC 5652 section 5.1.
var signedDataOID = []byte{ber.TagOID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2}

// ErrChanged: the content that was written is not the one that was hashed before.
var ErrChanged = errors.New("the content has changed meanwhile")

// room is kept free above a length: on 32-bit platforms an int has no more than 2 GiB.
const room = 1 << 10

// piece is a part of a message: bytes, or size bytes of a stream.
type piece struct {
	raw  []byte
	open func() (io.ReadCloser, error)
	size int64
	is   checksum // of the stream
}

func (p piece) length() int64 {
	if p.open == nil {
		return int64(len(p.raw))
	}
	return p.size
}

func lengthOf(pieces []piece) (n int64) {
	for _, p := range pieces {
		n += p.length()
	}
	return n
}

func (d *SignedData) piece(r Range) piece {
	return piece{size: r.Length, open: func() (io.ReadCloser, error) { return io.NopCloser(d.Section(r)), nil }}
}

// ContentOf puts the content of another message in, as it stands there: that of
// the message which this one is a copy of without content.
func (e *Edit) ContentOf(d *SignedData) { e.encapOf = d }

// Detach is the message as it would be written, but without content, read again.
func (e *Edit) Detach(ctx context.Context) (*SignedData, error) {
	bare := *e
	bare.detached = true
	raw, err := bare.Bytes(ctx)
	if err != nil {
		return nil, err
	}
	return ParseBytes(ctx, raw)
}

// encap is encapContentInfo.
func (e *Edit) encap() []piece {
	from := cmp.Or(e.encapOf, e.base)
	switch {
	case e.content != nil && !e.detached:
		return []piece{{raw: e.encapHead(e.content.size)}, {open: e.content.open, size: e.content.size, is: e.content.is}}
	case from != nil && !e.detached:
		return from.encap()
	}
	return []piece{{raw: ber.AppendSequence(nil, e.contentType)}}
}

// encap is encapContentInfo as it stands. Content of which a digest is known is compared with it.
func (d *SignedData) encap() []piece {
	is, from := d.Content.checksum()
	if is.digest == nil {
		return []piece{d.piece(d.Encap)}
	}
	end := d.Encap.Offset + d.Encap.Length
	to := from + d.Content.Length
	if is.pieces {
		to = end // tags and lengths are left out while hashing
	}
	content := d.piece(Range{from, to - from})
	content.is = is
	list := []piece{d.piece(Range{d.Encap.Offset, from - d.Encap.Offset}), content}
	if to < end {
		list = append(list, d.piece(Range{to, end - to}))
	}
	return list
}

// encapHead is encapContentInfo up to its content.
func (e *Edit) encapHead(size int64) []byte {
	octets := ber.AppendHeader(nil, ber.Universal, false, ber.TagOctetString, int(size))
	explicit := ber.AppendHeader(nil, ber.Context, true, 0, len(octets)+int(size))
	head := ber.AppendHeader(nil, ber.Universal, true, ber.TagSequence, len(e.contentType)+len(explicit)+len(octets)+int(size))
	return bytes.Join([][]byte{head, e.contentType, explicit, octets}, nil)
}

// tail is what follows encapContentInfo.
func (e *Edit) tail() []piece {
	var list []piece
	if e.base != nil && e.original {
		for _, field := range []Range{e.base.Certs, e.base.CRLs} {
			if field.Length > 0 {
				list = append(list, e.base.piece(field))
			}
		}
	} else {
		for tag, field := range []*set{&e.certificates, &e.revocations} {
			if len(field.list) > 0 {
				list = append(list, piece{raw: ber.Append(nil, ber.Context, true, uint32(tag), field.ordered()...)})
			}
		}
	}
	return append(list, piece{raw: ber.Append(nil, ber.Universal, true, ber.TagSet, e.signers.ordered()...)})
}

// pieces are the whole message, with lengths in DER.
func (e *Edit) pieces() []piece {
	head := append(e.versionElement(), ber.Append(nil, ber.Universal, true, ber.TagSet, e.algorithms.ordered()...)...)
	inner := append(append([]piece{{raw: head}}, e.encap()...), e.tail()...)
	length := int(lengthOf(inner))
	sequence := ber.AppendHeader(nil, ber.Universal, true, ber.TagSequence, length)
	explicit := ber.AppendHeader(nil, ber.Context, true, 0, length+len(sequence))
	outer := ber.AppendHeader(nil, ber.Universal, true, ber.TagSequence, length+len(sequence)+len(explicit)+len(signedDataOID))
	return append([]piece{{raw: bytes.Join([][]byte{outer, signedDataOID, explicit, sequence}, nil)}}, inner...)
}

// Size is how many bytes WriteTo writes.
func (e *Edit) Size() int64 { return lengthOf(e.pieces()) }

// Write writes the message, and returns how much it wrote. Around content that is
// kept in BER everything is in DER. Errors: those of w, of ctx and of reading the
// content; io.ErrUnexpectedEOF if that is not as long as was said, ErrChanged if it
// is other content, which is known after it was written; ber.ErrTooLarge.
func (e *Edit) Write(ctx context.Context, w io.Writer) (int64, error) {
	pieces := e.pieces()
	if err := writable(lengthOf(pieces)); err != nil {
		return 0, err
	}
	return writePieces(ctx, w, pieces)
}

// writable tells whether the lengths of so many bytes can be written.
func writable(size int64) error {
	if size < 0 || size > math.MaxInt-room {
		return fmt.Errorf("%w: message around %d bytes", ber.ErrTooLarge, size)
	}
	return nil
}

// Bytes is the message in memory.
func (e *Edit) Bytes(ctx context.Context) ([]byte, error) {
	pieces := e.pieces()
	size := lengthOf(pieces)
	if size > maxLoaded {
		return nil, fmt.Errorf("%w: message of %d bytes", ber.ErrTooLarge, size)
	}
	var b bytes.Buffer
	b.Grow(int(size))
	_, err := writePieces(ctx, &b, pieces)
	return b.Bytes(), err
}

func writePieces(ctx context.Context, w io.Writer, pieces []piece) (written int64, err error) {
	for _, p := range pieces {
		var n int64
		if p.open == nil {
			var m int
			m, err = w.Write(p.raw)
			n = int64(m)
		} else {
			n, err = p.copy(ctx, w)
		}
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// copy writes a piece that is a stream.
func (p piece) copy(ctx context.Context, w io.Writer) (int64, error) {
	in, err := p.open()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	if p.is.digest == nil {
		return copyExactly(ctx, p.size, in, func(b []byte) error {
			_, err := w.Write(b)
			return err
		})
	}
	state := p.is.state()
	n, err := tee(ctx, p.size, in, w, state)
	if err == nil && !bytes.Equal(state.Sum(nil), p.is.digest) {
		err = ErrChanged
	}
	return n, err
}

// copyExactly hands size bytes to f, block by block.
func copyExactly(ctx context.Context, size int64, in io.Reader, f func([]byte) error) (int64, error) {
	buf := make([]byte, max(1, min(size+1, block))) // one more, to see that nothing follows
	for done := int64(0); ; {
		n, last, err := fill(in, buf)
		switch {
		case err != nil:
			return done, fmt.Errorf("reading the content: %w", err)
		case done+int64(n) > size || last && done+int64(n) < size:
			return done, fmt.Errorf("reading the content: not the %d bytes that were announced: %w", size, io.ErrUnexpectedEOF)
		}
		if err := ctx.Err(); err != nil {
			return done, err
		}
		if err := f(buf[:n]); err != nil {
			return done, err
		}
		if done += int64(n); last {
			return done, nil
		}
	}
}
