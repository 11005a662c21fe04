package sign

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/filekind"
)

// draft is a signature of any format that waits for its value.
type draft interface {
	Digest() []byte
	// finish writes the file and returns what package verify names the signature.
	finish(ctx context.Context, value []byte, r *ades.Raising, w *writer) (id string, err error)
}

const (
	// streamed is from which size on attached content is written while it is hashed.
	streamed = 16 << 20
	// maxXML bounds a document, which is worked on in memory.
	maxXML = 64 << 20
)

// newDraft prepares a signature. w is where it goes, nil if that is not known yet.
func (s *session) newDraft(ctx context.Context, f Format, in []Source, m ades.Making, w *writer) (draft, error) {
	switch f {
	case FormatCAdES:
		return s.draftCAdES(ctx, in[0], m, w)
	case FormatPAdES:
		return s.draftPAdES(ctx, in[0], m)
	case FormatXAdES:
		return s.draftXAdES(ctx, in, m)
	}
	o := container.MakeOptions{CMS: s.o.CMS}
	if s.o.Add {
		existing := s.fileOf(in[0])
		d, err := container.Prepare(ctx, nil, &existing, m, o)
		return containerDraft{d}, err
	}
	var files []container.Data
	for _, src := range in {
		files = append(files, container.Data{File: s.fileOf(src), MIMEType: src.MIMEType})
	}
	d, err := container.Prepare(ctx, files, nil, m, o)
	return containerDraft{d}, err
}

// fileOf is a source as the formats have it.
func (s *session) fileOf(src Source) ades.File {
	return ades.File{Name: src.Name, Data: &reader{s.teller, src}, Size: src.Size}
}

func (s *session) contentOf(list []Source) []ades.Content {
	var out []ades.Content
	for _, src := range list {
		out = append(out, ades.Content{File: s.fileOf(src)})
	}
	return out
}

// bodyOf is a source as content of CMS.
func (s *session) bodyOf(src Source) cades.Body {
	f := s.fileOf(src)
	return cades.Body{Size: f.Size, Open: func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(f.Data, 0, f.Size)), nil }}
}

func (s *session) draftCAdES(ctx context.Context, src Source, m ades.Making, w *writer) (draft, error) {
	if s.o.Add {
		a, err := cades.Add(ctx, ades.Input{File: s.fileOf(src), Detached: s.contentOf(s.o.Content)}, m)
		return additionDraft{a}, err
	}
	o, body := cades.MakeOptions{Detached: s.o.Packaging == Detached}, s.bodyOf(src)
	if w != nil && !o.Detached && src.Size > streamed && s.o.Level < LT { // evidence comes before the signers in a message
		w.quiet = true
		d, err := cades.Begin(ctx, w, m, body, o)
		w.quiet = false
		return streamDraft{d}, err
	}
	content, err := body.Open()
	if err != nil {
		return nil, err
	}
	hashes := []crypto.Hash{m.Algorithm.Hash}
	if src.Size > streamed && !o.Detached && m.Algorithm.Hash != crypto.SHA256 {
		hashes = append(hashes, crypto.SHA256) // on another processor
	}
	digests, n, err := cms.Digests(ctx, content, hashes...)
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if n != src.Size {
		return nil, fmt.Errorf("reading the file: %w: it has %d bytes, not %d", io.ErrUnexpectedEOF, n, src.Size)
	}
	body.SHA256 = digests[crypto.SHA256]
	d, err := cades.Prepare(ctx, m, digests[m.Algorithm.Hash], o)
	return cadesDraft{d, body}, err
}

func (s *session) draftPAdES(ctx context.Context, src Source, m ades.Making) (draft, error) {
	d, err := pades.Prepare(ctx, s.fileOf(src), m, s.padesOptions())
	if err != nil {
		return nil, err
	}
	for _, w := range d.Warnings() {
		s.warn(w.Code, w.Text, w.Detail)
	}
	return padesDraft{d}, s.checkPlace(d.Place())
}

// checkPlace: a field that is there has its place, which no option moves.
func (s *session) checkPlace(page int, rect [4]float64) error {
	v := s.o.PDF.Visible
	if v == nil || s.o.PDF.Field == "" || page == 0 {
		return nil
	}
	elsewhere := v.Page > 0 && v.Page != page
	for i, at := range v.Rect {
		elsewhere = elsewhere || v.Rect != [4]float64{} && math.Abs(at-rect[i]) > 2
	}
	if elsewhere {
		return misuse("the field %q has a place already, on page %d at %.0f,%.0f,%.0f,%.0f: it cannot be shown elsewhere", s.o.PDF.Field, page, rect[0], rect[1], rect[2], rect[3])
	}
	return nil
}

func (s *session) padesOptions() pades.MakeOptions {
	p := s.o.PDF
	o := pades.MakeOptions{Reason: p.Reason, Location: p.Location, Contact: p.Contact, Field: p.Field, Certify: p.Certify, Level: s.o.Level}
	if v := p.Visible; v != nil {
		o.Visible = &pades.Visible{Page: v.Page, Rect: v.Rect, Text: v.Text, Language: v.Language, Image: v.Image}
	}
	return o
}

func (s *session) draftXAdES(ctx context.Context, in []Source, m ades.Making) (draft, error) {
	packaging, err := s.packaging(in)
	if err != nil {
		return nil, err
	}
	o := xades.MakeOptions{Parent: s.o.XML.Parent, Alone: s.o.XML.Alone, References: s.references(in)}
	if o.Alone && packaging != Enveloped {
		return nil, misuse("only an enveloped signature has other signatures to leave out or not")
	}
	var doc []byte
	files := s.contentOf(in)
	switch packaging {
	case Enveloped:
		if doc, err = readXML(files[0].File); err != nil {
			return nil, err
		}
		files = files[1:]
	case Enveloping:
		o.Packaging = xades.PackEnveloping
	case Detached:
		o.Packaging = xades.PackDetached
	}
	d, err := xades.Prepare(ctx, m, doc, files, o)
	return xadesDraft{d}, err
}

// packaging resolves Auto for XAdES.
func (s *session) packaging(in []Source) (Packaging, error) {
	if s.o.Packaging != Auto {
		return s.o.Packaging, nil
	}
	kind, err := filekind.Of(in[0].Data, in[0].Size)
	if err != nil {
		return Auto, err
	}
	if kind == filekind.XML && (len(in) == 1 || s.o.XML.Parent != "") {
		return Enveloped, nil
	}
	return Enveloping, nil
}

// references are those of the options with the types of the sources, or, if the types are to be said of several sources, one for each.
func (s *session) references(in []Source) []xades.Ref {
	types := map[string]string{}
	for _, src := range in {
		if src.MIMEType != "" && src.Name != "" {
			types[src.Name] = src.MIMEType
		}
	}
	var list []xades.Ref
	for _, uri := range s.o.XML.References {
		list = append(list, xades.Ref{URI: uri, MIMEType: types[uri]})
	}
	if list == nil && len(in) > 1 && len(types) > 0 && checkNames(in) == nil && s.o.Packaging != Enveloped {
		for _, src := range in {
			list = append(list, xades.Ref{URI: src.Name, MIMEType: src.MIMEType})
		}
	}
	return list
}

// readXML takes a document into memory.
func readXML(f ades.File) ([]byte, error) {
	if f.Size > maxXML {
		return nil, fmt.Errorf("%w: XML of %d bytes, at most %d are taken; sign it enveloping as a file, or in a container", ErrUnsuitable, f.Size, maxXML)
	}
	doc := make([]byte, f.Size)
	if n, err := f.Data.ReadAt(doc, 0); err != nil && !(errors.Is(err, io.EOF) && int64(n) == f.Size) {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	return doc, nil
}

// The drafts of the formats.
type (
	cadesDraft struct {
		*cades.Draft
		content cades.Body
	}
	streamDraft    struct{ *cades.Stream }
	additionDraft  struct{ *cades.Addition }
	padesDraft     struct{ *pades.Draft }
	xadesDraft     struct{ *xades.Draft }
	containerDraft struct{ *container.Draft }
)

// firstSigner is what package verify names the signer of a message with one.
const firstSigner = "signer-1"

func (d cadesDraft) finish(ctx context.Context, value []byte, r *ades.Raising, w *writer) (string, error) {
	msg, err := d.Message(ctx, value, r, d.content)
	if err != nil {
		return "", err
	}
	w.total = msg.Size()
	_, err = msg.WriteTo(w)
	return firstSigner, err
}

func (d streamDraft) finish(ctx context.Context, value []byte, r *ades.Raising, _ *writer) (string, error) {
	_, err := d.Finish(ctx, value, r)
	return firstSigner, err
}

func (d additionDraft) finish(ctx context.Context, value []byte, r *ades.Raising, w *writer) (string, error) {
	return d.Finish(ctx, value, r, w)
}

func (d padesDraft) finish(ctx context.Context, value []byte, r *ades.Raising, w *writer) (string, error) {
	_, err := d.Finish(ctx, value, r, w)
	return d.Field(), err
}

func (d xadesDraft) finish(ctx context.Context, value []byte, r *ades.Raising, w *writer) (string, error) {
	doc, err := d.Finish(ctx, value, r)
	if err != nil {
		return "", err
	}
	w.total = int64(len(doc))
	_, err = w.Write(doc)
	return d.ID(), err
}

func (d containerDraft) finish(ctx context.Context, value []byte, r *ades.Raising, w *writer) (string, error) {
	_, err := d.Finish(ctx, value, r, w)
	return d.ID(), err
}
