// Package ocsp writes OCSP requests and reads and checks OCSP answers.
//
// Start with NewID and Request for the way out, Parse and Response.Verify for
// the way back; Response.Find picks the statement about one certificate.
//
// An answer is judged by its own words here: who signed it and whether he may.
// Whether it is fresh enough, and which of several to believe, is for package
// revocation. Nothing is fetched.
//
// References: RFC 6960 (OCSP), RFC 9654 (nonce), RFC 5019 (the lightweight
// profile, whose rule for GET is used).
package ocsp

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	_ "crypto/sha256" // hashes of certificate identifiers
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// Errors of this package. ErrStatus stands for answers that say that there is
// no answer; the others tell what is wrong with one.
var (
	// ErrMalformed: no OCSP answer, or one that breaks RFC 6960 so that it
	// cannot be used.
	ErrMalformed = errors.New("malformed OCSP answer")
	// ErrStatus: the service answered that it does not answer: see
	// StatusError.
	ErrStatus = errors.New("the OCSP service refused")
	// ErrResponder: the answer is not signed by the certificate's issuer or
	// by somebody whom that issuer authorised.
	ErrResponder = errors.New("the OCSP responder is not authorised")
	// ErrSignature: the signature on the answer does not fit.
	ErrSignature = errors.New("the signature of the OCSP answer does not fit")
	// ErrOther: the answer is about other certificates.
	ErrOther = errors.New("the OCSP answer is about another certificate")
	// ErrNonce: the answer is to another question.
	ErrNonce = errors.New("the OCSP answer has another nonce")
)

// StatusError is an OCSPResponseStatus other than successful (RFC 6960 section
// 4.2.1). It wraps ErrStatus.
type StatusError int

func (e StatusError) Error() string {
	name := map[StatusError]string{1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}[e]
	if name == "" {
		name = fmt.Sprintf("status %d", int(e))
	}
	return fmt.Sprintf("%v: %s", ErrStatus, name)
}

// Unwrap returns ErrStatus.
func (e StatusError) Unwrap() error { return ErrStatus }

// MaxNonce is the longest nonce sent or expected (RFC 9654 section 2.1).
const MaxNonce = 32

var (
	oidBasic         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidNonce         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidNoCheck       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidArchiveCutoff = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
	oidCertHash      = asn1.ObjectIdentifier{1, 3, 36, 8, 3, 13}
)

// hashOIDs are those that identifiers are written with.
var hashOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.SHA1:   {1, 3, 14, 3, 2, 26},
	crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
	crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2},
	crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
}

// ID is a CertID: which certificate is meant, by its issuer and serial number.
type ID struct {
	Hash     crypto.Hash // 0: of an unknown kind, which matches nothing
	NameHash []byte
	KeyHash  []byte
	Serial   *big.Int
}

// NewID makes the identifier of a certificate. The hash is crypto.SHA1, which
// every service understands, or one of SHA-2; 0 is SHA-1. It only identifies:
// nothing is protected by it.
func NewID(cert, issuer *x509.Certificate, hash crypto.Hash) (ID, error) {
	if hash == 0 {
		hash = crypto.SHA1
	}
	if hashOIDs[hash] == nil {
		return ID{}, fmt.Errorf("making OCSP identifier: %w: %s", sigalg.ErrUnsupported, sigalg.HashName(hash))
	}
	key, err := keyBits(issuer)
	if err != nil {
		return ID{}, fmt.Errorf("making OCSP identifier: %w", err)
	}
	return ID{Hash: hash, NameHash: sum(hash, issuer.RawSubject), KeyHash: sum(hash, key), Serial: cert.SerialNumber}, nil
}

// Matches reports whether the identifier is that of the certificate under that
// issuer.
func (id ID) Matches(cert, issuer *x509.Certificate) bool {
	if hashOIDs[id.Hash] == nil || id.Serial == nil || cert.SerialNumber == nil || id.Serial.Cmp(cert.SerialNumber) != 0 {
		return false
	}
	want, err := NewID(cert, issuer, id.Hash)
	return err == nil && bytes.Equal(id.NameHash, want.NameHash) && bytes.Equal(id.KeyHash, want.KeyHash)
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// keyBits returns the contents of the subjectPublicKey of a certificate,
// without the count of unused bits: what key hashes are over.
func keyBits(c *x509.Certificate) ([]byte, error) {
	spki := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var inner cryptobyte.String
	var bits []byte
	if !spki.ReadASN1(&inner, cbasn1.SEQUENCE) || !inner.SkipASN1(cbasn1.SEQUENCE) || !inner.ReadASN1BitStringAsBytes(&bits) {
		return nil, errors.New("the issuer's public key cannot be read")
	}
	return bits, nil
}

func keySHA1(c *x509.Certificate) []byte {
	bits, err := keyBits(c)
	if err != nil {
		return nil
	}
	h := sha1.Sum(bits)
	return h[:]
}

// Request is a question about one certificate.
type Request struct {
	ID ID
	// Nonce of up to 32 bytes ties the answer to the question; nil: none, so
	// that a service may answer from its stock.
	Nonce []byte
}

// Marshal returns the request as DER.
func (r Request) Marshal() ([]byte, error) {
	oid := hashOIDs[r.ID.Hash]
	if oid == nil || r.ID.Serial == nil || len(r.Nonce) > MaxNonce {
		return nil, errors.New("writing OCSP request: incomplete")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // OCSPRequest
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // TBSRequest
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // requestList
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // Request
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // CertID
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(oid)
							b.AddASN1NULL()
						})
						b.AddASN1OctetString(r.ID.NameHash)
						b.AddASN1OctetString(r.ID.KeyHash)
						b.AddASN1BigInt(r.ID.Serial)
					})
				})
			})
			if r.Nonce == nil {
				return
			}
			b.AddASN1(cbasn1.Tag(2).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { // requestExtensions
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidNonce)
						b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.Nonce) })
					})
				})
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("writing OCSP request: %w", err)
	}
	return der, nil
}

// GetURL returns the address that asks the question by GET (RFC 6960 appendix
// A.1), or "" where it would be longer than 255 bytes, for which RFC 5019
// section 5 wants POST.
func GetURL(service string, request []byte) string {
	u := strings.TrimSuffix(service, "/") + "/" + url.PathEscape(base64.StdEncoding.EncodeToString(request))
	if len(u) > 255 {
		return ""
	}
	return u
}
