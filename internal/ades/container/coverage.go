package container

import (
	"bytes"
	"crypto"
	"fmt"
	"maps"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// cover says which of the files a signature does not cover, and whether it
// covers all. known is what the caller found out about some of them.
func (r *reading) cover(s *ades.Signature, files []*asic.Entry, known map[*asic.Entry]extent) error {
	state := map[*asic.Entry]extent{}
	maps.Copy(state, known)
	s.CoversWholeFile = len(files) > 0
	for i := range s.References {
		ref := &s.References[i]
		s.CoversWholeFile = s.CoversWholeFile && ref.Intact
		if !ref.Found || ref.URI == "" || strings.HasPrefix(ref.URI, "#") {
			continue
		}
		e := r.c.Resolve(partName(ref.URI))
		if e == nil {
			e = r.c.Lookup(ref.Name) // exchanged
		}
		if _, told := known[e]; e == nil || told || state[e] == whole {
			continue
		}
		x, err := r.extentOf(ref, e)
		if err != nil {
			return err
		}
		state[e] = max(state[e], x)
	}
	uncovered := 0
	for _, e := range files {
		if state[e] == whole {
			continue
		}
		s.CoversWholeFile = false
		f := ades.Finding{Code: ades.FileNotSigned, Object: e.Name}
		if state[e] == partly {
			f.Detail = "parts of it only are signed"
		}
		if uncovered++; uncovered <= maxUncovered {
			s.Findings = append(s.Findings, f)
		}
	}
	if uncovered > maxUncovered {
		s.Findings = append(s.Findings, ades.Finding{Code: ades.FileNotSigned, Detail: fmt.Sprintf("and %d more files", uncovered-maxUncovered)})
	}
	return nil
}

// extent is how much of a file a reference covers.
type extent int

const (
	none extent = iota
	partly
	whole
)

// extentOf tells whether a reference is over the whole file: over its bytes, or
// over a canonical form of the XML document that it is. What other transforms
// leave of a file is a part of it.
func (r *reading) extentOf(ref *ades.Reference, e *asic.Entry) (extent, error) {
	if len(ref.Ranges) == 1 && ref.Ranges[0] == (ades.Range{Offset: 0, Length: e.Size}) || !ref.Intact {
		return whole, nil // with a digest that does not fit it does not matter what was signed
	}
	if !ref.Hash.Available() || e.Size > maxCanonical {
		return partly, nil
	}
	for i := range canonicalURIs {
		digest, err := r.canonical(e, i, ref.Hash)
		switch {
		case err != nil:
			return none, err
		case digest == nil:
			return partly, nil
		case bytes.Equal(digest, ref.Digest):
			return whole, nil
		}
	}
	return partly, nil
}

// Bounds of one file that is looked at so, and of all together, with each
// form.
const (
	maxCanonical  = 16 << 20
	maxCanonicals = 128 << 20
)

// canonicalURIs are the canonicalisations, the most usual first.
var canonicalURIs = []string{
	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
	"http://www.w3.org/2001/10/xml-exc-c14n#",
	"http://www.w3.org/2006/12/xml-c14n11",
	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
	"http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
	"http://www.w3.org/2006/12/xml-c14n11#WithComments",
}

// canonicalKey is one form of a file, and its digest.
type canonicalKey struct {
	entry  *asic.Entry
	method int // in canonicalURIs
	hash   crypto.Hash
}

// canonical is the digest of a document's canonical form, nil if the file is
// no XML (then another transform was at work) or too much was done already.
func (r *reading) canonical(e *asic.Entry, method int, h crypto.Hash) ([]byte, error) {
	key := canonicalKey{e, method, h}
	if digest, known := r.canonicals[key]; known {
		return digest, nil
	}
	if r.canonicized += e.Size; r.canonicized > maxCanonicals {
		return nil, nil
	}
	raw, err := e.Bytes(maxCanonical)
	if err != nil {
		return nil, err
	}
	doc, err := xmldsig.Parse(fmt.Appendf(nil, `<Transform xmlns="%s" Algorithm="%s"/>`, xmldsig.NamespaceDS, canonicalURIs[method]), xmldsig.Limits{})
	if err != nil {
		return nil, err
	}
	w := h.New()
	digest := []byte(nil)
	if err := xmldsig.NewProcessor(doc, xmldsig.Limits{}).Transform(r.ctx, w, []*xmldsig.Node{doc.Root()}, raw); err == nil {
		digest = w.Sum(nil)
	} else if r.ctx.Err() != nil {
		return nil, r.ctx.Err()
	}
	if r.canonicals == nil {
		r.canonicals = map[canonicalKey][]byte{}
	}
	r.canonicals[key] = digest
	return digest, nil
}

// partName takes the query off a reference of Office Open XML.
func partName(uri string) string {
	name, _, _ := strings.Cut(uri, "?")
	return name
}
