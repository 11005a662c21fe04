package pdfdiff

import (
	"slices"

	"github.com/eidkit/eidkit/internal/pdf"
)

func (s *step) trailer() {
	before, after := s.before.view.Trailer(), s.after.view.Trailer()
	if _, same := s.same(before["Encrypt"], after["Encrypt"], false); !same {
		s.report(Never, EncryptionChanged, "trailer", "Encrypt")
	}
	// A trailer without Info says nothing about the one before.
	if where, same := s.same(before["Info"], after["Info"], false); !same && after["Info"] != nil {
		s.report(Validation, MetadataChanged, "document information", "%s", where)
	}
}

// keyRule says what a changed key of the catalog or a page means.
type keyRule struct {
	level Level
	kind  Kind
}

// catalogRules are the keys that need no look at how they changed. Those
// missing here and in catalogChecks are Never. ISO 32000-2, table 29.
var catalogRules = map[pdf.Name]keyRule{
	"DSS":               {Validation, ValidationData},
	"Metadata":          {Validation, MetadataChanged},
	"PieceInfo":         {Validation, MetadataChanged},
	"ITXT":              {Validation, MetadataChanged},
	"Version":           {Validation, MetadataChanged},
	"Extensions":        {Validation, MetadataChanged},
	"Type":              {Validation, MetadataChanged},
	"MarkInfo":          {Form, StructureChanged},
	"Lang":              {Form, StructureChanged},
	"PageLayout":        {Form, PresentationChanged},
	"PageMode":          {Form, PresentationChanged},
	"ViewerPreferences": {Form, PresentationChanged},
	"OCProperties":      {Never, LayersChanged},
	"OpenAction":        {Never, ActionAdded},
	"AA":                {Never, ActionAdded},
	"URI":               {Never, ActionAdded},
	"AF":                {Never, AttachmentChanged},
	"Collection":        {Never, AttachmentChanged},
}

// namesRules are for the entries of the name dictionary. ISO 32000-2, table 32.
var namesRules = map[pdf.Name]keyRule{
	"Dests":         {Form, PresentationChanged},
	"JavaScript":    {Never, ActionAdded},
	"EmbeddedFiles": {Never, AttachmentChanged},
}

func (s *step) catalog() {
	s.keys(s.before.catalog, s.after.catalog, func(key pdf.Name, b, a pdf.Object) {
		switch key {
		case "Pages", "AcroForm":
			return // on their own
		case "Names":
			s.names(s.before.view.Dict(b), s.after.view.Dict(a))
			return
		case "StructTreeRoot":
			s.structure(b, a)
			return
		case "Perms":
			s.permissions(b, a)
			return
		case "OutputIntents":
			// Common makers add the colour profile of a visible signature; one that was
			// signed stays.
			if s.before.view.Resolve(b) == nil {
				s.report(Form, PresentationChanged, "catalog", "%s", string(key))
				return
			}
		}
		s.applyRule(catalogRules, key, CatalogChanged, "catalog", b, a)
	})
}

// keys visits the keys of two dictionaries that are not the same object, sorted.
func (s *step) keys(before, after pdf.Dict, visit func(key pdf.Name, b, a pdf.Object)) {
	for _, k := range allKeys(before, after) {
		if !s.clean(before[k], after[k]) {
			visit(k, before[k], after[k])
		}
	}
}

// allKeys are those of both dictionaries, sorted.
func allKeys(before, after pdf.Dict) []pdf.Name {
	all := make([]pdf.Name, 0, len(before)+len(after))
	for k := range before {
		all = append(all, k)
	}
	for k := range after {
		if _, ok := before[k]; !ok {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}

func (s *step) applyRule(rules map[pdf.Name]keyRule, key pdf.Name, otherwise Kind, object string, b, a pdf.Object) {
	where, same := s.same(b, a, key == "Resources")
	if same {
		return
	}
	rule, known := rules[key]
	if !known {
		rule = keyRule{Never, otherwise}
	}
	if rule.kind == ActionAdded && s.after.view.Resolve(a) == nil {
		rule.level = Form // an action less
	}
	detail := string(key)
	if where != "" {
		detail += "/" + where
	}
	s.report(rule.level, rule.kind, object, "%s", detail)
}

func (s *step) names(before, after pdf.Dict) {
	s.keys(before, after, func(key pdf.Name, b, a pdf.Object) {
		if s.emptyTree(b, s.before.view) && s.emptyTree(a, s.after.view) {
			return
		}
		s.applyRule(namesRules, key, CatalogChanged, "names", b, a)
	})
}

// emptyTree tells that a name tree holds nothing.
func (s *step) emptyTree(o pdf.Object, v *pdf.View) bool {
	d := v.Dict(o)
	return d == nil || len(v.Array(d["Names"])) == 0 && len(v.Array(d["Kids"])) == 0
}

// growingKeys of the structure tree may be new or longer.
var growingKeys = map[pdf.Name]bool{
	"K": true, "Kids": true, "Names": true, "IDTree": true, "ID": true, "RoleMap": true, "ClassMap": true, "StructTreeRoot": true, "": true,
}

// structure compares the structure tree: it may grow, as it does when a tagged
// document gets a signature field, but what it says of the content must stay.
func (s *step) structure(b, a pdf.Object) {
	if s.clean(b, a) {
		return
	}
	grown := 0
	w := &walk{s: s, grow: true, tolerate: func(d difference) bool {
		fine := d.key == "ParentTreeNextKey" || d.key == "ParentTree" || d.key == "Nums" || d.key == "Limits" || d.grown && growingKeys[d.key]
		if fine {
			grown++
		}
		return fine
	}}
	if s.before.view.Resolve(b) == nil && s.after.view.Resolve(a) == nil {
		return
	}
	if diffs := w.compare("", b, a); len(diffs) > 0 {
		s.report(Never, StructureChanged, "structure tree", "%s", describe(diffs))
	} else if grown > 0 {
		s.report(Form, StructureChanged, "structure tree", "elements added")
	}
}

// permissions compares the permissions dictionary: a certification may come
// with the signature that makes it, and never go. ISO 32000-2, table 263.
func (s *step) permissions(b, a pdf.Object) {
	before, after := s.before.view.Dict(b), s.after.view.Dict(a)
	s.keys(before, after, func(key pdf.Name, b, a pdf.Object) {
		where, same := s.same(b, a, false)
		switch {
		case same:
		case b == nil:
			s.report(Form, CertificationGone, "permissions", "%s added", key)
		case key == "UR3" || key == "UR":
			s.report(Form, FormChanged, "permissions", "%s: usage rights", key)
		default:
			s.report(Never, CertificationGone, "permissions", "%s %s", key, where)
		}
	})
}
