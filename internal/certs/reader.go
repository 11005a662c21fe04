package certs

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
)

// Tags of the elements of a certificate.
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagSequence        = 0x30
)

// reader reads elements one after the other, with lengths in any definite form
// (X.690 section 8.1.3): what is not the shortest one is noted.
type reader struct {
	data []byte
	l    *lenient
}

// element is one of them: its contents, and all of it.
type element struct{ body, full []byte }

func (r *reader) empty() bool { return len(r.data) == 0 }

// next reads an element of that tag.
func (r *reader) next(tag byte) (element, bool) {
	d := r.data
	if len(d) < 2 || d[0] != tag {
		return element{}, false
	}
	n, head := int(d[1]), 2
	if n >= 0x80 {
		count := n & 0x7f
		if count == 0 || count > 8 || len(d) < 2+count {
			return element{}, false
		}
		n, head = 0, 2+count
		for _, b := range d[2:head] {
			if n = n<<8 | int(b); n > MaxCertificate {
				return element{}, false
			}
		}
		if n < 0x80 || count > 1 && d[2] == 0 {
			r.l.note("lengths are not DER")
		}
	}
	if n > len(d)-head {
		return element{}, false
	}
	r.data = d[head+n:]
	return element{body: d[head : head+n], full: d[:head+n]}, true
}

// optional reads an element of that tag if it is the next one.
func (r *reader) optional(tag byte) (element, bool) {
	if len(r.data) == 0 || r.data[0] != tag {
		return element{}, false
	}
	return r.next(tag)
}

// parseExtension reads Extension: OID, critical, value.
func (l *lenient) parseExtension(r reader) (ext pkix.Extension, ok bool) {
	id, ok := r.next(tagOID)
	if !ok {
		return ext, false
	}
	if ext.Id, ok = readOID(id.full); !ok {
		return ext, false
	}
	if critical, has := r.optional(tagBoolean); has {
		if len(critical.body) != 1 {
			return ext, false
		}
		if ext.Critical = critical.body[0] != 0; ext.Critical && critical.body[0] != 0xff {
			l.note("a boolean is not DER")
		}
	}
	value, ok := r.next(tagOctetString)
	if !r.empty() {
		l.note("data behind an extension")
	}
	ext.Value = value.body
	return ext, ok
}

func readOID(full []byte) (oid asn1.ObjectIdentifier, ok bool) {
	s := cryptobyte.String(full)
	return oid, s.ReadASN1ObjectIdentifier(&oid)
}

// signed reads the contents of an INTEGER, two's complement.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
