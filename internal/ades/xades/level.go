package xades

import (
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// describe says which form and level the signature has, by its properties.
func (s *signature) describe() {
	form := "detached"
	switch {
	case s.covers(func(r *ades.Reference) bool { return r.Kind == ades.RefObject }):
		form = "enveloping"
	case s.covers(func(r *ades.Reference) bool { return r.Kind == ades.RefCounterSigned }):
		form = "counter-signature"
	case s.covers(func(r *ades.Reference) bool { return r.Kind == ades.RefContent && len(r.Nodes) > 0 }) && s.enveloped():
		form = "enveloped"
	}
	s.out.SubFormat = form
	if s.qualifying != nil {
		s.out.SubFormat = "XAdES " + versions[s.qualifying.Space()] + ", " + form
		s.out.Level = s.level()
	}
	if s.doc.Root() == s.dsig.Node && !s.out.CoversWholeFile {
		s.out.CoversWholeFile = s.everyObject()
	}
}

func (s *signature) covers(is func(*ades.Reference) bool) bool {
	for i := range s.out.References {
		if is(&s.out.References[i]) {
			return true
		}
	}
	return false
}

// enveloped tells whether what is signed contains the signature.
func (s *signature) enveloped() bool {
	for _, ref := range s.dsig.References {
		if target, same, err := s.doc.Target(ref); same && err == nil && (target == nil || target.Contains(s.dsig.Node)) {
			return true
		}
	}
	return false
}

// everyObject tells, of a signature that is the whole document, whether everything in its objects is signed.
func (s *signature) everyObject() bool {
	signed := map[*xmldsig.Node]bool{}
	for _, ref := range s.dsig.References {
		target, _, err := s.doc.Target(ref)
		if err != nil {
			return false
		}
		signed[target] = true
	}
	for _, o := range s.dsig.Objects {
		if signed[o] || s.qualifying != nil && s.qualifying.Parent() == o {
			continue
		}
		for c := range o.Elements() {
			if !signed[c] {
				return false
			}
		}
		if o.Child(xmldsig.NamespaceDS, "Manifest") == nil && strings.TrimSpace(o.Text()) != "" {
			return false
		}
	}
	return true
}

// level is what the properties claim. EN 319 132-1, 6.3; TS 101 903, 4.4.
func (s *signature) level() string {
	if s.signed == nil || !s.out.SignedProperties || !s.out.HasCertRefs {
		return ""
	}
	kinds := map[ades.TimestampKind]bool{}
	archive141 := false
	for i := range s.out.Timestamps {
		kinds[s.out.Timestamps[i].Kind] = true
		archive141 = archive141 || s.out.Timestamps[i].Version == "xades141"
	}
	refs := child(s.unsigned, "CompleteRevocationRefs") != nil &&
		(child(s.unsigned, "CompleteCertificateRefs") != nil || child(s.unsigned, "CompleteCertificateRefsV2") != nil)
	values := len(s.out.CRLs)+len(s.out.OCSPs) > 0
	extended := refs || kinds[ades.SigAndRefs] || kinds[ades.RefsOnly]
	switch {
	case !kinds[ades.SignatureTS] && !extended && !kinds[ades.ArchiveTS]:
		return "B-B"
	case kinds[ades.ArchiveTS] && archive141 && !extended && values:
		return "B-LTA"
	case kinds[ades.ArchiveTS]:
		return "A"
	case extended && values:
		return "XL"
	case kinds[ades.SigAndRefs] || kinds[ades.RefsOnly]:
		return "X"
	case refs:
		return "C"
	case values:
		return "B-LT"
	}
	return "B-T"
}
