package pades

import (
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdfdiff"
)

// facts fills in what only signatures in PDF files have.
func (d *document) facts(s *signature) *ades.PDFFacts {
	rules := d.rules(s)
	f := &ades.PDFFacts{
		Field: strings.Join(s.names, ", "), Revision: s.revision + 1, Revisions: len(d.pdf.Revisions()), Certified: d.certified(s, rules),
		SignerName: s.view.Text(s.dict["Name"]), Location: s.view.Text(s.dict["Location"]), ContactInfo: s.view.Text(s.dict["ContactInfo"]),
	}
	for _, w := range s.field.Widgets {
		page := d.pageOf(w)
		if page < 0 {
			continue
		}
		if f.Page == 0 {
			f.Page = page + 1
		}
		if r, ok := d.last.Rect(w.Dict["Rect"]); ok && r[2] > r[0] && r[3] > r[1] {
			f.Page = page + 1
			f.Rect, f.PageSize = d.last.Shown(d.pages[page], r)
			break
		}
	}
	return f
}

// pageOf is the index of the page that shows a widget, by the page's list of
// annotations, else by the widget's own word; -1: none.
func (d *document) pageOf(w pdf.Widget) int {
	if d.annotPages == nil {
		d.annotPages, d.pageIndex = map[uint32]int{}, map[uint32]int{}
		for i, p := range d.pages {
			d.pageIndex[p.Ref.Num] = i
			for _, o := range d.last.Array(p.Dict["Annots"]) {
				if r, ok := o.(pdf.Ref); ok {
					d.annotPages[r.Num] = i
				}
			}
		}
	}
	if i, ok := d.annotPages[w.Ref.Num]; ok && w.Ref.Num != 0 {
		return i
	}
	if r, ok := w.Dict["P"].(pdf.Ref); ok {
		if i, ok := d.pageIndex[r.Num]; ok {
			return i
		}
	}
	return -1
}

// rules reads what the signature says about later changes: the transforms of
// its Reference (ISO 32000-2 section 12.8.2) and the Lock of its field (table
// 236), as its own revision has them.
func (d *document) rules(s *signature) pdfdiff.Rules {
	var rules pdfdiff.Rules
	v := s.view
	for _, o := range v.Array(s.dict["Reference"]) {
		ref := v.Dict(o)
		params := v.Dict(ref["TransformParams"])
		switch v.Name(ref["TransformMethod"]) {
		case "DocMDP":
			p := int(pdf.Int(v.Resolve(params["P"]), 2))
			if p < 1 || p > 3 {
				p = 1 // not known: nothing is allowed
			}
			rules.DocMDP = p
		case "FieldMDP":
			rules.Locks = append(rules.Locks, readLock(v, params))
		}
	}
	if lock := v.Dict(v.Dict(s.field.Ref)["Lock"]); lock != nil {
		rules.Locks = append(rules.Locks, readLock(v, lock))
		if p := int(pdf.Int(v.Resolve(lock["P"]), 0)); p >= 1 && p <= 3 && (rules.DocMDP == 0 || p < rules.DocMDP) {
			rules.DocMDP = p
		}
	}
	return rules
}

func readLock(v *pdf.View, params pdf.Dict) pdfdiff.Lock {
	l := pdfdiff.Lock{Action: string(v.Name(params["Action"]))}
	for _, o := range v.Array(params["Fields"]) {
		l.Fields = append(l.Fields, v.Text(o))
	}
	return l
}

// certified is the permission of a certification signature: one with DocMDP
// among its transforms.
func (d *document) certified(s *signature, rules pdfdiff.Rules) int {
	for _, o := range s.view.Array(s.dict["Reference"]) {
		if s.view.Name(s.view.Dict(o)["TransformMethod"]) == "DocMDP" {
			return rules.DocMDP
		}
	}
	return 0
}
