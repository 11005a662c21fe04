package answers

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/internal/der"
	"github.com/eidkit/eidkit/testcards/pki"
)

// Status is what an OCSP answer says of a certificate.
type Status int

// The statuses of RFC 6960 section 4.2.1.
const (
	Good Status = iota
	Revoked
	Unknown
)

// Single is the answer about one certificate.
type Single struct {
	// Serial and Issuer name the certificate; ID, if set, is a CertID used
	// as it is instead.
	Serial *big.Int
	Issuer *x509.Certificate
	ID     []byte

	Status Status
	// At and Reason are for Revoked; reason 0 is not written.
	At     time.Time
	Reason int
	// ThisUpdate and NextUpdate; a zero NextUpdate is left out.
	ThisUpdate, NextUpdate time.Time
	// ArchiveCutoff is written if not zero (RFC 6960 section 4.4.4).
	ArchiveCutoff time.Time
}

// OCSP is an answer of a responder, RFC 6960 section 4.2.1.
type OCSP struct {
	// Responder signs; its certificate is sent if it is among Certificates.
	Responder    *pki.Authority
	Certificates []*x509.Certificate
	// ByName names the responder by its subject instead of by its key.
	ByName     bool
	ProducedAt time.Time
	Singles    []Single
	// Nonce is the content of the nonce extension, or nil.
	Nonce []byte
	// Hash of the signature; 0: the one that fits the key.
	Hash crypto.Hash
	// Corrupt changes one bit of the signature.
	Corrupt bool
}

const (
	oidBasic   = "1.3.6.1.5.5.7.48.1.1"
	oidNonce   = "1.3.6.1.5.5.7.48.1.2"
	oidArchive = "1.3.6.1.5.5.7.48.1.6"
)

// CertID is RFC 6960 section 4.1.1 with the given hash.
func CertID(h crypto.Hash, issuer *x509.Certificate, serial *big.Int) ([]byte, error) {
	key, err := publicKeyBits(issuer)
	if err != nil {
		return nil, err
	}
	return der.Seq(cms.DigestAlgorithm(h), der.Octets(cms.Digest(h, issuer.RawSubject)), der.Octets(cms.Digest(h, key)), der.BigInt(serial)), nil
}

// publicKeyBits is the content of subjectPublicKey, without tag, length and
// unused bits.
func publicKeyBits(c *x509.Certificate) ([]byte, error) {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &spki); err != nil {
		return nil, fmt.Errorf("public key of %s: %w", c.Subject, err)
	}
	return spki.Key.Bytes, nil
}

// Basic makes the BasicOCSPResponse.
func (o OCSP) Basic() ([]byte, error) {
	if o.Responder == nil || len(o.Singles) == 0 {
		return nil, errors.New("making OCSP answer: no responder, or nothing to say")
	}
	key, err := publicKeyBits(o.Responder.Certificate)
	if err != nil {
		return nil, fmt.Errorf("making OCSP answer: %w", err)
	}
	id := der.Explicit(2, der.Octets(cms.Digest(crypto.SHA1, key)))
	if o.ByName {
		id = der.Explicit(1, o.Responder.Certificate.RawSubject)
	}
	var singles [][]byte
	for _, s := range o.Singles {
		one, err := s.encode()
		if err != nil {
			return nil, fmt.Errorf("making OCSP answer: %w", err)
		}
		singles = append(singles, one)
	}
	parts := [][]byte{id, der.Time(o.ProducedAt), der.Seq(singles...)}
	if o.Nonce != nil {
		parts = append(parts, der.Explicit(1, der.Seq(extension(oidNonce, der.Octets(o.Nonce)))))
	}
	data := der.Seq(parts...)
	signer := cms.Signer{Key: o.Responder.Key, Hash: o.Hash}
	if signer.Hash == 0 {
		signer.Hash = cms.HashFor(signer.Key.Public())
	}
	value, err := signer.Value(cms.Digest(signer.Hash, data))
	if err != nil {
		return nil, fmt.Errorf("making OCSP answer: %w", err)
	}
	if o.Corrupt {
		value[len(value)-1] ^= 1
	}
	out := [][]byte{data, signer.Algorithm(), der.Bits(value)}
	if len(o.Certificates) > 0 {
		var certs [][]byte
		for _, c := range o.Certificates {
			certs = append(certs, c.Raw)
		}
		out = append(out, der.Explicit(0, der.Seq(certs...)))
	}
	return der.Seq(out...), nil
}

// Response makes the OCSPResponse, status successful.
func (o OCSP) Response() ([]byte, error) {
	basic, err := o.Basic()
	if err != nil {
		return nil, err
	}
	return der.Seq(der.Enum(0), der.Explicit(0, der.Seq(der.OID(oidBasic), der.Octets(basic)))), nil
}

// OCSPError is an OCSPResponse without an answer: 1 malformedRequest, 2
// internalError, 3 tryLater, 5 sigRequired, 6 unauthorized.
func OCSPError(status int) []byte { return der.Seq(der.Enum(status)) }

func (s Single) encode() ([]byte, error) {
	id := s.ID
	if id == nil {
		if s.Issuer == nil || s.Serial == nil {
			return nil, errors.New("no issuer or serial number")
		}
		var err error
		if id, err = CertID(crypto.SHA1, s.Issuer, s.Serial); err != nil {
			return nil, err
		}
	}
	parts := [][]byte{id, s.status(), der.Time(s.ThisUpdate)}
	if !s.NextUpdate.IsZero() {
		parts = append(parts, der.Explicit(0, der.Time(s.NextUpdate)))
	}
	if !s.ArchiveCutoff.IsZero() {
		parts = append(parts, der.Explicit(1, der.Seq(extension(oidArchive, der.Time(s.ArchiveCutoff)))))
	}
	return der.Seq(parts...), nil
}

func (s Single) status() []byte {
	switch s.Status {
	case Revoked:
		info := [][]byte{der.Time(s.At)}
		if s.Reason != 0 {
			info = append(info, der.Explicit(0, der.Enum(s.Reason)))
		}
		return der.Implicit(1, der.Seq(info...))
	case Unknown:
		return der.Implicit(2, der.Null())
	}
	return der.Implicit(0, der.Null())
}

func extension(oid string, value []byte) []byte { return der.Seq(der.OID(oid), der.Octets(value)) }

// Asked is one certificate of an OCSP request.
type Asked struct {
	ID       []byte // the CertID as it came
	Hash     crypto.Hash
	NameHash []byte
	KeyHash  []byte
	Serial   *big.Int
}

// Is tells whether the issuer is the one that is meant.
func (a Asked) Is(issuer *x509.Certificate) bool {
	if a.Hash == 0 {
		return false
	}
	key, err := publicKeyBits(issuer)
	return err == nil && string(cms.Digest(a.Hash, issuer.RawSubject)) == string(a.NameHash) && string(cms.Digest(a.Hash, key)) == string(a.KeyHash)
}

// ParseOCSPRequest reads an OCSPRequest (RFC 6960 section 4.1.1): what is
// asked, and the content of the nonce extension or nil. A signature of the
// client is not looked at.
func ParseOCSPRequest(raw []byte) ([]Asked, []byte, error) {
	var request struct {
		TBS struct {
			Version   int           `asn1:"optional,explicit,tag:0"`
			Requestor asn1.RawValue `asn1:"optional,explicit,tag:1"`
			List      []struct {
				ID         asn1.RawValue
				Extensions []pkix.Extension `asn1:"optional,explicit,tag:0"`
			}
			Extensions []pkix.Extension `asn1:"optional,explicit,tag:2"`
		}
		Signature asn1.RawValue `asn1:"optional,explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(raw, &request); err != nil || len(rest) > 0 {
		return nil, nil, fmt.Errorf("reading OCSP request: %w", orTrailing(err))
	}
	var list []Asked
	for _, one := range request.TBS.List {
		var id struct {
			Hash              pkix.AlgorithmIdentifier
			NameHash, KeyHash []byte
			Serial            *big.Int
		}
		if _, err := asn1.Unmarshal(one.ID.FullBytes, &id); err != nil {
			return nil, nil, fmt.Errorf("reading OCSP request: %w", err)
		}
		list = append(list, Asked{one.ID.FullBytes, cms.HashByOID(id.Hash.Algorithm.String()), id.NameHash, id.KeyHash, id.Serial})
	}
	if len(list) == 0 {
		return nil, nil, errors.New("reading OCSP request: it asks nothing")
	}
	for _, e := range request.TBS.Extensions {
		if e.Id.String() == oidNonce {
			var nonce []byte
			if _, err := asn1.Unmarshal(e.Value, &nonce); err != nil {
				return nil, nil, fmt.Errorf("reading OCSP request: nonce: %w", err)
			}
			return list, nonce, nil
		}
	}
	return list, nil, nil
}

var errTrailing = errors.New("bytes after the end")

func orTrailing(err error) error {
	if err == nil {
		return errTrailing
	}
	return err
}
