package ocsp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// hashed is the digest of a certificate that a statement is about.
type hashed struct {
	hash  crypto.Hash
	value []byte
}

// certHash reads the extension by which a service proves that it knows the
// very certificate (Common PKI 2.0 part 4, section 3.1.2); nil if it cannot be
// read.
func certHash(value []byte) *hashed {
	in := cryptobyte.String(value)
	var body, alg, digest cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Element(&alg, cbasn1.SEQUENCE) ||
		!body.ReadASN1(&digest, cbasn1.OCTET_STRING) || !body.Empty() {
		return nil
	}
	h, err := sigalg.HashAlgorithm(alg)
	if err != nil {
		return nil
	}
	return &hashed{h, digest}
}

// fits tells whether it is the digest of that certificate.
func (h *hashed) fits(c *x509.Certificate) bool { return bytes.Equal(sum(h.hash, c.Raw), h.value) }

// parseID reads the contents of CertID. A hash that is not known is no error:
// the statement then matches nothing.
func parseID(body cryptobyte.String) (id ID, err error) {
	var alg, name, key, serial cryptobyte.String
	if !body.ReadASN1Element(&alg, cbasn1.SEQUENCE) || !body.ReadASN1(&name, cbasn1.OCTET_STRING) ||
		!body.ReadASN1(&key, cbasn1.OCTET_STRING) || !body.ReadASN1(&serial, cbasn1.INTEGER) || !body.Empty() || len(serial) == 0 || len(serial) > 128 {
		return ID{}, fmt.Errorf("%w: CertID", ErrMalformed)
	}
	id = ID{NameHash: name, KeyHash: key, Serial: twosComplement(serial)}
	id.Hash, _ = sigalg.HashAlgorithm(alg)
	return id, nil
}

// twosComplement reads the contents of an INTEGER, minimal or not.
func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// eachExtension calls f for the extensions of an explicitly tagged list, which
// may be empty.
func eachExtension(in cryptobyte.String, f func(id asn1.ObjectIdentifier, critical bool, value []byte)) error {
	if in.Empty() {
		return nil
	}
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return fmt.Errorf("%w: extensions", ErrMalformed)
	}
	for n := 0; !list.Empty(); n++ {
		var one, value cryptobyte.String
		var id asn1.ObjectIdentifier
		var critical bool
		if n >= maxExtension || !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) ||
			one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.ReadASN1(&value, cbasn1.OCTET_STRING) {
			return fmt.Errorf("%w: extensions", ErrMalformed)
		}
		f(id, critical, value)
	}
	return nil
}

// readTime reads GeneralizedTime, with the fractions of a second that some
// services write although RFC 6960 does not want them.
func readTime(in *cryptobyte.String) (time.Time, bool) {
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.GeneralizedTime) {
		return time.Time{}, false
	}
	for _, layout := range []string{"20060102150405Z", "20060102150405.999999999Z", "20060102150405Z0700"} {
		if t, err := time.Parse(layout, string(body)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
