package cms

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Content is what stands inside a message and is signed: the value of the
// OCTET STRING, or of PKCS #7's any element the contents without tag and length
// (RFC 2315 section 9.3). Safe for concurrent use.
type Content struct {
	OctetString bool  // else an element of another type
	Length      int64 // in bytes

	src    io.ReaderAt
	size   int64 // of the file
	offset int64 // of the element
	header ber.Header

	mutex sync.Mutex
	known map[crypto.Hash][]byte
}

// Open streams the content.
func (c *Content) Open() (io.ReadCloser, error) {
	return io.NopCloser(c.reader()), nil
}

func (c *Content) reader() io.Reader {
	if c.OctetString && c.header.Constructed {
		return ber.NewStringReader(c.src, c.size, c.offset, c.header)
	}
	return io.NewSectionReader(c.src, c.offset+int64(c.header.Size), c.Length)
}

// Digests returns the digests of the content, made in one pass if they are not
// known already. One that is known is compared then: ErrChanged.
func (c *Content) Digests(ctx context.Context, hashes ...crypto.Hash) (map[crypto.Hash][]byte, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var missing []crypto.Hash
	for _, h := range hashes {
		if c.known[h] == nil {
			missing = append(missing, h)
		}
	}
	if len(missing) > 0 {
		for h := range c.known {
			missing = append(missing, h)
			break
		}
		made, _, err := Digests(ctx, c.reader(), missing...)
		if err != nil {
			return nil, err
		}
		for h, digest := range c.known {
			if made[h] != nil && !bytes.Equal(made[h], digest) {
				return nil, ErrChanged
			}
		}
		if c.known == nil {
			c.known = map[crypto.Hash][]byte{}
		}
		maps.Copy(c.known, made)
	}
	return maps.Clone(c.known), nil
}

// block is how much is read and then hashed at once. Reading ahead beside the hashing was measured and is slower: what the system has read
// ahead by itself is copied ten times as fast as it is hashed, and waking another processor for every block costs more than that.
const block = 512 << 10

// Digests reads r to its end and returns the digests of what it gave and how
// much that was. Several digests are made at the same time, each on a
// processor of its own. An unknown hash is sigalg.ErrUnsupported; without any, r is read
// and counted all the same.
func Digests(ctx context.Context, r io.Reader, hashes ...crypto.Hash) (map[crypto.Hash][]byte, int64, error) {
	running := map[crypto.Hash]hash.Hash{}
	for _, h := range hashes {
		if !h.Available() {
			return nil, 0, sigalg.ErrUnsupported
		}
		running[h] = h.New()
	}
	length, err := digest(ctx, r, running)
	if err != nil {
		return nil, length, err
	}
	digests := make(map[crypto.Hash][]byte, len(running))
	for h, state := range running {
		digests[h] = state.Sum(nil)
	}
	return digests, length, nil
}

// digest feeds r to all states.
func digest(ctx context.Context, r io.Reader, states map[crypto.Hash]hash.Hash) (length int64, err error) {
	list := slices.Collect(maps.Values(states))
	if chunks, ok := r.(*ber.StringReader); ok && len(list) == 1 {
		return chunks.WriteTo(contextWriter{ctx, list[0]})
	}
	buf := make([]byte, 4<<10) // most contents are small
	for {
		n, last, err := fill(r, buf)
		if err == nil {
			err = ctx.Err()
		}
		length += int64(n)
		if err != nil {
			return length, err
		}
		write(list, buf[:n])
		if last {
			return length, nil
		}
		if len(buf) < block {
			buf = make([]byte, block)
		}
	}
}

// contextWriter ends a long copy when the context does.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// write feeds b to all states, each on a processor of its own if there are several.
func write(states []hash.Hash, b []byte) {
	if len(states) == 0 {
		return
	}
	var others sync.WaitGroup
	for _, state := range states[1:] {
		others.Go(func() { state.Write(b) })
	}
	states[0].Write(b)
	others.Wait()
}

// fill reads until b is full or r ends, which last says.
func fill(r io.Reader, b []byte) (n int, last bool, err error) {
	for n < len(b) {
		got, err := r.Read(b[n:])
		n += got
		switch {
		case errors.Is(err, io.EOF):
			return n, true, nil
		case err != nil:
			return n, false, err
		}
	}
	return n, false, nil
}

// Bytes returns the content, which must not be larger than limit
// (ber.ErrTooLarge).
func (c *Content) Bytes(limit int64) ([]byte, error) {
	if c.Length > limit {
		return nil, fmt.Errorf("%w: content of %d bytes, at most %d", ber.ErrTooLarge, c.Length, limit)
	}
	b := make([]byte, c.Length)
	_, err := io.ReadFull(c.reader(), b)
	return b, err
}
