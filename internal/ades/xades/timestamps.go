package xades

import (
	"crypto"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// stampKinds are the properties with time stamps. EN 319 132-1, 5.2.8, 5.3, 5.5.2, A.1.5; TS 101 903, 7.2.9, 7.2.10, 7.3, 7.5, 7.7.
var stampKinds = map[string]ades.TimestampKind{
	"AllDataObjectsTimeStamp":        ades.ContentTS,
	"IndividualDataObjectsTimeStamp": ades.ContentTS,
	"SignatureTimeStamp":             ades.SignatureTS,
	"SigAndRefsTimeStamp":            ades.SigAndRefs,
	"SigAndRefsTimeStampV2":          ades.SigAndRefs,
	"RefsOnlyTimeStamp":              ades.RefsOnly,
	"RefsOnlyTimeStampV2":            ades.RefsOnly,
	"ArchiveTimeStamp":               ades.ArchiveTS,
}

// maxStamps bounds the time stamps of one signature.
const maxStamps = 200

// timestamps reads all time stamps, content time stamps first.
func (s *signature) timestamps() {
	for _, parent := range []*xmldsig.Node{child(s.signed, "SignedDataObjectProperties"), s.unsigned} {
		if parent == nil {
			continue
		}
		for property := range parent.Elements() {
			if kind, ok := stampKinds[property.Local()]; ok && versions[property.Space()] != "" && (kind == ades.ContentTS) == (parent != s.unsigned) {
				s.stampProperty(property, kind)
			}
		}
	}
}

// stampProperty reads the tokens of one property: one, or several over the same.
func (s *signature) stampProperty(property *xmldsig.Node, kind ades.TimestampKind) {
	tokens := children(property, "EncapsulatedTimeStamp")
	if len(tokens) == 0 {
		what := "without EncapsulatedTimeStamp"
		if child(property, "XMLTimeStamp") != nil {
			what = "an XML time stamp, which is not read"
		}
		s.note(ades.BadTimestamp, property.Local(), "%s", what)
	}
	for _, token := range tokens {
		if len(s.out.Timestamps) == maxStamps {
			s.note(ades.UnsupportedPart, property.Local(), "more than %d time stamps", maxStamps)
			return
		}
		s.stamp(property, token, kind)
	}
}

func (s *signature) stamp(property, token *xmldsig.Node, kind ades.TimestampKind) {
	der, ok := s.decode(token, ades.BadTimestamp)
	if !ok {
		return
	}
	method, err := stampMethod(property)
	ts := cades.ReadTimestamp(der, func(h crypto.Hash) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		digest, err := s.imprint(property, kind, h, method)
		if err != nil {
			s.interrupted()
		}
		return digest, err
	}, kind)
	ts.ID = property.ID()
	if ts.ID == "" {
		ts.ID = fmt.Sprintf("%s/%s-%d", s.out.ID, property.Local(), len(s.out.Timestamps)+1)
	}
	if kind == ades.ArchiveTS {
		ts.Version = "xades" + map[string]string{"1.1.1": "111", "1.2.2": "122", "1.3.2": "132", "1.4.1": "141"}[versions[property.Space()]]
	}
	if ts.Intact {
		ts.Covers = unique(s.covered(property, kind))
	}
	s.out.Timestamps = append(s.out.Timestamps, ts)
	s.pool.byNode[property] = append(s.pool.byNode[property], carried(&ts)...)
}

// stampMethod is the canonicalisation that a time stamp asks for; Canonical XML 1.0 if it names none. EN 319 132-1, 4.5.
func stampMethod(property *xmldsig.Node) (xmldsig.Method, error) {
	n := ds(property, "CanonicalizationMethod")
	if n == nil || n.Get("Algorithm") == "" {
		return xmldsig.Method{}, nil
	}
	return xmldsig.ReadMethod(n)
}

// carried are the digests of a token and of what is in it.
func carried(ts *ades.Timestamp) []ades.Digest {
	list := []ades.Digest{ades.ObjectDigest(ts.Raw)}
	if ts.Token == nil {
		return list
	}
	list = append(list, ades.ObjectDigest(ts.Token.Value))
	for _, c := range ts.Token.Certificates {
		list = append(list, ades.ObjectDigest(c.Raw))
	}
	for _, raw := range ts.Token.CRLs {
		list = append(list, ades.ObjectDigest(raw))
	}
	for _, raw := range ts.Token.OCSPs {
		list = append(list, ocspDigests(raw)...)
	}
	return list
}

func unique(list []ades.Digest) []ades.Digest {
	seen := make(map[ades.Digest]bool, len(list))
	var out []ades.Digest
	for _, d := range list {
		if !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	return out
}

// covered are the objects that a time stamp in property proves to have existed.
func (s *signature) covered(property *xmldsig.Node, kind ades.TimestampKind) (list []ades.Digest) {
	if kind == ades.ContentTS {
		return nil
	}
	if included, ok := s.explicit[property]; ok {
		return s.coveredBy(included)
	}
	if kind != ades.RefsOnly {
		list = append(list, ades.ObjectDigest(s.out.Value), ades.ObjectDigest(s.dsig.Value))
	}
	if kind == ades.ArchiveTS {
		list = append(list, s.pool.byNode[s.dsig.KeyInfo]...)
		// Only here is SigningCertificate itself in the imprint. The value binds it if it is good, which is not for a reader to say.
		for _, ref := range s.out.CertRefs {
			if c := s.certificate(ref.Hash, ref.Digest); c != nil && s.out.SignedProperties {
				list = append(list, ades.ObjectDigest(c.Raw))
			}
		}
	}
	if kind == ades.SignatureTS {
		return list
	}
	for p := range s.unsigned.Elements() {
		if p == property {
			break
		}
		if kind == ades.ArchiveTS || refsProperties(property.Local(), kind == ades.SigAndRefs)[p.Local()] {
			list = append(list, s.pool.byNode[p]...)
			list = append(list, s.referredTo(p)...)
		}
	}
	return list
}

// coveredBy are the objects in elements that a time stamp names one by one.
func (s *signature) coveredBy(elements []*xmldsig.Node) (list []ades.Digest) {
	for _, n := range elements {
		if n.Contains(s.dsig.ValueNode) {
			list = append(list, ades.ObjectDigest(s.out.Value), ades.ObjectDigest(s.dsig.Value))
		}
		for p, digests := range s.pool.byNode {
			if n.Contains(p) {
				list = append(list, digests...)
			}
		}
		list = append(list, s.referredTo(n)...)
	}
	return list
}

// referredTo are the embedded objects that a property with references names by their digests.
func (s *signature) referredTo(property *xmldsig.Node) (list []ades.Digest) {
	switch property.Local() {
	case "CompleteCertificateRefs", "CompleteCertificateRefsV2", "CompleteRevocationRefs", "AttributeCertificateRefs",
		"AttributeCertificateRefsV2", "AttributeRevocationRefs":
	default:
		return nil
	}
	count := 0
	for n := range property.Descendants() {
		if n.Local() != "CertDigest" && n.Local() != "DigestAlgAndValue" {
			continue
		}
		if count++; count > maxValues {
			return list
		}
		hash, digest := s.digest(n)
		if c := s.certificate(hash, digest); c != nil {
			list = append(list, ades.ObjectDigest(c.Raw))
		}
		list = append(list, s.revocation(hash, digest)...)
	}
	return list
}

// revocation finds embedded revocation data by digest.
func (s *signature) revocation(hash crypto.Hash, digest []byte) (list []ades.Digest) {
	if !hash.Available() || len(digest) == 0 {
		return nil
	}
	table := s.pool.revocation[hash]
	if table == nil {
		table = map[string][]ades.Digest{}
		sum := func(raw []byte) string {
			h := hash.New()
			h.Write(raw)
			return string(h.Sum(nil))
		}
		for _, raw := range s.out.CRLs {
			table[sum(raw)] = []ades.Digest{ades.ObjectDigest(raw)}
		}
		for _, raw := range s.out.OCSPs {
			table[sum(raw)] = ocspDigests(raw)
			if basic := ades.BasicOCSP(raw); basic != nil {
				table[sum(basic)] = ocspDigests(raw)
			}
		}
		s.pool.revocation[hash] = table
	}
	return table[string(digest)]
}

// counterSignatures reads the signatures over this one's value. EN 319 132-1, 5.2.7.
func (s *signature) counterSignatures() {
	for _, property := range children(s.unsigned, "CounterSignature") {
		for n := range property.Elements() {
			if !n.Is(xmldsig.NamespaceDS, "Signature") || s.read[n] || s.err != nil {
				continue
			}
			read := s.signature(n, s)
			counter := read.out
			s.counters = append(s.counters, read)
			s.out.CounterSignatures = append(s.out.CounterSignatures, counter)
			for _, c := range append(counter.Certificates, counter.Signer) {
				if c != nil {
					s.pool.byNode[property] = append(s.pool.byNode[property], ades.ObjectDigest(c.Raw))
				}
			}
		}
	}
}
