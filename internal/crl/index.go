package crl

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
)

// trailer is the last part of an index file.
type trailer struct {
	seed, entries, metaSize uint64
	bits, width, issuers    uint32
	dirCRC, metaCRC         uint32
	signer                  Digest
}

func (t *trailer) recordSize() int {
	n := int(t.width) + timeSize + 1
	if t.issuers > 0 {
		n += 2
	}
	return n
}

// size is that of the whole file.
func (t *trailer) size() int64 {
	return headSize + int64(t.entries)*int64(t.recordSize()) + dirEntry<<t.bits + int64(t.metaSize) + trailerSize
}

func (t *trailer) encode() []byte {
	b := make([]byte, 0, trailerSize)
	for _, v := range []uint64{t.seed, t.entries, t.metaSize} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, v := range []uint32{t.bits, t.width, t.issuers, t.dirCRC, t.metaCRC, 0, 0, 0, 0} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = append(b, t.signer[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (t *trailer) decode(b []byte) bool {
	t.seed, t.entries, t.metaSize = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	for i, v := range []*uint32{&t.bits, &t.width, &t.issuers, &t.dirCRC, &t.metaCRC} {
		*v = binary.LittleEndian.Uint32(b[24+4*i:])
	}
	copy(t.signer[:], b[60:])
	return crc32.Checksum(b[:trailerSize-4], castagnoli) == binary.LittleEndian.Uint32(b[trailerSize-4:]) && t.entries < 1<<32 &&
		t.metaSize < 1<<30 && t.bits >= partBits && t.bits <= 32 && t.width > 0 && t.width <= maxSerial && t.issuers < maxIssuers
}

// Index finds certificates in a packed list. It is safe for concurrent use, and lets go of its file when it is no longer reachable.
type Index struct {
	list    *List
	t       trailer
	dir     []byte
	issuers [][]byte
	data    []byte      // all of it, if it is in memory or mapped
	mapped  bool        // data is a file's
	r       io.ReaderAt // the file, if it is not mapped
	room    sync.Pool   // for records read from r
	der     []byte      // the list itself, if it is kept in memory
	path    string      // of its file, if it is kept in one
}

// PackBytes packs a list that is in memory into an index in memory. Errors: those of Parse.
func PackBytes(der []byte) (*Index, error) {
	var buf bytes.Buffer
	if _, err := pack(newBytesSource(der), &buf, func(*List) (Digest, error) { return Digest{}, nil }); err != nil {
		return nil, err
	}
	return openBytes(buf.Bytes())
}

func openBytes(data []byte) (*Index, error) {
	x := &Index{data: data}
	return x, x.open(bytes.NewReader(data), int64(len(data)))
}

// OpenIndex opens what Pack wrote to a file. Errors: ErrCorrupt, those of the file.
func OpenIndex(path string) (*Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	x := &Index{r: f}
	if data, err := mapFile(f, info.Size()); err == nil {
		x.data, x.mapped, x.r = data, true, nil
		runtime.AddCleanup(x, unmapFile, data)
	}
	err = x.open(f, info.Size()) // by reading: less work than having so much mapped
	if err != nil || x.mapped {
		f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", f.Name(), err)
	}
	return x, nil // a file that is kept is closed by its finalizer
}

// open reads and checks all but the records.
func (x *Index) open(r io.ReaderAt, size int64) error {
	head, end := make([]byte, headSize), make([]byte, trailerSize)
	if size < headSize+trailerSize {
		return fmt.Errorf("%w: %d bytes", ErrCorrupt, size)
	}
	if err := readAll(r, head, 0); err != nil {
		return err
	}
	if err := readAll(r, end, size-trailerSize); err != nil {
		return err
	}
	if string(head[:len(magic)]) != magic || len(bytes.Trim(head[len(magic):], "\x00")) > 0 || !x.t.decode(end) || x.t.size() != size {
		return fmt.Errorf("%w: torn, or of another version", ErrCorrupt)
	}
	x.dir = make([]byte, dirEntry<<x.t.bits)
	meta := make([]byte, x.t.metaSize)
	from := headSize + int64(x.t.entries)*int64(x.t.recordSize())
	if err := readAll(r, x.dir, from); err != nil {
		return err
	}
	if err := readAll(r, meta, from+int64(len(x.dir))); err != nil {
		return err
	}
	if crc32.Checksum(x.dir, castagnoli) != x.t.dirCRC || crc32.Checksum(meta, castagnoli) != x.t.metaCRC {
		return fmt.Errorf("%w: checksum", ErrCorrupt)
	}
	x.list = &List{Entries: int(x.t.entries)}
	var ok bool
	if x.issuers, ok = x.list.decode(meta, int(x.t.issuers)); !ok {
		return fmt.Errorf("%w: its description", ErrCorrupt)
	}
	return nil
}

func readAll(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

// List is all that the list says beside its entries. Do not change it.
func (x *Index) List() *List { return x.list }

// Size is how many bytes the index takes.
func (x *Index) Size() int64 { return x.t.size() }

// SignedBy tells whether the signature was checked with this certificate's key before the index was written.
func (x *Index) SignedBy(c *x509.Certificate) bool {
	return x.t.signer == sha256.Sum256(c.RawSubjectPublicKeyInfo)
}

// Found is an entry that was looked up.
type Found struct {
	Revoked time.Time
	Reason  int // as in Entry
}

// Lookup finds a certificate by its serial number and the encoded name of its issuer, which matters in indirect lists only. Of several
// entries the gravest counts: for good before on hold before removed, the earlier before the later. nil: it is not listed.
// Errors: ErrCorrupt.
func (x *Index) Lookup(serial *big.Int, issuer []byte) (*Found, error) {
	var room [maxSerial]byte
	key := serialBytes(serial, &room)
	if len(key) > int(x.t.width) {
		return nil, nil
	}
	bucket := hashSerial(x.t.seed, key) >> (64 - x.t.bits)
	from := uint32(0)
	if bucket > 0 {
		from = binary.LittleEndian.Uint32(x.dir[(bucket-1)*dirEntry:])
	}
	to, crc := binary.LittleEndian.Uint32(x.dir[bucket*dirEntry:]), binary.LittleEndian.Uint32(x.dir[bucket*dirEntry+4:])
	if from == to {
		return nil, nil
	}
	if from > to || uint64(to) > x.t.entries {
		return nil, fmt.Errorf("%w: directory", ErrCorrupt)
	}
	size := x.t.recordSize()
	best, err := x.search(headSize+int64(from)*int64(size), int(to-from)*size, crc, key, issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: entries %d to %d: %w", ErrCorrupt, from, to, err)
	}
	return best, nil
}

// serialBytes is the serial number as entries have it, more than any of them can have if it is longer.
func serialBytes(serial *big.Int, room *[maxSerial]byte) []byte {
	abs := serial
	if serial.Sign() < 0 {
		abs = new(big.Int).Not(serial) // whose bits are those of serial, inverted
	}
	n := abs.BitLen()/8 + 1 // with the sign
	if n > len(room) {
		return make([]byte, maxSerial+1)
	}
	abs.FillBytes(room[:n])
	if serial.Sign() < 0 {
		for i := range n {
			room[i] = ^room[i]
		}
	}
	return room[:n]
}

var errChecksum = errors.New("checksum")

// search looks through the records at that place.
func (x *Index) search(at int64, n int, crc uint32, key, issuer []byte) (best *Found, err error) {
	var records []byte
	if x.data != nil {
		if x.mapped { // a file that somebody cut short after it was opened must not end the program
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if recover() != nil {
					best, err = nil, errors.New("the file has become shorter")
				}
			}()
		}
		records = x.data[at : at+int64(n)]
	} else {
		buf, _ := x.room.Get().(*[]byte)
		if buf == nil || cap(*buf) < n {
			b := make([]byte, n)
			buf = &b
		}
		defer x.room.Put(buf)
		records = (*buf)[:n]
		if err := readAll(x.r, records, at); err != nil {
			return nil, err
		}
	}
	if crc32.Checksum(records, castagnoli) != crc {
		return nil, errChecksum
	}
	size, width := x.t.recordSize(), int(x.t.width)
	var whole [maxSerial]byte
	extendSerial(whole[:width], key)
	for ; len(records) >= size; records = records[size:] {
		rec := records[:size]
		if !bytes.Equal(rec[:width], whole[:width]) {
			continue
		}
		if f := x.found(rec[width:], issuer); f != nil && (best == nil || f.graver(best)) {
			best = f
		}
	}
	runtime.KeepAlive(x)
	return best, nil
}

// found reads what stands behind the serial number, if the entry is for a certificate of that issuer.
func (x *Index) found(rec, issuer []byte) *Found {
	number := 0
	if x.t.issuers > 0 {
		number = int(binary.LittleEndian.Uint16(rec[timeSize+1:]))
	}
	if l := x.list; l.Point != nil && l.Point.Indirect {
		name := l.Issuer
		if number > 0 {
			if number > len(x.issuers) {
				return nil
			}
			name = x.issuers[number-1]
		}
		if !bytes.Equal(name, issuer) && !certs.EqualName(name, issuer) {
			return nil
		}
	}
	seconds := int64(binary.LittleEndian.Uint32(rec)) | int64(rec[4])<<32
	return &Found{Revoked: time.Unix(seconds+yearZero, 0).UTC(), Reason: int(rec[timeSize]&reasonMask) - 1}
}

func (f *Found) graver(g *Found) bool {
	weight := func(f *Found) int {
		switch f.Reason {
		case RemovedFromCRL:
			return 0
		case OnHold:
			return 1
		}
		return 2
	}
	if a, b := weight(f), weight(g); a != b {
		return a > b
	}
	return f.Revoked.Before(g.Revoked)
}
