package verify

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"
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
	prints    map[[sha256.Size]byte]bool     // of added
	bySubject map[string][]*x509.Certificate // of added, by encoded subject
}

// Add makes the certificate an anchor. It is trusted by its bytes: another
// certificate with its name and key is not an anchor by that. Nil is ignored.
func (a *Anchors) Add(cert *x509.Certificate) {
	if cert == nil {
		return
	}
	fp := sha256.Sum256(cert.Raw)
	if a.prints[fp] {
		return
	}
	if a.prints == nil {
		a.prints = make(map[[sha256.Size]byte]bool)
		a.bySubject = make(map[string][]*x509.Certificate)
	}
	a.prints[fp] = true
	a.added = append(a.added, cert)
	a.bySubject[string(cert.RawSubject)] = append(a.bySubject[string(cert.RawSubject)], cert)
}

// Contains reports whether the certificate is an anchor, at whatever time.
func (a *Anchors) Contains(cert *x509.Certificate) bool {
	if cert == nil {
		return false
	}
	fp := sha256.Sum256(cert.Raw)
	return a.contains(fp) || pinnedRoot(fp) != nil
}

func (a *Anchors) contains(fp [sha256.Size]byte) bool { return a != nil && a.prints[fp] }

// Added returns the certificates that were added, in that order; the pinned
// roots are not among them unless somebody added them too.
func (a *Anchors) Added() []*x509.Certificate {
	if a == nil {
		return nil
	}
	return append([]*x509.Certificate(nil), a.added...)
}

// named returns the added certificates with that encoded subject.
func (a *Anchors) named(subject []byte) []*x509.Certificate {
	if a == nil {
		return nil
	}
	return a.bySubject[string(subject)]
}

// withdrawn returns why an anchor is none any more at the given time, or "".
// What the caller added himself is not withdrawn behind his back.
func (a *Anchors) withdrawn(cert *x509.Certificate, at time.Time) string {
	fp := sha256.Sum256(cert.Raw)
	if a.contains(fp) {
		return ""
	}
	return pinnedRoot(fp).withdrawnAt(at)
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
