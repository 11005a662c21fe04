// Package crl reads certificate revocation lists of any size as a stream, keeps them in a packed index, and stores what was fetched in
// a folder that several processes share.
//
// Start with [OpenStore] and [Store.Update] for lists that are fetched, or with [PackBytes] for one that is in memory: both give an
// [Index], whose [Index.Lookup] finds a certificate. [List.CheckSigner] and [List.Covers] say whether the list is authentic and about
// the certificate; [Parse] alone reads without keeping entries.
//
// A list is read once: its signature's digest is computed on the way, entries go from the stream into the index, and no more than a
// few pieces of 256 KiB of it are in memory. What cannot be understood, such as an unknown critical extension, makes the list
// unusable ([List.Unusable]): it then proves nothing about any certificate.
//
// Out of scope: fetching (package fetch), the choice between lists and OCSP, paths of list issuers (package revocation).
//
// References: RFC 5280 sections 5 and 6.3; X.509 (expiredCertsOnCRL); X.690.
package crl

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Errors of this package, wrapped with the details.
var (
	// ErrMalformed: the bytes are no list.
	ErrMalformed = errors.New("malformed CRL")
	// ErrUnusable: a list that must not be used: it has a critical extension that is not known, or contradicts itself.
	ErrUnusable = errors.New("CRL cannot be used")
	// ErrScope: a list that is about other certificates.
	ErrScope = errors.New("CRL is not about this certificate")
	// ErrSigner: a list that this certificate's key did not sign, or was not allowed to.
	ErrSigner = errors.New("CRL is not signed by its issuer")
	// ErrCorrupt: an index or stored list that is torn or changed.
	ErrCorrupt = errors.New("stored CRL is damaged")
	// ErrOlder: a list older than one that was seen before; it never replaces that.
	ErrOlder = errors.New("CRL is older than the one at hand")
	// ErrStore: the folder cannot be read or written.
	ErrStore = errors.New("storing CRLs")
)

// Digest is SHA-256 over the DER of a list.
type Digest = [sha256.Size]byte

// Reasons that matter here (RFC 5280 section 5.3.1). NoReason stands for an entry that gives none.
const (
	NoReason       = -1
	OnHold         = 6
	RemovedFromCRL = 8
)

// Entry is what a list says of one certificate.
type Entry struct {
	// Serial is the serial number, the contents of an INTEGER in its shortest form. Valid until the visit ends.
	Serial []byte
	// Revoked is the revocation date in seconds since 1970.
	Revoked int64
	// Reason is the CRLReason, 0 to 10, or NoReason.
	Reason int
	// Invalid is the invalidity date in seconds since 1970; only set if HasInvalid.
	Invalid    int64
	HasInvalid bool
	// Issuer is the encoded name of the certificate's issuer in an indirect list; nil: the list's issuer.
	Issuer []byte

	issuerNames bool   // the entry has a certificateIssuer extension
	unusable    string // why the whole list cannot be used
}

// List is all of a list but its entries.
type List struct {
	Version    int    // 1 or 2
	Issuer     []byte // encoded Name
	ThisUpdate time.Time
	NextUpdate time.Time // zero if not said
	Entries    int
	Size       int64  // of the DER in bytes
	Digest     Digest // of the DER

	// Algorithm is how it is signed; AlgorithmError why that is not known, or not the same in both places.
	Algorithm      sigalg.Algorithm
	AlgorithmError error

	// Number is the CRL number, nil if there is none.
	Number *big.Int
	// Base is set in a delta: the least number of the complete list that it can be applied to.
	Base *big.Int
	// AuthorityKeyID is the key identifier of its issuer's key, nil if not said.
	AuthorityKeyID []byte
	// Point is the issuing distribution point, nil if there is none.
	Point *IssuingPoint
	// Freshest is where deltas are.
	Freshest []certs.DistributionPoint
	// ExpiredFrom: certificates that expired from then on are still listed (expiredCertsOnCRL); zero if not said.
	ExpiredFrom time.Time
	// Unusable is why the list proves nothing, nil if it can be used. Wraps ErrUnusable.
	Unusable error

	innerAlg, outerAlg []byte // encoded AlgorithmIdentifiers
	extensions         []byte // contents of [0], encoded Extensions
	signature          []byte // the value's bytes
	tbsDigest          []byte // over tbsCertList; for Ed25519 tbsCertList itself
	entryTrouble       string // why its entries make it unusable
	foreign            bool   // some entries are of other issuers
}

// IssuingPoint is the issuing distribution point of a list (RFC 5280 section 5.2.5): which certificates it is about.
type IssuingPoint struct {
	FullName      []certs.GeneralName
	Relative      []byte // SET OF attributes to be appended to the issuer's name
	OnlyUser      bool
	OnlyCA        bool
	OnlyAttribute bool
	Indirect      bool
	Reasons       uint16 // as certs.DistributionPoint has them

	raw []byte
}

// IsDelta tells whether the list only says what changed.
func (l *List) IsDelta() bool { return l.Base != nil }

// CheckSigner checks that signer is the list's issuer by name, may sign lists, and did: the signature is over the digest computed
// while reading, so that this costs one public-key operation whatever the size. Errors: ErrSigner, with those of sigalg.
func (l *List) CheckSigner(signer *x509.Certificate) error {
	if !certs.EqualName(l.Issuer, signer.RawSubject) {
		return fmt.Errorf("%w: its issuer is %s", ErrSigner, certs.NameString(l.Issuer))
	}
	if _, _, has := certs.Extension(signer, certs.OIDKeyUsage); has && signer.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return fmt.Errorf("%w: the key of %s is not for signing lists", ErrSigner, certs.NameString(l.Issuer))
	}
	if l.AlgorithmError != nil {
		return fmt.Errorf("%w: %w", ErrSigner, l.AlgorithmError)
	}
	if err := certs.CheckDigest(l.Algorithm, signer, l.tbsDigest, l.signature); err != nil {
		return fmt.Errorf("%w: %w", ErrSigner, err)
	}
	return nil
}
