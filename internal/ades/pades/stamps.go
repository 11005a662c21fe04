package pades

import (
	"github.com/eidkit/eidkit/internal/ades"
)

// attachStamps gives each signature the document time stamps made after it. A
// stamp covers, whoever asks, everything in the revisions within its range.
func (d *document) attachStamps(signed, stamps []*signature, all validationData) {
	if len(stamps) > maxStamps {
		stamps = stamps[:maxStamps]
		for _, s := range signed {
			d.note(s, ades.UnsupportedPart, "", "more document time stamps than are looked at")
		}
	}
	for _, st := range stamps {
		stamp := st.stamp
		stamp.References = []ades.Reference{{
			Kind: ades.RefContent, Name: st.rangeName(), Found: stamp.Found, Intact: stamp.Intact,
			Hash: stamp.Hash, Digest: stamp.Imprint, Ranges: []ades.Range{st.first, st.second}, Content: d.content(st),
		}}
		if st.rangeProblem == "" {
			stamp.Covers = d.coveredBy(st)
		}
		d.addStampData(st, all)
		for _, s := range signed {
			if s != st && s.end <= st.end && st.inFile {
				s.sig.Timestamps = append(s.sig.Timestamps, *stamp)
			}
		}
	}
}

// coveredBy lists the objects within the range of a document time stamp.
func (d *document) coveredBy(st *signature) []ades.Digest {
	var list []ades.Digest
	seen := map[ades.Digest]bool{}
	add := func(digests ...ades.Digest) {
		for _, digest := range digests {
			if !seen[digest] {
				seen[digest] = true
				list = append(list, digest)
			}
		}
	}
	for _, other := range d.signatures {
		if st.covers(other) {
			add(other.carried...)
		}
	}
	for i := range d.stores {
		if s := &d.stores[i]; s.revision <= st.revision {
			add(s.digests()...)
		}
	}
	return list
}

// carried are the objects that a signature holds in its message: called before
// anything else of the file is added to it.
func carried(sig *ades.Signature) []ades.Digest {
	var list []ades.Digest
	if len(sig.Value) > 0 {
		list = append(list, ades.ObjectDigest(sig.Value))
	}
	for _, c := range sig.Certificates {
		list = append(list, ades.ObjectDigest(c.Raw))
	}
	for _, raw := range sig.CRLs {
		list = append(list, ades.ObjectDigest(raw))
	}
	for _, raw := range sig.OCSPs {
		list = append(list, ades.ObjectDigest(raw))
		if basic := ades.BasicOCSP(raw); basic != nil {
			list = append(list, ades.ObjectDigest(basic))
		}
	}
	for _, t := range sig.Timestamps {
		list = append(list, ades.ObjectDigest(t.Raw))
		if t.Token != nil && t.Kind != ades.DocumentTS {
			list = append(list, carried(t.Token)...)
		}
	}
	for _, c := range sig.CounterSignatures {
		list = append(list, carried(c)...)
	}
	return list
}

// addStampData adds to a document time stamp the validation data that the file
// has for it.
func (d *document) addStampData(st *signature, all validationData) {
	token := st.stamp.Token
	if token == nil || len(d.stores) == 0 {
		return
	}
	copied := *token
	st.stamp.Token = &copied
	d.addValidationData(&signature{sig: &copied, names: st.names}, all)
}
