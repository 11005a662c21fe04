package asic

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// file is one entry for makeZip. Fields that are set differ from what an
// honest writer would write.
type file struct {
	name, body string
	deflate    bool
	flags      uint16
	madeBy     uint16
	attributes uint32
	extra      []byte // of the directory
	localExtra []byte

	localName  *string
	localSize  *uint32
	localCRC   *uint32
	method     *uint16
	crc        *uint32
	size       *uint32 // of the directory
	offset     *uint32
	packedTail string // behind the compressed data, counted as part of it
	behind     string // behind the entry, part of nothing
	descriptor []byte // nil: as flags say, in its short form with signature
}

func ptr[T any](v T) *T { return &v }

// archive is what makeZip puts around the entries.
type archive struct {
	before, beforeDirectory, comment, after string
	entries                                 *uint16 // in the end record
	zip64                                   bool
}

// makeZip writes a ZIP file by the letter of APPNOTE, without archive/zip,
// which would not write what is wrong.
func makeZip(t testing.TB, a archive, files ...file) []byte {
	t.Helper()
	out := []byte(a.before)
	start := len(out)
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	var dir []byte
	for _, f := range files {
		data, method := []byte(f.body), uint16(0)
		if f.deflate {
			method = 8
			data = compress(t, f.body)
		}
		data = append(data, f.packedTail...)
		crc, size, packed, name := crc32.ChecksumIEEE([]byte(f.body)), uint32(len(f.body)), uint32(len(data)), f.name
		if f.method != nil {
			method = *f.method
		}
		offset := uint32(len(out) - start)
		lcrc, lsize, lpacked, lname := crc, size, packed, name
		if f.flags&flagDescriptor != 0 {
			lcrc, lsize, lpacked = 0, 0, 0
		}
		over(&lcrc, f.localCRC)
		over(&lsize, f.localSize)
		over(&lname, f.localName)
		out = u32(out, sigLocal)
		out = u16(u16(u16(u16(u16(out, 20), f.flags), method), 0), 0x5a21)
		out = u32(u32(u32(out, lcrc), lpacked), lsize)
		out = u16(u16(out, uint16(len(lname))), uint16(len(f.localExtra)))
		out = append(append(append(out, lname...), f.localExtra...), data...)
		switch {
		case f.descriptor != nil:
			out = append(out, f.descriptor...)
		case f.flags&flagDescriptor != 0:
			out = u32(u32(u32(u32(out, sigDescriptor), crc), packed), size)
		}
		out = append(out, f.behind...)
		over(&crc, f.crc)
		over(&size, f.size)
		over(&offset, f.offset)
		dir = u32(dir, sigHeader)
		dir = u16(u16(u16(u16(u16(u16(dir, f.madeBy), 20), f.flags), method), 0), 0x5a21)
		dir = u32(u32(u32(dir, crc), packed), size)
		dir = u16(u16(u16(u16(u16(dir, uint16(len(name))), uint16(len(f.extra))), 0), 0), 0)
		dir = u32(u32(dir, f.attributes), offset)
		dir = append(append(dir, name...), f.extra...)
	}
	out = append(out, a.beforeDirectory...)
	at, n := uint32(len(out)-start), uint16(len(files))
	out = append(out, dir...)
	if a.zip64 {
		end := uint64(len(out))
		out = binary.LittleEndian.AppendUint64(u32(out, sigEnd64), sizeEnd64-12)
		out = u32(u32(u16(u16(out, 45), 45), 0), 0)
		for _, v := range []uint64{uint64(n), uint64(n), uint64(len(dir)), uint64(at)} {
			out = binary.LittleEndian.AppendUint64(out, v)
		}
		out = u32(binary.LittleEndian.AppendUint64(u32(u32(out, sigEnd64Locator), 0), end), 1)
		out = u16(u16(u16(u16(u32(out, sigEnd), 0xffff), 0xffff), 0xffff), 0xffff)
		out = u32(u32(out, 0xffffffff), 0xffffffff)
	} else {
		over(&n, a.entries)
		out = u16(u16(u16(u16(u32(out, sigEnd), 0), 0), n), n)
		out = u32(u32(out, uint32(len(dir))), at)
	}
	out = append(u16(out, uint16(len(a.comment))), a.comment...)
	return append(out, a.after...)
}

func over[T any](v *T, with *T) {
	if with != nil {
		*v = *with
	}
}

func compress(t testing.TB, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = w.Write([]byte(body))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
