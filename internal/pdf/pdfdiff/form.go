package pdfdiff

import (
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/internal/pdf"
)

// isSigned tells whether a signature field has a value.
func isSigned(v *pdf.View, f pdf.Field) bool {
	d := v.Dict(f.Value)
	return d != nil && (d["Contents"] != nil || d["ByteRange"] != nil)
}

// isTimestamp tells a document time stamp from a signature.
func isTimestamp(v *pdf.View, f pdf.Field) bool {
	d := v.Dict(f.Value)
	return v.Name(d["Type"]) == "DocTimeStamp" || v.Name(d["SubFilter"]) == "ETSI.RFC3161"
}

func (s *step) form() {
	s.formDict()
	kept := map[string]bool{}
	taken := map[uint32]bool{}
	for i := range s.after.form.Fields {
		a := s.after.form.Fields[i]
		b, ok := s.match(a)
		if !ok || b.Type != a.Type {
			s.fieldAdded(a)
			continue
		}
		kept[b.Name], taken[b.Ref.Num] = true, true
		s.field(b, a)
	}
	for _, b := range s.before.form.Fields {
		if taken[b.Ref.Num] && b.Ref.Num != 0 || b.Ref.Num == 0 && kept[b.Name] {
			continue
		}
		kind := FieldRemoved
		if b.Type == "Sig" && isSigned(s.before.view, b) {
			kind = SignatureRemoved
		}
		s.add(Change{Kind: kind, Level: Never, Object: "field " + b.Name, Field: b.Name})
	}
	s.formNodes()
	if s.after.form.Broken && !s.before.form.Broken {
		s.report(Never, NotComparable, "form", "its fields form a loop or are too many")
	}
}

// match finds what a field was before: the same object, or, if that is new, the
// field of the same name, whose object is gone from the form.
func (s *step) match(a pdf.Field) (pdf.Field, bool) {
	if b, ok := s.before.fieldOf(a); ok {
		return b, true
	}
	i, ok := s.before.names[a.Name]
	if !ok {
		return pdf.Field{}, false
	}
	b := s.before.form.Fields[i]
	_, still := s.after.fields[b.Ref.Num]
	return b, !still
}

// formRules are the keys of the form dictionary. ISO 32000-2, table 224.
var formRules = map[pdf.Name]keyRule{
	"SigFlags":        {Validation, FormChanged},
	"DA":              {Form, FormChanged},
	"Q":               {Form, FormChanged},
	"NeedAppearances": {Form, FormChanged},
	"CO":              {Form, FormChanged},
}

func (s *step) formDict() {
	before, after := s.before.form.Dict, s.after.form.Dict
	s.keys(before, after, func(key pdf.Name, b, a pdf.Object) {
		switch key {
		case "Fields":
		case "DR":
			// New resources may come, those that are there stay as they are. Pictures
			// apart: what a viewer draws by itself with these resources is text, and
			// common makers keep the look of the latest signature among them.
			w := &walk{s: s, content: true, tolerate: func(d difference) bool {
				return d.grown && strings.Count(d.path, "/") <= 2 || strings.HasPrefix(strings.TrimPrefix(d.path, "/"), "XObject/")
			}}
			if diffs := w.compare("", b, a); len(diffs) > 0 && s.before.view.Resolve(b) != nil {
				s.report(Never, ResourcesReplaced, "form", "DR/%s", describe(diffs))
			}
		case "XFA":
			s.xfa(b, a)
		case "DA", "Q":
			if b != nil { // as a default for fields to come it does no harm
				s.applyRule(formRules, key, FormChanged, "form", b, a)
			}
		default:
			s.applyRule(formRules, key, FormChanged, "form", b, a)
		}
	})
}

// xfa compares an XFA form: filling it in changes its data sets alone.
func (s *step) xfa(b, a pdf.Object) {
	parts := func(v *pdf.View, o pdf.Object) (rest map[string]pdf.Object, ok bool) {
		arr := v.Array(o)
		rest = map[string]pdf.Object{}
		for i := 0; i+1 < len(arr); i += 2 {
			rest[v.Text(arr[i])] = arr[i+1]
		}
		return rest, len(arr) > 0
	}
	before, ok := parts(s.before.view, b)
	after, ok2 := parts(s.after.view, a)
	if ok && ok2 && len(before) == len(after) {
		for name, part := range before {
			if name == "datasets" || name == "form" {
				continue
			}
			if where, same := s.same(part, after[name], true); !same {
				s.report(Never, ContentReplaced, "XFA form", "%s %s", name, where)
				return
			}
		}
		s.report(Form, FormFilled, "XFA form", "data")
		return
	}
	if _, same := s.same(b, a, true); !same {
		s.report(Never, ContentReplaced, "XFA form", "")
	}
}

// formNodes compares the fields that group others.
func (s *step) formNodes() {
	old := map[uint32]pdf.Dict{}
	for _, n := range s.before.form.Nodes {
		old[n.Ref.Num] = n.Dict
	}
	for _, n := range s.after.form.Nodes {
		b, ok := old[n.Ref.Num]
		if !ok || n.Ref.Num == 0 || s.cleanNum(n.Ref.Num) {
			continue
		}
		s.keys(b, n.Dict, func(key pdf.Name, b, a pdf.Object) {
			if key == "Kids" || key == "Parent" {
				return
			}
			where, same := s.same(b, a, false)
			switch {
			case same:
			case key == "V" || key == "RV" || key == "I":
				s.report(Form, FormFilled, "form", "value of object %s", n.Ref)
			default:
				s.report(Never, FieldChanged, "form", "%s %s of object %s", key, where, n.Ref)
			}
		})
	}
}

// fieldAdded judges a new field: for a signature it may come, if what it shows
// does not pass for content.
func (s *step) fieldAdded(f pdf.Field) {
	v := s.after.view
	c := Change{Object: "field " + f.Name, Field: f.Name, Level: Never, Kind: FieldAdded}
	if f.Type != "Sig" {
		c.Detail = fmt.Sprintf("of type %s", f.Type)
		s.add(c)
		return
	}
	c.Signing = true
	c.Level, c.Kind = Form, FieldCreated
	signed := isSigned(v, f)
	visible := false
	for _, w := range f.Widgets {
		if shown(v, w.Dict) {
			visible = true
		}
		if reason := s.badAction(w.Dict, nil); reason != "" {
			s.add(Change{Kind: ActionAdded, Level: Never, Object: c.Object, Detail: reason, Field: f.Name})
		}
		s.placed(f, w, signed)
	}
	if signed {
		c.Kind = SignatureAdded
		if isTimestamp(v, f) {
			c.Kind = TimestampAdded
			if !visible {
				c.Level = Validation
			}
		}
	}
	s.add(c)
}

// shown tells whether a widget has a place on a page that can be seen.
func shown(v *pdf.View, d pdf.Dict) bool {
	r, ok := v.Rect(d["Rect"])
	return ok && area(r) > 0 && pdf.Int(v.Resolve(d["F"]), 0)&notShown == 0
}

// placed looks whether a widget that is new, or looks different, covers content.
func (s *step) placed(f pdf.Field, w pdf.Widget, signed bool) {
	page, ok := s.after.annots[w.Ref.Num]
	if !ok || w.Ref.Num == 0 {
		return
	}
	what := ""
	if signed {
		what = s.coversText(page, w.Dict)
	} else {
		what = s.covers(page, w.Ref)
	}
	if what != "" {
		s.add(Change{Kind: OverlayAdded, Level: Never, Object: fmt.Sprintf("field %s on page %d", f.Name, page+1), Detail: what, Field: f.Name})
	}
}

// field compares a field that was there before.
func (s *step) field(b, a pdf.Field) {
	if s.fieldClean(b, a) {
		return
	}
	switch {
	case b.Type == "Sig" && isSigned(s.before.view, b):
		s.signedField(b, a)
	case b.Type == "Sig":
		s.emptySignatureField(b, a)
	default:
		s.formField(b, a)
	}
}

func (s *step) fieldClean(b, a pdf.Field) bool {
	if b.Ref != a.Ref || a.Ref.Num == 0 || !s.cleanNum(a.Ref.Num) || len(b.Widgets) != len(a.Widgets) {
		return false
	}
	for i, w := range a.Widgets {
		if w.Ref != b.Widgets[i].Ref || w.Ref.Num != 0 && !s.cleanNum(w.Ref.Num) {
			return false
		}
	}
	return b.Name == a.Name && b.Flags == a.Flags && (b.Value == nil || s.clean(b.Value, a.Value))
}

// bookkeeping are keys that say nothing about what a field is or shows.
var bookkeeping = map[pdf.Name]bool{"P": true, "Parent": true, "StructParent": true, "M": true, "Kids": true, "Type": true, "NM": true}

// lockedFlags are those a signer's program sets on a signature it has made:
// Print, ReadOnly, Locked, LockedContents.
const lockedFlags = 1<<2 | 1<<6 | 1<<7 | 1<<9

// signedField: a signature that was there is as it was, or it is another one.
func (s *step) signedField(b, a pdf.Field) {
	object := "field " + b.Name
	if b.Name != a.Name {
		s.add(Change{Kind: SignatureChanged, Level: Never, Object: object, Detail: "renamed to " + a.Name, Field: b.Name})
	}
	if where, same := s.same(b.Value, a.Value, false); !same {
		s.add(Change{Kind: SignatureChanged, Level: Never, Object: object, Detail: "V/" + where, Field: b.Name})
	}
	s.eachWidget(b, a, func(bd, ad pdf.Dict, place string) {
		s.keys(bd, ad, func(key pdf.Name, bv, av pdf.Object) {
			if bookkeeping[key] || key == "V" {
				return
			}
			if key == "F" && pdf.Int(s.before.view.Resolve(bv), 0)&^lockedFlags == pdf.Int(s.after.view.Resolve(av), 0)&^lockedFlags {
				return
			}
			if key == "Ff" && pdf.Int(s.before.view.Resolve(bv), 0)|1 == pdf.Int(s.after.view.Resolve(av), 0)|1 {
				return
			}
			if where, same := s.same(bv, av, true); !same {
				s.add(Change{Kind: SignatureChanged, Level: Never, Object: object, Detail: place + string(key) + where, Field: b.Name})
			}
		})
	})
}

// eachWidget visits the field's own dictionary and its widgets in both states.
// Widgets that came or went are changes.
func (s *step) eachWidget(b, a pdf.Field, visit func(before, after pdf.Dict, place string)) {
	visit(b.Dict, a.Dict, "")
	own := func(f pdf.Field) bool { return len(f.Widgets) == 1 && f.Widgets[0].Ref == f.Ref }
	if own(b) && own(a) {
		return
	}
	old := map[uint32]pdf.Dict{}
	for _, w := range b.Widgets {
		old[w.Ref.Num] = w.Dict
	}
	for _, w := range a.Widgets {
		if d, ok := old[w.Ref.Num]; ok && w.Ref.Num != 0 {
			if w.Ref != a.Ref {
				visit(d, w.Dict, "Kids/")
			}
			delete(old, w.Ref.Num)
			continue
		}
		s.add(Change{Kind: OverlayAdded, Level: Never, Object: "field " + a.Name, Detail: fmt.Sprintf("widget %s added", w.Ref), Field: a.Name})
	}
	if len(old) > 0 {
		s.add(Change{Kind: FieldRemoved, Level: Never, Object: "field " + a.Name, Detail: "a widget removed", Field: a.Name})
	}
}
