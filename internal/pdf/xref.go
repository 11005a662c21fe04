package pdf

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// entryKind is the type of a cross-reference entry, ISO 32000-1 table 18.
type entryKind uint8

const (
	entryFree entryKind = iota
	entryDirect
	entryCompressed
)

// entry says where one object is.
type entry struct {
	num  uint32
	kind entryKind
	gen  uint16 // entryDirect
	// at is the offset, or the number of the object stream in its high half
	// and the index within it in its low half.
	at int64
}

func (e entry) container() uint32 { return uint32(e.at >> 32) }
func (e entry) index() int        { return int(uint32(e.at)) }

// section is one cross-reference table or stream with its trailer.
type section struct {
	at, end int64
	stream  bool
	entries []entry // by number, once each
	trailer Dict
	prev    int64 // -1: none
	hybrid  int64 // XRefStm, -1: none
}

// readChain follows startxref and Prev, newest section first, and sorts them
// into revisions.
func (f *File) readChain() error {
	start, _, ok := f.lastStartxref(f.size)
	if !ok {
		return fmt.Errorf("%w: no startxref", ErrBroken)
	}
	seen := map[int64]bool{}
	for at := start; ; {
		if seen[at] {
			return fmt.Errorf("%w: cross-references form a loop", ErrBroken)
		}
		seen[at] = true
		if len(f.sections) >= maxSections {
			return fmt.Errorf("%w: more than %d cross-reference sections", ErrBroken, maxSections)
		}
		s, err := f.readSection(at)
		if err != nil {
			if at == 0 && len(f.sections) > 0 {
				f.odd("Prev is 0")
				break
			}
			return err
		}
		if s.hybrid >= 0 && !seen[s.hybrid] {
			seen[s.hybrid] = true
			h, err := f.readSection(s.hybrid)
			if err != nil {
				return fmt.Errorf("hybrid cross-reference: %w", err)
			}
			s.entries = mergeHybrid(s.entries, h.entries)
		}
		f.sections = append(f.sections, s)
		if s.prev < 0 {
			break
		}
		at = s.prev
	}
	f.sortRevisions()
	return nil
}

// lastStartxref finds the last startxref before limit and where it stands.
func (f *File) lastStartxref(limit int64) (xref, at int64, ok bool) {
	var tail []byte
	for window := int64(2048); ; window = trailerWindow {
		window = min(window, limit)
		tail = make([]byte, window)
		if _, err := f.r.ReadAt(tail, limit-window); err != nil && err != io.EOF {
			return 0, 0, false
		}
		if i := lastIndexToken(tail, "startxref"); i >= 0 {
			l := newLexer(f.r, limit, limit-window+int64(i)+int64(len("startxref")))
			if t, err := l.next(); err == nil && t.kind == tokInt && t.i >= 0 {
				return t.i, limit - window + int64(i), true
			}
			return 0, 0, false
		}
		if window >= min(trailerWindow, limit) {
			return 0, 0, false
		}
	}
}

// lastIndexToken finds word where it stands alone.
func lastIndexToken(b []byte, word string) int {
	for end := len(b); ; {
		i := bytes.LastIndex(b[:end], []byte(word))
		if i < 0 {
			return -1
		}
		after := i + len(word)
		if (i == 0 || isSpace(b[i-1]) || isDelimiter(b[i-1])) && (after == len(b) || isSpace(b[after]) || isDelimiter(b[after]) || isDigit(b[after])) {
			return i
		}
		end = i
	}
}

// readSection reads the table or stream at an offset as cross-references give
// them, that is counted from the header.
func (f *File) readSection(at int64) (*section, error) {
	var first error
	for _, off := range f.places(at) {
		s, err := f.readSectionAt(off)
		if err == nil {
			return s, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = fmt.Errorf("%w: cross-reference at %d, outside the file", ErrBroken, at)
	}
	return nil, first
}

// places are the offsets that at may mean: most readers count from the header,
// some makers from the beginning of the file.
func (f *File) places(at int64) []int64 {
	var p []int64
	for _, off := range []int64{at + f.base, at} {
		if off >= 0 && off < f.size && !slices.Contains(p, off) {
			p = append(p, off)
		}
	}
	return p
}

func (f *File) readSectionAt(at int64) (*section, error) {
	p := f.parserAt(at)
	t, err := p.next()
	if err != nil {
		return nil, err
	}
	s := &section{at: t.at, prev: -1, hybrid: -1}
	switch {
	case t.is("xref"):
		if err := f.readTable(p, s); err != nil {
			return nil, err
		}
	case t.kind == tokInt:
		if err := f.readXrefStream(t.at, s); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w: no cross-reference at byte %d", ErrBroken, at)
	}
	if p, ok := s.trailer["Prev"]; ok {
		s.prev = Int(p, -1)
		if r, ok := p.(Ref); ok { // an old maker's fault
			s.prev = int64(r.Num)
		}
	}
	if h, ok := s.trailer["XRefStm"]; ok && !s.stream {
		s.hybrid = Int(h, -1)
	}
	slices.SortStableFunc(s.entries, func(a, b entry) int { return int(a.num) - int(b.num) })
	s.entries = compactLast(s.entries)
	return s, nil
}

// compactLast keeps of entries with the same number the last one.
func compactLast(entries []entry) []entry {
	out := entries[:0]
	for i, e := range entries {
		if i+1 < len(entries) && entries[i+1].num == e.num {
			continue
		}
		out = append(out, e)
	}
	return out
}

// mergeHybrid adds the entries of an XRefStm to those of its table: objects
// that the table has in use stay, those it hides as free are the stream's.
// ISO 32000-1, section 7.5.8.4.
func mergeHybrid(table, hidden []entry) []entry {
	in := map[uint32]int{}
	for i, e := range table {
		in[e.num] = i
	}
	for _, e := range hidden {
		if i, ok := in[e.num]; !ok {
			table = append(table, e)
		} else if table[i].kind == entryFree {
			table[i] = e
		}
	}
	slices.SortStableFunc(table, func(a, b entry) int { return int(a.num) - int(b.num) })
	return table
}

// readTable reads the subsections after "xref" and the trailer.
func (f *File) readTable(p *parser, s *section) error {
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		if t.is("trailer") {
			break
		}
		count, err := p.next()
		if err != nil {
			return err
		}
		if t.kind != tokInt || count.kind != tokInt || t.i < 0 || count.i < 0 {
			return syntax(t.at, "no cross-reference subsection")
		}
		if t.i+count.i > maxObjectNum+1 || count.i > f.size/8 {
			return syntax(t.at, "cross-reference subsection larger than the file")
		}
		if err := f.readSubsection(p, s, t.i, int(count.i)); err != nil {
			return err
		}
	}
	v, err := p.value(0)
	if err != nil {
		return err
	}
	trailer, ok := v.(Dict)
	if !ok {
		return syntax(p.pos, "the trailer is no dictionary")
	}
	s.trailer, s.end = trailer, p.pos
	return nil
}

func (f *File) readSubsection(p *parser, s *section, first int64, count int) error {
	for i := range count {
		off, err := p.next()
		if err != nil {
			return err
		}
		if off.is("trailer") { // fewer entries than announced
			f.odd("cross-reference subsection ends early at byte %d", off.at)
			p.pos = off.at
			return nil
		}
		gen, err := p.next()
		if err != nil {
			return err
		}
		kind, err := p.next()
		if err != nil {
			return err
		}
		if off.kind != tokInt || gen.kind != tokInt || kind.kind != tokKeyword {
			return syntax(off.at, "bad cross-reference entry")
		}
		if !f.spend(16) {
			return syntax(off.at, "too many cross-reference entries")
		}
		e := entry{num: uint32(first) + uint32(i), gen: uint16(min(gen.i, 65535)), at: off.i}
		switch kind.text {
		case "n":
			if e.kind = entryDirect; e.at == 0 { // never a place of an object
				e.kind = entryFree
			}
		case "f":
		default:
			return syntax(kind.at, "bad cross-reference entry")
		}
		if i == 0 && first == 1 && e.kind == entryFree && e.gen == 65535 {
			first = 0 // numbered from 1 by mistake
			e.num = 0
			f.odd("cross-reference table counts from 1")
		}
		s.entries = append(s.entries, e)
	}
	return nil
}
