package cades

import (
	"bytes"
	"crypto"
	"fmt"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
)

// Signed attributes, RFC 5652 section 11, RFC 5126 section 5, EN 319 122-1 section 5.2.
const (
	oidContentType      = "1.2.840.113549.1.9.3"
	oidMessageDigest    = "1.2.840.113549.1.9.4"
	oidProtection       = "1.2.840.113549.1.9.52" // cmsAlgorithmProtection, RFC 6211
	oidSigningTime      = "1.2.840.113549.1.9.5"
	oidContentHints     = "1.2.840.113549.1.9.16.2.4"
	oidSigningCert      = "1.2.840.113549.1.9.16.2.12"
	oidPolicyID         = "1.2.840.113549.1.9.16.2.15"
	oidCommitment       = "1.2.840.113549.1.9.16.2.16"
	oidLocation         = "1.2.840.113549.1.9.16.2.17"
	oidSignerAttributes = "1.2.840.113549.1.9.16.2.18"
	oidOtherSigningCert = "1.2.840.113549.1.9.16.2.19"
	oidContentTS        = "1.2.840.113549.1.9.16.2.20"
	oidSigningCertV2    = "1.2.840.113549.1.9.16.2.47"
	oidMIMEType         = "0.4.0.1733.2.1"
	oidSignerAttrsV2    = "0.4.0.19122.1.1"
	oidPolicyURI        = "1.2.840.113549.1.9.16.5.1" // qualifier SPuri
	oidAdobeRevocation  = "1.2.840.113583.1.1.8"
)

// Bounds on what is kept of claims.
const (
	maxClaims    = 100
	maxClaimText = 4096
)

// signedAttributes reads the signed attributes other than message-digest. One that cannot be read is noted; what it would say is left
// out.
func (s *signer) signedAttributes() {
	if s.info.SignedAttrs == nil {
		if s.parent == nil && s.signed.ContentType != cms.TypeData {
			s.note(ades.NoContentType, "", "content of type %s needs signed attributes", s.signed.ContentType)
		}
		return
	}
	s.contentType()
	s.onlyOnce()
	for _, attribute := range []struct {
		oid, name string
		read      func(ber.Element) error
	}{
		{oidPolicyID, "signature-policy-identifier", s.policy},
		{oidLocation, "signer-location", s.location},
		{oidMIMEType, "mime-type", s.mimeType},
		{oidContentHints, "content-hints", s.contentHints},
		{oidAdobeRevocation, "adbe-revocationInfoArchival", s.adobeRevocation},
	} {
		value, found, err := cms.One(s.info.SignedAttrs, attribute.oid)
		if found && err == nil {
			err = attribute.read(value)
		}
		if err != nil {
			s.note(ades.EncodingOddity, attribute.name, "%v", err)
		}
	}
	for _, a := range s.info.SignedAttrs {
		for _, raw := range a.Values {
			value, err := ber.Parse(raw)
			if err != nil {
				continue
			}
			switch a.Type {
			case oidCommitment:
				s.commitment(value)
			case oidSignerAttributes, oidSignerAttrsV2:
				s.roles(value)
			}
		}
	}
	s.signingCertificate()
}

// contentType checks the content-type attribute, RFC 5652 section 11.1. Counter-signatures have none (section 11.4).
func (s *signer) contentType() {
	value, found, err := cms.One(s.info.SignedAttrs, oidContentType)
	switch {
	case !found && s.parent == nil:
		s.note(ades.BrokenAttributes, "content-type", "missing")
	case found && s.parent != nil:
		s.note(ades.BrokenAttributes, "content-type", "in a counter-signature")
	case found:
		var oid string
		if err == nil {
			oid, err = value.OID()
		}
		if err != nil {
			s.note(ades.BrokenAttributes, "content-type", "%v", err)
		} else if oid != s.signed.ContentType {
			s.note(ades.BrokenAttributes, "content-type", "signed type %s, content of type %s", oid, s.signed.ContentType)
		}
	}
}

// onlyOnce checks attributes that must be right because others rely on them: one signing-time (RFC 5652 section 11.3), no countersignature
// (section 11.4), and algorithms as protected by RFC 6211.
func (s *signer) onlyOnce() {
	value, found, err := cms.One(s.info.SignedAttrs, oidSigningTime)
	if found && err != nil {
		s.note(ades.BrokenAttributes, "signing-time", "%v", err)
	} else if found {
		if t, err := value.Time(); err == nil {
			s.sig.SigningTime = &t
		} else {
			s.note(ades.EncodingOddity, "signing-time", "%v", err)
		}
	}
	if len(cms.Find(s.info.SignedAttrs, oidCounterSignature)) > 0 {
		s.note(ades.BrokenAttributes, "countersignature", "among the signed attributes")
	}
	value, found, err = cms.One(s.info.SignedAttrs, oidProtection)
	if found && err == nil {
		err = s.protection(value)
	}
	if err != nil {
		s.note(ades.BrokenAttributes, "cmsAlgorithmProtection", "%v", err)
	}
}

// protection compares the algorithms that a CMSAlgorithmProtection (RFC 6211 section 2) names with those used.
func (s *signer) protection(value ber.Element) error {
	r := value.Reader()
	digestAlg, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return err
	}
	sigAlg, err := r.Expect(ber.Context, 1)
	if err != nil {
		return err
	}
	for _, pair := range [][2][]byte{{digestAlg.Body, s.info.DigestAlgorithm}, {sigAlg.Body, s.info.SignatureAlgorithm}} {
		used, err := ber.Parse(pair[1])
		if err != nil {
			return err
		}
		if !bytes.Equal(withoutNull(pair[0]), withoutNull(used.Body)) {
			return fmt.Errorf("%w: other algorithms than those used", ber.ErrMalformed)
		}
	}
	return nil
}

// withoutNull takes parameters that say nothing off the contents of an AlgorithmIdentifier.
func withoutNull(body []byte) []byte { return bytes.TrimSuffix(body, []byte{5, 0}) }

// policy reads a SignaturePolicy, RFC 5126 section 5.8.1.
func (s *signer) policy(value ber.Element) error {
	if value.Is(ber.Universal, ber.TagNull) {
		s.sig.Policy = &ades.SignaturePolicy{Implied: true}
		return nil
	}
	r := value.Reader()
	id, err := r.Expect(ber.Universal, ber.TagOID)
	if err != nil {
		return err
	}
	p := &ades.SignaturePolicy{}
	if p.ID, err = id.OID(); err != nil {
		return err
	}
	s.sig.Policy = p
	hash, found, err := r.Optional(ber.Universal, ber.TagSequence)
	if err != nil || !found {
		return err
	}
	if h, err := ber.ParseHeader(hash.Body); err == nil && h.Is(ber.Universal, ber.TagSequence) {
		in := hash.Reader()
		if first, err := in.Next(); err == nil {
			if nested, err := ber.ParseHeader(first.Body); err == nil && nested.Is(ber.Universal, ber.TagOID) && in.Peek(ber.Universal, ber.TagOctetString) {
				p.Hash = hashAlgorithm(first.Raw)
				if digest, err := in.Next(); err == nil {
					p.Digest, err = digest.Octets()
					if err != nil {
						return err
					}
				}
				if hash, found, err = r.Optional(ber.Universal, ber.TagSequence); err != nil || !found {
					return err
				}
			}
		}
	}
	return policyQualifiers(p, hash)
}

// policyQualifiers reads the SPuri among the qualifiers.
func policyQualifiers(p *ades.SignaturePolicy, qualifiers ber.Element) error {
	for r := qualifiers.Reader(); r.More(); {
		qualifier, err := r.Expect(ber.Universal, ber.TagSequence)
		if err != nil {
			return err
		}
		in := qualifier.Reader()
		id, err := in.Expect(ber.Universal, ber.TagOID)
		if err != nil {
			return err
		}
		if oid, err := id.OID(); err != nil || oid != oidPolicyURI || !in.More() {
			continue
		}
		value, err := in.Next()
		if err != nil {
			return err
		}
		if p.URI, err = value.Text(); err != nil {
			return err
		}
	}
	return nil
}

// location reads a SignerLocation, RFC 5126 section 5.11.2, as one line: street, place, country.
func (s *signer) location(value ber.Element) error {
	var country, place string
	var street []string
	for r := value.Reader(); r.More(); {
		part, err := r.Next()
		if err != nil {
			return err
		}
		texts := stringsIn(part, 0, nil)
		switch {
		case part.Is(ber.Context, 0):
			country = strings.Join(texts, " ")
		case part.Is(ber.Context, 1):
			place = strings.Join(texts, " ")
		default:
			street = append(street, texts...)
		}
	}
	var line []string
	for _, part := range append(street, place, country) {
		if part != "" {
			line = append(line, part)
		}
	}
	s.sig.Place = strings.Join(line, ", ")
	return nil
}

func (s *signer) mimeType(value ber.Element) (err error) {
	s.sig.MIMEType, err = value.Text()
	return err
}

// contentHints reads the description of a ContentHints (RFC 2634 section 2.9), which says the media type where mime-type does not.
func (s *signer) contentHints(value ber.Element) error {
	r := value.Reader()
	if !r.More() {
		return fmt.Errorf("%w: empty", ber.ErrMalformed)
	}
	first, err := r.Next()
	if err != nil || first.Is(ber.Universal, ber.TagOID) {
		return err
	}
	text, err := first.Text()
	if err != nil || s.sig.MIMEType != "" {
		return err
	}
	for line := range strings.Lines(text) {
		name, rest, found := strings.Cut(line, ":")
		if found && strings.EqualFold(strings.TrimSpace(name), "Content-Type") {
			text = rest
		}
	}
	if mediaType, _, err := mime.ParseMediaType(strings.TrimSpace(text)); err == nil && strings.Contains(mediaType, "/") {
		s.sig.MIMEType = mediaType
	}
	return nil
}

// commitment reads a CommitmentTypeIndication, RFC 5126 section 5.11.1.
func (s *signer) commitment(value ber.Element) {
	id, err := value.Reader().Expect(ber.Universal, ber.TagOID)
	if err != nil || len(s.sig.Commitments) >= maxClaims {
		return
	}
	if oid, err := id.OID(); err == nil {
		s.sig.Commitments = append(s.sig.Commitments, oid)
	}
}

// roles reads the claimed attributes of a SignerAttribute (RFC 5126 section 5.11.3) or SignerAttributeV2 (EN 319 122-1 section 5.2.6):
// all text in their values. Certified ones are not read: nobody has checked them.
func (s *signer) roles(value ber.Element) {
	for r := value.Reader(); r.More(); {
		part, err := r.Next()
		if err != nil {
			return
		}
		if !part.Is(ber.Context, 0) {
			continue
		}
		for _, text := range stringsIn(part, 0, nil) {
			if len(s.sig.Roles) < maxClaims {
				s.sig.Roles = append(s.sig.Roles, text)
			}
		}
	}
}

// stringsIn collects the text in e, in order: string types, and contents under an IMPLICIT tag that read as text.
func stringsIn(e ber.Element, depth int, list []string) []string {
	if len(list) >= maxClaims || depth > 16 {
		return list
	}
	text, err := e.Text()
	switch {
	case err == nil:
	case e.Constructed:
		for r := e.Reader(); r.More(); {
			child, err := r.Next()
			if err != nil {
				break
			}
			list = stringsIn(child, depth+1, list)
		}
		return list
	case e.Class == ber.Context && utf8.Valid(e.Body):
		text = string(e.Body)
	}
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxClaimText || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) && !unicode.IsSpace(c) }) {
		return list
	}
	return append(list, text)
}

// otherHash reads an OtherHash (RFC 5126 section 6.2.1): an OCTET STRING of SHA-1, or an algorithm with a value.
func otherHash(e ber.Element) (crypto.Hash, []byte, error) {
	if e.Is(ber.Universal, ber.TagOctetString) {
		digest, err := e.Octets()
		return crypto.SHA1, digest, err
	}
	r := e.Reader()
	alg, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return 0, nil, err
	}
	value, err := r.Expect(ber.Universal, ber.TagOctetString)
	if err != nil {
		return 0, nil, err
	}
	digest, err := value.Octets()
	return hashAlgorithm(alg.Raw), digest, err
}
