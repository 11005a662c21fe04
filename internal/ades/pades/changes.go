package pades

import (
	"bytes"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf/pdfdiff"
)

// maxFindings bounds what is said of the changes after one signature.
const maxFindings = 10

// dataAppended is the code of a change that package pdfdiff does not see.
const dataAppended = "data-appended"

// compare lists for each signature what came after it.
func (d *document) compare(signed []*signature) {
	first := len(d.pdf.Revisions())
	for _, s := range signed {
		if s.revision >= 0 {
			first = min(first, s.revision)
		}
	}
	d.history = pdfdiff.NewHistory(d.pdf, first)
	tail := d.tail()
	for _, s := range signed {
		if s.revision >= 0 {
			d.changes(s, tail, max(20, maxListed/len(signed)))
		}
	}
}

// tail looks at what stands after the last revision. Objects there belong to
// no cross-reference: some readers would find them all the same.
func (d *document) tail() []ades.Change {
	rest := bytes.Trim(d.pdf.Tail(), " \r\n\t\x00")
	revisions := d.pdf.Revisions()
	if len(rest) == 0 || d.pdf.Repaired {
		return nil
	}
	if !revisions[len(revisions)-1].HasEOF && bytes.HasPrefix(rest, []byte("startxref")) && len(rest) < 64 {
		return nil // only the %%EOF is missing
	}
	hidden := false
	for _, word := range []string{" obj", "\nobj", "trailer", "startxref", "xref"} {
		hidden = hidden || bytes.Contains(rest, []byte(word))
	}
	return []ades.Change{{Revision: len(revisions), Object: "end of the file", What: dataAppended, Detail: "data after the last revision", Allowed: !hidden}}
}

// changes fills in the changes after one signature, at most limit of those
// allowed, and the findings that come of the others.
func (d *document) changes(s *signature, tail []ades.Change, limit int) {
	facts := s.sig.PDF
	list := d.sinceThen(s)
	rules := d.rules(s)
	seen := map[ades.Change]bool{}
	findings := 0
	for _, c := range list {
		change := ades.Change{Revision: c.Revision + 1, Object: c.Object, What: string(c.Kind), Detail: c.Detail, Allowed: rules.Allow(c)}
		if seen[change] || change.Allowed && len(facts.Changes) >= limit {
			continue
		}
		seen[change] = true
		facts.Changes = append(facts.Changes, change)
	}
	if s.end <= d.pdf.Size() && !s.sig.CoversWholeFile {
		facts.Changes = append(facts.Changes, tail...)
	}
	for _, c := range facts.Changes {
		if !c.Allowed && findings < maxFindings {
			findings++
			detail := c.What
			if c.Detail != "" {
				detail += ": " + c.Detail
			}
			d.note(s, ades.ModifiedAfterwards, c.Object, detail)
		}
	}
}

// sinceThen lists the changes since what was signed. If the file's own chain of
// cross-references does not go through that, what the signed bytes alone show
// is compared with what the file shows now.
func (d *document) sinceThen(s *signature) []pdfdiff.Change {
	if !s.bypassed {
		return d.history.After(s.revision)
	}
	list := pdfdiff.Compare(s.view, d.last)
	for i := range list {
		list[i].Revision = d.last.Revision()
	}
	return list
}
