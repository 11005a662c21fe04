package sigalg

import (
	"crypto"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// OIDs that need more than the table below.
const (
	oidRSA       = "1.2.840.113549.1.1.1"  // rsaEncryption
	oidPSS       = "1.2.840.113549.1.1.10" // id-RSASSA-PSS
	oidMGF1      = "1.2.840.113549.1.1.8"
	oidEC        = "1.2.840.10045.2.1" // id-ecPublicKey
	oidSpecified = "1.2.840.10045.4.3" // ecdsa-with-Specified
	oidDSA       = "1.2.840.10040.4.1" // id-dsa
	oidEd25519   = "1.3.101.112"
)

// signatureOIDs are the algorithms that an OID alone names.
var signatureOIDs = map[string]Algorithm{
	// RFC 3279, RFC 4055, RFC 8017 appendix A.2.4, NIST CSOR.
	"1.2.840.113549.1.1.4":    {Scheme: PKCS1, Hash: crypto.MD5},
	"1.2.840.113549.1.1.5":    {Scheme: PKCS1, Hash: crypto.SHA1},
	"1.3.14.3.2.29":           {Scheme: PKCS1, Hash: crypto.SHA1}, // OIW sha1WithRSASignature
	"1.2.840.113549.1.1.14":   {Scheme: PKCS1, Hash: crypto.SHA224},
	"1.2.840.113549.1.1.11":   {Scheme: PKCS1, Hash: crypto.SHA256},
	"1.2.840.113549.1.1.12":   {Scheme: PKCS1, Hash: crypto.SHA384},
	"1.2.840.113549.1.1.13":   {Scheme: PKCS1, Hash: crypto.SHA512},
	"1.2.840.113549.1.1.15":   {Scheme: PKCS1, Hash: crypto.SHA512_224},
	"1.2.840.113549.1.1.16":   {Scheme: PKCS1, Hash: crypto.SHA512_256},
	"2.16.840.1.101.3.4.3.13": {Scheme: PKCS1, Hash: crypto.SHA3_224},
	"2.16.840.1.101.3.4.3.14": {Scheme: PKCS1, Hash: crypto.SHA3_256},
	"2.16.840.1.101.3.4.3.15": {Scheme: PKCS1, Hash: crypto.SHA3_384},
	"2.16.840.1.101.3.4.3.16": {Scheme: PKCS1, Hash: crypto.SHA3_512},
	"1.3.36.3.3.1.2":          {Scheme: PKCS1, Hash: crypto.RIPEMD160}, // TeleTrusT

	// RFC 5758, NIST CSOR.
	"1.2.840.10045.4.1":       {Scheme: ECDSA, Hash: crypto.SHA1},
	"1.2.840.10045.4.3.1":     {Scheme: ECDSA, Hash: crypto.SHA224},
	"1.2.840.10045.4.3.2":     {Scheme: ECDSA, Hash: crypto.SHA256},
	"1.2.840.10045.4.3.3":     {Scheme: ECDSA, Hash: crypto.SHA384},
	"1.2.840.10045.4.3.4":     {Scheme: ECDSA, Hash: crypto.SHA512},
	"2.16.840.1.101.3.4.3.9":  {Scheme: ECDSA, Hash: crypto.SHA3_224},
	"2.16.840.1.101.3.4.3.10": {Scheme: ECDSA, Hash: crypto.SHA3_256},
	"2.16.840.1.101.3.4.3.11": {Scheme: ECDSA, Hash: crypto.SHA3_384},
	"2.16.840.1.101.3.4.3.12": {Scheme: ECDSA, Hash: crypto.SHA3_512},

	// BSI TR-03111 section 5.2.1.
	"0.4.0.127.0.7.1.1.4.1.1":  {Scheme: PlainECDSA, Hash: crypto.SHA1},
	"0.4.0.127.0.7.1.1.4.1.2":  {Scheme: PlainECDSA, Hash: crypto.SHA224},
	"0.4.0.127.0.7.1.1.4.1.3":  {Scheme: PlainECDSA, Hash: crypto.SHA256},
	"0.4.0.127.0.7.1.1.4.1.4":  {Scheme: PlainECDSA, Hash: crypto.SHA384},
	"0.4.0.127.0.7.1.1.4.1.5":  {Scheme: PlainECDSA, Hash: crypto.SHA512},
	"0.4.0.127.0.7.1.1.4.1.6":  {Scheme: PlainECDSA, Hash: crypto.RIPEMD160},
	"0.4.0.127.0.7.1.1.4.1.8":  {Scheme: PlainECDSA, Hash: crypto.SHA3_224},
	"0.4.0.127.0.7.1.1.4.1.9":  {Scheme: PlainECDSA, Hash: crypto.SHA3_256},
	"0.4.0.127.0.7.1.1.4.1.10": {Scheme: PlainECDSA, Hash: crypto.SHA3_384},
	"0.4.0.127.0.7.1.1.4.1.11": {Scheme: PlainECDSA, Hash: crypto.SHA3_512},

	// RFC 3279 section 2.2.2, RFC 5758 section 3.1, NIST CSOR.
	"1.2.840.10040.4.3":      {Scheme: DSA, Hash: crypto.SHA1},
	"1.3.14.3.2.27":          {Scheme: DSA, Hash: crypto.SHA1}, // OIW dsaWithSHA1
	"2.16.840.1.101.3.4.3.1": {Scheme: DSA, Hash: crypto.SHA224},
	"2.16.840.1.101.3.4.3.2": {Scheme: DSA, Hash: crypto.SHA256},
	"2.16.840.1.101.3.4.3.3": {Scheme: DSA, Hash: crypto.SHA384},
	"2.16.840.1.101.3.4.3.4": {Scheme: DSA, Hash: crypto.SHA512},

	oidEd25519: {Scheme: Ed25519}, // RFC 8419
}

// keyOIDs name a kind of key alone; in CMS the digest then comes from
// digestAlgorithm (RFC 3370 section 3.2; for EC and DSA an old habit).
var keyOIDs = map[string]Scheme{oidRSA: PKCS1, oidEC: ECDSA, oidDSA: DSA}

// Parse reads the DER (or BER) AlgorithmIdentifier of a signature. Parameters
// may be absent or NULL where the algorithm has none; those of RSASSA-PSS are
// read with the defaults of RFC 4055 section 3.1. An OID that names a key
// alone (rsaEncryption) is not enough: see FromCMS. Errors: ErrUnsupported.
func Parse(der []byte) (Algorithm, error) {
	oid, params, err := algorithmIdentifier(der)
	if err != nil {
		return Algorithm{}, err
	}
	return parse(oid, params)
}

func parse(oid asn1.ObjectIdentifier, params []byte) (Algorithm, error) {
	switch name := oid.String(); name {
	case oidPSS:
		return parsePSS(params)
	case oidSpecified: // X9.62: the hash is the parameter
		h, err := HashAlgorithm(params)
		if err != nil {
			return Algorithm{}, err
		}
		return Algorithm{Scheme: ECDSA, Hash: h}, nil
	default:
		a, ok := signatureOIDs[name]
		if !ok {
			return Algorithm{}, fmt.Errorf("%w: %v", ErrUnsupported, oid)
		}
		// DSA's and EC's parameters belong to the key; some makers repeat
		// them here, where they say nothing.
		if !emptyParameters(params) && (a.Scheme == PKCS1 || a.Scheme == Ed25519) {
			return Algorithm{}, fmt.Errorf("%w: %v with parameters", ErrUnsupported, oid)
		}
		return a, nil
	}
}

// parsePSS reads RSASSA-PSS-params (RFC 4055 section 3.1).
func parsePSS(params []byte) (Algorithm, error) {
	bad := func(what string) (Algorithm, error) {
		return Algorithm{}, fmt.Errorf("%w: RSASSA-PSS %s", ErrUnsupported, what)
	}
	a := Algorithm{Scheme: PSS, Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20}
	input := cryptobyte.String(params)
	var seq, field cryptobyte.String
	if !input.ReadASN1(&seq, cbasn1.SEQUENCE) || !input.Empty() {
		return bad("without parameters")
	}
	var has bool
	explicit := func(n uint8) bool {
		return seq.ReadOptionalASN1(&field, &has, cbasn1.Tag(n).Constructed().ContextSpecific())
	}
	var err error
	if !explicit(0) {
		return bad("parameters malformed")
	}
	if has {
		if a.Hash, err = HashAlgorithm(field); err != nil {
			return Algorithm{}, err
		}
	}
	if !explicit(1) {
		return bad("parameters malformed")
	}
	if has {
		oid, mgf, err := algorithmIdentifier(field)
		if err != nil {
			return Algorithm{}, err
		}
		if oid.String() != oidMGF1 {
			return bad("mask generation " + oid.String())
		}
		if a.MGFHash, err = HashAlgorithm(mgf); err != nil {
			return Algorithm{}, err
		}
	}
	if !explicit(2) || has && (!field.ReadASN1Integer(&a.SaltLength) || !field.Empty()) {
		return bad("parameters malformed")
	}
	trailer := 1
	if !explicit(3) || has && (!field.ReadASN1Integer(&trailer) || !field.Empty()) || !seq.Empty() {
		return bad("parameters malformed")
	}
	if trailer != 1 || a.SaltLength < 0 || a.SaltLength > maxRSA/8 {
		return bad(fmt.Sprintf("with trailer %d, salt %d", trailer, a.SaltLength))
	}
	return a, nil
}

// FromCMS returns the algorithm of a SignerInfo (RFC 5652 section 5.3) from
// the DER of its digestAlgorithm and signatureAlgorithm. A signature algorithm
// that names a key alone takes the digest of the former. mismatch says that
// both name a digest and the two differ: such a signature is read by its own
// algorithm, and cannot be right. Errors: ErrUnsupported.
func FromCMS(digestAlg, sigAlg []byte) (a Algorithm, mismatch bool, err error) {
	oid, params, err := algorithmIdentifier(sigAlg)
	if err != nil {
		return Algorithm{}, false, err
	}
	digest, digestErr := HashAlgorithm(digestAlg)
	if scheme, ok := keyOIDs[oid.String()]; ok {
		if digestErr != nil {
			return Algorithm{}, false, digestErr
		}
		return Algorithm{Scheme: scheme, Hash: digest}, false, nil
	}
	if oid.String() == oidPSS && len(params) == 0 && digestErr == nil {
		// Some makers leave the parameters out and mean the usual ones.
		return Algorithm{Scheme: PSS, Hash: digest, MGFHash: digest, SaltLength: -1}, false, nil
	}
	if a, err = parse(oid, params); err != nil {
		return Algorithm{}, false, err
	}
	return a, digestErr == nil && a.Hash != 0 && a.Hash != digest, nil
}
