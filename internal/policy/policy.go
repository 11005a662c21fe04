// Package policy is what a judge of signatures may accept: which constraints
// make a signature fail, which only warn, and until when each algorithm and
// key size counts as reliable.
//
// Start with Parse, or Default for the policy that comes with the program.
// Level answers for constraints, Digest and Key for algorithms at a time.
//
// A policy is one JSON document; what it leaves out is as in the default
// policy. Its identity in reports is its id and the SHA-256 of its bytes.
//
// Out of scope: what the constraints mean (internal/validation has the table)
// and certificate policies (RFC 5280).
//
// References: ETSI TS 119 172-1 (signature policies), ETSI TS 119 312 V1.5.1
// (algorithms and their dates), ETSI EN 319 102-1 section 5.1.4.
package policy

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Level is what follows when a constraint is not met.
type Level string

// The levels.
const (
	Fail   Level = "fail"
	Warn   Level = "warn"
	Ignore Level = "ignore"
)

// ErrInvalid: the document is no policy. It is wrapped with the place.
var ErrInvalid = errors.New("not a valid policy")

// maxSize bounds a policy document; the default one has about 6 KiB.
const maxSize = 1 << 20

// Policy is a policy that was read. It does not change any more and may be
// used from several goroutines.
type Policy struct {
	id          string
	source      []byte
	sum         [sha256.Size]byte
	constraints map[string]Level
	crypto      crypto
	// Times of the building blocks for revocation freshness and time stamp
	// delay; zero: as said at the methods.
	freshness, withoutNextUpdate, timestampDelay time.Duration
}

// document is the JSON form.
type document struct {
	Schema         int              `json:"schema"`
	ID             string           `json:"id"`
	Description    string           `json:"description,omitempty"`
	Constraints    map[string]Level `json:"constraints"`
	Cryptography   *cryptography    `json:"cryptography"`
	Revocation     *revocation      `json:"revocation"`
	TimestampDelay string           `json:"timestampDelay,omitempty"`
}

type revocation struct {
	MaximumAge        string `json:"maximumAge,omitempty"`
	WithoutNextUpdate string `json:"withoutNextUpdate,omitempty"`
}

//go:embed default.json
var defaultSource []byte

var defaultPolicy = sync.OnceValue(func() *Policy {
	p, err := read(defaultSource, nil)
	if err != nil {
		panic("internal/policy: default.json: " + err.Error()) // any test would meet it
	}
	return p
})

// Default returns the policy that comes with the program.
func Default() *Policy { return defaultPolicy() }

// Parse reads a policy of at most 1 MiB. known tells of a constraint's name
// whether there is such a constraint and whether its level may be set; nil
// takes all names. Unknown members and names are errors: a typing mistake
// must not weaken or drop a constraint unseen. Errors wrap ErrInvalid.
func Parse(source []byte, known func(name string) (exists, settable bool)) (*Policy, error) {
	p, err := read(source, Default())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for name := range p.constraints {
		if known == nil {
			break
		}
		switch exists, settable := known(name); {
		case !exists:
			return nil, fmt.Errorf("%w: there is no constraint %q", ErrInvalid, name)
		case !settable && p.constraints[name] != Fail:
			return nil, fmt.Errorf("%w: constraint %q cannot be weakened: without it no signature would mean anything", ErrInvalid, name)
		}
	}
	return p, nil
}

// read decodes source over base, which may be nil.
func read(source []byte, base *Policy) (*Policy, error) {
	if len(source) > maxSize {
		return nil, fmt.Errorf("more than %d bytes", maxSize)
	}
	d := json.NewDecoder(bytes.NewReader(source))
	d.DisallowUnknownFields()
	var doc document
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something stands behind the document")
	}
	if doc.Schema != 1 {
		return nil, fmt.Errorf("schema %d is not known, only 1", doc.Schema)
	}
	if doc.ID == "" {
		return nil, errors.New("id is missing")
	}
	p := &Policy{}
	if base != nil {
		*p = *base
	}
	p.id, p.source, p.sum, p.constraints = doc.ID, bytes.Clone(source), sha256.Sum256(source), doc.Constraints
	return p, p.fill(doc)
}

// fill takes over what doc says beside the constraints.
func (p *Policy) fill(doc document) error {
	for name, level := range doc.Constraints {
		if err := level.check(); err != nil {
			return fmt.Errorf("constraint %s: %w", name, err)
		}
	}
	if doc.Cryptography != nil {
		if err := p.crypto.read(*doc.Cryptography); err != nil {
			return fmt.Errorf("cryptography: %w", err)
		}
	}
	if doc.Revocation != nil {
		for _, f := range []struct {
			to   *time.Duration
			text string
		}{{&p.freshness, doc.Revocation.MaximumAge}, {&p.withoutNextUpdate, doc.Revocation.WithoutNextUpdate}} {
			if err := duration(f.to, f.text); err != nil {
				return fmt.Errorf("revocation: %w", err)
			}
		}
	}
	if err := duration(&p.timestampDelay, doc.TimestampDelay); err != nil {
		return fmt.Errorf("timestampDelay: %w", err)
	}
	return nil
}

func (l Level) check() error {
	switch l {
	case Fail, Warn, Ignore:
		return nil
	}
	return fmt.Errorf("%q is no level: fail, warn or ignore", string(l))
}

func duration(to *time.Duration, text string) error {
	if text == "" {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	if d < 0 {
		return fmt.Errorf("%q is negative", text)
	}
	*to = d
	return nil
}

// ID is the name that the policy gives itself.
func (p *Policy) ID() string { return p.id }

// SHA256 is the digest of the document.
func (p *Policy) SHA256() [sha256.Size]byte { return p.sum }

// Source returns the document, byte for byte.
func (p *Policy) Source() []byte { return bytes.Clone(p.source) }

// Level is the level that the policy gives to a constraint, or usual if it
// says nothing about it.
func (p *Policy) Level(constraint string, usual Level) Level {
	if l, ok := p.constraints[constraint]; ok {
		return l
	}
	return usual
}

// Freshness returns for how long after its issuance revocation information
// is fresh enough: the maximum age if the policy has one; else the time up to
// its next update; without either, what the policy grants for that.
func (p *Policy) Freshness(thisUpdate, nextUpdate time.Time) time.Duration {
	switch {
	case p.freshness > 0:
		return p.freshness
	case nextUpdate.After(thisUpdate):
		return nextUpdate.Sub(thisUpdate)
	}
	return p.withoutNextUpdate
}

// TimestampDelay is how long after the claimed signing time a signature time
// stamp may come; 0: no limit.
func (p *Policy) TimestampDelay() time.Duration { return p.timestampDelay }
