package xades

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"

// building is a signature in the making.
type building struct {
	making  ades.Making
	options MakeOptions
	files   []ades.Content
	items   []item
	id      string
	// doc is what it is put into, nil for a new document; raw are its bytes, parent is the element around the signature, and place tells
	// what changes when the text of the signature comes in.
	doc    *xmldsig.Document
	raw    []byte
	parent *xmldsig.Node
	place  func(signature string) []xmldsig.Edit
	// earlier are the signatures in doc, nil if there are none.
	earlier *reading

	algorithm, digest string // URIs
	method            xmldsig.Method
	stamp             []byte // token over the content, or nil
	// text is the signature; value is where in it the value goes.
	text  []byte
	value int
}

// newBuilding checks what concerns every signature.
func newBuilding(m ades.Making, o MakeOptions) (*building, error) {
	if o.Canonicalization == "" {
		o.Canonicalization = exclusive
	}
	b := &building{making: m, options: o}
	var ok bool
	if b.method, ok = xmldsig.MethodByURI(o.Canonicalization); !ok {
		return nil, fmt.Errorf("%w: canonicalisation %.120q is not known", ades.ErrUnsuitable, o.Canonicalization)
	}
	var err error
	if b.algorithm, err = m.Algorithm.URI(); err != nil {
		return nil, fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
	}
	if _, err := valueSize(m); err != nil {
		return nil, err
	}
	if b.digest = sigalg.HashURI(m.Algorithm.Hash); b.digest == "" || !m.Algorithm.Hash.Available() {
		return nil, fmt.Errorf("%w: %s has no name in XML", ades.ErrUnsuitable, sigalg.HashName(m.Algorithm.Hash))
	}
	return b, nil
}

// parse reads a document that is to be changed, and says in plain words why it cannot be.
func parse(raw []byte) (*xmldsig.Document, error) {
	doc, err := xmldsig.Parse(raw, xmldsig.Limits{})
	switch {
	case errors.Is(err, xmldsig.ErrDOCTYPE):
		return nil, fmt.Errorf("%w: the document has a DOCTYPE, which could change what others read in it; remove it, or sign the file as a whole, detached or in a container", ades.ErrUnsuitable)
	case err != nil:
		return nil, fmt.Errorf("%w: the document is no XML that can be signed: %w", ades.ErrUnsuitable, err)
	}
	return doc, nil
}

// name chooses the Id of the signature: it tells certificate, time and references apart, and no element of the document has it or one
// derived from it.
func (b *building) name() {
	h := sha256.New()
	h.Write(b.making.Certificate.Raw)
	io.WriteString(h, b.making.Time.UTC().Format(time.RFC3339))
	for i := range b.items {
		fmt.Fprintf(h, "\x00%s", b.items[i].uri)
	}
	base := "signature-" + hex.EncodeToString(h.Sum(nil)[:8])
	b.id = base
	for i := 2; b.taken(); i++ {
		b.id = base + "-" + strconv.Itoa(i)
	}
}

func (b *building) taken() bool {
	ids := []string{b.id, b.valueID(), b.propertiesID(), b.keyID(), b.stampID()}
	for i := range b.items {
		ids = append(ids, b.referenceID(i), b.objectID(i))
	}
	for _, id := range ids {
		if b.doc.HasID(id) {
			return true
		}
	}
	return false
}

func (b *building) valueID() string          { return b.id + "-value" }
func (b *building) propertiesID() string     { return b.id + "-properties" }
func (b *building) keyID() string            { return b.id + "-key" }
func (b *building) stampID() string          { return b.id + "-content-stamp" }
func (b *building) referenceID(i int) string { return fmt.Sprintf("%s-reference-%d", b.id, i+1) }
func (b *building) objectID(i int) string    { return fmt.Sprintf("%s-object-%d", b.id, i+1) }

// finish does what is left when the references are known: the content stamp, the digests, the digest to sign.
func (b *building) finish(ctx context.Context) (*Draft, error) {
	b.name()
	if b.making.ContentStamp != nil && !b.counter() {
		if err := b.stampContent(ctx); err != nil {
			return nil, err
		}
	}
	holes, err := b.write()
	if err != nil {
		return nil, err
	}
	doc, sig, err := b.assembled()
	if err != nil {
		return nil, err
	}
	processor := xmldsig.NewProcessor(doc, xmldsig.Limits{})
	for i, ref := range sig.References {
		var from *xmldsig.Source
		if i < len(b.items) && b.items[i].file != nil && !b.items[i].object {
			from = source(b.items[i].file)
		}
		digest, err := processor.Digest(ctx, ref, from, b.making.Algorithm.Hash)
		if err != nil {
			return nil, unsuitable(ref, err)
		}
		fill(b.text, holes[i], digest)
	}
	if b.earlier != nil {
		if err := b.earlier.keeps(ctx, doc, nil); err != nil {
			return nil, err
		}
	}
	d := &Draft{building: b}
	d.digest, err = b.hashSignedInfo(ctx)
	return d, err
}

// unsuitable makes errors of resolving a reference those of making.
func unsuitable(ref *xmldsig.Reference, err error) error {
	for _, known := range []error{xmldsig.ErrNotFound, xmldsig.ErrDuplicateID, xmldsig.ErrUnsupported, xmldsig.ErrInvalid, xmldsig.ErrLimit} {
		if errors.Is(err, known) {
			return fmt.Errorf("%w: what %.200q names cannot be hashed: %w", ades.ErrUnsuitable, ref.URI, err)
		}
	}
	return fmt.Errorf("hashing %.200q: %w", ref.URI, err)
}

// document is the whole document with the signature as it is by now.
func (b *building) document() ([]byte, error) {
	if b.doc == nil {
		return append([]byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"), b.text...), nil
	}
	out, err := b.doc.Splice(b.raw, b.place(string(b.text))...)
	if err != nil {
		if errors.Is(err, xmldsig.ErrInvalid) {
			err = fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
		}
		return nil, fmt.Errorf("putting the signature into the document: %w", err)
	}
	return out, nil
}

// assembled parses the whole document and finds the signature in it.
func (b *building) assembled() (*xmldsig.Document, *xmldsig.Signature, error) {
	raw, err := b.document()
	if err != nil {
		return nil, nil, err
	}
	doc, err := parse(raw)
	if err != nil {
		return nil, nil, err
	}
	n, err := doc.ByID(b.id)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
	}
	sig, err := xmldsig.ReadSignature(n)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
	}
	return doc, sig, nil
}

// hashSignedInfo gives what is signed. Exclusive canonicalisation takes nothing from around the signature, so that its own text is enough.
func (b *building) hashSignedInfo(ctx context.Context) ([]byte, error) {
	var doc *xmldsig.Document
	var sig *xmldsig.Signature
	var err error
	if b.method.Exclusive {
		if doc, err = parse(b.text); err == nil {
			sig, err = xmldsig.ReadSignature(doc.Root())
		}
	} else {
		doc, sig, err = b.assembled()
	}
	if err != nil {
		return nil, err
	}
	h := b.making.Algorithm.Hash.New()
	if err := doc.Canonicalize(ctx, h, sig.SignedInfo, b.method); err != nil {
		return nil, fmt.Errorf("hashing SignedInfo: %w", err)
	}
	return h.Sum(nil), nil
}

// stampContent gets the time stamp over all references. EN 319 132-1, 5.2.8.1.
func (b *building) stampContent(ctx context.Context) error {
	if _, err := b.write(); err != nil {
		return err
	}
	doc, sig, err := b.assembled()
	if err != nil {
		return err
	}
	processor := xmldsig.NewProcessor(doc, xmldsig.Limits{})
	h := b.making.Algorithm.Hash.New()
	for i, ref := range sig.References[:len(b.items)] {
		var from *xmldsig.Source
		if b.items[i].file != nil && !b.items[i].object {
			from = source(b.items[i].file)
		}
		if err := processor.WriteWith(ctx, h, ref, from, b.method); err != nil {
			return unsuitable(ref, err)
		}
	}
	if b.stamp, err = b.making.ContentStamp(ctx, b.making.Algorithm.Hash, h.Sum(nil)); err != nil {
		return fmt.Errorf("time-stamping the content: %w", err)
	}
	return nil
}
