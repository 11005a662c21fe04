package cades

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
)

// errAbsent: what is asked for is not there, as opposed to trouble with reading it.
var errAbsent = errors.New("content is not there")

// source is something that may be signed: the content of a message, a file beside it, or digests of one.
type source struct {
	name   string
	open   func() (io.ReadCloser, error) // nil: known by digests only
	inside *cms.Content                  // of the message itself
	known  map[crypto.Hash][]byte
}

func newSource(c ades.Content) *source {
	s := &source{name: c.Name, known: map[crypto.Hash][]byte{}}
	if c.Data == nil {
		for h, digest := range c.Digests {
			s.known[h] = digest
		}
		return s
	}
	s.open = func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(c.Data, 0, c.Size)), nil }
	return s
}

// prepare makes the digests in one pass. What was read before is compared: further digests must not be of other content.
func (s *source) prepare(ctx context.Context, hashes ...crypto.Hash) error {
	var missing []crypto.Hash
	for _, h := range hashes {
		if s.known[h] == nil && h.Available() {
			missing = append(missing, h)
		}
	}
	if s.open == nil || len(missing) == 0 {
		return nil
	}
	wanted := missing
	for h := range s.known {
		if s.inside == nil && h.Available() { // that inside the message is compared there
			wanted = append(wanted, h)
			break
		}
	}
	made, err := s.compute(ctx, wanted)
	if err != nil {
		return fmt.Errorf("reading the content: %w", err)
	}
	for h, known := range s.known {
		if made[h] != nil && !bytes.Equal(made[h], known) {
			return fmt.Errorf("reading the content: %w", cms.ErrChanged)
		}
	}
	if s.known == nil {
		s.known = map[crypto.Hash][]byte{}
	}
	for h, digest := range made {
		s.known[h] = digest
	}
	return nil
}

func (s *source) compute(ctx context.Context, hashes []crypto.Hash) (map[crypto.Hash][]byte, error) {
	if s.inside != nil {
		return s.inside.Digests(ctx, hashes...)
	}
	in, err := s.open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if own, ok := in.(Digester); ok {
		return ownDigests(own, hashes)
	}
	made, _, err := cms.Digests(ctx, in, hashes...)
	return made, err
}

// Digester may be implemented by content that the caller of ReadCMS gives, when
// it knows its digests already or makes them more cheaply than by being read:
// parts of one file that many signatures cover.
type Digester interface {
	io.ReadCloser
	Digest(h crypto.Hash) ([]byte, error)
}

func ownDigests(c Digester, hashes []crypto.Hash) (map[crypto.Hash][]byte, error) {
	made := map[crypto.Hash][]byte{}
	for _, h := range hashes {
		digest, err := c.Digest(h)
		if err != nil {
			return nil, err
		}
		made[h] = digest
	}
	return made, nil
}

// digest returns one digest, made if need be. The error is errAbsent when it cannot be had.
func (s *source) digest(ctx context.Context, h crypto.Hash) ([]byte, error) {
	if s == nil {
		return nil, errAbsent
	}
	if err := s.prepare(ctx, h); err != nil {
		return nil, err
	}
	if d := s.known[h]; d != nil {
		return d, nil
	}
	return nil, errAbsent
}

// maxMessage bounds content that is handed on as a whole: what Ed25519 signs.
const maxMessage = 64 << 20

// bytes returns the content itself.
func (s *source) bytes() ([]byte, error) {
	if s == nil || s.open == nil {
		return nil, errAbsent
	}
	in, err := s.open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxMessage+1))
	if err == nil && len(b) > maxMessage {
		return nil, fmt.Errorf("%w: content above %d bytes", ber.ErrTooLarge, maxMessage)
	}
	return b, err
}
