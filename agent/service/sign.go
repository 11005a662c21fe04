package service

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/content"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/agent/spool"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/sign"
)

// signResult is that of sign.document.
type signResult struct {
	Document    protocol.DocumentID `json:"documentId"`
	Name        string              `json:"name"`
	Size        int64               `json:"size"`
	SHA256      string              `json:"sha256"`
	Format      string              `json:"format"`
	Level       string              `json:"level"`
	SigningTime string              `json:"signingTime"`
	StampTime   string              `json:"timestampTime,omitempty"`
	Warnings    []warning           `json:"warnings"`
}

type warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// signDocument is sign.document. The documents are sealed when they have come, so
// what the user looks at, what is hashed and what is written are the same bytes:
//
//	look for active content -> ask, showing the documents -> the card's certificate ->
//	prepare -> show what a visible signature does to the page -> PIN, signature -> write
func (s *Service) signDocument(ctx context.Context, c *Call) (any, error) {
	var p signParams
	if err := params(c, &p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	documents, done, err := use(c, p.Documents)
	if err != nil {
		return nil, err
	}
	defer done()
	op := operation{method: "sign.document", kind: access.OpSignDocument, purpose: p.Purpose, cardID: p.CardID, cards: eidOnly, role: "provider",
		statements: p.statements()}
	if p.Visible != nil && p.Visible.Photo {
		op.fields = []string{access.FieldPhoto}
	}
	if err := s.refusal(ctx, c, op); err != nil { // before the work of looking through documents
		return nil, fault(err)
	}
	if op.documents, err = s.toShow(ctx, documents); err != nil {
		return nil, fault(err)
	}
	w := &signing{params: p, documents: documents}
	err = s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		w.task, t.outcome.Digest = t, documents[0].SHA256()
		for _, d := range documents[1:] {
			t.outcome.Further = append(t.outcome.Further, d.SHA256())
		}
		return w.do(ctx)
	})
	if err != nil {
		w.discard(c)
		return nil, err
	}
	return w.result, nil
}

// opaque are the kinds of files that no page shows.
var opaque = []string{"application/zip", "application/octet-stream", "image/tiff"}

// maxLooks is how many documents are looked through at the same time. A hostile one
// costs much work and memory, and that before anybody was asked.
const maxLooks = 2

// whileWanted reads for as long as ctx lasts.
type whileWanted struct {
	io.ReaderAt
	ctx context.Context
}

func (w whileWanted) ReadAt(p []byte, offset int64) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.ReaderAt.ReadAt(p, offset)
}

// look looks through a document when it is its turn.
func (s *Service) look(ctx context.Context, d *spool.Document) (content.Document, error) {
	select {
	case s.looks <- struct{}{}:
	case <-ctx.Done():
		return content.Document{}, ctx.Err()
	}
	defer func() { <-s.looks }()
	found, err := content.Look(whileWanted{d, ctx}, d.Size(), d.Name())
	return found, errors.Join(err, ctx.Err())
}

// toShow is the documents as the desk shows them, with what in them acts by itself.
func (s *Service) toShow(ctx context.Context, documents []*spool.Document) ([]desk.Document, error) {
	var shown []desk.Document
	for _, d := range documents {
		found, err := s.look(ctx, d)
		if err != nil {
			return nil, err
		}
		view := desk.Document{Name: d.Name(), Size: d.Size(), SHA256: d.SHA256(), MediaType: found.MediaType}
		if !slices.Contains(opaque, found.MediaType) {
			view.Preview = d
		}
		for _, a := range found.Active {
			view.Active = append(view.Active, string(a))
		}
		shown = append(shown, view)
	}
	return shown, nil
}

// signing is one sign.document under way.
type signing struct {
	*task
	params    signParams
	documents []*spool.Document

	cert     *x509.Certificate
	chain    []*x509.Certificate
	photo    []byte
	prepared *sign.Prepared
	out      *spool.Document // nil: not begun
	result   signResult
}

func (w *signing) do(ctx context.Context) error {
	if err := w.use(ctx, w.readCard); err != nil {
		return err
	}
	base := w.s.o.SignOptions()
	base.Chain = append(w.chain, base.Chain...)
	steps := steps{call: w.call}
	sources := make([]sign.Source, len(w.documents))
	for i, d := range w.documents {
		sources[i] = sign.Source{Name: d.Name(), Data: d, Size: d.Size()}
	}
	var err error
	w.prepared, err = sign.Prepare(ctx, sign.Format(w.params.Format), sources, w.cert, w.params.options(base, w.s.o.Language, w.photo, steps.progress))
	if err != nil {
		return err
	}
	defer w.prepared.Close()
	shown, err := w.showSignature(ctx)
	if err != nil {
		return err
	}
	if err := w.makeRoom(); err != nil { // before a PIN is typed in vain
		return err
	}
	value, err := w.sign(ctx, shown)
	if err != nil {
		return err
	}
	return w.finish(ctx, value)
}

// readCard reads what is needed before the key: its certificate and the one above, and the photo if it is to be seen.
func (w *signing) readCard(ctx context.Context, c *beid.Card) (err error) {
	if w.cert, err = signingCertificate(ctx, c); err != nil {
		return err
	}
	w.outcome.NISS = numberIn(w.cert)
	files, err := c.Files(ctx, beid.FileCA)
	if err != nil {
		return err
	}
	if ca, err := x509.ParseCertificate(files.CA); err == nil { // without it, services are asked for it
		w.chain = append(w.chain, ca)
	}
	if len(w.op.fields) > 0 {
		return w.readPhoto(ctx, c)
	}
	return nil
}

// readPhoto reads the photo with what says whose it is: nothing that the chip's
// own data belie gets onto the page.
func (w *signing) readPhoto(ctx context.Context, c *beid.Card) error {
	o, err := w.readingOptions(ctx, c, w.op.fields)
	if err != nil {
		return err
	}
	r, err := reading.Read(ctx, c, o)
	switch {
	case err != nil:
		return err
	case r.Failed():
		return reading.ErrForged
	case len(r.Files.Photo) == 0:
		return card.ErrNotFound
	}
	w.photo = r.Files.Photo
	return nil
}

// showSignature shows a PDF with the signature that will be seen on it, as it
// will be: what a client had written there could cover the text. Nothing is seen
// of other signatures, and the documents shown before are what is signed.
func (w *signing) showSignature(ctx context.Context) ([]desk.Document, error) {
	page, rect := w.prepared.Place()
	if page == 0 {
		return w.op.documents, nil
	}
	look, err := w.call.Documents.Make(w.documents[0].Name(), "application/pdf")
	if err != nil {
		return nil, err
	}
	defer w.call.Documents.Remove(look.ID())
	if err := w.prepared.Preview(look); err != nil {
		return nil, err
	}
	if err := look.Seal(); err != nil {
		return nil, err
	}
	done, err := look.Use()
	if err != nil {
		return nil, err
	}
	defer done()
	shown := []desk.Document{{Name: look.Name(), Size: look.Size(), SHA256: look.SHA256(), MediaType: "application/pdf", Preview: look,
		Active: w.op.documents[0].Active, Place: &desk.Place{Page: page, Rect: rect}}}
	waiting(w.call, "consent", "")
	if err := w.pass.Ask(ctx, shown); err != nil {
		return nil, err
	}
	shown[0].Preview = nil // the PIN dialog names it by its digest
	return shown, nil
}

// sign asks for the PIN and has the card sign the digest that was prepared.
func (w *signing) sign(ctx context.Context, shown []desk.Document) (value []byte, err error) {
	pins, ask := w.pins(shown)
	defer pins.Wait()
	progress(w.call, "key", 0, 0)
	err = w.use(ctx, func(ctx context.Context, c *beid.Card) error {
		key, err := c.SigningKey(ctx, ask)
		if err != nil {
			return err
		}
		if !bytes.Equal(key.Certificate().Raw, w.cert.Raw) {
			return protocol.Errorf(protocol.CardRemoved, "the card's certificate is not that of a moment ago")
		}
		_, digest := w.prepared.Digest()
		return pins.Retry(ctx, func() (err error) {
			value, err = key.Sign(nil, digest, w.prepared.SignerOpts())
			return err
		})
	})
	return value, err
}

// overhead is more than a signature with its certificates and evidence takes, but
// for revocation lists, which are seldom needed.
const overhead = 1 << 20

// makeRoom opens the signed document, and sees to it that it can be as large as those that go into it.
func (w *signing) makeRoom() (err error) {
	name, mediaType := w.params.signedName(w.documents[0].Name())
	if w.out, err = w.call.Documents.Make(name, mediaType); err != nil {
		return err
	}
	size := int64(overhead)
	for _, d := range w.documents {
		if packagings[w.params.Packaging] != sign.Detached {
			size += d.Size()
		}
	}
	if sign.Format(w.params.Format) == sign.FormatXAdES {
		size += size / 2 // base64
	}
	return w.out.Reserve(size)
}

// finish writes the signed document, which the client then has.
func (w *signing) finish(ctx context.Context, value []byte) error {
	report, err := w.prepared.Finish(ctx, w.out, value)
	if err != nil {
		return err
	}
	if err := w.out.Seal(); err != nil {
		return err
	}
	w.result = signResult{Document: w.out.ID(), Name: w.out.Name(), Size: w.out.Size(), SHA256: w.out.SHA256(), Format: string(report.Format),
		Level: w.params.Level, SigningTime: report.Time.UTC().Format(time.RFC3339), Warnings: []warning{}}
	if !report.Stamped.IsZero() {
		w.result.StampTime = report.Stamped.UTC().Format(time.RFC3339)
	}
	for _, x := range report.Warnings {
		w.result.Warnings = append(w.result.Warnings, warning{x.Code, x.Text})
	}
	return nil
}

// discard takes a signed document away that the client does not hear of.
func (w *signing) discard(c *Call) {
	if w.out != nil {
		c.Documents.Remove(w.out.ID())
	}
}

// steps tells the client how far a signature is: every step, and each twentieth of one that counts bytes.
type steps struct {
	call *Call
	last sign.Progress
}

func (s *steps) progress(p sign.Progress) {
	if p.Step == s.last.Step && p.Done < p.Total && p.Done-s.last.Done < p.Total/20 {
		return
	}
	s.last = p
	progress(s.call, p.Step, p.Done, p.Total)
}
