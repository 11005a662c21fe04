package cades

import (
	"bytes"
	"crypto"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/cms"
)

// level names the form by the attributes that are there: the baseline levels of EN 319 122-1 section 6, or else the forms of EN 319 122-2 and
// TS 101 733 section 4.4. Empty for what is no CAdES.
func (s *signer) level() string {
	if s.sig.Format != ades.CAdES {
		return ""
	}
	has := func(oid string) bool { return len(cms.Find(s.info.UnsignedAttrs, oid)) > 0 }
	stamped := has(oidSignatureTS) || has(oidMicrosoftTS)
	references := has(oidCertificateRefs) || has(oidRevocationRefs)
	if s.baseline() && !references && !has(oidCertificateValues) && !has(oidRevocationValues) && !has(oidESCTS) && !has(oidCertCRLTS) {
		switch {
		case !stamped && !has(oidArchiveTSv3):
			if !s.archived() {
				return "B-B"
			}
		case !s.longTerm():
			return "B-T"
		case has(oidArchiveTSv3):
			return "B-LTA"
		case !s.archived():
			return "B-LT"
		}
	}
	switch {
	case s.archived():
		return "A"
	case (has(oidESCTS) || has(oidCertCRLTS)) && has(oidCertificateValues):
		return "XL"
	case stamped && has(oidRevocationValues):
		return "XL"
	case has(oidESCTS) || has(oidCertCRLTS):
		return "X"
	case references:
		return "C"
	case stamped:
		return "T"
	case s.sig.Policy != nil:
		return "EPES"
	}
	return "BES"
}

// archived tells whether there is an archive time stamp of any version.
func (s *signer) archived() bool {
	return slices.ContainsFunc(s.stamps, func(st stamp) bool { return st.kind == ades.ArchiveTS })
}

// longTerm tells whether validation data is embedded: revocation data, or none because every certificate is self-signed.
func (s *signer) longTerm() bool {
	if len(s.sig.CRLs)+len(s.sig.OCSPs) > 0 {
		return true
	}
	for _, c := range s.sig.Certificates {
		if !bytes.Equal(c.RawSubject, c.RawIssuer) {
			return false
		}
	}
	return len(s.sig.Certificates) > 0
}

// once tells whether there is exactly one signed attribute of that type, with one value.
func (s *signer) once(oid string) bool {
	_, found, err := cms.One(s.info.SignedAttrs, oid)
	return found && err == nil
}

// extended tells whether the signed attributes are those that make CAdES of CMS: EN 319 122-2 section 5.3 table 1, requirements on CAdES-E-BES.
// There is one signing-certificate attribute; version 1 is for SHA-1 alone.
func (s *signer) extended() bool {
	if s.parent == nil && !s.once(oidContentType) || !s.once(oidMessageDigest) || s.ess > 1 || len(s.sig.CertRefs) == 0 ||
		len(cms.Find(s.info.SignedAttrs, oidSigningTime)) > 1 {
		return false
	}
	sha1 := s.sig.CertRefs[0].Hash == crypto.SHA1
	return s.ess == 0 || s.once(oidSigningCert) == sha1
}

// baseline tells whether they are also those of the baseline levels, EN 319 122-1 section 6.3 table 1.
func (s *signer) baseline() bool {
	return s.ess == 1 && s.once(oidSigningTime) && (s.parent != nil || s.signed.ContentType == cms.TypeData) && s.sig.Signer != nil &&
		slices.ContainsFunc(s.certificates, s.sig.Signer.Equal)
}
