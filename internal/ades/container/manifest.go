package container

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/asic"
)

// manifest is an ASiCManifest or ASiCArchiveManifest; parsed is nil if it cannot be read.
type manifest struct {
	entry   *asic.Entry
	parsed  *asic.ManifestFile
	archive bool
	err     error
}

func (r *reading) manifests() ([]*manifest, error) {
	var list []*manifest
	for _, e := range r.c.Entries {
		role := e.Role()
		if role != asic.Manifest && role != asic.ArchiveManifest {
			continue
		}
		m := &manifest{entry: e, archive: role == asic.ArchiveManifest}
		m.parsed, m.err = e.ReadManifest()
		if m.err != nil && !errors.Is(m.err, asic.ErrManifest) {
			return nil, m.err
		}
		list = append(list, m)
	}
	return list, nil
}

// linked returns the manifests that say they are signed by the file, those for
// archives last.
func (r *reading) linked(list []*manifest, signature *asic.Entry) []*manifest {
	var found, archives []*manifest
	for _, m := range list {
		if m.parsed == nil || r.c.Resolve(m.parsed.SigURI) != signature {
			continue
		}
		if m.archive {
			archives = append(archives, m)
		} else {
			found = append(found, m)
		}
	}
	return append(found, archives...)
}

// readCMS reads a CMS file: over the one file of an ASiC-S, over a manifest in
// an ASiC-E.
func (r *reading) readCMS(e *asic.Entry, manifests []*manifest) error {
	raw, err := e.Bytes(maxSignatureFile)
	if err != nil {
		return err
	}
	if r.kind == asic.ASiCS {
		list, err := r.readOver(raw, e, r.onlyFile())
		if err != nil {
			return err
		}
		r.add(e, list)
		return nil
	}
	candidates := r.linked(manifests, e)
	if len(candidates) == 0 {
		candidates = r.lonely(manifests)
	}
	var list []*ades.Signature
	var chosen *manifest
	if len(candidates) == 0 {
		if list, err = r.readOver(raw, e, nil); err != nil {
			return err
		}
	}
	for _, m := range candidates[:min(len(candidates), maxCandidates)] {
		attempt, err := r.readOver(raw, e, m.entry)
		if err != nil {
			return err
		}
		if fits := slices.ContainsFunc(attempt, overFits); chosen == nil || fits {
			list, chosen = attempt, m
			if fits {
				break
			}
		}
	}
	r.add(e, list)
	for _, s := range list {
		if err := r.applyManifest(s, chosen, len(candidates)); err != nil {
			return err
		}
	}
	return nil
}

// readOver reads a CMS file over one file of the container, or over nothing.
func (r *reading) readOver(raw []byte, e, over *asic.Entry) ([]*ades.Signature, error) {
	o := cades.Options{ID: baseName(e)}
	if over == nil {
		return cades.ReadCMS(r.ctx, raw, nil, o)
	}
	o.Name = over.Name
	list, err := cades.ReadCMS(r.ctx, raw, over.Open, o)
	for _, s := range list {
		for i := range s.References {
			if ref := &s.References[i]; ref.Name == over.Name {
				ref.URI, ref.Ranges = over.Name, []ades.Range{{Offset: 0, Length: over.Size}}
			}
		}
	}
	return list, err
}

func overFits(s *ades.Signature) bool {
	return slices.ContainsFunc(s.References, func(ref ades.Reference) bool { return ref.Intact })
}

// onlyFile is what an ASiC-S signs: its one file at the root, or its one file
// at all, nil if there are several.
func (r *reading) onlyFile() *asic.Entry {
	if data := r.c.DataFiles(); len(data) == 1 {
		return data[0]
	}
	if root := r.c.RootFiles(); len(root) == 1 {
		return root[0]
	}
	return nil
}

// lonely is the only manifest of a container with one signature: it is taken
// although it names another or cannot be read.
func (r *reading) lonely(manifests []*manifest) []*manifest {
	signatures := 0
	for _, e := range r.c.Entries {
		if e.Role() == asic.SignatureCMS {
			signatures++
		}
	}
	var plain []*manifest
	for _, m := range manifests {
		if !m.archive {
			plain = append(plain, m)
		}
	}
	if signatures != 1 || len(plain) != 1 {
		return nil
	}
	return plain
}

// applyManifest adds what the manifest lists to the references of a signature
// over it.
func (r *reading) applyManifest(s *ades.Signature, m *manifest, candidates int) error {
	find := func(code ades.Code, object, format string, args ...any) {
		s.Findings = append(s.Findings, ades.Finding{Code: code, Object: object, Detail: fmt.Sprintf(format, args...)})
	}
	if m == nil {
		find(ades.BadContainer, s.File, "no ASiCManifest names it")
		return nil
	}
	if candidates > 1 {
		find(ades.ContainerOddity, s.File, "%d manifests name it", candidates)
	}
	for i := range s.References {
		if s.References[i].Name == m.entry.Name {
			s.References[i].Kind = ades.RefManifest
		}
	}
	switch {
	case m.parsed == nil:
		find(ades.ManifestBroken, m.entry.Name, "%v", m.err)
		return nil
	case r.c.Resolve(m.parsed.SigURI) == nil || r.c.Resolve(m.parsed.SigURI).Name != s.File:
		find(ades.ContainerOddity, m.entry.Name, "it names %.120q as its signature", m.parsed.SigURI)
	}
	refs, findings, err := r.compare(m)
	s.References = append(s.References, refs...)
	s.Findings = append(s.Findings, findings...)
	return err
}

// compare compares the files with what a manifest lists.
func (r *reading) compare(m *manifest) ([]ades.Reference, []ades.Finding, error) {
	var findings []ades.Finding
	if len(m.parsed.References) == 0 {
		findings = append(findings, ades.Finding{Code: ades.ManifestEmpty, Object: m.entry.Name})
	}
	if m.parsed.CriticalExtension {
		findings = append(findings, ades.Finding{Code: ades.UnsupportedPart, Object: m.entry.Name, Detail: "critical extension of the manifest"})
	}
	var refs []ades.Reference
	for _, d := range m.parsed.References {
		ref := ades.Reference{Kind: ades.RefManifestEntry, URI: d.URI, Name: d.URI, Hash: d.Hash, Digest: d.Digest}
		e := r.c.Resolve(d.URI)
		switch {
		case e == nil:
		case d.Hash == 0 || !d.Hash.Available() || d.Digest == nil:
			findings = append(findings, ades.Finding{Code: ades.UnsupportedPart, Object: d.URI, Detail: fmt.Sprintf("digest algorithm %.120q, or its value", d.Algorithm)})
		default:
			digest, err := e.Digest(r.ctx, d.Hash)
			if err != nil {
				return nil, nil, err
			}
			ref.Found, ref.Intact = true, bytes.Equal(digest, d.Digest)
		}
		if e != nil {
			ref.Name, ref.Content, ref.Ranges = e.Name, e.Open, []ades.Range{{Offset: 0, Length: e.Size}}
		}
		refs = append(refs, ref)
	}
	return refs, findings, nil
}
