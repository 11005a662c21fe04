package xades

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Packaging is where the data stand that a signature is over.
type Packaging int

// The packagings.
const (
	PackEnveloped  Packaging = iota // in the document that the signature is put into
	PackEnveloping                  // in ds:Object within the signature, a document of its own
	PackDetached                    // in files beside it
)

// Ref is one thing to be signed.
type Ref struct {
	// URI is "" for the document, "#id" for an element of it, else the name of one of the files, as it is: it is percent-encoded in the signature.
	URI string
	// MIMEType of it; empty: Making.MIMEType if there is one reference, else text/xml of a document and application/octet-stream of a file.
	MIMEType string
}

// MakeOptions say how a signature is made. The zero value is an enveloped signature over the whole document.
type MakeOptions struct {
	Packaging Packaging
	// References are what is signed; none: the document, or of other packagings every file.
	References []Ref
	// Parent is the ID of the element that the signature becomes the last child of; empty: the document element.
	Parent string
	// Canonicalization is the algorithm's URI; empty: exclusive canonicalisation 1.0 without comments.
	Canonicalization string
	// Alone has references that contain the signature leave out this very signature only, not all: what the simplest readers want. No
	// further signature can be put into the document then.
	Alone bool
	// Inline has files that are XML stand in an enveloping signature as elements; else as base64, every byte kept.
	Inline bool
}

// Draft is a signature of which only the value is missing. It may be finished more than once.
type Draft struct {
	*building
	digest []byte
}

// Prepare makes a signature up to its value. doc is the document that it is put into, nil for a new one (UTF-8, the signature its
// document element); files are what references name by file name. Errors: ades.ErrUnsuitable, ades.ErrBroken, those of the files, of
// m.ContentStamp and of ctx.
func Prepare(ctx context.Context, m ades.Making, doc []byte, files []ades.Content, o MakeOptions) (*Draft, error) {
	b, err := newBuilding(m, o)
	if err != nil {
		return nil, err
	}
	b.files = files
	switch {
	case doc != nil && o.Packaging == PackEnveloping:
		return nil, fmt.Errorf("%w: an enveloping signature is a document of its own", ades.ErrUnsuitable)
	case doc != nil:
		if err = b.into(ctx, doc); err != nil {
			return nil, err
		}
	case o.Packaging == PackEnveloped:
		return nil, fmt.Errorf("%w: an enveloped signature needs a document to stand in", ades.ErrUnsuitable)
	}
	if err := b.references(); err != nil {
		return nil, err
	}
	return b.finish(ctx)
}

// into finds the place in the document, and what is signed in it already.
func (b *building) into(ctx context.Context, raw []byte) (err error) {
	if b.doc, err = parse(raw); err != nil {
		return err
	}
	b.raw, b.parent = raw, b.doc.Root()
	if id := b.options.Parent; id != "" {
		if b.parent, err = b.doc.ByID(strings.TrimPrefix(id, "#")); err != nil {
			return fmt.Errorf("%w: the place for the signature: %w", ades.ErrUnsuitable, err)
		}
	}
	for n := b.parent; n != nil; n = n.Parent() {
		if n.Is(xmldsig.NamespaceDS, "Signature") {
			return fmt.Errorf("%w: the place for the signature is inside another signature; sign the file as a whole, detached or in a container, or counter-sign", ades.ErrUnsuitable)
		}
	}
	b.place = func(signature string) []xmldsig.Edit { return []xmldsig.Edit{b.doc.Append(b.parent, signature)} }
	if len(b.doc.Signatures()) == 0 {
		return nil
	}
	if b.earlier, err = readParsed(ctx, b.doc, nil, Options{}); err != nil {
		return err
	}
	return b.earlier.sound()
}

// ID is the Id of the signature, as Read names it.
func (d *Draft) ID() string { return d.id }

// Digest is what the key signs, by Making.Algorithm.Hash.
func (d *Draft) Digest() []byte { return d.digest }

// Finish puts the value in, raises the signature to r's level if r is not nil, and returns the document. value is as crypto.Signer gives
// it, ECDSA in DER. Errors: ades.ErrValue, and those of Raise.
func (d *Draft) Finish(ctx context.Context, value []byte, r *ades.Raising) ([]byte, error) {
	m := &d.making
	if err := m.Algorithm.Verify(m.Certificate.PublicKey, d.digest, value); err != nil {
		return nil, fmt.Errorf("%w: %w", ades.ErrValue, err)
	}
	if m.Algorithm.Scheme == sigalg.ECDSA {
		size, err := valueSize(*m)
		if err != nil {
			return nil, err
		}
		if value, err = sigalg.ECDSAToRaw(value, size); err != nil {
			return nil, fmt.Errorf("%w: %w", ades.ErrValue, err)
		}
	}
	whole := *d.building
	whole.text = slices.Clone(d.text)
	fill(whole.text, d.value, value)
	doc, err := whole.document()
	if err != nil || r == nil || r.Level == ades.LevelB {
		return doc, err
	}
	own := *r
	own.IDs = []string{d.id}
	return Raise(ctx, doc, Detached(d.files), own)
}

// PrepareCountersignature makes a signature over the value of the one that Read names id, to stand among its unsigned properties.
// Errors as for Prepare.
func PrepareCountersignature(ctx context.Context, doc []byte, id string, m ades.Making) (*Draft, error) {
	b, err := newBuilding(m, MakeOptions{})
	if err != nil {
		return nil, err
	}
	if b.doc, err = parse(doc); err != nil {
		return nil, err
	}
	b.raw = doc
	if b.earlier, err = readParsed(ctx, b.doc, nil, Options{}); err != nil {
		return nil, err
	}
	signed := b.earlier.find(id)
	switch {
	case signed == nil:
		return nil, fmt.Errorf("%w: there is no signature %.200q", ades.ErrUnsuitable, id)
	case signed.signed == nil:
		return nil, fmt.Errorf("%w: signature %.200q is a plain XML signature: it has no place for a counter-signature", ades.ErrUnsuitable, id)
	}
	if err := signed.sound(); err != nil {
		return nil, err
	}
	if err := signed.growing(); err != nil {
		return nil, err
	}
	var named []xmldsig.Edit
	valueID := signed.dsig.ValueNode.Get("Id")
	if valueID == "" && signed.archived() {
		return nil, fmt.Errorf("%w: the value of signature %.200q has no Id by which a counter-signature could name it, and an archive time stamp is over it", ades.ErrUnsuitable, id)
	}
	if valueID == "" { // the attribute is under no signature; whether another time stamp is over it turns out
		valueID = free(b.doc, "value-"+fmt.Sprintf("%x", ades.ObjectDigest(signed.dsig.Value))[:16], nil)
		named = []xmldsig.Edit{b.doc.AddAttribute(signed.dsig.ValueNode, "Id", valueID)}
	}
	b.parent = signed.dsig.Node
	b.items = []item{{uri: "#" + valueID, kind: typePrefix + typeCounterSigned, transforms: []string{exclusive}}}
	b.place = func(signature string) []xmldsig.Edit {
		w := &writer{}
		w.start("xades:CounterSignature", signed.ownPrefix()...)
		w.buf = append(w.buf, signature...)
		w.end(1)
		return append(named[:len(named):len(named)], signed.addUnsigned(string(w.buf)))
	}
	return b.finish(ctx)
}

// addUnsigned is the edit that puts a property behind the other unsigned ones, whose elements it makes if they are missing.
func (s *signature) addUnsigned(property string) xmldsig.Edit {
	if s.unsigned != nil {
		return s.doc.Append(s.unsigned, property)
	}
	w := &writer{}
	around := child(s.qualifying, "UnsignedProperties")
	if around == nil {
		w.start("xades:UnsignedProperties", s.ownPrefix()...)
	}
	w.start("xades:UnsignedSignatureProperties", s.ownPrefix()...)
	w.buf = append(w.buf, property...)
	w.end(len(w.open))
	if around == nil {
		return s.doc.Append(s.qualifying, string(w.buf))
	}
	if data := child(around, "UnsignedDataObjectProperties"); data != nil { // come behind
		return s.doc.Before(data, string(w.buf))
	}
	return s.doc.Append(around, string(w.buf))
}

// ownPrefix declares the prefix xades for the version of XAdES that the signature is of, unless it is in force.
func (s *signature) ownPrefix() []string {
	space := s.qualifying.Space()
	if uri, _ := s.around().Namespace("xades"); uri == space {
		return nil
	}
	return []string{"xmlns:xades", space}
}

// valueSize is the length of a value as XML has it.
func valueSize(m ades.Making) (int, error) {
	switch key := m.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if m.Algorithm.Scheme == sigalg.PKCS1 || m.Algorithm.Scheme == sigalg.PSS {
			return key.Size(), nil
		}
	case *ecdsa.PublicKey:
		if m.Algorithm.Scheme == sigalg.ECDSA {
			return 2 * ((key.Curve.Params().N.BitLen() + 7) / 8), nil
		}
	}
	return 0, fmt.Errorf("%w: %v does not go with a key of kind %s", ades.ErrUnsuitable, m.Algorithm, sigalg.KeyName(m.Certificate.PublicKey))
}
