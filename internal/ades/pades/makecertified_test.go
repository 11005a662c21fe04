package pades_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards/pki"
)

// fieldOf finds a field of a file.
func fieldOf(t testing.TB, b []byte, name string) (*pdf.View, pdf.Dict) {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	for _, field := range f.Last().Form().Fields {
		if field.Name == name {
			return f.Last(), field.Dict
		}
	}
	t.Fatalf("no field %s", name)
	return nil, nil
}

// prepared is a draft for a file.
func (p person) prepared(t testing.TB, in []byte, o pades.MakeOptions) *pades.Draft {
	t.Helper()
	d, err := pades.Prepare(context.Background(), file(in), p.making(noon), o)
	must(t, err)
	return d
}

// TestCertifiedNewField: who signs a certified document in a field that it did
// not have and that is seen is warned; nobody else is. Permission 1 allows none.
func TestCertifiedNewField(t *testing.T) {
	t.Parallel()
	p, seen := somebody(t, pki.RSA), &pades.Visible{Page: 2}
	warned := func(in []byte, o pades.MakeOptions) bool {
		list := p.prepared(t, in, o).Warnings()
		return len(list) == 1 && list[0].Code == "CERTIFIED_NEW_VISIBLE_FIELD" && strings.Contains(list[0].Detail, `"Signature1"`)
	}
	for permission := 1; permission <= 3; permission++ {
		in := p.sign(t, lease(), noon, pades.MakeOptions{Certify: permission})
		for name, o := range map[string]pades.MakeOptions{"new, seen": {Visible: seen}, "new": {}, "there": {Field: "landlord"}} {
			if permission == 1 {
				_, err := p.trySign(in, noon, o)
				refusal(t, err, ades.ErrUnsuitable, "final")
				continue
			}
			if got := warned(in, o); got != (name == "new, seen") {
				t.Errorf("certified for %d, field %s: warned %v", permission, name, got)
			}
			passes(t, p.sign(t, in, noon, o), noon.Add(time.Hour), []string{"B-B", "B-B"}, p)
		}
	}
	if warned(lease(), pades.MakeOptions{Visible: seen}) || warned(p.sign(t, lease(), noon, pades.MakeOptions{}), pades.MakeOptions{Visible: seen}) {
		t.Error("warned without a certification")
	}
}

// TestUnseen: a field that is not seen has no appearance, which would be form
// filling under a certification with permission 1; in PDF/A-1 it has one elsewhere.
func TestUnseen(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	pdfa1 := changed(map[int]string{pdftest.Catalog: with(pdftest.Catalog, "/Metadata 53 0 R"),
		53: pdftest.Stream("/Type /Metadata /Subtype /XML", `<rdf:Description pdfaid:part="1" pdfaid:conformance="B"/>`)})
	for _, c := range []struct {
		in                []byte
		certify           int
		signature, stamps bool // have an appearance
	}{{lease(), 1, false, false}, {lease(), 0, false, false}, {pdfa1, 0, true, true}, {pdfa1, 2, true, true}, {pdfa1, 1, true, false}} {
		out := p.sign(t, c.in, noon, pades.MakeOptions{Certify: c.certify, Level: ades.LevelLTA})
		out = p.raised(t, out, ades.LevelLTA, noon.Add(time.Hour))
		passes(t, out, noon.Add(2*time.Hour), []string{"B-LTA"}, p)
		for name, want := range map[string]bool{"Signature1": c.signature, "Timestamp1": c.stamps, "Timestamp2": c.stamps} {
			v, field := fieldOf(t, out, name)
			if r, ok := v.Rect(field["Rect"]); !ok || r != [4]float64{} {
				t.Errorf("%s is at %v", name, r)
			}
			if got := field["AP"] != nil; got != want {
				t.Errorf("certified for %d, %s: appearance %v", c.certify, name, got)
			}
		}
	}
}

// TestHidden: a field that its flags hide is seen once a signature to be seen is
// put into it, and stays as it is for others.
func TestHidden(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	for _, flags := range []int{1, 2, 32, 2 | 4 | 256} {
		in := changed(map[int]string{pdftest.Waiting: strings.Replace(pdftest.Contract().Objects[pdftest.Waiting], "/F 4", fmt.Sprintf("/F %d", flags), 1)})
		if bytes.Equal(in, lease()) {
			t.Fatal("the field has other flags")
		}
		d := p.prepared(t, in, pades.MakeOptions{Field: "landlord"})
		if number, _ := d.Place(); number != 0 {
			t.Errorf("flags %d: seen on page %d", flags, number)
		}
		out := p.sign(t, in, noon, pades.MakeOptions{Field: "landlord"})
		if v, field := fieldOf(t, out, "landlord"); pdf.Int(v.Resolve(field["F"]), 0) != int64(flags) {
			t.Errorf("flags %d became %v", flags, field["F"])
		}
		d = p.prepared(t, in, pades.MakeOptions{Field: "landlord", Visible: &pades.Visible{}})
		if number, rect := d.Place(); number != 2 || rect != [4]float64{72, 100, 272, 150} {
			t.Errorf("flags %d: page %d, %v", flags, number, rect)
		}
		out = p.sign(t, in, noon, pades.MakeOptions{Field: "landlord", Visible: &pades.Visible{}})
		if v, field := fieldOf(t, out, "landlord"); pdf.Int(v.Resolve(field["F"]), 0) != 4|128 || field["AP"] == nil {
			t.Errorf("flags %d became %v", flags, field["F"])
		}
		passes(t, out, noon.Add(time.Hour), []string{"B-B"}, p)
	}
}

// TestHostilePages: pages of any size, with anything on them, have a place that
// is found at once, or none.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	page := func(box string, annotations string) []byte {
		first := strings.Replace(pdftest.Contract().Objects[pdftest.Page1], "10 0 R 12 0 R 14 0 R", annotations, 1)
		return changed(map[int]string{pdftest.Page1: strings.Replace(first, "<<", "<< /MediaBox ["+box+"]", 1)})
	}
	covered := func(side string) string {
		return "<< /Type /Annot /Subtype /Square /Rect [0 0 " + side + " " + side + "] >> "
	}
	digits := strings.Repeat("9", 320)
	for name, c := range map[string]struct {
		in   []byte
		says string
	}{
		"large":                  {page("0 0 10000000 10000000", covered("10000000")), ""},
		"full":                   {page("0 0 14400 14400", strings.Repeat(covered("10"), 2000)+covered("14400")), ""},
		"more than is looked at": {page("0 0 14400 14400", strings.Repeat(covered("14400"), 10_500)), ""},
		"flat":                   {page("0 0 100000000 100", covered("100000000")), ""},
		"beyond":                 {page("0 0 10000000000 800", ""), "too large"},
		"no number":              {page("0 0 "+digits+" "+digits, ""), "too large"},
		"far from zero":          {page("10000000000 0 10000000800 800", ""), "too large"},
		"no room":                {page("0 0 5 5", ""), "too small"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := pades.Prepare(context.Background(), file(c.in), p.making(noon), pades.MakeOptions{Visible: &pades.Visible{}})
			if c.says != "" {
				refusal(t, err, ades.ErrUnsuitable, c.says)
				return
			}
			must(t, err)
			if _, r := d.Place(); r[0] > 36.5 || r[1] > 36.5 {
				t.Errorf("at %v of a page that is full", r)
			}
		})
	}
	// A free place on a large page is found all the same.
	d := p.prepared(t, page("0 0 14400 14400", "<< /Type /Annot /Subtype /Square /Rect [0 0 14400 9000] >>"), pades.MakeOptions{Visible: &pades.Visible{}})
	if _, r := d.Place(); r[1] < 9000 {
		t.Errorf("at %v", r)
	}
}

// TestBadText signs with text that is not UTF-8: it is shown with marks in its
// place, and the file is as good as another. The name of a field must be UTF-8.
func TestBadText(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	for _, o := range []pades.MakeOptions{
		{Visible: &pades.Visible{Text: []string{"\xe9"}, Rect: [4]float64{50, 50, 58, 70}}},
		{Reason: "Approuv\xe9", Name: "Jos\xe9", Location: "Li\xe8ge\xff\xfe", Visible: &pades.Visible{Rect: [4]float64{50, 50, 60, 70}}},
	} {
		passes(t, p.sign(t, lease(), noon, o), noon.Add(time.Hour), []string{"B-B"}, p)
	}
	_, err := p.trySign(lease(), noon, pades.MakeOptions{Field: "Locataire sign\xe9"})
	refusal(t, err, ades.ErrUnsuitable, "UTF-8")
}
