package pdfdiff

import "github.com/eidkit/eidkit/internal/pdf"

// model is what one state of the document consists of.
type model struct {
	view    *pdf.View
	catalog pdf.Dict
	pages   pdf.PageTree
	form    pdf.Form
	// These objects are compared where they belong; elsewhere their identity
	// counts alone.
	pageAt  map[uint32]int // page or node of the page tree to page index, nodes -1
	annots  map[uint32]int // annotation to page index
	fields  map[uint32]int // terminal field to its index in form
	widgets map[uint32]int // widget to the index of its field
	names   map[string]int // first field of the name
	signed  map[uint32]bool
	root    uint32 // the catalog
}

func loadModel(v *pdf.View) *model {
	m := &model{view: v, catalog: v.Catalog()}
	if m.catalog == nil {
		return m
	}
	m.pages = v.Pages()
	m.index()
	return m
}

// next is the model of the following revision: the page tree is walked again
// only if one of its nodes changed.
func (m *model) next(v *pdf.View, changed map[uint32]bool) *model {
	n := &model{view: v, catalog: v.Catalog()}
	if n.catalog == nil || m.catalog == nil {
		return loadModel(v)
	}
	for num := range changed {
		if i, ok := m.pageAt[num]; ok && (i < 0 || v.Name(v.Dict(pdf.Ref{Num: num})["Type"]) != "Page") {
			return loadModel(v)
		}
	}
	root, ok := n.catalog["Pages"].(pdf.Ref)
	if !ok || n.catalog["Pages"] != m.catalog["Pages"] || len(m.pages.Nodes) == 0 || m.pages.Nodes[0] != root || m.pages.Broken {
		return loadModel(v)
	}
	n.pages = m.pages
	for num := range changed {
		i, ok := m.pageAt[num]
		if !ok {
			continue
		}
		p := m.pages.Pages[i]
		for _, key := range []pdf.Name{"Resources", "MediaBox", "CropBox", "Rotate"} {
			if (p.Dict[key] == nil) != (v.Dict(p.Ref)[key] == nil) {
				return loadModel(v) // inherits now what was its own, or the reverse
			}
		}
	}
	n.pages.Pages = append([]pdf.Page(nil), m.pages.Pages...)
	for num := range changed {
		if i, ok := m.pageAt[num]; ok {
			p := &n.pages.Pages[i]
			p.Dict = v.Dict(p.Ref)
			for key, field := range map[pdf.Name]*pdf.Object{
				"Resources": &p.Resources, "MediaBox": &p.MediaBox, "CropBox": &p.CropBox, "Rotate": &p.Rotate,
			} {
				if own, ok := p.Dict[key]; ok {
					*field = own
				}
			}
		}
	}
	n.index()
	return n
}

func (m *model) index() {
	v := m.view
	if r, ok := v.Trailer()["Root"].(pdf.Ref); ok {
		m.root = r.Num
	}
	m.form = v.Form()
	m.form.AddUnlisted(v, m.pages.Pages)
	m.pageAt, m.annots = map[uint32]int{}, map[uint32]int{}
	for _, n := range m.pages.Nodes {
		m.pageAt[n.Num] = -1
	}
	for i, p := range m.pages.Pages {
		m.pageAt[p.Ref.Num] = i
		for _, o := range v.Array(p.Dict["Annots"]) {
			if r, ok := o.(pdf.Ref); ok && isAnnotation(v, r) {
				m.annots[r.Num] = i
			}
		}
	}
	m.fields, m.widgets, m.names, m.signed = map[uint32]int{}, map[uint32]int{}, map[string]int{}, map[uint32]bool{}
	for i, f := range m.form.Fields {
		if f.Ref.Num != 0 {
			m.fields[f.Ref.Num] = i
		}
		if _, ok := m.names[f.Name]; !ok {
			m.names[f.Name] = i
		}
		for _, w := range f.Widgets {
			if w.Ref.Num != 0 {
				m.widgets[w.Ref.Num] = i
			}
		}
		if r, ok := f.Value.(pdf.Ref); ok && f.Type == "Sig" {
			m.signed[r.Num] = true
		}
	}
}

// annotationTypes are those of ISO 32000-2, table 171.
var annotationTypes = map[pdf.Name]bool{
	"Text": true, "Link": true, "FreeText": true, "Line": true, "Square": true, "Circle": true, "Polygon": true,
	"PolyLine": true, "Highlight": true, "Underline": true, "Squiggly": true, "StrikeOut": true, "Caret": true,
	"Stamp": true, "Ink": true, "Popup": true, "FileAttachment": true, "Sound": true, "Movie": true, "Screen": true,
	"Widget": true, "PrinterMark": true, "TrapNet": true, "Watermark": true, "3D": true, "Redact": true,
	"Projection": true, "RichMedia": true,
}

// isAnnotation tells a real annotation from another object that a page's
// Annots names, which must not escape comparison as what it is.
func isAnnotation(v *pdf.View, r pdf.Ref) bool {
	d, ok := v.Resolve(r).(pdf.Dict)
	return ok && annotationTypes[v.Name(d["Subtype"])]
}

// managed tells whether the object is compared in its own place.
func (m *model) managed(num uint32) bool {
	if _, ok := m.pageAt[num]; ok {
		return true
	}
	if _, ok := m.annots[num]; ok {
		return true
	}
	if _, ok := m.fields[num]; ok {
		return true
	}
	if _, ok := m.widgets[num]; ok {
		return true
	}
	return m.signed[num]
}

// apart tells pages, nodes of the page tree and the catalog, which nothing is
// part of: who refers to them means no more than which they are.
func (m *model) apart(num uint32) bool {
	_, ok := m.pageAt[num]
	return ok || num == m.root && num != 0
}
