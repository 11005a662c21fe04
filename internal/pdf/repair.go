package pdf

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// Range is part of a file.
type Range struct{ Start, End int64 }

// found is what scanning for objects came upon, in file order.
type found struct {
	objects  []entry
	trailers []int64 // where a trailer is
	eofs     []int64 // where a %%EOF is: the ends of the revisions
	special  []entry // object streams and cross-reference streams
}

// repair builds the revisions by looking for objects through the whole file,
// as readers do when the cross-reference is of no use. The later of two objects
// with one number counts.
func (f *File) repair() error {
	f.Repaired = true
	f.sections, f.revisions, f.versions, f.contained, f.crypt = nil, nil, nil, nil, nil
	clear(f.objects)
	clear(f.streams)
	f.held = 0
	all, err := f.scan()
	if err != nil {
		return err
	}
	if len(all.objects) == 0 {
		return fmt.Errorf("%w: neither a cross-reference nor objects", ErrBroken)
	}
	all = f.withoutEmbedded(all)
	ends := all.eofs
	if len(ends) == 0 || all.objects[len(all.objects)-1].at > ends[len(ends)-1] {
		ends = append(ends, f.size)
	}
	start := int64(0)
	for _, end := range ends {
		_, line, _ := f.eofAfter(max(start, end-int64(len("%%EOF"))), f.size)
		f.revisions = append(f.revisions, Revision{Start: start, End: end, EndLine: max(end, line), Xref: end, HasEOF: true})
		start = max(end, line)
	}
	for _, e := range all.objects {
		f.versions = append(f.versions, version{e, f.revisionOf(e.at)})
	}
	f.sortVersions()
	f.findTrailers(all)
	if err := f.setupCrypt(); err != nil {
		return err
	}
	f.addContained(all.special)
	f.findCatalog()
	return nil
}

// revisionOf is the revision whose bytes hold the offset.
func (f *File) revisionOf(at int64) int32 {
	i, _ := slices.BinarySearchFunc(f.revisions, at, func(r Revision, at int64) int {
		if r.End <= at {
			return -1
		}
		return 1
	})
	return int32(min(i, len(f.revisions)-1))
}

// scan reads the file once.
func (f *File) scan() (found, error) {
	const chunk, overlap = 1 << 20, 64
	var all found
	buf := make([]byte, min(chunk+overlap, f.size))
	for at := int64(0); at < f.size; at += chunk {
		n, err := f.r.ReadAt(buf[:min(chunk+overlap, f.size-at)], at)
		if err != nil && err != io.EOF {
			return all, fmt.Errorf("scanning the file: %w", err)
		}
		// What begins in the overlap is found with the next window.
		f.scanWindow(buf[:n], at, min(chunk, int64(n)), &all)
		if !f.spend(int64(n)) {
			return all, errBudget
		}
	}
	return all, nil
}

// scanWindow looks for words that begin in the first limit bytes of b.
func (f *File) scanWindow(b []byte, at, limit int64, all *found) {
	each := func(word string, visit func(i int64)) {
		for i := int64(0); i < limit; {
			j := bytes.Index(b[i:], []byte(word))
			if j < 0 || i+int64(j) >= limit {
				return
			}
			visit(i + int64(j))
			i += int64(j) + 1
		}
	}
	each("obj", func(i int64) {
		if e, ok := f.objectBefore(at + i); ok {
			all.objects = append(all.objects, e)
		}
	})
	each("trailer", func(i int64) { all.trailers = append(all.trailers, at+i) })
	each("%%EOF", func(i int64) { all.eofs = append(all.eofs, at+i) })
}

// withoutEmbedded leaves out what stands within streams, such as the objects of
// an attached PDF, and picks the streams that matter to the structure.
func (f *File) withoutEmbedded(all found) found {
	f.revisions = []Revision{{End: f.size}}
	for _, e := range all.objects {
		f.versions = append(f.versions, version{entry: e})
	}
	f.sortVersions()
	var out found
	var inside []Range
	end := int64(0)
	for _, e := range all.objects {
		if e.at < end {
			continue
		}
		out.objects = append(out.objects, e)
		p := f.parserAt(e.at)
		p.lookup = f.At(0).length
		in, err := p.indirect()
		if err != nil {
			continue
		}
		if s, ok := in.Value.(*Stream); ok {
			end = s.At + s.Len
			inside = append(inside, Range{s.At, end})
			if t := s.Dict["Type"]; t == Name("ObjStm") || t == Name("XRef") {
				out.special = append(out.special, e)
			}
		}
	}
	free := func(at int64) bool {
		_, in := slices.BinarySearchFunc(inside, at, func(r Range, at int64) int {
			switch {
			case r.End <= at:
				return -1
			case r.Start > at:
				return 1
			}
			return 0
		})
		return !in
	}
	for _, at := range all.trailers {
		if free(at) {
			out.trailers = append(out.trailers, at+int64(len("trailer")))
		}
	}
	for _, at := range all.eofs {
		if free(at) {
			out.eofs = append(out.eofs, at+int64(len("%%EOF")))
		}
	}
	f.revisions, f.versions = nil, nil
	return out
}

// objectBefore reads the two numbers before "obj" at the given offset.
func (f *File) objectBefore(at int64) (entry, bool) {
	window := make([]byte, min(24, at))
	if _, err := f.r.ReadAt(window, at-int64(len(window))); err != nil {
		return entry{}, false
	}
	end := len(window)
	number := func() (int64, bool) {
		i := end
		for i > 0 && isSpace(window[i-1]) {
			i--
		}
		stop := i
		v, scale := int64(0), int64(1)
		for i > 0 && isDigit(window[i-1]) && stop-i < 10 {
			i--
			v += int64(window[i]-'0') * scale
			scale *= 10
		}
		end = i
		return v, i < stop
	}
	gen, ok := number()
	if !ok || end == 0 || !isSpace(window[end-1]) {
		return entry{}, false
	}
	num, ok := number()
	if !ok || num > maxObjectNum || gen > 65535 || end > 0 && !isSpace(window[end-1]) && !bytes.HasSuffix(window[:end], []byte("endobj")) {
		return entry{}, false
	}
	return entry{num: uint32(num), kind: entryDirect, gen: uint16(gen), at: at - int64(len(window)) + int64(end)}, true
}

// findTrailers gives each revision its last trailer, or cross-reference stream,
// and the others that of the revision before.
func (f *File) findTrailers(all found) {
	set := func(at int64, d Dict) {
		rev := &f.revisions[f.revisionOf(at)]
		if d["Root"] == nil {
			return
		}
		rev.Trailer = d
	}
	for _, e := range all.special {
		p := f.parserAt(e.at)
		if in, err := p.indirect(); err == nil {
			if s, ok := in.Value.(*Stream); ok && s.Dict["Type"] == Name("XRef") {
				set(e.at, s.Dict)
			}
		}
	}
	for _, at := range all.trailers {
		if v, err := f.parserAt(at).value(0); err == nil {
			if d, ok := v.(Dict); ok {
				set(at, d)
			}
		}
	}
	f.spreadTrailers()
}

func (f *File) spreadTrailers() {
	for i := 1; i < len(f.revisions); i++ {
		if f.revisions[i].Trailer == nil {
			f.revisions[i].Trailer = f.revisions[i-1].Trailer
		}
	}
	for i := len(f.revisions) - 2; i >= 0; i-- {
		if f.revisions[i].Trailer == nil {
			f.revisions[i].Trailer = f.revisions[i+1].Trailer
		}
	}
}

// addContained enters the objects within object streams, unless an object of
// the file itself stands later.
func (f *File) addContained(special []entry) {
	var more []version
	for _, e := range special {
		rev := f.revisionOf(e.at)
		v := f.At(int(rev))
		if k := f.find(e.num, rev); k < 0 || f.versions[k].at != e.at {
			continue // replaced within its revision
		}
		in, err := v.loadDirect(e)
		if err != nil {
			continue
		}
		stream, ok := in.Value.(*Stream)
		if !ok || stream.Dict["Type"] != Name("ObjStm") {
			continue
		}
		s, err := f.parseObjectStream(v, stream)
		if err != nil {
			continue
		}
		for i, num := range s.numbers {
			if k := f.find(num, rev); k >= 0 && f.versions[k].rev == rev && f.versions[k].at > e.at {
				continue
			}
			more = append(more, version{entry{num: num, kind: entryCompressed, at: int64(e.num)<<32 | int64(i)}, rev})
		}
	}
	f.versions = append(f.versions, more...)
	f.sortVersions()
	clear(f.objects)
}

// findCatalog looks for a catalog where no trailer names one.
func (f *File) findCatalog() {
	for rev := range f.revisions {
		v := f.At(rev)
		if v.Catalog() != nil {
			continue
		}
		for _, num := range v.Numbers() {
			in := v.Indirect(num)
			if in == nil {
				continue
			}
			if d, ok := in.Value.(Dict); ok && d["Type"] == Name("Catalog") && d["Pages"] != nil {
				f.revisions[rev].Trailer = Dict{"Root": Ref{Num: num}}
				break
			}
		}
	}
}
