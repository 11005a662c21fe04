package cades

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/tsp"
)

// Raise brings the signatures of a message to a level and writes it to w, in DER
// around what it keeps. in.Detached is the content if it is not in the message. What
// the signatures and the time stamps in it cover stays byte for byte; text around the
// message, as of a mail or of PEM, is left out. Errors:
// ades.ErrUnsuitable, ades.ErrBroken, those of Read, of r and of w.
func Raise(ctx context.Context, in ades.Input, r ades.Raising, w io.Writer) error {
	reading, err := openMessage(ctx, in)
	if err != nil {
		return err
	}
	e, err := reading.raise(r)
	if err != nil {
		return err
	}
	_, err = e.Write(ctx, w)
	return err
}

// RaiseCMS is Raise for a message inside another format. content is what is
// signed; the zero Body means that the message holds it.
func RaiseCMS(ctx context.Context, raw []byte, content Body, r ades.Raising) ([]byte, error) {
	signed, err := cms.ParseBytes(ctx, raw)
	if err != nil {
		return nil, refused(err)
	}
	reading, err := newRewriting(ctx, signed)
	if err != nil {
		return nil, err
	}
	switch {
	case content.Open != nil:
		reading.sources = []*source{{open: content.Open}}
	case signed.Content != nil:
		reading.attached()
	}
	e, err := reading.raise(r)
	if err != nil {
		return nil, err
	}
	return e.Bytes(ctx)
}

// openMessage reads a file that is to be written again.
func openMessage(ctx context.Context, in ades.Input) (*reading, error) {
	message, err := cms.Open(in.Data, in.Size)
	if err != nil {
		return nil, refused(err)
	}
	if len(message.Contents) > 0 {
		return nil, fmt.Errorf("%w: the signature of a mail in several parts", ades.ErrUnsuitable)
	}
	if isResponse(message) {
		return nil, fmt.Errorf("%w: the answer of a time stamp authority", ades.ErrUnsuitable)
	}
	signed, err := cms.Parse(ctx, message.Data, message.Size)
	if err != nil {
		return nil, refused(err)
	}
	r, err := newRewriting(ctx, signed)
	if err != nil {
		return nil, err
	}
	if signed.Content != nil {
		r.attached()
		return r, nil
	}
	for _, content := range in.Detached {
		r.sources = append(r.sources, newSource(content))
	}
	return r, nil
}

// newRewriting is newReading for what is to be written again.
func newRewriting(ctx context.Context, signed *cms.SignedData) (*reading, error) {
	switch {
	case signed.ContentType == cms.TypeTSTInfo:
		return nil, fmt.Errorf("%w: a time stamp token", ades.ErrUnsuitable)
	case signed.Unread:
		return nil, fmt.Errorf("%w: the message has elements that no standard knows, which would be lost", ades.ErrUnsuitable)
	}
	return newReading(ctx, signed, Options{}), nil
}

// raiser is a message while its signatures are raised.
type raiser struct {
	*reading
	edit   *cms.Edit
	r      ades.Raising
	frozen bool // the fields certificates and crls are covered by an archive time stamp
}

// raise brings the signatures to a level. Nothing is written yet.
func (r *reading) raise(o ades.Raising) (*cms.Edit, error) {
	if o.Hash == 0 {
		o.Hash = crypto.SHA256
	}
	if o.Level > ades.LevelB && o.Stamp == nil || o.Level > ades.LevelT && o.Evidence == nil {
		return nil, errors.New("raising a signature: no way to time stamps or to evidence")
	}
	list, err := r.signatures()
	if err != nil {
		return nil, err
	}
	w := &raiser{reading: r, edit: r.signed.Edit(), r: o, frozen: slices.ContainsFunc(r.signers, (*signer).freezes)}
	var chosen []int
	for i, sig := range list {
		if len(o.IDs) == 0 || slices.Contains(o.IDs, sig.ID) {
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 || len(o.IDs) > 0 && len(chosen) < len(o.IDs) {
		return nil, fmt.Errorf("%w: no signature of that name to raise", ades.ErrUnsuitable)
	}
	for _, i := range chosen {
		if err := r.signers[i].sound(true); err != nil {
			return nil, fmt.Errorf("signature %s: %w", list[i].ID, err)
		}
	}
	for _, step := range []struct {
		level ades.Level
		do    func(i int) error
	}{{ades.LevelT, w.stampSignature}, {ades.LevelLT, w.addEvidence}, {ades.LevelLTA, w.archive}} {
		for _, i := range chosen {
			if o.Level < step.level {
				break
			}
			if err := step.do(i); err != nil {
				return nil, fmt.Errorf("raising signature %s to %v: %w", list[i].ID, step.level, err)
			}
		}
	}
	return w.edit, nil
}

// sound tells whether a signature is as it was made: a further one over it would say so. Its content must be there if wanted.
func (s *signer) sound(content bool) error {
	sig := s.sig
	switch {
	case s.info.Err != nil:
		return fmt.Errorf("%w: %w", ades.ErrBroken, s.info.Err)
	case sig.Signer == nil:
		return fmt.Errorf("%w: the signer's certificate is not in the message", ades.ErrUnsuitable)
	case sig.AlgorithmError != nil:
		return fmt.Errorf("%w: %w", ades.ErrUnsuitable, sig.AlgorithmError)
	}
	for _, ref := range sig.References {
		if ref.Found && !ref.Intact {
			return fmt.Errorf("%w: it is over other content", ades.ErrBroken)
		}
		if !ref.Found && content {
			return fmt.Errorf("%w: the content that it signs is not there", ades.ErrUnsuitable)
		}
	}
	for _, digest := range append([][]byte{sig.Digest}, sig.AlternateDigests...) {
		if digest != nil && sig.Algorithm.Verify(sig.Signer.PublicKey, digest, sig.Value) == nil {
			return nil
		}
	}
	if sig.Digest == nil && !content {
		return nil // over the content itself, which is not there
	}
	return fmt.Errorf("%w: its value does not fit", ades.ErrBroken)
}

// freezes tells whether an archive time stamp of the signature is over the fields certificates and crls as they stand.
func (s *signer) freezes() bool {
	return slices.ContainsFunc(s.stamps, func(st stamp) bool { return st.kind == ades.ArchiveTS && st.version != "ATSv3" }) ||
		len(cms.Find(s.info.UnsignedAttrs, oidLongTerm)) > 0
}

// current reads the signature with that index as it is by now.
func (w *raiser) current(i int) (*signer, error) {
	info := cms.ParseSigner(w.edit.Signer(i))
	w.archives, w.counters = 0, 0
	s := w.newSigner(&info, w.signers[i].id)
	w.prepare([]*signer{s})
	s.read()
	return s, w.err
}

// stampSignature adds a signature time stamp where there is none.
func (w *raiser) stampSignature(i int) error {
	s := w.signers[i]
	for _, ts := range s.sig.Timestamps {
		if ts.Kind == ades.SignatureTS && ts.Intact {
			return nil
		}
	}
	if s.freezes() {
		return fmt.Errorf("%w: an archive time stamp covers the signature's attributes, to which no time stamp over its value can be added", ades.ErrUnsuitable)
	}
	raw, err := stampSignature(w.ctx, s.info, &w.r)
	if err != nil {
		return err
	}
	w.edit.SetSigner(i, raw)
	return nil
}

// stampSignature is the SignerInfo with a time stamp over its value, EN 319 122-1 section 5.3.
func stampSignature(ctx context.Context, info *cms.SignerInfo, r *ades.Raising) ([]byte, error) {
	h := r.Hash
	if h == 0 {
		h = crypto.SHA256
	}
	token, err := getStamp(ctx, r.Stamp, h, digestOf(h, info.Signature))
	if err != nil {
		return nil, err
	}
	a, err := cms.MarshalAttribute(oidSignatureTS, token)
	if err != nil {
		return nil, err
	}
	return info.WithUnsigned(false, a), nil
}

// getStamp gets a time stamp and makes sure that it is over what was asked for.
func getStamp(ctx context.Context, stamp ades.Stamper, h crypto.Hash, digest []byte) ([]byte, error) {
	if stamp == nil {
		return nil, errors.New("no way to time stamps")
	}
	raw, err := stamp(ctx, h, digest)
	if err != nil {
		return nil, fmt.Errorf("getting a time stamp: %w", err)
	}
	token, err := tsp.ParseToken(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("reading the time stamp: %w", err)
	}
	if token.Info.Hash != h || !bytes.Equal(token.Info.Imprint, digest) || len(token.Signed.Signers) != 1 {
		return nil, fmt.Errorf("reading the time stamp: %w", tsp.ErrMismatch)
	}
	return token.Raw, nil
}

// tokenWith is a time stamp token with something more beside its signature.
func tokenWith(ctx context.Context, raw []byte, change func(*cms.Edit, *cms.SignerInfo) error) ([]byte, error) {
	signed, err := cms.ParseBytes(ctx, raw)
	if err != nil {
		return nil, err
	}
	if len(signed.Signers) != 1 || signed.Signers[0].Err != nil {
		return nil, fmt.Errorf("%w: token without one signature", ber.ErrMalformed)
	}
	e := signed.Edit()
	if err := change(e, &signed.Signers[0]); err != nil {
		return nil, err
	}
	return e.Bytes(ctx)
}
