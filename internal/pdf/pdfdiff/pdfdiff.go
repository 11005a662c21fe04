// Package pdfdiff tells what later revisions of a PDF file did to an earlier
// one: which changes they made, and whether the earlier revision's signer
// allowed them.
//
// NewHistory takes a file; History.After lists the changes made since a revision,
// and Compare those between two views, which may be of different files.
// Rules.Allow judges one change by the permissions of a signature.
//
// The document is walked from its catalog in both states at once and compared
// by value, so that objects written anew without a change do not count. What
// is not understood is a change that nobody allowed.
//
// Out of scope: rendering. Whether something covers what was signed is told
// from the places where text and images are painted.
//
// References: ISO 32000-2 sections 12.7 and 12.8.2.2 to 12.8.2.4, EN 319 142-1.
// Attacks: Mladenov et al. "1 Trillion Dollar Refund" (2019), Mainka et al.
// "Shadow Attacks" (2021), Rohlmann et al. "Breaking the Specification: PDF
// Certification" (2021).
package pdfdiff

import (
	"fmt"

	"github.com/eidkit/eidkit/internal/pdf"
)

// Level is which permission a change needs.
type Level uint8

// The levels, the hardest last.
const (
	// Validation: validation data, document time stamps, metadata. Always allowed.
	Validation Level = iota
	// Form: filling in, and signing. Not allowed under DocMDP 1.
	Form
	// Annotation: comments added. Not allowed under DocMDP 1 and 2.
	Annotation
	// AnnotationEdit: comments that were signed changed or removed. Allowed
	// under DocMDP 3 only.
	AnnotationEdit
	// Never: no permission covers it.
	Never
)

// Kind is the code of a change; codes stay once released.
type Kind string

// Kinds of changes.
const (
	SignatureAdded      Kind = "signature-added"
	TimestampAdded      Kind = "timestamp-added"
	FieldCreated        Kind = "signature-field-added"
	ValidationData      Kind = "validation-data-added"
	MetadataChanged     Kind = "metadata-changed"
	FormFilled          Kind = "form-filled"
	FormChanged         Kind = "form-changed"
	StructureChanged    Kind = "structure-changed"
	PresentationChanged Kind = "presentation-changed"
	AnnotationAdded     Kind = "annotation-added"
	AnnotationChanged   Kind = "annotation-changed"
	AnnotationRemoved   Kind = "annotation-removed"
	ContentReplaced     Kind = "content-replaced"
	ResourcesReplaced   Kind = "resources-replaced"
	PageAdded           Kind = "page-added"
	PageRemoved         Kind = "page-removed"
	PageReplaced        Kind = "page-replaced"
	PageChanged         Kind = "page-changed"
	OverlayAdded        Kind = "overlay-added"
	FieldAdded          Kind = "field-added"
	FieldRemoved        Kind = "field-removed"
	FieldChanged        Kind = "field-changed"
	SignatureChanged    Kind = "signature-changed"
	SignatureRemoved    Kind = "signature-removed"
	CertificationGone   Kind = "certification-changed"
	LayersChanged       Kind = "layers-changed"
	ActionAdded         Kind = "action-added"
	AttachmentChanged   Kind = "attachment-changed"
	CatalogChanged      Kind = "catalog-changed"
	EncryptionChanged   Kind = "encryption-changed"
	NotComparable       Kind = "not-comparable"
)

// Change is one thing that was done.
type Change struct {
	Revision int // that did it, counted from 0; of the new view
	Kind     Kind
	Level    Level
	Object   string // "page 2", "field Amount", "catalog"
	Detail   string // for the developer: which key, which object
	// Field is the fully qualified name if a form field was touched; Signing
	// says that it was signed or made, not filled.
	Field   string
	Signing bool
}

// Lock names fields that must not change any more: FieldMDP, SigFieldLock.
// ISO 32000-2, table 258.
type Lock struct {
	Action string // All, Include, Exclude
	Fields []string
}

// covers tells whether the lock is on a field: by its name or that of one above it.
func (l Lock) covers(field string) bool {
	named := false
	for _, f := range l.Fields {
		if field == f || len(field) > len(f) && field[:len(f)] == f && field[len(f)] == '.' {
			named = true
			break
		}
	}
	switch l.Action {
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return true
}

// Rules are what a signature says about later changes.
type Rules struct {
	DocMDP int // 1 to 3, or 0: no certification
	Locks  []Lock
}

// Allow judges a change.
func (r Rules) Allow(c Change) bool {
	for _, l := range r.Locks {
		if c.Field == "" || c.Level == Validation || !l.covers(c.Field) {
			continue
		}
		// A new field cannot have been locked; Exclude and All would forbid
		// every further signature, which makers of workflows do not mean.
		if c.Signing && l.Action != "Include" {
			continue
		}
		return false
	}
	switch c.Level {
	case Validation:
		return true
	case Form:
		return r.DocMDP != 1
	case Annotation:
		return r.DocMDP == 0 || r.DocMDP == 3
	case AnnotationEdit:
		return r.DocMDP == 3
	}
	return false
}

// Compare lists what leads from one view to another.
func Compare(before, after *pdf.View) []Change {
	s := newStep(loadModel(before), loadModel(after), nil)
	s.run()
	return s.changes
}

// Limits of one step; honest revisions stay far below.
const (
	maxChanges  = 200  // reported; more of them do not tell more
	maxCompared = 5000 // pairs of annotations that have no number in common
	maxCovered  = 1000 // new annotations
)

// step compares two models.
type step struct {
	before, after *model
	dirty         map[uint32]bool // nil: everything may have changed
	changes       []Change
	painted       map[int]*painting // by page, of the state before
	compared      int               // pairs of annotations
	covered       int               // annotations held against what is painted
}

func newStep(before, after *model, dirty map[uint32]bool) *step {
	return &step{before: before, after: after, dirty: dirty, painted: map[int]*painting{}}
}

func (s *step) report(level Level, kind Kind, object, format string, args ...any) {
	s.add(Change{Kind: kind, Level: level, Object: object, Detail: fmt.Sprintf(format, args...)})
}

func (s *step) add(c Change) {
	c.Revision = s.after.view.Revision()
	for _, have := range s.changes {
		if have == c {
			return
		}
	}
	if len(s.changes) >= maxChanges {
		if c.Level < Never {
			return
		}
		s.changes = s.changes[:maxChanges-1]
	}
	s.changes = append(s.changes, c)
}

// clean tells that an object and all it leads to is the same in both states.
func (s *step) clean(before, after pdf.Object) bool {
	b, ok := before.(pdf.Ref)
	a, ok2 := after.(pdf.Ref)
	return ok && ok2 && a.Num == b.Num && s.cleanNum(a.Num)
}

func (s *step) cleanNum(num uint32) bool {
	return s.dirty != nil && !s.dirty[num] && s.before.view.Same(s.after.view, num)
}

func (s *step) run() {
	if s.before.catalog == nil || s.after.catalog == nil {
		s.report(Never, NotComparable, "catalog", "one of the states has no document catalog")
		return
	}
	s.trailer()
	s.catalog()
	s.form()
	s.pages()
	if s.before.pages.Broken || s.after.pages.Broken {
		if !s.before.pages.Broken || len(s.changes) > 0 {
			s.report(Never, NotComparable, "pages", "the page tree is damaged")
		}
	}
}
