package sign

import (
	"context"
	"io"
	"sync"
)

// The steps that Progress names.
const (
	stepHash      = "hash"
	stepKey       = "key"
	stepTimestamp = "timestamp"
	stepEvidence  = "evidence"
	stepWrite     = "write"
)

// told is after how many bytes progress is told again.
const told = 4 << 20

// teller tells progress, of one operation. Its context ends the reading and writing of files.
type teller struct {
	tell func(Progress)
	file string

	mu   sync.Mutex // files may be read by several goroutines
	ctx  context.Context
	step string
	read int64 // bytes, in the step stepHash
	next int64 // when to tell again
}

// enter has another context hold from now on: the two steps of a signature have one each.
func (t *teller) enter(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ctx = ctx
}

func (t *teller) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ctx.Err()
}

// say tells how far a step is, and returns the error of a context that has ended by then.
func (t *teller) say(step string, done, total int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.step = step
	if t.tell != nil {
		t.tell(Progress{t.file, step, done, total})
	}
	return t.ctx.Err()
}

// was notes bytes read of a file of that size, and tells of them now and then while digests are made.
func (t *teller) was(n int, size int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.step != stepHash || t.tell == nil {
		return nil
	}
	if t.read += int64(n); t.read >= t.next {
		t.next = t.read + told
		t.tell(Progress{t.file, stepHash, min(t.read, size), size})
	}
	return t.ctx.Err()
}

// reader is a source that tells how far it was read while digests are made, and that ends with the context.
type reader struct {
	*teller
	src Source
}

// ReadAt implements io.ReaderAt.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.err(); err != nil {
		return 0, err
	}
	n, err := r.src.Data.ReadAt(p, off)
	if ended := r.was(n, r.src.Size); ended != nil {
		return 0, ended
	}
	return n, err
}

// writer counts and tells what is written, and ends with the context.
type writer struct {
	*teller
	w     io.Writer
	n     int64
	next  int64
	total int64 // 0: not known
	quiet bool  // what is written is content that is being hashed, which is told
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	err := w.err()
	if err == nil && w.n >= w.next && !w.quiet {
		w.next = w.n + told
		err = w.say(stepWrite, w.n, w.total)
	}
	if err != nil {
		return 0, err
	}
	n, err := w.w.Write(p)
	w.n += int64(n)
	return n, err
}
