// Package xades reads and makes XML signatures. It reads XAdES 1.1.1 to 1.4.1
// with its older forms -C, -X, -XL and -A, and plain XML Signature; enveloped,
// enveloping and detached; several in a document, counter-signatures, manifests;
// and gives facts in the model of package ades. It makes XAdES 1.3.2 of the
// baseline levels.
//
// Read reads a file; ReadDocument a document whose references are answered by
// the caller, as containers need it. Prepare and Draft.Finish make a signature,
// PrepareCountersignature one over another; Raise brings signatures to a higher
// level, those of other makers too. A document that something is put into keeps
// every other byte, in its own encoding: nothing is written anew.
//
// An attribute counts as signed only if a reference covers the
// SignedProperties element inside this very signature. What a reference names
// is told by element, and never guessed: an ID that stands twice names
// nothing.
//
// Out of scope: trust, time and policy, for package verify; XML time stamps
// (only RFC 3161 tokens are read) and evidence records.
//
// References: ETSI EN 319 132-1 and -2, ETSI TS 101 903 v1.1.1, v1.2.2, v1.3.2,
// v1.4.2, W3C XML Signature 1.1.
package xades

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Resolver finds what a reference names that leads out of the document. uri is
// as written, empty also when the attribute is absent. It returns candidates,
// best first: the first whose digest fits is taken. None means that the data
// are not there; one alone is what was meant, fitting or not.
type Resolver func(uri string) []ades.Content

// Options of ReadDocument. The zero value is right for a file of its own.
type Options struct {
	// Limits of the document and of what transforms parse.
	Limits xmldsig.Limits
	// ID begins the identifiers of signatures that have none; "signature" if empty.
	ID string
	// known has the digests of files from an earlier reading, or is nil.
	known *outside
}

// maxSignatures bounds the signatures of a document, counter-signatures included.
const maxSignatures = 1000

// Read reads all signatures of an XML file. Detached contents are matched by
// the file name in the reference, and by digest where no name fits. Errors:
// ades.ErrNoSignature, ades.ErrRefused, those of the file and of ctx.
func Read(ctx context.Context, in ades.Input) ([]*ades.Signature, error) {
	var o Options
	limit := int64(64 << 20)
	if in.Size > limit {
		return nil, fmt.Errorf("%w: XML of %d bytes, at most %d", ades.ErrRefused, in.Size, limit)
	}
	data := make([]byte, in.Size)
	if _, err := in.Data.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	return ReadDocument(ctx, data, Detached(in.Detached), o)
}

// ReadDocument reads all signatures of an XML document. resolve may be nil.
// Errors as for Read.
func ReadDocument(ctx context.Context, xml []byte, resolve Resolver, o Options) ([]*ades.Signature, error) {
	doc, err := xmldsig.Parse(xml, o.Limits)
	if err != nil {
		return nil, err
	}
	return ReadParsed(ctx, doc, resolve, o)
}

// ReadParsed is ReadDocument for a document that is parsed already.
func ReadParsed(ctx context.Context, doc *xmldsig.Document, resolve Resolver, o Options) ([]*ades.Signature, error) {
	r, err := readParsed(ctx, doc, resolve, o)
	if err != nil {
		return nil, err
	}
	list := make([]*ades.Signature, len(r.top))
	for i, s := range r.top {
		list[i] = s.out
	}
	return list, nil
}

func readParsed(ctx context.Context, doc *xmldsig.Document, resolve Resolver, o Options) (*reading, error) {
	nodes := doc.Signatures()
	if len(nodes) == 0 {
		return nil, fmt.Errorf("reading XML: %w", ades.ErrNoSignature)
	}
	if len(nodes) > maxSignatures {
		return nil, fmt.Errorf("%w: %d signatures in one document", ades.ErrRefused, len(nodes))
	}
	if o.ID == "" {
		o.ID = "signature"
	}
	if resolve == nil {
		resolve = func(string) []ades.Content { return nil }
	}
	r := &reading{ctx: ctx, doc: doc, options: o, processor: xmldsig.NewProcessor(doc, o.Limits), outside: newOutside(ctx, resolve),
		byNode: map[*xmldsig.Node]*signature{}, read: map[*xmldsig.Node]bool{}, ids: map[string]bool{}, nested: map[*xmldsig.Node]bool{}}
	if o.known != nil {
		r.outside.digests = o.known.digests
	}
	for _, n := range nodes {
		r.ids[n.Get("Id")] = true
		if p := n.Parent(); isXAdES(p, "CounterSignature") {
			r.nested[n] = true
		}
	}
	for _, counters := range []bool{false, true} { // a counter-signature that counter-signs nothing stands for itself
		for _, n := range nodes {
			if r.read[n] || r.nested[n] && !counters {
				continue
			}
			r.top = append(r.top, r.signature(n, nil))
			if r.err != nil {
				return nil, r.err
			}
		}
	}
	r.findStray()
	return r, nil
}

// reading is the reading of one document.
type reading struct {
	ctx       context.Context
	doc       *xmldsig.Document
	options   Options
	processor *xmldsig.Processor
	outside   *outside
	top       []*signature // as they are returned
	byNode    map[*xmldsig.Node]*signature
	read      map[*xmldsig.Node]bool // signatures dealt with
	nested    map[*xmldsig.Node]bool // those in a CounterSignature element
	ids       map[string]bool        // of signatures, taken
	verified  int                    // values checked to find a signer
	err       error                  // of ctx or of a file: ends all
}

// fail keeps an error that is not about the signature but about the machine.
func (r *reading) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// newID gives a signature without Id one.
func (r *reading) newID() string {
	for i := 1; ; i++ {
		if id := fmt.Sprintf("%s-%d", r.options.ID, i); !r.ids[id] {
			r.ids[id] = true
			return id
		}
	}
}
