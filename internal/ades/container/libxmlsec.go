package container

import (
	"bytes"
	"crypto"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

const relationshipTransform = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"

// likeLibxmlsec accepts the digests that libxmlsec 1.2, and with it
// LibreOffice, makes of relationships parts with white space between their
// elements, which the transform should drop: it makes an element "text" of each
// piece (xmlSecTransformRelationshipProcessElementNode takes the name of a text
// node for that of an element). What is covered is the same.
func (r *reading) likeLibxmlsec(s *ades.Signature, doc *xmldsig.Document, manifests written) error {
	for i := range s.References {
		ref := &s.References[i]
		part := r.c.Resolve(partName(ref.URI))
		if !ref.Found || ref.Intact || part == nil || !strings.HasSuffix(part.Name, ".rels") {
			continue
		}
		entry := manifests.of(ref)
		if entry == nil || len(entry.Transforms) == 0 || entry.Transforms[0].Get("Algorithm") != relationshipTransform {
			continue
		}
		hash, ok := sigalg.HashByURI(entry.DigestMethod)
		if r.canonicized += part.Size; !ok || r.canonicized > maxCanonicals {
			continue
		}
		digest, err := r.libxmlsecDigest(doc, entry, part, hash)
		if err != nil {
			return err
		}
		if digest != nil && bytes.Equal(digest, ref.Digest) {
			ref.Intact = true
			s.Findings = append(s.Findings, ades.Finding{Code: ades.EncodingOddity, Object: part.Name, Detail: "relationships transformed as libxmlsec does it"})
		}
	}
	return nil
}

// written are the references in the manifests of a document, as they are
// written.
type written map[string]*xmldsig.Reference

func manifestReferences(doc *xmldsig.Document) written {
	w := written{}
	for n := range doc.Root().Descendants() {
		if !n.Is(xmldsig.NamespaceDS, "Manifest") {
			continue
		}
		entries, err := xmldsig.ReadManifest(n)
		if err != nil {
			continue
		}
		for _, e := range entries {
			w[e.URI+" "+string(e.Digest)] = e
		}
	}
	return w
}

// of returns the reference that was read as ref, nil if it stands in no manifest.
func (w written) of(ref *ades.Reference) *xmldsig.Reference { return w[ref.URI+" "+string(ref.Digest)] }

// libxmlsecDigest is the digest of a part as libxmlsec transforms it, nil if
// the part is not one that it treats differently.
func (r *reading) libxmlsecDigest(doc *xmldsig.Document, ref *xmldsig.Reference, part *asic.Entry, h crypto.Hash) ([]byte, error) {
	raw, err := part.Bytes(asic.MaxManifest)
	if err != nil {
		return nil, err
	}
	parsed, err := xmldsig.Parse(raw, xmldsig.Limits{})
	if err != nil {
		return nil, nil
	}
	spaces := 0
	for n := range parsed.Root().Children() {
		switch {
		case n.Kind() == xmldsig.ElementNode:
		case n.Kind() == xmldsig.TextNode && strings.TrimSpace(n.Text()) == "":
			spaces++
		default:
			return nil, nil
		}
	}
	var out bytes.Buffer
	if err := xmldsig.NewProcessor(doc, xmldsig.Limits{}).Transform(r.ctx, &out, ref.Transforms, raw); err != nil {
		return nil, r.ctx.Err()
	}
	tag, rest, ok := bytes.Cut(out.Bytes(), []byte(">"))
	if !ok || spaces == 0 {
		return nil, nil
	}
	w := h.New()
	w.Write(tag)
	w.Write([]byte(">" + strings.Repeat("<text></text>", spaces)))
	w.Write(rest)
	return w.Sum(nil), nil
}
