package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/der"
)

// Reasons of RFC 5280 section 5.3.1 that the tests use by name; Entry.Reason
// takes any.
const (
	Unspecified          = 0
	KeyCompromise        = 1
	CACompromise         = 2
	AffiliationChanged   = 3
	Superseded           = 4
	CessationOfOperation = 5
	CertificateHold      = 6
	RemoveFromCRL        = 8
)

// Entry is one revoked certificate of a CRL. Reason 0 is not written, as
// RFC 5280 wants.
type Entry struct {
	Serial *big.Int
	At     time.Time
	Reason int
	// Invalid is the invalidityDate, if not zero.
	Invalid time.Time
	// Issuer is the CA of the certificate, in an indirect CRL; it holds for
	// the entries after it too, until the next one that has it.
	Issuer *Authority
}

// List describes a CRL (RFC 5280 section 5). Number, ThisUpdate and
// NextUpdate are written as they are; the zero Scope means no issuing
// distribution point.
type List struct {
	Number                 uint64
	ThisUpdate, NextUpdate time.Time
	Entries                []Entry
	// Base makes it a delta CRL over the list with that number.
	Base uint64
	// Delta is where delta CRLs of this list are (freshestCRL), or empty.
	Delta string
	// ExpiredSince says from when on expired certificates are kept
	// (expiredCertsOnCRL, ITU-T X.509), or zero.
	ExpiredSince time.Time
	Scope        Scope
	// Extensions are added as they are.
	Extensions []pkix.Extension
}

// Scope is the issuing distribution point of a CRL (RFC 5280 section 5.2.5).
type Scope struct {
	URL                                          string
	OnlyUsers, OnlyCAs, OnlyAttributes, Indirect bool
	// Reasons, if not empty: only these bits of ReasonFlags (RFC 5280 section
	// 4.2.1.13: 1 keyCompromise to 8 aACompromise).
	Reasons []int
}

// CRL makes the list and has signer sign it: a CA, or CRLIssuer. The bytes
// depend on the arguments alone. It fails when signer may not sign lists or
// when NextUpdate is before ThisUpdate.
func (p *PKI) CRL(signer *Authority, l List) ([]byte, error) {
	t := &x509.RevocationList{
		Number:             new(big.Int).SetUint64(l.Number),
		ThisUpdate:         l.ThisUpdate,
		NextUpdate:         l.NextUpdate,
		SignatureAlgorithm: p.opts.Algorithm.signature(),
	}
	for _, e := range l.Entries {
		entry, err := e.entry()
		if err != nil {
			return nil, fmt.Errorf("making CRL: %w", err)
		}
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, entry)
	}
	t.ExtraExtensions = append(l.extensions(), l.Extensions...)
	raw, err := x509.CreateRevocationList(nil, t, signer.Certificate, signer.Key)
	if err != nil {
		return nil, fmt.Errorf("making CRL: %w", err)
	}
	return raw, nil
}

func (e Entry) entry() (x509.RevocationListEntry, error) {
	if e.Serial == nil {
		return x509.RevocationListEntry{}, errors.New("an entry has no serial number")
	}
	out := x509.RevocationListEntry{SerialNumber: e.Serial, RevocationTime: e.At, ReasonCode: e.Reason}
	if !e.Invalid.IsZero() {
		out.ExtraExtensions = append(out.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: der.Time(e.Invalid)})
	}
	if e.Issuer != nil {
		out.ExtraExtensions = append(out.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true,
			Value: der.Seq(der.Explicit(4, e.Issuer.Certificate.RawSubject))})
	}
	return out, nil
}

func (l List) extensions() (out []pkix.Extension) {
	if l.Base > 0 {
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true,
			Value: der.BigInt(new(big.Int).SetUint64(l.Base))})
	}
	if scope := l.Scope.encode(); len(scope) > 2 {
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: scope})
	}
	if l.Delta != "" {
		point := der.Explicit(0, der.Explicit(0, der.Implicit(6, der.IA5(l.Delta))))
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 46}, Value: der.Seq(der.Seq(point))})
	}
	if !l.ExpiredSince.IsZero() {
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 60}, Value: der.Time(l.ExpiredSince)})
	}
	return out
}

// encode is the IssuingDistributionPoint, an empty SEQUENCE for the zero
// Scope.
func (s Scope) encode() []byte {
	var parts [][]byte
	if s.URL != "" {
		parts = append(parts, der.Explicit(0, der.Explicit(0, der.Implicit(6, der.IA5(s.URL)))))
	}
	flag := func(n int, set bool) {
		if set {
			parts = append(parts, der.Implicit(n, der.Bool(true)))
		}
	}
	flag(1, s.OnlyUsers)
	flag(2, s.OnlyCAs)
	if len(s.Reasons) > 0 {
		parts = append(parts, der.Implicit(3, reasonFlags(s.Reasons)))
	}
	flag(4, s.Indirect)
	flag(5, s.OnlyAttributes)
	return der.Seq(parts...)
}

// reasonFlags is a named bit list: DER leaves trailing zero bits out.
func reasonFlags(bits []int) []byte {
	var octets [2]byte
	last := 0
	for _, b := range bits {
		octets[b/8] |= 0x80 >> (b % 8)
		last = max(last, b)
	}
	n := last/8 + 1
	return der.Raw(0x03, []byte{byte(n*8 - 1 - last)}, octets[:n])
}
