package pdf_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

// marked adds a revision that puts a mark into the catalog and a new object, and
// returns the new file.
func marked(t testing.TB, b []byte, mark string) []byte {
	t.Helper()
	u, err := open(t, b).NewUpdate()
	if err != nil {
		t.Fatal(err)
	}
	catalog, root := u.Dict(u.Root())
	catalog["Mark"] = u.Add(pdf.Dict{"Text": pdf.NewText(mark), "S": u.Add(&pdf.NewStream{Data: []byte(mark)})})
	u.Set(root, catalog)
	more, err := u.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := u.Bytes()
	if err != nil || !bytes.Equal(more, again) {
		t.Errorf("written twice it differs: %v", err)
	}
	return append(bytes.Clone(b), more...)
}

// markIn reads the mark.
func markIn(t testing.TB, v *pdf.View) string {
	t.Helper()
	d := v.Dict(v.Catalog()["Mark"])
	stream := v.Stream(d["S"])
	if stream == nil {
		return ""
	}
	data, err := v.File().Decode(v, stream)
	if err != nil || string(data) != v.Text(d["Text"]) {
		t.Errorf("%q, %v and %q", data, err, v.Text(d["Text"]))
	}
	return string(data)
}

// qpdf finds the program, which must be there in continuous integration.
func qpdf(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("qpdf")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("qpdf is not installed")
		}
		t.Skip("qpdf is not installed")
	}
	return path
}

// checkTool has qpdf look at a file.
func checkTool(t testing.TB, b []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.pdf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(qpdf(t), "--check", path).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
}

func packedContract() pdftest.Update {
	u := pdftest.Contract()
	u.Packed = true
	return u
}

// shapes are files as makers leave them.
func shapes() map[string][]byte {
	const info = "/Info 17 0 R"
	plain := pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes()
	hybrid := pdftest.New(pdftest.Catalog, pdftest.Contract())
	hybrid.Append(pdftest.Update{Trailer: info, Objects: map[int]string{60: "<<>>"}, Hidden: map[int]string{pdftest.Info: "<< /Title (hidden) >>"}})
	updated := pdftest.New(pdftest.Catalog, packedContract())
	updated.Append(pdftest.Update{Trailer: info, XrefStream: true, Objects: map[int]string{60: "<<>>"}})
	mixed := pdftest.New(pdftest.Catalog, packedContract())
	mixed.Append(pdftest.Update{Trailer: info, Objects: map[int]string{60: "<<>>"}})
	return map[string][]byte{
		"table":               plain,
		"object streams":      pdftest.New(pdftest.Catalog, packedContract()).Bytes(),
		"hybrid":              hybrid.Bytes(),
		"streams twice":       updated.Bytes(),
		"stream, then table":  mixed.Bytes(),
		"no line end":         bytes.TrimRight(plain, "\n"),
		"CR alone at the end": append(bytes.TrimRight(plain, "\n"), '\r'),
		"junk at the end":     append(bytes.Clone(plain), "\x00\x00\r\n<html>"...),
		"bytes before header": append([]byte("Content-Type: application/pdf\n\n"), plain...),
		"as streams too":      append([]byte("junk\n"), pdftest.New(pdftest.Catalog, packedContract()).Bytes()...),
		"no ID":               bytes.Replace(plain, []byte("/ID ["), []byte("/IX ["), 1),
		"high Size":           bytes.Replace(plain, []byte("/Size 21 "), []byte("/Size 99 "), 1),
	}
}

func TestUpdateShapes(t *testing.T) {
	t.Parallel()
	for name, b := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := open(t, b)
			one := marked(t, b, "first")
			two := marked(t, one, "Şecond")
			for i, out := range [][]byte{one, two} {
				f := open(t, out)
				if !bytes.HasPrefix(out, b) || f.Repaired || len(f.Revisions()) != len(before.Revisions())+i+1 {
					t.Fatalf("repaired %v, %d revisions after %d: %v", f.Repaired, len(f.Revisions()), len(before.Revisions()), f.Oddities)
				}
				if got, want := markIn(t, f.Last()), []string{"first", "Şecond"}[i]; got != want {
					t.Errorf("%q instead of %q", got, want)
				}
				if was := f.At(len(before.Revisions()) - 1); markIn(t, was) != "" {
					t.Error("the old revision has the mark")
				}
				last := f.Revisions()[len(f.Revisions())-1]
				if old := before.Revisions()[len(before.Revisions())-1]; last.Stream != old.Stream {
					t.Errorf("stream %v after %v", last.Stream, old.Stream)
				}
				if n := len(f.Last().Pages().Pages); n != 2 {
					t.Errorf("%d pages", n)
				}
				if f.Last().Text(f.Last().Dict(f.Last().Trailer()["Info"])["Title"]) == "" {
					t.Error("Info is lost")
				}
			}
			checkTool(t, two)
		})
	}
}

// TestUpdateIdentifiers: the first half of ID stays, the second is new.
func TestUpdateIdentifiers(t *testing.T) {
	t.Parallel()
	b := pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes()
	id := func(b []byte) [2]string {
		a := open(t, b).Last().Array(open(t, b).Last().Trailer()["ID"])
		return [2]string{a[0].(pdf.String).Value, a[1].(pdf.String).Value}
	}
	was, one, other := id(b), id(marked(t, b, "one")), id(marked(t, b, "other"))
	if one[0] != was[0] || one[1] == was[1] || one[1] == other[1] {
		t.Errorf("%x\n%x\n%x", was, one, other)
	}
}

// TestUpdateDamaged: a file whose cross-reference is of no use gets a complete one.
func TestUpdateDamaged(t *testing.T) {
	t.Parallel()
	for name, u := range map[string]pdftest.Update{"table": pdftest.Contract(), "streams": packedContract()} {
		b := pdftest.New(pdftest.Catalog, u).Bytes()
		at := bytes.LastIndex(b, []byte("startxref"))
		b = append(b[:at:at], "startxref\n7\n%%EOF\n"...)
		if !open(t, b).Repaired {
			t.Fatalf("%s: not damaged enough", name)
		}
		out := marked(t, b, "mended")
		f := open(t, out)
		if f.Repaired || markIn(t, f.Last()) != "mended" || len(f.Last().Pages().Pages) != 2 || !bytes.HasPrefix(out, b) {
			t.Errorf("%s: repaired %v: %v", name, f.Repaired, f.Oddities)
		}
		checkTool(t, out)
	}
}

// TestUpdateGenerations: an object that was freed once keeps the number of its generation.
func TestUpdateGenerations(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at [4]int
	for i, text := range []string{"1 3 obj\n<< /Type /Catalog /Pages 2 0 R >>", "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"} {
		at[i+1] = b.Len()
		b.WriteString(text + "\nendobj\n")
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 4\n0000000000 65535 f \n%010d 00003 n \n%010d 00000 n \n%010d 00000 n \ntrailer\n<< /Size 4 /Root 1 3 R >>\nstartxref\n%d\n%%%%EOF\n", at[1], at[2], at[3], xref)
	out := marked(t, b.Bytes(), "x")
	if !bytes.Contains(out[b.Len():], []byte("1 3 obj")) || !bytes.Contains(out[b.Len():], []byte(" 00003 n ")) || !bytes.Contains(out[b.Len():], []byte("/Root 1 3 R")) {
		t.Errorf("%s", out[b.Len():])
	}
	checkTool(t, out)
}

// TestUpdateRefused: what is encrypted is not added to.
func TestUpdateRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(qpdf(t), "--encrypt", "", "owner", "256", "--", in, out).CombinedOutput(); err != nil {
		t.Fatal(err, string(text))
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, b).NewUpdate(); !errors.Is(err, pdf.ErrNoUpdate) {
		t.Errorf("%v", err)
	}
}

// TestUpdateLinearised: the second cross-reference stays the one that counts.
func TestUpdateLinearised(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"disable", "generate"} {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
		if err := os.WriteFile(in, pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(qpdf(t), "--linearize", "--object-streams="+mode, in, out).CombinedOutput(); err != nil {
			t.Fatal(err, string(text))
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		more := marked(t, b, "linear")
		if f := open(t, more); f.Repaired || len(f.Revisions()) != 2 || markIn(t, f.Last()) != "linear" || markIn(t, f.At(0)) != "" {
			t.Errorf("%s: %d revisions, %v", mode, len(f.Revisions()), f.Oddities)
		}
		checkTool(t, more)
	}
}

// TestUpdateValues writes every kind of value and reads it back.
func TestUpdateValues(t *testing.T) {
	t.Parallel()
	random := make([]byte, 300)
	rand.Read(random)
	values := pdf.Array{
		true, false, int64(-12), 3.25, -0.001, 1e20, pdf.Name("A#B (c)/é"), pdf.Name(""), pdf.String{Value: "a(b)\\c"}, pdf.String{Value: string(random)},
		pdf.String{Value: "x", Hex: true}, pdf.Array{pdf.Array{}}, pdf.Dict{"K": pdf.Dict{"L": int64(1)}}, pdf.Ref{Num: 3}, nil,
	}
	u, err := open(t, pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes()).NewUpdate()
	if err != nil {
		t.Fatal(err)
	}
	r := u.Add(values)
	more, err := u.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b := append(pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes(), more...)
	got := open(t, b).Last().Array(r)
	if len(got) != len(values) {
		t.Fatalf("%d values of %d: %s", len(got), len(values), more)
	}
	for i := range values {
		want := fmt.Sprintf("%T %v", values[i], values[i])
		if s, ok := values[i].(pdf.String); ok {
			if g, ok := got[i].(pdf.String); !ok || g.Value != s.Value {
				t.Errorf("%d: %v", i, got[i])
			}
			continue
		}
		if n, ok := pdf.Number(values[i]); ok {
			if g, ok := pdf.Number(got[i]); !ok || g != n {
				t.Errorf("%d: %v instead of %v", i, got[i], n)
			}
			continue
		}
		if g := fmt.Sprintf("%T %v", got[i], got[i]); g != want {
			t.Errorf("%d: %s instead of %s", i, g, want)
		}
	}
	for _, bad := range []pdf.Object{math.NaN(), &pdf.Stream{}, struct{}{}} {
		u.Set(r, bad)
		if _, err := u.Bytes(); err == nil {
			t.Errorf("%T is written", bad)
		}
	}
}

// TestPlaced is the reverse of Shown on every kind of page.
func TestPlaced(t *testing.T) {
	t.Parallel()
	for _, turn := range []int{0, 90, 180, 270, -90, 450} {
		for _, crop := range []string{"", "/CropBox [20 30 500 700]", "/CropBox [-50 -60 100 200]"} {
			u := pdftest.Contract()
			u.Objects[pdftest.Page1] = strings.Replace(u.Objects[pdftest.Page1], "/Parent", fmt.Sprintf("/Rotate %d %s /Parent", turn, crop), 1)
			v := open(t, pdftest.New(pdftest.Catalog, u).Bytes()).Last()
			p := v.Pages().Pages[0]
			want := [4]float64{10, 20, 110, 60}
			if got, _ := v.Shown(p, v.Placed(p, want)); got != want {
				t.Errorf("%d %s: %v", turn, crop, got)
			}
		}
	}
}

// FuzzUpdate adds to whatever opens: what was there stays readable.
func FuzzUpdate(f *testing.F) {
	for _, b := range shapes() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		u, err := file.NewUpdate()
		if err != nil {
			return
		}
		catalog, root := u.Dict(u.Root())
		if catalog == nil {
			return
		}
		catalog["Mark"] = pdf.NewText("mark")
		u.Set(root, catalog)
		more, err := u.Bytes()
		if err != nil {
			return
		}
		out := append(bytes.Clone(b), more...)
		after, err := pdf.Open(bytes.NewReader(out), int64(len(out)))
		if err != nil {
			t.Fatalf("%v\n%s", err, more)
		}
		if got := after.Last().Text(after.Last().Catalog()["Mark"]); got != "mark" && !after.Repaired {
			t.Fatalf("%q\n%s", got, more)
		}
	})
}
