package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// found is how the log was met.
type found struct {
	fresh  bool
	at     head   // the last line that holds, with the file that is to be written on
	torn   int64  // bytes behind it that are no whole line
	taken  int    // lines behind the head that hold
	fault  string // kind; empty: the log is as it was left, or as a crash leaves it
	detail string
}

func (f *found) wrong(kind, detail string, args ...any) {
	f.fault, f.detail = kind, fmt.Sprintf(detail, args...)
}

// open looks at the files, mends what a crash left, notes what was not as it had
// been left, and has the last file ready for the next line.
func (w *writer) open() (err error) {
	defer func() {
		if err != nil {
			w.drop()
		}
	}()
	hs, err := readHeads(w.dir, w.key)
	if err != nil {
		return err
	}
	numbers, err := fileNumbers(w.dir)
	if err != nil {
		return err
	}
	f, err := w.look(hs, numbers)
	if err != nil {
		return err
	}
	w.head, w.slot = f.at, (hs.slot+1)%slots
	if f.fault != "" {
		err = w.next(slices.Max(append(numbers, f.at.File)) + 1)
	} else if f.fresh {
		err = w.newHeadFile(&w.head) // before there is a line that would miss it
	}
	if err == nil && f.fault != "" {
		err = w.newHeadFile(&w.head)
	} else if err == nil {
		err = w.use(f.at.File, f.torn)
	}
	if err != nil {
		return err
	}
	if w.headFile, err = os.OpenFile(filepath.Join(w.dir, headName), os.O_RDWR, 0); err != nil {
		return err
	}
	if line := f.line(); line != nil {
		return w.append([]*Line{line})
	}
	return nil
}

// line is what the log says of how it was met; nil: nothing.
func (f *found) line() *Line {
	var mended []string
	if f.torn > 0 {
		mended = append(mended, fmt.Sprintf("%d bytes of a torn line taken away", f.torn))
	}
	if f.taken > 0 {
		mended = append(mended, fmt.Sprintf("%d lines behind the head taken over", f.taken))
	}
	switch {
	case f.fault != "":
		return &Line{Event: EventFault, Kind: f.fault, Detail: f.detail}
	case f.fresh:
		return &Line{Event: EventBegin}
	case len(mended) > 0:
		return &Line{Event: EventMended, Detail: strings.Join(mended, "; ")}
	}
	return nil
}

// use opens the file that is to be written on, and takes the torn line off.
func (w *writer) use(number int, torn int64) (err error) {
	path := filepath.Join(w.dir, fileName(number))
	w.file, err = os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return w.next(number) // the very first
	}
	if err != nil || torn == 0 {
		return err
	}
	if err := w.file.Truncate(w.head.End); err != nil {
		return err
	}
	return w.file.Sync()
}

// look compares the files with the head.
func (w *writer) look(hs heads, numbers []int) (*found, error) {
	f := &found{at: head{Hash: hash{}.String(), File: 1}}
	switch {
	case hs.missing && len(numbers) == 0:
		f.fresh = true
		return f, nil
	case hs.last == nil:
		if err := w.lastLine(f, numbers); err != nil {
			return nil, err
		}
		f.wrong(FaultHead, "the head was missing or not the one that was written")
		return f, nil
	}
	f.at = *hs.last
	if f.at.Seq == 0 && len(numbers) == 0 {
		f.fresh = true // a crash while the log was made
		return f, nil
	}
	if err := w.lookAtHead(f); err != nil || f.fault != "" {
		return f, err
	}
	for _, n := range numbers {
		if n < hs.last.File {
			continue
		}
		if err := w.tail(f, n, n == numbers[len(numbers)-1]); err != nil || f.fault != "" {
			return f, err
		}
	}
	f.fresh = f.at.Seq == 0
	if hs.damaged && f.taken == 0 {
		// A crash that tears a head leaves the lines that it was about.
		f.wrong(FaultHead, "one of the two heads was not as it was written")
	}
	return f, nil
}

// lookAtHead compares the line that the head names.
func (w *writer) lookAtHead(f *found) error {
	file, err := os.Open(filepath.Join(w.dir, fileName(f.at.File)))
	if errors.Is(err, fs.ErrNotExist) {
		f.wrong(FaultCut, "line %d was the last; its file was gone", f.at.Seq)
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if f.at.End == 0 { // the file was begun, and nothing written to it
		return nil
	}
	line := make([]byte, f.at.End-f.at.Start)
	switch _, err := file.ReadAt(line, f.at.Start); {
	case errors.Is(err, io.EOF):
		f.wrong(FaultCut, "line %d was the last; the file ended before it did", f.at.Seq)
	case err != nil:
		return err
	case line[len(line)-1] != '\n' || hashOf(line).String() != f.at.Hash:
		f.wrong(FaultChanged, "line %d was not as it was written", f.at.Seq)
	}
	return nil
}

// tail takes over the whole lines behind the head, and finds the torn one.
func (w *writer) tail(f *found, number int, last bool) error {
	file, err := os.Open(filepath.Join(w.dir, fileName(number)))
	if err != nil {
		return err
	}
	defer file.Close()
	if number != f.at.File {
		f.at.File, f.at.Start, f.at.End = number, 0, 0
	}
	if _, err := file.Seek(f.at.End, io.SeekStart); err != nil {
		return err
	}
	r := newLines(file)
	for {
		line, err := r.next()
		if errors.Is(err, io.EOF) {
			if len(line) > 0 && !last {
				f.wrong(FaultChanged, "%s did not end with a whole line", fileName(number))
			}
			f.torn = int64(len(line))
			return nil
		}
		if err != nil && !errors.Is(err, errLong) {
			return err
		}
		l, ok := parseLink(line)
		if err != nil || !ok || l.Seq != f.at.Seq+1 || l.Prev != f.at.Hash {
			f.wrong(FaultChanged, "what stood behind line %d did not follow from it", f.at.Seq)
			return nil
		}
		f.at.Seq, f.at.Hash, f.at.Start, f.at.End = l.Seq, hashOf(line).String(), f.at.End, f.at.End+int64(len(line))
		f.taken++
	}
}

// lastLine finds where to go on when no head says it.
func (w *writer) lastLine(f *found, numbers []int) error {
	for _, n := range slices.Backward(numbers) {
		f.at.File = n
		file, err := os.Open(filepath.Join(w.dir, fileName(n)))
		if err != nil {
			return err
		}
		defer file.Close()
		r, any := newLines(file), false
		for {
			line, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil && !errors.Is(err, errLong) {
				return err
			}
			if l, ok := parseLink(line); ok {
				f.at.Seq, f.at.Hash, any = l.Seq, hashOf(line).String(), true
			}
		}
		if any {
			return nil
		}
	}
	return nil
}

// lines reads line by line with a limit.
type lines struct{ r *bufio.Reader }

func newLines(r io.Reader) lines { return lines{bufio.NewReaderSize(r, maxLine)} }

// errLong: a line is longer than any that was written.
var errLong = errors.New("audit: a line is too long")

// next is a line with its line feed. At the end of the file the error is io.EOF,
// beside what stood there without a line feed. The bytes last until the next call.
func (l lines) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.r.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return nil, errLong
}
