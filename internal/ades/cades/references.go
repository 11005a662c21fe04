package cades

import (
	"bytes"
	"crypto"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
)

// referencesFit is for the time stamps of the forms -X: type 1 (TS 101 733 section 6.3.5) is over signature value, signature-time-stamp,
// complete-certificate-references and complete-revocation-references; type 2 (section 6.3.6) over the latter two. Of the attributes the
// type and the set of values are hashed, with tag and length.
func (s *signer) referencesFit(kind ades.TimestampKind, h crypto.Hash, want []byte) (bool, error) {
	if len(cms.Find(s.info.UnsignedAttrs, oidCertificateRefs))+len(cms.Find(s.info.UnsignedAttrs, oidRevocationRefs)) == 0 {
		return false, errAbsent
	}
	for _, encode := range []func(a cms.Attribute) []byte{
		func(a cms.Attribute) []byte { return append(bytes.Clone(a.TypeRaw), a.SetRaw...) },
		func(a cms.Attribute) []byte { return append(bytes.Clone(a.TypeRaw), canonical(a.SetRaw)...) },
		func(a cms.Attribute) []byte { return a.Raw },
	} {
		state := h.New()
		types := []string{oidCertificateRefs, oidRevocationRefs}
		if kind == ades.SigAndRefs {
			state.Write(s.info.Signature)
			types = []string{oidSignatureTS, oidCertificateRefs, oidRevocationRefs}
		}
		for _, oid := range types {
			for _, a := range cms.Find(s.info.UnsignedAttrs, oid) {
				state.Write(encode(a))
			}
		}
		if bytes.Equal(state.Sum(nil), want) {
			return true, nil
		}
	}
	return false, nil
}

// canonical is raw in DER, or as it stands if it cannot be.
func canonical(raw []byte) []byte {
	if der, err := ber.DER(raw); err == nil {
		return der
	}
	return raw
}

// referenceDigests are what a time stamp over references covers: what is embedded and named by them.
func (s *signer) referenceDigests(kind ades.TimestampKind) []ades.Digest {
	var list []ades.Digest
	if kind == ades.SigAndRefs {
		list = s.valueDigests()
	}
	for i, a := range s.info.UnsignedAttrs {
		if a.Type == oidCertificateRefs || a.Type == oidRevocationRefs || kind == ades.SigAndRefs && a.Type == oidSignatureTS {
			list = append(list, s.attributeDigests(i)...)
		}
	}
	return list
}

// maxReferences bounds the references of one attribute.
const maxReferences = 1000

// attributeDigests are the objects in an unsigned attribute, or that it names by their digests.
func (s *signer) attributeDigests(at int) []ades.Digest {
	if known, ok := s.inAttribute[at]; ok {
		return known
	}
	a := s.info.UnsignedAttrs[at]
	var list []ades.Digest
	for i := range s.stamps {
		if s.stamps[i].at == at {
			list = append(list, carriedBy(&s.sig.Timestamps[i])...)
		}
	}
	switch a.Type {
	case oidCertificateValues, oidRevocationValues, oidAdobeRevocation, oidLongTerm:
		var e evidence
		e.addValues(a)
		list = append(list, objects(e.certificates, e.crls, e.ocsps)...)
	case oidCertificateRefs, oidRevocationRefs:
		list = append(list, s.referenced(a)...)
	case oidCounterSignature:
		for _, raw := range a.Values {
			if info := cms.ParseSigner(raw); info.Err == nil {
				list = append(list, ades.ObjectDigest(info.Signature))
			}
		}
	}
	if s.inAttribute == nil {
		s.inAttribute = map[int][]ades.Digest{}
	}
	s.inAttribute[at] = list
	return list
}

// referenced finds the embedded objects that complete-certificate-references and complete-revocation-references (RFC 5126 sections 6.2.1
// and 6.2.2) name: wherever an OtherHash stands in them, it is looked up.
func (s *signer) referenced(a cms.Attribute) []ades.Digest {
	var list []ades.Digest
	found := 0
	var walk func(e ber.Element, depth int)
	walk = func(e ber.Element, depth int) {
		if found >= maxReferences || depth > 12 {
			return
		}
		if h, digest, err := otherHash(e); err == nil && h.Available() && len(digest) == h.Size() {
			found++
			list = append(list, s.embedded(h)[string(digest)]...)
			return
		}
		if !e.Constructed {
			return
		}
		for r := e.Reader(); r.More(); {
			child, err := r.Next()
			if err != nil {
				return
			}
			walk(child, depth+1)
		}
	}
	for _, raw := range a.Values {
		if e, err := ber.Parse(raw); err == nil {
			walk(e, 0)
		}
	}
	return list
}

// embedded are the certificates, lists and answers of the signature by their digest.
func (s *signer) embedded(h crypto.Hash) map[string][]ades.Digest {
	if known := s.byHash[h]; known != nil {
		return known
	}
	if s.byHash == nil {
		s.byHash = map[crypto.Hash]map[string][]ades.Digest{}
	}
	known := map[string][]ades.Digest{}
	for _, c := range s.sig.Certificates {
		known[string(digestOf(h, c.Raw))] = []ades.Digest{ades.ObjectDigest(c.Raw)}
	}
	for _, raw := range s.sig.CRLs {
		known[string(digestOf(h, raw))] = []ades.Digest{ades.ObjectDigest(raw)}
	}
	for _, raw := range s.sig.OCSPs {
		known[string(digestOf(h, raw))] = ocspDigests(raw)
		if basic := ades.BasicOCSP(raw); basic != nil {
			known[string(digestOf(h, basic))] = ocspDigests(raw)
		}
	}
	s.byHash[h] = known
	return known
}
