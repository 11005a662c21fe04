package cades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/tsp"
)

// Unsigned attributes with time stamps, RFC 5126 section 6, TS 101 733 section 6.4, EN 319 122-1 section 5.5.
const (
	oidCounterSignature = "1.2.840.113549.1.9.6"
	oidSignatureTS      = "1.2.840.113549.1.9.16.2.14"
	oidMicrosoftTS      = "1.3.6.1.4.1.311.3.3.1" // Authenticode's name for the same
	oidESCTS            = "1.2.840.113549.1.9.16.2.25"
	oidCertCRLTS        = "1.2.840.113549.1.9.16.2.26"
	oidArchiveTS        = "1.2.840.113549.1.9.16.2.27"
	oidArchiveTSv2      = "1.2.840.113549.1.9.16.2.48"
	oidArchiveTSv3      = "0.4.0.1733.2.4"
)

// stampKinds are the unsigned attributes whose values are tokens.
var stampKinds = map[string]struct {
	kind    ades.TimestampKind
	version string
}{
	oidSignatureTS: {ades.SignatureTS, ""},
	oidMicrosoftTS: {ades.SignatureTS, ""},
	oidESCTS:       {ades.SigAndRefs, ""},
	oidCertCRLTS:   {ades.RefsOnly, ""},
	oidArchiveTS:   {ades.ArchiveTS, "ATSv1"},
	oidArchiveTSv2: {ades.ArchiveTS, "ATSv2"},
	oidArchiveTSv3: {ades.ArchiveTS, "ATSv3"},
	oidLongTerm:    {ades.ArchiveTS, "LTV"},
}

// stamp is one time stamp in an attribute.
type stamp struct {
	id      string
	kind    ades.TimestampKind
	version string
	raw     []byte
	token   *tsp.Token
	err     error // of parsing
	at      int   // index of the unsigned attribute; -1: a signed one
}

// parseStamp reads the token.
func parseStamp(ctx context.Context, st stamp) stamp {
	if st.token, st.err = tsp.ParseToken(ctx, st.raw); st.err == nil {
		st.raw = st.token.Raw
	}
	return st
}

// findStamps reads the tokens in the attributes, in file order.
func (s *signer) findStamps() []stamp {
	if s.info.Err != nil || s.reading.depth >= maxTokenDepth {
		return nil
	}
	var list []stamp
	add := func(a cms.Attribute, st stamp) {
		for _, raw := range a.Values {
			if len(list) == maxStamps {
				s.note(ades.UnsupportedPart, "", "more than %d time stamps: the others are not looked at", maxStamps)
			}
			if len(list) >= maxStamps {
				return
			}
			st.id = fmt.Sprintf("%s-timestamp-%d", s.id, len(list)+1)
			if st.raw = raw; a.Type == oidLongTerm {
				if st.raw = longTermToken(raw); st.raw == nil {
					continue
				}
			}
			list = append(list, parseStamp(s.ctx, st))
		}
	}
	for _, a := range s.info.SignedAttrs {
		if a.Type == oidContentTS {
			add(a, stamp{kind: ades.ContentTS, at: -1})
		}
	}
	for i, a := range s.info.UnsignedAttrs {
		if k, ok := stampKinds[a.Type]; ok {
			add(a, stamp{kind: k.kind, version: k.version, at: i})
		}
	}
	return list
}

// longTermToken returns the token of a LongTermValidation (TS 101 733 section 6.5.1), nil if it has an evidence record.
func longTermToken(raw []byte) []byte {
	e, err := ber.Parse(raw)
	if err != nil {
		return nil
	}
	r := e.Reader()
	if _, err := r.Expect(ber.Universal, ber.TagGeneralizedTime); err != nil {
		return nil
	}
	explicit, err := r.Expect(ber.Context, 0)
	if err != nil {
		return nil
	}
	return explicit.Body
}

// fits tells whether something has that digest. Its error means that it cannot be put together.
type fits func(h crypto.Hash, want []byte) (bool, error)

// timestamps reads and checks all time stamps.
func (s *signer) timestamps() {
	for _, st := range s.stamps {
		s.sig.Timestamps = append(s.sig.Timestamps, s.describe(st))
	}
	for i, st := range s.stamps {
		ts := &s.sig.Timestamps[i]
		if ts.Token == nil {
			continue
		}
		if st.version == "ATSv1" || st.version == "ATSv2" {
			if s.archives++; s.archives > maxArchives {
				ts.Findings = append(ts.Findings, ades.Finding{Code: ades.UnsupportedPart, Detail: "more archive time stamps over the whole message than are looked at"})
				continue
			}
		}
		switch {
		case st.kind == ades.ContentTS:
			s.compare(ts, s.contentFits)
		case st.kind == ades.SignatureTS:
			s.compare(ts, s.signatureFits)
			s.cover(ts, s.valueDigests)
		case st.kind == ades.SigAndRefs, st.kind == ades.RefsOnly:
			s.compare(ts, func(h crypto.Hash, want []byte) (bool, error) { return s.referencesFit(st.kind, h, want) })
			s.cover(ts, func() []ades.Digest { return s.referenceDigests(st.kind) })
		case st.version == "ATSv3":
			s.archive3(ts, st)
		case st.version == "ATSv2":
			s.compare(ts, func(h crypto.Hash, want []byte) (bool, error) { return s.archive2Fits(st, h, want) })
			s.cover(ts, func() []ades.Digest { return s.archiveDigests(st) })
		case st.version == "ATSv1":
			s.compare(ts, func(h crypto.Hash, want []byte) (bool, error) { return s.archive1Fits(st, h, want) })
			s.cover(ts, func() []ades.Digest { return s.archiveDigests(st) })
		default:
			ts.Findings = append(ts.Findings, ades.Finding{Code: ades.UnsupportedPart, Detail: "time stamp of a long-term-validation attribute"})
		}
	}
}

// describe fills in what the token says, and its own signature.
func (r *reading) describe(st stamp) ades.Timestamp {
	ts := ades.Timestamp{ID: st.id, Kind: st.kind, Version: st.version, Raw: st.raw}
	if st.token == nil {
		ts.Findings = append(ts.Findings, ades.Finding{Code: ades.BadTimestamp, Detail: fmt.Sprint(st.err)})
		return ts
	}
	info := st.token.Info
	ts.GenTime, ts.Policy, ts.Serial, ts.Accuracy = info.GenTime, info.Policy, info.Serial, info.Accuracy
	ts.Hash, ts.Imprint = info.Hash, info.Imprint
	token, err := r.tokenSignature(st.token, st.id)
	if err != nil {
		ts.Findings = append(ts.Findings, ades.Finding{Code: ades.BadTimestamp, Detail: err.Error()})
		return ts
	}
	if n := len(st.token.Signed.Signers); n != 1 { // RFC 3161 section 2.4.2: no signature beside that of the authority
		ts.Findings = append(ts.Findings, ades.Finding{Code: ades.BadStructure, Detail: fmt.Sprintf("token with %d signatures", n)})
	}
	ts.Token = token
	return ts
}

// tokenSignature reads the signature of a token.
func (r *reading) tokenSignature(token *tsp.Token, id string) (*ades.Signature, error) {
	in := newReading(r.ctx, token.Signed, Options{Name: "TSTInfo"})
	in.depth = r.depth + 1
	in.pool = r.certificates
	in.attached()
	if len(token.Signed.Signers) == 0 {
		return nil, fmt.Errorf("%w: token without a signature", ades.ErrNoSignature)
	}
	s := in.newSigner(&token.Signed.Signers[0], id)
	in.prepare([]*signer{s})
	sig := s.read()
	return sig, in.err
}

// compare sets Found and Intact.
func (r *reading) compare(ts *ades.Timestamp, f fits) {
	if !ts.Hash.Available() {
		ts.Findings = append(ts.Findings, ades.Finding{Code: ades.UnsupportedPart, Detail: "digest algorithm of the imprint"})
		return
	}
	ok, err := f(ts.Hash, ts.Imprint)
	r.fail(err)
	ts.Found, ts.Intact = err == nil, err == nil && ok
}

// timestamp reads one token over what imprint makes the digest of.
func (r *reading) timestamp(st stamp, imprint func(crypto.Hash) ([]byte, error)) ades.Timestamp {
	ts := r.describe(st)
	if ts.Token != nil {
		r.compare(&ts, func(h crypto.Hash, want []byte) (bool, error) {
			digest, err := imprint(h)
			return bytes.Equal(digest, want), err
		})
	}
	return ts
}

// cover says what an intact time stamp proves the existence of, each object once.
func (s *signer) cover(ts *ades.Timestamp, objects func() []ades.Digest) {
	if !ts.Intact {
		return
	}
	seen := map[ades.Digest]bool{}
	for _, d := range objects() {
		if !seen[d] {
			seen[d] = true
			ts.Covers = append(ts.Covers, d)
		}
	}
}

func (s *signer) contentFits(h crypto.Hash, want []byte) (bool, error) {
	digest, err := s.source.digest(s.ctx, h)
	return bytes.Equal(digest, want), err
}

func (s *signer) signatureFits(h crypto.Hash, want []byte) (bool, error) {
	return bytes.Equal(digestOf(h, s.info.Signature), want), nil
}

// valueDigests are the signature value alone: that it binds the signed attributes, and the certificates that they name, holds only if
// the value is good, which is not for a reader to say.
func (s *signer) valueDigests() []ades.Digest {
	return []ades.Digest{ades.ObjectDigest(s.info.Signature)}
}

// signedDigests are the signature value and the certificates that the signed attributes name by their digests, for time stamps over
// those attributes themselves.
func (s *signer) signedDigests() []ades.Digest {
	list := s.valueDigests()
	for _, ref := range s.sig.CertRefs {
		if !ref.Hash.Available() {
			continue
		}
		if c := s.digests(ref.Hash)[string(ref.Digest)]; c != nil {
			list = append(list, ades.ObjectDigest(c.Raw))
		}
	}
	return list
}

// carried are the digests of everything that a signature brings along: its certificates, lists and answers, and its time stamps with
// theirs.
func carried(sig *ades.Signature) []ades.Digest {
	list := append(objects(sig.Certificates, sig.CRLs, sig.OCSPs), ades.ObjectDigest(sig.Value))
	for i := range sig.Timestamps {
		list = append(list, carriedBy(&sig.Timestamps[i])...)
	}
	return list
}

// objects are the digests of certificates, lists and answers.
func objects(certificates []*x509.Certificate, crls, ocsps [][]byte) []ades.Digest {
	var list []ades.Digest
	for _, c := range certificates {
		list = append(list, ades.ObjectDigest(c.Raw))
	}
	for _, raw := range crls {
		list = append(list, ades.ObjectDigest(raw))
	}
	for _, raw := range ocsps {
		list = append(list, ocspDigests(raw)...)
	}
	return list
}

// carriedBy are the digests of a token and of what it brings along.
func carriedBy(ts *ades.Timestamp) []ades.Digest {
	list := []ades.Digest{ades.ObjectDigest(ts.Raw)}
	if ts.Token != nil {
		list = append(list, carried(ts.Token)...)
	}
	return list
}
