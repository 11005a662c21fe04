package pdfdiff

import (
	"fmt"

	"github.com/eidkit/eidkit/internal/pdf"
)

// Annotation flags, ISO 32000-2 table 167.
const (
	flagInvisible = 1 << 0
	flagHidden    = 1 << 1
	flagNoView    = 1 << 5
	notShown      = flagInvisible | flagHidden | flagNoView
)

// annotations compares what lies on a page. Widgets of fields are compared
// with their field.
func (s *step) annotations(i int, b, a pdf.Page) {
	before, after := s.before.view.Array(b.Dict["Annots"]), s.after.view.Array(a.Dict["Annots"])
	if s.clean(b.Dict["Annots"], a.Dict["Annots"]) && b.Dict["Annots"] != nil {
		return
	}
	old := map[uint32]bool{}
	var oldRest []pdf.Object // those without a counterpart of the same number
	newRefs := map[uint32]bool{}
	for _, o := range after {
		if r, ok := o.(pdf.Ref); ok {
			newRefs[r.Num] = true
		}
	}
	for _, o := range before {
		if r, ok := o.(pdf.Ref); ok && newRefs[r.Num] {
			old[r.Num] = true
		} else if s.before.view.Dict(o) != nil {
			oldRest = append(oldRest, o)
		}
	}
	for _, o := range after {
		r, isRef := o.(pdf.Ref)
		switch {
		case s.after.view.Dict(o) == nil:
			if isRef && old[r.Num] && s.before.view.Dict(o) != nil {
				s.annotationRemoved(i, o)
			}
		case isRef && old[r.Num]:
			s.annotationKept(i, r)
		default:
			if j := s.findEqual(oldRest, o); j >= 0 {
				oldRest = append(oldRest[:j:j], oldRest[j+1:]...)
				continue
			}
			s.annotationAdded(i, o)
		}
	}
	for _, o := range oldRest {
		s.annotationRemoved(i, o)
	}
}

// findEqual is the place of an annotation with the same value; -1: there is
// none, or too many were looked at.
func (s *step) findEqual(list []pdf.Object, o pdf.Object) int {
	for j, b := range list {
		if s.compared++; s.compared > maxCompared {
			return -1
		}
		if _, same := s.same(b, o, false); same {
			return j
		}
	}
	return -1
}

func annotationName(i int, v *pdf.View, o pdf.Object) string {
	kind := v.Name(v.Dict(o)["Subtype"])
	if kind == "" {
		kind = "unknown"
	}
	if r, ok := o.(pdf.Ref); ok {
		return fmt.Sprintf("page %d, %s annotation, object %s", i+1, kind, r)
	}
	return fmt.Sprintf("page %d, %s annotation", i+1, kind)
}

// trivialKeys change when a comment is opened or looked at.
var trivialKeys = map[pdf.Name]bool{"M": true, "Open": true, "Popup": true, "NM": true, "P": true, "StructParent": true}

func (s *step) annotationKept(i int, r pdf.Ref) {
	if s.cleanNum(r.Num) {
		return
	}
	if _, ok := s.after.widgets[r.Num]; ok {
		if _, ok := s.before.widgets[r.Num]; ok {
			return
		}
	}
	var diffs []difference
	var before, after pdf.Dict
	before, after = s.before.view.Dict(r), s.after.view.Dict(r)
	w := &walk{s: s, tolerate: func(d difference) bool { return trivialKeys[d.top()] }}
	if diffs = w.compare("", r, r); len(diffs) == 0 {
		return
	}
	name := annotationName(i, s.after.view, r)
	if reason := s.badAction(after, before); reason != "" {
		s.report(Never, ActionAdded, name, "%s", reason)
		return
	}
	if s.after.view.Name(after["Subtype"]) == "Popup" && s.before.view.Name(before["Subtype"]) == "Popup" {
		return // its place on the screen
	}
	if _, ok := s.before.annots[r.Num]; !ok || s.covers(i, r) != "" {
		s.report(Never, ContentReplaced, name, "%s", describe(diffs))
		return
	}
	s.report(AnnotationEdit, AnnotationChanged, name, "%s", describe(diffs))
}

func (s *step) annotationRemoved(i int, o pdf.Object) {
	if r, ok := o.(pdf.Ref); ok {
		if f, ok := s.before.widgets[r.Num]; ok {
			field := s.before.form.Fields[f]
			if _, still := s.after.widgets[r.Num]; still || s.after.has(field) {
				s.add(Change{Kind: FieldRemoved, Level: Never, Object: "field " + field.Name, Detail: "its widget is taken off the page", Field: field.Name})
			}
			return // else reported with the form
		}
	}
	name := annotationName(i, s.before.view, o)
	if s.before.view.Name(s.before.view.Dict(o)["Subtype"]) == "Popup" {
		return
	}
	s.report(AnnotationEdit, AnnotationRemoved, name, "")
}

// has tells whether a field of another state is there.
func (m *model) has(f pdf.Field) bool {
	if _, ok := m.fields[f.Ref.Num]; ok && f.Ref.Num != 0 {
		return true
	}
	_, ok := m.names[f.Name]
	return ok
}

// neverAdded are annotations that are page content, or play something.
var neverAdded = map[pdf.Name]bool{
	"Watermark": true, "PrinterMark": true, "TrapNet": true, "Screen": true, "Movie": true,
	"3D": true, "RichMedia": true, "Projection": true, "Sound": true,
}

func (s *step) annotationAdded(i int, o pdf.Object) {
	v := s.after.view
	d := v.Dict(o)
	name := annotationName(i, v, o)
	kind := v.Name(d["Subtype"])
	if r, ok := o.(pdf.Ref); ok && kind == "Widget" {
		if f, ok := s.after.widgets[r.Num]; ok {
			s.widgetShown(i, s.after.form.Fields[f], r)
			return
		}
	}
	if reason := s.badAction(d, nil); reason != "" {
		s.report(Never, ActionAdded, name, "%s", reason)
		return
	}
	switch {
	case kind == "Popup":
		s.report(Annotation, AnnotationAdded, name, "")
	case kind == "Widget" || neverAdded[kind] || !annotationTypes[kind]:
		s.report(Never, OverlayAdded, name, "not a comment")
	default:
		if what := s.covers(i, o); what != "" {
			s.report(Never, OverlayAdded, name, "%s", what)
			return
		}
		s.report(Annotation, AnnotationAdded, name, "")
	}
}

// widgetShown is for a widget of a field that comes onto a page: with a new
// field, which the form comparison judges, or for one that was there before.
func (s *step) widgetShown(i int, f pdf.Field, r pdf.Ref) {
	old, ok := s.match(f)
	if !ok {
		return
	}
	if _, was := s.before.widgets[r.Num]; was && f.Type == "Sig" && !isSigned(s.before.view, old) {
		return // a signature field that the form had, shown as it is signed
	}
	s.add(Change{Kind: OverlayAdded, Level: Never, Object: "field " + f.Name, Detail: annotationName(i, s.after.view, r) + " shows it", Field: f.Name})
}

// fieldOf finds the field of another state: by object, else by name.
func (m *model) fieldOf(f pdf.Field) (pdf.Field, bool) {
	if f.Ref.Num != 0 {
		if i, ok := m.fields[f.Ref.Num]; ok {
			return m.form.Fields[i], true
		}
	}
	if i, ok := m.names[f.Name]; ok && f.Ref.Num == 0 {
		return m.form.Fields[i], true
	}
	return pdf.Field{}, false
}

// harmlessActions lead somewhere and do nothing.
var harmlessActions = map[pdf.Name]bool{"GoTo": true, "URI": true, "Named": true}

// badAction says which action of an annotation is one that does something and
// was not there before.
func (s *step) badAction(after, before pdf.Dict) string {
	for _, key := range []pdf.Name{"A", "AA", "PA"} {
		o := after[key]
		if s.after.view.Resolve(o) == nil {
			continue
		}
		if before != nil {
			if _, same := s.same(before[key], o, false); same {
				continue
			}
		}
		if kind := s.after.view.Name(s.after.view.Dict(o)["S"]); key == "AA" || !harmlessActions[kind] {
			return fmt.Sprintf("%s %s", key, kind)
		}
		if s.after.view.Dict(o)["Next"] != nil {
			return fmt.Sprintf("%s with Next", key)
		}
	}
	return ""
}
