package sigalg

//lint:file-ignore SA1019 old digests, to verify only

import (
	"crypto"
	_ "crypto/md5" // all hashes named below are linked in
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	_ "golang.org/x/crypto/ripemd160"
)

// hashes are the digests known here with their names.
var hashes = []struct {
	hash crypto.Hash
	name string
	oid  string // NIST CSOR, RFC 3279, ISO/IEC 10118-3
	uri  string // RFC 6931 section 2.1, RFC 9231 section 2.1
}{
	{crypto.MD5, "MD5", "1.2.840.113549.2.5", "http://www.w3.org/2001/04/xmldsig-more#md5"},
	{crypto.SHA1, "SHA-1", "1.3.14.3.2.26", "http://www.w3.org/2000/09/xmldsig#sha1"},
	{crypto.RIPEMD160, "RIPEMD160", "1.3.36.3.2.1", "http://www.w3.org/2001/04/xmlenc#ripemd160"},
	{crypto.SHA224, "SHA-224", "2.16.840.1.101.3.4.2.4", "http://www.w3.org/2001/04/xmldsig-more#sha224"},
	{crypto.SHA256, "SHA-256", "2.16.840.1.101.3.4.2.1", "http://www.w3.org/2001/04/xmlenc#sha256"},
	{crypto.SHA384, "SHA-384", "2.16.840.1.101.3.4.2.2", "http://www.w3.org/2001/04/xmldsig-more#sha384"},
	{crypto.SHA512, "SHA-512", "2.16.840.1.101.3.4.2.3", "http://www.w3.org/2001/04/xmlenc#sha512"},
	{crypto.SHA512_224, "SHA-512/224", "2.16.840.1.101.3.4.2.5", ""},
	{crypto.SHA512_256, "SHA-512/256", "2.16.840.1.101.3.4.2.6", ""},
	{crypto.SHA3_224, "SHA3-224", "2.16.840.1.101.3.4.2.7", "http://www.w3.org/2007/05/xmldsig-more#sha3-224"},
	{crypto.SHA3_256, "SHA3-256", "2.16.840.1.101.3.4.2.8", "http://www.w3.org/2007/05/xmldsig-more#sha3-256"},
	{crypto.SHA3_384, "SHA3-384", "2.16.840.1.101.3.4.2.9", "http://www.w3.org/2007/05/xmldsig-more#sha3-384"},
	{crypto.SHA3_512, "SHA3-512", "2.16.840.1.101.3.4.2.10", "http://www.w3.org/2007/05/xmldsig-more#sha3-512"},
}

var hashOIDs, hashURIs = hashTables()

func hashTables() (oids, uris map[string]crypto.Hash) {
	oids, uris = make(map[string]crypto.Hash, len(hashes)), make(map[string]crypto.Hash, len(hashes))
	for _, h := range hashes {
		oids[h.oid] = h.hash
		if h.uri != "" {
			uris[h.uri] = h.hash
		}
	}
	return oids, uris
}

// HashName names a digest for people: "SHA-384". For one not known here it is
// "unknown digest".
func HashName(h crypto.Hash) string {
	for _, row := range hashes {
		if row.hash == h {
			return row.name
		}
	}
	return "unknown digest"
}

// HashByOID returns the digest of that OID, false if it is not known.
func HashByOID(oid asn1.ObjectIdentifier) (crypto.Hash, bool) {
	h, ok := hashOIDs[oid.String()]
	return h, ok
}

// HashURI returns the URI that XML names a digest by, empty if there is none.
func HashURI(h crypto.Hash) string {
	for _, row := range hashes {
		if row.hash == h {
			return row.uri
		}
	}
	return ""
}

// HashByURI returns the digest that XML names by that URI, false if it is not
// known.
func HashByURI(uri string) (crypto.Hash, bool) {
	h, ok := hashURIs[uri]
	return h, ok
}

// HashAlgorithm reads the DER (or BER) AlgorithmIdentifier of a digest.
// Parameters may be absent or NULL (RFC 5754 section 2). Where a signature
// algorithm stands instead, as some old makers wrote, its digest is taken.
// Errors: ErrUnsupported.
func HashAlgorithm(der []byte) (crypto.Hash, error) {
	oid, params, err := algorithmIdentifier(der)
	if err != nil {
		return 0, err
	}
	if h, ok := hashOIDs[oid.String()]; ok {
		if !emptyParameters(params) {
			return 0, fmt.Errorf("%w: digest %v with parameters", ErrUnsupported, oid)
		}
		return h, nil
	}
	if a, ok := signatureOIDs[oid.String()]; ok && a.Hash != 0 {
		return a.Hash, nil
	}
	return 0, fmt.Errorf("%w: digest %v", ErrUnsupported, oid)
}

// maxAlgorithm bounds an AlgorithmIdentifier, in bytes; that of RSA-PSS, the
// longest, has some 70.
const maxAlgorithm = 1024

// algorithmIdentifier takes an AlgorithmIdentifier apart (RFC 5280 section
// 4.1.1.2). params is the encoded parameter, nil if there is none.
func algorithmIdentifier(der []byte) (oid asn1.ObjectIdentifier, params []byte, err error) {
	if len(der) > maxAlgorithm {
		return nil, nil, fmt.Errorf("%w: AlgorithmIdentifier of %d bytes", ErrUnsupported, len(der))
	}
	input := cryptobyte.String(der)
	var seq cryptobyte.String
	if !input.ReadASN1(&seq, cbasn1.SEQUENCE) || !input.Empty() || !seq.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil, fmt.Errorf("%w: malformed AlgorithmIdentifier", ErrUnsupported)
	}
	if seq.Empty() {
		return oid, nil, nil
	}
	var element cryptobyte.String
	var tag cbasn1.Tag
	if !seq.ReadAnyASN1Element(&element, &tag) || !seq.Empty() {
		return nil, nil, fmt.Errorf("%w: malformed parameters of %v", ErrUnsupported, oid)
	}
	return oid, element, nil
}

// emptyParameters: absent or NULL.
func emptyParameters(params []byte) bool {
	return len(params) == 0 || len(params) == 2 && params[0] == 5 && params[1] == 0
}
