package verify

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/validation"
)

// Options say how one file or certificate is judged. The zero value is safe:
// the pinned Belgian roots alone are trusted, the default policy holds, the
// validation time is now, and nothing beside the file is looked at.
type Options struct {
	// Name is what the file is called in the report; its folder is left out.
	Name string
	// Anchors are trusted; nil: the pinned Belgian roots alone.
	Anchors *Anchors
	// Policy holds the constraints; nil: the default policy.
	Policy *Policy
	// At is the validation time; zero: now.
	At time.Time
	// ReceivedAt are times at which the caller knows that the file existed,
	// all of it, in these very bytes. They count as proofs of existence.
	ReceivedAt []time.Time
	// Detached is what a detached signature may be for.
	Detached []Content
	// Intermediates are further certificates that a chain may go through.
	Intermediates []*x509.Certificate
	// CRLs and OCSPs are revocation information in DER beside what is in the
	// file; each is used only if it proves itself.
	CRLs, OCSPs [][]byte
	// Offline: only what is embedded, given here or in the cache is used.
	Offline bool
	// Certificates has reports carry the certificates in DER.
	Certificates bool
	// Tool names the program in the report; empty: "eidkit".
	Tool string
}

// Content is data that a signature covers: given in Options.Detached, with
// Name and Data with Size, or Digests alone when the caller keeps the data to
// himself; or handed out by Signature.SignedContent, with Covered and Open.
type Content struct {
	Name    string // a base name; references in signatures may name it
	Data    io.ReaderAt
	Size    int64
	Digests map[crypto.Hash][]byte

	// Covered says which part of the file it is.
	Covered Covered
	// Open gives the very bytes that were hashed and compared. It reads the
	// verified file again, which must still be open and unchanged.
	Open func() (io.ReadCloser, error)
}

// SignedContent returns what the signature covers, of what was found intact:
// the ranges of a PDF, the content of a CMS message, XML after its transforms,
// files of a container. Parse this, and never the file, which may hold copies
// that nobody signed. It is empty unless the signature is cryptographically
// valid; whether the signer may be trusted is for Indication. Properties of
// the signature itself are not among it.
func (s *Signature) SignedContent() []Content {
	if !s.CryptographicallyValid {
		return nil
	}
	return append([]Content(nil), s.content...)
}

// Policy is what makes a signature fail, what only warns, and until when each
// algorithm counts as reliable (docs/verifying.md has its form). The zero
// value and a nil pointer are the default policy. It may be used from several
// goroutines.
type Policy struct{ read *policy.Policy }

// ParsePolicy reads a policy document, JSON of at most 1 MiB. What it leaves
// out is as in the default policy. Unknown members and constraints are errors,
// and so is weakening what no signature can be valid without.
func ParsePolicy(source []byte) (*Policy, error) {
	p, err := policy.Parse(source, validation.Known)
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	return &Policy{p}, nil
}

func (p *Policy) get() *policy.Policy {
	if p == nil || p.read == nil {
		return policy.Default()
	}
	return p.read
}

// ID is the name that the policy gives itself.
func (p *Policy) ID() string { return p.get().ID() }

// Source returns the policy's document, byte for byte.
func (p *Policy) Source() []byte { return p.get().Source() }

// detached is the same for the readers.
func detached(list []Content) []ades.Content {
	out := make([]ades.Content, 0, len(list))
	for _, c := range list {
		out = append(out, ades.Content{File: ades.File{Name: baseName(c.Name), Data: c.Data, Size: c.Size}, Digests: c.Digests})
	}
	return out
}
