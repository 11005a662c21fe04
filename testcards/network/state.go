package network

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// state is what one CA knows of its certificates.
type state struct {
	number  uint64             // of the list that holds the last change
	revoked map[string]*change // by serial
	unknown map[string]bool
	// base and frozen are the full list that delta CRLs build on.
	base   uint64
	frozen map[string]*change
}

// change is one certificate's latest change. A released hold stays, so that a
// delta CRL can remove it.
type change struct {
	serial   *big.Int
	at       time.Time
	reason   int
	number   uint64
	released time.Time // zero: still revoked
}

// Revoke has every list and answer say from at on that c is revoked, with the
// reason of RFC 5280 section 5.3.1. A second call replaces the first. It fails
// when c is not of this PKI.
func (n *Network) Revoke(c *x509.Certificate, at time.Time, reason int) error {
	return n.change(c, func(s *state) {
		s.revoked[c.SerialNumber.String()] = &change{serial: c.SerialNumber, at: at.UTC().Truncate(time.Second), reason: reason, number: s.number}
	})
}

// Hold suspends c: reason certificateHold.
func (n *Network) Hold(c *x509.Certificate, at time.Time) error {
	return n.Revoke(c, at, pki.CertificateHold)
}

// Release ends what Hold or Revoke began, from the services' present on.
func (n *Network) Release(c *x509.Certificate) error {
	now := n.clock()
	return n.change(c, func(s *state) {
		if r := s.revoked[c.SerialNumber.String()]; r != nil {
			r.released, r.number = now, s.number
		}
		delete(s.unknown, c.SerialNumber.String())
	})
}

// Forget has OCSP answer "unknown" about c, until Release.
func (n *Network) Forget(c *x509.Certificate) error {
	return n.change(c, func(s *state) { s.unknown[c.SerialNumber.String()] = true })
}

// Publish has all CRLs issued anew at the next request, at the services'
// present.
func (n *Network) Publish() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.lists)
}

func (n *Network) change(c *x509.Certificate, do func(*state)) error {
	_, ca, err := n.issuer(c)
	if err != nil {
		return fmt.Errorf("changing the status of a test certificate: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.state(ca.Name)
	s.number++
	do(s)
	return nil
}

// state of a CA; the caller holds mu.
func (n *Network) state(name string) *state {
	s := n.states[name]
	if s == nil {
		s = &state{number: 1, revoked: map[string]*change{}, unknown: map[string]bool{}}
		s.freeze()
		n.states[name] = s
	}
	return s
}

// status is what is known at a time about one serial: nil for good.
func (n *Network) status(ca string, serial *big.Int, at time.Time) (revoked *change, unknown bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.state(ca)
	if r := s.revoked[serial.String()]; r != nil && r.holds(at) {
		one := *r
		return &one, false
	}
	return nil, s.unknown[serial.String()]
}

// holds tells whether the certificate is revoked at a time.
func (r *change) holds(at time.Time) bool {
	return !r.at.After(at) && (r.released.IsZero() || r.released.After(at))
}

// freeze makes the present full list the base of delta CRLs.
func (s *state) freeze() {
	s.base, s.frozen = s.number, map[string]*change{}
	for serial, r := range s.revoked {
		one := *r
		s.frozen[serial] = &one
	}
}

// entries are those of a full list issued at a time, by serial.
func entries(revoked map[string]*change, at time.Time) []pki.Entry {
	var out []pki.Entry
	for _, r := range revoked {
		if r.holds(at) {
			out = append(out, pki.Entry{Serial: r.serial, At: r.at, Reason: r.reason})
		}
	}
	return sorted(out)
}

// delta are the entries of a delta CRL over the base: what changed, releases
// among it.
func (s *state) delta(at time.Time) []pki.Entry {
	var out []pki.Entry
	for _, r := range s.revoked {
		switch {
		case r.number <= s.base:
		case r.holds(at):
			out = append(out, pki.Entry{Serial: r.serial, At: r.at, Reason: r.reason})
		case !r.released.IsZero():
			out = append(out, pki.Entry{Serial: r.serial, At: r.released, Reason: pki.RemoveFromCRL})
		}
	}
	return sorted(out)
}

func sorted(list []pki.Entry) []pki.Entry {
	slices.SortFunc(list, func(a, b pki.Entry) int { return a.Serial.Cmp(b.Serial) })
	return list
}

// serialText is a serial number as openssl prints it.
func serialText(n *big.Int) string { return strings.ToUpper(n.Text(16)) }
