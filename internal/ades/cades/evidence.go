package cades

import (
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/cms"
)

// Unsigned attributes with validation data, RFC 5126 section 6, TS 101 733 section 6.5.
const (
	oidCertificateRefs   = "1.2.840.113549.1.9.16.2.21"
	oidRevocationRefs    = "1.2.840.113549.1.9.16.2.22"
	oidCertificateValues = "1.2.840.113549.1.9.16.2.23"
	oidRevocationValues  = "1.2.840.113549.1.9.16.2.24"
	oidLongTerm          = "0.4.0.1733.2.2"
)

// maxEvidence bounds the certificates, and the revocation data, of one place.
const maxEvidence = 4000

// addCertificate parses a certificate and keeps it if it is a new one.
func (e *evidence) addCertificate(raw []byte) {
	if e.seen[string(raw)] {
		return
	}
	if len(e.seen) >= maxEvidence {
		e.note(ades.UnsupportedPart, "", "more certificates than are looked at")
		return
	}
	if e.seen == nil {
		e.seen = map[string]bool{}
	}
	e.seen[string(raw)] = true
	cert, oddities, err := certs.Parse(raw)
	if err != nil {
		if der, derErr := ber.DER(raw); derErr == nil {
			cert, oddities, err = certs.Parse(der)
		}
	}
	if err != nil {
		e.note(ades.BadCertificate, "", err.Error())
		return
	}
	if len(oddities) > 0 {
		e.note(ades.OddCertificate, certs.NameString(cert.RawSubject), strings.Join(oddities, "; "))
	}
	e.certificates = append(e.certificates, cert)
}

// addCRL keeps what has the outward form of a CertificateList.
func (e *evidence) addCRL(raw []byte) {
	if len(e.crls)+len(e.ocsps) >= maxEvidence {
		e.note(ades.UnsupportedPart, "", "more revocation data than are looked at")
		return
	}
	if value, err := ber.Parse(raw); err != nil || !isSigned(value) {
		e.note(ades.BadRevocation, "CRL", "not a CertificateList")
		return
	}
	e.crls = append(e.crls, raw)
}

// addOCSP keeps what has the outward form of an OCSPResponse or a BasicOCSPResponse.
func (e *evidence) addOCSP(raw []byte) {
	if len(e.crls)+len(e.ocsps) >= maxEvidence {
		e.note(ades.UnsupportedPart, "", "more revocation data than are looked at")
		return
	}
	value, err := ber.Parse(raw)
	if err == nil && value.Is(ber.Universal, ber.TagOctetString) { // as inside an OCSPResponse; some makers put it into a message so
		if raw, err = value.Octets(); err == nil {
			value, err = ber.Parse(raw)
		}
	}
	if err != nil || !isSigned(value) && ades.BasicOCSP(raw) == nil {
		e.note(ades.BadRevocation, "OCSP", "neither an OCSPResponse with an answer nor a BasicOCSPResponse")
		return
	}
	e.ocsps = append(e.ocsps, raw)
}

// isSigned tells the form that certificates, lists and OCSP answers share: SEQUENCE { SEQUENCE, AlgorithmIdentifier, BIT STRING, ... }.
func isSigned(e ber.Element) bool {
	if !e.Is(ber.Universal, ber.TagSequence) {
		return false
	}
	r := e.Reader()
	for _, tag := range []uint32{ber.TagSequence, ber.TagSequence, ber.TagBitString} {
		if _, err := r.Expect(ber.Universal, tag); err != nil {
			return false
		}
	}
	return true
}

// addValues reads an attribute with certificates, lists or answers in it. Other attributes are left alone.
func (e *evidence) addValues(a cms.Attribute) {
	for _, raw := range a.Values {
		value, err := ber.Parse(raw)
		if err != nil {
			continue
		}
		switch a.Type {
		case oidCertificateValues:
			err = each(value, e.addCertificate)
		case oidRevocationValues, oidAdobeRevocation:
			err = e.addRevocationValues(value)
		case oidLongTerm:
			err = e.addLongTerm(value)
		}
		if err != nil {
			e.note(ades.BadRevocation, "attribute "+a.Type, err.Error())
		}
	}
}

// each calls f with the elements inside e as they stand.
func each(e ber.Element, f func(raw []byte)) error {
	for r := e.Reader(); r.More(); {
		child, err := r.Next()
		if err != nil {
			return err
		}
		f(child.Raw)
	}
	return nil
}

// eachExplicit calls f with the elements of the SEQUENCE OF under an EXPLICIT tag; one that stands under the tag without its SEQUENCE is
// told by its form.
func eachExplicit(e ber.Element, f func(raw []byte)) error {
	for r := e.Reader(); r.More(); {
		list, err := r.Next()
		if err != nil {
			return err
		}
		if isSigned(list) || ades.BasicOCSP(list.Raw) != nil {
			f(list.Raw)
		} else if err := each(list, f); err != nil {
			return err
		}
	}
	return nil
}

// addRevocationValues reads RevocationValues (RFC 5126 section 6.3.4), and the RevocationInfoArchival of PDF (ISO 32000-1 section
// 12.8.3.3.2), whose answers are OCSPResponses: lists under [0], answers under [1].
func (e *evidence) addRevocationValues(value ber.Element) error {
	for r := value.Reader(); r.More(); {
		field, err := r.Next()
		switch {
		case err != nil:
		case field.Is(ber.Context, 0):
			err = eachExplicit(field, e.addCRL)
		case field.Is(ber.Context, 1):
			err = eachExplicit(field, e.addOCSP)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *signer) adobeRevocation(value ber.Element) error { return s.extra.addRevocationValues(value) }

// addLongTerm reads what is embedded in a LongTermValidation, TS 101 733 section 6.5.1: extraCertificates [0], extraRevocation [1].
func (e *evidence) addLongTerm(value ber.Element) error {
	r := value.Reader()
	for n := 0; r.More(); n++ {
		field, err := r.Next()
		switch {
		case err != nil || n < 2: // poeDate and poeValue come first, the latter under a tag of the same number
		case field.Is(ber.Context, 0):
			err = each(field, e.addCertificate)
		case field.Is(ber.Context, 1):
			err = each(field, e.addCRL)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ocspDigests are those of an answer and, of an OCSPResponse, of what is inside it.
func ocspDigests(raw []byte) []ades.Digest {
	list := []ades.Digest{ades.ObjectDigest(raw)}
	if basic := ades.BasicOCSP(raw); basic != nil {
		list = append(list, ades.ObjectDigest(basic))
	}
	return list
}
