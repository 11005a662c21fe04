package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// inMemory is how much of an upload is kept in memory; what is longer goes to
// a file.
const inMemory = 256 << 10

// errTooLarge: an upload is longer than is allowed.
var errTooLarge = errors.New("upload is too large")

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
}

// spool reads r to its end, at most limit bytes. Close frees what it returns.
// Errors: errTooLarge, those of r, and those of the disk.
func spool(r io.Reader, limit int64, dir string) (*spooled, error) {
	s := &spooled{buffer: buffers.Get().(*bytes.Buffer)}
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
	if err := s.toFile(r, limit, dir); err != nil {
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
	if _, err := f.Write(s.buffer.Bytes()); err != nil {
		return fmt.Errorf("keeping upload: %w", err)
	}
	rest := limit - int64(s.buffer.Len())
	n, err := io.Copy(f, io.LimitReader(r, rest+1))
	if err != nil {
		return fmt.Errorf("keeping upload: %w", err)
	}
	if n > rest {
		return errTooLarge
	}
	s.ReaderAt, s.size = f, int64(s.buffer.Len())+n
	return nil
}

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
	}
	if s.path != "" {
		os.Remove(s.path)
		s.path = ""
	}
}
