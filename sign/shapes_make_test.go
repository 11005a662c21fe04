package sign_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards/signed"
)

// sheet writes a PDF of one revision; its fields are what makers of PDF do differently about the file around the objects. The zero value
// is the usual.
type sheet struct {
	version string // "1.4"
	before  string // what stands before the header
	counted bool   // offsets count from the begin of the file, not from the header
	end     string // of a line in the cross-reference; "\n"
	entry   string // of an entry in it, two characters; " \n"
	runs    bool   // every number has a section of its own
	trailer string // more of it
	oneLine bool   // the trailer dictionary is on the line of its keyword
	spaced  bool   // white space before startxref's number and after it
	tail    string // after %%EOF; "\n", "-" nothing
	bare    bool   // no line of binary characters after the header
}

// letter are the objects of a document of one page, with those of changes in place of its own; "" takes one out.
func letter(changes map[int]string) map[int]string {
	all := map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		4: pdftest.Stream("", "BT /F1 14 Tf 72 720 Td (Ik verklaar dat dit een proef is.) Tj 0 -24 Td (Opgemaakt te Gent.) Tj ET 72 300 200 80 re S"),
		5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}
	for n, text := range changes {
		if all[n] = text; text == "" {
			delete(all, n)
		}
	}
	return all
}

func (s sheet) write(objects map[int]string) []byte {
	or := func(a, b string) string {
		if a == "" {
			return b
		}
		return a
	}
	end, entry := or(s.end, "\n"), or(s.entry, " \n")
	var b bytes.Buffer
	b.WriteString(s.before)
	origin := b.Len()
	if s.counted {
		origin = 0
	}
	fmt.Fprintf(&b, "%%PDF-%s\n", or(s.version, "1.4"))
	if !s.bare {
		b.WriteString("%\xe2\xe3\xcf\xd3\n")
	}
	at := map[int]int{}
	numbers := slices.Sorted(maps.Keys(objects))
	for _, n := range numbers {
		at[n] = b.Len() - origin
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	size := numbers[len(numbers)-1] + 1
	xref := b.Len() - origin
	b.WriteString("xref" + end)
	row := func(n int) {
		if offset, ok := at[n]; ok {
			fmt.Fprintf(&b, "%010d 00000 n%s", offset, entry)
		} else {
			fmt.Fprintf(&b, "%010d 65535 f%s", 0, entry)
		}
	}
	if !s.runs {
		fmt.Fprintf(&b, "0 %d%s", size, end)
	}
	for n := range size {
		if _, used := at[n]; s.runs && (used || n == 0) {
			fmt.Fprintf(&b, "%d 1%s", n, end)
			row(n)
		} else if !s.runs {
			row(n)
		}
	}
	dict := fmt.Sprintf("<< /Size %d /Root 1 0 R %s >>", size, s.trailer)
	if s.oneLine {
		b.WriteString("trailer" + dict + end)
	} else {
		b.WriteString("trailer" + end + dict + end)
	}
	number := fmt.Sprint(xref)
	if s.spaced {
		number = "  " + number + " \t"
	}
	fmt.Fprintf(&b, "startxref%s%s%s%%%%EOF", end, number, end)
	if s.tail != "-" {
		b.WriteString(or(s.tail, "\n"))
	}
	return b.Bytes()
}

// deflated is a stream packed by Flate.
func deflated(dict, data string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(data))
	w.Close()
	return pdftest.Stream(dict+" /Filter /FlateDecode", b.String())
}

// shape is a kind of PDF that somebody makes.
type shape struct {
	name string
	make func(t testing.TB, w *workshop) []byte
	// earlier are the signatures that it has.
	earlier int
	// sloppy: qpdf has something to say about it before it is signed.
	sloppy bool
}

// changed is a letter with other objects.
func changed(s sheet, objects map[int]string) func(testing.TB, *workshop) []byte {
	return func(testing.TB, *workshop) []byte { return s.write(letter(objects)) }
}

// contracted is pdftest's contract, written in another way.
func contracted(change func(u *pdftest.Update)) func(testing.TB, *workshop) []byte {
	return func(testing.TB, *workshop) []byte {
		u := pdftest.Contract()
		change(&u)
		return pdftest.New(pdftest.Catalog, u).Bytes()
	}
}

const (
	plainPage = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> "
	noteDict  = "<< /Type /Annot /Subtype /Text /Rect [500 780 520 800] /Contents (nagezien) /P 3 0 R >>"
	fieldDict = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (naam) /V (Proef) /F 4 /Rect [72 600 272 620] /P 3 0 R /DA (/Helv 10 Tf 0 g) >>"
	formRest  = "/DR << /Font << /Helv 5 0 R >> >> /DA (/Helv 10 Tf 0 g)"
	xfaPacket = `<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/3.3/"/></xdp:xdp>`
)

// writtenShapes are those that need no other program.
var writtenShapes = []shape{
	{name: "one page, PDF 1.4", make: changed(sheet{}, nil)},
	{name: "PDF 1.0, no binary line", make: changed(sheet{version: "1.0", bare: true}, nil)},
	{name: "PDF 2.0", make: changed(sheet{version: "2.0", trailer: "/ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]"},
		map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /Lang (nl-BE) /Extensions << /ISO_ << /BaseVersion /2.0 /ExtensionLevel 32002 >> >> >>"})},
	{name: "version in the catalog", make: changed(sheet{version: "1.3"}, map[int]string{1: "<< /Version /1.6 /Type /Catalog /Pages 2 0 R /Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 3 >> >> >>"})},
	{name: "junk before the header", make: changed(sheet{before: "\x00\x00HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n"}, nil)},
	{name: "junk before the header, counted", sloppy: true, make: changed(sheet{before: "\r\n\r\n", counted: true}, nil)},
	{name: "junk after the end", make: changed(sheet{tail: "\r\n<!-- served in 0.02 s -->\r\n" + strings.Repeat("\x00", 300)}, nil)},
	{name: "no line end at the end", make: changed(sheet{tail: "-"}, nil)},
	{name: "line ends CR LF", make: changed(sheet{end: "\r\n", entry: "\r\n", tail: "\r\n"}, nil)},
	{name: "line ends CR", make: changed(sheet{end: "\r", entry: " \r", tail: "\r"}, nil)},
	{name: "odd spaces, trailer on one line", make: changed(sheet{oneLine: true, spaced: true, tail: "   \n\n\n"}, nil)},
	{name: "a section for each number", make: changed(sheet{runs: true}, map[int]string{9: "<< /Gap true >>"})},
	{name: "document information", make: changed(sheet{trailer: "/Info 6 0 R"}, map[int]string{6: "<< /Title <FEFF00560065007200EB006B006C006100720069006E0067> /CreationDate (D:20260101120000+01'00') >>"})},
	{name: "attributes inherited from Pages", make: changed(sheet{}, map[int]string{
		2: "<< /Type /Pages /Kids [6 0 R] /Count 1 /MediaBox [0 0 595 842] /Rotate 90 >>",
		6: "<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> >> >>",
		3: "<< /Type /Page /Parent 6 0 R /Contents 4 0 R >>"})},
	{name: "page turned by 270, cropped", make: changed(sheet{version: "1.6"}, map[int]string{3: plainPage + "/CropBox [50 200 500 800] /Rotate 270 /UserUnit 1.5 >>"})},
	{name: "boxes in real numbers from below zero", make: changed(sheet{}, map[int]string{3: strings.Replace(plainPage, "[0 0 595 842]", "[-10.5 -20.25 584.5 821.75]", 1) + "/TrimBox [0 0 500 800] >>"})},
	{name: "annotations in the page", make: changed(sheet{}, map[int]string{3: plainPage + "/Annots [6 0 R] >>", 6: noteDict})},
	{name: "annotations in an object of their own", make: changed(sheet{}, map[int]string{3: plainPage + "/Annots 7 0 R >>", 6: noteDict, 7: "[6 0 R]"})},
	{name: "annotations not objects of their own", make: changed(sheet{}, map[int]string{3: plainPage + "/Annots [" + noteDict + "] >>"})},
	{name: "form in the catalog", make: changed(sheet{}, map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] " + formRest + " >> >>", 3: plainPage + "/Annots [6 0 R] >>", 6: fieldDict})},
	{name: "form and its fields in objects of their own", make: changed(sheet{}, map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 7 0 R >>",
		3: plainPage + "/Annots [6 0 R] >>", 6: fieldDict, 7: "<< /Fields 8 0 R /NeedAppearances true " + formRest + " >>", 8: "[6 0 R]"})},
	{name: "form with XFA", make: changed(sheet{version: "1.7"}, map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 7 0 R /NeedsRendering false >>",
		3: plainPage + "/Annots [6 0 R] >>", 6: fieldDict, 7: "<< /Fields [6 0 R] /XFA [(xdp) 8 0 R] " + formRest + " >>", 8: deflated("", xfaPacket)})},
	{name: "empty signature field", make: contracted(func(*pdftest.Update) {})},
	{name: "tagged", make: changed(sheet{version: "1.7"}, map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /MarkInfo << /Marked true >> /StructTreeRoot 6 0 R /Lang (nl) >>",
		3: plainPage + "/StructParents 0 /Tabs /S >>",
		4: pdftest.Stream("", "/P << /MCID 0 >> BDC BT /F1 14 Tf 72 720 Td (Ik verklaar dat dit een proef is.) Tj ET EMC"),
		6: "<< /Type /StructTreeRoot /K [7 0 R] /ParentTree << /Nums [0 [8 0 R]] >> /ParentTreeNextKey 1 >>",
		7: "<< /S /Document /P 6 0 R /K [8 0 R] >>", 8: "<< /S /P /P 7 0 R /Pg 3 0 R /K 0 >>"})},
	{name: "portfolio", make: changed(sheet{version: "1.7"}, map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /Collection << /Type /Collection /View /D >> /Names << /EmbeddedFiles << /Names [(plan.txt) 6 0 R] >> >> /PageMode /UseAttachments >>",
		6: "<< /Type /Filespec /F (plan.txt) /UF (plan.txt) /EF << /F 7 0 R >> >>", 7: deflated("/Type /EmbeddedFile /Subtype /text#2Fplain", "een plan\n")})},
	{name: "layers", make: changed(sheet{version: "1.5"}, map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [6 0 R 7 0 R] /D << /Order [6 0 R 7 0 R] /ON [6 0 R] /OFF [7 0 R] >> >> >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /Properties << /L1 6 0 R /L2 7 0 R >> >> >>",
		4: pdftest.Stream("", "/OC /L1 BDC BT /F1 14 Tf 72 720 Td (Laag een.) Tj ET EMC /OC /L2 BDC BT /F1 14 Tf 72 690 Td (Laag twee.) Tj ET EMC"),
		6: "<< /Type /OCG /Name (een) >>", 7: "<< /Type /OCG /Name (twee) >>"})},
	{name: "content in pieces, lengths apart", make: changed(sheet{}, map[int]string{3: strings.Replace(plainPage, "4 0 R", "6 0 R", 1) + ">>", 6: "[7 0 R 8 0 R]", 4: "",
		7: "<< /Length 9 0 R >>\nstream\nBT /F1 14 Tf 72 720 Td\nendstream", 8: "<< /Length 10 0 R >>\nstream\n(In stukken.) Tj ET\nendstream", 9: "23", 10: "19"})},
	{name: "metadata, colour profile, page labels", make: changed(sheet{version: "1.7"}, map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R /PageLabels << /Nums [0 << /S /r >>] >> /OutputIntents [<< /Type /OutputIntent /S /GTS_PDFX /OutputConditionIdentifier (FOGRA39) >>] /ViewerPreferences << /DisplayDocTitle true >> >>",
		6: pdftest.Stream("/Type /Metadata /Subtype /XML", `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>`)})},
	{name: "object streams", make: contracted(func(u *pdftest.Update) { u.Packed = true })},
	{name: "cross-reference stream", make: contracted(func(u *pdftest.Update) { u.XrefStream = true })},
	{name: "hybrid cross-reference", make: func(testing.TB, *workshop) []byte {
		u := pdftest.Contract()
		hidden := map[int]string{}
		for _, n := range []int{pdftest.Layer, pdftest.Info} {
			hidden[n] = u.Objects[n]
			delete(u.Objects, n)
		}
		u.Hidden = hidden
		return pdftest.New(pdftest.Catalog, u).Bytes()
	}},
	{name: "incremental updates, objects freed", make: func(testing.TB, *workshop) []byte {
		f := pdftest.New(pdftest.Catalog, pdftest.Contract())
		f.Append(pdftest.Update{Objects: map[int]string{pdftest.Remark: strings.Replace(pdftest.Contract().Objects[pdftest.Remark], "/FT", "/V (gezien) /FT", 1)}})
		f.Append(pdftest.Update{Free: []int{pdftest.Unused}, Tail: "\r\n"})
		f.Append(pdftest.Update{XrefStream: true, Objects: map[int]string{pdftest.Info: "<< /Title (Lease, later) >>"}})
		f.Append(pdftest.Update{Packed: true, Objects: map[int]string{pdftest.Layer: "<< /Type /OCG /Name (Stamp again) >>"}})
		return f.Bytes()
	}},
	{name: "200 pages in a tree", make: func(testing.TB, *workshop) []byte {
		objects := letter(map[int]string{3: ""})
		kids := ""
		for i := range 20 {
			node, below := 100+i, ""
			for j := range 10 {
				page := 200 + 10*i + j
				objects[page] = fmt.Sprintf("<< /Type /Page /Parent %d 0 R /Contents 4 0 R >>", node)
				below += fmt.Sprintf("%d 0 R ", page)
			}
			objects[node] = fmt.Sprintf("<< /Type /Pages /Parent 2 0 R /Kids [%s] /Count 10 >>", below)
			kids += fmt.Sprintf("%d 0 R ", node)
		}
		objects[2] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count 200 /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> >>", kids)
		return sheet{}.write(objects)
	}},
	{name: "signed before by another program", earlier: 1, make: func(t testing.TB, w *workshop) []byte { return w.signedBefore(t, signed.B, signed.PDFOptions{}) }},
	{name: "signed before at B-LTA, cross-reference streams", earlier: 1, make: func(t testing.TB, w *workshop) []byte {
		return w.signedBefore(t, signed.LTA, signed.PDFOptions{XRefStreams: true})
	}},
	{name: "entries of 19 bytes", make: changed(sheet{entry: "\n"}, nil)},
	{name: "wrong offset of the cross-reference", sloppy: true, make: func(testing.TB, *workshop) []byte {
		return bytes.Replace(sheet{}.write(letter(nil)), []byte("startxref\n"), []byte("startxref\n1"), 1)
	}},
	{name: "no cross-reference at all", sloppy: true, make: func(testing.TB, *workshop) []byte {
		b := sheet{}.write(letter(nil))
		return append(b[:bytes.Index(b, []byte("xref\n"))], "trailer\n<< /Root 1 0 R >>\n"...)
	}},
}
