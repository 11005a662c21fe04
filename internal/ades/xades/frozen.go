package xades

import (
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// inSignature tells whether n stands in a signature of the document.
func (r *reading) inSignature(n *xmldsig.Node) bool {
	for up := n.Parent(); up != nil; up = up.Parent() {
		if r.byNode[up] != nil {
			return true
		}
	}
	return false
}

// growing fails if an unsigned property more would change what a time stamp is over: an archive time stamp of a signature that this one
// counter-signs, or any that names by Include what would grow. It goes by the places alone, since with files missing nobody can tell whether a time stamp
// fits, before or after.
func (s *signature) growing() error {
	for inner, at := (*signature)(nil), s; at != nil; inner, at = at, at.parent {
		if at.unsigned == nil {
			continue
		}
		behind := false
		for p := range at.unsigned.Elements() {
			kind, stamp := stampKinds[p.Local()]
			stamp = stamp && versions[p.Space()] != ""
			if stamp && (behind && kind == ades.ArchiveTS || at.includes(p, s)) {
				return fmt.Errorf("%w: a time stamp of signature %.200q is over signature %.200q, to which nothing can be added any more", ades.ErrUnsuitable, at.out.ID, s.out.ID)
			}
			behind = behind || inner != nil && p.Contains(inner.dsig.Node)
		}
	}
	return nil
}

// includes tells whether a time stamp names elements one by one, and the properties of s that would grow stand in one of them.
func (s *signature) includes(stamp *xmldsig.Node, grows *signature) bool {
	for _, list := range []string{"Include", "HashDataInfo"} {
		for _, include := range children(stamp, list) {
			id, _, ok := xmldsig.Fragment(uriOf(include))
			if n, err := s.doc.ByID(id); ok && err == nil && n.Contains(grows.around()) {
				return true
			}
		}
	}
	return false
}

// archived tells whether the signature has an archive time stamp, fitting or not.
func (s *signature) archived() bool { return child(s.unsigned, "ArchiveTimeStamp") != nil }
