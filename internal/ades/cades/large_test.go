package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"io"
	"runtime"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ber"
)

// largeFile is a message with content of any size that is nowhere in memory: the content is one unit over and over, each of them a chunk
// or all of them one piece.
type largeFile struct {
	head, unit, tail []byte
	units            int64
}

func (f *largeFile) size() int64 { return int64(len(f.head)+len(f.tail)) + f.units*int64(len(f.unit)) }

func (f *largeFile) ReadAt(p []byte, off int64) (n int, err error) {
	middle := f.units * int64(len(f.unit))
	for n < len(p) {
		at := off + int64(n)
		var from []byte
		switch inside := at - int64(len(f.head)); {
		case inside < 0:
			from = f.head[at:]
		case inside < middle:
			from = f.unit[inside%int64(len(f.unit)):]
		case inside < middle+int64(len(f.tail)):
			from = f.tail[inside-middle:]
		default:
			return n, io.EOF
		}
		n += copy(p[n:], from)
	}
	return n, nil
}

// newLargeFile makes one with content of that size, rounded down to whole chunks; chunk 0 is one piece.
func newLargeFile(t testing.TB, size int64, chunk int) *largeFile {
	t.Helper()
	piece := chunk
	if chunk == 0 {
		piece = 1 << 20
	}
	content := make([]byte, piece)
	for i := range content {
		content[i] = byte(i * i)
	}
	f := &largeFile{unit: content, units: size / int64(piece)}
	h := crypto.SHA256.New()
	for range f.units {
		h.Write(content)
	}
	message := newForge(t)
	message.digestAlgorithm = seq(oid(sha256OID))
	message.signed[1] = attribute("1.2.840.113549.1.9.4", octets(h.Sum(nil)))
	message.sign(sorted)

	header, after := []byte{0x24, 0x80}, []byte{0, 0}
	if chunk == 0 {
		header, after = ber.AppendHeader(nil, ber.Universal, false, ber.TagOctetString, int(f.units)*piece), nil
	} else {
		f.unit = octets(content)
	}
	f.head = bytes.Join([][]byte{{0x30, 0x80}, oid("1.2.840.113549.1.7.2"), {0xA0, 0x80, 0x30, 0x80, 2, 1, 1}, tlv(0x31, message.digestAlgorithm),
		{0x30, 0x80}, oid(message.contentType), {0xA0, 0x80}, header}, nil)
	f.tail = bytes.Join([][]byte{after, {0, 0, 0, 0}, message.certsField(), tlv(0x31, seq(message.fields...)), {0, 0, 0, 0, 0, 0}}, nil)
	return f
}

// readLarge reads such a file and returns what was allocated for it.
func readLarge(t testing.TB, f *largeFile) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list, err := cades.Read(context.Background(), ades.Input{File: ades.File{Name: "large", Data: f, Size: f.size()}})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "large", list, "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; ENCODING_ODDITY")
	return after.TotalAlloc - before.TotalAlloc
}

// Content is not kept: what is allocated does not grow with it. Not parallel, for what others allocate would count.
func TestLargeContent(t *testing.T) {
	for _, chunk := range []int{0, 1000, 100000} {
		if n := readLarge(t, newLargeFile(t, 64<<20, chunk)); n > 4<<20 {
			t.Errorf("chunks of %d: %d bytes allocated", chunk, n)
		}
	}
}
