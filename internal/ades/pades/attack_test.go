package pades

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

type objects = map[int]string

// attack is what somebody without the key does to a signed contract.
type attack struct {
	name   string
	start  func(t testing.TB) *pdftest.File // nil: contract
	change func(t testing.TB, f *pdftest.File) []byte
	want   string // in one of the complaints
}

// add is an attack by one further revision.
func add(u pdftest.Update) func(testing.TB, *pdftest.File) []byte {
	return func(_ testing.TB, f *pdftest.File) []byte {
		f.Append(u)
		return f.Bytes()
	}
}

func replace(o objects) func(testing.TB, *pdftest.File) []byte {
	return add(pdftest.Update{Objects: o})
}

func freeText(rect, more string) string {
	return "<< /Type /Annot /Subtype /FreeText /Rect [" + rect + "] /DA (/Helv 12 Tf) /Contents (1 euro) /P 3 0 R /F 4 " + more + " >>"
}

const overRent = "190 690 300 715" // where page 1 names the rent

// attacks, those of the literature first: USF, ISA and SWA of "1 Trillion
// Dollar Refund", hide, replace and hide-and-replace of "Shadow Attacks", EAA
// and SSA of "Breaking the Specification".
var attacks = []attack{
	{"ISA: content replaced", nil, replace(objects{4: pdftest.Stream("", "BT /F1 12 Tf 72 700 Td (The rent is 1 euro) Tj ET")}), "content-replaced: page 1"},
	{"ISA: content replaced, cross-reference stream", nil, add(pdftest.Update{XrefStream: true, Objects: objects{4: pdftest.Stream("", "BT ET")}}), "content-replaced"},
	{"ISA: content replaced, object stream", nil, add(pdftest.Update{Packed: true, Objects: objects{3: page1(tenant), 99: "<<>>", 4: pdftest.Stream("", "BT ET")}}), "content-replaced"},
	{"ISA: objects without a cross-reference", nil, add(pdftest.Update{NoXref: true, Objects: objects{4: pdftest.Stream("", "BT ET")}}), "data-appended"},
	{"ISA: objects and a trailer alone", nil, func(_ testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{NoXref: true, Objects: objects{4: pdftest.Stream("", "BT ET")}})
		f.Raw("trailer\n<< /Root 1 0 R /Size 60 >>\n")
		return f.Bytes()
	}, "data-appended"},
	{"ISA: hidden in a hybrid cross-reference", nil, add(pdftest.Update{Objects: objects{60: "<< /Type /Metadata2 >>"}, Hidden: objects{3: strings.Replace(page1(tenant), "/Contents 4", "/Contents 16", 1)}}), "content-replaced"},
	{"USF: no ByteRange", nil, func(_ testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{Objects: objects{tenantValue: withoutByteRange(f.Bytes())}})
		return f.Bytes()
	}, "ByteRange has 0 numbers"},
	{"SWA: bytes moved into the gap", nil, wrap, "BAD_BYTE_RANGE"},
	{"SWA: room after the Contents in the gap", signedWith(func(n [4]int) [4]int { return [4]int{n[0], n[1], n[2] + 20, n[3] - 20} }), asIs, "BAD_BYTE_RANGE"},
	{"ByteRange that does not begin at 0", signedWith(func(n [4]int) [4]int { return [4]int{5, n[1] - 5, n[2], n[3]} }), asIs, "ByteRange begins at 5"},
	{"ByteRange with overlapping parts", signedWith(func(n [4]int) [4]int { return [4]int{0, n[2] + 10, n[2], n[3]} }), asIs, "overlap"},
	{"ByteRange beyond the file", signedWith(func(n [4]int) [4]int { return [4]int{0, n[1], n[2], n[3] + 100000} }), asIs, "beyond the file"},
	{"ByteRange that ends before the revision", signedWith(func(n [4]int) [4]int { return [4]int{0, n[1], n[2], n[3] - 60} }), asIs, "NOT_WHOLE_REVISION"},
	{"ByteRange with a gap elsewhere", signedWith(func(n [4]int) [4]int { return [4]int{0, 100, 500, n[2] + n[3] - 500} }), asIs, "BAD_BYTE_RANGE"},
	{"a copy of the signature in a second field", nil, func(_ testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{Objects: objects{50: widget("copy", 51, 3, 0, "0 0 0 0"), 51: dictOf(f.Bytes()), pdftest.Form: form(tenant, 50), pdftest.Page1: page1(tenant, 50)}})
		return f.Bytes()
	}, "not within the revision that it covers"},
	{"shadow: an unused object is shown by the page", nil, replace(objects{3: strings.Replace(page1(tenant), "/Contents 4", "/Contents 16", 1)}), "content-replaced: page 1"},
	{"shadow: an unused object by the cross-reference alone", nil, func(_ testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{Objects: objects{60: "<<>>"}, Offsets: map[int]int{4: f.Offset(pdftest.Unused)}})
		return f.Bytes()
	}, "content-replaced"},
	{"shadow: an image freed", nil, add(pdftest.Update{Objects: objects{60: "<<>>"}, Free: []int{pdftest.Image}}), "resources-replaced: page 1"},
	{"shadow: an image replaced", nil, replace(objects{6: pdftest.Stream("/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8", "\x00\x00\x00\x00")}), "resources-replaced"},
	{"shadow: the font gets other glyphs", nil, replace(objects{5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [56 /one] >> >>"}), "resources-replaced"},
	{"shadow: a layer switched off", nil, replace(objects{1: strings.Replace(catalog(""), "/ON [15", "/OFF [15", 1)}), "layers-changed"},
	{"shadow: another page tree", nil, replace(objects{1: strings.Replace(catalog(""), "/Pages 2", "/Pages 60", 1), 60: "<< /Type /Pages /Kids [61 0 R 7 0 R] /Count 2 /MediaBox [0 0 595 842] >>", 61: strings.Replace(page1(tenant), "/Contents 4", "/Contents 16", 1)}), "content-replaced"},
	{"shadow: another catalog", nil, add(pdftest.Update{Root: 60, Objects: objects{60: strings.Replace(catalog(""), "/Pages 2", "/Pages 61", 1), 61: "<< /Type /Pages /Kids [7 0 R] /Count 1 /MediaBox [0 0 595 842] >>"}}), "page-removed"},
	{"shadow: the text of a field drawn anew", nil, replace(objects{11: pdftest.Look(128, 20, "BT /Helv 10 Tf 2 6 Td (1) Tj ET")}), "looks different with the same value"},
	{"shadow: the font of a field's text", nil, replace(objects{11: strings.Replace(pdftest.Look(128, 20, "/Tx BMC q BT /Helv 10 Tf 0 g 2 6 Td (850) Tj ET Q EMC"), "/Helv 5", "/Helv 60", 1), 60: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [56 /one] >> >>"}), "looks different"},
	{"page added", nil, replace(objects{2: "<< /Type /Pages /Kids [3 0 R 7 0 R 60 0 R] /Count 3 /MediaBox [0 0 595 842] >>", 60: page2()}), "page-added: page 3"},
	{"page removed", nil, replace(objects{2: "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>"}), "page-removed: page 2"},
	{"pages exchanged", nil, replace(objects{2: "<< /Type /Pages /Kids [7 0 R 3 0 R] /Count 2 /MediaBox [0 0 595 842] >>"}), "page-replaced: page 1"},
	{"page cropped by its parent", nil, replace(objects{2: "<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 /MediaBox [0 0 595 842] /CropBox [0 0 595 500] >>"}), "page-changed: page 1 (CropBox)"},
	{"page turned", nil, replace(objects{7: strings.Replace(page2(), "/Parent", "/Rotate 180 /Parent", 1)}), "page-changed: page 2 (Rotate)"},
	{"resources by inheritance", nil, replace(objects{2: "<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 /MediaBox [0 0 595 842] /Resources << >> >>", 3: strings.Replace(page1(tenant), "/Resources << /Font << /F1 5 0 R >> /XObject << /Im1 6 0 R >> >>", "", 1)}), "resources-replaced"},
	{"overlay: FreeText over the rent", nil, replace(objects{3: page1(tenant, 60), 60: freeText(overRent, "")}), "overlay-added: page 1"},
	{"overlay: stamp with an image", nil, replace(objects{3: page1(tenant, 60), 60: strings.Replace(freeText(overRent, "/AP << /N 61 0 R >>"), "FreeText", "Stamp", 1), 61: strings.Replace(pdftest.Look(110, 25, "110 0 0 25 0 0 cm /Im1 Do"), "/Font", "/XObject << /Im1 6 0 R >> /Font", 1)}), "overlay-added"},
	{"overlay: highlight that is a white box", nil, replace(objects{3: page1(tenant, 60), 60: strings.Replace(freeText(overRent, "/AP << /N 61 0 R >>"), "FreeText", "Highlight", 1), 61: pdftest.Look(110, 25, "1 g 0 0 110 25 re f")}), "overlay-added"},
	{"overlay: filled square", nil, replace(objects{3: page1(tenant, 60), 60: strings.Replace(freeText(overRent, "/IC [1 1 1]"), "FreeText", "Square", 1)}), "overlay-added"},
	{"overlay: watermark", nil, replace(objects{3: page1(tenant, 60), 60: strings.Replace(freeText("0 0 595 842", ""), "FreeText", "Watermark", 1)}), "overlay-added"},
	{"overlay: a text field", nil, replace(objects{3: page1(tenant, 60), pdftest.Form: form(tenant, 60), 60: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (more) /V (1) /Rect [" + overRent + "] /P 3 0 R /F 4 >>"}), "field-added: field more"},
	{"overlay: a widget of no field", nil, replace(objects{3: page1(tenant, 60), 60: "<< /Type /Annot /Subtype /Widget /Rect [" + overRent + "] /P 3 0 R /F 4 >>"}), "overlay-added"},
	{"SSA: empty signature field that hides the rent", nil, replace(objects{3: page1(tenant, 60), pdftest.Form: form(tenant, 60), 60: widget("fake", 0, 3, 61, overRent), 61: pdftest.Look(110, 25, "1 g 0 0 110 25 re f 0 g BT /Helv 10 Tf 2 6 Td (1 euro) Tj ET")}), "overlay-added: field fake"},
	{"SSA: signature in place of the rent", nil, func(t testing.TB, f *pdftest.File) []byte {
		must(t, f.Sign(pdftest.Signing{Dict: sigDict, Number: 61, Make: message(t), Update: pdftest.Update{Objects: objects{
			60: widget("fake", 61, 3, 62, "180 699 300 710"), 62: pdftest.Look(120, 11, "1 g 0 0 120 11 re f 0 g BT /Helv 10 Tf 2 2 Td (1 euro a month) Tj ET"),
			3: page1(tenant, 60), pdftest.Form: form(tenant, 60),
		}}}))
		return f.Bytes()
	}, "stands in place of text"},
	{"EAA: FreeText over a certified document with P 3", func(t testing.TB) *pdftest.File { return certified(t, 3) }, replace(objects{3: page1(tenant, 60), 60: freeText(overRent, "")}), "overlay-added"},
	{"certified with P 1: form filled in", func(t testing.TB) *pdftest.File { return certified(t, 1) }, replace(fillRemark()), "form-filled"},
	{"certified with P 1: a further signature", func(t testing.TB) *pdftest.File { return certified(t, 1) }, secondSignature, "signature-added"},
	{"certified with P 2: a comment", func(t testing.TB) *pdftest.File { return certified(t, 2) }, replace(objects{3: page1(tenant, 60), 60: strings.Replace(freeText("550 780 570 800", ""), "FreeText", "Text", 1)}), "annotation-added"},
	{"certification taken away", func(t testing.TB) *pdftest.File { return certified(t, 2) }, replace(objects{1: catalog("")}), "certification-changed"},
	{"a comment changed", nil, replace(objects{14: "<< /Type /Annot /Subtype /Text /Rect [500 780 520 800] /Contents (all checked) /P 3 0 R >>"}), "annotation-changed"},
	{"a comment removed", nil, replace(objects{3: strings.Replace(page1(tenant), "14 0 R", "", 1)}), "annotation-removed"},
	{"locked field filled in", locked("<< /Type /SigFieldLock /Action /Include /Fields [(remark)] >>"), replace(fillRemark()), "form-filled: field remark"},
	{"all fields locked", locked("<< /Type /SigFieldLock /Action /All >>"), replace(fillRemark()), "form-filled: field remark"},
	{"FieldMDP by the signature", fieldMDP("/Action /Exclude /Fields [(amount)]"), replace(fillRemark()), "form-filled: field remark"},
	{"colour profile exchanged", func(t testing.TB) *pdftest.File {
		f := pdftest.New(pdftest.Catalog, pdftest.Contract())
		f.Append(pdftest.Update{Objects: objects{1: catalog("/OutputIntents [<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) >>]")}})
		signFirst(t, f, pdftest.Update{}, "", "")
		return f
	}, replace(objects{1: catalog("/OutputIntents [<< /Type /OutputIntent /S /GTS_PDFX /OutputConditionIdentifier (other) >>]")}), "catalog-changed"},
	{"JavaScript", nil, replace(objects{1: catalog("/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (app.alert\\(1\\)) >>] >> >>")}), "action-added: names"},
	{"OpenAction", nil, replace(objects{1: catalog("/OpenAction << /S /JavaScript /JS (x) >>")}), "action-added: catalog (OpenAction"},
	{"action of a page", nil, replace(objects{7: strings.Replace(page2(), "/Parent", "/AA << /O << /S /JavaScript /JS (x) >> >> /Parent", 1)}), "action-added: page 2"},
	{"action of a new link", nil, replace(objects{3: page1(tenant, 60), 60: "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /F (x) >> >>"}), "action-added"},
	{"action of a field", nil, replace(objects{20: strings.Replace(pdftest.Contract().Objects[20], "/FT", "/AA << /K << /S /JavaScript /JS (x) >> >> /FT", 1)}), "action-added: field remark"},
	{"attachment", nil, replace(objects{1: catalog("/Names << /EmbeddedFiles << /Names [(a) 60 0 R] >> >>"), 60: "<< /Type /Filespec /F (a) >>"}), "attachment-changed"},
	{"signature field moved", nil, replace(objects{tenant: widget("tenant", tenantValue, 3, tenantLook, "72 690 500 720")}), "signature-changed: field tenant"},
	{"signature's look replaced", nil, replace(objects{tenantLook: pdftest.Look(200, 50, "BT /Helv 8 Tf 4 20 Td (Signed by the king) Tj ET")}), "signature-changed: field tenant (AP"},
	{"reason put into the signature", nil, func(_ testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{Objects: objects{tenantValue: strings.Replace(dictOf(f.Bytes()), "/Type /Sig", "/Type /Sig /Reason (I agree to all)", 1)}})
		return f.Bytes()
	}, "signature-changed"},
	{"field laid over the rent gets a background", overRentField, replace(objects{
		61: strings.Replace(rentField, "/FT", "/V (1 euro) /AP << /N 62 0 R >> /FT", 1), 62: pdftest.Look(120, 11, "1 g 0 0 120 11 re f 0 g BT /Helv 10 Tf 2 2 Td (1 euro a month) Tj ET")}), "stands in place of text"},
	{"picture in a comment that was signed", stamped, replace(objects{62: pdftest.Stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", "\x00")}), "content-replaced: page 1, Stamp"},
	{"encoding for a font of the form", nil, replace(objects{pdftest.Form: strings.Replace(form(tenant), "/Helv 5 0 R", "/Helv 5 0 R /Other << /Type /Font >>", 1), 5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [56 /one] >> >>"}), "resources-replaced: form"},
	{"field removed", nil, replace(objects{pdftest.Form: strings.Replace(form(tenant), "10 0 R", "", 1)}), "field-removed: field amount"},
	{"field moved", nil, replace(objects{10: strings.Replace(pdftest.Contract().Objects[10], "72 500 200 520", "72 690 300 720", 1)}), "field-changed: field amount (Rect"},
	{"field hidden", nil, replace(objects{10: strings.Replace(pdftest.Contract().Objects[10], "/F 4", "/F 6", 1)}), "field-changed: field amount (F"},
	{"field renamed", nil, replace(objects{10: strings.Replace(pdftest.Contract().Objects[10], "(amount)", "(total)", 1)}), "renamed to total"},
	{"font of the form replaced", nil, replace(objects{pdftest.Form: strings.Replace(form(tenant), "/Helv 5", "/Helv 60", 1), 60: "<< /Type /Font /Subtype /Type3 >>"}), "resources-replaced: form"},
	{"signed revision bypassed", nil, func(_ testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{Prev: -1, Objects: bypass(), Offsets: map[int]int{tenantValue: f.Offset(tenantValue)}})
		return f.Bytes()
	}, "content-replaced"},
	{"key of the catalog nobody knows", nil, replace(objects{1: catalog("/Requirements [<< /S /EnableJavaScripts >>]")}), "catalog-changed"},
}

const rentField = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (over) /Rect [180 699 300 710] /P 3 0 R /F 4 >>"

// overRentField is a contract with a field over the rent that nobody sees.
func overRentField(t testing.TB) *pdftest.File {
	return signedWithMore(t, objects{61: rentField, 3: page1(tenant, 61), pdftest.Form: form(tenant, 61)})
}

// stamped is a contract with a stamp beside its text, whose picture is called M.
func stamped(t testing.TB) *pdftest.File {
	return signedWithMore(t, objects{
		60: strings.Replace(freeText(overRent, "/AP << /N 61 0 R >>"), "FreeText", "Stamp", 1),
		61: strings.Replace(pdftest.Look(110, 25, "110 0 0 25 0 0 cm /M Do"), "/Font", "/XObject << /M 62 0 R >> /Font", 1),
		62: pdftest.Contract().Objects[pdftest.Image], 3: page1(tenant, 60)})
}

func signedWithMore(t testing.TB, more objects) *pdftest.File {
	t.Helper()
	f := pdftest.New(pdftest.Catalog, pdftest.Contract())
	o := objects{tenant: widget("tenant", tenantValue, 3, 0, "0 0 0 0"), 3: page1(tenant), pdftest.Form: form(tenant)}
	for n, text := range more {
		o[n] = text
	}
	must(t, f.Sign(pdftest.Signing{Dict: sigDict, Number: tenantValue, Make: message(t), Update: pdftest.Update{Objects: o}}))
	return f
}

func asIs(_ testing.TB, f *pdftest.File) []byte { return f.Bytes() }

// signedWith is a contract whose signer's own ByteRange is odd.
func signedWith(ranges func([4]int) [4]int) func(testing.TB) *pdftest.File {
	return func(t testing.TB) *pdftest.File {
		t.Helper()
		f := pdftest.New(pdftest.Catalog, pdftest.Contract())
		must(t, f.Sign(pdftest.Signing{Dict: sigDict, Number: tenantValue, Make: message(t), Ranges: ranges, Update: pdftest.Update{Objects: objects{
			tenant: widget("tenant", tenantValue, 3, 0, "0 0 0 0"), 3: page1(tenant), pdftest.Form: form(tenant)}}}))
		return f
	}
}

func locked(lock string) func(testing.TB) *pdftest.File {
	return func(t testing.TB) *pdftest.File {
		f := pdftest.New(pdftest.Catalog, pdftest.Contract())
		signFirst(t, f, pdftest.Update{}, "", lock)
		return f
	}
}

func fieldMDP(params string) func(testing.TB) *pdftest.File {
	return func(t testing.TB) *pdftest.File {
		f := pdftest.New(pdftest.Catalog, pdftest.Contract())
		signFirst(t, f, pdftest.Update{}, "<< /Type /SigRef /TransformMethod /FieldMDP /TransformParams << /Type /TransformParams "+params+" >> >>", "")
		return f
	}
}

func fillRemark() objects {
	return objects{
		20: strings.Replace(pdftest.Contract().Objects[20], "/FT", "/V (fine) /AP << /N 60 0 R >> /FT", 1),
		60: pdftest.Look(200, 20, "BT /Helv 10 Tf 2 6 Td (fine) Tj ET"),
	}
}

// secondSignature fills the field that waits on page 2.
func secondSignature(t testing.TB, f *pdftest.File) []byte {
	t.Helper()
	must(t, f.Sign(pdftest.Signing{Dict: sigDict, Number: 70, Make: message(t), Update: pdftest.Update{Objects: objects{
		pdftest.Waiting: widget("landlord", 70, 7, 71, "72 100 272 150"),
		71:              pdftest.Look(200, 50, "BT /Helv 8 Tf 4 20 Td (Signed by the landlord) Tj ET"),
	}}}))
	return f.Bytes()
}

// dictOf is the text of the signature dictionary in a file.
func dictOf(file []byte) string {
	from := bytes.Index(file, fmt.Appendf(nil, "\n%d 0 obj\n", tenantValue)) + len("\n41 0 obj\n")
	return string(file[from : from+bytes.Index(file[from:], []byte("\nendobj"))])
}

func withoutByteRange(file []byte) string {
	d := dictOf(file)
	i := strings.Index(d, "/ByteRange")
	return d[:i] + d[strings.Index(d, "/Contents"):]
}

// wrap moves the second part of the ByteRange away and puts other objects with
// a cross-reference of their own where it was: the signature still fits its
// bytes.
func wrap(t testing.TB, f *pdftest.File) []byte {
	file := f.Bytes()
	d := dictOf(file)
	i := strings.Index(d, "/ByteRange [") + len("/ByteRange [")
	var n [4]int
	if _, err := fmt.Sscanf(d[i:], "%d %d %d %d", &n[0], &n[1], &n[2], &n[3]); err != nil {
		t.Fatal(err)
	}
	evil := append([]byte{}, file[:n[2]]...)
	evil = append(evil, " >>\nendobj\n"...)
	content := len(evil)
	evil = append(evil, "4 0 obj\n"+pdftest.Stream("", "BT ET")+"\nendobj\n"...)
	for len(evil) < f.Xref() { // where the signed startxref leads
		evil = append(evil, ' ')
	}
	evil = fmt.Appendf(evil, "xref\n4 1\n%010d 00000 n \n", content)
	for _, number := range []int{3, pdftest.Form, tenant, tenantValue} {
		evil = fmt.Appendf(evil, "%d 1\n%010d 00000 n \n", number, f.Offset(number))
	}
	first := bytes.Index(file, []byte("xref\n0 "))
	evil = fmt.Appendf(evil, "trailer\n<< /Size 99 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n98 0 obj\n<<", first, f.Xref())
	moved := len(evil)
	old := fmt.Sprintf("[%d %010d %010d %010d]", n[0], n[1], n[2], n[3])
	evil = bytes.Replace(evil, []byte(old), fmt.Appendf(nil, "[%d %010d %010d %010d]", n[0], n[1], moved, n[3]), 1)
	return append(evil, file[n[2]:]...)
}

// bypass is a whole other document under the numbers of the first.
func bypass() objects {
	o := pdftest.Contract().Objects
	o[4] = pdftest.Stream("", "BT /F1 12 Tf 72 700 Td (The rent is 1 euro) Tj ET")
	o[3], o[pdftest.Form] = page1(tenant), form(tenant)
	o[tenant] = widget("tenant", tenantValue, 3, tenantLook, "300 100 500 150")
	o[tenantLook] = pdftest.Look(200, 50, "BT /Helv 8 Tf 4 20 Td (Signed by a tenant) Tj ET")
	return o
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			start := a.start
			if start == nil {
				start = contract
			}
			file := a.change(t, start(t))
			list, err := read(t, file)
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, s := range list {
				all = append(all, complaints(s)...)
			}
			if text := strings.Join(all, "\n"); !strings.Contains(text, a.want) {
				t.Errorf("want %q, got\n%s", a.want, text)
			}
			if bad := complaints(list[0]); len(bad) == 0 && a.name != "a copy of the signature in a second field" {
				t.Error("nothing speaks against the first signature")
			}
		})
	}
}
