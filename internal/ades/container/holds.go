package container

import (
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
)

// fatal are the findings after which what is signed does not hold, or cannot be told.
var fatal = map[ades.Code]bool{
	ades.BadStructure: true, ades.BadContainer: true, ades.NoSignedFile: true, ades.DuplicateID: true, ades.AmbiguousContent: true, ades.UnsupportedPart: true,
	ades.NoMessageDigest: true, ades.NoContentType: true, ades.PropertiesUnsigned: true, ades.BrokenAttributes: true, ades.ManifestBroken: true, ades.ManifestEmpty: true,
}

// allHold is holds for signatures with their counter-signatures.
func allHold(list []*ades.Signature) error {
	for _, s := range list {
		if err := holds(s); err != nil {
			return err
		}
		if err := allHold(s.CounterSignatures); err != nil {
			return err
		}
	}
	return nil
}

// holds tells whether everything that a signature is over is there and as it was, and its value fits: ades.ErrBroken if not. Trust is
// not asked for.
func holds(s *ades.Signature) error {
	broken := func(format string, args ...any) error {
		return fmt.Errorf("%w: signature %q: %s", ades.ErrBroken, s.ID, fmt.Sprintf(format, args...))
	}
	for _, f := range s.Findings {
		if fatal[f.Code] {
			return broken("%s %s %s", f.Code, f.Object, f.Detail)
		}
	}
	for _, ref := range s.References {
		switch {
		case !ref.Found:
			return broken("%q, which it is over, is not there", ref.Name)
		case !ref.Intact:
			return broken("%q was changed after it was signed", ref.Name)
		}
	}
	key := s.PublicKey
	if s.Signer != nil {
		key = s.Signer.PublicKey
	}
	switch {
	case s.AlgorithmError != nil:
		return broken("it cannot be checked: %v", s.AlgorithmError)
	case key == nil || s.Digest == nil:
		return broken("it cannot be checked: the signer's certificate or what is signed is not there")
	}
	err := s.Algorithm.Verify(key, s.Digest, s.Value)
	for _, other := range s.AlternateDigests {
		if err == nil {
			break
		}
		err = s.Algorithm.Verify(key, other, s.Value)
	}
	if err != nil {
		return broken("its value does not fit: %v", err)
	}
	return nil
}
