package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The kinds of faults.
const (
	FaultChanged   = "changed"
	FaultRemoved   = "removed"
	FaultReordered = "reordered"
	FaultCut       = "cut off"
	FaultHead      = "head" // the head is missing, or not the one that was written
)

// Fault is the first thing that is wrong.
type Fault struct {
	Kind   string `json:"kind"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"` // in the file, from 1
	Seq    uint64 `json:"seq,omitempty"`  // of the line that is changed, missing, or stands in the wrong place
	Detail string `json:"detail"`
}

// Report is what Verify found.
type Report struct {
	Files       int       `json:"files"`
	Lines       int       `json:"lines"`
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"`
	HeadChecked bool      `json:"headChecked"`           // false: the key was not there
	Unconfirmed int       `json:"unconfirmed,omitempty"` // lines behind the head: just being written, or a crash
	Torn        int       `json:"torn,omitempty"`        // bytes of a last line that is not whole: the same
	Mended      int       `json:"mended,omitempty"`      // times that a crash was mended
	Fault       *Fault    `json:"fault,omitempty"`       // nil: nothing is wrong
}

// record is a line as the chain sees it.
type record struct {
	file  string
	line  int
	whole bool // it ends in a line feed
	ok    bool // it is a line of a log
	hash  string
	link
	time                time.Time
	event, kind, detail string
	torn                int // bytes of the last line of the log, which is not whole
}

// Verify reads the whole log while it may be written. key is that of the
// installation, for a log that was copied without it; none: the one in dir.
// Without any the head is not checked, so lines cut off at the end are not missed.
// An error says that the log could not be read; a report without Fault that all
// lines are there, as they were written and in their order. Errors: ErrNone, ErrKey,
// those of the file system.
func Verify(dir string, key ...[]byte) (*Report, error) {
	var k []byte
	var err error
	if len(key) > 0 {
		k = key[0]
	} else if k, err = readKey(dir); err != nil {
		return nil, err
	}
	var hs heads // read before the lines, of which there may be more meanwhile
	if k != nil {
		if hs, err = readHeads(dir, k); err != nil {
			return nil, err
		}
	}
	numbers, err := fileNumbers(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	if len(numbers) == 0 && (k == nil || hs.missing) {
		return nil, ErrNone
	}
	v := &verifier{report: &Report{Files: len(numbers), HeadChecked: k != nil}, heads: hs, seq: 1, prev: hash{}.String()}
	if err := walk(dir, numbers, v.line); err != nil && !errors.Is(err, errStop) {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	v.end()
	return v.report, nil
}

// errStop ends a walk.
var errStop = errors.New("stop")

// walk gives each line of the files, with the one that follows; nil: none does.
func walk(dir string, numbers []int, f func(r, next *record) error) error {
	var waiting *record
	for i, n := range numbers {
		file, err := os.Open(filepath.Join(dir, fileName(n)))
		if err != nil {
			return err
		}
		err = walkFile(file, fileName(n), i == len(numbers)-1, func(r *record) error {
			w := waiting
			if waiting = r; w == nil {
				return nil
			}
			return f(w, r)
		})
		file.Close()
		if err != nil {
			return err
		}
	}
	if waiting == nil {
		return nil
	}
	return f(waiting, nil)
}

func walkFile(file io.Reader, name string, last bool, f func(*record) error) error {
	r := newLines(file)
	for n := 1; ; n++ {
		b, err := r.next()
		if errors.Is(err, io.EOF) && len(b) == 0 {
			return nil
		}
		rec := &record{file: name, line: n, whole: err == nil}
		if last && errors.Is(err, io.EOF) {
			rec.torn = len(b)
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errLong) {
			return err
		}
		var l struct {
			link
			Time   time.Time `json:"time"`
			Event  string    `json:"event"`
			Kind   string    `json:"kind"`
			Detail string    `json:"detail"`
		}
		if err == nil && json.Unmarshal(b, &l) == nil && l.Seq > 0 {
			rec.ok, rec.link, rec.time, rec.event, rec.kind, rec.detail = true, l.link, l.Time, l.Event, l.Kind, l.Detail
		}
		rec.hash = hashOf(b).String()
		if err := f(rec); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

// verifier goes along the chain.
type verifier struct {
	report  *Report
	heads   heads
	seq     uint64 // expected next
	prev    string
	last    *record // before that
	missing uint64  // a line that is looked for behind where it should be
	gap     *record // where it is missing
}

func (v *verifier) fault(kind string, r *record, seq uint64, detail string) error {
	v.report.Fault = &Fault{Kind: kind, Seq: seq, Detail: detail}
	if r != nil {
		v.report.Fault.File, v.report.Fault.Line = r.file, r.line
	}
	return errStop
}

// line takes the next one.
func (v *verifier) line(r, next *record) error {
	if v.missing != 0 { // the fault is known; which one it is depends on what is still to come
		if r.ok && r.Seq == v.missing {
			return v.fault(FaultReordered, v.gap, v.missing, fmt.Sprintf("line %d stands behind later ones, in %s", v.missing, r.file))
		}
		return nil
	}
	if r.torn > 0 {
		v.report.Torn = r.torn
		return nil
	}
	v.report.Lines++
	if !r.whole || !r.ok {
		return v.fault(FaultChanged, r, v.seq, "it cannot be read")
	}
	if r.event == EventFault {
		if !slices.Contains([]string{FaultRemoved, FaultReordered, FaultCut, FaultHead}, r.kind) {
			r.kind = FaultChanged
		}
		return v.fault(r.kind, r, r.Seq, "found when the log was opened: "+r.detail)
	}
	if r.Seq != v.seq || r.Prev != v.prev {
		return v.broken(r, next)
	}
	if h := v.heads.last; h != nil && r.Seq == h.Seq && r.hash != h.Hash {
		return v.fault(FaultChanged, r, r.Seq, "the head has another line")
	}
	if v.report.First.IsZero() {
		v.report.First = r.time
	}
	if r.event == EventMended {
		v.report.Mended++
	}
	v.report.Last = r.time
	v.last, v.seq, v.prev = r, r.Seq+1, r.hash
	return nil
}

// broken finds out what is wrong where the chain ends.
func (v *verifier) broken(r, next *record) error {
	followed := next != nil && next.ok && next.Seq == v.seq+1
	if r.Seq == v.seq || r.Prev == v.prev || followed { // it stands where it should
		h := v.heads.last
		untouched := r.Seq == v.seq && (next != nil && next.ok && next.Prev == r.hash || h != nil && h.Seq == r.Seq && h.Hash == r.hash)
		if untouched && v.last != nil {
			return v.fault(FaultChanged, v.last, v.last.Seq, "the line behind it has another hash for it")
		}
		return v.fault(FaultChanged, r, v.seq, "it does not hold the hash of the line before, or has another number")
	}
	if r.Seq < v.seq {
		return v.fault(FaultReordered, r, r.Seq, fmt.Sprintf("line %d was expected", v.seq))
	}
	v.missing, v.gap = v.seq, r
	return nil
}

// end compares the last line with the head.
func (v *verifier) end() {
	switch h := v.heads.last; {
	case v.report.Fault != nil:
	case v.missing != 0:
		_ = v.fault(FaultRemoved, v.gap, v.missing, fmt.Sprintf("line %d follows", v.gap.Seq))
	case !v.report.HeadChecked:
	case h == nil:
		_ = v.fault(FaultHead, nil, 0, "the head is missing, or not the one that was written")
	case h.Seq >= v.seq:
		_ = v.fault(FaultCut, v.last, v.seq, fmt.Sprintf("the head says that line %d is the last", h.Seq))
	case v.heads.damaged && h.Seq == v.seq-1:
		_ = v.fault(FaultHead, nil, 0, "one of the two heads is not as it was written")
	default:
		v.report.Unconfirmed = int(v.seq - 1 - h.Seq)
	}
}

// VerifyHead compares the log with a head that was sent away (Options.Sink): who
// has put an older state of the whole folder back has lost the line that it names,
// or has another one in its place. A nil Fault: the line is there. Errors: ErrKey
// when the head was not made with this key, those of Verify.
func VerifyHead(dir, sent string, key ...[]byte) (*Fault, error) {
	var k []byte
	var err error
	if len(key) > 0 {
		k = key[0]
	} else if k, err = readKey(dir); err != nil {
		return nil, err
	}
	h := parseHead([]byte(sent), k)
	if h == nil {
		return nil, fmt.Errorf("%w: the head was not made with this one, or is not whole", ErrKey)
	}
	numbers, err := fileNumbers(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	found := &Fault{Kind: FaultCut, Seq: h.Seq, Detail: "the head that was sent away names a line that is not there"}
	err = walk(dir, numbers, func(r, _ *record) error {
		if !r.ok || r.Seq != h.Seq {
			return nil
		}
		if found = nil; r.hash != h.Hash {
			found = &Fault{Kind: FaultChanged, File: r.file, Line: r.line, Seq: r.Seq, Detail: "the head that was sent away has another line"}
		}
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return found, nil
}
