package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Kind says which key of a card is meant.
type Kind int

const (
	// Authentication is key 82: keyUsage digitalSignature.
	Authentication Kind = iota
	// Signature is key 83: keyUsage nonRepudiation alone.
	Signature
	// Basic is the card key 81 of applet 1.8. It has no certificate: Issue
	// refuses it, LeafKey gives it.
	Basic
)

// String returns "Authentication", "Signature" or "Basic": the words in the
// common name of the certificates.
func (k Kind) String() string {
	switch k {
	case Authentication:
		return "Authentication"
	case Signature:
		return "Signature"
	case Basic:
		return "Basic"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Subject is the holder of a card. NationalNumber is 11 digits, not checked
// here. GivenNames may be empty and may hold several names; the common name
// takes the first. Country is ISO 3166 alpha-2, empty means BE.
type Subject struct {
	NationalNumber, Surname, GivenNames, Country string
}

// Request asks Issue for a leaf certificate. Zero values are filled in:
// Issuer CitizenCA, Key LeafKey(Kind, NationalNumber), validity 2023-01-01 to
// 2032-12-31, Serial derived from the content.
type Request struct {
	Issuer    *Authority
	Subject   Subject
	Kind      Kind
	Key       crypto.Signer
	NotBefore time.Time
	NotAfter  time.Time
	Serial    *big.Int
	// IndirectCRL has the CRL distribution point name CRLIssuer instead of
	// the issuer itself (RFC 5280 section 4.2.1.13).
	IndirectCRL bool
	// Extensions are added to the certificate as they are.
	Extensions []pkix.Extension
}

// Issued is a leaf certificate with its key.
type Issued struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	Issuer      *Authority
}

var (
	leafNotBefore = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	leafNotAfter  = time.Date(2032, 12, 31, 23, 59, 59, 0, time.UTC)
)

// Issue makes a certificate as the Belgian CAs shape it. It fails when the
// surname is empty, the issuer is not a CA, the validity ends before it
// begins, or the kind has no certificate.
func (p *PKI) Issue(r Request) (*Issued, error) {
	if err := p.fill(&r); err != nil {
		return nil, fmt.Errorf("issuing test certificate: %w", err)
	}
	subject, err := marshalName(r.Subject.attributes(r.Kind))
	if err != nil {
		return nil, fmt.Errorf("issuing test certificate: %w", err)
	}
	t := &x509.Certificate{
		RawSubject:   subject,
		SerialNumber: r.Serial,
		NotBefore:    r.NotBefore,
		NotAfter:     r.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if t.Policies, err = oids(policyArc + p.leafPolicy(r)); err != nil {
		return nil, fmt.Errorf("issuing test certificate: %w", err)
	}
	if r.Kind == Signature {
		t.KeyUsage = x509.KeyUsageContentCommitment
		qc, err := qcStatements()
		if err != nil {
			return nil, fmt.Errorf("issuing test certificate: %w", err)
		}
		t.ExtraExtensions = []pkix.Extension{qc}
	}
	if r.IndirectCRL {
		t.ExtraExtensions = append(t.ExtraExtensions, p.indirectPoint())
	}
	t.ExtraExtensions = append(t.ExtraExtensions, r.Extensions...)
	if variant := r.variant(); variant != "" && t.SerialNumber == nil {
		t.SerialNumber = p.serial(t, r.Key.Public(), variant)
	}
	cert, err := p.sign(t, r.Issuer, r.Key)
	if err != nil {
		return nil, fmt.Errorf("issuing test certificate: %w", err)
	}
	return &Issued{Certificate: cert, Key: r.Key, Issuer: r.Issuer}, nil
}

// variant tells certificates apart that differ in extensions alone; empty for
// the ordinary ones.
func (r *Request) variant() string {
	var parts []string
	if r.IndirectCRL {
		parts = append(parts, "indirect")
	}
	for _, e := range r.Extensions {
		parts = append(parts, e.Id.String(), string(e.Value))
	}
	return strings.Join(parts, " ")
}

// fill sets the defaults and checks the request.
func (p *PKI) fill(r *Request) error {
	if r.Issuer == nil {
		r.Issuer = p.CitizenCA
	}
	if r.Key == nil {
		r.Key = p.LeafKey(r.Kind, r.Subject.NationalNumber)
	}
	if r.NotBefore.IsZero() {
		r.NotBefore = leafNotBefore
	}
	if r.NotAfter.IsZero() {
		r.NotAfter = leafNotAfter
	}
	if r.Subject.Country == "" {
		r.Subject.Country = "BE"
	}
	switch {
	case r.Kind != Authentication && r.Kind != Signature:
		return fmt.Errorf("kind %v has no certificate", r.Kind)
	case r.Subject.Surname == "":
		return errors.New("surname is empty")
	case !r.Issuer.Certificate.IsCA:
		return fmt.Errorf("issuer %s is not a CA", r.Issuer.Name)
	case r.NotAfter.Before(r.NotBefore):
		return errors.New("validity ends before it begins")
	case r.Serial != nil && r.Serial.Sign() <= 0:
		return errors.New("serial number is not positive")
	}
	return nil
}

// leafPolicy returns the tail of the certificate policy (facts sheet "signatures"
// section 5): per CA and kind in the RSA hierarchy, per kind in the EC one.
func (p *PKI) leafPolicy(r Request) string {
	if p.opts.Algorithm == EC {
		if r.Kind == Signature {
			return "13.6.1.1000"
		}
		return "13.6.2.1000"
	}
	family := "12.1.1.2"
	switch r.Issuer {
	case p.ForeignerCA:
		family = "12.1.1.7"
	case p.GovernmentCA:
		family = "12.1.1.3"
	}
	if r.Kind == Signature {
		return family + ".1"
	}
	return family + ".2"
}

func (s Subject) attributes(k Kind) []attribute {
	first, _, _ := strings.Cut(strings.TrimSpace(s.GivenNames), " ")
	cn := strings.TrimSpace(first + " " + s.Surname)
	list := []attribute{
		{oidCountry, s.Country},
		{oidCommonName, cn + " (" + k.String() + ")"},
		{oidSurname, s.Surname},
		{oidGivenName, s.GivenNames},
		{oidSerialNumber, s.NationalNumber},
	}
	kept := list[:0]
	for _, a := range list {
		if a.value != "" {
			kept = append(kept, a)
		}
	}
	return kept
}

// Attribute types of X.520 used in the subjects.
var (
	oidCountry      = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrganization = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSurname      = asn1.ObjectIdentifier{2, 5, 4, 4}
	oidGivenName    = asn1.ObjectIdentifier{2, 5, 4, 42}
	oidSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5}
)

type attribute struct {
	oid   asn1.ObjectIdentifier
	value string
}

// marshalName encodes a distinguished name in the order given; pkix.Name has
// an order of its own, which is not that of the cards.
func marshalName(list []attribute) ([]byte, error) {
	var seq pkix.RDNSequence
	for _, a := range list {
		seq = append(seq, pkix.RelativeDistinguishedNameSET{{Type: a.oid, Value: a.value}})
	}
	der, err := asn1.Marshal(seq)
	if err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	return der, nil
}

// qcStatements is the extension of signature certificates: QcCompliance and
// QcSSCD of ETSI EN 319 412-5 section 4.2.
func qcStatements() (pkix.Extension, error) {
	type statement struct{ ID asn1.ObjectIdentifier }
	value, err := asn1.Marshal([]statement{
		{asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 1}},
		{asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 4}},
	})
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("qcStatements: %w", err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, Value: value}, nil
}
