package pdf

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// trailerOnly are keys of a trailer that belong to its own cross-reference.
// ISO 32000-2, tables 15 and 17.
var trailerOnly = []Name{"Prev", "XRefStm", "Size", "Type", "Length", "Filter", "DecodeParms", "W", "Index", "DL", "F", "FFilter", "FDecodeParms"}

// maxTableOffset is the largest that an entry of a cross-reference table can hold.
const maxTableOffset = 9_999_999_999

// crossReference writes a table or a stream, as the newest revision has it: a
// hybrid file has tables, in which every new object can be seen, so that it
// needs no second one. ISO 32000-2, sections 7.5.4, 7.5.6 and 7.5.8.
func (u *Update) crossReference(w *writer, offsets map[uint32]int64) error {
	trailer := maps.Clone(u.v.Trailer())
	for _, k := range trailerOnly {
		delete(trailer, k)
	}
	trailer["ID"] = u.identifiers(w.Bytes())
	rows := map[uint32]entry{}
	for num, at := range offsets {
		rows[num] = entry{num: num, kind: entryDirect, gen: u.generation(num), at: at - u.shift}
	}
	stream := u.f.revisions[u.v.rev].Stream
	if u.complete {
		stream = u.everything(rows)
	} else {
		trailer["Prev"] = u.f.revisions[u.v.rev].Xref - u.shift
	}
	at := w.position()
	if stream {
		own := Ref{Num: u.next}
		rows[own.Num] = entry{num: own.Num, kind: entryDirect, at: at - u.shift}
		trailer["Size"] = int64(u.next) + 1
		if err := w.xrefStream(own, rows, trailer); err != nil {
			return err
		}
	} else {
		trailer["Size"] = int64(u.next)
		if at > maxTableOffset {
			return fmt.Errorf("%w: it is too large for its kind of cross-reference", ErrNoUpdate)
		}
		if err := w.xrefTable(rows, trailer); err != nil {
			return err
		}
	}
	fmt.Fprintf(&w.Buffer, "startxref\n%d\n%%%%EOF\n", at-u.shift)
	return nil
}

// everything adds all other objects of the file, and tells whether some of them
// are in object streams.
func (u *Update) everything(rows map[uint32]entry) (compressed bool) {
	rows[0] = entry{gen: 65535}
	for _, num := range u.v.Numbers() {
		if _, ok := rows[num]; ok || u.v.Indirect(num) == nil {
			continue
		}
		e := u.f.versions[u.f.find(num, u.v.rev)].entry
		if e.kind == entryDirect {
			e.at -= u.shift
		}
		compressed = compressed || e.kind == entryCompressed
		rows[num] = e
	}
	return compressed
}

// sections cuts the numbers into runs of consecutive ones.
func sections(rows map[uint32]entry) (runs [][]entry) {
	last := int64(-2)
	for _, num := range slices.Sorted(maps.Keys(rows)) {
		if int64(num) != last+1 {
			runs = append(runs, nil)
		}
		last = int64(num)
		runs[len(runs)-1] = append(runs[len(runs)-1], rows[num])
	}
	return runs
}

func (w *writer) xrefTable(rows map[uint32]entry, trailer Dict) error {
	w.WriteString("xref\n")
	for _, run := range sections(rows) {
		fmt.Fprintf(&w.Buffer, "%d %d\n", run[0].num, len(run))
		for _, e := range run {
			kind := byte('n')
			if e.kind == entryFree {
				kind = 'f'
			}
			fmt.Fprintf(&w.Buffer, "%010d %05d %c \n", e.at, e.gen, kind)
		}
	}
	w.WriteString("trailer\n")
	if err := w.dict(trailer, 0); err != nil {
		return err
	}
	w.WriteByte('\n')
	return nil
}

// fields are the second and third field of an entry in a cross-reference
// stream. ISO 32000-2, table 18.
func (e entry) fields() (second, third uint64) {
	switch e.kind {
	case entryDirect:
		return uint64(e.at), uint64(e.gen)
	case entryCompressed:
		return uint64(e.container()), uint64(e.index())
	}
	return 0, uint64(e.gen)
}

// width is how many bytes a number takes, at least one.
func width(v uint64) int { return max(1, (bits.Len64(v)+7)/8) }

// xrefStream writes a cross-reference stream without compression: it is short.
func (w *writer) xrefStream(own Ref, rows map[uint32]entry, trailer Dict) error {
	second, third := 1, 1
	for _, e := range rows {
		a, b := e.fields()
		second, third = max(second, width(a)), max(third, width(b))
	}
	var data []byte
	index := Array{}
	for _, run := range sections(rows) {
		index = append(index, int64(run[0].num), int64(len(run)))
		for _, e := range run {
			a, b := e.fields()
			data = append(data, byte(e.kind))
			data = append(data, binary.BigEndian.AppendUint64(nil, a)[8-second:]...)
			data = append(data, binary.BigEndian.AppendUint64(nil, b)[8-third:]...)
		}
	}
	d := maps.Clone(trailer)
	d["Type"], d["W"], d["Index"] = Name("XRef"), Array{int64(1), int64(second), int64(third)}, index
	fmt.Fprintf(&w.Buffer, "%d 0 obj\n", own.Num)
	if err := w.object(&NewStream{Dict: d, Data: data}, 0); err != nil {
		return err
	}
	w.WriteString("\nendobj\n")
	return nil
}
