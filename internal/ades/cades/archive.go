package cades

import (
	"bytes"
	"crypto"
	"hash"
	"io"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
)

// archive2Fits is for archive-time-stamp-v2, over encapContentInfo, detached content, certificates, crls, and the elements of the
// SignerInfo (RFC 5126 section 6.4.1, TS 101 733 section 6.4.1). The unsigned attributes are without the archive time stamps that came
// later. Makers have hashed the bytes as they stand and in DER, and the set of unsigned attributes with tag and length and without
// (TS 101 733 annex K table 3 note 3): all are tried.
func (s *signer) archive2Fits(st stamp, h crypto.Hash, want []byte) (bool, error) {
	for _, der := range []bool{false, true} {
		state := h.New()
		if err := s.writeMessage(state, der); err != nil {
			return false, err
		}
		for _, kept := range [][]cms.Attribute{s.earlier(st, true), s.earlier(st, false)} {
			for _, bare := range []bool{false, true} {
				for _, canon := range []bool{false, true} {
					copied, err := s.cloneState(state, h, der)
					if err != nil {
						return false, err
					}
					s.writeSigner(copied, kept, bare, canon)
					if bytes.Equal(copied.Sum(nil), want) {
						return true, nil
					}
				}
			}
		}
	}
	return false, nil
}

// cloneState copies the state of a hash, or makes it again where that cannot be done.
func (s *signer) cloneState(state hash.Hash, h crypto.Hash, der bool) (hash.Hash, error) {
	if cloner, ok := state.(hash.Cloner); ok {
		if copied, err := cloner.Clone(); err == nil {
			return copied, nil
		}
	}
	copied := h.New()
	return copied, s.writeMessage(copied, der)
}

// writeMessage writes what stands in front of the signers, and detached content.
func (s *signer) writeMessage(w io.Writer, der bool) error {
	d := s.signed
	var err error
	if der {
		err = s.writeEncapDER(w)
	} else {
		_, err = io.Copy(w, contextReader{s.ctx, d.Section(d.Encap)})
	}
	if err != nil {
		return err
	}
	if d.Content == nil || s.source != nil && s.source.inside == nil {
		if s.source == nil || s.source.open == nil {
			return errAbsent
		}
		if err := s.writeContent(w); err != nil {
			return err
		}
	}
	if !der {
		for _, field := range []cms.Range{d.Certs, d.CRLs} {
			if _, err := io.Copy(w, d.Section(field)); err != nil {
				return err
			}
		}
		return nil
	}
	var certificates, revocations [][]byte
	for _, c := range d.Certificates {
		certificates = append(certificates, canonical(c.Raw))
	}
	for _, c := range d.Revocations {
		revocations = append(revocations, canonical(c.Raw))
	}
	for tag, list := range [][][]byte{certificates, revocations} {
		if len(list) == 0 {
			continue
		}
		if _, err := w.Write(ber.Append(nil, ber.Context, true, uint32(tag), list...)); err != nil {
			return err
		}
	}
	return nil
}

// writeContent writes the content that the signature is over.
func (s *signer) writeContent(w io.Writer) error {
	in, err := s.source.open()
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(w, contextReader{s.ctx, in})
	return err
}

// writeEncapDER writes encapContentInfo in DER, its content streamed.
func (s *signer) writeEncapDER(w io.Writer) error {
	d := s.signed
	if d.Content == nil || !d.Content.OctetString {
		raw := make([]byte, d.Encap.Length)
		if d.Encap.Length > maxMessage {
			return errAbsent
		}
		if _, err := io.ReadFull(d.Section(d.Encap), raw); err != nil {
			return err
		}
		_, err := w.Write(canonical(raw))
		return err
	}
	octets := ber.AppendHeader(nil, ber.Universal, false, ber.TagOctetString, int(d.Content.Length))
	explicit := ber.AppendHeader(nil, ber.Context, true, 0, len(octets)+int(d.Content.Length))
	id := canonical(d.ContentTypeRaw)
	head := ber.AppendHeader(nil, ber.Universal, true, ber.TagSequence, len(id)+len(explicit)+len(octets)+int(d.Content.Length))
	for _, b := range [][]byte{head, id, explicit, octets} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	in, err := d.Content.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, contextReader{s.ctx, in})
	return err
}

// earlier are the unsigned attributes that were there before the time stamp: those in front of it, and by their own time the archive time
// stamps anywhere (byTime), or by their place (else).
func (s *signer) earlier(st stamp, byTime bool) []cms.Attribute {
	var kept []cms.Attribute
	for i, a := range s.info.UnsignedAttrs {
		if i == st.at || !byTime && i > st.at {
			continue
		}
		if stampKinds[a.Type].kind == ades.ArchiveTS && byTime && !s.allBefore(i, st) {
			continue
		}
		kept = append(kept, a)
	}
	return kept
}

// allBefore tells whether the tokens of an attribute are all earlier than the time stamp.
func (s *signer) allBefore(at int, st stamp) bool {
	for _, other := range s.stamps {
		if other.at == at && (other.token == nil || !other.token.Info.GenTime.Before(st.token.Info.GenTime)) {
			return false
		}
	}
	return true
}

// writeSigner writes the elements of the SignerInfo. bare leaves tag and length of the unsigned attributes out, canon takes DER.
func (s *signer) writeSigner(w io.Writer, kept []cms.Attribute, bare, canon bool) {
	encode := func(raw []byte) []byte { return raw }
	if canon {
		encode = canonical
	}
	for _, field := range s.info.Fields {
		w.Write(encode(field))
	}
	if s.info.UnsignedRaw == nil {
		return
	}
	var attributes [][]byte
	for _, a := range kept {
		attributes = append(attributes, encode(a.Raw))
	}
	if bare {
		w.Write(bytes.Join(attributes, nil))
	} else {
		w.Write(ber.Append(nil, ber.Context, true, 1, attributes...))
	}
}

// archiveDigests are what an archive time stamp over everything covers.
func (s *signer) archiveDigests(st stamp) []ades.Digest {
	list := append(s.signedDigests(), objects(s.certificates, s.crls, s.ocsps)...)
	for i := range s.info.UnsignedAttrs {
		if i != st.at && (stampKinds[s.info.UnsignedAttrs[i].Type].kind != ades.ArchiveTS || s.allBefore(i, st)) {
			list = append(list, s.attributeDigests(i)...)
		}
	}
	return list
}

// archive1Fits is for the first archive-time-stamp (RFC 3126 section 3.12.1), over the values, without type and length, of content, signed
// attributes, signature and certain unsigned attributes. Makers differ in what a value is; none of the readings that fits means that
// what is stamped is not known, not that it was changed.
func (s *signer) archive1Fits(st stamp, h crypto.Hash, want []byte) (bool, error) {
	stamped := map[string]bool{oidSignatureTS: true, oidCertificateRefs: true, oidRevocationRefs: true, oidCertificateValues: true,
		oidRevocationValues: true, oidESCTS: true, oidCertCRLTS: true, oidArchiveTS: true}
	body := func(raw []byte) []byte {
		e, err := ber.Parse(raw)
		if err != nil {
			return raw
		}
		return e.Body
	}
	whole := func(raw []byte) []byte { return raw }
	for _, value := range []func([]byte) []byte{body, whole} {
		state := h.New()
		if s.source == nil || s.source.open == nil {
			return false, errAbsent
		}
		if err := s.writeContent(state); err != nil {
			return false, err
		}
		if field := s.info.SignedField(); field != nil {
			state.Write(value(field))
		}
		state.Write(s.info.Signature)
		for i, a := range s.info.UnsignedAttrs {
			if i == st.at || !stamped[a.Type] || a.Type == oidArchiveTS && !s.allBefore(i, st) {
				continue
			}
			for _, raw := range a.Values {
				state.Write(value(raw))
			}
		}
		if bytes.Equal(state.Sum(nil), want) {
			return true, nil
		}
	}
	return false, errAbsent
}
