// Package ades is the model of a signature that all formats share: what a
// reader of CAdES, XAdES, PAdES or a container found, before anybody judged
// it. Readers are in the packages below it; package verify judges.
//
// A reader reports facts: what is covered, which digests fit, what is
// embedded. It makes no decision about trust, time or policy, and it does
// not stop at what is wrong with one signature: that is a Finding.
//
// References: ETSI EN 319 102-1 section 5, EN 319 122-1, 132-1, 142-1, 162-1.
package ades

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"time"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// Errors that end the reading of a whole file. Both are wrapped with the
// reason; anything else is a fault of the disk or of the caller.
var (
	// ErrNoSignature: a file of this kind, well formed, without a signature.
	ErrNoSignature = errors.New("no signature found")
	// ErrRefused: the file cannot be parsed, or holds what is refused on
	// sight (DOCTYPE, zip bomb, path out of the container).
	ErrRefused = errors.New("refused")
)

// Digest identifies an embedded object or a signature: SHA-256 over the DER
// of a certificate, CRL, OCSP answer or timestamp token, or over the
// signature value. Time stamps name what they prove by it.
type Digest = [sha256.Size]byte

// ObjectDigest returns the Digest of raw.
func ObjectDigest(raw []byte) Digest { return sha256.Sum256(raw) }

// File is an input: bytes by ranges, so that a large file is never in memory.
type File struct {
	Name string // for messages; a base name, may be empty
	Data io.ReaderAt
	Size int64
}

// Content is what a detached signature may sign: a file, or digests alone
// when the caller keeps the file to himself.
type Content struct {
	File
	Digests map[crypto.Hash][]byte // used when Data is nil
}

// Input is what a reader gets.
type Input struct {
	File
	Detached []Content
}

// Format names what kind of signature it is, as reported.
type Format string

// The formats.
const (
	CAdES        Format = "CAdES"
	XAdES        Format = "XAdES"
	PAdES        Format = "PAdES"
	CMS          Format = "CMS"     // RFC 5652 without the attributes of CAdES
	PKCS7        Format = "PKCS7"   // PKCS #7 1.5, and PDF's adbe.pkcs7.*
	XMLDSig      Format = "XMLDSig" // without XAdES properties
	DocTimestamp Format = "DocTimestamp"
	TimestampTkn Format = "TimestampToken" // RFC 3161 token standing alone
)

// Signature is one signature, counter-signature, or the signature of a time
// stamp token, as read.
type Signature struct {
	ID        string // unique in the file: XML Id, PDF field name, "signer-1"; never empty
	Format    Format
	SubFormat string // "ETSI.CAdES.detached", "adbe.pkcs7.sha1", "XAdES 1.3.2", "enveloped", may be empty
	Container string // "ASiC-E", "ASiC-S", "ODF", "OOXML", or empty
	File      string // name inside the container, or empty
	Level     string // claimed by its attributes: "B-B", "B-T", "B-LT", "B-LTA", "C", "X", "XL", "A", or empty

	// Findings of format checking and of the references.
	Findings []Finding

	// Certificates are all that came with the signature, in file order.
	Certificates []*x509.Certificate
	// Signer is the candidate by signer identifier or KeyInfo, nil if it is
	// not among the certificates (or not named). PublicKey is set where only
	// a key is given (KeyValue).
	Signer    *x509.Certificate
	PublicKey crypto.PublicKey
	SignerID  SignerID
	// CertRefs are the signing-certificate attribute (ESS, SigningCertificate,
	// v1 and v2): the first is the signer's. HasCertRefs says that the
	// attribute is there, even if empty or broken.
	CertRefs    []CertRef
	HasCertRefs bool

	// Algorithm, Value and Digest are what the cryptographic check needs:
	// Value over Digest. AlgorithmError is set when the algorithm is not known; Digest is nil
	// when what is signed is not there. For Ed25519 Digest is the message.
	Algorithm      sigalg.Algorithm
	AlgorithmURI   string // as named in the file: OID or URI
	AlgorithmError error
	Value          []byte
	Digest         []byte
	// AlternateDigests are other digests that the value may rightly be over
	// (attributes hashed in file order instead of DER order).
	AlternateDigests [][]byte

	// References are what is signed, the reader having compared the digests.
	References []Reference
	// SignedProperties says that the attributes below are covered by the
	// signature. If false they are claims that nobody signed.
	SignedProperties bool

	// Signed attributes.
	SigningTime *time.Time
	Policy      *SignaturePolicy
	Commitments []string // OIDs or URIs
	Roles       []string // claimed
	Place       string
	Reason      string // PDF
	MIMEType    string

	// Unsigned ones.
	Timestamps        []Timestamp // in file order, all kinds, content time stamps too
	CounterSignatures []*Signature
	CRLs              [][]byte // DER CertificateList, all that is embedded
	OCSPs             [][]byte // DER OCSPResponse or BasicOCSPResponse

	// CoversWholeFile: every byte of the file, the signature's own place apart.
	CoversWholeFile bool
	// PDF is set for signatures in PDF files.
	PDF *PDFFacts
}

// SignerID is how the signature names its signer: CMS sid, X509IssuerSerial.
type SignerID struct {
	Issuer []byte // DER Name, or nil
	Serial *big.Int
	KeyID  []byte // subjectKeyIdentifier
	Name   string // as text where there is no DER (XML)
}

// CertRef is one reference of the signing-certificate attribute.
type CertRef struct {
	Hash   crypto.Hash // 0: not known
	Digest []byte
	Issuer []byte // DER Name, or nil
	Serial *big.Int
	Name   string // issuer as text (XAdES v1), or empty
}

// ReferenceKind says what a reference covers.
type ReferenceKind string

// Kinds of references.
const (
	RefContent          ReferenceKind = "content"          // data, inside or detached
	RefSignedProperties ReferenceKind = "signedProperties" // XAdES
	RefManifest         ReferenceKind = "manifest"         // ds:Manifest or ASiCManifest itself
	RefManifestEntry    ReferenceKind = "manifestEntry"    // what such a manifest lists
	RefObject           ReferenceKind = "object"           // ds:Object
	RefKeyInfo          ReferenceKind = "keyInfo"
	RefCounterSigned    ReferenceKind = "counterSigned" // SignatureValue of another
	RefMessageDigest    ReferenceKind = "messageDigest" // CMS content by its attribute
	RefOther            ReferenceKind = "other"
)

// Reference is one thing that is signed.
type Reference struct {
	Kind ReferenceKind
	ID   string // Id of the reference, may be empty
	URI  string // as written; file name; may be empty
	Name string // for people: "document.pdf", "element invoice (Id=a1)", "bytes 0-1200, 3400-9000"
	// Found: the data are there. Intact: and the digest fits.
	Found, Intact bool
	Hash          crypto.Hash // 0: not known
	Digest        []byte      // as written in the signature
	// Nodes are the XML elements signed, as paths from the root
	// ("/invoice/line[2]"); Ranges the bytes of a file.
	Nodes  []string
	Ranges []Range
	// Content gives the bytes that were hashed: after transforms for XML, the
	// ranges of a PDF, the content of CMS. Nil if not found or known by digest
	// only. The caller closes it.
	Content func() (io.ReadCloser, error)
}

// Range is part of a file.
type Range struct{ Offset, Length int64 }

// SignaturePolicy is the signature-policy-identifier.
type SignaturePolicy struct {
	ID      string // OID or URI; empty for implied
	Implied bool
	Hash    crypto.Hash
	Digest  []byte
	URI     string // SPuri qualifier
}

// TimestampKind says what a time stamp is for.
type TimestampKind string

// Kinds of time stamps.
const (
	ContentTS   TimestampKind = "content"   // content, AllDataObjects, IndividualDataObjects
	SignatureTS TimestampKind = "signature" // signature-time-stamp, SignatureTimeStamp
	SigAndRefs  TimestampKind = "sigAndRefs"
	RefsOnly    TimestampKind = "refsOnly"
	ArchiveTS   TimestampKind = "archive"
	DocumentTS  TimestampKind = "document"  // PDF
	ContainerTS TimestampKind = "container" // ASiC time stamp over files or manifest
)

// Timestamp is a time stamp token with what it is over.
type Timestamp struct {
	ID      string
	Kind    TimestampKind
	Version string // "ATSv2", "ATSv3", "xades141", or empty
	Raw     []byte // DER of the token
	GenTime time.Time
	Policy  string // OID
	Serial  *big.Int
	// Accuracy of GenTime, 0 if not said.
	Accuracy time.Duration
	// Hash and Imprint are the token's; Found that what it covers could be put
	// together, Intact that its digest is the imprint.
	Hash          crypto.Hash
	Imprint       []byte
	Found, Intact bool
	// Token is the CMS signature of the token, to be judged like any other;
	// its reference is the TSTInfo. Nil when the token cannot be parsed, which
	// is then a finding.
	Token    *Signature
	Findings []Finding
	// Covers are the objects that existed at GenTime if the token is good:
	// digests of signature value, certificates, CRLs, OCSP answers, tokens.
	Covers []Digest
	// References are the manifest entries and files a container's time
	// stamp covers.
	References []Reference
}

// PDFFacts are what only PDF signatures have.
type PDFFacts struct {
	Field string
	Page  int // from 1; 0: not on a page
	// Rect is left, bottom, right, top on the page as shown (cropped and
	// rotated), PageSize its width and height; points of 1/72 inch.
	Rect        [4]float64
	PageSize    [2]float64
	Revision    int // from 1: which revision of the file it signs
	Revisions   int // how many there are
	Certified   int // DocMDP permission 1 to 3 of a certification signature, or 0
	Changes     []Change
	SignerName  string // /Name
	Location    string
	ContactInfo string
}

// Change is what a later revision did to a signed one.
type Change struct {
	Revision int // that made the change
	Object   string
	What     string // code: "content-replaced", "annotation-added", "form-filled", "signature-added", "dss-added", ...
	Detail   string
	Allowed  bool
}

// Finding is something wrong or odd. Its code is a row of the table of
// package verify, which gives severity, indication and sentences.
type Finding struct {
	Code   Code
	Object string // what it is about: a reference, an object number; may be empty
	Detail string // for the developer, English; may be empty
}
