package pdfdiff

import (
	"fmt"

	"github.com/eidkit/eidkit/internal/pdf"
)

// pageRules are the keys of a page that need no further look. Those missing
// here and in step.page are Never. ISO 32000-2, table 31.
var pageRules = map[pdf.Name]keyRule{
	"Metadata":      {Validation, MetadataChanged},
	"PieceInfo":     {Validation, MetadataChanged},
	"LastModified":  {Validation, MetadataChanged},
	"Type":          {Validation, MetadataChanged},
	"StructParents": {Form, StructureChanged},
	"Tabs":          {Validation, PresentationChanged},
	"Contents":      {Never, ContentReplaced},
	"Resources":     {Never, ResourcesReplaced},
	"AA":            {Never, ActionAdded},
	"AF":            {Never, AttachmentChanged},
}

func pageName(i int) string { return fmt.Sprintf("page %d", i+1) }

func (s *step) pages() {
	before, after := s.before.pages.Pages, s.after.pages.Pages
	for i := len(before); i < len(after); i++ {
		s.report(Never, PageAdded, pageName(i), "object %s", after[i].Ref)
	}
	for i := len(after); i < len(before); i++ {
		s.report(Never, PageRemoved, pageName(i), "object %s", before[i].Ref)
	}
	inherit := !s.sameNodes()
	for i := range min(len(before), len(after)) {
		b, a := before[i], after[i]
		if b.Ref == a.Ref && a.Ref.Num != 0 && s.cleanNum(a.Ref.Num) && !inherit {
			continue
		}
		s.page(i, b, a)
	}
}

// sameNodes tells that the inner nodes of the page tree are untouched with all
// they hold beside pages, so that pages inherit what they did.
func (s *step) sameNodes() bool {
	if len(s.before.pages.Nodes) != len(s.after.pages.Nodes) {
		return false
	}
	for i, n := range s.before.pages.Nodes {
		if n != s.after.pages.Nodes[i] || !s.cleanNum(n.Num) {
			return false
		}
	}
	return true
}

func (s *step) page(i int, b, a pdf.Page) {
	name := pageName(i)
	if b.Ref != a.Ref && s.moved(a.Ref) {
		s.report(Never, PageReplaced, name, "object %s stands where %s was", a.Ref, b.Ref)
		return
	}
	for _, box := range []struct {
		key  pdf.Name
		b, a pdf.Object
	}{{"MediaBox", b.MediaBox, a.MediaBox}, {"CropBox", b.CropBox, a.CropBox}, {"Rotate", b.Rotate, a.Rotate}} {
		if s.boxChanged(box.key, box.b, box.a, b) {
			s.report(Never, PageChanged, name, "%s", box.key)
		}
	}
	s.applyRule(pageRules, "Resources", PageChanged, name, b.Resources, a.Resources)
	s.keys(b.Dict, a.Dict, func(key pdf.Name, bv, av pdf.Object) {
		switch key {
		case "Parent", "Annots", "MediaBox", "CropBox", "Rotate", "Resources":
			return
		case "Contents":
			s.contents(name, bv, av)
			return
		}
		s.applyRule(pageRules, key, PageChanged, name, bv, av)
	})
	s.annotations(i, b, a)
}

// moved tells that a page object was another page before.
func (s *step) moved(r pdf.Ref) bool {
	_, ok := s.before.pageAt[r.Num]
	return ok
}

// boxChanged compares page boxes and rotation by what they mean: a CropBox
// that is absent is the MediaBox, a Rotate that is absent 0.
func (s *step) boxChanged(key pdf.Name, b, a pdf.Object, page pdf.Page) bool {
	if key == "Rotate" {
		return pdf.Int(s.before.view.Resolve(b), 0)%360 != pdf.Int(s.after.view.Resolve(a), 0)%360
	}
	br, bok := s.before.view.Rect(b)
	ar, aok := s.after.view.Rect(a)
	if key == "CropBox" && bok != aok {
		media, _ := s.before.view.Rect(page.MediaBox)
		if !bok {
			br = media
		} else {
			ar = media
		}
	}
	for i := range br {
		if !closeTo(br[i], ar[i]) {
			return true
		}
	}
	return false
}

// contents compares page contents: one stream is the same as an array of it.
func (s *step) contents(name string, b, a pdf.Object) {
	list := func(v *pdf.View, o pdf.Object) pdf.Array {
		if arr := v.Array(o); arr != nil {
			return arr
		}
		if v.Resolve(o) == nil {
			return nil
		}
		return pdf.Array{o}
	}
	before, after := list(s.before.view, b), list(s.after.view, a)
	if len(before) != len(after) {
		s.report(Never, ContentReplaced, name, "Contents: %d streams instead of %d", len(after), len(before))
		return
	}
	for i := range before {
		if where, same := s.same(before[i], after[i], true); !same {
			s.report(Never, ContentReplaced, name, "Contents %s %s", refName(after[i]), where)
		}
	}
}

func refName(o pdf.Object) string {
	if r, ok := o.(pdf.Ref); ok {
		return "object " + r.String()
	}
	return ""
}
