package policy

import (
	stdcrypto "crypto"
	"fmt"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// cryptography is the JSON form of the algorithms and their dates.
type cryptography struct {
	Level            Level                      `json:"level"`
	Updated          string                     `json:"updated"`
	LevelAfterUpdate Level                      `json:"levelAfterUpdate"`
	Digests          map[string]string          `json:"digests"`
	Keys             map[string][]cryptoKeySize `json:"keys"`
}

// cryptoKeySize is one row: keys of at least that many bits, up to the next
// row. Until is a day, or empty.
type cryptoKeySize struct {
	Bits  int    `json:"bits"`
	Until string `json:"until,omitempty"`
}

// crypto is the same, read.
type crypto struct {
	level, levelAfter Level
	updated           time.Time
	digests           map[string]time.Time // by the names of sigalg; zero: no end in sight
	keys              map[string][]keySize // by the names of schemes below, ascending
}

type keySize struct {
	bits  int
	until time.Time
}

// Weakness says that an algorithm or a key is not reliable at some time.
type Weakness struct {
	// Name is what it is about: "SHA-1", "RSA 1024".
	Name string
	// Until is the day from which it does not count as reliable any more;
	// zero if the policy does not know it at all.
	Until time.Time
	// Level is what follows: a policy that is older than the end of an
	// algorithm usually only warns of it.
	Level Level
}

func (c *crypto) read(doc cryptography) error {
	out := crypto{level: doc.Level, levelAfter: doc.LevelAfterUpdate, digests: map[string]time.Time{}, keys: map[string][]keySize{}}
	if err := out.level.check(); err != nil {
		return fmt.Errorf("level: %w", err)
	}
	if err := out.levelAfter.check(); err != nil {
		return fmt.Errorf("levelAfterUpdate: %w", err)
	}
	var err error
	if out.updated, err = day(doc.Updated); err != nil {
		return fmt.Errorf("updated: %w", err)
	}
	for name, until := range doc.Digests {
		if !knownDigest(name) {
			return fmt.Errorf("there is no digest %q", name)
		}
		if out.digests[name], err = day(until); err != nil {
			return fmt.Errorf("digest %s: %w", name, err)
		}
	}
	for name, rows := range doc.Keys {
		if !slices.Contains([]string{"RSA", "ECDSA", "DSA", "Ed25519"}, name) {
			return fmt.Errorf("there is no kind of key %q", name)
		}
		for i, row := range rows {
			until, err := day(row.Until)
			if err != nil {
				return fmt.Errorf("key %s: %w", name, err)
			}
			if row.Bits <= 0 || i > 0 && row.Bits <= rows[i-1].Bits {
				return fmt.Errorf("key %s: sizes must be positive and ascend", name)
			}
			out.keys[name] = append(out.keys[name], keySize{row.Bits, until})
		}
	}
	*c = out
	return nil
}

// knownDigest tells whether a name is one of those of package sigalg.
func knownDigest(name string) bool {
	for h := stdcrypto.MD4; h <= stdcrypto.BLAKE2b_512; h++ {
		if sigalg.HashName(h) == name {
			return name != sigalg.HashName(0)
		}
	}
	return false
}

// day reads a date; an empty one is the zero time.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}

// Digest tells whether a digest algorithm is reliable at the given time.
func (p *Policy) Digest(h stdcrypto.Hash, at time.Time) (w Weakness, weak bool) {
	name := sigalg.HashName(h)
	until, known := p.crypto.digests[name]
	return p.crypto.judge(name, until, known, at)
}

// Key tells whether signatures by a key of this scheme and size are reliable
// at the given time. The digest is a question of its own.
func (p *Policy) Key(scheme sigalg.Scheme, pub stdcrypto.PublicKey, at time.Time) (w Weakness, weak bool) {
	name, bits := sigalg.KeyName(pub), sigalg.KeyBits(pub)
	row, known := keySize{}, false
	for _, r := range p.crypto.keys[schemeName(scheme)] {
		if bits >= r.bits {
			row, known = r, true
		}
	}
	return p.crypto.judge(name, row.until, known, at)
}

// schemeName is how the document calls the family of a scheme.
func schemeName(s sigalg.Scheme) string {
	switch s {
	case sigalg.PKCS1, sigalg.PSS:
		return "RSA"
	case sigalg.ECDSA, sigalg.PlainECDSA:
		return "ECDSA"
	case sigalg.DSA:
		return "DSA"
	case sigalg.Ed25519:
		return "Ed25519"
	}
	return ""
}

func (c *crypto) judge(name string, until time.Time, known bool, at time.Time) (Weakness, bool) {
	switch {
	case !known:
		return Weakness{Name: name, Level: c.level}, c.level != Ignore
	case until.IsZero() || at.Before(until):
		return Weakness{}, false
	case !c.updated.IsZero() && until.After(c.updated):
		return Weakness{Name: name, Until: until, Level: c.levelAfter}, c.levelAfter != Ignore
	}
	return Weakness{Name: name, Until: until, Level: c.level}, c.level != Ignore
}
