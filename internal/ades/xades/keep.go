package xades

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// all goes through the signatures of a document, counter-signatures after what they sign.
func (r *reading) all() iter.Seq[*signature] {
	return func(yield func(*signature) bool) {
		var walk func(list []*signature) bool
		walk = func(list []*signature) bool {
			for _, s := range list {
				if !yield(s) || !walk(s.counters) {
					return false
				}
			}
			return true
		}
		walk(r.top)
	}
}

// find is the signature that is named id, or nil.
func (r *reading) find(id string) *signature {
	for s := range r.all() {
		if s.out.ID == id {
			return s
		}
	}
	return nil
}

// sound fails with ades.ErrBroken if a signature does not hold: who adds to it would lend it credit.
func (r *reading) sound() error {
	for s := range r.all() {
		if err := s.sound(); err != nil {
			return err
		}
	}
	return nil
}

func (s *signature) sound() error {
	if errors.Is(s.structure, xmldsig.ErrLimit) {
		return fmt.Errorf("%w: signature %.200q: %w", ades.ErrUnsuitable, s.out.ID, s.structure)
	}
	if s.structure != nil {
		return fmt.Errorf("%w: signature %.200q is not built as signatures are: %w", ades.ErrBroken, s.out.ID, s.structure)
	}
	unknown := s.out.AlgorithmError != nil
	for _, f := range s.out.Findings {
		unknown = unknown || f.Code == ades.UnsupportedPart
	}
	for i := range s.out.References {
		switch ref := &s.out.References[i]; {
		case unknown || ref.Intact:
		case ref.Found:
			return fmt.Errorf("%w: signature %.200q: %.200q was changed after it was signed", ades.ErrBroken, s.out.ID, ref.Name)
		case strings.HasPrefix(ref.URI, "#"):
			return fmt.Errorf("%w: signature %.200q: what it signs as %.200q is not in its place in the document", ades.ErrBroken, s.out.ID, ref.URI)
		}
	}
	if s.signed != nil && !s.out.SignedProperties && !unknown {
		return fmt.Errorf("%w: signature %.200q does not sign its own properties", ades.ErrBroken, s.out.ID)
	}
	if len(s.out.CertRefs) > 0 && s.out.Signer != nil && s.certificate(s.out.CertRefs[0].Hash, s.out.CertRefs[0].Digest) != s.out.Signer {
		return fmt.Errorf("%w: signature %.200q names another certificate than it comes with", ades.ErrBroken, s.out.ID)
	}
	key := s.key()
	if key == nil || s.out.Digest == nil || unknown {
		return nil
	}
	if err := s.out.Algorithm.Verify(key, s.out.Digest, s.out.Value); errors.Is(err, sigalg.ErrBadSignature) {
		return fmt.Errorf("%w: signature %.200q: its value does not fit", ades.ErrBroken, s.out.ID)
	}
	return nil
}

// holding are the references and time stamps that fit, and what the values are over, each by a name that does not depend on what else is
// in the document, with the signature's ID.
func (r *reading) holding() map[string]string {
	found := map[string]string{}
	for s := range r.all() {
		if s.dsig.ValueNode == nil {
			continue
		}
		value := ades.ObjectDigest(s.dsig.Value)
		found[fmt.Sprintf("%x value %x", value, s.out.Digest)] = s.out.ID
		for i := range s.out.References {
			if ref := &s.out.References[i]; ref.Intact {
				found[fmt.Sprintf("%x reference %d %s", value, i, ref.URI)] = s.out.ID
			}
		}
		for i := range s.out.Timestamps {
			if ts := &s.out.Timestamps[i]; ts.Intact {
				found[fmt.Sprintf("%x stamp %x", value, ades.ObjectDigest(ts.Raw))] = s.out.ID
			}
		}
	}
	return found
}

// keeps fails if something that fits in r does not in doc, made of the same document by additions.
func (r *reading) keeps(ctx context.Context, doc *xmldsig.Document, resolve Resolver) error {
	after, err := readParsed(ctx, doc, resolve, Options{})
	if err != nil {
		return err
	}
	return r.keptIn(after)
}

func (r *reading) keptIn(after *reading) error {
	before, still := r.holding(), after.holding()
	for _, what := range slices.Sorted(maps.Keys(before)) {
		if _, ok := still[what]; !ok {
			return fmt.Errorf("%w: signature %.200q is over the place where something would have to be added, and would not hold any more; sign the file as a whole, detached or in a container, or counter-sign", ades.ErrUnsuitable, before[what])
		}
	}
	return nil
}
