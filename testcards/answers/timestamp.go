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

// Timestamp is a time stamp token to be made, RFC 3161 section 2.4.2.
type Timestamp struct {
	// TSA signs.
	TSA *pki.Authority
	// Certificates are sent along; RFC 3161 wants the TSA's among them when
	// certReq was set.
	Certificates []*x509.Certificate
	// CRLs and OCSPs are put beside the certificates, as archives do.
	CRLs, OCSPs [][]byte
	// Hash and Imprint are of what is stamped.
	Hash    crypto.Hash
	Imprint []byte
	// Policy with dots; empty: 2.999.1.
	Policy string
	// Serial; nil: 1.
	Serial *big.Int
	Time   time.Time
	// Accuracy in whole seconds and milliseconds; 0: not written.
	Accuracy time.Duration
	Ordering bool
	Nonce    *big.Int
	// Name puts the name of the TSA into the token.
	Name bool
	// SignatureHash; 0: the one that fits the key.
	SignatureHash crypto.Hash
	// SHA1Reference uses signing-certificate, version 1; NoReference leaves
	// both versions out, against RFC 5816.
	SHA1Reference, NoReference bool
	// Unsigned are attributes to be added beside the signature.
	Unsigned [][]byte
	// Corrupt changes one bit of the signature.
	Corrupt bool
}

const oidTSTInfo = "1.2.840.113549.1.9.16.1.4"

// Token makes the TimeStampToken.
func (t Timestamp) Token() ([]byte, error) {
	if t.TSA == nil || len(t.Imprint) == 0 {
		return nil, errors.New("making time stamp: no TSA, or nothing to stamp")
	}
	info := t.info()
	s := cms.Signer{Certificate: t.TSA.Certificate, Key: t.TSA.Key, Hash: t.SignatureHash}
	if s.Hash == 0 {
		s.Hash = cms.HashFor(s.Key.Public())
	}
	s.Attributes = [][]byte{cms.Attribute("1.2.840.113549.1.9.5", der.X509Time(t.Time))}
	switch {
	case t.SHA1Reference:
		s.Attributes = append(s.Attributes, cms.SigningCertificate(t.TSA.Certificate, crypto.SHA1))
	case !t.NoReference:
		s.Attributes = append(s.Attributes, cms.SigningCertificate(t.TSA.Certificate, s.Hash))
	}
	signed, err := cms.Sign(s, oidTSTInfo, cms.Digest(s.Hash, info))
	if err != nil {
		return nil, fmt.Errorf("making time stamp: %w", err)
	}
	if t.Corrupt {
		signed.Value[len(signed.Value)-1] ^= 1
	}
	signed.Unsigned = t.Unsigned
	return cms.SignedData{ContentType: oidTSTInfo, Content: info, Certificates: t.Certificates, CRLs: t.CRLs, OCSPs: t.OCSPs,
		Signers: []*cms.SignerInfo{signed}}.Encode(), nil
}

// info is the TSTInfo.
func (t Timestamp) info() []byte {
	policy, serial := t.Policy, t.Serial
	if policy == "" {
		policy = "2.999.1"
	}
	if serial == nil {
		serial = big.NewInt(1)
	}
	parts := [][]byte{der.Int(1), der.OID(policy), der.Seq(cms.DigestAlgorithm(t.Hash), der.Octets(t.Imprint)), der.BigInt(serial), der.Time(t.Time)}
	if t.Accuracy > 0 {
		accuracy := [][]byte{der.Int(int64(t.Accuracy / time.Second))}
		if ms := t.Accuracy % time.Second / time.Millisecond; ms > 0 {
			accuracy = append(accuracy, der.Implicit(0, der.Int(int64(ms))))
		}
		parts = append(parts, der.Seq(accuracy...))
	}
	if t.Ordering {
		parts = append(parts, der.Bool(true))
	}
	if t.Nonce != nil {
		parts = append(parts, der.BigInt(t.Nonce))
	}
	if t.Name {
		parts = append(parts, der.Explicit(0, der.Explicit(4, t.TSA.Certificate.RawSubject)))
	}
	return der.Seq(parts...)
}

// Response makes the TimeStampResp around Token, status granted.
func (t Timestamp) Response() ([]byte, error) {
	token, err := t.Token()
	if err != nil {
		return nil, err
	}
	return der.Seq(der.Seq(der.Int(0)), token), nil
}

// TimestampError is a TimeStampResp without a token: status 2 (rejection) and
// so on, the number of a bit of PKIFailureInfo (0 badAlg, 2 badRequest, 5
// badDataFormat, 14 timeNotAvailable, 15 unacceptedPolicy, 25 systemFailure)
// and a text.
func TimestampError(status, failure int, text string) []byte {
	var bits [4]byte
	bits[failure/8] = 0x80 >> (failure % 8)
	n := failure/8 + 1
	return der.Seq(der.Seq(der.Int(int64(status)), der.Seq(der.UTF8(text)), der.Raw(0x03, []byte{byte(n*8 - 1 - failure)}, bits[:n])))
}

// Request is a TimeStampReq, RFC 3161 section 2.4.1.
type Request struct {
	Hash         crypto.Hash // 0: not one of SHA-1, SHA-2, SHA-3
	Imprint      []byte
	Policy       string // with dots, or empty
	Nonce        *big.Int
	Certificates bool // certReq
}

// ParseRequest reads a TimeStampReq. The length of the imprint is not
// compared with the hash.
func ParseRequest(raw []byte) (Request, error) {
	var request struct {
		Version int
		Imprint struct {
			Hash   pkix.AlgorithmIdentifier
			Digest []byte
		}
		Policy       asn1.ObjectIdentifier `asn1:"optional"`
		Nonce        *big.Int              `asn1:"optional"`
		Certificates bool                  `asn1:"optional"`
		Extensions   []pkix.Extension      `asn1:"optional,tag:0"`
	}
	if rest, err := asn1.Unmarshal(raw, &request); err != nil || len(rest) > 0 {
		return Request{}, fmt.Errorf("reading time stamp request: %w", orTrailing(err))
	}
	if request.Version != 1 {
		return Request{}, fmt.Errorf("reading time stamp request: version %d", request.Version)
	}
	out := Request{Hash: cms.HashByOID(request.Imprint.Hash.Algorithm.String()), Imprint: request.Imprint.Digest, Nonce: request.Nonce,
		Certificates: request.Certificates}
	if len(request.Policy) > 0 {
		out.Policy = request.Policy.String()
	}
	return out, nil
}
