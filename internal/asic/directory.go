package asic

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Signatures and fixed sizes of APPNOTE 4.3.
const (
	sigLocal        = 0x04034b50 // 4.3.7
	sigDescriptor   = 0x08074b50 // 4.3.9
	sigHeader       = 0x02014b50 // 4.3.12
	sigEnd64        = 0x06064b50 // 4.3.14
	sigEnd64Locator = 0x07064b50 // 4.3.15
	sigEnd          = 0x06054b50 // 4.3.16

	sizeLocal   = 30
	sizeHeader  = 46
	sizeEnd64   = 56
	sizeLocator = 20
	sizeEnd     = 22
)

// header is one record of the central directory.
type header struct {
	madeBy, flags, method uint16
	crc                   uint32
	packed, size, offset  int64 // offset from the start of the file
	attributes            uint32
	rawName               []byte
	extra                 []byte
	record                []byte // all of it
}

// directory is the central directory as read.
type directory struct {
	headers  []header
	start    int64 // where it begins
	base     int64 // bytes before the archive
	comment  string
	oddities []string

	rawComment []byte
}

// end is what the end records say.
type end struct {
	at             int64 // of the first end record
	entries        int64
	size, offset   int64 // of the directory
	comment        []byte
	trailing       int64
	disk, dirDisk  int64
	entriesOnDisks int64
}

func readDirectory(data io.ReaderAt, size int64) (*directory, error) {
	e, err := readEnd(data, size)
	if err != nil {
		return nil, err
	}
	switch {
	case e.disk != 0 || e.dirDisk != 0 || e.entriesOnDisks != e.entries:
		return nil, unsafe("split over several disks")
	case e.entries > maxEntries:
		return nil, fmt.Errorf("%w: %d entries", ErrBomb, e.entries)
	case e.size > maxDirectory:
		return nil, unsafe("directory of %d bytes", e.size)
	case e.size < 0 || e.offset < 0 || e.offset > e.at-e.size || e.size < e.entries*sizeHeader:
		return nil, malformed("the directory does not lie in the file")
	}
	d := &directory{comment: string(bytes.ToValidUTF8(e.comment, []byte("?"))), rawComment: e.comment}
	d.start = e.at - e.size
	d.base = d.start - e.offset
	if d.base > 0 {
		// Readers disagree on whether offsets count from the file or from the archive.
		var sig [4]byte
		if err := readAt(data, sig[:], e.offset); err != nil {
			return nil, err
		}
		if binary.LittleEndian.Uint32(sig[:]) == sigHeader {
			return nil, unsafe("two directories")
		}
		d.oddities = append(d.oddities, "there are bytes before the archive")
	}
	if e.trailing > 0 {
		d.oddities = append(d.oddities, "there are bytes behind the archive")
	}
	raw := make([]byte, e.size)
	if err := readAt(data, raw, d.start); err != nil {
		return nil, err
	}
	return d, d.parse(raw, e.entries)
}

// readAt fills b or fails; a short file is malformed, not a fault of the disk.
func readAt(data io.ReaderAt, b []byte, at int64) error {
	n, err := data.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return malformed("cut off")
	}
	return err
}

// readEnd finds the end record, which is the last of the file. A comment that
// holds an end record of its own would let readers disagree, so it is refused:
// an earlier record whose comment ends with the file, or reaches over a last one
// behind which there is something. Files that look like a record inside are none.
func readEnd(data io.ReaderAt, size int64) (*end, error) {
	const window = sizeEnd + 1<<16
	n := min(size, window)
	if n < sizeEnd {
		return nil, malformed("too short")
	}
	tail := make([]byte, n)
	if err := readAt(data, tail, size-n); err != nil {
		return nil, err
	}
	last, fits := -1, false
	for i := len(tail) - sizeEnd; i >= 0; i-- {
		if binary.LittleEndian.Uint32(tail[i:]) != sigEnd {
			continue
		}
		comment := int(binary.LittleEndian.Uint16(tail[i+20:]))
		if last < 0 && i+sizeEnd+comment <= len(tail) {
			last, fits = i, i+sizeEnd+comment == len(tail)
		} else if reach := i + sizeEnd + comment; last >= 0 && (reach == len(tail) || !fits && reach >= last+sizeEnd) {
			return nil, unsafe("two end records")
		}
	}
	if last < 0 {
		return nil, malformed("no end record")
	}
	r := tail[last:]
	comment := int(binary.LittleEndian.Uint16(r[20:]))
	e := &end{
		at:             size - n + int64(last),
		disk:           int64(binary.LittleEndian.Uint16(r[4:])),
		dirDisk:        int64(binary.LittleEndian.Uint16(r[6:])),
		entriesOnDisks: int64(binary.LittleEndian.Uint16(r[8:])),
		entries:        int64(binary.LittleEndian.Uint16(r[10:])),
		size:           int64(binary.LittleEndian.Uint32(r[12:])),
		offset:         int64(binary.LittleEndian.Uint32(r[16:])),
		comment:        r[sizeEnd : sizeEnd+comment],
		trailing:       int64(len(r) - sizeEnd - comment),
	}
	return e, e.read64(data)
}

// read64 takes over the values of the zip64 end record, if there is one. Where
// both records say something, they have to say the same.
func (e *end) read64(data io.ReaderAt) error {
	if e.at < sizeLocator+sizeEnd64 {
		return nil
	}
	var l [sizeLocator]byte
	if err := readAt(data, l[:], e.at-sizeLocator); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(l[:]) != sigEnd64Locator {
		return nil
	}
	// The record stands before its locator; its address is not followed further.
	var r [sizeEnd64]byte
	at := e.at - sizeLocator - sizeEnd64
	if err := readAt(data, r[:], at); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(r[:]) != sigEnd64 || binary.LittleEndian.Uint64(r[4:]) != sizeEnd64-12 {
		return malformed("zip64 end record")
	}
	if binary.LittleEndian.Uint32(l[4:]) != 0 || binary.LittleEndian.Uint32(l[16:]) > 1 {
		return unsafe("split over several disks")
	}
	for _, f := range []struct {
		short    *int64
		long     uint64
		overflow int64
	}{
		{&e.disk, uint64(binary.LittleEndian.Uint32(r[16:])), 0xffff},
		{&e.dirDisk, uint64(binary.LittleEndian.Uint32(r[20:])), 0xffff},
		{&e.entriesOnDisks, binary.LittleEndian.Uint64(r[24:]), 0xffff},
		{&e.entries, binary.LittleEndian.Uint64(r[32:]), 0xffff},
		{&e.size, binary.LittleEndian.Uint64(r[40:]), 0xffffffff},
		{&e.offset, binary.LittleEndian.Uint64(r[48:]), 0xffffffff},
	} {
		if f.long > 1<<62 || *f.short != f.overflow && *f.short != int64(f.long) {
			return unsafe("the two end records disagree")
		}
		*f.short = int64(f.long)
	}
	e.at = at
	return nil
}

// parse reads the records of the directory, which fill it exactly.
func (d *directory) parse(raw []byte, entries int64) error {
	d.headers = make([]header, 0, entries)
	for range entries {
		if len(raw) < sizeHeader || binary.LittleEndian.Uint32(raw) != sigHeader {
			return malformed("record of the directory")
		}
		name := int(binary.LittleEndian.Uint16(raw[28:]))
		extra := int(binary.LittleEndian.Uint16(raw[30:]))
		comment := int(binary.LittleEndian.Uint16(raw[32:]))
		if len(raw) < sizeHeader+name+extra+comment {
			return malformed("record of the directory")
		}
		h := header{
			madeBy:     binary.LittleEndian.Uint16(raw[4:]),
			flags:      binary.LittleEndian.Uint16(raw[8:]),
			method:     binary.LittleEndian.Uint16(raw[10:]),
			crc:        binary.LittleEndian.Uint32(raw[16:]),
			packed:     int64(binary.LittleEndian.Uint32(raw[20:])),
			size:       int64(binary.LittleEndian.Uint32(raw[24:])),
			offset:     int64(binary.LittleEndian.Uint32(raw[42:])),
			attributes: binary.LittleEndian.Uint32(raw[38:]),
			rawName:    raw[sizeHeader : sizeHeader+name],
			extra:      raw[sizeHeader+name : sizeHeader+name+extra],
			record:     raw[:sizeHeader+name+extra+comment],
		}
		disk := int64(binary.LittleEndian.Uint16(raw[34:]))
		if err := zip64(h.extra, &h.size, &h.packed, &h.offset, &disk); err != nil {
			return err
		}
		if disk != 0 {
			return unsafe("split over several disks")
		}
		if h.offset > d.start-d.base {
			return malformed("an entry does not lie in the file")
		}
		h.offset += d.base
		d.headers = append(d.headers, h)
		raw = raw[sizeHeader+name+extra+comment:]
	}
	if len(raw) > 0 {
		return unsafe("the directory has more records than its end says")
	}
	return nil
}

// zip64 replaces the values that overflowed by those of the extra field of APPNOTE
// 4.5.3, which holds exactly those, in this order. disk may be nil.
func zip64(extra []byte, size, packed, offset, disk *int64) error {
	field, _ := extraField(extra, 0x0001)
	for i, v := range []*int64{size, packed, offset, disk} {
		width, overflow := 8, int64(0xffffffff)
		if i == 3 {
			width, overflow = 4, 0xffff
		}
		if v == nil || *v != overflow {
			continue
		}
		if field == nil {
			// Exactly 0xffffffff bytes are possible, and refused by the size limits.
			continue
		}
		if len(field) < width {
			return malformed("zip64 extra field")
		}
		long := uint64(binary.LittleEndian.Uint32(field))
		if width == 8 {
			long = binary.LittleEndian.Uint64(field)
		}
		if long > 1<<62 {
			return malformed("zip64 extra field")
		}
		*v, field = int64(long), field[width:]
	}
	return nil
}

// extraField returns the content of one extra field (APPNOTE 4.5).
func extraField(extra []byte, id uint16) ([]byte, bool) {
	for len(extra) >= 4 {
		n := int(binary.LittleEndian.Uint16(extra[2:]))
		if len(extra) < 4+n {
			return nil, false
		}
		if binary.LittleEndian.Uint16(extra) == id {
			return extra[4 : 4+n], true
		}
		extra = extra[4+n:]
	}
	return nil, false
}
