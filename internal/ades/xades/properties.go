package xades

import (
	"crypto"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// maxItems bounds what is kept of a property that may repeat.
const maxItems = 100

// signedAttributes reads SignedProperties. EN 319 132-1, 5.2.
func (s *signature) signedAttributes() {
	if s.signed == nil {
		if s.qualifying != nil {
			s.note(ades.NoSigningCertRef, s.out.ID, "QualifyingProperties without SignedProperties")
		}
		return
	}
	p := child(s.signed, "SignedSignatureProperties")
	if t := child(p, "SigningTime"); t != nil {
		if at, ok := parseTime(text(t)); ok {
			s.out.SigningTime = &at
		} else {
			s.note(ades.BadStructure, "SigningTime", "%.60q", text(t))
		}
	}
	s.certRefs(p)
	if id := child(p, "SignaturePolicyIdentifier"); id != nil {
		s.out.Policy = s.policy(id)
	}
	for _, name := range []string{"SignatureProductionPlaceV2", "SignatureProductionPlace"} {
		if place := child(p, name); place != nil && s.out.Place == "" {
			s.out.Place = joined(place)
		}
	}
	for _, name := range []string{"SignerRoleV2", "SignerRole"} {
		for _, role := range children(child(p, name, "ClaimedRoles"), "ClaimedRole") {
			s.out.Roles = appendSome(s.out.Roles, text(role))
		}
	}
	data := child(s.signed, "SignedDataObjectProperties")
	for _, indication := range children(data, "CommitmentTypeIndication") {
		s.out.Commitments = appendSome(s.out.Commitments, identifier(child(indication, "CommitmentTypeId")))
	}
	for _, format := range children(data, "DataObjectFormat") {
		if mime := child(format, "MimeType"); mime != nil && s.out.MIMEType == "" {
			s.out.MIMEType = text(mime)
		}
	}
}

func appendSome(list []string, s string) []string {
	if s == "" || len(list) == maxItems {
		return list
	}
	return append(list, s)
}

// joined is a postal address on one line.
func joined(place *xmldsig.Node) string {
	var parts []string
	for n := range place.Elements() {
		if t := text(n); t != "" && len(parts) < maxItems {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, ", ")
}

// timeForms are those of xsd:dateTime that signers write; without a zone it is taken for UTC.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02Z07:00", "2006-01-02"}

func parseTime(s string) (time.Time, bool) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// certRefs reads SigningCertificateV2 or SigningCertificate. EN 319 132-1, 5.2.2; TS 101 903, 7.2.2.
func (s *signature) certRefs(p *xmldsig.Node) {
	for _, name := range []string{"SigningCertificateV2", "SigningCertificate"} {
		list := child(p, name)
		if list == nil {
			continue
		}
		s.out.HasCertRefs = true
		for _, c := range children(list, "Cert") {
			if len(s.out.CertRefs) < maxItems {
				s.out.CertRefs = append(s.out.CertRefs, s.certRef(c))
			}
		}
		if len(s.out.CertRefs) == 0 {
			s.note(ades.BadStructure, name, "without Cert")
		}
	}
	if !s.out.HasCertRefs {
		s.note(ades.NoSigningCertRef, s.out.ID, "SignedSignatureProperties without SigningCertificate")
	}
}

// certRef reads CertIDType, of either version.
func (s *signature) certRef(c *xmldsig.Node) (ref ades.CertRef) {
	ref.Hash, ref.Digest = s.digest(child(c, "CertDigest"))
	if v1 := child(c, "IssuerSerial"); v1 != nil {
		ref.Name, ref.Serial = issuerText(v1)
	}
	if v2 := child(c, "IssuerSerialV2"); v2 != nil {
		der, err := xmldsig.DecodeBase64(v2.Text())
		if err == nil {
			if issuer, serial, ok := issuerSerial(der); ok {
				ref.Issuer, ref.Serial = issuer, serial
				if issuer != nil {
					ref.Name = certs.NameString(issuer)
				}
			}
		}
	}
	return ref
}

// digest reads DigestAlgAndValueType.
func (s *signature) digest(n *xmldsig.Node) (hash crypto.Hash, value []byte) {
	if n == nil {
		return 0, nil
	}
	method := ds(n, "DigestMethod")
	if method != nil {
		hash, _ = sigalg.HashByURI(method.Get("Algorithm"))
	}
	value, err := xmldsig.DecodeBase64(ds(n, "DigestValue").Text())
	if err != nil {
		return hash, nil
	}
	return hash, value
}

// identifier reads ObjectIdentifierType: a URI, or an OID as URN, which is given without its prefix.
func identifier(n *xmldsig.Node) string {
	id := text(child(n, "Identifier"))
	for _, prefix := range []string{"urn:oid:", "oid:", "OID:", "URN:OID:"} {
		if oid, ok := strings.CutPrefix(id, prefix); ok {
			return strings.TrimSpace(oid)
		}
	}
	return id
}

// policy reads SignaturePolicyIdentifier. EN 319 132-1, 5.2.9.
func (s *signature) policy(n *xmldsig.Node) *ades.SignaturePolicy {
	p := &ades.SignaturePolicy{Implied: child(n, "SignaturePolicyImplied") != nil}
	id := child(n, "SignaturePolicyId")
	if id == nil {
		return p
	}
	p.ID = identifier(child(id, "SigPolicyId"))
	p.Hash, p.Digest = s.digest(child(id, "SigPolicyHash"))
	for _, q := range children(child(id, "SigPolicyQualifiers"), "SigPolicyQualifier") {
		if uri := child(q, "SPURI"); uri != nil && p.URI == "" {
			p.URI = text(uri)
		}
	}
	return p
}
