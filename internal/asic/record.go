package asic

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// Where entries are said to be made (APPNOTE 4.4.2) and their mode there, a plain file that its owner may write: of names
// from MS-DOS, unzip 6.0 takes no heed that they are in UTF-8.
const (
	madeOnUnix = 3 << 8
	plainFile  = 0o100644 << 16
)

// header makes a record of the directory (APPNOTE 4.3.12).
func (w *Writer) header(i *item, name string, size int64, crc uint32) []byte {
	fixed, long := w.common(i, name, size, crc, false)
	offset := uint32(i.offset)
	if i.offset >= w.overflow {
		long, offset = binary.LittleEndian.AppendUint64(long, uint64(i.offset)), overflow32
	}
	extra := zip64Field(long)
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	out := u16(u32(nil, sigHeader), madeOnUnix|max(20, binary.LittleEndian.Uint16(fixed)))
	out = append(out, fixed...)
	out = u16(u16(u16(out, uint16(len(name))), uint16(len(extra))), 0)
	out = u32(u32(u16(u16(out, 0), 0), plainFile), offset)
	return append(append(out, name...), extra...)
}

// moved is the record of a kept entry with another offset: all else in it stays.
func (w *Writer) moved(h *header, offset int64) []byte {
	out := slices.Clone(h.record[:sizeHeader])
	var long []byte
	for _, f := range []struct {
		value int64
		at    int
	}{{h.size, 24}, {h.packed, 20}, {offset, 42}} {
		short := uint32(f.value)
		if f.value >= w.overflow {
			long, short = binary.LittleEndian.AppendUint64(long, uint64(f.value)), overflow32
		}
		binary.LittleEndian.PutUint32(out[f.at:], short)
	}
	binary.LittleEndian.PutUint16(out[34:], 0) // the disk may have stood in the zip64 field
	if version := binary.LittleEndian.Uint16(out[6:]); long != nil {
		binary.LittleEndian.PutUint16(out[6:], max(version, 45))
	}
	extra := append(zip64Field(long), withoutField(h.extra, zip64ID)...)
	binary.LittleEndian.PutUint16(out[30:], uint16(len(extra)))
	name := sizeHeader + len(h.rawName)
	out = append(append(out, h.rawName...), extra...)
	return append(out, h.record[name+len(h.extra):]...)
}

// directory writes the records and the end of the archive (APPNOTE 4.3.14 to 4.3.16).
func (w *Writer) directory(s *sink) {
	start := s.at
	for _, i := range slices.SortedFunc(slices.Values(w.items), func(a, b *item) int { return cmp.Compare(a.order, b.order) }) {
		s.write(i.record)
	}
	size, entries := s.at-start, int64(len(w.items))
	u16, u32, u64 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32, binary.LittleEndian.AppendUint64
	shortSize, shortStart := uint32(size), uint32(start)
	if start >= w.overflow || size >= w.overflow {
		at := s.at
		end := u32(u32(u16(u16(u64(u32(nil, sigEnd64), sizeEnd64-12), 45), 45), 0), 0)
		for _, v := range []int64{entries, entries, size, start} {
			end = u64(end, uint64(v))
		}
		s.write(u32(u64(u32(u32(end, sigEnd64Locator), 0), uint64(at)), 1))
		if start >= w.overflow {
			shortStart = overflow32
		}
		if size >= w.overflow {
			shortSize = overflow32
		}
	}
	end := u16(u16(u16(u16(u32(nil, sigEnd), 0), 0), uint16(entries)), uint16(entries)) // at most maxEntries
	end = u16(u32(u32(end, shortSize), shortStart), uint16(len(w.comment)))
	s.write(append(end, w.comment...))
}

// zip64ID is the extra field of APPNOTE 4.5.3.
const zip64ID = 0x0001

func zip64Field(long []byte) []byte {
	if long == nil {
		return nil
	}
	out := binary.LittleEndian.AppendUint16(nil, zip64ID)
	return append(binary.LittleEndian.AppendUint16(out, uint16(len(long))), long...)
}

// withoutField returns the extra fields but that one; what cannot be parsed stays.
func withoutField(extra []byte, id uint16) []byte {
	var out []byte
	for len(extra) >= 4 {
		n := 4 + int(binary.LittleEndian.Uint16(extra[2:]))
		if n > len(extra) {
			break
		}
		if binary.LittleEndian.Uint16(extra) != id {
			out = append(out, extra[:n]...)
		}
		extra = extra[n:]
	}
	return append(out, extra...)
}

// flagsOf says whether a name needs the flag for UTF-8.
func flagsOf(name string) uint16 {
	for i := range len(name) {
		if name[i] >= 0x80 {
			return flagUTF8
		}
	}
	return 0
}

// dosTime is a time as APPNOTE 4.4.6 has it: in steps of two seconds, from 1980 to 2107.
func dosTime(t time.Time) (date, clock uint16) {
	switch {
	case t.Year() < 1980:
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 2107:
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	return date, uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
}

// time is when the entry was last changed, as far as it says so.
func (h *header) time() time.Time {
	clock, date := int(binary.LittleEndian.Uint16(h.record[12:])), int(binary.LittleEndian.Uint16(h.record[14:]))
	return time.Date(1980+date>>9, time.Month(date>>5&15), date&31, clock>>11, clock>>5&63, clock&31*2, 0, time.UTC)
}
