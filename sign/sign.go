// Package sign makes electronic signatures to European standards: CAdES,
// PAdES, XAdES and ASiC-E, at the baseline levels B-B, B-T, B-LT and B-LTA,
// with any key that is a crypto.Signer: a card's, a token's, a file's.
//
// Start with CAdES, PAdES, XAdES or ASiCE. Prepare and Prepared.Finish do the
// same in two steps, where the key is elsewhere. Augment raises signatures that
// are there, also those of other makers, to a higher level; Countersign signs
// a signature; Timestamp stamps a file; Batch signs many.
//
// What would mislead is refused before the key is used: a broken earlier
// signature, a key for logging in, above B-T a certificate that is expired,
// revoked or not trusted, and one of which nobody knows. Below that these are
// Warnings. Errors name the service that failed, with its address.
//
// Output depends on the input, the options with a Time, and the key alone, as
// far as the algorithm allows: RSA with PKCS #1 v1.5 and ECDSA keys in
// software, which sign as RFC 6979 says, give the same bytes again at B-B.
//
// Everything that can fail is done before the first byte is written, except
// that attached CAdES above 16 MiB, below B-LT, is written while it is hashed.
// Write to a temporary file all the same, and rename it when all is well: a
// disk can be full.
//
// Out of scope: where keys come from (packages card/beid, pkcs11 and
// sign/pkcs12), verifying (package verify), signature policies' own rules.
//
// References: ETSI EN 319 122-1 (CAdES), EN 319 132-1 (XAdES), EN 319 142-1
// (PAdES), EN 319 162-1 (ASiC), TS 119 312 (algorithms), RFC 5652, RFC 5816,
// RFC 3161, ISO 32000-1.
package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/verify"
)

// Key is what signs: *beid.Key, *pkcs11.Key, *pkcs12.Key and whatever else has
// a certificate. One that also has Chain() []*x509.Certificate tells what is
// above it.
//
// Sign is called once for a signature, with a digest and the hash or
// *rsa.PSSOptions. Its source of randomness is nil for EC keys, so that
// crypto/ecdsa signs as RFC 6979 says: a key that needs one takes its own.
type Key interface {
	crypto.Signer
	Certificate() *x509.Certificate
}

// Source is a file to sign, of any size. It is read more than once and must not change meanwhile.
type Source struct {
	Name     string // a base name; containers and detached signatures name it
	Data     io.ReaderAt
	Size     int64
	MIMEType string // may be empty
}

// Level is a level of the AdES baseline.
type Level = ades.Level

// The levels: see ETSI EN 319 122-1 section 6.
const (
	B   = ades.LevelB
	T   = ades.LevelT
	LT  = ades.LevelLT
	LTA = ades.LevelLTA
)

// Format is a kind of signature.
type Format string

// The formats.
const (
	FormatCAdES Format = "cades"
	FormatPAdES Format = "pades"
	FormatXAdES Format = "xades"
	FormatASiCE Format = "asice"
)

// Packaging is where the content stands.
type Packaging int

// The packagings. PDF and containers have one way, which is Auto.
const (
	Auto       Packaging = iota // CAdES: Enveloping; XAdES: Enveloped over one XML file, else Enveloping
	Enveloping                  // in the signature; with CMS also called attached
	Enveloped                   // XAdES: the signature is put into the document, the first source
	Detached                    // beside the signature
)

// Options say how to sign. The zero value is level B-B, now, with what the format has as its usual form.
type Options struct {
	Level Level
	// Hash is the digest of everything, SHA-2 or SHA-3 from 256 bits on; zero: what fits the key (SHA-256, SHA-384 for P-384, SHA-512
	// for P-521), and SHA-256 for time stamps over what is there already.
	Hash crypto.Hash
	// PSS has RSA keys sign by RSASSA-PSS.
	PSS bool
	// Time is the claimed signing time; zero: now.
	Time time.Time
	// Chain are certificates above the signer's beside those that the key, the anchors and the network give.
	Chain     []*x509.Certificate
	Claims    Claims
	Packaging Packaging
	// Add puts the signature beside those that the file, a CMS message or a container, has already. PDF and XML that are signed again
	// keep theirs without it.
	Add bool
	// CMS has containers signed by CAdES instead of XAdES.
	CMS bool
	PDF PDF
	XML XML
	// ContentTimestamp has the content stamped before it is signed. PDF has no such time stamps.
	ContentTimestamp bool
	// TSAs are asked in turn until one answers rightly. They may be at private addresses; redirects to other hosts are not followed.
	TSAs []TSA
	// Anchors are trusted, for levels above B-T; nil: the pinned Belgian roots alone.
	Anchors *verify.Anchors
	// Verifier has the way to the network and the caches; nil: one shared by the process.
	Verifier *verify.Verifier
	// Offline has nothing fetched: for level B-B alone. Otherwise the signer's certificate is looked up at every level, for some seconds
	// at most where that only warns.
	Offline bool
	// Content is what a detached signature that is to be raised, countersigned or added to is over.
	Content []Source
	// IDs are the signatures to raise; none: all.
	IDs []string
	// Progress, if not nil, is told how far long work is. It must not call the package with the same Prepared.
	Progress func(Progress)
}

// TSA is a time stamp authority.
type TSA struct {
	URL    string // http or https, without credentials
	Policy string // OID asked for, which the token must then have; may be empty
}

// Claims are what the signer says of himself and of his act. All of it is signed.
type Claims struct {
	Policy      *Policy
	Commitments []string // OIDs such as 1.2.840.113549.1.9.16.6.1 (proof of origin)
	Roles       []string
	Place       Place
}

// Place is where the signer says to be.
type Place = ades.Place

// Policy is a signature policy to sign under: its OID or URI, where it is, and its digest.
type Policy struct {
	ID     string
	URI    string
	Hash   crypto.Hash
	Digest []byte
}

// PDF are the options that PDF alone has.
type PDF struct {
	Reason, Location, Contact string
	// Field is the signature field to fill, or the name of a new one; empty: a new one with a name of its own.
	Field string
	// Certify makes a certification signature that allows later: 1 nothing, 2 forms, 3 forms and comments; 0: an approval signature.
	Certify int
	// Visible, if not nil, shows the signature on a page.
	Visible *Visible
}

// Visible is how a PDF signature looks.
type Visible struct {
	// Page counts from 1; negative from the end: -1 is the last. 0: the first, or the one of the existing field.
	Page int
	// Rect is left, bottom, right, top in points on the page as shown; zero: at the bottom left, in free space if it can be told. Of an existing field, its own holds.
	Rect [4]float64
	// Text are the lines shown; nil: name and date, with reason and location if given. Language (en, nl, fr, de) is of the words among them.
	Text     []string
	Language string
	// Image is a PNG or JPEG beside the text, such as a logo or the card's photo; nil: none.
	Image []byte
}

// XML are the options that XML alone has.
type XML struct {
	// References name what is signed: "" the document, "#id" an element of it, a name one of Detached. Empty: the document, or for detached signatures every source.
	References []string
	// Parent is the ID of the element that an enveloped signature becomes the last child of; empty: the document element.
	Parent string
	// Alone has an enveloped signature leave out itself only of what it is over (the transform enveloped-signature), not all signatures of the
	// document (XPath Filter 2.0). Choose it where nobody is to sign the document after this signer, and for validators that know no other
	// transform: nothing at all can be put into the document then, no signature either. Without it more signatures can follow; what somebody
	// hides in one of these is not covered, and package verify warns of it (DATA_IN_SIGNATURE).
	Alone bool
}

// Progress tells how far long work is. The steps come in the order of the work, some of them more than once.
type Progress struct {
	File  string // Source.Name of the first
	Step  string // "evidence", "hash", "key", "timestamp", "write"
	Done  int64  // bytes, of the steps hash and write
	Total int64  // 0: not known, or no bytes are counted
}

// Report is what was done.
type Report struct {
	Format Format
	// Level is that of the signature made. Of signatures that were raised it is the lowest that is there now, which is above the one asked for
	// if they had that already. A time stamp alone has none.
	Level Level
	ID    string // of the signature made, as verify names it
	// Time is the claimed signing time. Stamped is the time of the time stamp over the new signature, or of the one that was added last to
	// signatures that were there; zero if none was added. TSA is the authority's address, without a query.
	Time, Stamped time.Time
	TSA           string
	// Bytes were written.
	Bytes    int64
	Warnings []Warning
}

// Warning is something that the signer should know. The codes, which stay:
//
//	CERTIFICATE_EXPIRED           also before the claimed signing time
//	CERTIFICATE_NOT_YET_VALID     the same
//	CERTIFICATE_REVOKED           revoked or suspended
//	CERTIFIED_NEW_VISIBLE_FIELD   some validators will take the signature for a change that the certification of the PDF forbids
//	CERTIFICATE_UNTRUSTED         no path to an anchor was found
//	KEY_USAGE                     not marked for documents, nor for logging in alone
//	NOTHING_TO_RAISE              the signatures have the level already: the file is written as it was
//	REVOCATION_NOT_CHECKED        the services did not say in time, or Offline
//	SIGNING_TIME_IN_FUTURE        Options.Time is
//	TIMESTAMP_AUTHORITY_UNTRUSTED the time stamp proves nothing to whoever has these anchors
type Warning struct {
	Code   string
	Text   string // one English sentence
	Detail string // for the developer, may be empty
}

// CAdES signs a file by a CMS message, written to w (EN 319 122-1). With Options.Add, in is a message that gets a further signer.
func CAdES(ctx context.Context, w io.Writer, in Source, key Key, o Options) (*Report, error) {
	return signOne(ctx, w, FormatCAdES, []Source{in}, key, o)
}

// PAdES signs a PDF, written to w with one or more revisions more (EN 319 142-1). What stands in it stays as it is, byte for byte.
func PAdES(ctx context.Context, w io.Writer, in Source, key Key, o Options) (*Report, error) {
	return signOne(ctx, w, FormatPAdES, []Source{in}, key, o)
}

// XAdES signs XML, or any files, by an XML signature written to w (EN 319 132-1). A document that it is put into stays as it is, byte for
// byte, around the signature.
func XAdES(ctx context.Context, w io.Writer, in []Source, key Key, o Options) (*Report, error) {
	return signOne(ctx, w, FormatXAdES, in, key, o)
}

// ASiCE puts files into a container that is signed, written to w (EN 319 162-1). With Options.Add, in is the container alone.
func ASiCE(ctx context.Context, w io.Writer, in []Source, key Key, o Options) (*Report, error) {
	return signOne(ctx, w, FormatASiCE, in, key, o)
}
