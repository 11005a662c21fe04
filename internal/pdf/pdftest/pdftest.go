// Package pdftest writes PDF files for tests, revision by revision and down to
// the cross-reference: honest ones, sloppy ones, and those of attackers.
//
// New begins a File; File.Append and File.Sign add revisions; File.Bytes is the
// result. Contract is a document with pages, a form, layers and comments for
// others to start from.
//
// It shares no code with the readers it is there to test. Out of scope: making
// signatures, which Sign leaves to its caller.
//
// References: ISO 32000-1 sections 7.5.4 to 7.5.8, 12.8.1.
package pdftest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// File is a PDF file in the making.
type File struct {
	data   []byte
	prev   int // offset of the last cross-reference, 0: none
	next   int // lowest number not used
	root   int
	places map[int]int // newest offset of each object
}

// Update is what a revision adds. The zero value of everything but Objects is
// what common makers do.
type Update struct {
	// Objects are the texts between obj and endobj.
	Objects map[int]string
	// Free are numbers that it frees.
	Free []int
	// Offsets are further entries of the cross-reference, whatever stands there.
	Offsets map[int]int
	// Packed puts what is no stream into an object stream; this and XrefStream
	// write a cross-reference stream in place of a table.
	Packed, XrefStream bool
	// Hybrid writes a table and an XRefStm with the objects of Hidden.
	Hidden map[int]string
	// Root and Trailer change the trailer; Prev is the Prev written, 0 the
	// right one, -1 none.
	Root    int
	Trailer string
	Prev    int
	// NoXref writes the objects alone.
	NoXref bool
	// Tail stands after %%EOF in place of a line end.
	Tail string
}

// New is a file whose first revision has the objects given.
func New(root int, u Update) *File {
	f := &File{data: []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), root: root, places: map[int]int{}, next: 1}
	f.Append(u)
	return f
}

// Bytes are the file as it stands.
func (f *File) Bytes() []byte { return slices.Clone(f.data) }

// Clone is a file that goes its own way from here on.
func (f *File) Clone() *File {
	c := *f
	c.data, c.places = slices.Clone(f.data), maps.Clone(f.places)
	return &c
}

// Number reserves the number of an object to be added.
func (f *File) Number() int {
	f.next++
	return f.next - 1
}

// Offset is where the newest version of an object stands.
func (f *File) Offset(number int) int { return f.places[number] }

// Xref is the offset of the newest cross-reference.
func (f *File) Xref() int { return f.prev }

// Raw appends bytes as they are.
func (f *File) Raw(b string) { f.data = append(f.data, b...) }

// entry is one of the cross-reference: kind 0 free, 1 offset, 2 in a stream.
type entry struct{ kind, a, b int }

// Append adds a revision.
func (f *File) Append(u Update) {
	entries := map[int]entry{}
	put := func(n int, text string) {
		f.next = max(f.next, n+1)
		entries[n] = entry{1, len(f.data), 0}
		f.places[n] = len(f.data)
		f.data = fmt.Appendf(f.data, "%d 0 obj\n%s\nendobj\n", n, text)
	}
	var packed []int
	for _, n := range slices.Sorted(maps.Keys(u.Objects)) {
		f.next = max(f.next, n+1)
		if u.Packed && !strings.Contains(u.Objects[n], "stream\n") {
			packed = append(packed, n)
			continue
		}
		put(n, u.Objects[n])
	}
	pack := func(numbers []int, texts map[int]string, into map[int]entry) {
		container := f.Number()
		put(container, objectStream(numbers, texts))
		for i, n := range numbers {
			into[n] = entry{2, container, i}
		}
	}
	if len(packed) > 0 {
		pack(packed, u.Objects, entries)
	}
	for _, n := range u.Free {
		entries[n] = entry{0, 0, 1}
	}
	for n, at := range u.Offsets {
		entries[n] = entry{1, at, 0}
	}
	if u.Root != 0 {
		f.root = u.Root
	}
	if u.NoXref {
		return
	}
	if len(u.Hidden) > 0 {
		f.hybrid(u, entries, pack)
		return
	}
	trailer := f.trailer(u)
	at := len(f.data)
	if u.Packed || u.XrefStream {
		f.xrefStream(entries, trailer)
	} else {
		at = f.xrefTable(entries, trailer)
	}
	f.end(at, u.Tail)
}

func (f *File) end(at int, tail string) {
	if tail == "" {
		tail = "\n"
	}
	f.data = fmt.Appendf(f.data, "startxref\n%d\n%%%%EOF%s", at, tail)
	f.prev = at
}

func (f *File) trailer(u Update) string {
	s := fmt.Sprintf("/Root %d 0 R %s", f.root, u.Trailer)
	prev := f.prev
	if u.Prev != 0 {
		prev = u.Prev
	}
	if prev > 0 {
		s += fmt.Sprintf(" /Prev %d", prev)
	}
	return s
}

// runs are the sections of consecutive numbers, each as its first and count.
func runs(entries map[int]entry) (out [][2]int) {
	for _, n := range slices.Sorted(maps.Keys(entries)) {
		if last := len(out) - 1; last >= 0 && out[last][0]+out[last][1] == n {
			out[last][1]++
			continue
		}
		out = append(out, [2]int{n, 1})
	}
	return out
}

func (f *File) xrefTable(entries map[int]entry, trailer string) int {
	at := len(f.data)
	if f.prev == 0 {
		entries[0] = entry{0, 0, 65535}
	}
	var b bytes.Buffer
	b.WriteString("xref\n")
	for _, run := range runs(entries) {
		fmt.Fprintf(&b, "%d %d\n", run[0], run[1])
		for n := run[0]; n < run[0]+run[1]; n++ {
			e := entries[n]
			kind := "n"
			if e.kind == 0 {
				kind = "f"
			}
			fmt.Fprintf(&b, "%010d %05d %s \n", e.a, e.b, kind)
		}
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d %s >>\n", f.next, trailer)
	f.data = append(f.data, b.Bytes()...)
	return at
}

func (f *File) xrefStream(entries map[int]entry, trailer string) int {
	at := len(f.data)
	number := f.Number()
	entries[number] = entry{1, at, 0}
	f.places[number] = at
	if f.prev == 0 {
		entries[0] = entry{0, 0, 65535}
	}
	var rows []byte
	var index []string
	for _, run := range runs(entries) {
		index = append(index, fmt.Sprintf("%d %d", run[0], run[1]))
		for n := run[0]; n < run[0]+run[1]; n++ {
			e := entries[n]
			rows = binary.BigEndian.AppendUint32(append(rows, byte(e.kind)), uint32(e.a))
			rows = binary.BigEndian.AppendUint16(rows, uint16(e.b))
		}
	}
	dict := fmt.Sprintf("/Type /XRef /Size %d /W [1 4 2] /Index [%s] %s", f.next, strings.Join(index, " "), trailer)
	f.data = fmt.Appendf(f.data, "%d 0 obj\n%s\nendobj\n", number, Stream(dict, string(rows)))
	return at
}

// hybrid writes a table for the objects everybody sees, and an XRefStm for
// those of Hidden, in an object stream.
func (f *File) hybrid(u Update, entries map[int]entry, pack func([]int, map[int]string, map[int]entry)) {
	hidden := map[int]entry{}
	pack(slices.Sorted(maps.Keys(u.Hidden)), u.Hidden, hidden)
	for n := range u.Hidden {
		f.next = max(f.next, n+1)
		entries[n] = entry{0, 0, 0}
	}
	stream := f.xrefStream(hidden, fmt.Sprintf("/Root %d 0 R", f.root))
	trailer := f.trailer(u) + fmt.Sprintf(" /XRefStm %d", stream)
	f.end(f.xrefTable(entries, trailer), u.Tail)
}

func objectStream(numbers []int, texts map[int]string) string {
	var head, body strings.Builder
	for _, n := range numbers {
		fmt.Fprintf(&head, "%d %d ", n, body.Len())
		body.WriteString(texts[n] + "\n")
	}
	dict := fmt.Sprintf("/Type /ObjStm /N %d /First %d", len(numbers), head.Len())
	return Stream(dict, head.String()+body.String())
}

// Stream is the text of a stream object; Length is added to dict.
func Stream(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

// Signing says how a signature is put into a revision.
type Signing struct {
	Update
	// Dict is the text of the signature dictionary, ByteRange and Contents
	// apart, and Number that of its object.
	Dict   string
	Number int
	// Room for the message, in bytes; 0: 8192.
	Room int
	// Ranges changes the ByteRange before it is written; nil: the right one.
	Ranges func(n [4]int) [4]int
	// Make makes the message for the bytes of the ranges.
	Make func(signed []byte) ([]byte, error)
}

// placeholder is as long as any ByteRange.
const placeholder = "[0 0000000000 0000000000 0000000000]"

// Sign adds a revision with a signature over the file as it then is.
func (f *File) Sign(s Signing) error {
	if s.Room == 0 {
		s.Room = 8192
	}
	objects := maps.Clone(s.Objects)
	if objects == nil {
		objects = map[int]string{}
	}
	mark := "/Contents <"
	objects[s.Number] = fmt.Sprintf("<< %s /ByteRange %s %s%s> >>", s.Dict, placeholder, mark, strings.Repeat("0", 2*s.Room))
	s.Objects = objects
	before := len(f.data)
	f.Append(s.Update)
	at := bytes.Index(f.data[before:], []byte(placeholder))
	if at < 0 {
		return errors.New("the signature dictionary is in an object stream")
	}
	at += before
	open := at + bytes.Index(f.data[at:], []byte(mark)) + len(mark) - 1
	end := open + 2*s.Room + 2
	n := [4]int{0, open, end, len(f.data) - end}
	if s.Ranges != nil {
		n = s.Ranges(n)
	}
	copy(f.data[at:], fmt.Sprintf("[%d %010d %010d %010d]", n[0], n[1], n[2], n[3]))
	cut := func(from, length int) []byte {
		from, to := min(max(from, 0), len(f.data)), min(max(from+length, 0), len(f.data))
		return f.data[min(from, to):to]
	}
	message, err := s.Make(append(slices.Clone(cut(n[0], n[1])), cut(n[2], n[3])...))
	if err != nil {
		return fmt.Errorf("making the signature: %w", err)
	}
	if len(message) > s.Room {
		return errors.New("the signature does not fit into its room")
	}
	hex.Encode(f.data[open+1:], message)
	return nil
}
