package pdfdiff

import (
	"bytes"
	"fmt"

	"github.com/eidkit/eidkit/internal/pdf"
)

// appearanceKeys may change when a field is filled in or signed: they say how
// it looks. ISO 32000-2, tables 166, 188, 226, 228.
var appearanceKeys = map[pdf.Name]bool{
	"AP": true, "AS": true, "MK": true, "DA": true, "Q": true, "BS": true, "Border": true, "H": true, "DS": true, "TU": true,
}

// emptySignatureField: one that waits for its signature may get it, with an appearance.
func (s *step) emptySignatureField(b, a pdf.Field) {
	object := "field " + b.Name
	signed := isSigned(s.after.view, a)
	if b.Name != a.Name {
		s.add(Change{Kind: FieldChanged, Level: Never, Object: object, Detail: "renamed to " + a.Name, Field: b.Name})
	}
	moved := false
	s.eachWidget(b, a, func(bd, ad pdf.Dict, place string) {
		s.keys(bd, ad, func(key pdf.Name, bv, av pdf.Object) {
			where, same := s.same(bv, av, true)
			if same || bookkeeping[key] || key == "V" {
				return
			}
			switch {
			case key == "Rect" || key == "F" || key == "Ff" || appearanceKeys[key]:
				moved = true
			case (key == "A" || key == "AA") && s.after.view.Resolve(av) == nil:
			case key == "Lock" && bv == nil && signed:
			default:
				s.add(Change{Kind: FieldChanged, Level: Never, Object: object, Detail: place + string(key) + where, Field: b.Name})
			}
		})
	})
	for _, w := range a.Widgets {
		if moved || signed {
			s.placed(a, w, signed)
		}
	}
	c := Change{Kind: FormChanged, Level: Form, Object: object, Field: b.Name, Signing: true}
	switch {
	case signed && isTimestamp(s.after.view, a):
		c.Kind = TimestampAdded
		if !moved {
			c.Level = Validation
		}
	case signed:
		c.Kind = SignatureAdded
	case !moved:
		return
	}
	s.add(c)
}

// formField: a value may be filled in; where the field is and what it offers
// stays.
func (s *step) formField(b, a pdf.Field) {
	object := "field " + b.Name
	if b.Name != a.Name {
		s.add(Change{Kind: FieldChanged, Level: Never, Object: object, Detail: "renamed to " + a.Name, Field: b.Name})
	}
	_, sameValue := s.same(b.Value, a.Value, false)
	filled := !sameValue
	s.eachWidget(b, a, func(bd, ad pdf.Dict, place string) {
		s.keys(bd, ad, func(key pdf.Name, bv, av pdf.Object) {
			where, same := s.same(bv, av, true)
			if same || bookkeeping[key] {
				return
			}
			detail := place + string(key) + where
			switch {
			case key == "V" || key == "I" || key == "TI" || key == "RV":
				filled = true
			case key == "AP":
				filled = true
				s.hides(b, bd, ad)
				if sameValue && !s.sameLook(bd, ad) {
					s.add(Change{Kind: ContentReplaced, Level: Never, Object: object, Detail: detail + ": looks different with the same value", Field: b.Name})
				}
			case appearanceKeys[key]:
				filled = true
			case key == "F" && s.flagsFine(bv, av):
				filled = true
			case key == "Ff" && pdf.Int(s.before.view.Resolve(bv), 0)|1 == pdf.Int(s.after.view.Resolve(av), 0)|1:
				filled = true // ReadOnly
			case (key == "A" || key == "AA") && s.after.view.Resolve(av) == nil:
				filled = true
			case key == "A" || key == "AA":
				s.add(Change{Kind: ActionAdded, Level: Never, Object: object, Detail: detail, Field: b.Name})
			default:
				s.add(Change{Kind: FieldChanged, Level: Never, Object: object, Detail: detail, Field: b.Name})
			}
		})
	})
	if filled {
		s.add(Change{Kind: FormFilled, Level: Form, Object: object, Field: b.Name})
	}
}

// hides looks whether filling in makes a field cover text that it let through:
// one that was laid over the page before it was signed.
func (s *step) hides(f pdf.Field, b, a pdf.Dict) {
	if before, ok := normalAppearance(s.before.view, b); ok {
		if p := paintOf(s.before.view, before); p.fill || p.image {
			return
		}
	}
	after, ok := normalAppearance(s.after.view, a)
	if !ok {
		return
	}
	if p := paintOf(s.after.view, after); !p.fill && !p.image {
		return
	}
	for _, w := range f.Widgets {
		page, ok := s.before.annots[w.Ref.Num]
		if !ok || w.Ref.Num == 0 {
			continue
		}
		if what := s.coversText(page, a); what != "" {
			s.add(Change{Kind: OverlayAdded, Level: Never, Object: fmt.Sprintf("field %s on page %d", f.Name, page+1), Detail: what, Field: f.Name})
		}
	}
}

// flagsFine: a field with something in it is not hidden, nor a hidden one shown.
func (s *step) flagsFine(b, a pdf.Object) bool {
	before, after := pdf.Int(s.before.view.Resolve(b), 0), pdf.Int(s.after.view.Resolve(a), 0)
	return before&notShown == after&notShown
}

// sameLook compares the appearances of a field whose value did not change:
// another program draws them anew, but shows the same text with fonts that are
// what they seem. A field without an appearance may get one.
func (s *step) sameLook(b, a pdf.Dict) bool {
	before, ok := normalAppearance(s.before.view, b)
	after, ok2 := normalAppearance(s.after.view, a)
	if !ok {
		return true
	}
	if !ok2 {
		return s.after.view.Dict(a["AP"]) != nil // another state of a button
	}
	if _, same := s.same(before, after, true); same {
		return true
	}
	bp, ap := paintOf(s.before.view, before), paintOf(s.after.view, after)
	if len(bytes.TrimSpace(bp.shown)) == 0 && !bp.image && !bp.fill {
		return true
	}
	squeeze := func(t []byte) string { return string(bytes.Join(bytes.Fields(t), nil)) }
	if squeeze(bp.shown) != squeeze(ap.shown) || ap.image && !bp.image {
		return false
	}
	return s.plainFonts(before, after)
}

// plainFonts tells whether the fonts of an appearance are those of the old one
// or the form, or are not embedded and use a named encoding.
func (s *step) plainFonts(before, after *pdf.Stream) bool {
	bv, av := s.before.view, s.after.view
	known := []pdf.Dict{
		bv.Dict(bv.Dict(before.Dict["Resources"])["Font"]),
		bv.Dict(bv.Dict(s.before.form.Dict["DR"])["Font"]),
	}
	for name, o := range av.Dict(av.Dict(after.Dict["Resources"])["Font"]) {
		fine := false
		for _, fonts := range known {
			if fonts[name] == nil {
				continue
			}
			if _, same := s.same(fonts[name], o, true); same {
				fine = true
			}
		}
		d := av.Dict(o)
		descriptor := av.Dict(d["FontDescriptor"])
		embedded := d["DescendantFonts"] != nil || d["CharProcs"] != nil
		for _, key := range []pdf.Name{"FontFile", "FontFile2", "FontFile3"} {
			embedded = embedded || descriptor[key] != nil
		}
		if !fine && (embedded || av.Dict(d["Encoding"])["Differences"] != nil) {
			return false
		}
	}
	return true
}

// String is the change in one line, for tests and traces.
func (c Change) String() string {
	text := fmt.Sprintf("%s: %s", c.Kind, c.Object)
	if c.Detail != "" {
		text += " (" + c.Detail + ")"
	}
	return text
}
