package xades

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// item is one thing that is signed, SignedProperties apart.
type item struct {
	uri, kind  string // as written; kind is the Type
	transforms []string
	mime       string
	file       *ades.Content // or nil
	// object: the file stands in an object, whose content this is, and how it is encoded.
	object   bool
	content  []byte
	encoding string
}

// references makes the items of what the options name.
func (b *building) references() error {
	refs := b.options.References
	if len(refs) == 0 && b.options.Packaging == PackEnveloped {
		refs = []Ref{{}}
	}
	if len(refs) == 0 {
		for _, f := range b.files {
			if f.Name == "" {
				return fmt.Errorf("%w: a file without a name, by which the signature could name it", ades.ErrUnsuitable)
			}
			refs = append(refs, Ref{URI: f.Name})
		}
	}
	if len(refs) == 0 || len(refs) >= xmldsig.MaxReferences {
		return fmt.Errorf("%w: %d references, at least 1 and at most %d", ades.ErrUnsuitable, len(refs), xmldsig.MaxReferences-1)
	}
	for _, ref := range refs {
		it := item{uri: ref.URI, mime: ref.MIMEType}
		if it.mime == "" && len(refs) == 1 {
			it.mime = b.making.MIMEType
		}
		var err error
		if named := func(f ades.Content) bool { return f.Name == ref.URI }; ref.URI == "" || ref.URI[0] == '#' && !slices.ContainsFunc(b.files, named) {
			err = b.element(&it)
		} else {
			err = b.fileItem(&it)
		}
		if err != nil {
			return err
		}
		b.items = append(b.items, it)
	}
	return nil
}

// element is an item that is the document or an element of it.
func (b *building) element(it *item) error {
	if b.doc == nil {
		return fmt.Errorf("%w: there is no document that %.100q could be in", ades.ErrUnsuitable, it.uri)
	}
	target, _, err := b.doc.Target(&xmldsig.Reference{URI: it.uri, HasURI: true})
	if err != nil {
		return fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
	}
	if it.mime == "" {
		it.mime = "text/xml"
	}
	switch holds := target == nil || target.Contains(b.parent); {
	case !holds:
	case b.options.Alone:
		it.transforms = []string{xmldsig.TransformEnveloped}
	default:
		if err := b.nothingHidden(target); err != nil {
			return err
		}
		it.transforms = []string{xmldsig.TransformXPath2}
	}
	it.transforms = append(it.transforms, b.options.Canonicalization)
	return nil
}

// nothingHidden fails if what is in target inside signatures is more than sound signatures: a signature that leaves out all signatures would
// leave that out as well.
func (b *building) nothingHidden(target *xmldsig.Node) error {
	if b.earlier == nil {
		return nil
	}
	for _, n := range b.doc.Signatures() {
		if target != nil && !target.Contains(n) || b.earlier.inSignature(n) {
			continue
		}
		if err := b.earlier.whole(n); err != nil {
			return err
		}
	}
	return nil
}

// fileItem is an item that is a file, detached or in an object.
func (b *building) fileItem(it *item) error {
	for i := range b.files {
		if b.files[i].Name != it.uri {
			continue
		}
		if it.file != nil {
			return fmt.Errorf("%w: two files have the name %.200q", ades.ErrUnsuitable, it.uri)
		}
		it.file = &b.files[i]
	}
	if it.file == nil {
		return fmt.Errorf("%w: there is no file %.200q", ades.ErrUnsuitable, it.uri)
	}
	if b.options.Packaging == PackEnveloping {
		return b.embed(it)
	}
	if it.mime == "" {
		it.mime = "application/octet-stream"
	}
	for part := range strings.SplitSeq(it.uri, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%w: the name %.200q would lead readers of the signature to another file: a relative path without empty parts, . and .. does not", ades.ErrUnsuitable, it.uri)
		}
	}
	it.uri = encodeName(it.uri)
	return nil
}

// encodeName makes a reference of a file name. RFC 3986, section 3.3; signs that some readers take for others are encoded as well.
func encodeName(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = strings.NewReplacer(":", "%3A", "+", "%2B", "&", "%26", "'", "%27").Replace(url.PathEscape(part))
	}
	return strings.Join(parts, "/")
}

// maxEmbedded bounds a file in an object: as base64 it stays below what documents may have.
const maxEmbedded = 40 << 20

// embed reads a file that is to stand in the signature.
func (b *building) embed(it *item) error {
	f := it.file
	switch {
	case f.Data == nil:
		return fmt.Errorf("%w: %.200q is to stand in the signature, and only its digest is known", ades.ErrUnsuitable, f.Name)
	case f.Size > maxEmbedded:
		return fmt.Errorf("%w: %.200q has %d bytes, and at most %d can stand in an XML signature; sign it detached or in a container", ades.ErrUnsuitable, f.Name, f.Size, maxEmbedded)
	}
	it.content = make([]byte, f.Size)
	if n, err := f.Data.ReadAt(it.content, 0); int64(n) < f.Size && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading %.200q: %w", f.Name, err)
	} else if int64(n) < f.Size {
		return fmt.Errorf("reading %.200q: %w", f.Name, io.ErrUnexpectedEOF)
	}
	it.object, it.kind = true, typeObject
	if !b.options.Inline || !bytes.HasPrefix(bytes.TrimLeft(it.content, "\xEF\xBB\xBF\xFE\xFF \t\r\n\x00"), []byte("<")) {
		it.encoding, it.transforms = xmldsig.TransformBase64, []string{xmldsig.TransformBase64}
		if it.mime == "" {
			it.mime = "application/octet-stream"
		}
		return nil
	}
	doc, err := parse(it.content)
	if err != nil {
		return fmt.Errorf("%.200q: %w", f.Name, err)
	}
	it.content, it.transforms = []byte(doc.Source(doc.Root())), []string{b.options.Canonicalization}
	if it.mime == "" {
		it.mime = "text/xml"
	}
	return nil
}
