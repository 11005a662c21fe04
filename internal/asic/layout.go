package asic

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"slices"
)

// Bits of the general purpose flag (APPNOTE 4.4.4).
const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3 // sizes stand behind the data
	flagPatched    = 1 << 5
	flagStrong     = 1 << 6
	flagUTF8       = 1 << 11
	flagMasked     = 1 << 13
)

// Compression methods (APPNOTE 4.4.5) that ASiC and the others allow.
const (
	stored   = 0
	deflated = 8
)

// checkLayout compares each local header with the directory and makes sure that
// the entries follow each other without overlapping, with nothing in between
// that a reader going through the file from its start would take for an entry.
func (c *Container) checkLayout(all []*Entry, d *directory) error {
	inOrder := slices.SortedFunc(slices.Values(all), func(a, b *Entry) int { return cmp.Compare(a.head.offset, b.head.offset) })
	end := int64(0)
	for i, e := range inOrder {
		if e.head.offset < end {
			return unsafe("%q overlaps with another entry", e.Name)
		}
		if err := c.checkGap(end, e.head.offset); err != nil {
			return err
		}
		limit := d.start
		if i+1 < len(inOrder) {
			limit = inOrder[i+1].head.offset
		}
		behind, err := c.checkLocal(e, limit)
		if err != nil {
			return err
		}
		end, e.end = behind, behind
	}
	c.layout = inOrder
	if len(inOrder) > 0 {
		inOrder[0].first = true
	}
	return c.checkGap(end, d.start)
}

// checkGap looks at bytes that belong to no entry: harmless rests of what was
// deleted or moved, or an entry that the directory hides.
func (c *Container) checkGap(from, to int64) error {
	if from == to {
		return nil
	}
	var sig [4]byte
	if to-from >= sizeLocal {
		if err := readAt(c.data, sig[:], from); err != nil {
			return err
		}
		if binary.LittleEndian.Uint32(sig[:]) == sigLocal {
			return unsafe("there is an entry that the directory does not name")
		}
	}
	c.odd("%d bytes at %d belong to no file", to-from, from)
	return nil
}

// checkLocal checks the local header of e, sets where its data begin and
// returns where the entry ends. It has to end before limit.
func (c *Container) checkLocal(e *Entry, limit int64) (int64, error) {
	h := &e.head
	var fixed [sizeLocal]byte
	if err := readAt(c.data, fixed[:], h.offset); err != nil {
		return 0, err
	}
	if binary.LittleEndian.Uint32(fixed[:]) != sigLocal {
		return 0, malformed("%q has no local header", e.Name)
	}
	flags := binary.LittleEndian.Uint16(fixed[6:])
	name := int64(binary.LittleEndian.Uint16(fixed[26:]))
	extraLen := int64(binary.LittleEndian.Uint16(fixed[28:]))
	e.dataAt = h.offset + sizeLocal + name + extraLen
	if e.dataAt > limit || h.packed > limit-e.dataAt {
		return 0, unsafe("%q overlaps with what follows", e.Name)
	}
	variable := make([]byte, name+extraLen)
	if err := readAt(c.data, variable, h.offset+sizeLocal); err != nil {
		return 0, err
	}
	e.localExtra = extraLen > 0
	crc := binary.LittleEndian.Uint32(fixed[14:])
	packed := int64(binary.LittleEndian.Uint32(fixed[18:]))
	size := int64(binary.LittleEndian.Uint32(fixed[22:]))
	if err := zip64(variable[name:], &size, &packed, nil, nil); err != nil {
		return 0, err
	}
	later := flags&flagDescriptor != 0
	switch {
	case !bytes.Equal(variable[:name], h.rawName):
		return 0, unsafe("%q has another name in its local header", e.Name)
	case flags&(flagEncrypted|flagStrong|flagMasked) != 0:
		return 0, unsafe("%q is encrypted", e.Name)
	case binary.LittleEndian.Uint16(fixed[8:]) != h.method:
		return 0, unsafe("%q has another compression in its local header", e.Name)
	case disagree(crc, h.crc, later), disagree(packed, h.packed, later), disagree(size, h.size, later):
		return 0, unsafe("%q has another size or checksum in its local header", e.Name)
	}
	end := e.dataAt + h.packed
	if !later {
		return end, nil
	}
	n, err := c.descriptor(h, end, limit)
	return end + n, err
}

// disagree compares a value of a local header with the directory's. If it
// comes later, behind the data, it may be left at zero or all ones here.
func disagree[T uint32 | int64](local, directory T, later bool) bool {
	return local != directory && (!later || local != 0 && uint64(local) != 0xffffffff)
}

// descriptor returns the length of the data descriptor behind an entry, in
// whichever of its four forms it comes (APPNOTE 4.3.9), 0 if there is none.
func (c *Container) descriptor(h *header, at, limit int64) (int64, error) {
	raw := make([]byte, min(24, limit-at))
	if n, err := c.data.ReadAt(raw, at); n < len(raw) {
		if err == nil || err == io.EOF {
			err = malformed("cut off")
		}
		return 0, err
	}
	for _, signed := range []bool{true, false} {
		for _, long := range []bool{false, true} {
			if want := descriptorOf(h, signed, long); bytes.HasPrefix(raw, want) {
				return int64(len(want)), nil
			}
		}
	}
	return 0, nil
}

func descriptorOf(h *header, signed, long bool) []byte {
	var b []byte
	if signed {
		b = binary.LittleEndian.AppendUint32(b, sigDescriptor)
	}
	b = binary.LittleEndian.AppendUint32(b, h.crc)
	if long {
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, uint64(h.packed)), uint64(h.size))
	}
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(h.packed)), uint32(h.size))
}
