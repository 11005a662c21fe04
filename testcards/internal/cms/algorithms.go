package cms

import (
	"crypto"
	"crypto/ecdsa"
	_ "crypto/sha1" // what Digest may be asked for
	_ "crypto/sha3"
	"crypto/x509"

	"github.com/eidkit/eidkit/testcards/internal/der"
)

// hashes are the object identifiers of digests: RFC 3370, RFC 5754, RFC 8702.
var hashes = map[crypto.Hash]string{
	crypto.SHA1:     "1.3.14.3.2.26",
	crypto.SHA224:   "2.16.840.1.101.3.4.2.4",
	crypto.SHA256:   "2.16.840.1.101.3.4.2.1",
	crypto.SHA384:   "2.16.840.1.101.3.4.2.2",
	crypto.SHA512:   "2.16.840.1.101.3.4.2.3",
	crypto.SHA3_256: "2.16.840.1.101.3.4.2.8",
	crypto.SHA3_384: "2.16.840.1.101.3.4.2.9",
	crypto.SHA3_512: "2.16.840.1.101.3.4.2.10",
}

var ecdsaWith = map[crypto.Hash]string{
	crypto.SHA1:     "1.2.840.10045.4.1",
	crypto.SHA224:   "1.2.840.10045.4.3.1",
	crypto.SHA256:   "1.2.840.10045.4.3.2",
	crypto.SHA384:   "1.2.840.10045.4.3.3",
	crypto.SHA512:   "1.2.840.10045.4.3.4",
	crypto.SHA3_256: "2.16.840.1.101.3.4.3.10",
	crypto.SHA3_384: "2.16.840.1.101.3.4.3.11",
	crypto.SHA3_512: "2.16.840.1.101.3.4.3.12",
}

// HashByOID finds the hash with the object identifier given with dots, 0 if
// there is none here.
func HashByOID(oid string) crypto.Hash {
	for h, o := range hashes {
		if o == oid {
			return h
		}
	}
	return 0
}

// DigestAlgorithm is the AlgorithmIdentifier of a hash, without parameters
// (RFC 5754 section 2). The hash must be one of SHA-1, SHA-2 and SHA-3.
func DigestAlgorithm(h crypto.Hash) []byte { return der.Seq(der.OID(hashes[h])) }

// rsaWith are the PKCS #1 v1.5 signatures, for certificates' kin (OCSP
// answers), which name the hash in the signature algorithm.
var rsaWith = map[crypto.Hash]string{
	crypto.SHA1:     "1.2.840.113549.1.1.5",
	crypto.SHA224:   "1.2.840.113549.1.1.14",
	crypto.SHA256:   "1.2.840.113549.1.1.11",
	crypto.SHA384:   "1.2.840.113549.1.1.12",
	crypto.SHA512:   "1.2.840.113549.1.1.13",
	crypto.SHA3_256: "2.16.840.1.101.3.4.3.14",
	crypto.SHA3_384: "2.16.840.1.101.3.4.3.15",
	crypto.SHA3_512: "2.16.840.1.101.3.4.3.16",
}

// Algorithm is the AlgorithmIdentifier of the signature: ECDSA and PKCS #1
// v1.5 with the hash, or RSASSA-PSS with its parameters (RFC 4055 section
// 3.1).
func (s Signer) Algorithm() []byte {
	if _, ok := s.Key.Public().(*ecdsa.PublicKey); ok {
		return der.Seq(der.OID(ecdsaWith[s.Hash]))
	}
	if s.PSS {
		hash := der.Seq(der.OID(hashes[s.Hash]), der.Null())
		return der.Seq(der.OID("1.2.840.113549.1.1.10"), der.Seq(
			der.Explicit(0, hash),
			der.Explicit(1, der.Seq(der.OID("1.2.840.113549.1.1.8"), hash)),
			der.Explicit(2, der.Int(int64(s.Hash.Size())))))
	}
	return der.Seq(der.OID(rsaWith[s.Hash]), der.Null())
}

// SigningCertificate is the attribute that binds the certificate: version 2
// with the hash (RFC 5035 section 3), version 1 for SHA-1 (RFC 2634 section
// 5.4).
func SigningCertificate(c *x509.Certificate, h crypto.Hash) []byte {
	name := der.Seq(der.Explicit(4, c.RawIssuer))
	issuerSerial := der.Seq(name, der.BigInt(c.SerialNumber))
	digest := der.Octets(Digest(h, c.Raw))
	switch h {
	case crypto.SHA1:
		return Attribute("1.2.840.113549.1.9.16.2.12", der.Seq(der.Seq(der.Seq(digest, issuerSerial))))
	case crypto.SHA256: // the default is left out
		return Attribute("1.2.840.113549.1.9.16.2.47", der.Seq(der.Seq(der.Seq(digest, issuerSerial))))
	}
	return Attribute("1.2.840.113549.1.9.16.2.47", der.Seq(der.Seq(der.Seq(DigestAlgorithm(h), digest, issuerSerial))))
}
