package verify

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
)

// PinnedRoot is a root of the Belgian eID that is trusted without being told.
type PinnedRoot struct {
	Name string
	// SHA256 is the fingerprint over the DER certificate.
	SHA256 [sha256.Size]byte
	// NotBefore and NotAfter are the days on which its validity begins and
	// ends; the certificate itself has the exact times.
	NotBefore, NotAfter time.Time
	// Withdrawn is the day from which it is no anchor any more; zero if it
	// still is.
	Withdrawn time.Time
}

// pinnedRoots is the table of facts sheet "trust anchors".
var pinnedRoots = []PinnedRoot{
	pin("Belgium Root CA2", "9f9744463be13714754e1a3becf98c08cc205e4ab32028f4e2830c4a1b2775b8", "2007-10-04", "2021-12-15", "2026-05-19"),
	pin("Belgium Root CA3", "a8d14e945e3e5156bcae5e39737cf6a1b1f51028bbbf982f50ce5f4c05568b4d", "2013-06-26", "2028-01-28", ""),
	pin("Belgium Root CA4", "c3fbf37259af0954eeea4282dd1c7226a54e7150f7c29a2c495ba34dbfe09ca0", "2013-06-26", "2028-01-28", ""),
	pin("Belgium Root CA4", "702dd5c1a093cf0a9d71fadd9bf9a7c5857d89fb73b716e867228b3c2beb968f", "2013-06-26", "2032-10-22", ""),
	pin("Belgium Root CA6", "9c872bc979a7c09a58d4a274c199e5cb16cfa9b9618d98bc9a9988e984b8495c", "2020-06-03", "2040-06-03", ""),
}

// pin reads one row; a slip in the table above shows at once in any test.
func pin(name, fingerprint, from, until, withdrawn string) PinnedRoot {
	r := PinnedRoot{Name: name, NotBefore: day(from), NotAfter: day(until)}
	if n, err := hex.Decode(r.SHA256[:], []byte(fingerprint)); err != nil || n != sha256.Size {
		panic("verify: fingerprint of " + name)
	}
	if withdrawn != "" {
		r.Withdrawn = day(withdrawn)
	}
	return r
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic("verify: date " + s)
	}
	return t
}

// PinnedRoots returns a copy of the list of pinned roots.
func PinnedRoots() []PinnedRoot { return append([]PinnedRoot(nil), pinnedRoots...) }

// Anchors is a set of trust anchors: the pinned Belgian roots and what was
// added. The zero value and a nil pointer hold the pinned roots alone, by
// their fingerprints: the certificates have to be among those given to
// BuildPath, and usually come from the card. A set may be used from several
// goroutines once nobody adds to it.
type Anchors struct {
	added     []*x509.Certificate
	periods   map[[sha256.Size]byte][]period // of added
	bySubject map[string][]*x509.Certificate // of added, by certs.NameKey
	onlyAdded bool
}

// OnlyAdded takes the pinned roots out of the set: nothing is trusted but what
// was added, or will be.
func (a *Anchors) OnlyAdded() { a.onlyAdded = true }

// pins reports whether the pinned roots belong to the set.
func (a *Anchors) pins() bool { return a == nil || !a.onlyAdded }

// period is a time of trust: from the first instant up to but not including
// the second. Zero is without bound.
type period struct{ from, until time.Time }

// Add makes the certificate an anchor without bounds in time. It is trusted by
// its bytes: another certificate with its name and key is not an anchor by
// that. Nil is ignored.
func (a *Anchors) Add(cert *x509.Certificate) { a.AddPeriod(cert, time.Time{}, time.Time{}) }

// AddPeriod makes the certificate an anchor from one time (granted) up to
// another (withdrawn), which is not included; a zero time is no bound. Added
// more than once, it is an anchor in each of the periods. The period is that
// of trust: the certificate's own validity is another matter.
func (a *Anchors) AddPeriod(cert *x509.Certificate, granted, withdrawn time.Time) {
	if cert == nil {
		return
	}
	if a.periods == nil {
		a.periods = make(map[[sha256.Size]byte][]period)
		a.bySubject = make(map[string][]*x509.Certificate)
	}
	fp := sha256.Sum256(cert.Raw)
	known := a.contains(fp)
	if p := (period{granted, withdrawn}); !slices.Contains(a.periods[fp], p) {
		a.periods[fp] = append(a.periods[fp], p)
	}
	if known {
		return
	}
	key := certs.NameKey(cert.RawSubject)
	a.added = append(a.added, cert)
	a.bySubject[key] = append(a.bySubject[key], cert)
}

// Contains reports whether the certificate is an anchor, at whatever time.
func (a *Anchors) Contains(cert *x509.Certificate) bool {
	if cert == nil {
		return false
	}
	fp := sha256.Sum256(cert.Raw)
	return a.contains(fp) || a.pins() && pinnedRoot(fp) != nil
}

func (a *Anchors) contains(fp [sha256.Size]byte) bool { return a != nil && len(a.periods[fp]) > 0 }

// Added returns the certificates that were added, in that order; the pinned
// roots are not among them unless somebody added them too.
func (a *Anchors) Added() []*x509.Certificate {
	if a == nil {
		return nil
	}
	return slices.Clone(a.added)
}

// Named returns the added certificates with that encoded subject, in whatever
// way it is encoded.
func (a *Anchors) Named(subject []byte) []*x509.Certificate {
	if a == nil || len(a.added) == 0 {
		return nil
	}
	return a.bySubject[certs.NameKey(subject)]
}

// Withdrawn returns why an anchor is none at the given time, in English, or "":
// trust was granted later, or withdrawn before. What the caller added himself
// is judged by the periods he gave, not withdrawn behind his back.
func (a *Anchors) Withdrawn(cert *x509.Certificate, at time.Time) string {
	fp := sha256.Sum256(cert.Raw)
	if !a.contains(fp) {
		return pinnedRoot(fp).withdrawnAt(at)
	}
	why := ""
	for _, p := range a.periods[fp] {
		switch {
		case !p.until.IsZero() && !at.Before(p.until):
			why = "trust in it was withdrawn on " + p.until.UTC().Format(time.DateOnly)
		case !p.from.IsZero() && at.Before(p.from):
			why = "trust in it was granted from " + p.from.UTC().Format(time.DateOnly)
		default:
			return ""
		}
	}
	return why
}

// Digest identifies the set: SHA-256 over the sorted fingerprints of all
// anchors, the pinned roots among them, each followed by its bounded periods
// of trust.
func (a *Anchors) Digest() [sha256.Size]byte {
	prints := make(map[[sha256.Size]byte]bool)
	if a.pins() {
		for _, r := range pinnedRoots {
			prints[r.SHA256] = true
		}
	}
	for _, c := range a.Added() {
		prints[sha256.Sum256(c.Raw)] = true
	}
	h := sha256.New()
	for _, fp := range slices.SortedFunc(maps.Keys(prints), func(x, y [sha256.Size]byte) int { return bytes.Compare(x[:], y[:]) }) {
		h.Write(fp[:])
		if a == nil {
			continue
		}
		var bounded []string
		for _, p := range a.periods[fp] {
			if p != (period{}) {
				bounded = append(bounded, fmt.Sprintf("%d-%d ", p.from.Unix(), p.until.Unix()))
			}
		}
		slices.Sort(bounded)
		io.WriteString(h, strings.Join(bounded, ""))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (r *PinnedRoot) withdrawnAt(at time.Time) string {
	if r == nil || r.Withdrawn.IsZero() || at.Before(r.Withdrawn) {
		return ""
	}
	return fmt.Sprintf("%s was withdrawn on %s", r.Name, r.Withdrawn.Format(time.DateOnly))
}

func pinnedRoot(fp [sha256.Size]byte) *PinnedRoot {
	for i := range pinnedRoots {
		if pinnedRoots[i].SHA256 == fp {
			return &pinnedRoots[i]
		}
	}
	return nil
}
