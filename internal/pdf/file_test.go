package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
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

// content is the text of the first page's content.
func content(t testing.TB, v *pdf.View) string {
	t.Helper()
	pages := v.Pages()
	if len(pages.Pages) == 0 || pages.Broken {
		t.Fatalf("%d pages, broken %v", len(pages.Pages), pages.Broken)
	}
	s := v.Stream(pages.Pages[0].Dict["Contents"])
	if s == nil {
		return ""
	}
	data, err := v.File().Decode(v, s)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func contract() *pdftest.File { return pdftest.New(pdftest.Catalog, pdftest.Contract()) }

func packed() *pdftest.File {
	u := pdftest.Contract()
	u.Packed = true
	return pdftest.New(pdftest.Catalog, u)
}

var other = map[int]string{pdftest.Content1: pdftest.Stream("", "BT ET")}

// TestRevisions reads the same document in every form that a file can have,
// and each of its revisions.
func TestRevisions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start  *pdftest.File
		update pdftest.Update
	}{
		"tables":              {contract(), pdftest.Update{Objects: other}},
		"stream on table":     {contract(), pdftest.Update{Objects: other, XrefStream: true}},
		"table on streams":    {packed(), pdftest.Update{Objects: other}},
		"all packed":          {packed(), pdftest.Update{Objects: other, Packed: true}},
		"hybrid":              {contract(), pdftest.Update{Objects: other, Hidden: map[int]string{90: "(hidden)"}}},
		"CR LF at the end":    {contract(), pdftest.Update{Objects: other, Tail: "\r\n"}},
		"nothing at the end":  {contract(), pdftest.Update{Objects: other, Tail: " "}},
		"Prev is a reference": {contract(), pdftest.Update{Objects: other, Prev: -1, Trailer: ""}},
	} {
		if name == "Prev is a reference" {
			c.update.Trailer = fmt.Sprintf("/Prev %d 0 R", c.start.Xref())
		}
		first := len(c.start.Bytes())
		c.start.Append(c.update)
		f := open(t, c.start.Bytes())
		revisions := f.Revisions()
		if len(revisions) != 2 || f.Repaired {
			t.Errorf("%s: %d revisions, repaired %v %v", name, len(revisions), f.Repaired, f.Oddities)
			continue
		}
		if revisions[0].EndLine != int64(first) || revisions[1].Start != int64(first) || !revisions[1].HasEOF {
			t.Errorf("%s: revisions %+v, first of %d bytes", name, revisions, first)
		}
		if got := content(t, f.At(0)); got != pdftest.FirstContent {
			t.Errorf("%s: first revision shows %q", name, got)
		}
		if got := content(t, f.Last()); got != "BT ET" {
			t.Errorf("%s: last revision shows %q", name, got)
		}
		if name == "hybrid" && f.Last().Text(pdf.Ref{Num: 90}) != "hidden" {
			t.Error("hybrid: the hidden object is not there")
		}
		if !f.At(0).Same(f.Last(), pdftest.Content2) || f.At(0).Same(f.Last(), pdftest.Content1) {
			t.Errorf("%s: wrong objects changed", name)
		}
		if alone, err := f.Truncated(int64(first)); err != nil || content(t, alone.Last()) != pdftest.FirstContent {
			t.Errorf("%s: first revision alone: %v", name, err)
		}
		for size, want := range map[int]struct {
			rev   int
			exact bool
		}{first - 1: {0, true}, first: {0, true}, first + 1: {0, false}, first - 10: {-1, false}, int(f.Size()): {1, true}, int(f.Size()) - 12: {0, false}} {
			if rev, exact := f.RevisionAt(int64(size)); rev != want.rev || exact != want.exact {
				t.Errorf("%s: at %d of %d: revision %d %v", name, size, f.Size(), rev, exact)
			}
		}
		if a, b, c := f.RevisionOf(10), f.RevisionOf(int64(first)), f.RevisionOf(f.Size()); a != 0 || b != 1 || c != -1 {
			t.Errorf("%s: bytes of revisions %d %d %d", name, a, b, c)
		}
		for to, rev := range map[int]int{first: 0, int(f.Size()): 1} {
			if leads, ok := f.LeadsTo(0, int64(to), rev); !leads || !ok {
				t.Errorf("%s: startxref before %d does not lead to revision %d", name, to, rev)
			}
		}
		if leads, ok := f.LeadsTo(0, int64(first), 1); leads || !ok {
			t.Errorf("%s: first startxref leads to the second revision", name)
		}
		if _, ok := f.LeadsTo(int64(first), int64(first)+5, 0); ok {
			t.Errorf("%s: startxref where there is none", name)
		}
	}
}

func TestObjectStreamReplaced(t *testing.T) {
	t.Parallel()
	p := contract()
	p.Append(pdftest.Update{Packed: true, Objects: map[int]string{80: "(before)", 81: "(as well)"}})
	in := open(t, p.Bytes()).Last().Indirect(80)
	if in == nil || in.Container == 0 || in.At != -1 {
		t.Fatalf("%+v", in)
	}
	// The container alone is written anew: what is in it changes with it.
	p.Append(pdftest.Update{Objects: map[int]string{int(in.Container): pdftest.Stream("/Type /ObjStm /N 1 /First 5", "80 0 (after)")}})
	f := open(t, p.Bytes())
	for num, want := range map[uint32][2]string{80: {"before", "after"}, 81: {"as well", ""}} {
		if a, b := f.At(1).Text(pdf.Ref{Num: num}), f.Last().Text(pdf.Ref{Num: num}); a != want[0] || b != want[1] {
			t.Errorf("%d: %q, %q", num, a, b)
		}
		if f.At(1).Same(f.Last(), num) || !slices.Contains(f.Last().Changed(), num) {
			t.Errorf("%d is said to be the same", num)
		}
	}
}

func TestOddFiles(t *testing.T) {
	t.Parallel()
	base := string(contract().Bytes())
	cut := func(s, old, new string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(s, old, new, 1)
	}
	start := base[strings.LastIndex(base, "startxref"):]
	for name, c := range map[string]struct {
		file     string
		repaired bool
	}{
		"bytes before the header":        {"HTTP/1.1 200 OK\r\n\r\n" + base, false},
		"Prev 0":                         {cut(base, "/Info 17 0 R", "/Info 17 0 R /Prev 0"), false},
		"counts from 1":                  {cut(base, "xref\n0 21\n", "xref\n1 21\n"), false},
		"more entries announced":         {cut(base, "xref\n0 21\n", "xref\n0 25\n"), false},
		"no EOF":                         {cut(base, "%%EOF\n", ""), false},
		"blanks at the end":              {base + strings.Repeat("\x00", 5000), false},
		"startxref points elsewhere":     {cut(base, start, "startxref\n7\n%%EOF\n"), true},
		"startxref is missing":           {cut(base, start, ""), true},
		"startxref beyond the file":      {cut(base, start, "startxref\n999999\n%%EOF\n"), true},
		"trailer is missing":             {base[:strings.Index(base, "trailer")], true},
		"cross-reference is missing":     {base[:strings.Index(base, "xref\n")], true},
		"line ends converted":            {strings.ReplaceAll(base, "\nendobj\n", "\r\nendobj\r\n"), true},
		"root is no catalog":             {cut(base, "/Root 1 0 R", "/Root 5 0 R"), true},
		"Prev loop":                      {cut(base, "/Info 17 0 R", fmt.Sprintf("/Info 17 0 R /Prev %d", strings.Index(base, "xref\n"))), true},
		"a PDF within a stream, damaged": {cut(base[:strings.Index(base, "xref\n")], "1 0 obj", "80 0 obj\n"+pdftest.Stream("", "4 0 obj (inner) endobj 3 0 obj << /Type /Page >> endobj trailer << /Root 3 0 R >>")+"\nendobj\n1 0 obj"), true},
	} {
		f, err := pdf.Open(strings.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Repaired != c.repaired {
			t.Errorf("%s: repaired %v (%v)", name, f.Repaired, f.Oddities)
		}
		if got := content(t, f.Last()); got != pdftest.FirstContent {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, file := range map[string]string{
		"empty": "", "no header": base[9:], "header too late": strings.Repeat(" ", 1100) + base, "header alone": "%PDF-1.7\n",
		"text": "%PDF-1.7\nstartxref\n0\n%%EOF\n", "no pages": "%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n",
	} {
		if _, err := pdf.Open(strings.NewReader(file), int64(len(file))); !errors.Is(err, pdf.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := errors.New("disk")
	if _, err := pdf.Open(failing{want}, 1000); !errors.Is(err, want) || errors.Is(err, pdf.ErrBroken) {
		t.Errorf("trouble with the disk: %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestRepairedRevisions(t *testing.T) {
	t.Parallel()
	p := packed()
	p.Append(pdftest.Update{Objects: other, Packed: true})
	b := bytes.ReplaceAll(p.Bytes(), []byte("startxref\n"), []byte("startxref\n9"))
	f := open(t, b)
	if !f.Repaired || len(f.Revisions()) != 2 {
		t.Fatalf("repaired %v, %d revisions", f.Repaired, len(f.Revisions()))
	}
	if a, b := content(t, f.At(0)), content(t, f.Last()); a != pdftest.FirstContent || b != "BT ET" {
		t.Errorf("%q, %q", a, b)
	}
	if f.Last().Dict(pdf.Ref{Num: pdftest.Amount}) == nil {
		t.Error("no objects from object streams")
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	for tail, want := range map[string]string{"": "", "\r\n \n": "", "4 0 obj\n": "4 0 obj\n"} {
		p := contract()
		p.Raw(tail)
		if got := open(t, p.Bytes()).Tail(); strings.TrimSpace(string(got)) != strings.TrimSpace(want) {
			t.Errorf("%q: %q", tail, got)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	o := pdftest.Contract().Objects
	o[2] = "<< /Type /Pages /Kids [50 0 R 7 0 R 2 0 R 99 0 R] /Count 2 /MediaBox [0 0 100 200] /Rotate 90 >>"
	o[50] = "<< /Type /Pages /Kids [3 0 R 50 0 R] /Rotate 270 /CropBox [90 10 10 110] >>"
	v := open(t, pdftest.New(1, pdftest.Update{Objects: o}).Bytes()).Last()
	tree := v.Pages()
	if len(tree.Pages) != 2 || !tree.Broken || len(tree.Nodes) != 2 {
		t.Fatalf("%d pages, %d nodes, broken %v", len(tree.Pages), len(tree.Nodes), tree.Broken)
	}
	r := [4]float64{20, 30, 40, 60}
	shown, size := v.Shown(tree.Pages[0], r)
	if want := [4]float64{50, 10, 80, 30}; shown != want || size != [2]float64{100, 80} {
		t.Errorf("turned by 270: %v of %v", shown, size)
	}
	shown, size = v.Shown(tree.Pages[1], r)
	if want := [4]float64{30, 60, 60, 80}; shown != want || size != [2]float64{200, 100} {
		t.Errorf("turned by 90: %v of %v", shown, size)
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	o := pdftest.Contract().Objects
	o[9] = "<< /Fields [30 0 R 13 0 R 9 0 R] >>"
	o[30] = "<< /T (order) /FT /Tx /Ff 2 /V (x) /Kids [10 0 R 31 0 R 30 0 R] >>"
	o[31] = "<< /T (radio) /Parent 30 0 R /FT /Btn /Kids [32 0 R 33 0 R] >>"
	o[32], o[33] = "<< /Subtype /Widget /Parent 31 0 R >>", "<< /Subtype /Widget /Parent 31 0 R >>"
	o[34] = "<< /Subtype /Widget /FT /Sig /T (alone) /V 35 0 R >>"
	o[36], o[37] = "<< /FT /Sig /T (above) /Kids [37 0 R] >>", "<< /Subtype /Widget /Parent 36 0 R >>"
	o[7] = "<< /Type /Page /Parent 2 0 R /Annots [13 0 R 34 0 R 37 0 R 14 0 R] >>"
	v := open(t, pdftest.New(1, pdftest.Update{Objects: o}).Bytes()).Last()
	form := v.Form()
	form.AddUnlisted(v, v.Pages().Pages)
	var got []string
	for _, f := range form.Fields {
		value, _ := v.Resolve(f.Value).(pdf.String)
		got = append(got, fmt.Sprintf("%s %s %d %q %d %v", f.Name, f.Type, f.Flags, value.Value, len(f.Widgets), f.Unlisted))
	}
	want := []string{`order.amount Tx 2 "850" 1 false`, `order.radio Btn 2 "x" 2 false`, `landlord Sig 0 "" 1 false`, `  0 "" 1 false`, `alone Sig 0 "" 1 true`, `above Sig 0 "" 1 true`}
	if !reflect.DeepEqual(got, want) || !form.Broken || len(form.Nodes) != 1 {
		t.Errorf("broken %v\n%s\nwant\n%s", form.Broken, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// tool finds a program that the tests need.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed (package of the same name)", name)
	}
	return path
}

// TestQpdf has qpdf write the document in its ways, and read it.
func TestQpdf(t *testing.T) {
	t.Parallel()
	qpdf := tool(t, "qpdf")
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(in, contract().Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"linearized": {"--linearize"}, "linearized, packed": {"--linearize", "--object-streams=generate"}, "packed": {"--object-streams=generate"},
		"qdf": {"--qdf"}, "uncompressed": {"--stream-data=uncompress"},
		"RC4 40":                  {"--allow-weak-crypto", "--encrypt", "", "owner", "40", "--"},
		"RC4 128":                 {"--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=n", "--"},
		"AES 128":                 {"--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=y", "--"},
		"AES 128, metadata clear": {"--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=y", "--cleartext-metadata", "--"},
		"AES 256":                 {"--encrypt", "", "owner", "256", "--"},
		"AES 256, R5":             {"--allow-weak-crypto", "--encrypt", "", "owner", "256", "--force-R5", "--"},
		"AES 256, packed":         {"--object-streams=generate", "--encrypt", "", "owner", "256", "--"},
		"password":                {"--encrypt", "user", "owner", "256", "--"},
		"password, RC4":           {"--allow-weak-crypto", "--encrypt", "user", "owner", "128", "--use-aes=n", "--"},
	} {
		out := filepath.Join(dir, "out.pdf")
		if b, err := exec.Command(qpdf, append(args, in, out)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", name, err, b)
			continue
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		f, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
		if strings.HasPrefix(name, "password") {
			if !errors.Is(err, pdf.ErrEncrypted) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || f.Repaired || len(f.Oddities) > 0 || len(f.Revisions()) != 1 {
			t.Errorf("%s: %v, %+v", name, err, f)
			continue
		}
		v := f.Last()
		if got := strings.TrimSpace(content(t, v)); got != pdftest.FirstContent {
			t.Errorf("%s: %q", name, got)
		}
		form := v.Form()
		if len(form.Fields) != 4 || form.Fields[0].Name != "amount" || v.Text(form.Fields[0].Value) != "850" {
			t.Errorf("%s: form %+v", name, form.Fields)
		}
		if r := f.Revisions()[0]; r.EndLine != f.Size() || !r.HasEOF {
			t.Errorf("%s: ends at %d of %d", name, r.EndLine, f.Size())
		}
	}
}

// TestQpdfAgrees holds our own test files against qpdf.
func TestQpdfAgrees(t *testing.T) {
	t.Parallel()
	qpdf := tool(t, "qpdf")
	hybrid := contract()
	hybrid.Append(pdftest.Update{Objects: other, Hidden: map[int]string{90: "(hidden)"}})
	both := packed()
	both.Append(pdftest.Update{Objects: other, Packed: true})
	for name, p := range map[string]*pdftest.File{"table": contract(), "packed": packed(), "hybrid": hybrid, "two": both} {
		path := filepath.Join(t.TempDir(), "file.pdf")
		if err := os.WriteFile(path, p.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(qpdf, "--check", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		out, err := exec.Command(qpdf, "--show-npages", path).Output()
		if err != nil || strings.TrimSpace(string(out)) != "2" {
			t.Errorf("%s: %v pages %s", name, err, out)
		}
	}
}

// TestSmallFilesAreCheap: a file of a few hundred bytes cannot cost much.
func TestSmallFilesAreCheap(t *testing.T) {
	for _, seed := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		readEverything(bytes.NewReader(seed), int64(len(seed)))
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 32<<20+uint64(len(seed))*4096 {
			t.Errorf("%d bytes cost %d: %.60q", len(seed), cost, seed)
		}
	}
}

// readEverything looks at all there is.
func readEverything(r io.ReaderAt, size int64) {
	f, err := pdf.Open(r, size)
	if err != nil {
		return
	}
	for i := range f.Revisions() {
		v := f.At(i)
		pages := v.Pages()
		form := v.Form()
		form.AddUnlisted(v, pages.Pages)
		v.Changed()
		for n, num := range v.Numbers() {
			if in := v.Indirect(num); in != nil && n < 500 {
				if s, ok := in.Value.(*pdf.Stream); ok {
					if data, err := f.Decode(v, s); err == nil {
						pdf.Operators(data, func(string, []pdf.Object) bool { return true })
					}
				}
			}
		}
		if i > 20 {
			break
		}
	}
	f.Tail()
	f.RevisionAt(size)
	f.LeadsTo(0, size, len(f.Revisions())-1)
}
