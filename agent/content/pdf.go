package content

import (
	"io"

	"github.com/eidkit/eidkit/internal/pdf"
)

// actions are the types of actions that do more than go to a page or, as a
// person clicks, to an address (ISO 32000-1, table 198).
var actions = map[pdf.Name]Active{
	"JavaScript": Script, "Launch": Launch, "SubmitForm": Submit, "ImportData": Submit, "GoToR": Launch, "GoToE": Embedded,
	"Movie": Media, "Sound": Media, "Rendition": Media, "RichMediaExecute": Media, "GoTo3DView": Media, "SetOCGState": Layers,
}

// subtypes are the annotations that hold more than marks (table 169, and
// RichMedia of ISO 32000-2).
var subtypes = map[pdf.Name]Active{"RichMedia": Media, "Movie": Media, "Sound": Media, "Screen": Media, "3D": Media, "FileAttachment": Embedded}

// keys are the keys of dictionaries that tell by being there.
var keys = map[pdf.Name]Active{"JS": Script, "JavaScript": Script, "EmbeddedFiles": Embedded, "EF": Embedded, "XFA": DynamicUI, "OCProperties": Layers}

const (
	maxDepth   = 64
	maxObjects = 1 << 20
)

// lookPDF looks at every object of the document as it is now. One that cannot be read is Unchecked.
func lookPDF(r io.ReaderAt, size int64, found map[Active]bool) {
	f, err := pdf.Open(r, size)
	if err != nil {
		found[Unchecked] = true
		return
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
		lookObject(v, o.Dict, found, depth+1)
	case pdf.Dict:
		for key, value := range o {
			if a, ok := keys[key]; ok && value != nil {
				found[a] = true
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
