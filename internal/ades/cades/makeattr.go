package cades

import (
	"context"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// oidRoleName is the attribute type (X.520, name) under which a claimed role stands as text, as other makers and readers have it.
const oidRoleName = "2.5.4.41"

// attributes are the signed attributes, each in DER.
func (d *Draft) attributes(ctx context.Context) ([][]byte, error) {
	var list [][]byte
	add := func(oid string, values ...[]byte) error {
		a, err := cms.MarshalAttribute(oid, values...)
		list = append(list, a)
		return err
	}
	m := &d.making
	for _, attribute := range []struct {
		oid   string
		value func() ([][]byte, error)
	}{
		{oidContentType, d.contentType},
		{oidMessageDigest, func() ([][]byte, error) {
			return one(ber.Append(nil, ber.Universal, false, ber.TagOctetString, d.content)), nil
		}},
		{oidSigningTime, d.signingTime},
		{oidSigningCertV2, d.signingCertificate},
		{oidProtection, func() ([][]byte, error) { // RFC 6211 section 2
			return one(ber.AppendSequence(nil, d.digestAlg, append([]byte{0xA1}, d.sigAlg[1:]...))), nil
		}},
		{oidPolicyID, func() ([][]byte, error) { return policyValue(m.Policy) }},
		{oidCommitment, func() ([][]byte, error) { return commitmentValues(m.Commitments) }},
		{oidSignerAttrsV2, func() ([][]byte, error) { return roleValue(m.Roles) }},
		{oidLocation, func() ([][]byte, error) { return placeValue(m.Place), nil }},
		{oidMIMEType, func() ([][]byte, error) {
			if m.MIMEType == "" {
				return nil, nil
			}
			return one(ber.AppendText(nil, m.MIMEType)), nil
		}},
		{oidContentTS, func() ([][]byte, error) { return d.contentStamp(ctx) }},
	} {
		values, err := attribute.value()
		if err == nil && len(values) > 0 {
			err = add(attribute.oid, values...)
		}
		if err != nil {
			return nil, fmt.Errorf("making attribute %s: %w", attribute.oid, err)
		}
	}
	return list, nil
}

func one(value []byte) [][]byte { return [][]byte{value} }

// contentType is left out of counter-signatures, RFC 5652 section 11.4.
func (d *Draft) contentType() ([][]byte, error) {
	if d.options.ContentType == "" {
		return nil, nil
	}
	oid, err := ber.AppendOID(nil, d.options.ContentType)
	return one(oid), err
}

func (d *Draft) signingTime() ([][]byte, error) {
	switch t := d.making.Time; {
	case d.options.NoTime:
		return nil, nil
	case t.IsZero(), t.UTC().Year() > 9999:
		return nil, fmt.Errorf("%w: no signing time that can be written", ades.ErrUnsuitable)
	default:
		return one(ber.AppendTime(nil, t)), nil
	}
}

// signingCertificate is SigningCertificateV2, RFC 5035 section 3: the digest of the certificate, its issuer and its serial number.
func (d *Draft) signingCertificate() ([][]byte, error) {
	cert := d.making.Certificate
	h := d.making.Algorithm.Hash
	var parts [][]byte
	if h != essDefault {
		parts = append(parts, d.digestAlg)
	}
	issuer := ber.AppendSequence(nil, ber.Append(nil, ber.Context, true, 4, cert.RawIssuer)) // GeneralNames with a directoryName
	parts = append(parts, ber.Append(nil, ber.Universal, false, ber.TagOctetString, digestOf(h, cert.Raw)),
		ber.AppendSequence(nil, issuer, ber.AppendInteger(nil, cert.SerialNumber)))
	return one(ber.AppendSequence(nil, ber.AppendSequence(nil, ber.AppendSequence(nil, parts...)))), nil
}

// namedOID takes "urn:oid:" off an OID.
func namedOID(what, id string) ([]byte, error) {
	oid, err := ber.AppendOID(nil, strings.TrimPrefix(strings.ToLower(id), "urn:oid:"))
	if err != nil {
		return nil, fmt.Errorf("%w: %s %.100q is no OID, and CMS has no other names for it", ades.ErrUnsuitable, what, id)
	}
	return oid, nil
}

// policyValue is SignaturePolicyIdentifier, EN 319 122-1 section 5.2.9.1. It has a digest: readers choke on policies without.
func policyValue(p *ades.SignaturePolicy) ([][]byte, error) {
	if p == nil {
		return nil, nil
	}
	if p.Implied || p.Hash == 0 {
		return nil, fmt.Errorf("%w: a signature policy is named with its digest", ades.ErrUnsuitable)
	}
	oid, err := namedOID("signature policy", p.ID)
	if err != nil {
		return nil, err
	}
	alg, err := sigalg.DigestIdentifier(p.Hash)
	if err != nil {
		return nil, err
	}
	if len(p.Digest) != p.Hash.Size() {
		return nil, fmt.Errorf("%w: digest of %d bytes of the signature policy", ades.ErrUnsuitable, len(p.Digest))
	}
	parts := [][]byte{oid, ber.AppendSequence(nil, alg, ber.Append(nil, ber.Universal, false, ber.TagOctetString, p.Digest))}
	if p.URI != "" {
		if strings.ContainsFunc(p.URI, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return nil, fmt.Errorf("%w: address of the signature policy %.100q", ades.ErrUnsuitable, p.URI)
		}
		id, err := ber.AppendOID(nil, oidPolicyURI)
		if err != nil {
			return nil, err
		}
		uri := ber.Append(nil, ber.Universal, false, ber.TagIA5String, []byte(p.URI))
		parts = append(parts, ber.AppendSequence(nil, ber.AppendSequence(nil, id, uri)))
	}
	return one(ber.AppendSequence(nil, parts...)), nil
}

// commitmentValues are CommitmentTypeIndications, EN 319 122-1 section 5.2.3.
func commitmentValues(list []string) ([][]byte, error) {
	var values [][]byte
	for _, c := range list {
		oid, err := namedOID("commitment type", c)
		if err != nil {
			return nil, err
		}
		values = append(values, ber.AppendSequence(nil, oid))
	}
	return values, nil
}

// roleValue is SignerAttributeV2 with claimed attributes, EN 319 122-1 section 5.2.6.1.
func roleValue(roles []string) ([][]byte, error) {
	if len(roles) == 0 {
		return nil, nil
	}
	var claimed [][]byte
	for _, role := range roles {
		a, err := cms.MarshalAttribute(oidRoleName, ber.AppendText(nil, role))
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, a)
	}
	return one(ber.AppendSequence(nil, ber.Append(nil, ber.Context, true, 0, ber.AppendSequence(nil, claimed...)))), nil
}

// placeValue is SignerLocation, EN 319 122-1 section 5.2.5: country, locality, and the rest as lines of a postal address.
func placeValue(p ades.Place) [][]byte {
	var parts [][]byte
	for tag, text := range []string{p.Country, p.City} {
		if text != "" {
			parts = append(parts, ber.Append(nil, ber.Context, true, uint32(tag), ber.AppendText(nil, text)))
		}
	}
	var lines [][]byte
	for _, text := range []string{p.Street, p.PostalCode, p.Province} {
		if text != "" {
			lines = append(lines, ber.AppendText(nil, text))
		}
	}
	if len(lines) > 0 {
		parts = append(parts, ber.Append(nil, ber.Context, true, 2, ber.AppendSequence(nil, lines...)))
	}
	if len(parts) == 0 {
		return nil
	}
	return one(ber.AppendSequence(nil, parts...))
}

// contentStamp is a time stamp over the content, EN 319 122-1 section 5.2.8.
func (d *Draft) contentStamp(ctx context.Context) ([][]byte, error) {
	if d.making.ContentStamp == nil {
		return nil, nil
	}
	token, err := getStamp(ctx, d.making.ContentStamp, d.making.Algorithm.Hash, d.content)
	if err != nil {
		return nil, err
	}
	der, err := ber.DER(token) // signed attributes are hashed in DER
	return one(der), err
}
