package pades

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/holder"
	"github.com/eidkit/eidkit/internal/pdf"
)

// MakeOptions are what a PDF signature has beside what all formats have. The
// zero value is an approval signature that is not seen.
type MakeOptions struct {
	// Name is who signs, as the dictionary and the stamp say it; empty: as the certificate does.
	Name string
	// Reason, Location and Contact are the entries of the signature dictionary,
	// ISO 32000-2 table 255; empty: left out. Location defaults to Making.Place.
	Reason, Location, Contact string
	// Field is the signature field to fill, or the name of a new one; empty: a
	// new one, "Signature1" or the next number that is free.
	Field string
	// Certify makes a certification signature (DocMDP) of that permission, 1 to 3; 0: an approval signature.
	Certify int
	// Visible, if not nil, shows the signature. An existing field that has a place of its own is shown in any case.
	Visible *Visible
	// Level is the one that Finish will raise to: it decides how much room is left for the time stamp.
	Level ades.Level
}

// Visible is how a signature looks on its page.
type Visible struct {
	// Page counts from 1; negative from the end: -1 is the last. 0: the first, or the one of the existing field.
	Page int
	// Rect is left, bottom, right, top in points on the page as shown (cropped
	// and rotated); zero: at the bottom left, clear of text and annotations if
	// there is room. Of an existing field that has a place, its own holds.
	Rect [4]float64
	// Text are the lines shown; nil: name and date, with reason and location if given, in Language: en, nl, fr, de.
	Text     []string
	Language string
	// Image is a PNG or JPEG beside the text; nil: none.
	Image []byte
}

// Values of a signature dictionary, ISO 32000-2 table 255.
const (
	filterName = "Adobe.PPKLite"
	program    = "eidkit" // in Prop_Build
)

// Room for values, in bytes: what CMS takes beside certificates, and a time
// stamp token with its certificates.
const (
	cmsRoom   = 8 << 10
	stampRoom = 16 << 10
)

// Draft is a PDF that is signed but for the value.
type Draft struct {
	t     *target
	hole  *hole
	inner *cades.Draft
	slot  *slot
	shown [4]float64

	warnings []Warning
	dropped  bool
}

// Prepare adds a revision with a signature to a PDF and leaves room for the
// value: in the field that o names or a new one (EN 319 142-1 section 5,
// ISO 32000-2 section 12.8). Nothing of in is kept in memory, and nothing of it
// changes. Of m, Place becomes Location and MIMEType is not used.
//
// Errors: ades.ErrUnsuitable for files that are encrypted or damaged, fields
// that cannot be signed so, and what earlier signatures or the field's seed
// values forbid; ades.ErrBroken if an earlier signature does not hold.
func Prepare(ctx context.Context, in ades.File, m ades.Making, o MakeOptions) (*Draft, error) {
	t := &target{base: in}
	d, u, err := t.update(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := d.checkMaking(m, o); err != nil {
		return nil, err
	}
	s, err := d.findSlot(o.Field, "Signature")
	if err != nil {
		return nil, err
	}
	if err := d.checkSeed(s, m, o); err != nil {
		return nil, err
	}
	complete(&m, &o)
	draft := &Draft{t: t, slot: s}
	appearance, err := d.show(u, s, m, o)
	if err != nil {
		return nil, err
	}
	if !s.empty() {
		draft.shown, _ = d.last.Shown(d.pages[s.page], s.rect)
	}
	draft.warnings = d.warn(s)
	byteRange, contents := rooms(in.Size, room(m, o))
	value := u.Add(d.dictionary(u, s, m, o, byteRange, contents))
	if err := d.addField(u, s, value, appearance); err != nil {
		return nil, err
	}
	if o.Certify > 0 {
		nameCertifier(u, value)
	}
	first := len(d.pdf.Revisions())
	if draft.hole, err = t.add(u, byteRange, contents); err != nil {
		return nil, err
	}
	if err := t.checkAdded(d, first); err != nil {
		return nil, err
	}
	digest, err := t.digest(ctx, draft.hole, m.Algorithm.Hash)
	if err != nil {
		return nil, err
	}
	if draft.inner, err = cades.Prepare(ctx, m, digest, cades.MakeOptions{Detached: true, NoTime: true}); err != nil {
		return nil, fmt.Errorf("preparing the signature: %w", err)
	}
	return draft, nil
}

// update opens a target to add a revision. The signatures in it must hold,
// unless that has been looked at.
func (t *target) update(ctx context.Context, checked bool) (*document, *pdf.Update, error) {
	d, err := open(ctx, t.input())
	if err != nil {
		return nil, nil, unsuitable(err)
	}
	u, err := d.pdf.NewUpdate()
	if err != nil {
		return nil, nil, unsuitable(err)
	}
	if d.pdf.Repaired && len(d.signatures) > 0 {
		return nil, nil, refused("it is damaged, and was signed before")
	}
	if len(d.pages) == 0 {
		return nil, nil, refused("it has no page")
	}
	if d.form.Broken {
		return nil, nil, refused("its form is damaged")
	}
	if !checked {
		if err := d.checkEarlier(); err != nil {
			return nil, nil, err
		}
	}
	return d, u, nil
}

// checkMaking refuses what no field could make good.
func (d *document) checkMaking(m ades.Making, o MakeOptions) error {
	catalog := d.last.Catalog()
	switch {
	case o.Certify < 0 || o.Certify > 3:
		return refused("there is no permission %d for a certification", o.Certify)
	case o.Certify > 0 && len(d.signatures) > 0:
		return refused("it is signed already, and a certification must be the first signature")
	case o.Certify > 0 && d.last.Dict(catalog["Perms"])["DocMDP"] != nil:
		return refused("it is certified already")
	case o.Reason != "" && len(m.Commitments) > 0:
		// EN 319 142-1, section 6.3: one or the other.
		return refused("a PDF signature has either a reason or a commitment")
	case d.last.Resolve(catalog["NeedsRendering"]) == true:
		return refused("it is a dynamic XFA form: what it shows is not in its pages")
	}
	return nil
}

// complete fills in what follows from the certificate, and moves what PDF keeps elsewhere.
func complete(m *ades.Making, o *MakeOptions) {
	if o.Name == "" {
		h := holder.Of(m.Certificate)
		if o.Name = strings.TrimSpace(h.GivenNames + " " + h.Surname); o.Name == "" {
			o.Name = h.CommonName
		}
	}
	if o.Location == "" {
		p := m.Place
		city := strings.TrimSpace(p.PostalCode + " " + p.City)
		parts := slices.DeleteFunc([]string{p.Street, city, p.Province, p.Country}, func(s string) bool { return s == "" })
		o.Location = strings.Join(parts, ", ")
	}
	m.Place, m.MIMEType = ades.Place{}, ""
}

// room is how many bytes the value may have.
func room(m ades.Making, o MakeOptions) int {
	n := cmsRoom
	if m.Certificate != nil {
		n += len(m.Certificate.Raw)
	}
	for _, c := range m.Chain {
		n += len(c.Raw)
	}
	if o.Level > ades.LevelB {
		n += stampRoom
	}
	if m.ContentStamp != nil {
		n += stampRoom
	}
	return n
}

// dictionary is the signature dictionary. ISO 32000-2 table 255, EN 319 142-1
// section 5.3.
func (d *document) dictionary(u *pdf.Update, s *slot, m ades.Making, o MakeOptions, byteRange, contents *pdf.Room) pdf.Dict {
	dict := pdf.Dict{
		"Type": pdf.Name("Sig"), "Filter": pdf.Name(filterName), "SubFilter": pdf.Name(subFilterCAdES),
		"ByteRange": byteRange, "Contents": contents, "M": pdf.NewDate(m.Time),
		"Prop_Build": pdf.Dict{"App": pdf.Dict{"Name": pdf.Name(program)}},
	}
	for key, text := range map[pdf.Name]string{"Name": o.Name, "Reason": o.Reason, "Location": o.Location, "ContactInfo": o.Contact} {
		if text != "" {
			dict[key] = pdf.NewText(text)
		}
	}
	reference := func(method pdf.Name, params pdf.Dict) pdf.Dict {
		params["Type"], params["V"] = pdf.Name("TransformParams"), pdf.Name("1.2")
		return pdf.Dict{"Type": pdf.Name("SigRef"), "TransformMethod": method, "TransformParams": params}
	}
	var references pdf.Array
	if o.Certify > 0 {
		references = append(references, reference("DocMDP", pdf.Dict{"P": int64(o.Certify)}))
	}
	if lock := d.last.Dict(d.last.Dict(s.ref)["Lock"]); lock != nil {
		params := pdf.Dict{"Action": d.last.Name(lock["Action"])}
		if fields := d.last.Array(lock["Fields"]); fields != nil {
			params["Fields"] = fields
		}
		r := reference("FieldMDP", params)
		r["Data"] = u.Root()
		references = append(references, r)
	}
	if references != nil {
		dict["Reference"] = references
	}
	return dict
}

// nameCertifier names a signature as the one that certifies. ISO 32000-2, section 12.8.6.
func nameCertifier(u *pdf.Update, value pdf.Ref) {
	catalog, root := u.Dict(u.Root())
	perms, at := u.Dict(catalog["Perms"])
	if perms == nil {
		perms = pdf.Dict{}
	}
	perms["DocMDP"] = value
	if at.Num != 0 {
		u.Set(at, perms)
		return
	}
	catalog["Perms"] = perms
	u.Set(root, catalog)
}

// Digest is what the key signs.
func (d *Draft) Digest() []byte { return d.inner.Digest() }

// Field is the name of the signature field, by which Read names the signature.
func (d *Draft) Field() string { return d.slot.name }

// Place is the page, from 1, and the rectangle on it as shown (left, bottom,
// right, top in points) where the signature is seen; page 0 if it is not.
func (d *Draft) Place() (page int, rect [4]float64) {
	if d.slot.empty() {
		return 0, rect
	}
	return d.slot.page + 1, d.shown
}

// Warnings are what the signer should know before signing; often none.
func (d *Draft) Warnings() []Warning { return d.warnings }

// StampDropped tells that the last Finish did not use the first time stamp it
// got: there was no room in the signature, and a document time stamp, the second
// one, is in its place.
func (d *Draft) StampDropped() bool { return d.dropped }

// Preview writes the PDF with the field, without a value: it looks as the
// signed one will.
func (d *Draft) Preview(w io.Writer) error {
	_, err := d.t.WriteTo(w)
	return err
}

// Finish puts the value into its place, raises the signature if r is not nil
// (time stamp within the signature, then DSS, then a document time stamp, each
// of the last two a revision), and writes everything. It may be called again.
// Errors: ades.ErrValue, ades.ErrUnsuitable if the value is larger than its
// room, those of r; nothing is written then.
func (d *Draft) Finish(ctx context.Context, value []byte, r *ades.Raising, w io.Writer) (int64, error) {
	content := cades.Body{
		Open: func() (io.ReadCloser, error) { return io.NopCloser(d.t.signed(d.hole)), nil },
		Size: d.hole.end - (d.hole.stop - d.hole.open),
	}
	message := func(r *ades.Raising) ([]byte, error) {
		m, err := d.inner.Message(ctx, value, r, content)
		if err != nil {
			return nil, fmt.Errorf("finishing the signature: %w", err)
		}
		var b strings.Builder
		if _, err := m.WriteTo(&b); err != nil {
			return nil, fmt.Errorf("finishing the signature: %w", err)
		}
		return []byte(b.String()), nil
	}
	t := d.t.clone()
	d.dropped = false
	stamped := r
	if r != nil && r.Level > ades.LevelT {
		stamped = &ades.Raising{Level: ades.LevelT, Hash: r.Hash, Stamp: r.Stamp}
	} else if r != nil && r.Level == ades.LevelB {
		stamped = nil
	}
	raw, err := message(stamped)
	if err != nil {
		return 0, err
	}
	if !t.fill(d.hole, raw) {
		if raw, err = message(nil); err != nil {
			return 0, err
		}
		if !t.fill(d.hole, raw) {
			return 0, refused("the signature has %d bytes, and there is room for %d", len(raw), d.hole.room)
		}
		// A time stamp that has no room in the signature becomes one of the document.
		d.dropped = stamped != nil
	}
	if r != nil && r.Level > ades.LevelB {
		own := *r
		own.IDs = []string{d.slot.name}
		if _, err := t.raise(ctx, own); err != nil {
			return 0, err
		}
	}
	return t.WriteTo(w)
}

// Stamp adds a document time stamp alone, with an imprint by hash; 0: SHA-256.
// EN 319 142-1, section 5.4.3. Errors are those of Prepare and stamp.
func Stamp(ctx context.Context, in ades.File, stamp ades.Stamper, hash crypto.Hash, w io.Writer) error {
	t := &target{base: in}
	if err := t.stamp(ctx, stamp, hash, false); err != nil {
		return err
	}
	_, err := t.WriteTo(w)
	return err
}
