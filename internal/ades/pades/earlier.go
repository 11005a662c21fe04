package pades

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf/pdfdiff"
)

// breaking are findings that say that a signature does not hold, whoever made it.
var breaking = map[ades.Code]string{
	ades.BadStructure:       "it is not built as it must be",
	ades.BadByteRange:       "its byte range is not valid",
	ades.AmbiguousContent:   "it cannot be told what it covers",
	ades.ModifiedAfterwards: "the document was changed after it",
	ades.NotWholeRevision:   "it leaves out a part of the document",
	ades.BrokenAttributes:   "its signed attributes are wrong",
}

// brokenBecause says why a signature does not hold; "" if nothing speaks
// against it. Trust is not asked for.
func brokenBecause(s *ades.Signature) string {
	for _, f := range s.Findings {
		if why, ok := breaking[f.Code]; ok {
			if f.Detail != "" {
				why += " (" + f.Detail + ")"
			}
			return why
		}
	}
	for _, r := range s.References {
		if !r.Found || !r.Intact {
			return "what it signs was changed"
		}
	}
	for _, t := range s.Timestamps {
		if t.Kind == ades.DocumentTS && !(t.Found && t.Intact) {
			return fmt.Sprintf("the document time stamp %q does not fit", t.ID)
		}
	}
	if s.Signer == nil || s.AlgorithmError != nil || s.Format == ades.DocTimestamp && s.Digest == nil {
		return "" // cannot be told
	}
	err := s.Algorithm.Verify(s.Signer.PublicKey, s.Digest, s.Value)
	for _, other := range s.AlternateDigests {
		if err != nil {
			err = s.Algorithm.Verify(s.Signer.PublicKey, other, s.Value)
		}
	}
	if err != nil {
		return "its value does not fit"
	}
	return ""
}

// broken is the error for a signature that does not hold; nil if it does.
func broken(s *ades.Signature) error {
	why := brokenBecause(s)
	if why == "" {
		return nil
	}
	return fmt.Errorf("%w: signature %q: %s", ades.ErrBroken, s.ID, why)
}

// checkEarlier reads all signatures of the file and refuses it if one is broken.
func (d *document) checkEarlier() error {
	if len(d.signatures) == 0 {
		return nil
	}
	list, err := d.read()
	if errors.Is(err, ades.ErrNoSignature) {
		return fmt.Errorf("%w: %v", ades.ErrBroken, err)
	}
	if err != nil {
		return unsuitable(err)
	}
	for _, s := range list {
		if err := broken(s); err != nil {
			return err
		}
	}
	return nil
}

// final tells that a signature certifies the document as final: DocMDP 1.
func (d *document) final() bool {
	return slices.ContainsFunc(d.signatures, func(s *signature) bool { return s.view != nil && d.rules(s).DocMDP == 1 })
}

// Warning is something that the maker of a signature should know. The codes, which stay:
//
//	CERTIFIED_NEW_VISIBLE_FIELD  the document is certified, and the signature is to be seen in a field that it did not have
type Warning struct {
	Code   string
	Text   string // one English sentence
	Detail string // for the developer
}

// warn looks for what is allowed, and yet not by every validator. Signing is
// allowed under DocMDP 2 and 3 (ISO 32000-2 table 257), and the standard does not
// say whether that includes a new field to be seen. EU DSS counts it as signing;
// pyHanko, which says that Acrobat does too, does not.
func (d *document) warn(s *slot) (list []Warning) {
	if !s.fresh || s.empty() {
		return nil
	}
	for _, earlier := range d.signatures {
		if earlier.view != nil && earlier.filter != subFilterRFC3161 && d.rules(earlier).DocMDP > 1 {
			return []Warning{{
				Code:   "CERTIFIED_NEW_VISIBLE_FIELD",
				Text:   "The document is certified, and some validators take a new signature that is seen for a change that breaks the certification; sign without showing it, or in a field that the document has.",
				Detail: fmt.Sprintf("certified by %q, new field %q on page %d", earlier.names[0], s.name, s.page+1),
			}}
		}
	}
	return nil
}

// checkAdded reads what the last revisions of a target left behind: nothing that an
// earlier signature forbids, as Read would judge it, and no byte that cannot be
// told. first is the number of revisions that were there before.
func (t *target) checkAdded(d *document, first int) error {
	after, err := open(d.ctx, t.input())
	if err != nil {
		return fmt.Errorf("reading what was added: %w", err)
	}
	if after.pdf.Repaired || len(after.pages) != len(d.pages) {
		return fmt.Errorf("%w: readers would not agree on what was added", ades.ErrUnsuitable)
	}
	oldest := len(after.pdf.Revisions())
	for _, s := range after.signatures {
		if s.revision >= 0 {
			oldest = min(oldest, s.revision)
		}
	}
	after.history = pdfdiff.NewHistory(after.pdf, oldest)
	for _, s := range after.signatures {
		if s.filter == subFilterRFC3161 || s.revision < 0 {
			continue
		}
		rules := after.rules(s)
		for _, c := range after.sinceThen(s) {
			if c.Revision >= first && !rules.Allow(c) {
				return fmt.Errorf("%w: the signature %q forbids it: %s", ades.ErrUnsuitable, s.names[0], forbidden(rules, c))
			}
		}
	}
	return nil
}

// forbidden says what a signature forbids.
func forbidden(rules pdfdiff.Rules, c pdfdiff.Change) string {
	if rules.DocMDP == 1 {
		return "it certifies the document as final"
	}
	var b bytes.Buffer
	b.WriteString(c.Object)
	if c.Detail != "" {
		b.WriteString(" " + c.Detail)
	}
	if len(rules.Locks) > 0 {
		b.WriteString(", or a field is locked")
	}
	return b.String()
}
