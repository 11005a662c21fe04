package certs

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"strings"

	"github.com/eidkit/eidkit/internal/sigalg"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// fillName sets the fields of a name that crypto/x509 has, as text.
func (l *lenient) fillName(name *pkix.Name, raw []byte, which string) {
	list, ok := NameAttributes(raw)
	if !ok {
		l.note(which + " cannot be read")
		return
	}
	var rdns pkix.RDNSequence
	for i, a := range list {
		text, ok := a.Text()
		if !ok {
			text = strings.ToValidUTF8(string(a.Value), "\ufffd")
			l.note("a string of the " + which + " cannot be read")
		}
		pair := pkix.AttributeTypeAndValue{Type: a.Type, Value: text}
		if i > 0 && list[i-1].RDN == a.RDN {
			rdns[len(rdns)-1] = append(rdns[len(rdns)-1], pair)
		} else {
			rdns = append(rdns, pkix.RelativeDistinguishedNameSET{pair})
		}
	}
	name.FillFromRDNSequence(&rdns)
}

// goAlgorithm is the name that crypto/x509 has for an AlgorithmIdentifier,
// UnknownSignatureAlgorithm if none.
func goAlgorithm(der []byte) x509.SignatureAlgorithm {
	a, err := sigalg.Parse(der)
	if err != nil {
		return x509.UnknownSignatureAlgorithm
	}
	if a.Scheme == sigalg.PSS {
		if a.MGFHash == a.Hash && a.SaltLength == a.Hash.Size() {
			switch a.Hash {
			case crypto.SHA256:
				return x509.SHA256WithRSAPSS
			case crypto.SHA384:
				return x509.SHA384WithRSAPSS
			case crypto.SHA512:
				return x509.SHA512WithRSAPSS
			}
		}
		return x509.UnknownSignatureAlgorithm
	}
	for name, plain := range plainAlgorithms {
		if plain == a {
			return name
		}
	}
	switch {
	case a.Scheme == sigalg.PKCS1 && a.Hash == crypto.MD5:
		return x509.MD5WithRSA
	case a.Scheme == sigalg.DSA && a.Hash == crypto.SHA1:
		return x509.DSAWithSHA1
	case a.Scheme == sigalg.DSA && a.Hash == crypto.SHA256:
		return x509.DSAWithSHA256
	}
	return x509.UnknownSignatureAlgorithm
}

// fillExtension sets the fields that crypto/x509 has for an extension; false
// if it cannot be read. Those that only package path needs are read there.
func fillExtension(c *x509.Certificate, ext pkix.Extension) bool {
	value := cryptobyte.String(ext.Value)
	switch {
	case ext.Id.Equal(OIDBasicConstraints):
		return fillBasicConstraints(c, value)
	case ext.Id.Equal(OIDKeyUsage):
		return fillKeyUsage(c, value)
	case ext.Id.Equal(OIDSubjectKeyID):
		var id cryptobyte.String
		if !value.ReadASN1(&id, cbasn1.OCTET_STRING) {
			return false
		}
		c.SubjectKeyId = id
	case ext.Id.Equal(OIDAuthorityKeyID):
		var seq, id cryptobyte.String
		var has bool
		if !value.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadOptionalASN1(&id, &has, cbasn1.Tag(0).ContextSpecific()) {
			return false
		}
		if has {
			c.AuthorityKeyId = id
		}
	case ext.Id.Equal(OIDExtKeyUsage):
		return fillExtKeyUsage(c, value)
	case ext.Id.Equal(OIDSubjectAltName):
		return fillAltNames(c, ext.Value)
	case ext.Id.Equal(OIDPolicies):
		return fillPolicies(c)
	case ext.Id.Equal(OIDCRLDistribution):
		points, err := CRLDistributionPoints(c)
		for _, p := range points {
			c.CRLDistributionPoints = append(c.CRLDistributionPoints, p.URLs()...)
		}
		return err == nil
	case ext.Id.Equal(OIDAuthorityInfo):
		access, err := AuthorityInfo(c)
		c.OCSPServer, c.IssuingCertificateURL = access.OCSP, access.CAIssuers
		return err == nil
	case ext.Id.Equal(OIDNameConstraints), ext.Id.Equal(OIDPolicyConstraints), ext.Id.Equal(OIDPolicyMappings), ext.Id.Equal(OIDInhibitAnyPolicy):
	default:
		if ext.Critical {
			c.UnhandledCriticalExtensions = append(c.UnhandledCriticalExtensions, ext.Id)
		}
	}
	return true
}

func fillBasicConstraints(c *x509.Certificate, value cryptobyte.String) bool {
	r := reader{data: value, l: &lenient{}}
	seq, ok := r.next(tagSequence)
	if !ok || !r.empty() {
		return false
	}
	r.data = seq.body
	ca := false
	if b, has := r.optional(tagBoolean); has {
		if len(b.body) != 1 {
			return false
		}
		ca = b.body[0] != 0
	}
	length := -1
	if n, has := r.optional(tagInteger); has && !skipCerts(n.body, &length) {
		return false
	}
	if !r.empty() {
		return false
	}
	c.BasicConstraintsValid, c.IsCA, c.MaxPathLen, c.MaxPathLenZero = true, ca, length, length == 0
	return true
}

func fillKeyUsage(c *x509.Certificate, value cryptobyte.String) bool {
	var bits asn1.BitString
	if !value.ReadASN1BitString(&bits) {
		return false
	}
	for i := range 9 {
		if bits.At(i) != 0 {
			c.KeyUsage |= 1 << i
		}
	}
	return true
}

func fillExtKeyUsage(c *x509.Certificate, value cryptobyte.String) bool {
	return readEach(value, func(list *cryptobyte.String) bool {
		var oid asn1.ObjectIdentifier
		if !list.ReadASN1ObjectIdentifier(&oid) {
			return false
		}
		if use, ok := extKeyUsages[oid.String()]; ok {
			c.ExtKeyUsage = append(c.ExtKeyUsage, use)
		} else {
			c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, oid)
		}
		return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) <= maxList
	})
}

// extKeyUsages are those that crypto/x509 has names for (RFC 5280 section
// 4.2.1.12).
var extKeyUsages = map[string]x509.ExtKeyUsage{
	"2.5.29.37.0": x509.ExtKeyUsageAny, "1.3.6.1.5.5.7.3.1": x509.ExtKeyUsageServerAuth, "1.3.6.1.5.5.7.3.2": x509.ExtKeyUsageClientAuth,
	"1.3.6.1.5.5.7.3.3": x509.ExtKeyUsageCodeSigning, "1.3.6.1.5.5.7.3.4": x509.ExtKeyUsageEmailProtection,
	"1.3.6.1.5.5.7.3.8": x509.ExtKeyUsageTimeStamping, "1.3.6.1.5.5.7.3.9": x509.ExtKeyUsageOCSPSigning,
}

// fillAltNames takes what crypto/x509 has fields for; a URI that is none, or
// an address of another length, is left out.
func fillAltNames(c *x509.Certificate, value []byte) bool {
	names, err := ParseGeneralNames(value)
	for _, n := range names {
		switch n.Form {
		case DNSName:
			c.DNSNames = append(c.DNSNames, n.Text())
		case RFC822Name:
			c.EmailAddresses = append(c.EmailAddresses, n.Text())
		case IPAddress:
			if len(n.Value) == net.IPv4len || len(n.Value) == net.IPv6len {
				c.IPAddresses = append(c.IPAddresses, net.IP(n.Value))
			}
		case URIName:
			if u, err := url.Parse(n.Text()); err == nil {
				c.URIs = append(c.URIs, u)
			}
		}
	}
	return err == nil
}

func fillPolicies(c *x509.Certificate) bool {
	policies, err := Policies(c)
	for _, p := range policies {
		c.PolicyIdentifiers = append(c.PolicyIdentifiers, p.Policy)
		if oid, err := x509.ParseOID(p.Policy.String()); err == nil {
			c.Policies = append(c.Policies, oid)
		}
	}
	return err == nil
}
