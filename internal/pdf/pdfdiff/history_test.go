package pdfdiff

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

func open(t testing.TB, b []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// edits are changes of a contract, lawful and not.
func edits() []pdftest.Update {
	o := func(objects map[int]string) pdftest.Update { return pdftest.Update{Objects: objects} }
	c := pdftest.Contract().Objects
	with := func(n int, old, new string) string { return strings.Replace(c[n], old, new, 1) }
	return []pdftest.Update{
		o(map[int]string{4: pdftest.Stream("", "BT ET")}),
		o(map[int]string{3: with(3, "/Contents 4", "/Contents 16")}),
		o(map[int]string{3: with(3, "14 0 R", "14 0 R 60 0 R"), 60: "<< /Type /Annot /Subtype /FreeText /Rect [72 690 300 720] >>"}),
		o(map[int]string{20: with(20, "/FT", "/V (a) /FT")}),
		o(map[int]string{11: pdftest.Look(1, 1, "BT (1) Tj ET")}),
		o(map[int]string{2: "<< /Type /Pages /Kids [7 0 R 3 0 R] /Count 2 /MediaBox [0 0 595 842] >>"}),
		o(map[int]string{2: "<< /Type /Pages /Kids [61 0 R] /Count 2 /MediaBox [0 0 595 842] /Resources 62 0 R >>", 61: "<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 >>", 62: "<< /Font << >> >>"}),
		o(map[int]string{62: "<< /Font << /F9 5 0 R >> >>"}),
		o(map[int]string{1: with(1, "/Pages", "/OpenAction << /S /JavaScript >> /Pages")}),
		o(map[int]string{1: with(1, "/Pages", "/DSS 63 0 R /Pages"), 63: "<< /Certs [64 0 R] >>", 64: pdftest.Stream("", "x")}),
		o(map[int]string{64: pdftest.Stream("", "y")}),
		o(map[int]string{5: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"}),
		o(map[int]string{6: "null"}),
		o(map[int]string{15: "<< /Type /OCG /Name (Other) >>"}),
		o(map[int]string{9: with(9, "13 0 R", "13 0 R 65 0 R"), 65: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (s) /Rect [0 0 0 0] /V 66 0 R >>", 66: "<< /Type /Sig /Contents <00> >>", 7: with(7, "13 0 R", "13 0 R 65 0 R")}),
		o(map[int]string{66: "<< /Type /Sig /Contents <01> >>"}),
		o(map[int]string{16: "null", 67: "(unused)"}),
		{Free: []int{14}, Objects: map[int]string{67: "(unused)"}},
		{Packed: true, Objects: map[int]string{10: with(10, "(850)", "(851)"), 17: "<< /Title (x) >>"}},
		{XrefStream: true, Objects: map[int]string{3: with(3, "/Contents 4", "/Contents [4 0 R] /Tabs /S"), 12: with(12, "/AS /Off", "/AS /Yes")}},
		{Packed: true, Objects: c},
		{Objects: map[int]string{68: "<<>>"}, Hidden: map[int]string{13: with(13, "100", "101")}},
		{Root: 69, Objects: map[int]string{69: c[1]}},
	}
}

// TestHistoryIsCompare: what the history finds by looking at what changed alone
// is what comparing everything finds.
func TestHistoryIsCompare(t *testing.T) {
	t.Parallel()
	all := edits()
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 150 {
		u := pdftest.Contract()
		u.Packed = round%3 == 0
		p := pdftest.New(pdftest.Catalog, u)
		for p.Number() < 100 { // the numbers that edits use
		}
		var names []int
		for range 1 + r.IntN(6) {
			n := r.IntN(len(all))
			names = append(names, n)
			p.Append(all[n])
		}
		b := p.Bytes()
		f := open(t, b)
		h := NewHistory(f, 0)
		got := sorted(h.After(0))
		var want []Change
		for rev := 1; rev < len(f.Revisions()); rev++ {
			// Another file, so that nothing can be taken for the same.
			want = append(want, Compare(open(t, b).At(rev-1), f.At(rev))...)
		}
		if want := sorted(want); !slices.Equal(got, want) {
			t.Fatalf("edits %v:\n%s\nwant\n%s", names, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func sorted(list []Change) []string {
	var out []string
	for _, c := range list {
		out = append(out, fmt.Sprint(c.Revision, c.Level, c))
	}
	slices.Sort(out)
	return out
}

// TestEditsAreSeen: each edit alone gives what it should, and none goes unseen.
func TestEditsAreSeen(t *testing.T) {
	t.Parallel()
	want := []Kind{ContentReplaced, ContentReplaced, OverlayAdded, FormFilled, ContentReplaced, PageReplaced, "", "", ActionAdded, ValidationData, "",
		ResourcesReplaced, ResourcesReplaced, LayersChanged, SignatureAdded, "", "", AnnotationRemoved, FormFilled, FormFilled, "", FormChanged, ""}
	for i, u := range edits() {
		p := pdftest.New(pdftest.Catalog, pdftest.Contract())
		p.Append(u)
		list := NewHistory(open(t, p.Bytes()), 0).After(0)
		if want[i] == "" && len(list) > 0 || want[i] != "" && !slices.ContainsFunc(list, func(c Change) bool { return c.Kind == want[i] }) {
			t.Errorf("edit %d: %v, want %q", i, list, want[i])
		}
	}
}

func TestHistoryBegins(t *testing.T) {
	t.Parallel()
	p := pdftest.New(pdftest.Catalog, pdftest.Contract())
	p.Append(edits()[0])
	p.Append(edits()[3])
	h := NewHistory(open(t, p.Bytes()), 1)
	if list := h.After(1); len(list) != 1 || list[0].Kind != FormFilled || list[0].Revision != 2 {
		t.Errorf("%v", list)
	}
	if list := h.After(2); len(list) != 0 {
		t.Errorf("%v", list)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	form, signing := Change{Level: Form, Field: "a.b"}, Change{Level: Form, Field: "a.b", Signing: true}
	for name, c := range map[string]struct {
		rules  Rules
		change Change
		want   bool
	}{
		"validation, P 1":        {Rules{DocMDP: 1}, Change{Level: Validation}, true},
		"form, none":             {Rules{}, form, true},
		"form, P 1":              {Rules{DocMDP: 1}, form, false},
		"form, P 2":              {Rules{DocMDP: 2}, form, true},
		"annotation, none":       {Rules{}, Change{Level: Annotation}, true},
		"annotation, P 2":        {Rules{DocMDP: 2}, Change{Level: Annotation}, false},
		"annotation, P 3":        {Rules{DocMDP: 3}, Change{Level: Annotation}, true},
		"edit, none":             {Rules{}, Change{Level: AnnotationEdit}, false},
		"edit, P 3":              {Rules{DocMDP: 3}, Change{Level: AnnotationEdit}, true},
		"never":                  {Rules{DocMDP: 3}, Change{Level: Never}, false},
		"all locked":             {Rules{Locks: []Lock{{Action: "All"}}}, form, false},
		"unknown lock":           {Rules{Locks: []Lock{{}}}, form, false},
		"locked by name":         {Rules{Locks: []Lock{{Action: "Include", Fields: []string{"x", "a.b"}}}}, form, false},
		"locked above":           {Rules{Locks: []Lock{{Action: "Include", Fields: []string{"a"}}}}, form, false},
		"name begins alike":      {Rules{Locks: []Lock{{Action: "Include", Fields: []string{"a."}}}}, form, true},
		"another locked":         {Rules{Locks: []Lock{{Action: "Include", Fields: []string{"b"}}}}, form, true},
		"excepted":               {Rules{Locks: []Lock{{Action: "Exclude", Fields: []string{"a"}}}}, form, true},
		"not excepted":           {Rules{Locks: []Lock{{Action: "Exclude", Fields: []string{"b"}}}}, form, false},
		"signing, all locked":    {Rules{Locks: []Lock{{Action: "All"}}}, signing, true},
		"signing a locked field": {Rules{Locks: []Lock{{Action: "Include", Fields: []string{"a.b"}}}}, signing, false},
		"time stamp":             {Rules{DocMDP: 1, Locks: []Lock{{Action: "Include", Fields: []string{"a.b"}}}}, Change{Level: Validation, Field: "a.b"}, true},
	} {
		if got := c.rules.Allow(c.change); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPainting(t *testing.T) {
	t.Parallel()
	o := pdftest.Contract().Objects
	o[4] = pdftest.Stream("", `q 2 0 0 2 10 20 cm BT /F1 10 Tf 1 0 0 1 100 50 Tm (abcd) Tj 0 -20 Td [(ab) 1000 (cd)] TJ ET Q
		BT /F1 10 Tf 3 Tr (seen by nobody) Tj ET BT /F1 10 Tf 0 Tr 72 72 Td (..........) Tj 0 -12 TD (__) ' ET
		100 0 0 50 300 400 cm /Im1 Do /Form Do`)
	o[3] = strings.Replace(o[3], "/Im1 6 0 R", "/Im1 6 0 R /Form 70 0 R", 1)
	o[70] = pdftest.Stream("/Type /XObject /Subtype /Form /Matrix [0.1 0 0 0.1 0 0] /Resources << /XObject << /Form 70 0 R >> >>", "0 0 4 4 re f 1 g 0 0 4 4 re f /Form Do")
	v := open(t, pdftest.New(1, pdftest.Update{Objects: o}).Bytes()).Last()
	p := paintPage(v, v.Pages().Pages[0])
	want := "[[210 116 250 136] [210 76 230 96]]" // half an em for a letter, and one em back
	if got := fmt.Sprint(p.texts); got != want {
		t.Errorf("text at %s, want %s", got, want)
	}
	if got := fmt.Sprint(p.images); got != "[[300 400 400 450]]" {
		t.Errorf("image at %s", got)
	}
	if len(p.areas) == 0 || p.areas[0] != [4]float64{300, 400, 340, 420} || !p.fill || !p.image {
		t.Errorf("areas %v", p.areas)
	}
	for _, a := range p.areas[1:] { // the form within itself ends
		if a[2]-a[0] > 5 {
			t.Errorf("area %v", a)
		}
	}
}

func FuzzCompare(f *testing.F) {
	base := pdftest.New(pdftest.Catalog, pdftest.Contract())
	for _, u := range edits() {
		p := base.Clone()
		p.Append(u)
		f.Add(p.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(file.Revisions()) > 50 {
			return
		}
		list := NewHistory(file, 0).After(0)
		for _, c := range list {
			if c.Kind == "" || c.Object == "" || c.Revision < 1 {
				t.Errorf("%+v", c)
			}
		}
		if same := Compare(file.Last(), file.Last()); len(same) > 0 && same[0].Kind != NotComparable {
			t.Errorf("differs from itself: %v", same)
		}
	})
}
