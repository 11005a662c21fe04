package pdf

// Field is a terminal field of the interactive form. ISO 32000-1, section 12.7.3.
type Field struct {
	// Name is fully qualified: "order.amount".
	Name string
	Ref  Ref // zero if the field is not an indirect object
	Dict Dict
	// Type is Btn, Tx, Ch or Sig, inherited if need be; Flags likewise.
	Type  Name
	Flags int64
	// Value is V, the field's own or inherited, not resolved.
	Value Object
	// Widgets are its appearances on pages; the field itself if it has no Kids.
	Widgets []Widget
	// Unlisted: a widget on a page says that it is a field, but the form does
	// not list it.
	Unlisted bool
}

// Widget is an annotation that shows a field.
type Widget struct {
	Ref  Ref
	Dict Dict
}

// Form is the interactive form with its fields in order.
type Form struct {
	Dict   Dict
	Fields []Field
	// Nodes are the non-terminal fields.
	Nodes []Widget
	// Broken: fields form a loop, are nested too deeply, or are too many.
	Broken bool
}

// Form walks the fields that AcroForm lists.
func (v *View) Form() Form {
	w := fieldWalk{v: v, seen: map[uint32]bool{}}
	w.Dict = v.Dict(v.Catalog()["AcroForm"])
	for _, o := range v.Array(w.Dict["Fields"]) {
		w.field(o, Field{}, 0)
	}
	return w.Form
}

// AddUnlisted adds signature fields that pages show but the form does not
// list. Readers differ about them, so they must not be overlooked.
func (f *Form) AddUnlisted(v *View, pages []Page) {
	w := fieldWalk{v: v, seen: map[uint32]bool{}, Form: *f}
	for _, field := range f.Fields {
		w.seen[field.Ref.Num] = true
		for _, widget := range field.Widgets {
			w.seen[widget.Ref.Num] = true
		}
	}
	for _, p := range pages {
		for _, o := range v.Array(p.Dict["Annots"]) {
			r, ok := o.(Ref)
			if !ok || w.seen[r.Num] {
				continue
			}
			d := v.Dict(r)
			if v.Name(d["Subtype"]) != "Widget" {
				continue
			}
			top, inherited := w.climb(d)
			if inherited != "Sig" || top != nil && w.seen[top.Num] {
				continue
			}
			before := len(w.Fields)
			if top != nil {
				w.field(*top, Field{Type: "Sig"}, 0)
			} else {
				w.field(r, Field{Type: "Sig"}, 0)
			}
			for i := before; i < len(w.Fields); i++ {
				w.Fields[i].Unlisted = true
			}
		}
	}
	*f = w.Form
}

// climb goes from a widget to the topmost field above it and returns that and
// the field type on the way.
func (w *fieldWalk) climb(d Dict) (top *Ref, kind Name) {
	kind = w.v.Name(d["FT"])
	for range maxTreeDepth {
		parent, ok := d["Parent"].(Ref)
		if !ok {
			break
		}
		d = w.v.Dict(parent)
		if d == nil {
			break
		}
		top = &parent
		if kind == "" {
			kind = w.v.Name(d["FT"])
		}
	}
	return top, kind
}

type fieldWalk struct {
	Form
	v    *View
	seen map[uint32]bool
}

func (w *fieldWalk) field(o Object, f Field, depth int) {
	r, isRef := o.(Ref)
	if isRef {
		if w.seen[r.Num] {
			w.Broken = true
			return
		}
		w.seen[r.Num] = true
	}
	d := w.v.Dict(o)
	if d == nil {
		return
	}
	if depth > maxTreeDepth || len(w.Fields) >= maxFields {
		w.Broken = true
		return
	}
	f.Ref, f.Dict = r, d
	if t := w.v.Text(d["T"]); t != "" {
		if f.Name != "" {
			f.Name += "."
		}
		f.Name += t
		if len(f.Name) > maxName {
			f.Name = f.Name[:maxName]
		}
	}
	if t := w.v.Name(d["FT"]); t != "" {
		f.Type = t
	}
	if flags, ok := d["Ff"]; ok {
		f.Flags = Int(w.v.Resolve(flags), 0)
	}
	if value, ok := d["V"]; ok {
		f.Value = value
	}
	kids := w.v.Array(d["Kids"])
	if w.areFields(kids) {
		w.Nodes = append(w.Nodes, Widget{r, d})
		for _, kid := range kids {
			w.field(kid, f, depth+1)
		}
		return
	}
	f.Widgets = w.widgets(r, d, kids)
	w.Fields = append(w.Fields, f)
}

// areFields tells fields from widgets among Kids: fields have a name of their own.
func (w *fieldWalk) areFields(kids Array) bool {
	for _, kid := range kids {
		if d := w.v.Dict(kid); d["T"] != nil || d["Kids"] != nil {
			return true
		}
	}
	return false
}

func (w *fieldWalk) widgets(r Ref, d Dict, kids Array) []Widget {
	if len(kids) == 0 {
		return []Widget{{r, d}}
	}
	var out []Widget
	for _, kid := range kids {
		kr, ok := kid.(Ref)
		if ok && w.seen[kr.Num] {
			w.Broken = true
			continue
		}
		w.seen[kr.Num] = ok
		if kd := w.v.Dict(kid); kd != nil {
			out = append(out, Widget{kr, kd})
		}
	}
	return out
}
