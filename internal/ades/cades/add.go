package cades

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/cms"
)

// Addition is a signature that is put into a message that is there already; only
// its value is missing.
type Addition struct {
	*Draft
	reading *reading
	// path leads to the one that is countersigned, from the SignerInfo inwards; nil: a parallel signature.
	path []*signer
}

// Add prepares a signature beside those of the message, over the same content.
// in.Detached is the content if it is not in the message. Of a mail (S/MIME, PEM) the
// message alone is written, in binary. Errors: ades.ErrBroken if a signature
// is there that does not hold, ades.ErrUnsuitable, those of Read and of Prepare.
func Add(ctx context.Context, in ades.Input, m ades.Making) (*Addition, error) {
	r, err := openMessage(ctx, in)
	if err != nil {
		return nil, err
	}
	list, err := r.signatures()
	if err != nil {
		return nil, err
	}
	for i, s := range r.signers {
		if err := s.sound(true); err != nil {
			return nil, fmt.Errorf("signature %s: %w", list[i].ID, err)
		}
	}
	digest, err := r.signers[0].source.digest(ctx, m.Algorithm.Hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
	}
	d, err := Prepare(ctx, m, digest, MakeOptions{ContentType: r.signed.ContentType})
	if err != nil {
		return nil, err
	}
	return r.addition(d, nil)
}

// PrepareCountersignature prepares a signature over the value of the one that
// Read names id (RFC 5652 section 11.4); the content need not be there. Where an archive
// time stamp covers all unsigned attributes as they stand (those before version 3),
// none can be added. Errors: as for Add.
func PrepareCountersignature(ctx context.Context, in ades.Input, id string, m ades.Making) (*Addition, error) {
	r, err := openMessage(ctx, in)
	if err != nil {
		return nil, err
	}
	if _, err := r.signatures(); err != nil {
		return nil, err
	}
	path := r.find(r.signers, id)
	if path == nil {
		return nil, fmt.Errorf("%w: no signature is named %q", ades.ErrUnsuitable, id)
	}
	signed := path[len(path)-1]
	if err := signed.sound(len(r.sources) > 0); err != nil {
		return nil, fmt.Errorf("signature %s: %w", id, err)
	}
	if path[0].freezes() || len(path) > 1 && slices.ContainsFunc(path[0].stamps, func(st stamp) bool { return st.kind == ades.ArchiveTS }) {
		return nil, fmt.Errorf("%w: an archive time stamp covers signature %s, to which nothing can be added", ades.ErrUnsuitable, id)
	}
	m.ContentStamp, m.MIMEType = nil, ""
	if !m.Algorithm.Hash.Available() {
		return nil, fmt.Errorf("%w: digest of the algorithm", ades.ErrUnsuitable)
	}
	d, err := prepare(ctx, m, digestOf(m.Algorithm.Hash, signed.info.Signature), MakeOptions{})
	if err != nil {
		return nil, err
	}
	return r.addition(d, path)
}

// addition makes sure that there is room for the certificates.
func (r *reading) addition(d *Draft, path []*signer) (*Addition, error) {
	if slices.ContainsFunc(r.signers, (*signer).freezes) && !slices.ContainsFunc(r.certificates, d.making.Certificate.Equal) {
		return nil, fmt.Errorf("%w: an archive time stamp covers the certificates of the message, to which none can be added", ades.ErrUnsuitable)
	}
	return &Addition{Draft: d, reading: r, path: path}, nil
}

// find is the way to the signature of that name.
func (r *reading) find(list []*signer, id string) []*signer {
	for _, s := range list {
		if s.id == id {
			return []*signer{s}
		}
		if strings.HasPrefix(id, s.id+"-") {
			if path := r.find(s.counterSigners, id); path != nil {
				return append([]*signer{s}, path...)
			}
		}
	}
	return nil
}

// Finish writes the message with the new signature and returns what Read names
// it. The signature is raised if r is not nil, a counter-signature to level B-LT
// at most: an archive time stamp is over the signature that holds it. Errors: ades.ErrValue, those of
// Raise.
func (a *Addition) Finish(ctx context.Context, value []byte, r *ades.Raising, w io.Writer) (id string, err error) {
	info, err := a.SignerInfo(value)
	if err != nil {
		return "", err
	}
	e := a.reading.signed.Edit()
	if !slices.ContainsFunc(a.reading.signers, (*signer).freezes) {
		a.addTo(e)
	} else {
		e.AddDigest(a.digestAlg)
	}
	if a.path != nil {
		return a.countersign(ctx, e, info, r, w)
	}
	i := e.AddSigner(info)
	if r != nil && r.Level > ades.LevelB {
		if e, i, err = a.raise(ctx, e, i, *r); err != nil {
			return "", err
		}
	}
	_, err = e.Write(ctx, w)
	return signerName(e, i), err
}

// signerName is what Read names the signer with that index.
func signerName(e *cms.Edit, i int) string { return fmt.Sprintf("signer-%d", e.Place(i)+1) }

// raise raises the new signature, the one with index i.
func (a *Addition) raise(ctx context.Context, e *cms.Edit, i int, o ades.Raising) (*cms.Edit, int, error) {
	o.IDs = []string{signerName(e, i)}
	next, err := a.reading.again(ctx, e)
	if err != nil {
		return nil, 0, err
	}
	raised, err := next.raise(o)
	if err != nil {
		return nil, 0, err
	}
	raised.ContentOf(a.reading.signed)
	return raised, e.Place(i), nil
}

// again reads a message as it will be written. The contents are the same.
func (r *reading) again(ctx context.Context, e *cms.Edit) (*reading, error) {
	signed, err := e.Detach(ctx)
	if err != nil {
		return nil, err
	}
	next := newReading(ctx, signed, r.options)
	next.sources = r.sources
	return next, nil
}

// countersign puts a counter-signature into the SignerInfo that it is over.
func (a *Addition) countersign(ctx context.Context, e *cms.Edit, info []byte, r *ades.Raising, w io.Writer) (string, error) {
	if r != nil && r.Level > ades.LevelB {
		parsed := cms.ParseSigner(info)
		var err error
		if info, err = stampSignature(ctx, &parsed, r); err != nil {
			return "", err
		}
	}
	top := slices.Index(a.reading.signers, a.path[0])
	raw, suffix, err := a.embed(info)
	if err != nil {
		return "", err
	}
	e.SetSigner(top, raw)
	id := signerName(e, top) + suffix
	if r != nil && r.Level > ades.LevelT {
		if e, err = a.prove(ctx, e, id, r); err != nil {
			return "", err
		}
	}
	_, err = e.Write(ctx, w)
	return id, err
}

// embed is the outermost SignerInfo with the counter-signature in it, and the end of that one's name.
func (a *Addition) embed(info []byte) (raw []byte, suffix string, err error) {
	attribute, err := cms.MarshalAttribute(oidCounterSignature, info)
	if err != nil {
		return nil, "", err
	}
	inner := a.path[len(a.path)-1]
	raw = inner.info.WithUnsigned(false, attribute)
	suffix = fmt.Sprintf("-counter-%d", counterNumber(raw, info))
	for n := len(a.path) - 2; n >= 0; n-- {
		outer, child := a.path[n], a.path[n+1]
		suffix = strings.TrimPrefix(child.id, outer.id) + suffix
		for i, attr := range outer.info.UnsignedAttrs {
			at := slices.IndexFunc(attr.Values, func(value []byte) bool { return bytes.Equal(value, child.info.Raw) })
			if attr.Type != oidCounterSignature || at < 0 {
				continue
			}
			if raw, err = outer.info.ReplaceUnsigned(i, at, raw); err != nil {
				return nil, "", err
			}
			break
		}
	}
	return raw, suffix, nil
}

// counterNumber is the place, from 1, of a counter-signature among those of a SignerInfo.
func counterNumber(signer, counter []byte) int {
	n := 0
	for _, a := range cms.Find(cms.ParseSigner(signer).UnsignedAttrs, oidCounterSignature) {
		for _, value := range a.Values {
			if n++; bytes.Equal(value, counter) {
				return n
			}
		}
	}
	return 0
}

// prove adds the evidence for a counter-signature that stands in the message.
func (a *Addition) prove(ctx context.Context, e *cms.Edit, id string, r *ades.Raising) (*cms.Edit, error) {
	next, err := a.reading.again(ctx, e)
	if err != nil {
		return nil, err
	}
	if _, err := next.signatures(); err != nil {
		return nil, err
	}
	path := next.find(next.signers, id)
	if path == nil || r.Evidence == nil || slices.ContainsFunc(next.signers, (*signer).freezes) {
		return nil, fmt.Errorf("%w: no place for the evidence of a counter-signature", ades.ErrUnsuitable)
	}
	have := collect(path[0].sig)
	values, err := r.Evidence(ctx, needs(path[len(path)-1].sig, time.Time{}), have.pool, have.values)
	if err != nil {
		return nil, fmt.Errorf("raising signature %s to %v: %w", id, ades.LevelLT, err)
	}
	out := next.signed.Edit()
	addValues(out, values)
	out.ContentOf(a.reading.signed)
	return out, nil
}
