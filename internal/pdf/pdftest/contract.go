package pdftest

import "fmt"

// Numbers of the objects of Contract.
const (
	Catalog      = 1
	Pages        = 2
	Page1        = 3
	Content1     = 4
	Font         = 5
	Image        = 6
	Page2        = 7
	Content2     = 8
	Form         = 9
	Amount       = 10 // a text field on page 1, filled in
	AmountLook   = 11
	Agree        = 12 // a check box on page 1
	Waiting      = 13 // a signature field on page 2, empty
	Note         = 14 // a comment on page 1
	Layer        = 15 // an optional content group
	Unused       = 16 // a content stream that nothing refers to
	Info         = 17
	AgreeOn      = 18
	AgreeOff     = 19
	Remark       = 20 // a text field on page 2, empty
	FirstContent = "BT /F1 12 Tf 72 700 Td (The tenant pays a rent of 850 euro a month.) Tj 0 -40 Td (Signed for approval) Tj ET q 100 0 0 60 400 600 cm /Im1 Do Q"
)

// Contract is the first revision of a document of two pages with a form, a
// comment, a layer and an object that nothing shows.
func Contract() Update {
	return Update{Trailer: fmt.Sprintf("/Info %d 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]", Info), Objects: map[int]string{
		Catalog:    "<< /Type /Catalog /Pages 2 0 R /AcroForm 9 0 R /OCProperties << /OCGs [15 0 R] /D << /Order [15 0 R] /ON [15 0 R] >> >> >>",
		Pages:      "<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 2 /MediaBox [0 0 595 842] >>",
		Page1:      "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /Im1 6 0 R >> >> /Annots [10 0 R 12 0 R 14 0 R] >>",
		Content1:   Stream("", FirstContent),
		Font:       "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		Image:      Stream("/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8", "\x00\xff\xff\x00"),
		Page2:      "<< /Type /Page /Parent 2 0 R /Contents 8 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [13 0 R 20 0 R] >>",
		Content2:   Stream("", "BT /F1 12 Tf 72 700 Td (General conditions apply.) Tj ET"),
		Form:       "<< /Fields [10 0 R 12 0 R 13 0 R 20 0 R] /DR << /Font << /Helv 5 0 R >> >> /DA (/Helv 10 Tf 0 g) >>",
		Amount:     "<< /Type /Annot /Subtype /Widget /FT /Tx /T (amount) /V (850) /Rect [72 500 200 520] /P 3 0 R /F 4 /DA (/Helv 10 Tf 0 g) /AP << /N 11 0 R >> >>",
		AmountLook: Look(128, 20, "/Tx BMC q BT /Helv 10 Tf 0 g 2 6 Td (850) Tj ET Q EMC"),
		Agree:      "<< /Type /Annot /Subtype /Widget /FT /Btn /T (agree) /V /Off /AS /Off /Rect [72 460 92 480] /P 3 0 R /F 4 /AP << /N << /Yes 18 0 R /Off 19 0 R >> >> >>",
		Waiting:    "<< /Type /Annot /Subtype /Widget /FT /Sig /T (landlord) /Rect [72 100 272 150] /P 7 0 R /F 4 >>",
		Note:       "<< /Type /Annot /Subtype /Text /Rect [500 780 520 800] /Contents (please check) /P 3 0 R >>",
		Layer:      "<< /Type /OCG /Name (Stamp) >>",
		Unused:     Stream("", "BT /F1 12 Tf 72 700 Td (The tenant pays a rent of 1850 euro a month.) Tj ET"),
		Info:       "<< /Title (Lease) /Producer (test) >>",
		AgreeOn:    Look(20, 20, "0 g 4 4 12 12 re f"),
		AgreeOff:   Look(20, 20, ""),
		Remark:     "<< /Type /Annot /Subtype /Widget /FT /Tx /T (remark) /Rect [72 200 272 220] /P 7 0 R /F 4 /DA (/Helv 10 Tf 0 g) >>",
	}}
}

// Look is an appearance stream that uses the form's font.
func Look(width, height int, content string) string {
	return Stream(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 %d %d] /Resources << /Font << /Helv 5 0 R >> >>", width, height), content)
}
