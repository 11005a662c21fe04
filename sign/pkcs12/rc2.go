package pkcs12

import (
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// rc2 is the cipher of RFC 2268, with which openssl before version 3 and old versions of Windows encrypt certificates (40 bits). It is
// here to read such files; nothing is encrypted with it.
type rc2 struct{ k [64]uint16 }

// piTable is PITABLE of RFC 2268 section 2: a permutation made of digits of pi.
var piTable = func() (t [256]byte) {
	const table = "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2" +
		"179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82" +
		"54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626" +
		"6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7" +
		"08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec" +
		"c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731" +
		"2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9" +
		"0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
	if n, err := hex.Decode(t[:], []byte(table)); err != nil || n != len(t) {
		panic("RC2 table")
	}
	return t
}()

// newRC2 makes the cipher for a key of 1 to 128 bytes, all of whose bits count.
func newRC2(key []byte) (cipher.Block, error) {
	if len(key) < 1 || len(key) > 128 {
		return nil, fmt.Errorf("RC2 key of %d bytes", len(key))
	}
	var l [128]byte // RFC 2268 section 2, with T1 = 8 T, so that TM = 255
	n := copy(l[:], key)
	for i := n; i < 128; i++ {
		l[i] = piTable[l[i-1]+l[i-n]]
	}
	l[128-n] = piTable[l[128-n]]
	for i := 127 - n; i >= 0; i-- {
		l[i] = piTable[l[i+1]^l[i+n]]
	}
	c := &rc2{}
	for i := range c.k {
		c.k[i] = binary.LittleEndian.Uint16(l[2*i:])
	}
	return c, nil
}

func (c *rc2) BlockSize() int { return 8 }

// rotations are s of RFC 2268 section 3.1.
var rotations = [4]int{1, 2, 3, 5}

// Encrypt is section 3: 5 mixing rounds, a mashing round, 6, one, 5.
func (c *rc2) Encrypt(dst, src []byte) {
	r := load(src)
	j := 0
	for round := range 16 {
		for i := range 4 {
			r[i] += c.k[j] + (r[(i+3)%4] & r[(i+2)%4]) + (^r[(i+3)%4] & r[(i+1)%4])
			r[i] = bits.RotateLeft16(r[i], rotations[i])
			j++
		}
		if round == 4 || round == 10 {
			for i := range 4 {
				r[i] += c.k[r[(i+3)%4]&63]
			}
		}
	}
	store(dst, r)
}

// Decrypt is section 4: the same backwards.
func (c *rc2) Decrypt(dst, src []byte) {
	r := load(src)
	j := 63
	for round := 15; round >= 0; round-- {
		if round == 4 || round == 10 {
			for i := 3; i >= 0; i-- {
				r[i] -= c.k[r[(i+3)%4]&63]
			}
		}
		for i := 3; i >= 0; i-- {
			r[i] = bits.RotateLeft16(r[i], -rotations[i])
			r[i] -= c.k[j] + (r[(i+3)%4] & r[(i+2)%4]) + (^r[(i+3)%4] & r[(i+1)%4])
			j--
		}
	}
	store(dst, r)
}

func load(b []byte) (r [4]uint16) {
	for i := range r {
		r[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return r
}

func store(b []byte, r [4]uint16) {
	for i := range r {
		binary.LittleEndian.PutUint16(b[2*i:], r[i])
	}
}
