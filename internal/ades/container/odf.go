package container

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/asic"
)

// readODF reads OpenDocument: META-INF/documentsignatures.xml over all files,
// macrosignatures.xml over macros, and what others put there (OpenDocument 1.3
// part 2 section 5).
func (r *reading) readODF() error {
	encrypted, err := r.encrypted()
	if err != nil {
		return err
	}
	for _, e := range r.c.Entries {
		if e.Role() != asic.SignatureXML {
			continue
		}
		raw, err := e.Bytes(maxSignatureFile)
		if err != nil {
			return err
		}
		list, err := xades.ReadDocument(r.ctx, raw, r.resolve, xades.Options{ID: baseName(e)})
		if errors.Is(err, ades.ErrNoSignature) {
			continue // an empty list, as removing the last signature leaves it
		}
		if err != nil {
			return fmt.Errorf("reading %q: %w", e.Name, err)
		}
		files := r.odfFiles(e)
		for _, s := range list {
			locked(s, encrypted)
			if err := r.cover(s, files, nil); err != nil {
				return err
			}
		}
		if path.Base(e.Name) == "macrosignatures.xml" {
			for _, s := range list {
				s.CoversWholeFile = false
			}
		}
		r.add(e, list)
	}
	return nil
}

// macroFolders hold what a macro signature is for.
var macroFolders = []string{"Basic/", "Dialogs/", "Scripts/"}

// odfFiles are the files that a signature should cover: for a document's all but
// the signatures themselves and what a document only links to.
func (r *reading) odfFiles(signature *asic.Entry) []*asic.Entry {
	macros := path.Base(signature.Name) == "macrosignatures.xml"
	var list []*asic.Entry
	for _, e := range r.c.Entries {
		switch {
		case e.Role() == asic.SignatureXML, strings.HasPrefix(e.Name, "external-data/"):
		case macros && !slices.ContainsFunc(macroFolders, func(dir string) bool { return strings.HasPrefix(e.Name, dir) }):
		case e.Role() == asic.OtherMeta:
		default:
			list = append(list, e)
		}
	}
	return list
}

// encrypted returns the files that a password protects.
func (r *reading) encrypted() (map[string]bool, error) {
	e := r.c.Lookup(asic.MetaInf + "manifest.xml")
	if e == nil {
		r.note(ades.BadContainer, asic.MetaInf+"manifest.xml", "an OpenDocument file must have it")
		return nil, nil
	}
	raw, err := e.Bytes(asic.MaxManifest)
	if err != nil {
		return nil, err
	}
	files, err := asic.ParsePackageManifest(raw)
	if err != nil {
		r.note(ades.ManifestBroken, e.Name, "%v", err)
		return nil, nil
	}
	list := map[string]bool{}
	for _, f := range files {
		if f.Encrypted {
			list[f.Path] = true
		}
	}
	return list, nil
}

// locked marks what cannot be compared: makers sign the content before it is
// encrypted, and it cannot be seen without the password.
func locked(s *ades.Signature, encrypted map[string]bool) {
	for i := range s.References {
		ref := &s.References[i]
		if ref.Found && !ref.Intact && encrypted[ref.Name] {
			ref.Found = false
			s.Findings = append(s.Findings, ades.Finding{Code: ades.UnsupportedPart, Object: ref.Name, Detail: "it is encrypted"})
		}
	}
}
