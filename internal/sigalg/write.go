package sigalg

import (
	"crypto"
	"encoding/asn1"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// DigestIdentifier is the AlgorithmIdentifier of a digest in DER, without
// parameters (RFC 5754 section 2, RFC 8702 section 3.1). Errors: ErrUnsupported.
func DigestIdentifier(h crypto.Hash) ([]byte, error) {
	if _, known := HashByOID(oidOf(h)); !known {
		return nil, fmt.Errorf("%w: %s", ErrUnsupported, HashName(h))
	}
	var b cryptobyte.Builder
	addHash(&b, h, false)
	return b.Bytes()
}

// addHash adds the AlgorithmIdentifier of a digest, its parameters NULL or absent.
func addHash(b *cryptobyte.Builder, h crypto.Hash, null bool) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidOf(h))
		if null {
			b.AddASN1NULL()
		}
	})
}

// Identifier is the AlgorithmIdentifier of the algorithm in DER, with the
// digest named in it: RSA's with NULL (RFC 4055 section 5), PSS with its
// parameters (section 3.1), ECDSA without (RFC 5758 section 3.2). PSS with a
// SaltLength below 0 gets one of the digest's length. Errors: ErrUnsupported.
func (a Algorithm) Identifier() ([]byte, error) {
	var b cryptobyte.Builder
	switch a.Scheme {
	case PSS:
		if err := a.addPSS(&b); err != nil {
			return nil, err
		}
		return b.Bytes()
	case PKCS1, ECDSA, PlainECDSA, Ed25519:
		oid := a.signatureOID()
		if oid == nil {
			break
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			if a.Scheme == PKCS1 {
				b.AddASN1NULL()
			}
		})
		return b.Bytes()
	}
	return nil, fmt.Errorf("%w: %v", ErrUnsupported, a)
}

// signatureOID finds the OID that names the algorithm alone; of SHA-1's two for RSA the one of RFC 3279. Nil: there is none.
func (a Algorithm) signatureOID() asn1.ObjectIdentifier {
	found := ""
	for oid, known := range signatureOIDs {
		if known.Scheme == a.Scheme && known.Hash == a.Hash && (found == "" || oid < found) {
			found = oid
		}
	}
	if found == "" {
		return nil
	}
	var oid asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(found, ".") {
		n, err := strconv.Atoi(arc)
		if err != nil {
			return nil
		}
		oid = append(oid, n)
	}
	return oid
}

// addPSS adds id-RSASSA-PSS with RSASSA-PSS-params, what is default left out as DER demands.
func (a Algorithm) addPSS(b *cryptobyte.Builder) error {
	salt := a.SaltLength
	for _, h := range []crypto.Hash{a.Hash, a.MGFHash} {
		if _, known := HashByOID(oidOf(h)); !known {
			return fmt.Errorf("%w: %v", ErrUnsupported, a)
		}
	}
	if salt < 0 {
		salt = a.Hash.Size()
	}
	field := func(b *cryptobyte.Builder, n uint8, f func(*cryptobyte.Builder)) {
		b.AddASN1(cbasn1.Tag(n).Constructed().ContextSpecific(), f)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}) // oidPSS
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if a.Hash != crypto.SHA1 {
				field(b, 0, func(b *cryptobyte.Builder) { addHash(b, a.Hash, true) })
			}
			if a.MGFHash != crypto.SHA1 {
				field(b, 1, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}) // oidMGF1
						addHash(b, a.MGFHash, true)
					})
				})
			}
			if salt != 20 {
				field(b, 2, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(salt)) })
			}
		})
	})
	return nil
}
