package container

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/asic"
)

// stamp is a time stamp token in a file of its own.
type stamp struct {
	entry    *asic.Entry
	over     *asic.Entry // manifest or file, nil if it cannot be told
	refs     []ades.Reference
	findings []ades.Finding
	ts       ades.Timestamp
}

// intact: what it is over is there, fits, and so does all that a manifest
// lists.
func (s *stamp) intact() bool {
	for _, ref := range s.refs {
		if !ref.Intact {
			return false
		}
	}
	return s.over != nil && s.ts.Intact
}

var errNothingStamped = errors.New("what is stamped cannot be told")

// readStamp reads a time stamp: over the manifest that names it (EN 319 162-1
// section 4.4.3.3 and 4.4.4), or over the one file of an ASiC-S.
func (r *reading) readStamp(e *asic.Entry, manifests []*manifest) error {
	raw, err := e.Bytes(maxSignatureFile)
	if err != nil {
		return err
	}
	s := &stamp{entry: e}
	if linked := r.linked(manifests, e); len(linked) > 0 {
		s.over = linked[0].entry
		if len(linked) > 1 {
			s.findings = append(s.findings, ades.Finding{Code: ades.ContainerOddity, Object: e.Name, Detail: fmt.Sprintf("%d manifests name it", len(linked))})
		}
		refs, findings, err := r.compare(linked[0])
		if err != nil {
			return err
		}
		s.refs, s.findings = refs, append(s.findings, findings...)
	} else if s.over = r.onlyFile(); s.over == nil {
		s.findings = append(s.findings, ades.Finding{Code: ades.BadContainer, Object: e.Name, Detail: "no manifest names it"})
	}
	var trouble error
	s.ts = cades.ReadTimestamp(raw, func(h crypto.Hash) ([]byte, error) {
		if s.over == nil {
			return nil, errNothingStamped
		}
		digest, err := s.over.Digest(r.ctx, h)
		trouble = errors.Join(trouble, err)
		return digest, err
	}, ades.ContainerTS)
	if trouble != nil {
		return trouble
	}
	s.ts.ID = baseName(e)
	if s.ts.Token != nil {
		s.ts.Token.ID, s.ts.Token.File, s.ts.Token.Container = s.ts.ID, e.Name, string(r.kind)
	}
	if s.over != nil {
		kind := ades.RefContent
		if len(s.refs) > 0 {
			kind = ades.RefManifest
		}
		s.ts.References = append(s.ts.References, ades.Reference{Kind: kind, URI: s.over.Name, Name: s.over.Name, Found: s.ts.Found, Intact: s.ts.Intact,
			Hash: s.ts.Hash, Digest: s.ts.Imprint, Content: s.over.Open, Ranges: []ades.Range{{Offset: 0, Length: s.over.Size}}})
	}
	s.ts.References = append(s.ts.References, s.refs...)
	s.ts.Findings = append(s.ts.Findings, s.findings...)
	r.stamps = append(r.stamps, s)
	return nil
}

// attachStamps gives each time stamp to the signatures in the files that it
// covers. One that covers none is a signature of its own, unless it is broken
// and may have covered those that are there: then it is their time stamp, and
// proves nothing.
func (r *reading) attachStamps() error {
	for _, s := range r.stamps {
		s.ts.Covers = r.covered(s)
	}
	for _, s := range r.stamps {
		attached := map[*asic.Entry]bool{}
		for _, ref := range s.refs {
			e := r.c.Resolve(ref.URI)
			if e == nil || attached[e] || len(r.byFile[e.Name]) == 0 {
				continue
			}
			attached[e] = true
			for _, sig := range r.byFile[e.Name] {
				if len(sig.Timestamps) >= maxStamps {
					continue
				}
				sig.Timestamps = append(sig.Timestamps, s.ts)
				if sig.Level == "B-LT" && ref.Intact && s.ts.Intact {
					sig.Level = "B-LTA"
				}
			}
		}
		if len(attached) > 0 {
			continue
		}
		if len(r.byFile) > 0 && !s.intact() {
			for _, list := range r.byFile {
				for _, sig := range list {
					if len(sig.Timestamps) < maxStamps {
						sig.Timestamps = append(sig.Timestamps, s.ts)
					}
				}
			}
			continue
		}
		if err := r.alone(s); err != nil {
			return err
		}
	}
	return nil
}

// covered are the objects that existed when the time stamp was made: the
// signatures in the files that its manifest lists and that are unchanged, with
// all that came with them.
func (r *reading) covered(s *stamp) []ades.Digest {
	if !s.ts.Intact {
		return nil
	}
	seen := map[ades.Digest]bool{}
	var list []ades.Digest
	add := func(objects []ades.Digest) {
		for _, d := range objects {
			if !seen[d] {
				seen[d] = true
				list = append(list, d)
			}
		}
	}
	for _, ref := range s.refs {
		e := r.c.Resolve(ref.URI)
		if e == nil || !ref.Intact {
			continue
		}
		for _, sig := range r.byFile[e.Name] {
			add(objects(sig))
		}
		for _, earlier := range r.stamps {
			if earlier.entry == e && earlier != s {
				add(stampObjects(&earlier.ts))
			}
		}
	}
	return list
}

// alone makes a signature of a time stamp over data.
func (r *reading) alone(s *stamp) error {
	in := ades.Input{File: ades.File{Name: s.entry.Name, Data: s.entry.ReaderAt(), Size: s.entry.Size}}
	if s.over != nil {
		in.Detached = []ades.Content{content(s.over)}
	}
	list, err := cades.Read(r.ctx, in)
	if err != nil {
		return err
	}
	for _, sig := range list {
		sig.ID = s.ts.ID
		for i := range sig.References {
			if ref := &sig.References[i]; s.over != nil && ref.Name == s.over.Name {
				ref.URI, ref.Ranges = s.over.Name, []ades.Range{{Offset: 0, Length: s.over.Size}}
				if len(s.refs) > 0 {
					ref.Kind = ades.RefManifest
				}
			}
		}
		sig.References = append(sig.References, s.refs...)
		sig.Findings = append(sig.Findings, s.findings...)
		if err := r.exchanged(sig); err != nil {
			return err
		}
		if err := r.cover(sig, r.c.DataFiles(), nil); err != nil {
			return err
		}
	}
	r.add(s.entry, list)
	return nil
}

// objects are the digests of a signature and of all that it brings along.
func objects(s *ades.Signature) []ades.Digest {
	list := []ades.Digest{ades.ObjectDigest(s.Value)}
	list = append(list, certificates(s.Certificates)...)
	for _, raw := range s.CRLs {
		list = append(list, ades.ObjectDigest(raw))
	}
	for _, raw := range s.OCSPs {
		list = append(list, ades.ObjectDigest(raw))
		if basic := ades.BasicOCSP(raw); basic != nil {
			list = append(list, ades.ObjectDigest(basic))
		}
	}
	for i := range s.Timestamps {
		if s.Timestamps[i].Kind != ades.ContainerTS {
			list = append(list, stampObjects(&s.Timestamps[i])...)
		}
	}
	for _, c := range s.CounterSignatures {
		list = append(list, objects(c)...)
	}
	return list
}

func stampObjects(ts *ades.Timestamp) []ades.Digest {
	list := []ades.Digest{ades.ObjectDigest(ts.Raw)}
	if ts.Token != nil {
		list = append(list, objects(ts.Token)...)
	}
	return list
}

func certificates(certs []*x509.Certificate) []ades.Digest {
	var list []ades.Digest
	for _, c := range certs {
		list = append(list, ades.ObjectDigest(c.Raw))
	}
	return list
}
