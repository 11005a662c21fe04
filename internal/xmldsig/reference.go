package xmldsig

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"io"
	"strings"
)

// Source is data that a reference names outside the document.
type Source struct {
	Name string
	// Open gives the octets. Nil if only digests are known.
	Open func() (io.ReadCloser, error)
	// Digests of the octets, used when Open is nil and nothing is transformed.
	Digests map[crypto.Hash][]byte
}

// Processor resolves, transforms and hashes what references name. It is for one document and one goroutine: what its references cost
// together is bounded.
type Processor struct {
	// Limits for documents that transforms parse.
	Limits Limits

	doc    *Document
	budget budget
	steps  int64
}

// NewProcessor makes a Processor for the references in d.
func NewProcessor(d *Document, limits Limits) *Processor {
	return &Processor{Limits: limits, doc: d, budget: budget{octets: outputLimit(d)}}
}

// Target returns the element that a same-document reference names, or nil for the whole document. ok is false if it names something
// outside.
func (d *Document) Target(r *Reference) (n *Node, ok bool, err error) {
	switch {
	case r.HasURI && (r.URI == "" || r.URI == "#xpointer(/)"):
		return nil, true, nil
	case !strings.HasPrefix(r.URI, "#"):
		return nil, false, nil
	}
	id, _, ok := Fragment(r.URI)
	if !ok {
		return nil, true, fmt.Errorf("the fragment %.200q: %w", r.URI, ErrUnsupported)
	}
	n, err = d.ByID(id)
	return n, true, err
}

// Write writes the octets that r digests: what it names, after its transforms. source is what it names outside the document, nil for a
// same-document reference.
func (p *Processor) Write(ctx context.Context, w io.Writer, r *Reference, source *Source) error {
	data, err := p.resolve(r, source)
	if err != nil {
		return err
	}
	if data, err = p.transform(ctx, data, r.Transforms); err != nil {
		return err
	}
	return p.write(ctx, w, data, Method{})
}

// WriteWith is Write where a node-set that is left after the transforms is brought into octets by m: what time stamps cover.
func (p *Processor) WriteWith(ctx context.Context, w io.Writer, r *Reference, source *Source, m Method) error {
	data, err := p.resolve(r, source)
	if err != nil {
		return err
	}
	if data, err = p.transform(ctx, data, r.Transforms); err != nil {
		return err
	}
	return p.write(ctx, w, data, m)
}

// Digest hashes what r names. For a source of which only digests are known it is the one that fits.
func (p *Processor) Digest(ctx context.Context, r *Reference, source *Source, hash crypto.Hash) ([]byte, error) {
	if source != nil && source.Open == nil {
		digest := source.Digests[hash]
		if digest == nil || len(r.Transforms) > 0 {
			return nil, fmt.Errorf("%.200q is known by other digests only: %w", source.Name, ErrNotFound)
		}
		return digest, nil
	}
	h := hash.New()
	if err := p.Write(ctx, h, r, source); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// Canonicalize writes the canonical form of an element, counted with the references.
func (p *Processor) Canonicalize(ctx context.Context, w io.Writer, n *Node, m Method) error {
	return canonicalize(ctx, w, p.doc.subtree(n, true), m, &p.budget)
}

// Transform writes octets after the transforms: what signature policies are hashed with.
func (p *Processor) Transform(ctx context.Context, w io.Writer, transforms []*Node, octets []byte) error {
	data, err := p.transform(ctx, data{octets: octets, known: true}, transforms)
	if err != nil {
		return err
	}
	return p.write(ctx, w, data, Method{})
}

// data is what transforms work on: a node-set, the canonical form of one, octets at hand, or octets to be opened.
type data struct {
	set    *nodeSet
	method *Method // if set: the octets that it makes of set
	octets []byte
	known  bool
	open   func() (io.ReadCloser, error)
}

func (p *Processor) resolve(r *Reference, source *Source) (data, error) {
	if source != nil {
		if source.Open == nil {
			return data{}, fmt.Errorf("%.200q is known by its digest only: %w", source.Name, ErrNotFound)
		}
		return data{open: source.Open}, nil
	}
	n, same, err := p.doc.Target(r)
	switch {
	case err != nil:
		return data{}, err
	case !same:
		return data{}, fmt.Errorf("%.200q: %w", r.URI, ErrNotFound)
	case n == nil:
		return data{set: p.doc.subtree(p.doc.node, r.URI != "")}, nil
	}
	_, comments, _ := Fragment(r.URI)
	return data{set: p.doc.subtree(n, comments)}, nil
}

// write brings d into octets.
func (p *Processor) write(ctx context.Context, w io.Writer, d data, m Method) error {
	switch {
	case d.method != nil:
		return canonicalize(ctx, w, d.set, *d.method, &p.budget)
	case d.set != nil:
		return canonicalize(ctx, w, d.set, m, &p.budget)
	case d.known:
		_, err := w.Write(d.octets)
		return err
	}
	r, err := d.open()
	if err != nil {
		return err
	}
	defer r.Close()
	return copyContext(ctx, w, r)
}

// copyContext is io.Copy that ends with its context.
func copyContext(ctx context.Context, w io.Writer, r io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// bytes gives the octets, in memory and thus bounded.
func (p *Processor) bytes(ctx context.Context, d data) ([]byte, error) {
	if d.known {
		return d.octets, nil
	}
	limit := p.Limits.withDefaults().Bytes
	b := &boundedBuffer{left: limit}
	if err := p.write(ctx, b, d, Method{}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// boundedBuffer is a buffer that does not grow beyond a limit.
type boundedBuffer struct {
	bytes.Buffer
	left int64
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, fmt.Errorf("data for a transform: %w", ErrLimit)
	}
	return b.Buffer.Write(p)
}

// nodes gives the node-set; octets are parsed. XML Signature, section 4.4.3.2.
func (p *Processor) nodes(ctx context.Context, d data) (*nodeSet, error) {
	if d.set != nil && d.method == nil {
		return d.set, nil
	}
	octets, err := p.bytes(ctx, d)
	if err != nil {
		return nil, err
	}
	doc, err := ParseContent(octets, p.Limits)
	if err != nil {
		return nil, fmt.Errorf("a transform needs XML: %v: %w", err, ErrInvalid)
	}
	return doc.subtree(doc.node, true), nil
}
