package crl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"

	"crypto/rand"
)

// The index file. All numbers are little-endian, lengths in bytes.
//
//	head       16: magic, then zeros
//	records    for each entry: serial number as two's complement in width bytes, seconds since the year 0 (5),
//	           reason + 1 (1), number of the issuer, 0 for the list's own (2, only if there are others)
//	directory  for each bucket: number of records in it and all before (4), CRC-32C of its records (4)
//	meta       the list's parts, each with its length (4) in front
//	trailer    see trailer
//
// The bucket of an entry is the first bits of a seeded hash of its serial number: one look at the directory and one short run of
// records finds it. Whoever opens the file checks trailer, directory and meta; records are checked bucket by bucket when they are used.
const (
	magic       = "eidkit-crl-2\n"
	headSize    = 16
	trailerSize = 96
	dirEntry    = 8
	perBucket   = 12 // records, on average at most
	partBits    = 8  // entries are distributed over 256 partitions while they are read
	firstPiece  = 256
	lastPiece   = 16 << 10
	maxIssuers  = 1 << 16
	maxNameSum  = 4 << 20 // of all issuers of entries
	timeSize    = 5
	reasonMask  = 0x0f
	hasIssuer   = 0x80
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// partition holds the entries whose hash begins alike: length of the serial number, serial number, seconds, reason, maybe issuer.
type partition struct {
	pieces [][]byte
	n      int
}

// packer collects entries and writes the index. Memory is what the entries take, in 17 to 48 bytes each.
type packer struct {
	seed    uint64
	parts   [1 << partBits]partition
	n       int
	width   int
	issuers [][]byte
	numbers map[string]int // of issuers, from 1
	names   int            // bytes of all of them
	last    []byte         // issuer of the entry before
	number  int            // and its number
}

func newPacker() *packer {
	var seed [8]byte
	rand.Read(seed[:]) // crashes the program rather than fail
	return &packer{seed: binary.LittleEndian.Uint64(seed[:]), numbers: map[string]int{}, width: 1}
}

// hashSerial spreads serial numbers. The seed keeps whoever issues them from choosing the bucket.
func hashSerial(seed uint64, serial []byte) uint64 {
	h := seed ^ uint64(len(serial))*0x9e3779b97f4a7c15
	for ; len(serial) >= 8; serial = serial[8:] {
		hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(serial), 0xd6e8feb86659fd93)
		h = hi ^ lo
	}
	var rest [8]byte
	copy(rest[:], serial)
	hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(rest[:]), 0xa0761d6478bd642f)
	h = hi ^ lo
	hi, lo = bits.Mul64(h^seed, 0xe7037ed1a0b428db)
	return hi ^ lo
}

func (p *packer) add(e *Entry) error {
	number, err := p.issuer(e.Issuer)
	if err != nil {
		return err
	}
	p.width = max(p.width, len(e.Serial))
	part := &p.parts[hashSerial(p.seed, e.Serial)>>(64-partBits)]
	size := 1 + len(e.Serial) + timeSize + 1 + 2
	var piece []byte
	if k := len(part.pieces); k > 0 {
		piece = part.pieces[k-1]
	}
	if cap(piece)-len(piece) < size {
		piece = make([]byte, 0, min(max(2*cap(piece), firstPiece), lastPiece))
		part.pieces = append(part.pieces, piece)
	}
	piece = append(piece, byte(len(e.Serial)))
	piece = append(piece, e.Serial...)
	seconds := uint64(e.Revoked - yearZero)
	reason := byte(e.Reason + 1)
	if number > 0 {
		reason |= hasIssuer
	}
	piece = append(piece, byte(seconds), byte(seconds>>8), byte(seconds>>16), byte(seconds>>24), byte(seconds>>32), reason)
	if number > 0 {
		piece = append(piece, byte(number), byte(number>>8))
	}
	part.pieces[len(part.pieces)-1] = piece
	part.n++
	p.n++
	return nil
}

// issuer gives the issuer of an entry a number, 0 standing for the list's own.
func (p *packer) issuer(name []byte) (int, error) {
	if name == nil {
		return 0, nil
	}
	if p.number > 0 && bytes.Equal(name, p.last) {
		return p.number, nil
	}
	n := p.numbers[string(name)]
	if n == 0 {
		if p.names += len(name); p.names > maxNameSum || len(p.issuers) == maxIssuers-1 {
			return 0, fmt.Errorf("%w: entries of too many issuers", ErrMalformed)
		}
		p.issuers = append(p.issuers, name)
		n = len(p.issuers)
		p.numbers[string(name)] = n
	}
	p.last, p.number = name, n
	return n, nil
}

// bucketBits is how many bits of the hash choose the bucket.
func bucketBits(n int) int { return max(partBits, bits.Len(uint(n/perBucket))) }

// write puts the index together. What it holds is given up on the way.
func (p *packer) write(w io.Writer, l *List, signer Digest) error {
	t := trailer{
		seed: p.seed, entries: uint64(p.n), bits: uint32(bucketBits(p.n)), width: uint32(p.width), issuers: uint32(len(p.issuers)),
	}
	if _, err := w.Write(append([]byte(magic), make([]byte, headSize-len(magic))...)); err != nil {
		return err
	}
	dir := make([]byte, 0, dirEntry<<t.bits)
	var records []byte
	for i := range p.parts {
		part := &p.parts[i]
		records, dir = p.sort(part, &t, records, dir)
		part.pieces = nil
		if _, err := w.Write(records); err != nil {
			return err
		}
	}
	meta := l.encode(p.issuers)
	t.dirCRC, t.metaCRC, t.metaSize = crc32.Checksum(dir, castagnoli), crc32.Checksum(meta, castagnoli), uint64(len(meta))
	t.signer = signer
	for _, part := range [][]byte{dir, meta, t.encode()} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// sort puts the records of a partition in the order of their buckets, into the memory of records, and adds the buckets to dir.
func (p *packer) sort(part *partition, t *trailer, records, dir []byte) (sorted, dirAfter []byte) {
	sub := t.bits - partBits
	size := t.recordSize()
	bucket := func(serial []byte) uint64 { return hashSerial(p.seed, serial) << partBits >> (64 - sub) }
	starts := make([]int, 1<<sub+1)
	part.each(func(serial, _ []byte) { starts[bucket(serial)+1]++ })
	for i := range 1 << sub {
		starts[i+1] += starts[i]
	}
	before := 0
	if len(dir) > 0 {
		before = int(binary.LittleEndian.Uint32(dir[len(dir)-dirEntry:]))
	}
	if cap(records) < part.n*size {
		records = make([]byte, part.n*size+part.n*size/8)
	}
	records = records[:part.n*size]
	clear(records)
	next := append([]int(nil), starts[:1<<sub]...)
	part.each(func(serial, rest []byte) {
		b := bucket(serial)
		rec := records[next[b]*size : (next[b]+1)*size]
		next[b]++
		extendSerial(rec[:p.width], serial)
		copy(rec[p.width:], rest)
		rec[p.width+timeSize] &= reasonMask
	})
	for i := range 1 << sub {
		crc := crc32.Checksum(records[starts[i]*size:starts[i+1]*size], castagnoli)
		dir = binary.LittleEndian.AppendUint32(dir, uint32(before+starts[i+1]))
		dir = binary.LittleEndian.AppendUint32(dir, crc)
	}
	return records, dir
}

// extendSerial writes a serial number as two's complement of the length of to.
func extendSerial(to, serial []byte) {
	n := len(to) - len(serial)
	sign := byte(0)
	if serial[0] >= 0x80 {
		sign = 0xff
	}
	for i := range n {
		to[i] = sign
	}
	copy(to[n:], serial)
}

// each calls f with the serial number of each entry and what stands behind it.
func (part *partition) each(f func(serial, rest []byte)) {
	for _, b := range part.pieces {
		for len(b) > 0 {
			n := 1 + int(b[0])
			end := n + timeSize + 1
			if b[n+timeSize]&hasIssuer != 0 {
				end += 2
			}
			f(b[1:n], b[n:end])
			b = b[end:]
		}
	}
}

// Pack reads one list from r and writes its index to w. check is asked between the two, with all that is known of the list: its error
// ends the work. It returns the digest of the public key (SubjectPublicKeyInfo) that the signature was checked with, for
// Index.SignedBy; zero if it was not. Errors: those of Parse and check, and w's.
func Pack(r io.Reader, w io.Writer, check func(*List) (signer Digest, err error)) (*List, error) {
	return pack(newSource(r), w, check)
}

func pack(s *source, w io.Writer, check func(*List) (Digest, error)) (*List, error) {
	p := newPacker()
	l, err := parse(s, p.add)
	if err != nil {
		return nil, err
	}
	signer, err := check(l)
	if err != nil {
		return nil, err
	}
	return l, p.write(w, l, signer)
}
