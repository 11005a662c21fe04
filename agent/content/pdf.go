package content

import (
	"io"
	"slices"

	"github.com/eidkit/eidkit/internal/pdf"
)

// actions are the types of actions that do more than go to a page or, as a
// person clicks, to an address (ISO 32000-1, table 198).
var actions = map[pdf.Name]Active{
	"JavaScript": Script, "Launch": Launch, "SubmitForm": Submit, "ImportData": Submit, "GoToR": Launch, "GoToE": Embedded,
	"Movie": Media, "Sound": Media, "Rendition": Media, "RichMediaExecute": Media, "GoTo3DView": Media, "SetOCGState": Layers, "Hide": Layers,
}

// subtypes are the annotations that hold more than marks (table 169, and
// RichMedia of ISO 32000-2).
var subtypes = map[pdf.Name]Active{"RichMedia": Media, "Movie": Media, "Sound": Media, "Screen": Media, "3D": Media, "FileAttachment": Embedded}

// keys are the keys of dictionaries that tell by being there.
var keys = map[pdf.Name]Active{"JS": Script, "JavaScript": Script, "EmbeddedFiles": Embedded, "EF": Embedded, "XFA": DynamicUI, "OCProperties": Layers}

const (
	maxDepth   = 64
	maxObjects = 1 << 20
	maxActions = 64 // one after the other, of one dictionary
)

// lookPDF looks at every object of the document as it is now. With one that
// cannot be read, or whose place had to be guessed, it is Unchecked: other readers
// may make more of it.
func lookPDF(r io.ReaderAt, size int64, found map[Active]bool) {
	f, err := pdf.Open(r, size)
	if err != nil {
		found[Unchecked] = true
		return
	}
	if f.Repaired {
		found[Unchecked] = true
	}
	v := f.Last()
	numbers := v.Numbers()
	if len(numbers) > maxObjects {
		found[Unchecked], numbers = true, numbers[:maxObjects]
	}
	lookObject(v, v.Trailer(), found, 0)
	for _, n := range numbers {
		if o := v.Indirect(n); o != nil {
			lookObject(v, o.Value, found, 0)
		} else {
			found[Unchecked] = true
		}
	}
	if !f.Spend(1) { // what comes after the end of the work reads as nothing
		found[Unchecked] = true
	}
}

// lookObject looks at a value with what it holds directly.
func lookObject(v *pdf.View, o pdf.Object, found map[Active]bool, depth int) {
	if depth > maxDepth {
		found[Unchecked] = true
		return
	}
	switch o := o.(type) {
	case pdf.Array:
		for _, x := range o {
			lookObject(v, x, found, depth+1)
		}
	case *pdf.Stream:
		if o.Dict["F"] != nil { // its data are in another file (section 7.3.8.2)
			found[External] = true
		}
		lookXObject(v, o.Dict, found)
		lookObject(v, o.Dict, found, depth+1)
	case pdf.Dict:
		left := maxActions
		for key, value := range o {
			if a, ok := keys[key]; ok && value != nil {
				found[a] = true
			}
			if key == "OpenAction" && opens(v, value, &left) {
				found[Submit] = true
			}
			if key == "AA" {
				for _, action := range v.Dict(value) {
					if opens(v, action, &left) {
						found[Submit] = true
					}
				}
			}
			lookObject(v, value, found, depth+1)
		}
		if a, ok := actions[v.Name(o["S"])]; ok {
			found[a] = true
		}
		if a, ok := subtypes[v.Name(o["Subtype"])]; ok {
			found[a] = true
		}
	}
}

// lookXObject looks at a picture or a form for what stands in its place
// elsewhere (sections 8.10.4, 8.9.5.4 and 14.11.7).
func lookXObject(v *pdf.View, d pdf.Dict, found map[Active]bool) {
	switch v.Name(d["Subtype"]) {
	case "Form":
		if v.Dict(d["Ref"]) != nil {
			found[External] = true
		}
	case "Image":
		if d["Alternates"] != nil {
			found[Layers] = true
		}
	}
	if d["OPI"] != nil {
		found[External] = true
	}
}

// opens tells whether an action that nobody clicks on opens an address, itself or
// one of those behind it.
func opens(v *pdf.View, action pdf.Object, left *int) bool {
	if *left--; *left < 0 {
		return true // nobody has so many
	}
	d := v.Dict(action)
	if d == nil {
		return false
	}
	if v.Name(d["S"]) == "URI" {
		return true
	}
	list := v.Array(d["Next"])
	if list == nil {
		return d["Next"] != nil && opens(v, d["Next"], left)
	}
	return slices.ContainsFunc(list, func(next pdf.Object) bool { return opens(v, next, left) })
}
