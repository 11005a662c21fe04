package crl

import (
	"encoding/binary"
	"time"
)

// encode puts the parts of the list that cannot be told from others one after the other, each with its length in front.
func (l *List) encode(issuers [][]byte) []byte {
	var numbers []byte
	next := int64(0)
	if !l.NextUpdate.IsZero() {
		next = l.NextUpdate.Unix() - yearZero + 1
	}
	foreign := int64(0)
	if l.foreign {
		foreign = 1
	}
	for _, n := range []int64{int64(l.Version), l.ThisUpdate.Unix(), next, l.Size, foreign} {
		numbers = binary.LittleEndian.AppendUint64(numbers, uint64(n))
	}
	var b []byte
	parts := [][]byte{numbers, l.Digest[:], l.innerAlg, l.outerAlg, l.Issuer, l.extensions, l.signature, l.tbsDigest, []byte(l.entryTrouble)}
	for _, part := range append(parts, issuers...) {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// decode is the reverse. It returns the issuers of entries.
func (l *List) decode(b []byte, issuers int) ([][]byte, bool) {
	var parts [][]byte
	for len(b) >= 4 {
		n := binary.LittleEndian.Uint32(b)
		if uint64(n) > uint64(len(b)-4) {
			return nil, false
		}
		parts = append(parts, b[4:4+n:4+n])
		b = b[4+n:]
	}
	const fixed = 9
	if len(b) > 0 || len(parts) != fixed+issuers || len(parts[0]) != 5*8 || len(parts[1]) != len(l.Digest) {
		return nil, false
	}
	number := func(i int) int64 { return int64(binary.LittleEndian.Uint64(parts[0][8*i:])) }
	l.Version, l.ThisUpdate, l.Size, l.foreign = int(number(0)), time.Unix(number(1), 0).UTC(), number(3), number(4) != 0
	if next := number(2); next > 0 {
		l.NextUpdate = time.Unix(next-1+yearZero, 0).UTC()
	}
	copy(l.Digest[:], parts[1])
	l.innerAlg, l.outerAlg, l.Issuer, l.extensions = parts[2], parts[3], parts[4], parts[5]
	l.signature, l.tbsDigest, l.entryTrouble = parts[6], parts[7], string(parts[8])
	if len(l.extensions) == 0 {
		l.extensions = nil
	}
	l.interpret()
	return parts[fixed:], true
}
