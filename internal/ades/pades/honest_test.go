package pades

import (
	"bytes"
	"compress/zlib"
	"maps"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

// honest is what happens to signed files every day.
type honest struct {
	name   string
	start  func(t testing.TB) *pdftest.File // nil: contract
	change func(t testing.TB, f *pdftest.File) []byte
	want   string // in the list of changes; empty: none
}

func flate(dict, data string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(data))
	w.Close()
	return pdftest.Stream(dict+" /Filter /FlateDecode", b.String())
}

// rewritten are the objects of the signed contract, as they are.
func rewritten(t testing.TB, f *pdftest.File) objects {
	t.Helper()
	all := pdftest.Contract().Objects
	all[3], all[pdftest.Form] = page1(tenant), form(tenant)
	all[tenant] = widget("tenant", tenantValue, 3, tenantLook, "300 100 500 150")
	all[tenantLook] = pdftest.Look(200, 50, "BT /Helv 8 Tf 4 20 Td (Signed by a tenant) Tj ET")
	return all
}

const dss = "<< /Type /DSS /Certs [61 0 R] /CRLs [61 0 R] /VRI << /00112233445566778899AABBCCDDEEFF00112233 << /Cert [61 0 R] /TU (D:20250602000000Z) >> >> >>"

func addDSS() objects {
	return objects{1: catalog("/Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 5 >> >> /DSS 60 0 R"), 60: dss, 61: pdftest.Stream("", "0\x00")}
}

// documentTimestamp adds one that cannot be read as a token, which is all the
// same to the signatures before it.
func documentTimestamp(t testing.TB, f *pdftest.File) []byte {
	t.Helper()
	must(t, f.Sign(pdftest.Signing{Dict: "/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161", Number: 81,
		Make: func([]byte) ([]byte, error) { return []byte{0x30, 0}, nil },
		Update: pdftest.Update{Objects: objects{
			80: widget("stamp", 81, 7, 0, "0 0 0 0"), 7: page2(80), pdftest.Form: form(tenant, 80)}}}))
	return f.Bytes()
}

// steps makes several changes in turn.
func steps(all ...func(testing.TB, *pdftest.File) []byte) func(testing.TB, *pdftest.File) []byte {
	return func(t testing.TB, f *pdftest.File) (out []byte) {
		for _, step := range all {
			out = step(t, f)
		}
		return out
	}
}

// newSignature signs in a field of its own, seen on page 2 or not.
func newSignature(visible bool) func(testing.TB, *pdftest.File) []byte {
	return func(t testing.TB, f *pdftest.File) []byte {
		t.Helper()
		o := objects{90: widget("witness", 91, 7, 0, "0 0 0 0"), 7: page2(90), pdftest.Form: form(tenant, 90)}
		if visible {
			o[90] = widget("witness", 91, 7, 92, "300 100 500 150")
			o[92] = pdftest.Look(200, 50, "0.9 g 0 0 200 50 re f 0 g BT /Helv 8 Tf 4 20 Td (Signed by a witness) Tj ET")
		}
		must(t, f.Sign(pdftest.Signing{Dict: sigDict, Number: 91, Make: message(t), Update: pdftest.Update{Objects: o}}))
		return f.Bytes()
	}
}

func certify(p int) func(testing.TB) *pdftest.File {
	return func(t testing.TB) *pdftest.File { return certified(t, p) }
}

// tagged is a contract with a structure tree.
func tagged(t testing.TB) *pdftest.File {
	u := pdftest.Contract()
	u.Objects[1] = catalog("/MarkInfo << /Marked true >> /StructTreeRoot 30 0 R")
	u.Objects[30] = "<< /Type /StructTreeRoot /K [31 0 R] /ParentTree << /Nums [0 [32 0 R]] >> /ParentTreeNextKey 1 >>"
	u.Objects[31] = "<< /S /Document /P 30 0 R /K [32 0 R] >>"
	u.Objects[32] = "<< /S /P /P 31 0 R /Pg 3 0 R /K 0 >>"
	f := pdftest.New(pdftest.Catalog, u)
	signFirst(t, f, pdftest.Update{}, "", "")
	return f
}

func growStructure(text string) objects {
	return objects{
		30: "<< /Type /StructTreeRoot /K [31 0 R] /ParentTree << /Nums [0 [32 0 R] 1 62 0 R] >> /ParentTreeNextKey 2 >>",
		31: "<< /S /Document /P 30 0 R /K [32 0 R 62 0 R] >>",
		32: "<< /S /P /P 31 0 R /Pg 3 0 R /K 0 " + text + ">>",
		62: "<< /S /Form /P 31 0 R /K << /Type /OBJR /Obj 14 0 R /Pg 3 0 R >> >>",
	}
}

var everyday = []honest{
	{"nothing", nil, asIs, ""},
	{"a further signature, not seen", nil, newSignature(false), "signature-added: field witness"},
	{"a further signature, seen", nil, newSignature(true), "signature-added: field witness"},
	{"the waiting field signed", nil, secondSignature, "signature-added: field landlord"},
	{"two further signatures", nil, steps(secondSignature, newSignature(true)), "signature-added: field witness"},
	{"signature with cross-reference streams", func(t testing.TB) *pdftest.File {
		u := pdftest.Contract()
		u.Packed = true
		f := pdftest.New(pdftest.Catalog, u)
		signFirst(t, f, pdftest.Update{XrefStream: true}, "", "")
		return f
	}, replace(fillRemark()), "form-filled: field remark"},
	{"field filled in", nil, replace(fillRemark()), "form-filled: field remark"},
	{"field filled in, packed", nil, add(pdftest.Update{Packed: true, Objects: fillRemark()}), "form-filled: field remark"},
	{"field filled in anew", nil, replace(objects{10: strings.Replace(pdftest.Contract().Objects[10], "(850)", "(900)", 1), 11: pdftest.Look(128, 20, "BT /Helv 10 Tf 2 6 Td (900) Tj ET")}), "form-filled: field amount"},
	{"box checked", nil, replace(objects{12: strings.ReplaceAll(strings.ReplaceAll(pdftest.Contract().Objects[12], "/V /Off", "/V /Yes"), "/AS /Off", "/AS /Yes")}), "form-filled: field agree"},
	{"another program draws the same text", nil, replace(objects{11: pdftest.Look(128, 20, "/Tx BMC BT 0 g /Helv 10 Tf 1 0 0 1 2 5.5 Tm (850) Tj ET EMC")}), "form-filled: field amount"},
	{"form gets fonts and NeedAppearances", nil, replace(objects{pdftest.Form: strings.Replace(strings.Replace(form(tenant), "/Helv 5 0 R", "/Helv 5 0 R /ZaDb 60 0 R", 1), "/DA", "/NeedAppearances true /DA", 1), 60: "<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"}), ""},
	{"fields made read-only", nil, replace(objects{10: strings.Replace(pdftest.Contract().Objects[10], "/FT", "/Ff 1 /FT", 1)}), "form-filled: field amount"},
	{"validation data", nil, replace(addDSS()), "validation-data-added: catalog"},
	{"validation data and document time stamp", nil, steps(replace(addDSS()), documentTimestamp), "timestamp-added: field stamp"},
	{"document time stamp under P 1", certify(1), steps(replace(withPerms(addDSS())), documentTimestamp), "timestamp-added: field stamp"},
	{"filling in under P 2", certify(2), replace(fillRemark()), "form-filled"},
	{"signing under P 2", certify(2), secondSignature, "signature-added"},
	{"comment under P 3", certify(3), replace(objects{3: page1(tenant, 60), 60: strings.Replace(freeText("550 780 570 800", ""), "FreeText", "Text", 1)}), "annotation-added"},
	{"comment changed under P 3", certify(3), replace(objects{14: "<< /Type /Annot /Subtype /Text /Rect [500 780 520 800] /Contents (all checked) /P 3 0 R >>"}), "annotation-changed"},
	{"other fields locked", locked("<< /Type /SigFieldLock /Action /Include /Fields [(amount)] >>"), replace(fillRemark()), "form-filled: field remark"},
	{"signing where all fields are locked", locked("<< /Type /SigFieldLock /Action /All >>"), newSignature(true), "signature-added"},
	{"document information", nil, add(pdftest.Update{Trailer: "/Info 17 0 R", Objects: objects{17: "<< /Title (Lease) /ModDate (D:20250603) >>"}}), "metadata-changed: document information"},
	{"picture among the form's resources", func(t testing.TB) *pdftest.File {
		f := pdftest.New(pdftest.Catalog, pdftest.Contract())
		f.Append(pdftest.Update{Objects: objects{
			pdftest.Form: strings.Replace(form(tenant), "/Helv 5 0 R >>", "/Helv 5 0 R >> /XObject << /FRM 70 0 R >>", 1), 70: pdftest.Look(10, 10, "0 0 5 5 re f")}})
		signFirst(t, f, pdftest.Update{}, "", "")
		return f
	}, replace(objects{70: pdftest.Look(20, 20, "0 0 9 9 re f")}), ""},
	{"colour profile of a visible signature", nil, replace(objects{1: catalog("/OutputIntents [<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) >>]")}), "presentation-changed: catalog"},
	{"XMP and version", nil, replace(objects{1: catalog("/Version /2.0 /Metadata 60 0 R"), 60: pdftest.Stream("/Type /Metadata /Subtype /XML", "<x/>")}), "metadata-changed"},
	{"note", nil, replace(objects{3: page1(tenant, 60, 61), 60: "<< /Type /Annot /Subtype /Text /Rect [100 695 118 713] /Contents (ok?) /Popup 61 0 R >>", 61: "<< /Type /Annot /Subtype /Popup /Rect [0 0 300 700] /Parent 60 0 R >>"}), "annotation-added"},
	{"highlight", nil, replace(objects{3: page1(tenant, 60), 60: strings.Replace(freeText(overRent, "/AP << /N 61 0 R >>"), "FreeText", "Highlight", 1), 61: strings.Replace(pdftest.Look(110, 25, "/G0 gs 1 1 0 rg 0 0 110 25 re f"), "/Font", "/ExtGState << /G0 << /BM /Multiply >> >> /Font", 1)}), "annotation-added"},
	{"typewriter in the margin", nil, replace(objects{3: page1(tenant, 60), 60: freeText("72 300 200 330", "")}), "annotation-added"},
	{"comment opened", nil, replace(objects{14: strings.Replace(pdftest.Contract().Objects[14], "/P 3", "/Open true /M (D:2025) /P 3", 1)}), ""},
	{"everything written anew", nil, func(t testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{Objects: rewritten(t, f)})
		return f.Bytes()
	}, ""},
	{"everything written anew, packed", nil, func(t testing.TB, f *pdftest.File) []byte {
		f.Append(pdftest.Update{Packed: true, Objects: rewritten(t, f)})
		return f.Bytes()
	}, ""},
	{"content compressed, numbers as reals", nil, replace(objects{4: flate("", pdftest.FirstContent), 2: "<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 /MediaBox [0 0 595.0 842.00] >>"}), ""},
	{"content in an array, copied", nil, replace(objects{3: strings.Replace(page1(tenant), "/Contents 4 0 R", "/Contents [60 0 R]", 1), 60: pdftest.Stream("", pdftest.FirstContent)}), ""},
	{"annotations in an object of their own", nil, replace(objects{3: strings.Replace(page1(tenant), "/Annots [10 0 R 12 0 R 14 0 R 40 0 R]", "/Annots 60 0 R", 1), 60: "[10 0 R 12 0 R 14 0 R 40 0 R]"}), ""},
	{"annotation copied", nil, replace(objects{3: strings.Replace(page1(tenant), "14 0 R", "60 0 R", 1), 60: pdftest.Contract().Objects[14]}), ""},
	{"box from parent to page", nil, replace(objects{2: "<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 >>", 3: strings.Replace(page1(tenant), "/Parent", "/MediaBox [0 0 595 842] /CropBox [0 0 595 842] /Parent", 1), 7: strings.Replace(page2(), "/Parent", "/MediaBox [0 0 595 842] /Parent", 1)}), ""},
	{"page tree of two levels", nil, replace(objects{2: "<< /Type /Pages /Kids [60 0 R] /Count 2 /MediaBox [0 0 595 842] >>", 60: "<< /Type /Pages /Parent 2 0 R /Kids [3 0 R 7 0 R] /Count 2 >>"}), ""},
	{"private data of a page", nil, replace(objects{3: strings.Replace(page1(tenant), "/Parent", "/PieceInfo << /Acro << /LastModified (D:2025) >> >> /LastModified (D:2025) /Tabs /S /Parent", 1)}), "metadata-changed"},
	{"structure grows", tagged, replace(growStructure("")), "structure-changed"},
	{"hybrid update", nil, add(pdftest.Update{Objects: objects{60: "<<>>"}, Hidden: fillRemark()}), ""},
	{"blank lines at the end", nil, func(_ testing.TB, f *pdftest.File) []byte { f.Raw("\r\n\r\n\x00\x00"); return f.Bytes() }, ""},
	{"line end of the update is CR LF", nil, add(pdftest.Update{Tail: "\r\n", Objects: fillRemark()}), "form-filled"},
	{"empty name tree", nil, replace(objects{1: catalog("/Names << /JavaScript << /Names [] >> >>")}), ""},
	{"objects that nothing uses", nil, replace(objects{60: "<< /S /JavaScript /JS (x) >>", pdftest.Unused: "null"}), ""},
}

func withPerms(o objects) objects {
	o = maps.Clone(o)
	o[1] = strings.Replace(o[1], "/DSS", "/Perms << /DocMDP 41 0 R >> /DSS", 1)
	return o
}

func TestHonestChanges(t *testing.T) {
	t.Parallel()
	for _, h := range everyday {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			start := h.start
			if start == nil {
				start = contract
			}
			list, err := read(t, h.change(t, start(t)))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				if bad := complaints(s); len(bad) > 0 {
					t.Errorf("%s: %s", s.ID, strings.Join(bad, "\n"))
				}
			}
			if got := changed(list[0]); !strings.Contains(got, h.want) {
				t.Errorf("want %q, got\n%s", h.want, got)
			}
		})
	}
}

// TestStructureMustNotChange is the reverse of what "structure grows" allows.
func TestStructureMustNotChange(t *testing.T) {
	t.Parallel()
	without := growStructure("")
	without[31] = "<< /S /Document /P 30 0 R /K [62 0 R] >>"
	for name, o := range map[string]objects{"text for an element": growStructure("/ActualText (one euro) "), "element taken out": without} {
		f := tagged(t)
		f.Append(pdftest.Update{Objects: o})
		list, err := read(t, f.Bytes())
		must(t, err)
		if bad := complaints(list[0]); !strings.Contains(strings.Join(bad, " "), "structure-changed") {
			t.Errorf("%s: %v", name, bad)
		}
	}
}
