// Package signed makes signed files with the keys of a test PKI, so that who
// verifies signatures has something to verify: CAdES, PAdES, XAdES, ASiC and
// login tokens, at every level, with each of their times chosen freely.
//
// Fill in Options and call CAdES, PAdES, XAdES or ASiC; NewPDF is for PDFs with
// several signatures or later changes, WebEID for login tokens. Scenarios
// are the life stories of signatures (expired since, revoked before or after,
// ...) with the verdict that each deserves. The same options give the same
// bytes, except that nothing is promised across versions of this package.
//
// It is an independent maker: it builds DER, XML, PDF and ZIP by itself and
// shares no code with the project's readers and writers, and openssl, xmlsec1,
// pdfsig, qpdf and unzip judge it in its tests.
//
// Out of scope: signing with cards, signing files of others (the PDFs and
// containers are its own; XML must be canonical already), speed.
//
// References: ETSI EN 319 122-1 (CAdES), 132-1 (XAdES), 142-1 (PAdES), 162-1
// (ASiC), RFC 5652, RFC 3161, ISO 32000-1 section 12.8.
package signed

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/pki"
)

// Level is a baseline level of ETSI EN 319 122-1, 132-1 and 142-1.
type Level int

// The levels.
const (
	B   Level = iota // signature alone
	T                // with a signature time stamp
	LT               // with certificates, CRLs and OCSP answers
	LTA              // with archive time stamps
)

// String returns "B-B", "B-T", "B-LT" or "B-LTA".
func (l Level) String() string {
	if names := [...]string{"B-B", "B-T", "B-LT", "B-LTA"}; l >= B && l <= LTA {
		return names[l]
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// Options say who signs, when and how. PKI, Signer and At are required.
type Options struct {
	PKI    *pki.PKI
	Signer *pki.Issued
	// At is the claimed signing time, from which the zero times below
	// follow.
	At    time.Time
	Level Level

	// Hash of content and signature; 0: the one that fits the key.
	Hash crypto.Hash
	// PSS signs with RSASSA-PSS; RSA keys only.
	PSS bool

	// Timestamp is the signature time stamp of level T and above; zero: by
	// PKI.TSA a minute after At.
	Timestamp Stamp
	// RevocationAt is when the answers of level LT about signer and
	// Timestamp were made; zero: a minute after Timestamp.
	RevocationAt time.Time
	// Archive are the archive time stamps of level LTA; none: one by PKI.TSA,
	// a minute after RevocationAt.
	Archive []Stamp
	// Revoked is what the answers say, from when on.
	Revoked []Revocation
	// OnlyCRLs has lists about the signer too, who gets an OCSP answer
	// otherwise. CAs always have lists.
	OnlyCRLs bool
	// NoAnswers leaves all CRLs and OCSP answers out at level LT and LTA.
	NoAnswers bool

	// OnlySigner leaves the certificates of the signer's CAs out, below level
	// LT.
	OnlySigner bool

	// MIMEType, Policy (an object identifier), Commitment (likewise) and
	// ContentStamp are signed properties that not every signature has; left
	// out when empty. Not in PDFs.
	MIMEType, Policy, Commitment string
	ContentStamp                 Stamp

	// Plain leaves out what makes the signature an advanced one: the signing
	// certificate attribute, the signed properties. Level must be B.
	Plain bool
	// Counter are counter-signers, CAdES only; their level must be B or T.
	Counter []Options
}

// Stamp is a time stamp to be made. The zero Stamp is none, or the default one
// where one is needed.
type Stamp struct {
	At time.Time
	// TSA signs; nil: that of the PKI. Its issuer must be PKI.TimestampCA.
	TSA *pki.Authority
	// Hash of the imprint; 0: SHA-256.
	Hash crypto.Hash
	// RevocationAt is when the answers about TSA were made that the next
	// archive time stamp covers; zero: a minute before that.
	RevocationAt time.Time
}

// Revocation is a certificate that the answers call revoked from At on.
type Revocation struct {
	Certificate *x509.Certificate
	At          time.Time
	Reason      int
}

// Citizen issues a signature certificate to an invented person. Zero fields of
// the request are filled in, as Issue does.
func Citizen(p *pki.PKI, r pki.Request) (*pki.Issued, error) {
	r.Kind = pki.Signature
	if r.Subject.Surname == "" {
		r.Subject = pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn-Specimen", GivenNames: "Zoë Marie"}
	}
	return p.Issue(r)
}

// ErrOptions is what all refusals of options have in common.
var ErrOptions = errors.New("options that do not go together")

// fill sets the defaults. The copy that it works on is its own.
func (o *Options) fill() error {
	switch {
	case o.PKI == nil || o.Signer == nil || o.At.IsZero():
		return fmt.Errorf("%w: PKI, Signer and At are required", ErrOptions)
	case o.Level < B || o.Level > LTA:
		return fmt.Errorf("%w: level %d", ErrOptions, int(o.Level))
	case o.Plain && (o.Level > B || o.Policy+o.Commitment+o.MIMEType != "" || !o.ContentStamp.At.IsZero()):
		return fmt.Errorf("%w: a plain signature has level B and no properties", ErrOptions)
	}
	if o.Hash == 0 {
		o.Hash = cms.HashFor(o.Signer.Key.Public())
	}
	o.At = o.At.UTC().Truncate(time.Second)
	if o.Timestamp.At.IsZero() {
		o.Timestamp.At = o.At.Add(time.Minute)
	}
	if o.RevocationAt.IsZero() {
		o.RevocationAt = o.Timestamp.At.Add(time.Minute)
	}
	archive := append([]Stamp(nil), o.Archive...)
	if len(archive) == 0 {
		archive = []Stamp{{At: o.RevocationAt.Add(time.Minute)}}
	}
	for i := range archive {
		o.fillStamp(&archive[i])
		if i > 0 && archive[i-1].RevocationAt.IsZero() {
			archive[i-1].RevocationAt = archive[i].At.Add(-time.Minute)
		}
	}
	o.Archive = archive
	o.fillStamp(&o.Timestamp)
	o.fillStamp(&o.ContentStamp)
	return nil
}

func (o *Options) fillStamp(s *Stamp) {
	if s.TSA == nil {
		s.TSA = o.PKI.TSA
	}
	if s.Hash == 0 {
		s.Hash = crypto.SHA256
	}
}

// signer is the signature to be made, with no attributes yet.
func (o *Options) signer() cms.Signer {
	return cms.Signer{Certificate: o.Signer.Certificate, Key: o.Signer.Key, Hash: o.Hash, PSS: o.PSS}
}
