// Package cms reads and writes the Cryptographic Message Syntax: SignedData in all
// its forms, from PKCS #7 1.5 to RFC 5652, in DER and in BER, as a file of any
// size. What is signed keeps its bytes and its offset; certificates, lists and
// attributes are handed out raw, unknown ones too.
//
// Start with Open, which takes PEM, base64 and S/MIME off a file, then Parse.
// SignedData.Content streams what is signed; Digests hashes any stream with
// several digests at once; SignerInfo.SignedInput is what a signature is over.
// NewEdit begins a message, SignedData.Edit changes one that was read without
// touching what it does not replace; Edit.Begin writes one of any size in one pass.
//
// Out of scope: whether a signature is right (package sigalg) or trusted
// (package verify), encryption, making signatures (package cades).
//
// References: RFC 5652, RFC 2315 (PKCS #7 1.5), RFC 5911 and RFC 5940 (revocation
// information), RFC 8551 (S/MIME), RFC 2634 and RFC 5035 (ESS), RFC 7468 (PEM).
package cms

import (
	"errors"
	"io"
	"math/big"
)

// Errors of this package. Bytes that cannot be read are ber.ErrMalformed or ber.ErrTooLarge.
var (
	// ErrNotSigned: a message of another type (data, envelopedData), well formed.
	ErrNotSigned = errors.New("not a SignedData")
)

// Content types, RFC 5652 sections 4 and 5, RFC 3161 section 2.4.2.
const (
	TypeData       = "1.2.840.113549.1.7.1"
	TypeSignedData = "1.2.840.113549.1.7.2"
	TypeTSTInfo    = "1.2.840.113549.1.9.16.1.4"
)

// SignedData is a message, RFC 5652 section 5.1.
type SignedData struct {
	Version          int
	DigestAlgorithms [][]byte // AlgorithmIdentifiers as they stand
	ContentType      string   // eContentType
	ContentTypeRaw   []byte   // the element
	Content          *Content // nil: detached
	// Encap, Certs and CRLs are where encapContentInfo and the fields
	// [0] and [1] stand in the file, with tag and length; Length 0: not there.
	Encap, Certs, CRLs Range
	Certificates       []Certificate
	Revocations        []Revocation
	Signers            []SignerInfo
	// Trailing bytes stand behind the message and are not zero padding.
	Trailing int64
	// Unread: there are elements that no standard knows, which were skipped.
	Unread bool

	src  io.ReaderAt
	size int64
}

// Range is a part of the file.
type Range struct{ Offset, Length int64 }

// Section reads a part of the file as it stands.
func (d *SignedData) Section(r Range) *io.SectionReader {
	return io.NewSectionReader(d.src, r.Offset, r.Length)
}

// Certificate is one CertificateChoices, RFC 5652 section 10.2.2.
type Certificate struct {
	X509 bool   // else an attribute certificate or another format
	Raw  []byte // as it stands
}

// Kinds of revocation information.
const (
	KindCRL   = "CRL"
	KindOCSP  = "OCSP"
	KindOther = ""
)

// Revocation is one RevocationInfoChoice, RFC 5652 section 10.2.1.
type Revocation struct {
	Kind  string // KindCRL, KindOCSP, KindOther
	Raw   []byte // the choice as it stands
	Value []byte // CertificateList; OCSPResponse or BasicOCSPResponse; other information
}

// SignerInfo is one signature, RFC 5652 section 5.3.
type SignerInfo struct {
	// Err is set when it cannot be read; then only Raw and Offset are.
	Err    error
	Raw    []byte
	Offset int64 // in the file

	Version int
	// Issuer and Serial, or KeyID, name the signer's certificate.
	Issuer []byte // Name
	Serial *big.Int
	KeyID  []byte
	// DigestAlgorithm and SignatureAlgorithm are AlgorithmIdentifiers as they stand.
	DigestAlgorithm, SignatureAlgorithm []byte
	Signature                           []byte // the value
	// SignedAttrs are nil when the field is not there, which is not the same as empty.
	SignedAttrs, UnsignedAttrs []Attribute
	// Fields are the elements in front of the unsigned attributes as they
	// stand, from version to signature; UnsignedRaw the [1] field, or nil.
	Fields      [][]byte
	UnsignedRaw []byte

	signedRaw []byte // the [0] field
}

// Attribute is one attribute, RFC 5652 section 5.3.
type Attribute struct {
	Type    string // OID
	TypeRaw []byte // the element
	Raw     []byte // all of it as it stands
	SetRaw  []byte // the SET of the values
	Values  [][]byte
	// Offset of Raw in the file.
	Offset int64
}
