package container

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/internal/cms"
)

// Names for long-term availability (EN 319 162-1 annex A.7): the newest archive manifest has no number.
const (
	newestArchive = asic.MetaInf + "ASiCArchiveManifest.xml"
	archiveName   = asic.MetaInf + "ASiCArchiveManifest%03d.xml"
	tokenName     = asic.MetaInf + "timestamp%03d.tst"
)

// archiving puts an archive time stamp over an ASiC-E with CAdES: an ASiCArchiveManifest that lists all files with their digests, the
// earlier archive manifest as its root file, and a time stamp token over it. What shows that the earlier tokens were good is put into these
// before, where nothing covers it but the new one.
type archiving struct {
	box     *box
	earlier *reading // nil: a new container
	raising ades.Raising
	leave   map[string]bool // files that are not listed
}

// leaveOthers leaves out the files with signatures that are not raised, unless something covers them already: they can be raised later.
func (a *archiving) leaveOthers(chosen func(*ades.Signature) bool) {
	covered := a.earlier.coveredFiles()
	for _, e := range a.earlier.c.Entries {
		if e.Role() == asic.SignatureCMS && !covered[e] && !slices.ContainsFunc(a.earlier.byFile[e.Name], chosen) {
			a.leave[e.Name] = true
		}
	}
}

// add puts manifest and token into the box.
func (a *archiving) add(ctx context.Context) error {
	h := a.raising.Hash
	if h == 0 {
		h = crypto.SHA256
	}
	if digestURI(h) == "" {
		return unsuitable("the digest %v is not for containers", h)
	}
	root, err := a.proveEarlier(ctx)
	if err != nil {
		return err
	}
	name := newestArchive
	if p := a.box.lookup(newestArchive); p != nil {
		numbered := fmt.Sprintf(archiveName, a.box.free(archiveName))
		if a.earlier.coveredFiles()[p.entry] { // by that name: it keeps it
			name = numbered
		} else {
			p.name, root = numbered, p
		}
	}
	token := fmt.Sprintf(tokenName, a.box.free(tokenName))
	m := &asic.ManifestFile{SigURI: asic.EscapeName(token), SigMIMEType: tokenMIME}
	for _, p := range a.box.parts {
		switch p.role() {
		case asic.MIMETypeEntry, asic.PackageManifest, asic.OtherMeta:
			continue
		}
		if a.leave[p.name] {
			continue
		}
		digest, err := p.digest(ctx, h)
		if err != nil {
			return err
		}
		m.References = append(m.References, asic.DataObject{URI: asic.EscapeName(p.name), MIMEType: p.mime, Root: p == root, Algorithm: digestURI(h), Digest: digest})
	}
	manifest := m.Encode()
	a.box.put(name, manifestMIME, manifest)
	a.box.put(token, tokenMIME, []byte{})
	if err := a.box.check(); err != nil { // before anybody is asked for a time stamp
		return err
	}
	sum := h.New()
	sum.Write(manifest)
	raw, err := a.raising.Stamp(ctx, h, sum.Sum(nil))
	if err != nil {
		return err
	}
	a.box.put(token, tokenMIME, raw)
	return nil
}

// proveEarlier embeds what is missing about the authorities of those archive time stamps that nothing covers yet. It returns the manifest of the last of them.
func (a *archiving) proveEarlier(ctx context.Context) (root *part, err error) {
	if a.earlier == nil {
		return nil, nil
	}
	covered := a.earlier.coveredFiles()
	pool, have := a.earlier.embedded()
	for _, s := range a.earlier.stamps {
		if !s.intact() || covered[s.entry] || len(s.refs) == 0 {
			continue
		}
		if s.ts.Token == nil || s.ts.Token.Signer == nil {
			return nil, unsuitable("who made the time stamp %q cannot be told", s.entry.Name)
		}
		needs := []ades.Need{{Certificate: s.ts.Token.Signer, At: s.ts.GenTime}}
		values, err := a.raising.Evidence(ctx, needs, pool, have)
		if err != nil {
			return nil, err
		}
		raw, err := s.entry.Bytes(maxSignatureFile)
		if err != nil {
			return nil, err
		}
		more, err := embed(ctx, raw, values, have)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", s.entry.Name, err)
		}
		if more != nil {
			a.box.put(s.entry.Name, tokenMIME, more)
		}
		if s.over.Role() == asic.ArchiveManifest {
			root = a.box.lookup(s.over.Name)
		}
	}
	return root, nil
}

// embed puts into a time stamp token what of values is nowhere in the container, nil if there is nothing such.
func embed(ctx context.Context, token []byte, values, have ades.Values) ([]byte, error) {
	d, err := cms.ParseBytes(ctx, token)
	if err != nil {
		return nil, err
	}
	edit, added := d.Edit(), false
	for _, kind := range []struct {
		new, known [][]byte
		add        func([]byte)
	}{{values.Certificates, have.Certificates, edit.AddCertificate}, {values.CRLs, have.CRLs, edit.AddCRL}, {values.OCSPs, have.OCSPs, edit.AddOCSP}} {
		for _, raw := range kind.new {
			if !slices.ContainsFunc(kind.known, func(known []byte) bool { return bytes.Equal(raw, known) }) {
				kind.add(raw)
				added = true
			}
		}
	}
	if !added {
		return nil, nil
	}
	return edit.Bytes(ctx)
}

// embedded is all that the container holds about certificates.
func (r *reading) embedded() (pool []*x509.Certificate, have ades.Values) {
	seen := map[ades.Digest]bool{}
	once := func(list *[][]byte, raw []byte) bool {
		d := ades.ObjectDigest(raw)
		if seen[d] {
			return false
		}
		seen[d] = true
		*list = append(*list, raw)
		return true
	}
	var take func(*ades.Signature)
	take = func(s *ades.Signature) {
		for _, c := range s.Certificates {
			if once(&have.Certificates, c.Raw) {
				pool = append(pool, c)
			}
		}
		for _, raw := range s.CRLs {
			once(&have.CRLs, raw)
		}
		for _, raw := range s.OCSPs {
			if ades.BasicOCSP(raw) != nil {
				once(&have.OCSPs, raw)
			}
		}
		for i := range s.Timestamps {
			if token := s.Timestamps[i].Token; token != nil {
				take(token)
			}
		}
		for _, c := range s.CounterSignatures {
			take(c)
		}
	}
	for _, s := range r.list {
		take(s)
	}
	for _, s := range r.stamps {
		if s.ts.Token != nil {
			take(s.ts.Token)
		}
	}
	return pool, have
}
