package certs

import (
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Access is where a certificate says that more can be had (RFC 5280 section
// 4.2.2.1): URLs of any scheme, in their order, as written.
type Access struct {
	OCSP      []string
	CAIssuers []string
}

var (
	oidOCSP      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	oidCAIssuers = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}
)

// maxURLs bounds the URLs that are taken from one extension.
const maxURLs = 32

// AuthorityInfo returns the authority information access of the certificate.
// Locations of other forms than a URL are passed over. Errors: ErrExtension,
// with what could be read before.
func AuthorityInfo(c *x509.Certificate) (Access, error) {
	var a Access
	body, ok, err := extensionBody(c, OIDAuthorityInfo)
	if err != nil || !ok {
		return a, err
	}
	for !body.Empty() {
		var entry cryptobyte.String
		var method asn1.ObjectIdentifier
		if !body.ReadASN1(&entry, cbasn1.SEQUENCE) || !entry.ReadASN1ObjectIdentifier(&method) {
			return a, malformed(OIDAuthorityInfo)
		}
		location, ok := readGeneralName(&entry)
		if !ok {
			return a, malformed(OIDAuthorityInfo)
		}
		if location.Form != URIName || len(a.OCSP)+len(a.CAIssuers) >= maxURLs {
			continue
		}
		switch {
		case method.Equal(oidOCSP):
			a.OCSP = append(a.OCSP, location.Text())
		case method.Equal(oidCAIssuers):
			a.CAIssuers = append(a.CAIssuers, location.Text())
		}
	}
	return a, nil
}

// DistributionPoint is one place where a CRL is found (RFC 5280 section
// 4.2.1.13).
type DistributionPoint struct {
	// FullName are its names: alternatives for one and the same CRL.
	FullName []GeneralName
	// Relative is the relative name, encoded as SET OF attributes, to be
	// appended to the CRL issuer's name; nil if FullName is used.
	Relative []byte
	// Reasons has bit n set for ReasonFlags bit n; AllReasons if not said.
	Reasons uint16
	// Issuer are the names of the CRL issuer if it is not the certificate's.
	Issuer []GeneralName
}

// AllReasons are the bits 1 to 8 of ReasonFlags.
const AllReasons uint16 = 0x1fe

// URLs returns the names that are URLs.
func (p DistributionPoint) URLs() []string {
	var list []string
	for _, n := range p.FullName {
		if n.Form == URIName && len(list) < maxURLs {
			list = append(list, n.Text())
		}
	}
	return list
}

// CRLDistributionPoints returns where the CRLs for the certificate are.
// Errors: ErrExtension.
func CRLDistributionPoints(c *x509.Certificate) ([]DistributionPoint, error) {
	return distributionPoints(c, OIDCRLDistribution)
}

// FreshestCRL returns where the delta CRLs for the certificate are (RFC 5280
// section 4.2.1.15). Errors: ErrExtension.
func FreshestCRL(c *x509.Certificate) ([]DistributionPoint, error) {
	return distributionPoints(c, OIDFreshestCRL)
}

func distributionPoints(c *x509.Certificate, oid asn1.ObjectIdentifier) ([]DistributionPoint, error) {
	value, _, ok := Extension(c, oid)
	if !ok {
		return nil, nil
	}
	return ParseDistributionPoints(value)
}

// ParseDistributionPoints reads the DER of CRLDistributionPoints, which the
// freshest CRL extension of certificates and CRLs is too. Errors: ErrExtension.
func ParseDistributionPoints(der []byte) ([]DistributionPoint, error) {
	input := cryptobyte.String(der)
	var body cryptobyte.String
	if !input.ReadASN1(&body, cbasn1.SEQUENCE) || !input.Empty() {
		return nil, malformed(OIDCRLDistribution)
	}
	var list []DistributionPoint
	for !body.Empty() {
		var point cryptobyte.String
		if len(list) == maxList || !body.ReadASN1(&point, cbasn1.SEQUENCE) {
			return nil, malformed(OIDCRLDistribution)
		}
		p, err := distributionPoint(point)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func distributionPoint(point cryptobyte.String) (DistributionPoint, error) {
	p := DistributionPoint{Reasons: AllReasons}
	var name, reasons, issuer cryptobyte.String
	var hasName, hasReasons, hasIssuer bool
	if !point.ReadOptionalASN1(&name, &hasName, cbasn1.Tag(0).Constructed().ContextSpecific()) ||
		!point.ReadOptionalASN1(&reasons, &hasReasons, cbasn1.Tag(1).ContextSpecific()) ||
		!point.ReadOptionalASN1(&issuer, &hasIssuer, cbasn1.Tag(2).Constructed().ContextSpecific()) || !point.Empty() {
		return p, malformed(OIDCRLDistribution)
	}
	var err error
	if hasName {
		if p.FullName, p.Relative, err = ParseDistributionPointName(name); err != nil {
			return p, err
		}
	}
	if hasReasons {
		if p.Reasons, err = ParseReasonFlags(reasons); err != nil {
			return p, err
		}
	}
	if hasIssuer {
		p.Issuer, err = generalNames(issuer)
	}
	return p, err
}

// ParseDistributionPointName reads a DistributionPointName, as it also stands
// in the issuing distribution point of a CRL: full names, or a relative one
// encoded as SET OF attributes. Errors: ErrExtension.
func ParseDistributionPointName(der []byte) (full []GeneralName, relative []byte, err error) {
	name := cryptobyte.String(der)
	var body cryptobyte.String
	var tag cbasn1.Tag
	if !name.ReadAnyASN1(&body, &tag) || !name.Empty() {
		return nil, nil, malformed(OIDCRLDistribution)
	}
	switch tag {
	case cbasn1.Tag(0).Constructed().ContextSpecific():
		full, err = generalNames(body)
		return full, nil, err
	case cbasn1.Tag(1).Constructed().ContextSpecific():
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(body) })
		relative, err = b.Bytes()
		return nil, relative, err
	}
	return nil, nil, malformed(OIDCRLDistribution)
}

// ParseReasonFlags reads the contents of a BIT STRING ReasonFlags: bit n of the
// result is ReasonFlags bit n. Errors: ErrExtension.
func ParseReasonFlags(content []byte) (uint16, error) {
	if len(content) < 1 || len(content) > 3 || content[0] > 7 {
		return 0, malformed(OIDCRLDistribution)
	}
	var flags uint16
	for i, b := range content[1:] {
		for bit := range 8 {
			if b&(0x80>>bit) != 0 {
				flags |= 1 << (8*i + bit)
			}
		}
	}
	return flags & (AllReasons | 1), nil
}
