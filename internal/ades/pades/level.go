package pades

import (
	"bytes"
	"crypto/x509"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
)

// level names the level that a signature claims by what comes with it: B-B,
// B-T, B-LT, B-LTA for PAdES (EN 319 142-1, section 6), without the first "B-"
// for the older kinds. Whether what is there is good is not asked.
func (d *document) level(s *signature) string {
	levels := [4]string{"B", "T", "LT", "LTA"}
	reached := 0
	for _, t := range s.sig.Timestamps {
		if t.Kind == ades.SignatureTS || t.Kind == ades.DocumentTS {
			reached = 1
		}
	}
	if reached == 1 {
		if since, ok := d.longTerm(s); ok {
			reached = 2
			for _, other := range d.signatures {
				if other.stamp != nil && other.revision >= since && other.end > s.end {
					reached = 3
				}
			}
		}
	}
	if s.sig.Format == ades.PAdES {
		return "B-" + levels[reached]
	}
	return levels[reached]
}

// longTerm tells whether there is revocation data about the signer's
// certificate, and since which revision.
func (d *document) longTerm(s *signature) (since int, ok bool) {
	signer := s.sig.Signer
	if signer == nil {
		return 0, false
	}
	selfSigned := bytes.Equal(signer.RawSubject, signer.RawIssuer)
	if s.hasData {
		return s.revision, true
	}
	for _, st := range d.stores {
		if st.revision < s.revision {
			continue
		}
		if selfSigned && slices.ContainsFunc(st.certificates, func(raw []byte) bool { return bytes.Equal(raw, signer.Raw) }) {
			return st.revision, true
		}
		for _, raw := range st.crls {
			if issuer := crlIssuer(raw); issuer != nil && certs.EqualName(issuer, signer.RawIssuer) {
				return st.revision, true
			}
		}
		for _, raw := range st.ocsps {
			if answersFor(raw, signer) {
				return st.revision, true
			}
		}
	}
	return 0, false
}

// crlIssuer is the issuer of a CertificateList, RFC 5280 section 5.1.
func crlIssuer(raw []byte) []byte {
	e, err := ber.Parse(raw)
	if err != nil {
		return nil
	}
	tbs, err := e.Reader().Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil
	}
	r := tbs.Reader()
	if _, _, err := r.Optional(ber.Universal, ber.TagInteger); err != nil {
		return nil
	}
	if _, err := r.Expect(ber.Universal, ber.TagSequence); err != nil {
		return nil
	}
	name, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil
	}
	return name.Raw
}

// answersFor tells whether an OCSP answer is about the serial number of a
// certificate. RFC 6960, section 4.2.1.
func answersFor(raw []byte, c *x509.Certificate) bool {
	basic := raw
	if inner := ades.BasicOCSP(raw); inner != nil {
		basic = inner
	}
	e, err := ber.Parse(basic)
	if err != nil || c.SerialNumber == nil {
		return false
	}
	data, err := e.Reader().Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return false
	}
	for r := data.Reader(); r.More(); {
		field, err := r.Next()
		if err != nil {
			return false
		}
		if !field.Is(ber.Universal, ber.TagSequence) {
			continue // version, responder, time
		}
		for responses := field.Reader(); responses.More(); {
			single, err := responses.Expect(ber.Universal, ber.TagSequence)
			if err != nil {
				return false
			}
			id, err := single.Reader().Expect(ber.Universal, ber.TagSequence)
			if err != nil {
				return false
			}
			in := id.Reader()
			for range 3 { // algorithm, hashes of the issuer's name and key
				if _, err := in.Next(); err != nil {
					return false
				}
			}
			serial, err := in.Expect(ber.Universal, ber.TagInteger)
			if err != nil {
				return false
			}
			if n, err := serial.Integer(); err == nil && n.Cmp(c.SerialNumber) == 0 {
				return true
			}
		}
	}
	return false
}
