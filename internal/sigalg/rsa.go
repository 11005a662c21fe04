package sigalg

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/subtle"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of RSA keys. Hostile input chooses the key: a check with 16384 bits
// and an exponent of 63 bits takes some milliseconds.
const (
	minRSA = 512
	maxRSA = 16384
)

// verifyRSA does the arithmetic with math/big: nothing is secret in it, keys of
// 4096 bits are checked several times faster than by crypto/rsa, and its limits
// (1024 bits, exponents of 31 bits, one hash for PSS) do not hold.
func (a Algorithm) verifyRSA(key *rsa.PublicKey, digest, value []byte) error {
	if err := checkRSA(key); err != nil {
		return err
	}
	if a.Scheme == PSS && !a.MGFHash.Available() {
		return fmt.Errorf("%w: %v", ErrUnsupported, a)
	}
	if len(value) != key.Size() {
		return ErrBadSignature
	}
	em := publicRSA(key, value)
	switch {
	case em == nil:
		return ErrBadSignature
	case a.Scheme == PSS:
		return verdict(a.pssFits(em, key.N.BitLen()-1, digest))
	}
	// What must come out is made and compared whole: nothing of em is parsed.
	return verdict(bytes.Equal(em, pkcs1(a.Hash, digest, len(em), true)) || bytes.Equal(em, pkcs1(a.Hash, digest, len(em), false)))
}

func checkRSA(key *rsa.PublicKey) error {
	if key.N == nil || key.N.Sign() <= 0 {
		return fmt.Errorf("%w: RSA key without modulus", ErrUnsupported)
	}
	if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA || key.N.Bit(0) == 0 {
		return fmt.Errorf("%w: RSA key of %d bits", ErrUnsupported, bits)
	}
	if key.E < 3 || key.E&1 == 0 {
		return fmt.Errorf("%w: RSA exponent %d", ErrUnsupported, key.E)
	}
	return nil
}

// publicRSA is RSAVP1 of RFC 8017 section 5.2.2, with the result as long as
// the modulus; nil if the value is out of range.
func publicRSA(key *rsa.PublicKey, value []byte) []byte {
	s := new(big.Int).SetBytes(value)
	if s.Cmp(key.N) >= 0 {
		return nil
	}
	m := s.Exp(s, big.NewInt(int64(key.E)), key.N)
	return m.FillBytes(make([]byte, key.Size()))
}

// pkcs1 is EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) in size bytes; the digest's
// parameters are NULL or, as appendix A.2.4 allows, absent. Nil if the key is
// too small.
func pkcs1(h crypto.Hash, digest []byte, size int, null bool) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidOf(h))
			if null {
				b.AddASN1NULL()
			}
		})
		b.AddASN1OctetString(digest)
	})
	t := b.BytesOrPanic()
	if size < len(t)+11 {
		return nil
	}
	em := bytes.Repeat([]byte{0xff}, size)
	em[0], em[1] = 0, 1
	em[size-len(t)-1] = 0
	copy(em[size-len(t):], t)
	return em
}

func oidOf(h crypto.Hash) asn1.ObjectIdentifier {
	for _, row := range hashes {
		if row.hash != h {
			continue
		}
		var oid asn1.ObjectIdentifier
		for _, arc := range strings.Split(row.oid, ".") {
			n, err := strconv.Atoi(arc)
			if err != nil {
				panic("sigalg: OID " + row.oid)
			}
			oid = append(oid, n)
		}
		return oid
	}
	return asn1.ObjectIdentifier{0, 0}
}

// pssFits is EMSA-PSS-VERIFY (RFC 8017 section 9.1.2); bits is emBits, one less
// than those of the modulus.
func (a Algorithm) pssFits(em []byte, bits int, digest []byte) bool {
	if bits%8 == 0 { // em is then one byte shorter than the modulus
		if em[0] != 0 {
			return false
		}
		em = em[1:]
	}
	hLen := a.Hash.Size()
	if len(em) < hLen+2 || em[len(em)-1] != 0xbc {
		return false
	}
	db, h := em[:len(em)-hLen-1], em[len(em)-hLen-1:len(em)-1]
	unused := byte(0xff) << (8 - uint(8*len(em)-bits)) // the bits that em has too many, from the left
	if db[0]&unused != 0 {
		return false
	}
	mgf1XOR(db, a.MGFHash, h)
	db[0] &^= unused
	at := bytes.IndexByte(db, 1)
	if at < 0 || len(bytes.Trim(db[:at], "\x00")) != 0 {
		return false
	}
	salt := db[at+1:]
	if a.SaltLength >= 0 && len(salt) != a.SaltLength {
		return false
	}
	m := a.Hash.New()
	m.Write(make([]byte, 8))
	m.Write(digest)
	m.Write(salt)
	return subtle.ConstantTimeCompare(m.Sum(nil), h) == 1
}

// mgf1XOR is MGF1 (RFC 8017 appendix B.2.1), applied to out.
func mgf1XOR(out []byte, hash crypto.Hash, seed []byte) {
	var counter [4]byte
	for i := uint32(0); len(out) > 0; i++ {
		binary.BigEndian.PutUint32(counter[:], i)
		m := hash.New()
		m.Write(seed)
		m.Write(counter[:])
		out = out[subtle.XORBytes(out, out, m.Sum(nil)):]
	}
}
