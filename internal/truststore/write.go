package truststore

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// lockName is the file that writers lock. It stays empty.
const lockName = "lock"

// change rewrites the index under the lock; after, if not nil, is done when the
// new index is in place.
func (s *Store) change(ctx context.Context, edit func([]indexLine) ([]indexLine, error), after func() error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("changing the trust store: %w", err)
		}
	}()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	unlock, err := atomicfile.Lock(ctx, filepath.Join(s.dir, lockName))
	if err != nil {
		return err
	}
	defer unlock()
	lines, err := s.readIndex()
	if err != nil {
		return err
	}
	if lines, err = edit(lines); err != nil {
		return err
	}
	text, err := json.MarshalIndent(index{Schema: 1, Anchors: lines}, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(s.dir, indexName), append(text, '\n')); err != nil {
		return err
	}
	if after != nil {
		return after()
	}
	return nil
}

// ReadBounded reads a regular file of at most limit bytes. Pipes and devices
// are refused before they are opened: opening one can block for ever.
func ReadBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, limit)
	}
	return data, nil
}
