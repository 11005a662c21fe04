package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// writer has the files. It belongs to one goroutine.
type writer struct {
	dir string
	key []byte
	max int64
	now func() time.Time

	file     *os.File // nil: the files have to be looked at before the next line
	headFile *os.File
	head     head // as it is on the disk
	slot     int  // where the next head goes
}

// commit puts lines on the disk: all, or on an error none that counts. Who gets an
// error may try again.
func (w *writer) commit(lines []*Line) error {
	if w.file != nil && !w.untouched() {
		w.drop()
	}
	if w.file == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	if w.head.End >= w.max {
		if err := w.next(w.head.File + 1); err != nil {
			w.drop()
			return err
		}
	}
	return w.append(lines)
}

// untouched tells whether the file is still the one that has the name, and as long as it was left.
func (w *writer) untouched() bool {
	here, err := os.Stat(w.file.Name())
	if err != nil || here.Size() != w.head.End {
		return false
	}
	mine, err := w.file.Stat()
	return err == nil && os.SameFile(here, mine)
}

// append writes the lines behind the head, then the head.
func (w *writer) append(lines []*Line) error {
	next := w.head
	var out []byte
	for _, l := range lines {
		l.Schema, l.Seq, l.Time, l.Prev = 1, next.Seq+1, stamped(w.now()), next.Hash
		b, err := l.encode()
		if err != nil {
			return err
		}
		next.Seq, next.Hash, next.Start, next.End = l.Seq, hashOf(b).String(), next.End, next.End+int64(len(b))
		out = append(out, b...)
	}
	if err := w.put(out); err != nil {
		_ = w.file.Truncate(w.head.End) // none of it counts; what cannot be taken away now is found by open
		w.drop()
		return err
	}
	if err := w.putHead(&next); err != nil {
		w.drop() // the new head may be there or not: the lines stay, so that either is true
		return err
	}
	return nil
}

func (w *writer) put(b []byte) error {
	if _, err := w.file.WriteAt(b, w.head.End); err != nil {
		return err
	}
	return flush(w.file)
}

// putHead writes over the older of the two heads.
func (w *writer) putHead(next *head) error {
	if _, err := w.headFile.WriteAt(next.slot(w.key), int64(w.slot)*slotSize); err != nil {
		return err
	}
	if err := flush(w.headFile); err != nil {
		return err
	}
	w.head, w.slot = *next, (w.slot+1)%slots
	return nil
}

// next begins the file with that number.
func (w *writer) next(number int) error {
	f, err := os.OpenFile(filepath.Join(w.dir, fileName(number)), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := atomicfile.SyncDir(w.dir); err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	if w.file != nil {
		w.file.Close()
	}
	w.file = f
	w.head.File, w.head.Start, w.head.End = number, 0, 0
	return nil
}

// drop closes the files; the next commit looks at them anew.
func (w *writer) drop() { _ = w.close() } // what was written is on the disk, or does not count

func (w *writer) close() error {
	var errs []error
	for _, f := range []*os.File{w.file, w.headFile} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	w.file, w.headFile = nil, nil
	return errors.Join(errs...)
}

// newHeadFile makes the file of the head, both slots alike.
func (w *writer) newHeadFile(h *head) error {
	if err := atomicfile.Write(filepath.Join(w.dir, headName), append(h.slot(w.key), h.slot(w.key)...)); err != nil {
		return fmt.Errorf("writing the head: %w", err)
	}
	return nil
}
