package certs

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Extensions by their OIDs (RFC 5280 section 4.2).
var (
	OIDSubjectKeyID      = asn1.ObjectIdentifier{2, 5, 29, 14}
	OIDKeyUsage          = asn1.ObjectIdentifier{2, 5, 29, 15}
	OIDSubjectAltName    = asn1.ObjectIdentifier{2, 5, 29, 17}
	OIDIssuerAltName     = asn1.ObjectIdentifier{2, 5, 29, 18}
	OIDBasicConstraints  = asn1.ObjectIdentifier{2, 5, 29, 19}
	OIDNameConstraints   = asn1.ObjectIdentifier{2, 5, 29, 30}
	OIDCRLDistribution   = asn1.ObjectIdentifier{2, 5, 29, 31}
	OIDPolicies          = asn1.ObjectIdentifier{2, 5, 29, 32}
	OIDPolicyMappings    = asn1.ObjectIdentifier{2, 5, 29, 33}
	OIDAuthorityKeyID    = asn1.ObjectIdentifier{2, 5, 29, 35}
	OIDPolicyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
	OIDExtKeyUsage       = asn1.ObjectIdentifier{2, 5, 29, 37}
	OIDFreshestCRL       = asn1.ObjectIdentifier{2, 5, 29, 46}
	OIDInhibitAnyPolicy  = asn1.ObjectIdentifier{2, 5, 29, 54}
	OIDAuthorityInfo     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	OIDQCStatements      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
	OIDOCSPNoCheck       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

	// OIDAnyPolicy is the policy that stands for all (RFC 5280 section
	// 4.2.1.4).
	OIDAnyPolicy = asn1.ObjectIdentifier{2, 5, 29, 32, 0}
)

// maxList bounds what an extension may list.
const maxList = 4096

// Extension returns the value of an extension of the certificate and whether
// it is critical; ok is false if it has none of that OID.
func Extension(c *x509.Certificate, oid asn1.ObjectIdentifier) (value []byte, critical, ok bool) {
	for i := range c.Extensions {
		if c.Extensions[i].Id.Equal(oid) {
			return c.Extensions[i].Value, c.Extensions[i].Critical, true
		}
	}
	return nil, false, false
}

// extensionBody returns the contents of an extension that is a SEQUENCE; ok is
// false if the certificate has none.
func extensionBody(c *x509.Certificate, oid asn1.ObjectIdentifier) (body cryptobyte.String, ok bool, err error) {
	value, _, ok := Extension(c, oid)
	if !ok {
		return nil, false, nil
	}
	input := cryptobyte.String(value)
	if !input.ReadASN1(&body, cbasn1.SEQUENCE) || !input.Empty() {
		return nil, true, malformed(oid)
	}
	return body, true, nil
}

func malformed(oid asn1.ObjectIdentifier) error { return fmt.Errorf("%w %v", ErrExtension, oid) }

// PolicyInformation is one policy of a certificate (RFC 5280 section 4.2.1.4).
type PolicyInformation struct {
	Policy asn1.ObjectIdentifier
	CPS    []string // URIs of practice statements
	Notice string   // explicit text of a user notice, or empty
}

var (
	oidCPS    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidNotice = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
)

// Policies returns the certificate's policies; nil if it names none. Qualifiers
// that are malformed are left out, a malformed list is ErrExtension, and so is
// a policy that stands there twice.
func Policies(c *x509.Certificate) ([]PolicyInformation, error) {
	body, ok, err := extensionBody(c, OIDPolicies)
	if err != nil || !ok {
		return nil, err
	}
	var list []PolicyInformation
	seen := map[string]bool{}
	for !body.Empty() {
		var info, qualifiers cryptobyte.String
		var p PolicyInformation
		if len(list) == maxList || !body.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&p.Policy) {
			return nil, malformed(OIDPolicies)
		}
		if key := p.Policy.String(); seen[key] {
			return nil, fmt.Errorf("%w: policy %s twice", malformed(OIDPolicies), key)
		} else {
			seen[key] = true
		}
		if info.ReadASN1(&qualifiers, cbasn1.SEQUENCE) {
			p.readQualifiers(qualifiers)
		}
		list = append(list, p)
	}
	return list, nil
}

func (p *PolicyInformation) readQualifiers(list cryptobyte.String) {
	for !list.Empty() {
		var q, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var tag cbasn1.Tag
		if !list.ReadASN1(&q, cbasn1.SEQUENCE) || !q.ReadASN1ObjectIdentifier(&oid) || !q.ReadAnyASN1(&value, &tag) {
			return
		}
		switch {
		case oid.Equal(oidCPS) && tag == cbasn1.IA5String:
			p.CPS = append(p.CPS, string(value))
		case oid.Equal(oidNotice) && tag == cbasn1.SEQUENCE:
			for !value.Empty() {
				var field cryptobyte.String
				if !value.ReadAnyASN1(&field, &tag) {
					return
				}
				if text, ok := stringValue(tag, field); ok {
					p.Notice = text
				}
			}
		}
	}
}

// PolicyMapping says that a policy of the issuer counts as one of the subject.
type PolicyMapping struct{ Issuer, Subject asn1.ObjectIdentifier }

// PolicyMappings returns the mappings of a CA certificate (RFC 5280 section
// 4.2.1.5). Errors: ErrExtension.
func PolicyMappings(c *x509.Certificate) ([]PolicyMapping, error) {
	body, ok, err := extensionBody(c, OIDPolicyMappings)
	if err != nil || !ok {
		return nil, err
	}
	var list []PolicyMapping
	for !body.Empty() {
		var pair cryptobyte.String
		var m PolicyMapping
		if len(list) == maxList || !body.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&m.Issuer) ||
			!pair.ReadASN1ObjectIdentifier(&m.Subject) || !pair.Empty() {
			return nil, malformed(OIDPolicyMappings)
		}
		list = append(list, m)
	}
	return list, nil
}

// Constraints are the policy constraints of a CA certificate (RFC 5280
// sections 4.2.1.11 and 4.2.1.14). Fields are -1 where nothing is said.
type Constraints struct{ RequireExplicitPolicy, InhibitPolicyMapping, InhibitAnyPolicy int }

// PolicyConstraints returns the policy constraints and inhibitAnyPolicy.
// Numbers beyond 1,000,000 come out as that. Errors: ErrExtension.
func PolicyConstraints(c *x509.Certificate) (Constraints, error) {
	k := Constraints{-1, -1, -1}
	body, ok, err := extensionBody(c, OIDPolicyConstraints)
	if err != nil {
		return k, err
	}
	if ok {
		for i, field := range []*int{&k.RequireExplicitPolicy, &k.InhibitPolicyMapping} {
			var number cryptobyte.String
			var has bool
			if !body.ReadOptionalASN1(&number, &has, cbasn1.Tag(i).ContextSpecific()) || has && !skipCerts(number, field) {
				return k, malformed(OIDPolicyConstraints)
			}
		}
		if !body.Empty() {
			return k, malformed(OIDPolicyConstraints)
		}
	}
	if value, _, ok := Extension(c, OIDInhibitAnyPolicy); ok {
		input := cryptobyte.String(value)
		var number cryptobyte.String
		if !input.ReadASN1(&number, cbasn1.INTEGER) || !input.Empty() || !skipCerts(number, &k.InhibitAnyPolicy) {
			return k, malformed(OIDInhibitAnyPolicy)
		}
	}
	return k, nil
}

// maxSkip stands for all numbers of certificates beyond any path.
const maxSkip = 1000000

// skipCerts reads the contents of a SkipCerts, INTEGER (0..MAX).
func skipCerts(number []byte, out *int) bool {
	if len(number) == 0 || number[0]&0x80 != 0 {
		return false
	}
	n := 0
	for _, b := range number {
		if n = n<<8 | int(b); n > maxSkip {
			n = maxSkip
		}
	}
	*out = n
	return true
}

// NameConstraints are the subtrees of a CA certificate (RFC 5280 section
// 4.2.1.10).
type NameConstraints struct {
	Critical            bool
	Permitted, Excluded []GeneralName
}

// NameConstraintsOf returns the name constraints, nil if there are none.
// Errors: ErrExtension, also for a minimum other than 0 or a maximum, which
// RFC 5280 does not allow.
func NameConstraintsOf(c *x509.Certificate) (*NameConstraints, error) {
	body, ok, err := extensionBody(c, OIDNameConstraints)
	if err != nil || !ok {
		return nil, err
	}
	k := &NameConstraints{}
	_, k.Critical, _ = Extension(c, OIDNameConstraints)
	for i, list := range []*[]GeneralName{&k.Permitted, &k.Excluded} {
		var trees cryptobyte.String
		var has bool
		if !body.ReadOptionalASN1(&trees, &has, cbasn1.Tag(i).Constructed().ContextSpecific()) {
			return nil, malformed(OIDNameConstraints)
		}
		for !trees.Empty() {
			var tree cryptobyte.String
			if len(*list) == maxList || !trees.ReadASN1(&tree, cbasn1.SEQUENCE) {
				return nil, malformed(OIDNameConstraints)
			}
			base, ok := readGeneralName(&tree)
			if string(tree) == "\x80\x01\x00" { // the default, written out
				tree = nil
			}
			if !ok || !tree.Empty() {
				return nil, malformed(OIDNameConstraints)
			}
			*list = append(*list, base)
		}
	}
	if !body.Empty() {
		return nil, malformed(OIDNameConstraints)
	}
	return k, nil
}
