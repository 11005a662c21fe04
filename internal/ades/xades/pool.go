package xades

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// pool holds what came with a signature, each object once.
type pool struct {
	seen map[string]bool
	// byNode are the digests of the objects in an element, for what time stamps cover.
	byNode map[*xmldsig.Node][]ades.Digest
	// fromKeyInfo is how many of the certificates KeyInfo gave.
	fromKeyInfo int
	// byDigest finds certificates by digests that references use.
	byDigest map[crypto.Hash]map[string]*x509.Certificate
	// revocation does so for lists and answers.
	revocation map[crypto.Hash]map[string][]ades.Digest
}

func newPool() pool {
	return pool{seen: map[string]bool{}, byNode: map[*xmldsig.Node][]ades.Digest{}, byDigest: map[crypto.Hash]map[string]*x509.Certificate{}, revocation: map[crypto.Hash]map[string][]ades.Digest{}}
}

// decode reads the base64 of an element that holds DER. property is the element whose objects it counts among.
func (s *signature) decode(n *xmldsig.Node, code ades.Code) (der []byte, ok bool) {
	der, err := xmldsig.DecodeBase64(n.Text())
	if err != nil || !isSequence(der) {
		if inner, ok := unarmour(n.Text()); ok {
			return inner, true
		}
		s.note(code, n.Local(), "neither base64 nor DER")
		return nil, false
	}
	return der, true
}

// unarmour reads PEM where plain base64 should be.
func unarmour(text string) ([]byte, bool) {
	_, body, ok := strings.Cut(text, "-----BEGIN ")
	if !ok {
		return nil, false
	}
	_, body, _ = strings.Cut(body, "-----")
	body, _, ok = strings.Cut(body, "-----END ")
	der, err := xmldsig.DecodeBase64(body)
	return der, ok && err == nil && isSequence(der)
}

func (s *signature) addCertificate(n, property *xmldsig.Node) {
	der, ok := s.decode(n, ades.BadCertificate)
	if !ok {
		return
	}
	s.pool.byNode[property] = append(s.pool.byNode[property], ades.ObjectDigest(der))
	if s.pool.seen[string(der)] {
		return
	}
	s.pool.seen[string(der)] = true
	cert, oddities, err := certs.Parse(der)
	if err != nil {
		s.note(ades.BadCertificate, n.Local(), "%v", err)
		return
	}
	if len(oddities) > 0 {
		s.note(ades.OddCertificate, certs.NameString(cert.RawSubject), "%s", strings.Join(oddities, "; "))
	}
	s.out.Certificates = append(s.out.Certificates, cert)
}

func (s *signature) addCRL(n, property *xmldsig.Node) {
	der, ok := s.decode(n, ades.BadRevocation)
	if !ok {
		return
	}
	s.pool.byNode[property] = append(s.pool.byNode[property], ades.ObjectDigest(der))
	if !s.pool.seen[string(der)] {
		s.pool.seen[string(der)] = true
		s.out.CRLs = append(s.out.CRLs, der)
	}
}

func (s *signature) addOCSP(n, property *xmldsig.Node) {
	der, ok := s.decode(n, ades.BadRevocation)
	if !ok {
		return
	}
	s.pool.byNode[property] = append(s.pool.byNode[property], ocspDigests(der)...)
	if !s.pool.seen[string(der)] {
		s.pool.seen[string(der)] = true
		s.out.OCSPs = append(s.out.OCSPs, der)
	}
}

// ocspDigests are those of an answer and, of an OCSPResponse, of what is inside it.
func ocspDigests(der []byte) []ades.Digest {
	list := []ades.Digest{ades.ObjectDigest(der)}
	if basic := ades.BasicOCSP(der); basic != nil {
		list = append(list, ades.ObjectDigest(basic))
	}
	return list
}

// unsignedAttributes collects the certificates and revocation data among the
// unsigned properties. EN 319 132-1, 5.4 and 5.5.1; TS 101 903, 7.6.
func (s *signature) unsignedAttributes() {
	if s.unsigned == nil {
		return
	}
	for property := range s.unsigned.Elements() {
		switch property.Local() {
		case "CertificateValues", "AttrAuthoritiesCertValues", "RevocationValues", "AttributeRevocationValues", "TimeStampValidationData", "AnyValidationData":
			s.values(property)
		}
	}
}

// maxValues bounds the objects in one property.
const maxValues = 10_000

// values reads the encapsulated objects in a property, at whatever depth they stand.
func (s *signature) values(property *xmldsig.Node) {
	count := 0
	for n := range property.Descendants() {
		if n.Kind() != xmldsig.ElementNode || versions[n.Space()] == "" {
			continue
		}
		if count++; count > maxValues {
			s.note(ades.UnsupportedPart, property.Local(), "more than %d objects", maxValues)
			return
		}
		switch n.Local() {
		case "EncapsulatedX509Certificate":
			s.addCertificate(n, property)
		case "EncapsulatedCRLValue":
			s.addCRL(n, property)
		case "EncapsulatedOCSPValue":
			s.addOCSP(n, property)
		case "CRLValues", "OCSPValues": // the schema asks for one or more
			if len(children(n, "Encapsulated"+strings.TrimSuffix(n.Local(), "s"))) == 0 {
				s.note(ades.BadStructure, n.Local(), "without a value")
			}
		}
	}
}

// certificate finds the one that a digest names, or nil.
func (s *signature) certificate(hash crypto.Hash, digest []byte) *x509.Certificate {
	if !hash.Available() || len(digest) == 0 {
		return nil
	}
	table := s.pool.byDigest[hash]
	if table == nil {
		table = map[string]*x509.Certificate{}
		for _, c := range s.out.Certificates {
			h := hash.New()
			h.Write(c.Raw)
			table[string(h.Sum(nil))] = c
		}
		s.pool.byDigest[hash] = table
	}
	return table[string(digest)]
}

// equalKeys tells whether two public keys are the same.
func equalKeys(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && b != nil && k.Equal(b)
}

// isIssuer tells whether one of the certificates names c as its issuer.
func isIssuer(c *x509.Certificate, all []*x509.Certificate) bool {
	for _, other := range all {
		if other != c && !bytes.Equal(other.Raw, c.Raw) && certs.EqualName(other.RawIssuer, c.RawSubject) {
			return true
		}
	}
	return false
}
