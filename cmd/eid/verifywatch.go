package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/eidkit/eidkit/internal/termview"
)

// longFile is from how many bytes on progress is shown.
const longFile = 64 << 20

// watched shows on a terminal how far the reading of a long file is. The bytes
// are counted, since a signature may have them read more than once.
func (a *app) watched(in io.ReaderAt, size int64, name string) io.ReaderAt {
	if size < longFile || !isTerminal(a.err) {
		return in
	}
	return &countedFile{in: in, size: size, name: termview.Clean(name), w: a.err}
}

// countedFile is a file that tells how much of it was read, at most ten times a second.
type countedFile struct {
	in   io.ReaderAt
	size int64
	name string
	w    io.Writer
	read atomic.Int64
	next atomic.Int64 // when to print again, in nanoseconds
}

func (c *countedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.in.ReadAt(b, off)
	total := c.read.Add(int64(n))
	now := time.Now().UnixNano()
	if next := c.next.Load(); now >= next && c.next.CompareAndSwap(next, now+int64(100*time.Millisecond)) {
		fmt.Fprintf(c.w, "\r\x1b[K%s  %d %%", c.name, min(100, 100*total/c.size))
	}
	if total >= c.size && off+int64(n) >= c.size {
		fmt.Fprint(c.w, "\r\x1b[K")
	}
	return n, err
}
