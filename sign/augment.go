package sign

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/filekind"
)

// formatOf tells what kind of signatures a file holds, by its content.
func formatOf(in Source) (Format, error) {
	if in.Data == nil {
		return "", misuse("the file %q has no data", in.Name)
	}
	kind, err := filekind.Of(in.Data, in.Size)
	if err != nil {
		return "", err
	}
	switch kind {
	case filekind.ZIP:
		return FormatASiCE, nil
	case filekind.PDF:
		return FormatPAdES, nil
	case filekind.XML:
		return FormatXAdES, nil
	case filekind.CMS, filekind.Encoded:
		return FormatCAdES, nil
	}
	return "", fmt.Errorf("%w: it is of no kind that carries signatures", ErrUnsuitable)
}

// Augment raises the signatures in a file to o.Level (B-T and above), also those that other software made, and writes the file to w.
// Only what is missing is added; a file at level B-LTA gets a further archive time stamp. Bytes that are signed stay as they were; of a
// mail or a PEM file the CMS message alone is written, in binary. The format is told by the content; o.IDs chooses some signatures,
// o.Content is what detached ones are over.
func Augment(ctx context.Context, w io.Writer, in Source, o Options) (*Report, error) {
	f, err := formatOf(in)
	if err != nil {
		return nil, err
	}
	s, err := newSession(ctx, toRaise, f, []Source{in}, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	hash, err := stampHash(&o)
	if err != nil {
		return nil, err
	}
	if err := s.beginHash([]Source{in}); err != nil {
		return nil, err
	}
	out, r := &writer{teller: s.teller, w: w}, s.raising(hash)
	switch file := s.fileOf(in); f {
	case FormatCAdES:
		err = cades.Raise(ctx, ades.Input{File: file, Detached: s.contentOf(o.Content)}, *r, out)
	case FormatPAdES:
		var done pades.Raised
		done, err = pades.Raise(ctx, file, *r, out)
		s.report.Level = done.Level
	case FormatASiCE:
		err = container.Raise(ctx, file, *r, out)
	default:
		err = s.raiseXML(ctx, file, *r, out)
	}
	if err == nil {
		err = s.levelReached(ctx, in)
	}
	if err != nil {
		return nil, s.interrupted(err)
	}
	s.report.Bytes = out.n
	return s.finished()
}

// reachedLevels are what the readers call the levels of a signature that is no higher.
var reachedLevels = map[string]Level{"B-T": T, "C": T, "X": T, "B-LT": LT, "XL": LT, "B-LTA": LTA, "A": LTA}

// levelReached sets the level of the report: the lowest of the signatures that were to be raised, of which some may have had more before.
func (s *session) levelReached(ctx context.Context, in Source) error {
	if !s.changed {
		s.warn("NOTHING_TO_RAISE", "The signatures have the level already: nothing was added to the file.", "")
	}
	if s.o.Level == LTA || s.report.Format == FormatPAdES { // PDF: known
		return nil
	}
	read := map[Format]func(context.Context, ades.Input) ([]*ades.Signature, error){
		FormatCAdES: cades.Read, FormatXAdES: xades.Read, FormatASiCE: container.Read,
	}
	list, err := read[s.report.Format](ctx, ades.Input{File: s.fileOf(in), Detached: s.contentOf(s.o.Content)})
	if err != nil {
		return fmt.Errorf("reading the levels: %w", err)
	}
	var levels []Level
	for _, sig := range list {
		if len(s.o.IDs) == 0 || slices.Contains(s.o.IDs, sig.ID) {
			levels = append(levels, max(s.o.Level, reachedLevels[sig.Level]))
		}
	}
	if len(levels) > 0 {
		s.report.Level = slices.Min(levels)
	}
	return nil
}

func (s *session) raiseXML(ctx context.Context, file ades.File, r ades.Raising, out *writer) error {
	doc, err := readXML(file)
	if err != nil {
		return err
	}
	if doc, err = xades.Raise(ctx, doc, xades.Detached(s.contentOf(s.o.Content)), r); err != nil {
		return err
	}
	out.total = int64(len(doc))
	_, err = out.Write(doc)
	return err
}

// Countersign signs the signature in a CMS or XML file that package verify names id, and writes the file to w. o.Content is what a
// detached signature is over. The level is B-B or B-T.
func Countersign(ctx context.Context, w io.Writer, in Source, id string, key Key, o Options) (*Report, error) {
	cert, err := checkKey(key)
	if err != nil {
		return nil, err
	}
	f, err := formatOf(in)
	if err != nil {
		return nil, err
	}
	if f != FormatCAdES && f != FormatXAdES {
		return nil, fmt.Errorf("%w: counter-signatures are for CMS and XML; a further signature can be put beside those of this file", ErrUnsuitable)
	}
	s, err := newSession(ctx, toCountersign, f, []Source{in}, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	p := &Prepared{s: s, out: &writer{teller: s.teller, w: w}}
	m, err := s.making(ctx, cert, chainOf(key), nil)
	if err != nil {
		return nil, err
	}
	p.algorithm = m.Algorithm
	if err := s.beginHash([]Source{in}); err != nil {
		return nil, err
	}
	if p.draft, err = s.draftCountersignature(ctx, in, id, m); err != nil {
		return nil, s.interrupted(err)
	}
	return p.signWith(ctx, key, w)
}

func (s *session) draftCountersignature(ctx context.Context, in Source, id string, m ades.Making) (draft, error) {
	file := s.fileOf(in)
	if s.report.Format == FormatCAdES {
		a, err := cades.PrepareCountersignature(ctx, ades.Input{File: file, Detached: s.contentOf(s.o.Content)}, id, m)
		return additionDraft{a}, err
	}
	doc, err := readXML(file)
	if err != nil {
		return nil, err
	}
	d, err := xades.PrepareCountersignature(ctx, doc, id, m)
	return xadesDraft{d}, err
}

// Timestamp writes a time stamp token (RFC 3161, DER) over a file to w, with FormatCAdES; with FormatPAdES the PDF with a document time
// stamp. The digest is o.Hash, or SHA-256.
func Timestamp(ctx context.Context, w io.Writer, f Format, in Source, o Options) (*Report, error) {
	if f != FormatCAdES && f != FormatPAdES {
		return nil, misuse("a time stamp is a token (cades) or in a PDF (pades), not %q", f)
	}
	hash, err := stampHash(&o)
	if err != nil {
		return nil, err
	}
	s, err := newSession(ctx, toStamp, f, []Source{in}, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.beginHash([]Source{in}); err != nil {
		return nil, err
	}
	out, file := &writer{teller: s.teller, w: w}, s.fileOf(in)
	if f == FormatPAdES {
		err = pades.Stamp(ctx, file, s.stamp, hash, out)
	} else {
		err = s.stampFile(ctx, file, hash, out)
	}
	if err != nil {
		return nil, s.interrupted(err)
	}
	s.report.Bytes = out.n
	return s.finished()
}

func (s *session) stampFile(ctx context.Context, file ades.File, hash crypto.Hash, out *writer) error {
	digests, _, err := cms.Digests(ctx, io.NewSectionReader(file.Data, 0, file.Size), hash)
	if err != nil {
		return fmt.Errorf("reading the file: %w", err)
	}
	token, err := s.stamp(ctx, hash, digests[hash])
	if err != nil {
		return err
	}
	out.total = int64(len(token))
	_, err = out.Write(token)
	return err
}
