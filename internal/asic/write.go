package asic

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// Source is a file to be put into a container.
type Source struct {
	Name string // in the container, with slashes
	Data io.ReaderAt
	Size int64
	CRC  uint32 // of the content, by crc32.ChecksumIEEE: it stands before the data
}

// Bytes is the Source of what is in memory.
func Bytes(name string, content []byte) Source {
	return Source{Name: name, Data: bytes.NewReader(content), Size: int64(len(content)), CRC: crc32.ChecksumIEEE(content)}
}

// Bounds of what is compressed: a file is in memory for it, its size being told before its data.
// What would be taken for a bomb by who bounds the ratio is stored.
const (
	maxDeflated  = 4 << 20
	writtenRatio = maxRatio / 2
	// a value from here on stands in a zip64 extra field (APPNOTE 4.4.8 and 4.5.3)
	overflow32 = 0xffffffff
)

// Writer is a container that is to be written: Add, Replace and Rename say what is in it, Write writes it.
// It is for one goroutine.
type Writer struct {
	at       time.Time
	comment  []byte
	items    []*item // in the order of the local headers
	overflow int64   // overflow32, less in tests
}

// item is an entry to be written: one of an older container (kept), or new.
type item struct {
	kept *Entry
	name string // of a kept one: its new name, or empty
	new  *Source
	// order is that in the directory.
	order int

	// as written
	offset, packed int64
	method         uint16
	record         []byte
}

// NewWriter begins a new ASiC-E container, its entry mimetype the first (EN 319 162-1 annex A.1), or
// a new version of base if that is not nil. Entries that are added get the time at, or if it is zero that of
// the newest entry of base.
func NewWriter(base *Container, at time.Time) *Writer {
	w := &Writer{at: at.UTC(), overflow: overflow32}
	if base == nil {
		w.Add(Bytes(MIMETypeFile, []byte(asicEType)))
		return w
	}
	w.comment = base.raw
	order := map[*Entry]int{}
	for i, e := range base.all {
		order[e] = i
	}
	for _, e := range base.layout {
		if t := e.head.time(); at.IsZero() && t.After(w.at) {
			w.at = t
		}
		w.items = append(w.items, &item{kept: e, order: order[e]})
	}
	return w
}

// Add puts a file at the end.
func (w *Writer) Add(s Source) {
	w.items = append(w.items, &item{new: &s, order: len(w.items)})
}

// Replace puts a file in the place of the one that has its name, or at the end if there is none.
func (w *Writer) Replace(s Source) {
	for _, i := range w.items {
		if i.title() == s.Name {
			i.kept, i.name, i.new = nil, "", &s
			return
		}
	}
	w.Add(s)
}

// Rename gives a file another name; its data are copied as they stand.
func (w *Writer) Rename(from, to string) {
	for _, i := range w.items {
		switch {
		case i.title() != from:
		case i.new != nil:
			i.new.Name = to
		default:
			i.name = to
		}
	}
}

func (i *item) title() string {
	switch {
	case i.new != nil:
		return i.new.Name
	case i.name != "":
		return i.name
	}
	return i.kept.Name
}

// Check tells whether this package would open the container: ErrUnsafe for names, ErrBomb (an ErrUnsafe) for
// too many files (of an ASiC) or bytes.
func (w *Writer) Check() error {
	all := make([]*Entry, 0, len(w.items))
	total, files := int64(0), 0
	for _, i := range w.items {
		e := &Entry{Name: i.title()}
		if i.new != nil {
			e.Size = i.new.Size
		} else {
			e.Size, e.folder = i.kept.Size, i.kept.folder
		}
		if len(e.Name) == 0 || len(e.Name) > maxName {
			return unsafe("a name of %d bytes", len(e.Name))
		}
		if err := checkName(e.Name); err != nil {
			return err
		}
		if !e.folder {
			files++
		}
		if total += e.Size; total > maxTotal {
			return fmt.Errorf("%w: more than %d bytes", ErrBomb, int64(maxTotal))
		}
		all = append(all, e)
	}
	if files > MaxASiCFiles || len(all) > maxEntries {
		return fmt.Errorf("%w: %d files in one container, at most %d", ErrBomb, files, MaxASiCFiles)
	}
	return checkNames(all)
}

// Write writes the container to out and returns its size. Errors: those of Check, of the sources, of out and of ctx; and one if a
// source does not give the bytes it had when its checksum was made.
func (w *Writer) Write(ctx context.Context, out io.Writer) (int64, error) {
	if err := w.Check(); err != nil {
		return 0, fmt.Errorf("writing container: %w", err)
	}
	s := &sink{ctx: ctx, out: bufio.NewWriterSize(out, 64<<10)}
	for _, i := range w.items {
		if err := w.entry(s, i); err != nil {
			return s.at, fmt.Errorf("writing %q: %w", i.title(), err)
		}
	}
	w.directory(s)
	if s.err == nil {
		s.err = s.out.Flush()
	}
	if s.err != nil {
		return s.at, fmt.Errorf("writing container: %w", s.err)
	}
	return s.at, nil
}

// sink counts what is written; it keeps the first error.
type sink struct {
	ctx context.Context
	out *bufio.Writer
	at  int64
	err error

	packer *flate.Writer
	packed bytes.Buffer
}

func (s *sink) write(b []byte) {
	if s.err == nil {
		_, s.err = s.out.Write(b)
		s.at += int64(len(b))
	}
}

// copy writes n bytes of r, and returns their checksum.
func (s *sink) copy(r io.Reader, n int64) uint32 {
	sum := crc32.NewIEEE()
	buf := make([]byte, min(n, 256<<10))
	for n > 0 && s.err == nil {
		b := buf[:min(n, int64(len(buf)))]
		if _, s.err = io.ReadFull(withContext{s.ctx, r}, b); s.err != nil {
			break
		}
		sum.Write(b)
		s.write(b)
		n -= int64(len(b))
	}
	return sum.Sum32()
}

// entry writes an entry, and makes its record.
func (w *Writer) entry(s *sink, i *item) error {
	i.offset = s.at
	switch {
	case i.new != nil:
		if err := w.newEntry(s, i); err != nil {
			return err
		}
	case i.name != "":
		h := i.kept.head
		i.packed, i.method = h.packed, h.method
		s.write(w.local(i, i.name, h.size, h.crc))
		s.copy(io.NewSectionReader(i.kept.c.data, i.kept.dataAt, h.packed), h.packed)
		i.record = w.header(i, i.name, h.size, h.crc)
	default:
		e := i.kept
		s.copy(io.NewSectionReader(e.c.data, e.head.offset, e.end-e.head.offset), e.end-e.head.offset)
		i.record = w.moved(&e.head, i.offset)
	}
	return s.err
}

// newEntry compresses what is small and gets smaller; the entry mimetype is stored.
func (w *Writer) newEntry(s *sink, i *item) error {
	n := i.new
	var content io.Reader = io.NewSectionReader(n.Data, 0, n.Size)
	i.packed, i.method = n.Size, stored
	if n.Size <= maxDeflated && n.Name != MIMETypeFile {
		plain := make([]byte, n.Size)
		if _, err := io.ReadFull(content, plain); err != nil {
			return err
		}
		if crc32.ChecksumIEEE(plain) != n.CRC {
			return errChanged
		}
		content = bytes.NewReader(plain)
		packed, err := s.deflate(plain)
		if err != nil {
			return err
		}
		if len(packed)+len(packed)/8 < len(plain) && len(plain)/writtenRatio < len(packed) {
			i.packed, i.method = int64(len(packed)), deflated
			s.write(w.local(i, n.Name, n.Size, n.CRC))
			s.write(packed)
			i.record = w.header(i, n.Name, n.Size, n.CRC)
			return s.err
		}
	}
	s.write(w.local(i, n.Name, n.Size, n.CRC))
	if sum := s.copy(content, n.Size); s.err == nil && sum != n.CRC {
		return errChanged
	}
	i.record = w.header(i, n.Name, n.Size, n.CRC)
	return s.err
}

var errChanged = errors.New("it has changed meanwhile")

func (s *sink) deflate(plain []byte) ([]byte, error) {
	s.packed.Reset()
	if s.packer == nil {
		var err error
		if s.packer, err = flate.NewWriter(&s.packed, flate.DefaultCompression); err != nil {
			return nil, err
		}
	}
	s.packer.Reset(&s.packed)
	if _, err := s.packer.Write(plain); err != nil {
		return nil, err
	}
	if err := s.packer.Close(); err != nil {
		return nil, err
	}
	return s.packed.Bytes(), nil
}

// common are the fields that local header and directory share, from the version needed to the sizes
// (APPNOTE 4.3.7 and 4.3.12), and the sizes as they stand in the zip64 field.
func (w *Writer) common(i *item, name string, size int64, crc uint32, alwaysBoth bool) (fixed, long []byte) {
	version := uint16(10) // APPNOTE 4.4.3
	if i.method == deflated {
		version = 20
	}
	short := [2]uint32{uint32(i.packed), uint32(size)}
	big := [2]bool{i.packed >= w.overflow, size >= w.overflow}
	if alwaysBoth && (big[0] || big[1]) {
		big = [2]bool{true, true} // a local header has both or none
	}
	if big[1] {
		long, short[1] = binary.LittleEndian.AppendUint64(long, uint64(size)), overflow32
	}
	if big[0] {
		long, short[0] = binary.LittleEndian.AppendUint64(long, uint64(i.packed)), overflow32
	}
	if i.offset >= w.overflow || long != nil {
		version = 45
	}
	date, clock := dosTime(w.at)
	u16 := binary.LittleEndian.AppendUint16
	fixed = u16(u16(u16(u16(u16(nil, version), flagsOf(name)), i.method), clock), date)
	for _, v := range []uint32{crc, short[0], short[1]} {
		fixed = binary.LittleEndian.AppendUint32(fixed, v)
	}
	return fixed, long
}

// local makes a local header.
func (w *Writer) local(i *item, name string, size int64, crc uint32) []byte {
	fixed, long := w.common(i, name, size, crc, true)
	extra := zip64Field(long)
	out := append(binary.LittleEndian.AppendUint32(nil, sigLocal), fixed...)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(name)))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(extra)))
	return append(append(out, name...), extra...)
}
