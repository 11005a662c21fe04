package cms

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Stream is a message that is written in one pass over its content.
type Stream struct {
	edit    *Edit
	w       io.Writer
	written int64
	version int
}

// blocks is how many blocks of content are on their way: one being read, one written, one hashed.
const blocks = 3

// Begin writes a new message up to the end of its content, size bytes that open
// gives, and returns the digests of the content, made meanwhile on another
// processor. Digest algorithms must have been added. The outer lengths are
// indefinite (BER): what follows is not known yet. Errors: as for Write, and
// sigalg.ErrUnsupported for an unknown hash, ber.ErrTooLarge.
func (e *Edit) Begin(ctx context.Context, w io.Writer, size int64, open func() (io.ReadCloser, error), hashes ...crypto.Hash) (
	*Stream, map[crypto.Hash][]byte, error) {
	states := map[crypto.Hash]hash.Hash{}
	for _, h := range hashes {
		if !h.Available() {
			return nil, nil, sigalg.ErrUnsupported
		}
		states[h] = h.New()
	}
	if err := writable(size); err != nil {
		return nil, nil, err
	}
	indefinite := func(class byte, tag uint32) []byte {
		return append(ber.AppendHeader(nil, class, true, tag, 0)[:1], 0x80)
	}
	s := &Stream{edit: e, w: w, version: e.version()}
	head := bytes.Join([][]byte{indefinite(ber.Universal, ber.TagSequence), signedDataOID, indefinite(ber.Context, 0),
		indefinite(ber.Universal, ber.TagSequence), e.versionElement(), ber.Append(nil, ber.Universal, true, ber.TagSet, e.algorithms.ordered()...), e.encapHead(size)}, nil)
	in, err := open()
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	n, err := w.Write(head)
	s.written = int64(n)
	if err != nil {
		return nil, nil, err
	}
	copied, err := tee(ctx, size, in, w, slices.Collect(maps.Values(states))...)
	s.written += copied
	if err != nil {
		return nil, nil, err
	}
	digests := map[crypto.Hash][]byte{}
	for h, state := range states {
		digests[h] = state.Sum(nil)
	}
	return s, digests, nil
}

// End writes what follows the content, as it is in the Edit by now, and returns
// how many bytes the message has. The version stands written already: what
// would need another (answers in the field crls, attribute certificates) is an error.
func (s *Stream) End(ctx context.Context) (int64, error) {
	if v := s.edit.version(); v != s.version {
		return s.written, fmt.Errorf("writing the end of a message: it began as version %d and would be %d", s.version, v)
	}
	n, err := writePieces(ctx, s.w, append(s.edit.tail(), piece{raw: make([]byte, 6)}))
	s.written += n
	return s.written, err
}

// tee copies size bytes to w while another processor hashes them.
func tee(ctx context.Context, size int64, in io.Reader, w io.Writer, states ...hash.Hash) (int64, error) {
	todo, done := make(chan []byte, blocks), make(chan []byte, blocks)
	go func() {
		defer close(done)
		for b := range todo {
			write(states, b)
			done <- b[:cap(b)]
		}
	}()
	length := max(1, min(size+1, block))
	for range min(blocks, 1+size/length) {
		done <- make([]byte, length)
	}
	copied, err := pump(ctx, size, in, w, todo, done)
	close(todo)
	for range done { // what is under way is hashed, and the other routine ends
	}
	return copied, err
}

// pump reads blocks into what comes from free, hands them to todo and writes them. A block comes back when it is hashed; by then it is
// written, too, since that is done before the next is asked for.
func pump(ctx context.Context, size int64, in io.Reader, w io.Writer, todo chan<- []byte, free <-chan []byte) (copied int64, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return copied, err
		}
		buf := <-free
		n, last, err := fill(in, buf)
		switch {
		case err != nil:
			return copied, fmt.Errorf("reading the content: %w", err)
		case copied+int64(n) > size || last && copied+int64(n) < size:
			return copied, fmt.Errorf("reading the content: not the %d bytes that were announced: %w", size, io.ErrUnexpectedEOF)
		}
		todo <- buf[:n]
		m, err := w.Write(buf[:n])
		copied += int64(m)
		if err != nil || last {
			return copied, err
		}
	}
}
