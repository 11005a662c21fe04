package container

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/asic"
)

// readASiC reads ASiC-S and ASiC-E: what lies in META-INF says whether it is
// XAdES, CAdES, time stamps, or several of them.
func (r *reading) readASiC() error {
	if err := r.checkPackage(); err != nil {
		return err
	}
	manifests, err := r.manifests()
	if err != nil {
		return err
	}
	for _, e := range r.c.Entries {
		var err error
		switch e.Role() {
		case asic.SignatureXML:
			err = r.readXML(e)
		case asic.SignatureCMS:
			err = r.readCMS(e, manifests)
		case asic.Timestamp:
			err = r.readStamp(e, manifests)
		case asic.Evidence:
			r.note(ades.ContainerOddity, e.Name, "evidence records are not read")
		}
		if err != nil && !errors.Is(err, ades.ErrNoSignature) {
			return fmt.Errorf("reading %q: %w", e.Name, err)
		}
	}
	r.checkForm()
	if err := r.checkPackageManifest(); err != nil {
		return err
	}
	for _, s := range r.list {
		if err := r.exchanged(s); err != nil {
			return err
		}
		if err := r.cover(s, r.c.DataFiles(), nil); err != nil {
			return err
		}
	}
	return r.attachStamps()
}

// maxPackage bounds the ZIP files in an ASiC-S that are looked into.
const maxPackage = 64 << 20

// checkPackage holds the ZIP file that an ASiC-S of several files has as its one
// file (EN 319 162-1 section 4.3.2) to the limits of the container itself:
// whoever receives it unpacks both. Else that file is signed like any other.
func (r *reading) checkPackage() error {
	e := r.onlyFile()
	if r.kind != asic.ASiCS || e == nil || e.Size > maxPackage || !strings.HasSuffix(strings.ToLower(e.Name), ".zip") {
		return nil
	}
	inner, err := asic.Open(e.ReaderAt(), e.Size)
	switch {
	case errors.Is(err, asic.ErrBomb):
		return fmt.Errorf("%q: %w", e.Name, err)
	case err == nil && len(inner.Entries) > asic.MaxASiCFiles:
		return fmt.Errorf("%q: %w: %d files", e.Name, asic.ErrBomb, len(inner.Entries))
	}
	return nil
}

// checkForm applies the rules of EN 319 162-1 sections 4.3.3 and 4.4.3 on what
// is signed.
func (r *reading) checkForm() {
	data, root := r.c.DataFiles(), r.c.RootFiles()
	switch {
	case len(data) == 0:
		r.note(ades.NoSignedFile, "", "there is no file outside META-INF")
	case r.kind == asic.ASiCS && len(root) != 1:
		r.note(ades.BadContainer, "", "an ASiC-S has one file at its root, this one %d", len(root))
	}
	m := r.c.MIMEType()
	switch {
	case r.c.Lookup(asic.MIMETypeFile) == nil:
		r.note(ades.ContainerOddity, asic.MIMETypeFile, "there is no such file")
	case !strings.HasPrefix(m, "application/vnd.etsi.asic-"):
		r.note(ades.ContainerOddity, asic.MIMETypeFile, "%.80q is not the media type of ASiC", m)
	}
}

// checkPackageManifest compares META-INF/manifest.xml, which ASiC-E with XAdES
// may have, with the files that are there. It is signed rarely, and what it
// says decides nothing.
func (r *reading) checkPackageManifest() error {
	e := r.c.Lookup(asic.MetaInf + "manifest.xml")
	if e == nil {
		if r.kind == asic.ASiCE && slices.ContainsFunc(r.list, func(s *ades.Signature) bool { return s.Format == ades.XAdES }) {
			r.note(ades.ContainerOddity, asic.MetaInf+"manifest.xml", "there is no such file")
		}
		return nil
	}
	raw, err := e.Bytes(asic.MaxManifest)
	if err != nil {
		return err
	}
	files, err := asic.ParsePackageManifest(raw)
	if err != nil {
		r.note(ades.ContainerOddity, e.Name, "%v", err)
		return nil
	}
	listed := map[string]bool{}
	for _, f := range files {
		listed[f.Path] = true
		if !strings.HasSuffix(f.Path, "/") && r.c.Resolve(f.Path) == nil {
			r.note(ades.ContainerOddity, f.Path, "META-INF/manifest.xml lists it, but it is not there")
		}
	}
	for _, d := range r.c.DataFiles() {
		if !listed[d.Name] && !listed[(&url.URL{Path: d.Name}).EscapedPath()] {
			r.note(ades.ContainerOddity, d.Name, "META-INF/manifest.xml does not list it")
		}
	}
	return nil
}

// readXML reads the signatures of an XML file, whose references name files of
// the container. That without a name means the one file of an ASiC-S.
func (r *reading) readXML(e *asic.Entry) error {
	raw, err := e.Bytes(maxSignatureFile)
	if err != nil {
		return err
	}
	list, err := xades.ReadDocument(r.ctx, raw, r.resolve, xades.Options{ID: baseName(e)})
	if err != nil {
		return err
	}
	r.add(e, list)
	return nil
}

func (r *reading) resolve(uri string) []ades.Content {
	e := r.c.Resolve(uri)
	if uri == "" && r.kind == asic.ASiCS {
		e = r.onlyFile()
	}
	if e == nil {
		return nil
	}
	return []ades.Content{content(e)}
}

func baseName(e *asic.Entry) string {
	return strings.TrimSuffix(path.Base(e.Name), path.Ext(e.Name))
}

// exchanged deals with the one file that a signature names and that is not
// there, when there is one file that it does not name: that file was put in
// the place of the one that was signed. Its digest does not fit, or else it
// was only renamed, and stays not found.
func (r *reading) exchanged(s *ades.Signature) error {
	var missing []*ades.Reference
	named := map[*asic.Entry]bool{}
	for i := range s.References {
		ref := &s.References[i]
		switch {
		case ref.Kind != ades.RefContent && ref.Kind != ades.RefManifestEntry:
		case ref.Found:
			named[r.c.Resolve(ref.URI)] = true
		case ref.URI != "" && !strings.HasPrefix(ref.URI, "#") && r.c.Resolve(ref.URI) == nil:
			missing = append(missing, ref)
		}
	}
	var others []*asic.Entry
	for _, e := range r.c.DataFiles() {
		if !named[e] {
			others = append(others, e)
		}
	}
	if len(missing) != 1 || len(others) != 1 || !missing[0].Hash.Available() {
		return nil
	}
	digest, err := others[0].Digest(r.ctx, missing[0].Hash)
	if err != nil {
		return err
	}
	if !bytes.Equal(digest, missing[0].Digest) {
		missing[0].Found, missing[0].Name = true, others[0].Name
		missing[0].Content = func() (io.ReadCloser, error) { return others[0].Open() }
	}
	return nil
}
