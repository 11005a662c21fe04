// Package cms makes CMS SignedData for tests: Sign makes a SignerInfo, whose
// unsigned attributes may be added to, SignedData.Encode the message.
//
// It only writes. It shares no code with the readers of this project.
//
// Out of scope: reading, encryption, digested data.
//
// References: RFC 5652 section 5, RFC 5035 (signing-certificate-v2), RFC 5940
// (OCSP answers among the CRLs), RFC 8933 (digest of the attributes).
package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/testcards/internal/der"
)

// Object identifiers of RFC 5652.
const (
	OIDData        = "1.2.840.113549.1.7.1"
	OIDSignedData  = "1.2.840.113549.1.7.2"
	OIDContentType = "1.2.840.113549.1.9.3"
	OIDDigest      = "1.2.840.113549.1.9.4"
	OIDCounter     = "1.2.840.113549.1.9.6"
)

// Signer says who signs and how. Certificate and Key are required.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	Hash        crypto.Hash // of content and signature; 0: the one that fits the key
	PSS         bool        // RSASSA-PSS instead of PKCS #1 v1.5
	ByKeyID     bool        // named by subjectKeyIdentifier, not by issuer and serial
	// Attributes are signed beside content-type and message-digest.
	Attributes [][]byte
	// Plain leaves signed attributes out: the signature is over the content.
	Plain bool
}

// SignerInfo is a signature made, RFC 5652 section 5.3.
type SignerInfo struct {
	// Attributes is the DER SET OF of the signed ones, or nil.
	Attributes []byte
	Value      []byte
	// Unsigned are added to until Encode.
	Unsigned [][]byte

	signer Signer
}

// HashFor is the hash that fits the key: SHA-384 for P-384, SHA-512 for P-521,
// else SHA-256.
func HashFor(key crypto.PublicKey) crypto.Hash {
	if k, ok := key.(*ecdsa.PublicKey); ok {
		switch bits := k.Curve.Params().BitSize; {
		case bits > 384:
			return crypto.SHA512
		case bits > 256:
			return crypto.SHA384
		}
	}
	return crypto.SHA256
}

// Digest hashes data.
func Digest(h crypto.Hash, data ...[]byte) []byte {
	w := h.New()
	for _, d := range data {
		w.Write(d)
	}
	return w.Sum(nil)
}

// Sign makes the signature over content of the given type whose digest, by
// s.Hash, is given. A counter-signature has no content type: "".
func Sign(s Signer, contentType string, digest []byte) (*SignerInfo, error) {
	if s.Hash == 0 {
		s.Hash = HashFor(s.Key.Public())
	}
	out := &SignerInfo{signer: s}
	toSign := digest
	if !s.Plain {
		list := append([][]byte{Attribute(OIDDigest, der.Octets(digest))}, s.Attributes...)
		if contentType != "" {
			list = append(list, Attribute(OIDContentType, der.OID(contentType)))
		}
		out.Attributes = der.Set(list...)
		toSign = Digest(s.Hash, out.Attributes)
	}
	var err error
	if out.Value, err = s.Value(toSign); err != nil {
		return nil, err
	}
	return out, nil
}

// Value signs a digest.
func (s Signer) Value(digest []byte) ([]byte, error) {
	var options crypto.SignerOpts = s.Hash
	var random io.Reader // none: signatures do not depend on chance
	if s.PSS {
		if _, ok := s.Key.Public().(*rsa.PublicKey); !ok {
			return nil, errors.New("RSASSA-PSS wants an RSA key")
		}
		options = &rsa.PSSOptions{Hash: s.Hash, SaltLength: s.Hash.Size()}
		random = &salt{seed: digest}
	}
	v, err := s.Key.Sign(random, digest, options)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return v, nil
}

// salt gives bytes that depend on the digest alone, so that the same input
// gives the same signature.
type salt struct {
	seed []byte
}

func (s *salt) Read(p []byte) (int, error) {
	sum := sha512.Sum512(s.seed)
	s.seed = sum[:]
	return copy(p, sum[:]), nil
}

// Attribute is an Attribute with the values given.
func Attribute(oid string, values ...[]byte) []byte {
	return der.Seq(der.OID(oid), der.Set(values...))
}

// Encode is the DER of the SignerInfo.
func (s *SignerInfo) Encode() []byte {
	parts := s.Fields()
	if len(s.Unsigned) > 0 {
		parts = append(parts, der.Implicit(1, der.Set(s.Unsigned...)))
	}
	return der.Seq(parts...)
}

// Fields are the encodings of the fields before the unsigned attributes.
func (s *SignerInfo) Fields() [][]byte {
	c := s.signer.Certificate
	version, sid := int64(1), der.Seq(c.RawIssuer, der.BigInt(c.SerialNumber))
	if s.signer.ByKeyID {
		version, sid = 3, der.Implicit(0, der.Octets(c.SubjectKeyId))
	}
	parts := [][]byte{der.Int(version), sid, DigestAlgorithm(s.signer.Hash)}
	if s.Attributes != nil {
		parts = append(parts, der.Implicit(0, s.Attributes))
	}
	return append(parts, s.signer.Algorithm(), der.Octets(s.Value))
}

// UnsignedValues are the type and value of each unsigned attribute, encoded
// one after the other. Each attribute is taken to have one value.
func (s *SignerInfo) UnsignedValues() (out [][]byte) {
	for _, raw := range s.Unsigned {
		var a struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		if _, err := asn1.Unmarshal(raw, &a); err != nil {
			panic("cms: own attribute: " + err.Error())
		}
		out = append(out, append(der.OID(a.Type.String()), a.Value.Bytes...))
	}
	return out
}

// SignedData is a whole message, RFC 5652 section 5.1.
type SignedData struct {
	ContentType  string
	Content      []byte // eContent, nil: detached
	Certificates []*x509.Certificate
	CRLs         [][]byte // CertificateList
	OCSPs        [][]byte // OCSPResponse
	Signers      []*SignerInfo
}

// Encode is the DER of the ContentInfo.
func (d SignedData) Encode() []byte {
	version := int64(1)
	var algorithms, infos [][]byte
	for _, s := range d.Signers {
		if a := DigestAlgorithm(s.signer.Hash); !contains(algorithms, a) {
			algorithms = append(algorithms, a)
		}
		infos = append(infos, s.Encode())
		if s.signer.ByKeyID {
			version = 3
		}
	}
	content := [][]byte{der.OID(d.ContentType)}
	if d.Content != nil {
		content = append(content, der.Explicit(0, der.Octets(d.Content)))
	}
	if d.ContentType != OIDData {
		version = 3
	}
	lists := d.Revocations()
	if len(d.OCSPs) > 0 {
		version = 5
	}
	parts := [][]byte{der.Int(version), der.Set(algorithms...), der.Seq(content...)}
	if len(d.Certificates) > 0 {
		parts = append(parts, der.Implicit(0, der.Set(raws(d.Certificates)...)))
	}
	if len(lists) > 0 {
		parts = append(parts, der.Implicit(1, der.Set(lists...)))
	}
	parts = append(parts, der.Set(infos...))
	return der.Seq(der.OID(OIDSignedData), der.Explicit(0, der.Seq(parts...)))
}

// Revocations are the elements of the field crls.
func (d SignedData) Revocations() [][]byte {
	out := append([][]byte{}, d.CRLs...)
	for _, o := range d.OCSPs {
		out = append(out, OtherRevocation(o))
	}
	return out
}

// OtherRevocation is an OCSPResponse as it stands among the CRLs: a
// RevocationInfoChoice [1] with the format id-ri-ocsp-response.
func OtherRevocation(response []byte) []byte {
	return der.Implicit(1, der.Seq(der.OID("1.3.6.1.5.5.7.16.2"), response))
}

func contains(list [][]byte, a []byte) bool {
	for _, b := range list {
		if bytes.Equal(a, b) {
			return true
		}
	}
	return false
}

// raws are the certificates' encodings, each once.
func raws(list []*x509.Certificate) (out [][]byte) {
	for _, c := range list {
		if !contains(out, c.Raw) {
			out = append(out, c.Raw)
		}
	}
	return out
}
