package container

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// readOOXML reads Office Open XML and other Open Packaging files: the parts
// that the relationships of the signature origin name. Their manifests list
// parts by name and type (ECMA-376 part 2 section 13.2.4).
func (r *reading) readOOXML() error {
	signatures, err := r.c.PackageSignatures()
	if err != nil || len(signatures) == 0 {
		return err
	}
	e := r.c.Lookup(asic.ContentTypesFile)
	raw, err := e.Bytes(asic.MaxManifest)
	if err != nil {
		return err
	}
	types, err := asic.ParseContentTypes(raw)
	if err != nil {
		return fmt.Errorf("reading %q: %w", e.Name, err)
	}
	for _, e := range signatures {
		if err := r.readPackageSignature(e, types, signatures); err != nil {
			return fmt.Errorf("reading %q: %w", e.Name, err)
		}
	}
	return nil
}

func (r *reading) readPackageSignature(e *asic.Entry, types *asic.ContentTypes, signatures []*asic.Entry) error {
	raw, err := e.Bytes(maxSignatureFile)
	if err != nil {
		return err
	}
	doc, err := xmldsig.Parse(raw, xmldsig.Limits{})
	if err != nil {
		return err
	}
	retyped := map[string]bool{}
	list, err := xades.ReadParsed(r.ctx, doc, func(uri string) []ades.Content {
		name, query, typed := strings.Cut(uri, "?")
		part := r.c.Resolve(name)
		if part == nil {
			return nil
		}
		if typed && !sameType(query, types.Of(part.Name)) {
			retyped[part.Name] = true
			return nil
		}
		return []ades.Content{content(part)}
	}, xades.Options{ID: baseName(e)})
	if errors.Is(err, ades.ErrNoSignature) {
		return nil
	}
	if err != nil {
		return err
	}
	manifests := manifestReferences(doc)
	for _, s := range list {
		for i := range s.References {
			// Everything that such a manifest lists has to be right: the signature
			// itself names nothing but the manifest.
			if ref := &s.References[i]; ref.Kind == ades.RefManifestEntry && !strings.HasPrefix(ref.URI, "#") {
				ref.Kind = ades.RefContent
			}
		}
		if err := r.likeLibxmlsec(s, doc, manifests); err != nil {
			return err
		}
		for part := range retyped {
			s.Findings = append(s.Findings, ades.Finding{Code: ades.BadContainer, Object: part, Detail: "it has another content type than when it was signed"})
		}
		links, err := r.coverLinks(s, manifests)
		if err != nil {
			return err
		}
		if err := r.cover(s, r.parts(signatures), links); err != nil {
			return err
		}
		shown(s)
	}
	r.add(e, list)
	return nil
}

// sameType compares the content type in the query of a reference with that of
// the part.
func sameType(query, contentType string) bool {
	key, value, _ := strings.Cut(query, "=")
	if key != "ContentType" {
		return false
	}
	if decoded, err := url.PathUnescape(value); err == nil {
		value = decoded
	}
	return asic.SameType(value, contentType)
}

// unsignedLinks are the types of relationships, by their ends, that Office and
// LibreOffice leave out of signatures ([MS-OFFCRYPTO] 2.5.2.6): properties,
// preview, custom data, and what leads to the signatures.
var unsignedLinks = []string{"/core-properties", "/extended-properties", "/custom-properties", "/metadata/thumbnail", "/customXml", "/digital-signature/origin"}

// coverLinks says how much of the relationships parts is signed: references
// select single relationships from them. One that is not signed and is of
// another type than those above could show another document than was signed.
func (r *reading) coverLinks(s *ades.Signature, manifests written) (map[*asic.Entry]extent, error) {
	ids := map[*asic.Entry]map[string]bool{} // of selected
	for i := range s.References {
		ref := &s.References[i]
		part := r.c.Resolve(partName(ref.URI))
		if part == nil || !ref.Intact || !strings.HasSuffix(part.Name, ".rels") || len(ref.Ranges) > 0 {
			continue
		}
		if ids[part] == nil {
			ids[part] = map[string]bool{}
		}
		maps.Copy(ids[part], selected(manifests.of(ref)))
	}
	known := map[*asic.Entry]extent{}
	for part, signed := range ids {
		links, err := r.relationships(part)
		if err != nil {
			return nil, err
		}
		known[part] = whole
		for _, l := range links {
			if signed["id "+l.ID] || signed["type "+l.Type] {
				continue
			}
			known[part] = partly
			if !slices.ContainsFunc(unsignedLinks, func(end string) bool { return strings.HasSuffix(l.Type, end) }) {
				s.Findings = append(s.Findings, ades.Finding{Code: ades.AmbiguousContent, Object: part.Name,
					Detail: fmt.Sprintf("relationship %.80q of type %.120q is not signed", l.ID, l.Type)})
				break
			}
		}
	}
	return known, nil
}

// relationships reads a relationships part, once.
func (r *reading) relationships(part *asic.Entry) ([]asic.Relationship, error) {
	if links, known := r.links[part]; known {
		return links, nil
	}
	raw, err := part.Bytes(asic.MaxManifest)
	if err != nil {
		return nil, err
	}
	links, err := asic.ParseRelationships(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", part.Name, err)
	}
	if r.links == nil {
		r.links = map[*asic.Entry][]asic.Relationship{}
	}
	r.links[part] = links
	return links, nil
}

// selected are the identifiers and types that the relationship transform of a
// reference names (ECMA-376 part 2 section 13.2.4.24).
func selected(ref *xmldsig.Reference) map[string]bool {
	list := map[string]bool{}
	if ref == nil {
		return list
	}
	for _, t := range ref.Transforms {
		for n := range t.Elements() {
			switch n.Local() {
			case "RelationshipReference":
				list["id "+n.Get("SourceId")] = true
			case "RelationshipsGroupReference":
				list["type "+n.Get("SourceType")] = true
			}
		}
	}
	return list
}

// unsignedParts are the folders of parts that Office and LibreOffice leave out
// of signatures.
var unsignedParts = []string{"docProps/", "customXml/"}

// shown makes a part that is not signed, and is no property either, a reason
// to refuse: it may be what is shown.
func shown(s *ades.Signature) {
	for _, f := range s.Findings {
		if f.Code == ades.FileNotSigned && f.Detail == "" &&
			!slices.ContainsFunc(unsignedParts, func(dir string) bool { return strings.HasPrefix(f.Object, dir) }) {
			s.Findings = append(s.Findings, ades.Finding{Code: ades.AmbiguousContent, Object: f.Object, Detail: "a part that is not signed"})
		}
	}
}

// parts are the files that a signature could cover: all but the signatures,
// what leads to them, and [Content_Types].xml, which cannot be signed.
func (r *reading) parts(signatures []*asic.Entry) []*asic.Entry {
	own := map[string]bool{asic.ContentTypesFile: true}
	for _, s := range signatures {
		own[s.Name] = true
		dir := s.Name[:strings.LastIndexByte(s.Name, '/')+1]
		for _, e := range r.c.Entries {
			if dir != "" && (strings.HasPrefix(e.Name, dir+"_rels/") || strings.HasPrefix(e.Name, dir) && strings.Contains(e.Name, "origin.")) {
				own[e.Name] = true
			}
		}
	}
	var list []*asic.Entry
	for _, e := range r.c.Entries {
		if !own[e.Name] {
			list = append(list, e)
		}
	}
	return list
}
