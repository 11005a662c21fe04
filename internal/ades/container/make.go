package container

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"io"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/asic"
)

// Data is a file to be put into a container and signed. It is read more than
// once and must not change meanwhile.
type Data struct {
	ades.File
	MIMEType string // empty: told by the extension of the name, or application/octet-stream
}

// MakeOptions say how a container is signed.
type MakeOptions struct {
	// CMS has a container signed by CAdES over an ASiCManifest, else by XAdES. One that exists gets what
	// it has already: both together are not in the standard.
	CMS bool
}

// Draft is a signed container of which only the signature value is missing. It is used once.
type Draft struct {
	box       *box
	earlier   *reading // of the container that exists, or nil
	signature string   // name of the file
	id        string
	xml       *xades.Draft
	cms       *cades.Draft
	manifest  []byte // what cms is over
	prefer    crypto.Hash
}

// Names of the files in META-INF (EN 319 162-1 sections 4.4.3.2 and 4.4.4.2).
const (
	xmlName      = asic.MetaInf + "signatures%03d.xml"
	cmsName      = asic.MetaInf + "signature%03d.p7s"
	manifestName = asic.MetaInf + "ASiCManifest%03d.xml"
	packageName  = asic.MetaInf + "manifest.xml"
)

// Prepare makes what is to be signed of an ASiC-E (EN 319 162-1 section 4.4): files become a new container, or else existing is a
// container that gets a further signature over all its files. Errors wrap ades.ErrUnsuitable (the reason is told) or ades.ErrBroken (a
// signature in existing does not hold), or are those of the sources, of m.ContentStamp and of ctx.
func Prepare(ctx context.Context, files []Data, existing *ades.File, m ades.Making, o MakeOptions) (*Draft, error) {
	d, err := prepare(ctx, files, existing, m, o)
	if err != nil {
		return nil, fmt.Errorf("signing container: %w", err)
	}
	return d, nil
}

func prepare(ctx context.Context, files []Data, existing *ades.File, m ades.Making, o MakeOptions) (*Draft, error) {
	d := &Draft{prefer: m.Algorithm.Hash}
	var err error
	switch {
	case digestURI(d.prefer) == "":
		return nil, unsuitable("the digest %v is not for containers", d.prefer)
	case existing != nil && len(files) > 0:
		return nil, unsuitable("no file can be added to a container that exists: the signatures in it would not cover it")
	case existing != nil:
		err = d.reopen(ctx, *existing, &o)
	default:
		err = d.fill(ctx, files, o)
	}
	if err != nil {
		return nil, err
	}
	d.box.at = m.Time
	if o.CMS {
		err = d.prepareCMS(ctx, m)
	} else {
		err = d.prepareXML(ctx, m)
	}
	if err != nil {
		return nil, err
	}
	d.box.put(d.signature, "", []byte{}) // for the bounds
	return d, d.box.check()
}

// fill makes a box of new files.
func (d *Draft) fill(ctx context.Context, files []Data, o MakeOptions) error {
	if len(files) == 0 {
		return unsuitable("there is no file to be put into the container")
	}
	d.box = &box{}
	for _, f := range files {
		name, err := asic.DataName(f.Name)
		if err != nil {
			return notSuitable(err)
		}
		if f.MIMEType == "" {
			f.MIMEType = mimeOf(name)
		}
		if !wellFormed(f.MIMEType) {
			return unsuitable("%q is no media type", f.MIMEType)
		}
		d.box.parts = append(d.box.parts, &part{name: name, mime: f.MIMEType, file: &f.File, sums: map[crypto.Hash][]byte{}})
	}
	if err := d.box.check(); err != nil { // before they are read
		return err
	}
	h := crypto.Hash(0) // the maker of XAdES hashes itself
	if o.CMS {
		h = d.prefer
	}
	for _, p := range d.box.parts {
		if err := p.measure(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// reopen makes a box of a container that exists, if all that is signed in it holds.
func (d *Draft) reopen(ctx context.Context, in ades.File, o *MakeOptions) error {
	r, err := readFile(ctx, in)
	if err != nil {
		return notSuitable(err)
	}
	d.earlier, d.box = r, boxOf(r.c)
	if err := suitable(r); err != nil {
		return err
	}
	if err := allHold(r.list); err != nil {
		return err
	}
	xml, cms := false, false
	for _, p := range d.box.parts {
		switch p.role() {
		case asic.SignatureXML:
			xml = true
		case asic.SignatureCMS, asic.Manifest, asic.Timestamp:
			cms = true
		}
	}
	if xml && o.CMS {
		return unsuitable("the container has XAdES signatures, and CAdES beside them is not in the standard")
	}
	o.CMS = o.CMS || cms && !xml
	d.box.findTypes()
	return nil
}

// suitable tells whether a further signature can be put into a container.
func suitable(r *reading) error {
	mime := r.c.MIMEType()
	switch {
	case (r.kind == asic.ASiCS || r.kind == asic.ASiCE) && mime != "" && !strings.HasPrefix(mime, "application/vnd.etsi.asic-") && !strings.HasPrefix(mime, "application/vnd.bdoc-1."):
		return unsuitable("it is a container of the type %.80q, which has rules of its own", mime)
	case r.kind == asic.ASiCS:
		return unsuitable("it is an ASiC-S, which is for one signed file; files are put into a new container instead")
	case r.kind == asic.ODF || r.kind == asic.OOXML:
		return unsuitable("it is an office document, which has signatures of its own kind")
	case r.kind != asic.ASiCE:
		return unsuitable("it is no ASiC-E container")
	case len(r.c.DataFiles()) == 0:
		return unsuitable("there is no file in the container")
	}
	for _, e := range r.c.DataFiles() {
		if e.OddName() {
			return unsuitable("the name of %q is not in UTF-8, so that not everybody reads it alike", e.Name)
		}
	}
	return nil
}

// prepareXML makes a XAdES signature in a file of its own, with a reference for each file (EN 319 162-1 section 4.4.3).
func (d *Draft) prepareXML(ctx context.Context, m ades.Making) error {
	d.signature = fmt.Sprintf(xmlName, d.box.free(xmlName))
	o := xades.MakeOptions{Packaging: xades.PackDetached}
	var contents []ades.Content
	var listed []asic.PackageFile
	for _, p := range d.box.data() {
		o.References = append(o.References, xades.Ref{URI: p.name, MIMEType: p.mime})
		contents = append(contents, p.content())
		listed = append(listed, asic.PackageFile{Path: p.name, MIMEType: p.mime})
	}
	if d.box.lookup(packageName) == nil {
		d.box.put(packageName, manifestMIME, asic.EncodePackageManifest(listed))
	}
	root := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<asic:XAdESSignatures xmlns:asic="` + asic.SignaturesSpace + `"></asic:XAdESSignatures>` + "\n"
	var err error
	if d.xml, err = xades.Prepare(ctx, m, []byte(root), contents, o); err != nil {
		return err
	}
	d.id = d.name(d.xml.ID())
	return nil
}

// prepareCMS makes an ASiCManifest and a CAdES signature over it (EN 319 162-1 section 4.4.4).
func (d *Draft) prepareCMS(ctx context.Context, m ades.Making) error {
	n := d.box.free(cmsName, manifestName)
	d.signature = fmt.Sprintf(cmsName, n)
	listed, err := d.box.manifest(ctx, d.box.data(), d.prefer, d.signature, signatureMIME)
	if err != nil {
		return err
	}
	d.manifest = listed
	d.box.put(fmt.Sprintf(manifestName, n), manifestMIME, d.manifest)
	sum := d.prefer.New()
	sum.Write(d.manifest)
	m.MIMEType = manifestMIME
	if d.cms, err = cades.Prepare(ctx, m, sum.Sum(nil), cades.MakeOptions{Detached: true}); err != nil {
		return err
	}
	d.id = d.name(strings.TrimSuffix(strings.TrimPrefix(d.signature, asic.MetaInf), ".p7s"))
	return nil
}

// name is what Read will call the new signature.
func (d *Draft) name(id string) string {
	if d.earlier == nil {
		return id
	}
	return d.earlier.unique(id)
}

// manifest is an ASiCManifest over parts (EN 319 162-1 annex A.4).
func (b *box) manifest(ctx context.Context, parts []*part, h crypto.Hash, signature, mime string) ([]byte, error) {
	m := &asic.ManifestFile{SigURI: asic.EscapeName(signature), SigMIMEType: mime}
	for _, p := range parts {
		digest, err := p.digest(ctx, h)
		if err != nil {
			return nil, err
		}
		m.References = append(m.References, asic.DataObject{URI: asic.EscapeName(p.name), MIMEType: p.mime, Algorithm: digestURI(h), Digest: digest})
	}
	return m.Encode(), nil
}

// Digest is what the key signs, by the hash of the algorithm.
func (d *Draft) Digest() []byte {
	if d.xml != nil {
		return d.xml.Digest()
	}
	return d.cms.Digest()
}

// ID is the signature's, as Read names it.
func (d *Draft) ID() string { return d.id }

// Finish puts the value in, raises the new signature if r is not nil, and writes the container to w. It returns how many bytes it
// wrote: none if the value or what is needed for the level fails. Errors: ades.ErrValue, those of Raise and of w.
func (d *Draft) Finish(ctx context.Context, value []byte, r *ades.Raising, w io.Writer) (int64, error) {
	raw, err := d.finish(ctx, value, r)
	if err != nil {
		return 0, fmt.Errorf("signing container: %w", err)
	}
	d.box.put(d.signature, signatureMIME, raw)
	if r != nil && r.Level >= ades.LevelLTA && d.cms != nil {
		a := &archiving{box: d.box, earlier: d.earlier, raising: *r, leave: map[string]bool{}}
		if d.earlier != nil {
			a.leaveOthers(func(s *ades.Signature) bool { return false })
		}
		if err := a.add(ctx); err != nil {
			return 0, fmt.Errorf("signing container: %w", err)
		}
	}
	return d.box.writer().Write(ctx, w)
}

// finish is the finished signature, raised as far as its own format goes.
func (d *Draft) finish(ctx context.Context, value []byte, r *ades.Raising) ([]byte, error) {
	if d.xml != nil {
		return d.xml.Finish(ctx, value, r)
	}
	if r != nil {
		inside := *r
		inside.Level = min(r.Level, ades.LevelLT) // the archive time stamp is the container's
		r = &inside
	}
	body := cades.Body{Size: int64(len(d.manifest)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.manifest)), nil }}
	message, err := d.cms.Message(ctx, value, r, body)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = message.WriteTo(&out)
	return out.Bytes(), err
}
