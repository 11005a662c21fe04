package cades

import (
	"bytes"
	"crypto"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/tsp"
)

// The unsigned attributes of an archive time stamp token that say what it covers: TS 101 733 section 6.4.2, EN 319 122-1 V1.0.0 and V1.1.1
// section 5.5.2.
const (
	oidHashIndex   = "0.4.0.1733.2.5"
	oidHashIndexV2 = "0.4.0.19122.1.4"
	oidHashIndexV3 = "0.4.0.19122.1.5"
)

// maxIndex bounds the entries of one list of an index.
const maxIndex = 10000

// hashIndex is an ATSHashIndex of any version.
type hashIndex struct {
	raw                              []byte
	hash                             crypto.Hash
	certificates, crls, unsignedAttr [][]byte
}

// parseIndex finds the one index of a token.
func parseIndex(token *tsp.Token) (*hashIndex, error) {
	attrs := token.Signed.Signers[0].UnsignedAttrs
	var ix *hashIndex
	for _, oid := range []string{oidHashIndexV3, oidHashIndexV2, oidHashIndex} {
		value, found, err := cms.One(attrs, oid)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		if ix != nil {
			return nil, fmt.Errorf("%w: more than one index", ber.ErrMalformed)
		}
		if ix, err = readIndex(value); err != nil {
			return nil, err
		}
	}
	if ix == nil {
		return nil, fmt.Errorf("%w: no index", ber.ErrMalformed)
	}
	return ix, nil
}

func readIndex(value ber.Element) (*hashIndex, error) {
	ix := &hashIndex{raw: value.Raw, hash: crypto.SHA256}
	r := value.Reader()
	first, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, err
	}
	if h, err := ber.ParseHeader(first.Body); err == nil && h.Is(ber.Universal, ber.TagOID) {
		if ix.hash = hashAlgorithm(first.Raw); !ix.hash.Available() {
			return nil, fmt.Errorf("%w: digest algorithm of the index", ber.ErrMalformed)
		}
		if first, err = r.Expect(ber.Universal, ber.TagSequence); err != nil {
			return nil, err
		}
	}
	for i, list := range []*[][]byte{&ix.certificates, &ix.crls, &ix.unsignedAttr} {
		if i > 0 {
			if first, err = r.Expect(ber.Universal, ber.TagSequence); err != nil {
				return nil, err
			}
		}
		for in := first.Reader(); in.More(); {
			e, err := in.Expect(ber.Universal, ber.TagOctetString)
			if err != nil {
				return nil, err
			}
			digest, err := e.Octets()
			if err != nil {
				return nil, err
			}
			if len(*list) == maxIndex {
				return nil, fmt.Errorf("%w: index of more than %d entries", ber.ErrTooLarge, maxIndex)
			}
			*list = append(*list, digest)
		}
	}
	return ix, nil
}

// archive3 checks an archive-time-stamp-v3, EN 319 122-1 section 5.5.3: over eContentType, the digest of the content, the fields of the
// SignerInfo up to the signature, and the index; and every entry of the index must be the digest of something that is there.
func (s *signer) archive3(ts *ades.Timestamp, st stamp) {
	if len(st.token.Signed.Signers) == 0 || st.token.Signed.Signers[0].Err != nil {
		return // a finding of the token already
	}
	ix, err := parseIndex(st.token)
	if err != nil {
		ts.Findings = append(ts.Findings, ades.Finding{Code: ades.HashIndexMismatch, Detail: err.Error()})
		s.compare(ts, func(h crypto.Hash, _ []byte) (bool, error) { // what is stamped is there, but cannot fit
			_, err := s.source.digest(s.ctx, h)
			return false, err
		})
		return
	}
	s.compare(ts, func(h crypto.Hash, want []byte) (bool, error) { return s.archive3Fits(ix, h, want) })
	covers, elsewhere, missing := s.indexed(ix)
	if missing > 0 {
		ts.Intact = false
		ts.Findings = append(ts.Findings, ades.Finding{Code: ades.HashIndexMismatch, Detail: fmt.Sprintf("%d entries of the index are not there", missing)})
	}
	if elsewhere > 0 {
		ts.Findings = append(ts.Findings, ades.Finding{Code: ades.EncodingOddity,
			Detail: fmt.Sprintf("%d entries of the index are not in the fields of SignedData but elsewhere in the signature", elsewhere)})
	}
	s.cover(ts, func() []ades.Digest { return append(s.signedDigests(), covers...) })
}

// archive3Digest is the imprint: over eContentType, the digest of the content, the fields of the SignerInfo and the index.
func archive3Digest(h crypto.Hash, contentType, content, fields, index []byte) []byte {
	return digestOf(h, contentType, content, fields, index)
}

func (s *signer) archive3Fits(ix *hashIndex, h crypto.Hash, want []byte) (bool, error) {
	content, err := s.source.digest(s.ctx, h)
	if err != nil {
		return false, err
	}
	raw := bytes.Join(s.info.Fields, nil)
	var der []byte
	for _, field := range s.info.Fields {
		der = append(der, canonical(field)...)
	}
	// Fields as they stand, which is the rule; in DER; and in DER with the signed attributes sorted, although [0] hides that it is a set.
	sorted := bytes.Join(s.sortedFields(), nil)
	for _, fields := range [][]byte{raw, der, sorted} {
		for _, index := range [][]byte{ix.raw, canonical(ix.raw)} {
			if bytes.Equal(archive3Digest(h, s.signed.ContentTypeRaw, content, fields, index), want) {
				return true, nil
			}
		}
	}
	return false, nil
}

// sortedFields are the fields of the SignerInfo in DER, the signed attributes in ascending order.
func (s *signer) sortedFields() [][]byte {
	var list [][]byte
	for _, field := range s.info.Fields {
		if field[0] == 0xA0 && bytes.Equal(field, s.info.SignedField()) {
			if inputs, err := s.info.SignedInput(); err == nil {
				field = append([]byte{0xA0}, inputs[0][1:]...)
			}
		}
		list = append(list, canonical(field))
	}
	return list
}

// indexed looks up the entries of an index: what they cover, how many were found outside the fields that they are about (as older makers
// wrote them), and how many not at all.
func (s *signer) indexed(ix *hashIndex) (covers []ades.Digest, elsewhere, missing int) {
	inCertificates, inCRLs := s.fieldDigests(ix.hash)
	seen := map[string]bool{}
	for _, list := range []struct {
		entries [][]byte
		place   map[string][]ades.Digest
		strict  bool
	}{{ix.certificates, inCertificates, false}, {ix.crls, inCRLs, false}, {ix.unsignedAttr, s.attributeIndex(ix.hash), true}} {
		for _, entry := range list.entries {
			if seen[string(entry)] {
				continue
			}
			seen[string(entry)] = true
			objects, found := list.place[string(entry)]
			if !found && !list.strict {
				if objects, found = s.anywhere(ix.hash)[string(entry)]; found {
					elsewhere++
				}
			}
			if !found {
				missing++
			}
			covers = append(covers, objects...)
		}
	}
	return covers, elsewhere, missing
}

// fieldDigests are the contents of the fields certificates and crls by their digest, as they stand and in DER.
func (r *reading) fieldDigests(h crypto.Hash) (certificates, revocations map[string][]ades.Digest) {
	if known, ok := r.fields[h]; ok {
		return known[0], known[1]
	}
	certificates, revocations = map[string][]ades.Digest{}, map[string][]ades.Digest{}
	for _, c := range r.signed.Certificates {
		covers := []ades.Digest{ades.ObjectDigest(c.Raw)}
		der := canonical(c.Raw)
		if !bytes.Equal(der, c.Raw) {
			covers = append(covers, ades.ObjectDigest(der))
		}
		certificates[string(digestOf(h, c.Raw))] = covers
		certificates[string(digestOf(h, der))] = covers
	}
	for _, info := range r.signed.Revocations {
		covers := ocspDigests(info.Value)
		revocations[string(digestOf(h, info.Raw))] = covers
		revocations[string(digestOf(h, canonical(info.Raw)))] = covers
	}
	if r.fields == nil {
		r.fields = map[crypto.Hash][2]map[string][]ades.Digest{}
	}
	r.fields[h] = [2]map[string][]ades.Digest{certificates, revocations}
	return certificates, revocations
}

// attributeIndex are the unsigned attributes by the digests that an index has of them: of the whole attribute, and since version 3 of its
// type with each of its values. Either binds the attribute, so no version is held to its own.
func (s *signer) attributeIndex(h crypto.Hash) map[string][]ades.Digest {
	if known := s.byIndex[h]; known != nil {
		return known
	}
	if s.byIndex == nil {
		s.byIndex = map[crypto.Hash]map[string][]ades.Digest{}
	}
	list := map[string][]ades.Digest{}
	for i, a := range s.info.UnsignedAttrs {
		covers := s.attributeDigests(i)
		list[string(digestOf(h, a.Raw))] = covers
		list[string(digestOf(h, canonical(a.Raw)))] = covers
		for _, value := range a.Values {
			list[string(digestOf(h, a.TypeRaw, value))] = covers
			list[string(digestOf(h, a.TypeRaw, canonical(value)))] = covers
		}
	}
	s.byIndex[h] = list
	return list
}

// anywhere are the certificates, lists and answers of the signature and of its time stamps by their digest, as makers have put them into an
// index who took them from there. An answer may stand in it inside the OtherRevocationInfoFormat that it never was in.
func (s *signer) anywhere(h crypto.Hash) map[string][]ades.Digest {
	if known := s.everywhere[h]; known != nil {
		return known
	}
	list := map[string][]ades.Digest{}
	add := func(sig *ades.Signature) {
		for _, c := range sig.Certificates {
			list[string(digestOf(h, c.Raw))] = []ades.Digest{ades.ObjectDigest(c.Raw)}
		}
		for _, raw := range sig.CRLs {
			list[string(digestOf(h, raw))] = []ades.Digest{ades.ObjectDigest(raw)}
		}
		for _, raw := range sig.OCSPs {
			for _, wrapped := range wrappedOCSP(raw) {
				list[string(digestOf(h, wrapped))] = ocspDigests(raw)
			}
		}
	}
	add(s.sig)
	for i := range s.sig.Timestamps {
		if token := s.sig.Timestamps[i].Token; token != nil {
			add(token)
		}
	}
	if s.everywhere == nil {
		s.everywhere = map[crypto.Hash]map[string][]ades.Digest{}
	}
	s.everywhere[h] = list
	return list
}

// wrappedOCSP are the forms in which an answer can stand in the field crls.
func wrappedOCSP(raw []byte) [][]byte {
	forms := [][]byte{raw}
	values := [][]byte{raw}
	if basic := ades.BasicOCSP(raw); basic != nil {
		values = append(values, basic)
	}
	for _, value := range values {
		for _, oid := range [][]byte{
			{0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x10, 0x02},       // id-ri-ocsp-response
			{0x06, 0x09, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01}, // id-pkix-ocsp-basic
		} {
			forms = append(forms, ber.Append(nil, ber.Context, true, 1, oid, value))
		}
	}
	return forms
}
