package pades

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
)

// Widget flags, ISO 32000-2 table 167.
const (
	flagInvisible    = 1 << 0
	flagHidden       = 1 << 1
	flagPrint        = 1 << 2
	flagNoView       = 1 << 5
	flagLocked       = 1 << 7
	flagToggleNoView = 1 << 8

	// hiding are those under which nothing is seen, always or at times.
	hiding = flagInvisible | flagHidden | flagNoView | flagToggleNoView
)

// maxNewName bounds the name of a new field, in bytes.
const maxNewName = 256

// slot is the field that is signed, with the widget that shows it.
type slot struct {
	name   string
	ref    pdf.Ref
	widget pdf.Ref // the same as ref, or a kid of it; zero: none
	page   int     // index; -1: on none
	rect   [4]float64
	hidden bool // by its flags, whatever its rectangle
	fresh  bool // the field is new
	listed bool // the form has it already
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ades.ErrUnsuitable}, args...)...)
}

// findSlot finds the field of the name, or a name for a new one: prefix and a number.
func (d *document) findSlot(name, prefix string) (*slot, error) {
	taken := map[string]bool{}
	for i := range d.form.Fields {
		f := &d.form.Fields[i]
		if f.Name == name && name != "" {
			return d.existing(f)
		}
		taken[f.Name] = true
		for at, c := range f.Name {
			if c == '.' {
				taken[f.Name[:at]] = true // a field above it
			}
		}
	}
	switch {
	case strings.Contains(name, "."):
		return nil, refused("it has no field %q, and the name of a new one has no full stop", name)
	case !utf8.ValidString(name):
		return nil, refused("the name of the field is not UTF-8")
	case len(name) > maxNewName:
		return nil, refused("the name of a new field is too long")
	case taken[name]:
		return nil, refused("the field %q groups other fields", name)
	}
	for n := 1; name == "" || taken[name]; n++ {
		name = fmt.Sprintf("%s%d", prefix, n)
	}
	return &slot{name: name, page: -1, fresh: true}, nil
}

// existing takes a field of the form.
func (d *document) existing(f *pdf.Field) (*slot, error) {
	switch {
	case f.Type != "Sig":
		return nil, refused("the field %q is no signature field", f.Name)
	case d.last.Resolve(f.Value) != nil:
		return nil, refused("the field %q is signed already", f.Name)
	case f.Ref.Num == 0:
		return nil, refused("the field %q is no object of its own", f.Name)
	case f.Unlisted && f.Dict["Parent"] != nil:
		return nil, refused("the form does not list the field %q", f.Name)
	}
	s := &slot{name: f.Name, ref: f.Ref, page: -1, listed: !f.Unlisted}
	for _, w := range f.Widgets {
		page := d.pageOf(w)
		r, ok := d.last.Rect(w.Dict["Rect"])
		if page < 0 || w.Ref.Num == 0 || !ok {
			continue
		}
		hidden := pdf.Int(d.last.Resolve(w.Dict["F"]), 0)&(flagInvisible|flagHidden|flagNoView) != 0
		other := slot{widget: w.Ref, page: page, rect: r, hidden: hidden}
		if s.page < 0 || s.empty() && !other.empty() || !s.roomy() && other.roomy() {
			s.widget, s.page, s.rect, s.hidden = w.Ref, page, r, hidden
		}
	}
	return s, nil
}

// roomy tells that the slot has a place on a page where something could be seen.
func (s *slot) roomy() bool {
	return s.page >= 0 && s.rect[2]-s.rect[0] >= 1 && s.rect[3]-s.rect[1] >= 1
}

// empty tells that there is nothing to be seen at the slot's place.
func (s *slot) empty() bool { return s.hidden || !s.roomy() }

// addField writes the field with its value and appearance (the zero Ref: none,
// or the one it has): into the form, and onto its page.
func (d *document) addField(u *pdf.Update, s *slot, value, appearance pdf.Ref) error {
	if s.fresh {
		page := d.pages[s.page]
		if dict, at := u.Dict(page.Ref); dict == nil || at.Num == 0 {
			return refused("page %d is no dictionary of its own", s.page+1)
		}
		field := pdf.Dict{
			"Type": pdf.Name("Annot"), "Subtype": pdf.Name("Widget"), "FT": pdf.Name("Sig"), "T": pdf.NewText(s.name), "V": value,
			"F": int64(flagPrint | flagLocked), "P": page.Ref, "Rect": rectangle(s.rect),
		}
		if appearance.Num != 0 {
			field["AP"] = pdf.Dict{"N": appearance}
		}
		if turn := d.last.Turn(page); turn != 0 && !s.empty() {
			field["MK"] = pdf.Dict{"R": int64(turn)}
		}
		s.ref = u.Add(field)
		d.annotate(u, s.page, s.ref)
		return d.listField(u, s.ref)
	}
	field, _ := u.Dict(s.ref)
	if field == nil {
		return refused("the field %q is no dictionary", s.name)
	}
	field["V"] = value
	u.Set(s.ref, field)
	if widget, _ := u.Dict(s.widget); widget != nil && appearance.Num != 0 {
		widget["AP"] = pdf.Dict{"N": appearance}
		delete(widget, "AS")
		flags := pdf.Int(d.last.Resolve(widget["F"]), 0) | flagPrint | flagLocked
		if !s.empty() {
			flags &^= hiding
		}
		widget["F"] = flags
		u.Set(s.widget, widget)
	}
	if s.listed {
		return d.listField(u, pdf.Ref{})
	}
	return d.listField(u, s.ref)
}

func rectangle(r [4]float64) (a pdf.Array) {
	for _, v := range r {
		a = append(a, rounded(v))
	}
	return a
}

// annotate puts an annotation onto a page. The array of its annotations stays
// where it is, unless other pages have the same one.
func (d *document) annotate(u *pdf.Update, page int, annotation pdf.Ref) {
	p := d.pages[page]
	list, at := u.Array(p.Dict["Annots"])
	list = append(list, annotation)
	shared := false
	for i, other := range d.pages {
		shared = shared || i != page && at.Num != 0 && other.Dict["Annots"] == pdf.Object(at)
	}
	if value, _ := u.Get(at); at.Num != 0 && value != nil && !shared {
		u.Set(at, list)
		return
	}
	dict, ref := u.Dict(p.Ref)
	dict["Annots"] = list
	u.Set(ref, dict)
}

// listField enters a field into the form, which is made if there is none; the
// zero Ref only says that the document has signatures. ISO 32000-2, tables 224
// and 225.
func (d *document) listField(u *pdf.Update, field pdf.Ref) error {
	const signaturesExist, appendOnly = 1, 2
	catalog, root := u.Dict(u.Root())
	if catalog == nil {
		return refused("its catalog is no dictionary")
	}
	form, at := u.Dict(catalog["AcroForm"])
	fresh := form == nil
	if fresh {
		form = pdf.Dict{}
	}
	changed := fresh
	value, _ := u.Get(form["SigFlags"])
	if flags := pdf.Int(value, 0); flags&(signaturesExist|appendOnly) != signaturesExist|appendOnly {
		form["SigFlags"] = flags | signaturesExist | appendOnly
		changed = true
	}
	if field.Num != 0 {
		fields, list := u.Array(form["Fields"])
		fields = append(fields, field)
		if list.Num != 0 && len(fields) > 1 {
			u.Set(list, fields)
		} else {
			form["Fields"] = fields
			changed = true
		}
	}
	switch {
	case !changed:
	case fresh:
		catalog["AcroForm"] = u.Add(form)
		u.Set(root, catalog)
	case at.Num != 0:
		u.Set(at, form)
	default:
		catalog["AcroForm"] = form
		u.Set(root, catalog)
	}
	return nil
}
