package saved

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/beidfile"
)

func writeCSV(t testing.TB, c *Card) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCSVRoundTrip: with the raw files in the line, what is read back is what was written.
func TestCSVRoundTrip(t *testing.T) {
	for name, c := range everyPerson(t) {
		b := writeCSV(t, c)
		got, err := Read(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := c.Files
		want.ATR, want.BasicKey = nil, nil // the form has no place for them
		if err := errors.Join(sameFiles(got.Files, want), sameCard(got, c)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "quote and semicolon" && len(got.Notes) > 0 || !got.Signed || got.Version != "1" {
			t.Errorf("%s: version %s, signed %t, notes %q", name, got.Version, got.Signed, got.Notes)
		}
	}
}

// TestCSVPlaces checks the places of the sheet, not the constants.
func TestCSVPlaces(t *testing.T) {
	c := newCard(t, foreigner(fields{tagThirdInitial: "Q"}))
	c.Challenge, c.Response = []byte("challenge"), []byte("response")
	line := strings.TrimSuffix(string(writeCSV(t, c)), "\n")
	row := strings.Split(line, ";")
	enc := base64.StdEncoding.EncodeToString
	for place, want := range map[int]string{
		0: "1", 1: "foreigner", 2: "", 3: "33", 4: "Jörg Ça Q", 5: "Müller-Đorđević", 6: "M", 7: "1985", 8: "Strelsau", 9: "Graf",
		10: "Ruritanië", 11: "85033101585", 12: "01", 13: "2", 14: "1", 15: "4", 16: "B123456748",
		17: "534C494E000102030405060708090A0B", 18: "01.02.2021", 19: "01.02.2031", 20: "Brussel", 22: "Rue de l'Exemple 1 bte 2",
		23: "1000", 24: "Bruxelles", 25: "be", 26: enc(c.Files.Identity), 27: enc(c.Files.IdentitySignature), 28: enc(c.Files.Address),
		29: enc(c.Files.AddressSignature), 30: enc(c.Files.Photo), 47: enc(c.Files.CardData), 48: enc(c.Files.TokenInfo),
		49: enc(c.Challenge), 50: enc(c.Response), 53: enc(c.Files.RRN), 55: "4", 56: "Authentication", 58: enc(c.Files.Authentication),
		60: "Signature", 62: enc(c.Files.Signature), 64: "CA", 66: enc(c.Files.CA), 68: "Root", 70: enc(c.Files.Root), 72: "0",
	} {
		if row[place] != want {
			t.Errorf("field %d: %q, want %q", place, row[place], want)
		}
	}
	if len(row) != 73 || strings.ContainsAny(line, "\"\n\r") {
		t.Errorf("%d fields, want 73, on one line without quotes", len(row))
	}
	if kid := string(writeCSV(t, newCard(t, citizen(fields{tagDocumentType: "6"})))); !strings.HasPrefix(kid, "1;kids;;6;") {
		t.Errorf("kids card: %.20s", kid)
	}
	if err := (&Card{}).WriteCSV(&bytes.Buffer{}); !errors.Is(err, ErrIncomplete) {
		t.Errorf("without identity: %v", err)
	}
}

// TestCSVFormulas: no field begins like a formula, and the text comes back as it was.
func TestCSVFormulas(t *testing.T) {
	c := newCard(t, citizen(fields{tagThirdInitial: "", tagSurname: "=HYPERLINK(1)", tagGivenNames: "-2+3", tagNationality: "'+1",
		tagBirthPlace: "@SUM(A1)", tagDelivery: "'t Zand", tagNobleCondition: "＝1"}))
	c.Files.Identity, c.Files.IdentitySignature = nil, nil
	b := writeCSV(t, c)
	for _, field := range strings.Split(string(b), ";")[:26] {
		if looksLikeFormula(field) && !strings.HasPrefix(field, "'") {
			t.Errorf("field %q", field)
		}
	}
	got, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	want := *c.Identity
	want.BasicKeyHash = nil // no place in the form
	if err := sameValues(got.Identity, &want); err != nil {
		t.Error(err)
	}
}

// javaCSV is a line as the Java viewer wrote it: no raw files, a type of two digits.
const javaCSV = "1;eid;;01;Zoë Anaïs Ö;Voorbeeld;F;01 JAN  1971;Eupen;;Belg;71010100409;;;;0;591000000106;534C494E000102030405060708090A0B;" +
	"01.02.2021;01.02.2031;Brussel;;Kerkstraat 1;1000;Brussel;be;;;;;/9j/AA==;;;;;;;;;;;;;;;;;;;;;RRN;1;MAMCAQg=;;2;CA;1;MAMCAQU=;;Root;1;MAMCAQY=;;0"

func TestReadJavaCSV(t *testing.T) {
	c, err := Read([]byte("\xEF\xBB\xBF" + javaCSV + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &beidfile.Identity{CardNumber: "591000000106", ChipNumber: []byte(chip), ValidFrom: beidfile.Date{Year: 2021, Month: 2, Day: 1},
		ValidUntil: beidfile.Date{Year: 2031, Month: 2, Day: 1}, DeliveryMunicipality: "Brussel", NationalNumber: "71010100409",
		Surname: "Voorbeeld", GivenNames: "Zoë Anaïs Ö", Nationality: "Belg", BirthPlace: "Eupen", BirthText: "01 JAN  1971",
		Birth: beidfile.Date{Year: 1971, Month: 1, Day: 1}, Sex: beidfile.Female, DocumentType: "1", SpecialStatus: "0"}
	if err := sameValues(c.Identity, want); err != nil || len(c.Identity.Warnings) > 0 {
		t.Errorf("%v; warnings %q", err, c.Identity.Warnings)
	}
	if c.Address.StreetAndNumber != "Kerkstraat 1" || len(c.Files.Photo) != 4 || len(c.Files.CA) != 5 || c.Files.RRN[4] != 8 || c.Files.Root[4] != 6 {
		t.Errorf("address %v, files %v", c.Address, c.Files)
	}
	notes := []string{"this file carries no signatures: identity, address and photo cannot be verified",
		"a third given name's initial, if any, stands at the end of the given names"}
	if c.Signed || !slices.Equal(c.Notes, notes) {
		t.Errorf("signed %t, notes %q", c.Signed, c.Notes)
	}
}

// TestSignedPartly: Signed and Notes say precisely which signature is missing.
func TestSignedPartly(t *testing.T) {
	for _, test := range []struct {
		spoil func(*Card)
		note  string
	}{
		{func(c *Card) { c.Files.IdentitySignature = nil }, "this file does not carry the signature over the identity: its content cannot be verified"},
		{func(c *Card) { c.Files.AddressSignature = nil }, "this file does not carry the signature over the address: the address cannot be verified"},
		{func(c *Card) { c.Files.Address = nil }, "this file does not carry the signature over the address: the address cannot be verified"},
		{func(c *Card) { c.Files.RRN = nil }, "this file does not carry the national register's certificate: its signatures cannot be verified"},
		{func(c *Card) { c.Files.Identity, c.Files.Photo = nil, nil }, "this file carries no signatures: its content cannot be verified"},
	} {
		c := newCard(t, citizen(nil))
		test.spoil(c)
		for _, b := range [][]byte{writeCSV(t, c), encode(t, c, Options{})} {
			got, err := Read(b)
			if err != nil {
				t.Errorf("%s: %v", test.note, err)
			} else if got.Signed || len(got.Notes) == 0 || got.Notes[0] != test.note {
				t.Errorf("%s: signed %t, notes %q, want %q", got.Format, got.Signed, got.Notes, test.note)
			}
		}
	}
	c := newCard(t, citizen(nil)) // no address at all: nothing is missing
	c.Address, c.Files.Address, c.Files.AddressSignature = nil, nil, nil
	if got, err := Read(encode(t, c, Options{})); err != nil || !got.Signed || got.Address != nil {
		t.Errorf("card without address: %v", err)
	}
}

// TestReadXML35Text reads an XML 3.5 file without raw files.
func TestReadXML35Text(t *testing.T) {
	c := newCard(t, citizen(nil))
	b := xml35Of(&Card{Identity: c.Identity, Address: c.Address})
	got, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	want := *c.Identity
	want.GivenNames, want.ThirdInitial, want.PhotoHash, want.BasicKeyHash = "Zoë Anaïs Ö", "", nil, nil
	if err := errors.Join(sameValues(got.Identity, &want), sameValues(got.Address, c.Address)); err != nil {
		t.Error(err)
	}
	if got.Format != FormatXML35 || got.Version != "1" || got.Signed || len(got.Notes) != 2 {
		t.Errorf("%s %s, signed %t, notes %q", got.Format, got.Version, got.Signed, got.Notes)
	}
}

// group codes a TLV field with its length in groups of seven bits, independently of the reader.
func group(tag byte, value ...byte) []byte {
	n := len(value)
	b := []byte{tag}
	if n >= 1<<14 {
		b = append(b, 0x80|byte(n>>14))
	}
	if n >= 1<<7 {
		b = append(b, 0x80|byte(n>>7)&0xFF)
	}
	return append(append(b, byte(n)&0x7F), value...)
}

// tlvOf writes c in the TLV form. The labels of certificates are left out where bare is set.
func tlvOf(c *Card, bare bool) []byte {
	f := c.Files
	certificates := group(0, 0, 0, 0, 4)
	number := byte(0)
	for _, cert := range c.certificates()[:4] {
		if number++; len(*cert.der) == 0 {
			if !bare {
				number-- // with a label, the next takes the number
			}
			continue
		}
		directory := slices.Concat(group(0, '1'), group(1, []byte(cert.label)...), group(8, []byte("3F00DF005038")...))
		entry := group(0, *cert.der...)
		if !bare {
			entry = append(entry, group(1, directory...)...)
		}
		certificates = append(certificates, group(number, entry...)...)
	}
	return slices.Concat(group(0, 1), group(1, f.Identity...), group(2, f.IdentitySignature...), group(3, f.Address...),
		group(4, f.AddressSignature...), group(5, f.Photo...), group(6, f.CardData...), group(7, f.TokenInfo...), group(8, f.RRN...),
		group(0x0B, []byte("eid")...), group(0x0C, certificates...), group(0x0D, group(0, 0, 0, 0, 0)...))
}

func TestReadTLV(t *testing.T) {
	for _, bare := range []bool{false, true} {
		for name, spoil := range map[string]func(*Card){
			"whole":                          func(*Card) {},
			"no authentication certificate":  func(c *Card) { c.Files.Authentication = nil },
			"neither of the holder's":        func(c *Card) { c.Files.Authentication, c.Files.Signature = nil, nil },
			"long photo, three length bytes": func(c *Card) { c.Files.Photo = append(c.Files.Photo, make([]byte, 20000)...) },
		} {
			c := newCard(t, foreigner(nil))
			spoil(c)
			got, err := Read(tlvOf(c, bare))
			if err != nil {
				t.Errorf("%s, bare %t: %v", name, bare, err)
				continue
			}
			want := c.Files
			want.ATR, want.BasicKey = nil, nil
			if err := errors.Join(sameFiles(got.Files, want), sameCard(got, c)); err != nil {
				t.Errorf("%s, bare %t: %v", name, bare, err)
			}
			if got.Format != FormatTLV || got.Version != "1" || !got.Signed || len(got.Notes) > 0 {
				t.Errorf("%s, bare %t: %s %s, signed %t, notes %q", name, bare, got.Format, got.Version, got.Signed, got.Notes)
			}
		}
	}
}

func TestReadBad(t *testing.T) {
	tlv := tlvOf(newCard(t, citizen(nil)), false)
	identity := citizen(nil).bytes()
	csv := func(old, new string) []byte {
		if !strings.Contains(javaCSV, old) {
			t.Fatalf("%s is not in the line", old)
		}
		return []byte(strings.Replace(javaCSV, old, new, 1))
	}
	for name, test := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":               {nil, ErrUnknownForm},
		"blanks":                {[]byte(" \n"), ErrUnknownForm},
		"a JPEG":                {readTestdata(t, "photo.jpg"), ErrUnknownForm},
		"a PDF":                 {[]byte("%PDF-1.7\n"), ErrUnknownForm},
		"prose":                 {[]byte("Hello, world"), ErrUnknownForm},
		"too large":             {make([]byte, MaxSize+1), ErrTooLarge},
		"a card file":           {identity, ErrUnknownForm},
		"TLV cut":               {tlv[:len(tlv)-1], ErrUnknownForm},
		"TLV field twice":       {slices.Concat(tlv, group(1, identity...)), ErrUnknownForm},
		"TLV length unending":   {[]byte{0, 1, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, ErrUnknownForm},
		"TLV length too large":  {[]byte{0, 1, 1, 1, 0xFF, 0xFF, 0xFF, 0x7F, 0}, ErrUnknownForm},
		"TLV broken identity":   {slices.Concat(group(0, 1), group(1, identity[:20]...)), beidfile.ErrTruncated},
		"TLV no identity":       {slices.Concat(group(0, 1), group(0x0B, []byte("eid")...)), ErrMalformed},
		"TLV certificates":      {slices.Concat(group(0, 1), group(1, identity...), group(0x0C, 9, 9, 9)), ErrMalformed},
		"TLV one certificate":   {slices.Concat(group(0, 1), group(1, identity...), group(0x0C, group(1, 9, 9)...)), ErrMalformed},
		"TLV card data":         {slices.Concat(group(0, 1), group(1, identity...), group(6, 1, 2, 3)), beidfile.ErrTruncated},
		"TLV token information": {slices.Concat(group(0, 1), group(1, identity...), group(7, 1, 2, 3)), beidfile.ErrMalformed},
		"TLV of a SIS card":     {slices.Concat(group(0, 1), group(0x0B, []byte("sis")...), group(1, make([]byte, 404)...)), ErrSIS},
		"CSV of a SIS card":     {[]byte("1;sis;Voorbeeld;Zoë;;;;;;;;;AAAA"), ErrSIS},
		"XML of a SIS card":     {[]byte("<beid_card><card_type>sis</card_type></beid_card>"), ErrSIS},
		"XML of a SIS card, 2":  {[]byte("<beid_card><data><files><file_data>AA==</file_data></files></data></beid_card>"), ErrSIS},
		"some other CSV":        {[]byte("1;apples;3\n2;pears;4\n"), ErrUnknownForm},
		"CSV base64":            {csv("/9j/AA==", "/9j/!A=="), ErrMalformed},
		"CSV certificate":       {csv("CA;1;MAMCAQU=", "CA;1;MAMCAQU"), ErrMalformed},
		"CSV count":             {csv(";;2;CA", ";;two;CA"), ErrMalformed},
		"CSV count too large":   {csv(";;2;CA", ";;2000000000;CA"), ErrMalformed},
		"CSV chip number":       {csv("534C49", "534C4"), ErrMalformed},
		"CSV without number":    {csv("71010100409", ""), beidfile.ErrMissing},
		"CSV fields":            {[]byte("1;eid" + strings.Repeat(";", 2000)), ErrMalformed},
		"XML 3.5 nothing in it": {[]byte("<beid_card></beid_card>"), beidfile.ErrMissing},
		"XML 3.5 base64":        {[]byte("<beid_card><biographic><files><file_id>!</file_id></files></biographic></beid_card>"), ErrMalformed},
		"quick key empty":       {[]byte("<MasterFile></MasterFile>"), ErrMalformed},
		"quick key base64":      {[]byte("<MasterFile><a><identityFile><fileData>!</fileData></identityFile></a></MasterFile>"), ErrMalformed},
	} {
		if _, err := Read(test.in); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// TestReadTruncated cuts every form at every byte: an error or a card, no panic.
func TestReadTruncated(t *testing.T) {
	c := newCard(t, foreigner(nil))
	for _, b := range [][]byte{tlvOf(c, false), writeCSV(t, c), writeXML(t, c), xml35Of(c), quickKeyOf(c), encode(t, c, Options{})} {
		for n := 0; n < len(b); n += 7 {
			if got, err := Read(b[:n]); err == nil && got.Identity == nil {
				t.Errorf("%.10q cut at %d: no error and no identity", b, n)
			}
		}
	}
}

func TestNewBad(t *testing.T) {
	if _, err := New(beidfile.Files{}); !errors.Is(err, ErrIncomplete) {
		t.Errorf("no identity: %v", err)
	}
	for name, spoil := range map[string]func(*beidfile.Files){
		"identity": func(f *beidfile.Files) { f.Identity = []byte{1} }, "address": func(f *beidfile.Files) { f.Address = []byte{1} },
		"card data": func(f *beidfile.Files) { f.CardData = []byte{1} }, "token": func(f *beidfile.Files) { f.TokenInfo = []byte{1} },
	} {
		f := rawFiles(t, citizen(nil))
		spoil(&f)
		if _, err := New(f); err == nil {
			t.Errorf("broken %s: no error", name)
		}
	}
	if c := newCard(t, citizen(nil)); !c.Signed || c.Notes != nil || c.Format != "" || c.AppletVersion != 0x18 || c.GraphicalVersion != 5 {
		t.Errorf("signed %t, notes %q, format %q, applet %02X", c.Signed, c.Notes, c.Format, c.AppletVersion)
	}
}

// TestFieldsLengths: the synthetic card file keeps values on both sides of the one-byte length.
func TestFieldsLengths(t *testing.T) {
	for _, n := range []int{0, 1, 254, 255, 256, 509, 510, 511, 1000} {
		id, err := citizen(fields{tagSurname: strings.Repeat("x", n)}).identity()
		if err != nil || len(id.Surname) != n {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
