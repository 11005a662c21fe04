package access

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/eidkit/eidkit/internal/sysfile"
)

// stamp tells one state of a file from another.
type stamp struct {
	known   bool // a file was looked for
	there   bool
	size    int64
	mtime   time.Time
	id      string    // what else the system tells: device, inode, time of the last change of any sort
	settled time.Time // when it was looked at
}

// racy is how close to its last change a file may be read and count as read. A
// second change in the same tick of the file system's clock cannot be told from
// the first, so a file that young is read again.
const racy = 100 * time.Millisecond

// stampOf looks at a file.
func stampOf(path string) stamp {
	s := stamp{known: true, settled: time.Now()}
	if info, err := os.Stat(path); err == nil {
		s.there, s.size, s.mtime, s.id = true, info.Size(), info.ModTime(), fileID(info)
	}
	return s
}

func (s stamp) same(o stamp) bool {
	return s.known && o.known && s.there == o.there && s.size == o.size && s.mtime.Equal(o.mtime) && s.id == o.id
}

// read is the stamp of a file that was read after it was looked at: unknown while it is too young.
func (s stamp) read() stamp {
	if s.there && s.settled.Sub(s.mtime) < racy {
		return stamp{}
	}
	return s
}

// readLimited reads a whole file of less than limit bytes.
func readLimited(f *os.File, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err == nil && int64(len(b)) == limit {
		err = fmt.Errorf("%s is larger than %d bytes", f.Name(), limit-1)
	}
	return b, err
}

// readPrivate reads a file of the user that nobody else could have read or written.
func readPrivate(path string, limit int64) ([]byte, error) {
	f, err := sysfile.OpenPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := private(f); err != nil {
		return nil, err
	}
	return readLimited(f, limit)
}

// readTrusted reads a file that nobody but the administrator could have written.
func readTrusted(path string, owner int, limit int64) ([]byte, error) {
	f, err := sysfile.Open(path, owner)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readLimited(f, limit)
}
