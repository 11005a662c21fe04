package xades

import (
	"crypto"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// imprint makes the digest of what a time stamp in property must be over.
func (s *signature) imprint(property *xmldsig.Node, kind ades.TimestampKind, h crypto.Hash, m xmldsig.Method) ([]byte, error) {
	var write func(io.Writer) error
	includes := children(property, "Include")
	if list := children(property, "HashDataInfo"); len(list) > 0 {
		includes = list // XAdES 1.1.1
	}
	if len(includes) > xmldsig.MaxReferences {
		return nil, fmt.Errorf("%d elements included: %w", len(includes), xmldsig.ErrLimit)
	}
	stamp := stampData{s, property, m}
	switch {
	case property.Local() == "AllDataObjectsTimeStamp":
		write = stamp.allData
	case property.Local() == "IndividualDataObjectsTimeStamp":
		write = func(w io.Writer) error { return stamp.individual(w, includes) }
	case kind == ades.SignatureTS:
		write = func(w io.Writer) error { return stamp.element(w, s.dsig.ValueNode) }
	case kind == ades.ArchiveTS:
		write = stamp.archive
	default:
		write = func(w io.Writer) error { return stamp.refs(w, kind) }
	}
	if len(includes) > 0 && kind != ades.ContentTS {
		write = func(w io.Writer) error { return stamp.listed(w, includes) }
	}
	return s.hash(h, write)
}

// stampData writes what one time stamp covers.
type stampData struct {
	*signature
	property *xmldsig.Node
	method   xmldsig.Method
}

// element writes one element, if it is there.
func (d stampData) element(w io.Writer, n *xmldsig.Node) error {
	if n == nil {
		return nil
	}
	return d.processor.Canonicalize(d.ctx, w, n, d.method)
}

// reference writes what a reference of the signature covers.
func (d stampData) reference(w io.Writer, ref *xmldsig.Reference) error {
	c := d.sources[ref]
	if c == nil {
		return d.processor.WriteWith(d.ctx, w, ref, nil, d.method)
	}
	return d.processor.WriteWith(d.ctx, w, ref, source(c), d.method)
}

// allData is EN 319 132-1, 5.2.8.1: every reference but that to SignedProperties.
func (d stampData) allData(w io.Writer) error {
	for i, ref := range d.dsig.References {
		if target, _, _ := d.doc.Target(ref); isType(ref.Type, typeSigned) || target != nil && target == d.signed {
			continue
		}
		if err := d.counted(w, i); err != nil {
			return err
		}
	}
	return nil
}

// counted writes reference i of the signature, unless it names what it must not.
func (d stampData) counted(w io.Writer, i int) error {
	ref := d.dsig.References[i]
	target, _, err := d.doc.Target(ref)
	if err == nil {
		err = d.misplaced(d.kind(ref, target), ref, target)
	}
	if err != nil {
		return err
	}
	return d.reference(w, ref)
}

// individual is EN 319 132-1, 5.2.8.2: the references that are included.
func (d stampData) individual(w io.Writer, includes []*xmldsig.Node) error {
	for _, include := range includes {
		i := d.included(include)
		if i < 0 || include.Get("referencedData") != "true" && include.Get("referencedData") != "1" {
			return fmt.Errorf("xades:Include %.100q: %w", include.Get("URI"), xmldsig.ErrNotFound)
		}
		if err := d.counted(w, i); err != nil {
			return err
		}
	}
	if len(includes) == 0 {
		return fmt.Errorf("time stamp over individual data objects without Include: %w", xmldsig.ErrNotFound)
	}
	return nil
}

// included is the index of the reference that an Include names, or -1.
func (d stampData) included(include *xmldsig.Node) int {
	id, _, ok := xmldsig.Fragment(uriOf(include))
	n, err := d.doc.ByID(id)
	for i, ref := range d.dsig.References {
		if ok && err == nil && ref.Node == n {
			return i
		}
	}
	return -1
}

// uriOf is the attribute URI, which XAdES 1.1.1 and 1.2.2 write in small letters; a bare identifier counts as a fragment.
func uriOf(include *xmldsig.Node) string {
	uri := include.Get("URI")
	if uri == "" {
		uri = include.Get("uri")
	}
	if uri != "" && uri[0] != '#' {
		uri = "#" + uri
	}
	return uri
}

// listed is the explicit mechanism, TS 101 903, 7.1.4.3: what is included, in order.
func (d stampData) listed(w io.Writer, includes []*xmldsig.Node) error {
	d.explicit[d.property] = nil
	for _, include := range includes {
		if i := d.included(include); i >= 0 && include.Get("referencedData") == "true" {
			if err := d.counted(w, i); err != nil {
				return err
			}
			continue
		}
		id, _, ok := xmldsig.Fragment(uriOf(include))
		n, err := d.doc.ByID(id)
		if !ok || err != nil {
			return fmt.Errorf("xades:Include %.100q: %w", uriOf(include), xmldsig.ErrNotFound)
		}
		if !d.dsig.Node.Contains(n) {
			return fmt.Errorf("xades:Include %.100q is no part of this signature: %w", uriOf(include), xmldsig.ErrNotFound)
		}
		d.explicit[d.property] = append(d.explicit[d.property], n)
		if transforms := xmldsig.Transforms(include); len(transforms) > 0 {
			ref := &xmldsig.Reference{Node: include, URI: "#" + id, HasURI: true, Transforms: transforms}
			err = d.reference(w, ref)
		} else {
			err = d.element(w, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refsProperties are the unsigned properties that a time stamp over references covers. EN 319 132-1, A.1.5; TS 101 903, 7.5.
func refsProperties(property string, signature bool) map[string]bool {
	names := map[string]bool{"CompleteRevocationRefs": true, "AttributeRevocationRefs": true}
	version := ""
	if len(property) > 2 && property[len(property)-2:] == "V2" {
		version = "V2"
	}
	names["CompleteCertificateRefs"+version] = true
	names["AttributeCertificateRefs"+version] = true
	if signature {
		names["SignatureTimeStamp"] = true
	}
	return names
}

func (d stampData) refs(w io.Writer, kind ades.TimestampKind) error {
	if kind == ades.SigAndRefs {
		if err := d.element(w, d.dsig.ValueNode); err != nil {
			return err
		}
	}
	names := refsProperties(d.property.Local(), kind == ades.SigAndRefs)
	found := false
	for p := range d.unsigned.Elements() {
		if p == d.property {
			break
		}
		if names[p.Local()] {
			found = true
			if err := d.element(w, p); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("%s without references before it: %w", d.property.Local(), xmldsig.ErrNotFound)
	}
	return nil
}

// archive is EN 319 132-1, 5.5.2.2, and TS 101 903 v1.3.2, 7.7.1: what is signed, the signature, the unsigned properties before the time
// stamp, and the objects; the older form leaves out objects that a reference names.
func (d stampData) archive(w io.Writer) error {
	referenced := map[string]bool{}
	for i, ref := range d.dsig.References {
		if id, _, ok := xmldsig.Fragment(ref.URI); ok {
			referenced[id] = true
		}
		if err := d.counted(w, i); err != nil {
			return err
		}
	}
	for _, n := range []*xmldsig.Node{d.dsig.SignedInfo, d.dsig.ValueNode, d.dsig.KeyInfo} {
		if err := d.element(w, n); err != nil {
			return err
		}
	}
	for p := range d.unsigned.Elements() {
		if p == d.property {
			break
		}
		if err := d.element(w, p); err != nil {
			return err
		}
	}
	for _, o := range d.dsig.Objects {
		if o.Contains(d.property) || d.property.Space() != namespace141 && o.ID() != "" && referenced[o.ID()] {
			continue
		}
		if err := d.element(w, o); err != nil {
			return err
		}
	}
	return nil
}
