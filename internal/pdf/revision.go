package pdf

import (
	"bytes"
	"io"
	"slices"
)

// Revision is what one save of the file added. A linearised file is one
// revision although it has two cross-references.
type Revision struct {
	// Start and End are the bytes it added; End is after its %%EOF, and EndLine
	// after the line end that follows, if one does.
	Start, End, EndLine int64
	// Xref is the offset of its cross-reference, as startxref has it.
	Xref int64
	// Trailer is its trailer dictionary, or that of its cross-reference stream.
	Trailer Dict
	// Stream: the cross-reference is a stream.
	Stream bool
	// HasEOF: %%EOF stands where it should.
	HasEOF bool
}

// Revisions are oldest first. The slice is the file's own.
func (f *File) Revisions() []Revision { return f.revisions }

// version is an entry with the revision that made it.
type version struct {
	entry
	rev int32
}

// sortRevisions makes revisions of the sections, and of their entries the index
// that views look objects up in.
func (f *File) sortRevisions() {
	linear := f.linearized()
	var total int
	for _, s := range f.sections {
		total += len(s.entries)
	}
	f.versions = make([]version, 0, total)
	f.revisions = nil
	for i := len(f.sections) - 1; i >= 0; i-- {
		s := f.sections[i]
		end := s.end
		rev := int32(len(f.revisions))
		// The first-page section of a linearised file stands before the main
		// one, which it names as Prev.
		joined := linear && i == len(f.sections)-1 && i > 0 && f.sections[i-1].at < s.at
		f.add(s.entries, rev)
		if joined {
			i--
			first := f.sections[i]
			f.add(first.entries, rev)
			end, s = max(s.end, first.end), first
		}
		r := Revision{Xref: s.at, Trailer: s.trailer, Stream: s.stream}
		limit := f.size
		if i > 0 && f.sections[i-1].at > end {
			limit = f.sections[i-1].at
		}
		r.End, r.EndLine, r.HasEOF = f.eofAfter(end, limit)
		if rev > 0 {
			before := f.revisions[rev-1]
			r.Start = before.EndLine
			r.End, r.EndLine = max(r.End, before.End), max(r.EndLine, before.EndLine)
		}
		f.revisions = append(f.revisions, r)
	}
	f.sortVersions()
}

func (f *File) add(entries []entry, rev int32) {
	for _, e := range entries {
		f.versions = append(f.versions, version{e, rev})
	}
}

// sortVersions orders by number and revision; of two of one revision the one
// added last stays (in a linearised file that of the first-page section).
func (f *File) sortVersions() {
	slices.SortStableFunc(f.versions, func(a, b version) int {
		if a.num != b.num {
			return int(a.num) - int(b.num)
		}
		return int(a.rev - b.rev)
	})
	out := f.versions[:0]
	for i, v := range f.versions {
		if i+1 < len(f.versions) && f.versions[i+1].num == v.num && f.versions[i+1].rev == v.rev {
			continue
		}
		out = append(out, v)
	}
	f.versions = out
	f.contained = nil
}

// linearized tells whether the file begins with a linearization dictionary.
// ISO 32000-1, annex F.
func (f *File) linearized() bool {
	p := f.parserAt(f.base)
	p.scan = nil
	in, err := p.indirect()
	if err != nil {
		return false
	}
	d, _ := in.Value.(Dict)
	_, ok := d["Linearized"]
	return ok
}

// eofAfter finds the %%EOF that ends a revision whose cross-reference ends at
// from: the first one, not further than the next cross-reference.
func (f *File) eofAfter(from, limit int64) (end, line int64, ok bool) {
	window := make([]byte, min(4096, limit-from))
	n, err := f.r.ReadAt(window, from)
	if err != nil && err != io.EOF {
		return from, from, false
	}
	window = window[:n]
	i := bytes.Index(window, []byte("%%EOF"))
	if i < 0 {
		return from, from, false
	}
	i += len("%%EOF")
	end = from + int64(i)
	line = end
	rest := window[i:]
	for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
		rest = rest[1:]
		line++
	}
	switch {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		line += 2
	case bytes.HasPrefix(rest, []byte("\r")), bytes.HasPrefix(rest, []byte("\n")):
		line++
	default:
		line = end
	}
	return end, line, true
}

// RevisionAt returns the newest revision that is complete within the first size
// bytes, and whether these end with it: at its %%EOF, or in the white space
// after that. It is -1 when none is.
func (f *File) RevisionAt(size int64) (rev int, exact bool) {
	rev = -1
	for i, r := range f.revisions {
		if r.End <= size {
			rev = i
		}
	}
	if rev < 0 {
		return rev, false
	}
	if !f.revisions[rev].HasEOF {
		return rev, size == f.size
	}
	blank, _ := f.blank(f.revisions[rev].End, size)
	return rev, blank
}

// RevisionOf is the revision whose bytes hold an offset; -1 if none does.
func (f *File) RevisionOf(at int64) int {
	i := int(f.revisionOf(at))
	if i < 0 || at >= f.revisions[i].EndLine {
		return -1
	}
	return i
}

// blank tells whether there is nothing but white space between two offsets.
// Beyond 64 KiB the answer is no.
func (f *File) blank(from, to int64) (ok bool, rest []byte) {
	if to <= from {
		return true, nil
	}
	rest = make([]byte, min(to-from, 1<<16))
	n, err := f.r.ReadAt(rest, from)
	if err != nil && err != io.EOF {
		return false, nil
	}
	rest = rest[:n]
	for _, c := range rest {
		if !isSpace(c) {
			return false, rest
		}
	}
	return to-from <= 1<<16, rest
}

// LeadsTo tells whether the last startxref between two offsets names the
// cross-reference of a revision, so that a reader that has only the bytes up to
// there would come out at it; ok is false when there is no startxref.
func (f *File) LeadsTo(from, to int64, rev int) (leads, ok bool) {
	xref, at, ok := f.lastStartxref(to)
	if !ok || at < from || rev < 0 || f.Repaired {
		return false, false
	}
	return slices.ContainsFunc(f.places(xref), func(off int64) bool {
		l := newLexer(f.r, f.size, off)
		l.skipSpace()
		return l.pos == f.revisions[rev].Xref
	}), true
}

// Tail returns what stands after the last revision, white space aside: nil, or
// up to 64 KiB of it.
func (f *File) Tail() []byte {
	if len(f.revisions) == 0 {
		return nil
	}
	end := f.revisions[len(f.revisions)-1].End
	if blank, rest := f.blank(end, f.size); !blank {
		return rest
	}
	return nil
}

// Truncated opens the first size bytes as a file of their own.
func (f *File) Truncated(size int64) (*File, error) {
	return Open(io.NewSectionReader(f.r, 0, size), size)
}
