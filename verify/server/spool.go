package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// inMemory is how much of an upload is kept in memory; what is longer goes to
// a file.
const inMemory = 256 << 10

// errTooLarge: an upload is longer than is allowed.
var errTooLarge = errors.New("upload is too large")

// budget is what all uploads at rest may take on disk together.
type budget struct{ used, limit atomic.Int64 }

// take reserves n bytes, or fails with errBusy.
func (b *budget) take(n int64) error {
	if b.used.Add(n) > b.limit.Load() {
		b.used.Add(-n)
		return errBusy
	}
	return nil
}

// buffers are used again, so that many small uploads cost no garbage.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// spooled is an upload at rest: in memory, or in a file that has no name any
// more (on systems that can) and is gone with the process.
type spooled struct {
	io.ReaderAt
	size   int64
	buffer *bytes.Buffer
	file   *os.File
	path   string // to remove at the end; empty if it is gone already

	disk  *budget
	taken int64 // of disk
}

// spool reads r to its end, at most limit bytes. Close frees what it returns.
// Errors: errTooLarge, errBusy when all uploads together take too much, those
// of r, and those of the disk.
func (srv *Server) spool(r io.Reader, limit int64) (*spooled, error) {
	s := &spooled{buffer: buffers.Get().(*bytes.Buffer), disk: &srv.disk}
	s.buffer.Reset()
	n, err := io.CopyN(s.buffer, r, min(limit+1, inMemory))
	switch {
	case err == io.EOF:
		s.ReaderAt, s.size = bytes.NewReader(s.buffer.Bytes()), n
		return s, nil
	case err != nil:
		s.Close()
		return nil, fmt.Errorf("reading upload: %w", err)
	case n > limit:
		s.Close()
		return nil, errTooLarge
	}
	if err := s.toFile(r, limit, srv.options.SpoolFolder); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *spooled) toFile(r io.Reader, limit int64, dir string) error {
	f, err := os.CreateTemp(dir, "eid-upload-*") // 0600
	if err != nil {
		return fmt.Errorf("keeping upload: %w", err)
	}
	s.file, s.path = f, f.Name()
	if os.Remove(s.path) == nil { // Windows refuses while the file is open
		s.path = ""
	}
	if _, err := s.Write(s.buffer.Bytes()); err != nil {
		return fmt.Errorf("keeping upload: %w", err)
	}
	rest := limit - int64(s.buffer.Len())
	n, err := io.Copy(writeOnly{s}, io.LimitReader(r, rest+1))
	if err != nil {
		return fmt.Errorf("keeping upload: %w", err)
	}
	if n > rest {
		return errTooLarge
	}
	s.ReaderAt, s.size = f, int64(s.buffer.Len())+n
	return nil
}

// Write adds to the file, within the budget of all.
func (s *spooled) Write(p []byte) (int, error) {
	if err := s.disk.take(int64(len(p))); err != nil {
		return 0, err
	}
	s.taken += int64(len(p))
	return s.file.Write(p)
}

// writeOnly hides ReaderAt and the rest, so that io.Copy writes through Write.
type writeOnly struct{ io.Writer }

// Close frees the memory or removes the file. The data cannot be read any
// more.
func (s *spooled) Close() {
	if s.buffer != nil {
		if s.buffer.Cap() <= 2*inMemory {
			buffers.Put(s.buffer)
		}
		s.buffer = nil
	}
	if s.file != nil {
		s.file.Close()
		s.file = nil
		s.disk.used.Add(-s.taken)
		s.taken = 0
	}
	if s.path != "" {
		os.Remove(s.path)
		s.path = ""
	}
}
