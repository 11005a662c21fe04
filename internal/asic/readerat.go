package asic

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// ReaderAt gives the content by ranges, for readers that want it so. It is made
// for going through the file from its start: going back begins anew. It is
// always the same one, and safe for concurrent use.
func (e *Entry) ReaderAt() *io.SectionReader {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.section == nil {
		e.section = io.NewSectionReader(&rangeReader{e: e}, 0, e.Size)
	}
	return e.section
}

// maxCursors is how many places of one file are kept open.
const maxCursors = 4

// rangeReader reads a compressed file by ranges with a few cursors that go
// forward.
type rangeReader struct {
	e       *Entry
	mu      sync.Mutex
	cursors []*cursor // the one used last is the last
}

type cursor struct {
	r  io.ReadCloser
	at int64
}

// ReadAt implements io.ReaderAt. At the end of the file its checksum is looked
// at, so that the last bytes of a broken one come with an error.
func (a *rangeReader) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 {
		return 0, fmt.Errorf("reading %q: negative offset", a.e.Name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if at > a.e.Size || at == a.e.Size && a.e.Size > 0 {
		return 0, io.EOF
	}
	c, err := a.cursor(at)
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(c.r, b[:min(int64(len(b)), a.e.Size-at)])
	c.at += int64(n)
	switch {
	case err == nil && c.at == a.e.Size:
		_, err = c.r.Read(make([]byte, 1))
	case err == nil && n < len(b), errors.Is(err, io.ErrUnexpectedEOF):
		err = io.EOF
	}
	if err != nil {
		a.drop(c)
	}
	if errors.Is(err, io.EOF) && n == len(b) {
		err = nil
	}
	return n, err
}

// cursor returns one that stands at that place.
func (a *rangeReader) cursor(at int64) (*cursor, error) {
	var best *cursor
	for _, c := range a.cursors {
		if c.at <= at && (best == nil || c.at > best.at) {
			best = c
		}
	}
	// A place further on is reached from where one stands only if that is near: cursors belong to readers that go on reading.
	if best == nil || best.at != at && at-best.at > 1<<16 {
		r, err := a.e.Open()
		if err != nil {
			return nil, err
		}
		if len(a.cursors) == maxCursors {
			a.drop(a.cursors[0])
		}
		best = &cursor{r: r}
		a.cursors = append(a.cursors, best)
	}
	n, err := io.CopyN(io.Discard, best.r, at-best.at)
	best.at += n
	if err != nil {
		a.drop(best)
		return nil, err
	}
	return best, nil
}

func (a *rangeReader) drop(c *cursor) {
	c.r.Close()
	for i, other := range a.cursors {
		if other == c {
			a.cursors = append(a.cursors[:i], a.cursors[i+1:]...)
			return
		}
	}
}
