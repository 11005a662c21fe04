package service

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/verify"
)

// cardExport is card.export: the whole card, in a document to be saved.
func (s *Service) cardExport(ctx context.Context, c *Call) (any, error) {
	var p struct {
		CardID string `json:"cardId"`
		Format string `json:"format"`
	}
	if err := params(c, &p); err != nil {
		return nil, err
	}
	if err := s.ownPage(c); err != nil {
		return nil, err
	}
	name, mediaType := "card.eid", "application/xml"
	switch p.Format {
	case "eid":
	case "json":
		name, mediaType = "card.json", "application/json"
	default:
		return nil, invalid("format: eid or json")
	}
	var result struct {
		Document protocol.DocumentID `json:"documentId"`
	}
	op := operation{method: "card.export", kind: access.OpOwn, cardID: p.CardID, cards: eidOnly, role: "patient"}
	err := s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		var r *reading.Reading
		err := t.use(ctx, func(ctx context.Context, card *beid.Card) error {
			o, err := t.readingOptions(ctx, card, everything())
			if err == nil {
				o.Certificates = true
				r, err = reading.Read(ctx, card, o)
			}
			return err
		})
		if err != nil {
			return err
		}
		t.outcome.NISS = r.Identity.NationalNumber
		out, err := c.Documents.Make(name, mediaType)
		if err != nil {
			return err
		}
		if err = export(out, r, p.Format); err == nil {
			err = out.Seal()
		}
		if err != nil {
			c.Documents.Remove(out.ID())
			return err
		}
		result.Document = out.ID()
		return nil
	})
	if err != nil {
		c.Documents.Remove(result.Document) // it may be there, and the client does not hear of it
		return nil, err
	}
	return result, nil
}

// everything is all that a card says of its holder.
func everything() []string { return append(access.IdentityFields(), access.FieldPhoto) }

func export(w io.Writer, r *reading.Reading, format string) error {
	if format == "eid" {
		card, err := r.Card()
		if err != nil {
			return err
		}
		return card.WriteXML(w)
	}
	d, err := r.Document()
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(d)
}

// cardLoad is card.load: a saved card, judged as far as its form carries signatures.
func (s *Service) cardLoad(ctx context.Context, c *Call) (any, error) {
	var p struct {
		Document protocol.DocumentID `json:"documentId"`
	}
	if err := params(c, &p); err != nil {
		return nil, err
	}
	if err := s.ownPage(c); err != nil {
		return nil, err
	}
	documents, done, err := use(c, []protocol.DocumentID{p.Document})
	if err != nil {
		return nil, err
	}
	defer done()
	pass, err := s.o.Gate.Enter(ctx, gate.Request{Request: access.Request{Client: c.Client, Operation: access.OpOwn}, Method: "card.load"})
	if err != nil {
		return nil, fault(err)
	}
	var result identityResult
	outcome := audit.Outcome{Digest: documents[0].SHA256()}
	err = through(pass, &outcome, func() error {
		r, err := s.load(documents[0], documents[0].Size(), documents[0].Name())
		if err != nil {
			return err
		}
		outcome.NISS = r.Identity.NationalNumber
		if result, err = answerOf(r, everything()); err != nil {
			return err
		}
		result.Reading.Mode = "file"
		result.Certificates = s.judged(ctx, r.Files, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

func (s *Service) load(data io.ReaderAt, size int64, name string) (*reading.Reading, error) {
	if size > saved.MaxSize {
		return nil, saved.ErrTooLarge
	}
	b, err := io.ReadAll(io.NewSectionReader(data, 0, size))
	if err != nil {
		return nil, err
	}
	card, err := saved.Read(b)
	if err != nil {
		return nil, err
	}
	return reading.Of(card, name, reading.Options{Anchors: s.o.Anchors, Now: s.o.Now}), nil
}

// certificate is one certificate of a card, with the verdict on it.
type certificate struct {
	Name string `json:"name"` // authentication, signature, ca, root, rrn
	*saved.CertificatePart
	Status verify.Indication `json:"status,omitempty"` // absent: it was not judged
	Reason string            `json:"reason,omitempty"`
}

// certificatesRead is certificates.read: those of the card, with chain and status.
func (s *Service) certificatesRead(ctx context.Context, c *Call) (any, error) {
	var p cardParams
	if err := params(c, &p); err != nil {
		return nil, err
	}
	if err := s.ownPage(c); err != nil {
		return nil, err
	}
	var result struct {
		Certificates []certificate `json:"certificates"`
	}
	op := operation{method: "certificates.read", kind: access.OpOwn, cardID: p.CardID, cards: eidOnly, role: "patient"}
	err := s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		var files beid.Files
		err := t.use(ctx, func(ctx context.Context, card *beid.Card) (err error) {
			files, err = card.Files(ctx, beid.FileAuthentication, beid.FileSignature, beid.FileCA, beid.FileRoot, beid.FileRRN)
			return err
		})
		if err == nil {
			result.Certificates = s.judged(ctx, files, false)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// judged is the certificates in files with the verdict on each: those of a card
// in a reader with what the revocation services say, those of a file without.
func (s *Service) judged(ctx context.Context, files beid.Files, offline bool) []certificate {
	list := []certificate{}
	parts := saved.NewCertificates(files)
	if parts == nil {
		return list
	}
	var all []*x509.Certificate
	for _, c := range []struct {
		name string
		part *saved.CertificatePart
	}{{"authentication", parts.Authentication}, {"signature", parts.Signature}, {"ca", parts.CA}, {"root", parts.Root}, {"rrn", parts.RRN}} {
		if c.part == nil {
			continue
		}
		list = append(list, certificate{Name: c.name, CertificatePart: c.part})
		if x, err := x509.ParseCertificate(c.part.DER); err == nil {
			all = append(all, x)
		}
	}
	for i := range list {
		x, err := x509.ParseCertificate(list[i].DER)
		if err != nil {
			continue
		}
		rep, err := s.o.Verifier.CheckCertificate(ctx, x, verify.Options{Anchors: s.o.Anchors, Intermediates: all, Offline: offline})
		if err != nil {
			continue // not judged
		}
		list[i].Status, list[i].Reason = rep.Indication, rep.SubIndication
	}
	return list
}
