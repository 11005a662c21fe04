package sigalg

import (
	"crypto"
	"fmt"
)

// Prefixes of the URIs in XML signatures.
const (
	dsig   = "http://www.w3.org/2000/09/xmldsig#"
	more   = "http://www.w3.org/2001/04/xmldsig-more#"
	more7  = "http://www.w3.org/2007/05/xmldsig-more#"
	more21 = "http://www.w3.org/2021/04/xmldsig-more#"
	dsig11 = "http://www.w3.org/2009/xmldsig11#"
)

// signatureURIs are the algorithms of XML signatures (RFC 6931 section 2.3,
// RFC 9231 section 2.3). ECDSA values are r and s in XML; see ECDSAFromRaw.
var signatureURIs = map[string]Algorithm{
	more + "rsa-md5":       {Scheme: PKCS1, Hash: crypto.MD5},
	dsig + "rsa-sha1":      {Scheme: PKCS1, Hash: crypto.SHA1},
	more + "rsa-sha224":    {Scheme: PKCS1, Hash: crypto.SHA224},
	more + "rsa-sha256":    {Scheme: PKCS1, Hash: crypto.SHA256},
	more + "rsa-sha384":    {Scheme: PKCS1, Hash: crypto.SHA384},
	more + "rsa-sha512":    {Scheme: PKCS1, Hash: crypto.SHA512},
	more + "rsa-ripemd160": {Scheme: PKCS1, Hash: crypto.RIPEMD160},

	more7 + "md5-rsa-MGF1":       pssOf(crypto.MD5),
	more7 + "sha1-rsa-MGF1":      pssOf(crypto.SHA1),
	more7 + "sha224-rsa-MGF1":    pssOf(crypto.SHA224),
	more7 + "sha256-rsa-MGF1":    pssOf(crypto.SHA256),
	more7 + "sha384-rsa-MGF1":    pssOf(crypto.SHA384),
	more7 + "sha512-rsa-MGF1":    pssOf(crypto.SHA512),
	more7 + "sha3-224-rsa-MGF1":  pssOf(crypto.SHA3_224),
	more7 + "sha3-256-rsa-MGF1":  pssOf(crypto.SHA3_256),
	more7 + "sha3-384-rsa-MGF1":  pssOf(crypto.SHA3_384),
	more7 + "sha3-512-rsa-MGF1":  pssOf(crypto.SHA3_512),
	more7 + "ripemd160-rsa-MGF1": pssOf(crypto.RIPEMD160),

	more + "ecdsa-sha1":       {Scheme: ECDSA, Hash: crypto.SHA1},
	more + "ecdsa-sha224":     {Scheme: ECDSA, Hash: crypto.SHA224},
	more + "ecdsa-sha256":     {Scheme: ECDSA, Hash: crypto.SHA256},
	more + "ecdsa-sha384":     {Scheme: ECDSA, Hash: crypto.SHA384},
	more + "ecdsa-sha512":     {Scheme: ECDSA, Hash: crypto.SHA512},
	more7 + "ecdsa-ripemd160": {Scheme: ECDSA, Hash: crypto.RIPEMD160},
	more21 + "ecdsa-sha3-224": {Scheme: ECDSA, Hash: crypto.SHA3_224},
	more21 + "ecdsa-sha3-256": {Scheme: ECDSA, Hash: crypto.SHA3_256},
	more21 + "ecdsa-sha3-384": {Scheme: ECDSA, Hash: crypto.SHA3_384},
	more21 + "ecdsa-sha3-512": {Scheme: ECDSA, Hash: crypto.SHA3_512},

	dsig + "dsa-sha1":        {Scheme: DSA, Hash: crypto.SHA1},
	dsig11 + "dsa-sha256":    {Scheme: DSA, Hash: crypto.SHA256},
	more21 + "eddsa-ed25519": {Scheme: Ed25519},
}

// pssOf is RSASSA-PSS as the URIs of RFC 9231 section 2.3.10 mean it: MGF1
// with the same digest, a salt as long as it.
func pssOf(h crypto.Hash) Algorithm {
	return Algorithm{Scheme: PSS, Hash: h, MGFHash: h, SaltLength: h.Size()}
}

// PSSURI is the algorithm whose parameters stand in an element of their own
// (RFC 9231 section 2.3.9): the caller reads them, ByURI gives the defaults,
// SHA-256 and a salt of 32 bytes.
const PSSURI = more7 + "rsa-pss"

// ByURI returns the signature algorithm that XML names by that URI. Errors:
// ErrUnsupported.
func ByURI(uri string) (Algorithm, error) {
	if uri == PSSURI {
		return pssOf(crypto.SHA256), nil
	}
	a, ok := signatureURIs[uri]
	if !ok {
		return Algorithm{}, fmt.Errorf("%w: %.120q", ErrUnsupported, uri)
	}
	return a, nil
}

// URI returns the URI that XML names the algorithm by, of RSASSA-PSS only with
// the parameters that a URI stands for: MGF1 with the same digest (MGFHash may be
// 0) and a salt as long as it (SaltLength may be below 0). Errors: ErrUnsupported.
func (a Algorithm) URI() (string, error) {
	if a.Scheme == PSS && a.MGFHash == 0 {
		a.MGFHash = a.Hash
	}
	if a.Scheme == PSS && a.SaltLength < 0 {
		a.SaltLength = a.Hash.Size()
	}
	for uri, b := range signatureURIs {
		if a == b {
			return uri, nil
		}
	}
	return "", fmt.Errorf("%w: %v has no name in XML", ErrUnsupported, a)
}
