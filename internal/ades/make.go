package ades

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// Errors of making and raising signatures, wrapped with the reason. Nothing usable was written then.
var (
	// ErrUnsuitable: the file cannot be signed in that way, or at all.
	ErrUnsuitable = errors.New("the file cannot be signed so")
	// ErrBroken: what is signed in the file already does not hold, so that a further signature would mislead.
	ErrBroken = errors.New("an earlier signature in the file is broken")
	// ErrValue: the signature value does not fit what was to be signed and the certificate.
	ErrValue = errors.New("the signature value does not fit")
)

// Level is a level of the AdES baseline (EN 319 122-1, 132-1 and 142-1, section 6; 162-1).
type Level int

// The levels, each with what the one before it has.
const (
	LevelB   Level = iota // signed attributes and the signer's certificate
	LevelT                // and a time stamp over the signature
	LevelLT               // and everything to validate both by
	LevelLTA              // and a time stamp over all that
)

var levelNames = [...]string{"B-B", "B-T", "B-LT", "B-LTA"}

// String is the level's name as reports have it: "B-LT".
func (l Level) String() string {
	if l < 0 || int(l) >= len(levelNames) {
		return fmt.Sprintf("level %d", int(l))
	}
	return levelNames[l]
}

// ParseLevel reads a level: "b", "LT", "B-LTA".
func ParseLevel(s string) (Level, bool) {
	for l, name := range levelNames {
		if strings.EqualFold(s, name) || strings.EqualFold(s, strings.TrimPrefix(name, "B-")) {
			return Level(l), true
		}
	}
	return 0, false
}

// Making is what a maker of any format puts into a signature beside the content.
type Making struct {
	Certificate *x509.Certificate
	// Chain are the certificates above it that are embedded, the anchor not needed among them.
	Chain []*x509.Certificate
	// Algorithm is that of the value; its Hash is used for every other digest too. Ed25519 is not made.
	Algorithm sigalg.Algorithm
	// Time is the claimed signing time, in whole seconds of UTC.
	Time        time.Time
	Policy      *SignaturePolicy
	Commitments []string // OIDs; XML writes them as urn:oid: and takes other URIs too
	Roles       []string // claimed
	Place       Place
	MIMEType    string // of the content, may be empty
	// ContentStamp, if not nil, makes a time stamp over the content, before it is signed.
	ContentStamp Stamper
}

// Place is where the signer says to be (EN 319 122-1 section 5.2.5, 132-1 section 5.2.5). Empty fields are left out.
type Place struct{ Street, City, Province, PostalCode, Country string }

// Stamper gets a time stamp token (RFC 3161, DER, checked) over data of that digest.
type Stamper func(ctx context.Context, hash crypto.Hash, digest []byte) (token []byte, err error)

// Values are what proves certificates, in DER, each object once: CRLs are CertificateLists, OCSPs are OCSPResponses.
type Values struct{ Certificates, CRLs, OCSPs [][]byte }

// Need is a certificate that has to be proven: of a signer, or of a time stamp's.
type Need struct {
	Certificate *x509.Certificate
	// At is when it was used, as far as is proven: the time of the earliest time stamp over it, or now.
	At time.Time
}

// Raising is what raising signatures to a level takes from outside: time stamps and proofs.
type Raising struct {
	Level Level
	// Hash is that of time stamps' imprints; 0: SHA-256.
	Hash crypto.Hash
	// Stamp is needed above LevelB.
	Stamp Stamper
	// Evidence is needed above LevelT. It returns what proves all of needs that is not in have, and, for those who issued CRLs and OCSP answers, what proves these.
	// pool are certificates found in the file. It fails if one of needs cannot be proven, or is revoked or expired.
	Evidence func(ctx context.Context, needs []Need, pool []*x509.Certificate, have Values) (Values, error)
	// IDs, if not empty, are the signatures to raise, named as the readers name them; the others stay as they are.
	IDs []string
}
