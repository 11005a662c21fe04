package xades

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// references resolves and compares what SignedInfo lists.
func (s *signature) references() {
	content, parent, typed := false, false, false
	for _, ref := range s.dsig.References {
		target, same, err := s.doc.Target(ref)
		kind := s.kind(ref, target)
		found := s.reference(ref, kind, target, same, err)
		switch kind {
		case ades.RefSignedProperties:
			if target != nil && target == s.signed && found.Intact && onlyCanonical(ref) {
				s.out.SignedProperties = true
				typed = typed || isType(ref.Type, typeSigned)
			}
		case ades.RefKeyInfo, ades.RefOther:
		default:
			content = true
		}
		parent = parent || s.parent != nil && target == s.parent.dsig.ValueNode
		s.manifest(ref, kind, target)
		if s.err != nil {
			return
		}
	}
	if s.parent != nil && !parent {
		s.note(ades.BadStructure, s.out.ID, "the counter-signature does not sign the value of the signature that it stands in")
		s.out.References = append(s.out.References, ades.Reference{Kind: ades.RefCounterSigned, Name: "value of the signature counter-signed"})
	}
	if !content {
		s.out.References = append(s.out.References, ades.Reference{Kind: ades.RefContent, Name: "signed data"})
	}
	if s.out.SignedProperties && !typed {
		s.note(ades.PropertiesUntyped, s.signed.ID(), "the reference to SignedProperties lacks the Type that EN 319 132-1, 4.4.2, asks for")
	}
	if s.signed != nil && !s.out.SignedProperties && !s.broken(ades.RefSignedProperties) {
		s.note(ades.PropertiesUnsigned, s.signed.ID(), "no reference covers SignedProperties")
	}
}

// broken tells that there is a reference of that kind whose data are there and do not fit: which says enough.
func (s *signature) broken(kind ades.ReferenceKind) bool {
	for i := range s.out.References {
		if r := &s.out.References[i]; r.Kind == kind && r.Found && !r.Intact {
			return true
		}
	}
	return false
}

// kind says what a reference of SignedInfo is for: by its type where that is
// one known here, else by its target.
func (s *signature) kind(ref *xmldsig.Reference, target *xmldsig.Node) ades.ReferenceKind {
	switch {
	case isType(ref.Type, typeSigned):
		return ades.RefSignedProperties
	case ref.Type == typeManifest:
		return ades.RefManifest
	case ref.Type == typeObject && target != nil && !s.ownElement(target):
		return ades.RefObject
	case isType(ref.Type, typeCounterSigned), target.Is(xmldsig.NamespaceDS, "SignatureValue"):
		return ades.RefCounterSigned
	case target == nil:
		return ades.RefContent
	case target == s.signed:
		return ades.RefSignedProperties
	case target == s.dsig.KeyInfo:
		return ades.RefKeyInfo
	case s.isObject(target):
		return ades.RefObject
	case target.Is(xmldsig.NamespaceDS, "Manifest"):
		return ades.RefManifest
	case target.Is(xmldsig.NamespaceDS, "SignatureProperties"), s.ownPart(target):
		return ades.RefOther
	}
	return ades.RefContent
}

// isObject tells whether n is one of this signature's own objects.
func (s *signature) isObject(n *xmldsig.Node) bool {
	return n.Is(xmldsig.NamespaceDS, "Object") && n.Parent() == s.dsig.Node
}

// inObject tells whether n stands right in one of this signature's own objects.
func (s *signature) inObject(n *xmldsig.Node) bool { return n != nil && s.isObject(n.Parent()) }

// ownElement tells whether n is KeyInfo, or an element of XML Signature right
// in an object, of this signature: makers call that an object as well.
func (s *signature) ownElement(n *xmldsig.Node) bool {
	return n != nil && n == s.dsig.KeyInfo || s.inObject(n) && (n.Is(xmldsig.NamespaceDS, "Manifest") || n.Is(xmldsig.NamespaceDS, "SignatureProperties"))
}

// ownPart tells whether n is a part of this signature that is no data: within
// its qualifying properties or its key information.
func (s *signature) ownPart(n *xmldsig.Node) bool {
	return n != nil && (s.qualifying != nil && s.qualifying.Contains(n) || s.dsig.KeyInfo != nil && s.dsig.KeyInfo.Contains(n))
}

// misplaced says why a reference must not count although its target is there:
// a type says what the target is, and it is something else, or another's.
// This is what wrapping attacks rely on.
func (s *signature) misplaced(kind ades.ReferenceKind, ref *xmldsig.Reference, target *xmldsig.Node) error {
	wrong := ""
	switch {
	case target == nil:
	case kind == ades.RefSignedProperties && target != s.signed:
		wrong = "SignedProperties"
	case kind == ades.RefObject && !s.isObject(target):
		wrong = "Object"
	case kind == ades.RefManifest && (!target.Is(xmldsig.NamespaceDS, "Manifest") || ref.Type == typeManifest && !s.inObject(target)):
		wrong = "Manifest"
	case kind == ades.RefCounterSigned && !target.Is(xmldsig.NamespaceDS, "SignatureValue"):
		wrong = "SignatureValue"
	}
	if wrong == "" {
		return nil
	}
	return fmt.Errorf("reference %.200q names %s, which is no %s of this signature: %w", ref.URI, target.Path(), wrong, xmldsig.ErrNotFound)
}

// onlyCanonical tells that nothing but canonicalisation stands between the target and the digest.
func onlyCanonical(ref *xmldsig.Reference) bool {
	for _, t := range ref.Transforms {
		if _, ok := xmldsig.MethodByURI(t.Get("Algorithm")); !ok {
			return false
		}
	}
	return true
}

// reference resolves and compares one reference, of SignedInfo or a manifest.
func (s *signature) reference(ref *xmldsig.Reference, kind ades.ReferenceKind, target *xmldsig.Node, same bool, err error) *ades.Reference {
	out := ades.Reference{Kind: kind, ID: ref.ID, URI: ref.URI, Digest: ref.Digest}
	hash, known := sigalg.HashByURI(ref.DigestMethod)
	if known {
		out.Hash = hash
	} else {
		s.note(ades.UnsupportedPart, ref.URI, "digest algorithm %.120q", ref.DigestMethod)
		hash = crypto.SHA256
	}
	var digest []byte
	if err == nil {
		err = s.misplaced(kind, ref, target)
	}
	if same {
		out.Name = elementName(target)
		if err == nil {
			digest, err = s.processor.Digest(s.ctx, ref, nil, hash)
		}
		if err == nil {
			s.cover(ref, &out)
		}
	} else {
		out.Name = path.Base(ref.URI)
		if ref.URI == "" {
			out.Name = "file without name"
		}
		var m match
		if m, err = s.outside.find(s.processor, ref, hash); err == nil {
			s.sources[ref], digest = m.content, m.digest
			if m.content.Name != "" {
				out.Name = m.content.Name
			}
			if m.content.Data != nil && len(ref.Transforms) == 0 {
				out.Ranges = []ades.Range{{Offset: 0, Length: m.content.Size}}
			}
		}
	}
	s.interrupted()
	out.Found = err == nil || errors.Is(err, xmldsig.ErrInvalid) || errors.Is(err, xmldsig.ErrUnsupported)
	out.Intact = err == nil && known && len(ref.Digest) > 0 && bytes.Equal(digest, ref.Digest)
	s.explain(ref, err)
	if c := s.sources[ref]; out.Found && (same || c != nil && c.Data != nil) {
		out.Content = s.content(ref)
	}
	s.out.References = append(s.out.References, out)
	return &s.out.References[len(s.out.References)-1]
}

// explain notes why a reference is not found.
func (s *signature) explain(ref *xmldsig.Reference, err error) {
	switch {
	case err == nil, errors.Is(err, xmldsig.ErrNotFound):
	case errors.Is(err, xmldsig.ErrDuplicateID):
		s.note(ades.DuplicateID, ref.URI, "%v", err)
	case errors.Is(err, xmldsig.ErrUnsupported), errors.Is(err, xmldsig.ErrInvalid), errors.Is(err, xmldsig.ErrLimit):
		s.note(ades.UnsupportedPart, ref.URI, "%v", err)
	default:
		s.fail(err)
	}
}

// elementName is what a target is called, for people.
func elementName(n *xmldsig.Node) string {
	switch {
	case n == nil:
		return "whole document"
	case n.ID() != "":
		return fmt.Sprintf("element %s (Id=%.100s)", n.Local(), n.ID())
	}
	return "element " + n.Local()
}

// maxNodes bounds the elements told of one reference.
const maxNodes = 100

// cover tells which elements a same-document reference covers.
func (s *signature) cover(ref *xmldsig.Reference, out *ades.Reference) {
	c, err := s.processor.Covers(s.ctx, ref)
	if err != nil {
		s.explain(ref, err)
		return
	}
	for i, n := range c.Nodes {
		if i == maxNodes {
			out.Name += " and more"
			break
		}
		out.Nodes = append(out.Nodes, n.Path())
	}
	for _, n := range c.Out {
		if n.Is(xmldsig.NamespaceDS, "Signature") {
			s.leftOut = append(s.leftOut, n)
		} else {
			c.Partial = true
		}
	}
	switch {
	case c.Partial:
		out.Name = "parts of " + out.Name
	case c.Whole && len(c.Nodes) == 1 && len(c.Out) > 0:
		out.Name = "whole document without signature"
	case c.Whole && len(c.Nodes) == 1:
	case c.Whole:
		out.Name = "parts of " + out.Name
	}
	if c.Whole && !c.Partial && len(c.Nodes) == 1 && c.Nodes[0] == s.doc.Root() {
		s.out.CoversWholeFile = true
	}
}

// content gives the octets that a reference digests, made anew when they are read.
func (s *signature) content(ref *xmldsig.Reference) func() (io.ReadCloser, error) {
	doc, limits, file := s.doc, s.options.Limits, s.sources[ref]
	return func() (io.ReadCloser, error) {
		if file != nil && len(ref.Transforms) == 0 {
			return source(file).Open()
		}
		var from *xmldsig.Source
		if file != nil {
			from = source(file)
		}
		r, w := io.Pipe()
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			w.CloseWithError(xmldsig.NewProcessor(doc, limits).Write(ctx, w, ref, from))
		}()
		return &pipe{r, cancel}, nil
	}
}

// pipe ends the writer when the reader is closed.
type pipe struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (p *pipe) Close() error {
	p.cancel()
	return p.PipeReader.Close()
}

// manifest compares what a manifest that is signed lists: the target of a
// reference, or inside the object that is. XML Signature, section 5.1.
func (s *signature) manifest(ref *xmldsig.Reference, kind ades.ReferenceKind, target *xmldsig.Node) {
	var manifests []*xmldsig.Node
	switch {
	case target == nil || !s.out.References[len(s.out.References)-1].Found:
		return
	case kind == ades.RefManifest:
		manifests = []*xmldsig.Node{target}
	case kind == ades.RefObject:
		for c := range target.Elements() {
			if c.Is(xmldsig.NamespaceDS, "Manifest") {
				manifests = append(manifests, c)
			}
		}
	}
	for _, m := range manifests {
		if s.manifests[m] {
			continue
		}
		s.manifests[m] = true
		entries, err := xmldsig.ReadManifest(m)
		if err != nil {
			s.note(ades.ManifestBroken, ref.URI, "%v", err)
		}
		for _, entry := range entries {
			target, same, err := s.doc.Target(entry)
			s.reference(entry, ades.RefManifestEntry, target, same, err)
			if s.err != nil {
				return
			}
		}
	}
}
